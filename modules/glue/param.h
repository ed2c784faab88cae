/*
 * Ranges of module parameters: out of range refuses to start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_PARAM_H
#define GLUE_PARAM_H

struct glue_param
{
	const char *name;
	const int *value;
	int min, max;
	const char *unit; /* "seconds", "cells" ... for the message */
};

/* Checks all of them, one error line for each that is out of range.
 * 0, or -1 when any is. */
int glue_param_check(const struct glue_param *params, int n);

#endif

/*
 * Module parameters: one table says name, place, range and unit of each.
 * Kamailio reads its own form of the table, made from ours at load; mod_init
 * checks the values, and a value out of its range refuses to start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_PARAM_H
#define GLUE_PARAM_H

#include "glue/ksr.h"

enum glue_param_kind
{
	GLUE_INT,  /* an int from min to max */
	GLUE_TEXT, /* a str, checked by the module */
	GLUE_WORD  /* a str that is one of `words`; *word is its place */
};

struct glue_param
{
	const char *name;
	enum glue_param_kind kind;
	void *value; /* int or str: the default at first */
	int min, max;
	const char *unit;		  /* "seconds", "cells" ... for the message */
	const char *const *words; /* NULL ends them */
	int *word;
};

#define GLUE_PARAM_INT(name, value, min, max, unit)       \
	{                                                     \
		name, GLUE_INT, value, min, max, unit, NULL, NULL \
	}
#define GLUE_PARAM_TEXT(name, value)                   \
	{                                                  \
		name, GLUE_TEXT, value, 0, 0, NULL, NULL, NULL \
	}
#define GLUE_PARAM_WORD(name, value, words, word)       \
	{                                                   \
		name, GLUE_WORD, value, 0, 0, NULL, words, word \
	}

/* mod_register: `out` has room for n + 1. */
void glue_param_export(
		const struct glue_param *params, int n, param_export_t *out);

/* mod_init: checks all of them, one error line for each that is out of its
 * range or none of its words. 0, or -1 when any is. */
int glue_param_check(const struct glue_param *params, int n);

#endif

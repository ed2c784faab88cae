/*
 * One line of the oracle's input: fields separated by tabs, the command first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ORACLE_ROWS_H
#define ORACLE_ROWS_H

#include "callroute/build/builder.h"

#define LINE_FIELDS 24

struct line
{
	int count;
	char *field[LINE_FIELDS];
};

/* Ends the program: an oracle that guesses what was meant is none. */
_Noreturn void die(const char *what, const char *detail);

/* Field `i`, which must be there; as a number, which it must be. */
const char *text(const struct line *l, int i);
long long number(const struct line *l, int i);

/* Adds the row of a table; 0 when the line is no row. */
int add_row(struct callroute_builder *b, const struct line *l);

#endif

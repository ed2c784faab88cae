/*
 * The leading symbols of a number, replaced: what a trunk's columns dst_rewrite
 * and src_rewrite say. A list of rules "from>to", comma separated, no spaces:
 *
 *   0044>44,00>,49>0     0044123 -> 44123, 00331 -> 331, 4930 -> 030, 1 -> 1
 *   >+                   a '+' before every number
 *
 * The first rule of the list whose `from` begins the number is applied, no other;
 * without one the number stays as it is. An empty `from` begins every number.
 * Symbols are 0-9 * # and, first of `from` or `to`, '+'.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_REWRITE_H
#define CALLROUTE_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#define CALLROUTE_REWRITE_RULES 8
#define CALLROUTE_REWRITE_SYMBOLS 16 /* of one from or to, its '+' included */

/* No pointers: may be copied and lie in a snapshot. All zero: no rules. */
struct callroute_rewrite
{
	uint8_t count;
	struct
	{
		uint8_t from_len, to_len;
		char from[CALLROUTE_REWRITE_SYMBOLS]; /* no NUL */
		char to[CALLROUTE_REWRITE_SYMBOLS];
	} rule[CALLROUTE_REWRITE_RULES];
};

/*
 * Reads a column; "" gives no rules. For loaders. 0, or with *bad at the start
 * of the bad rule within `text`, and *out without rules:
 * -EINVAL    another symbol, a '+' that is not first, not one '>', an empty rule
 * -EMSGSIZE  more than CALLROUTE_REWRITE_SYMBOLS in from or to
 * -E2BIG     more than CALLROUTE_REWRITE_RULES rules
 * -EEXIST    never reached: the `from` of an earlier rule begins this one's
 */
int callroute_rewrite_parse(
		const char *text, struct callroute_rewrite *out, const char **bad);

/*
 * Writes the new number and a NUL; returns its length. len +
 * CALLROUTE_REWRITE_SYMBOLS + 1 bytes are always enough. No allocation, no side
 * effect. `out` does not overlap `number`; in case of an error it holds "", if
 * `size` > 0:
 * -EINVAL   not a number: another symbol, or a '+' that would not be first
 * -ENODATA  it is empty, or nothing (but a '+') would be left of it
 * -ENOSPC   `size` is too small
 */
int callroute_rewrite_apply(const struct callroute_rewrite *r,
		const char *number, size_t len, char *out, size_t size);

#endif

/*
 * Replaces the leading symbols of a number, for a trunk's columns dst_rewrite
 * and src_rewrite. A column is a list of rules "from>to", separated by commas
 * without spaces:
 *
 *   0044>44,00>,49>0     0044123 -> 44123, 00331 -> 331, 4930 -> 030, 1 -> 1
 *   >+                   a '+' before every number
 *
 * Only the first rule whose `from` is the beginning of the number is applied;
 * without such a rule the number is not changed. An empty `from` fits every
 * number. Symbols are 0-9 * #, and '+' as the first symbol of `from` or `to`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_REWRITE_H
#define CALLROUTE_REWRITE_H

#include <stddef.h>
#include <stdint.h>

#define CALLROUTE_REWRITE_RULES 8
#define CALLROUTE_REWRITE_SYMBOLS 16 /* in `from` or `to`, with its '+' */

/* No pointers: it may be copied and be part of a snapshot. All zero: no
 * rules. */
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
 * Reads a column; "" gives no rules. For loaders. Returns 0, or an error with
 * *bad at the start of the bad rule in `text` and *out without rules:
 * -EINVAL    wrong symbol, '+' not first, not exactly one '>', or an empty rule
 * -EMSGSIZE  more than CALLROUTE_REWRITE_SYMBOLS in from or to
 * -E2BIG     more than CALLROUTE_REWRITE_RULES rules
 * -EEXIST    a rule that no number reaches: its `from` begins with the `from`
 *            of an earlier rule
 */
int callroute_rewrite_parse(
		const char *text, struct callroute_rewrite *out, const char **bad);

/*
 * Writes the new number and a NUL; returns its length. len +
 * CALLROUTE_REWRITE_SYMBOLS + 1 bytes are always enough. No allocation, no side
 * effect. `out` must not overlap `number`. An error leaves `out` empty if
 * `size` > 0:
 * -EINVAL   not a number: another symbol, or a '+' that would not be first
 * -ENODATA  it is empty, or nothing (but a '+') would be left of it
 * -ENOSPC   `size` is too small
 */
int callroute_rewrite_apply(const struct callroute_rewrite *r,
		const char *number, size_t len, char *out, size_t size);

#endif

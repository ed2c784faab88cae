/*
 * Checking the rows of a table before they are used: every fault is told with
 * table, id, column and what is wrong; the first ones as lines, all as a count.
 * For loaders, not for the call path. Allocates nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_ROWCHECK_H
#define TG_ROWCHECK_H

#include <stddef.h>

/* Lines of one load; one more says that others follow. */
#define TG_ROWCHECK_LINES 20

/* Takes one line without its end; control characters are gone from it. */
typedef void (*tg_complain_f)(void *arg, const char *line);

struct tg_rowcheck
{
	tg_complain_f complain;
	void *arg;
	unsigned bad; /* faults so far, those that were not told included */
};

/* Tells of a fault in the caller's own words. */
void tg_row_bad(struct tg_rowcheck *c, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* Whether lo <= value <= hi; tells when not. */
int tg_row_range(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, long long value, long long lo, long long hi);

/* Index of `text` in the NULL-ended list; tells and gives 0 when it is none. */
int tg_row_word(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, const char *const *words);

/* Copies a text with its NUL into `size` (> 0) bytes; tells when it is empty
 * though `required`, and when it does not fit (it is cut then). */
void tg_row_text(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, int required, char *out,
		size_t size);

#endif

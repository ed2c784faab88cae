/*
 * Checks the rows of a table before they are used. A fault is reported as a
 * line with table, id, column and what is wrong. All faults are counted, the
 * first TG_ROWCHECK_LINES get a line. For loaders, not for the call path.
 * Allocates nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_ROWCHECK_H
#define TG_ROWCHECK_H

#include <stddef.h>

/* Lines of one load; one more line says that there are more faults. */
#define TG_ROWCHECK_LINES 20

/* Receives one line without a line end; control characters are '?'. */
typedef void (*tg_complain_f)(void *arg, const char *line);

struct tg_rowcheck
{
	tg_complain_f complain;
	void *arg;
	unsigned bad; /* faults so far, also those without a line */
};

/* Reports a fault; the caller words the line. */
void tg_row_bad(struct tg_rowcheck *c, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* 1 when lo <= value <= hi, else reports a fault and returns 0. */
int tg_row_range(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, long long value, long long lo, long long hi);

/* Index of `text` in the NULL-ended list. When it is not in the list, reports a
 * fault and returns 0. */
int tg_row_word(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, const char *const *words);

/* Copies a text with its NUL into `size` (> 0) bytes. Reports a fault when the
 * text is `required` and empty, and when it does not fit (it is then cut). */
void tg_row_text(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, int required, char *out,
		size_t size);

#endif

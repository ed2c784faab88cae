/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/share/rowcheck.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tg_row_bad(struct tg_rowcheck *c, const char *format, ...)
{
	char line[512];
	va_list ap;

	if(++c->bad > TG_ROWCHECK_LINES) {
		if(c->bad == TG_ROWCHECK_LINES + 1)
			c->complain(c->arg, "more bad rows follow; mend these first");
		return;
	}
	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	/* The text of a column must neither end nor forge a log line. */
	for(char *p = line; *p; p++) {
		if(iscntrl((unsigned char)*p))
			*p = '?';
	}
	c->complain(c->arg, line);
}

int tg_row_range(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, long long value, long long lo, long long hi)
{
	if(value >= lo && value <= hi)
		return 1;
	tg_row_bad(c, "%s id %lld: %s = %lld is not in %lld to %lld", table, id,
			column, value, lo, hi);
	return 0;
}

int tg_row_word(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, const char *const *words)
{
	char all[64] = "";

	for(int i = 0; words[i] != NULL; i++) {
		size_t n = strlen(all);

		if(strcmp(text, words[i]) == 0)
			return i;
		snprintf(all + n, sizeof all - n, "%s%s", n ? ", " : "", words[i]);
	}
	tg_row_bad(c, "%s id %lld: %s = '%s' is not one of %s", table, id, column,
			text, all);
	return 0;
}

void tg_row_text(struct tg_rowcheck *c, const char *table, long long id,
		const char *column, const char *text, int required, char *out,
		size_t size)
{
	size_t len = strlen(text);

	if(len == 0 && required)
		tg_row_bad(c, "%s id %lld: %s is empty", table, id, column);
	if(len >= size) {
		tg_row_bad(c, "%s id %lld: %s is longer than %zu characters", table, id,
				column, size - 1);
		len = size - 1;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

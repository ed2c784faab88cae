/*
 * Calendar rows: zone name, dates, durations, exceptions. The rule's grammar is
 * in calendar_rule.c.
 *
 * Memory bound: no heap. Locking: none. Failure mode: the row is refused; the
 * error names the first fault found.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/calendar/calendar_day.h"

#define FIRST_YEAR 1970
#define LAST_YEAR 2199
#define MAX_TZ 64

int calendar_fail(struct tg_calendar_error *err, const char *field,
		const char *format, ...)
{
	va_list args;

	err->field = field;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	for(char *c = err->text; *c != '\0'; c++)
		if(*c < 0x20 || *c > 0x7e)
			*c = '?';
	return -EINVAL;
}

int calendar_parse_tz(const char *text, struct tg_calendar_error *err)
{
	size_t len = text == NULL ? 0 : strnlen(text, MAX_TZ + 1);

	if(len == 0)
		return calendar_fail(err, "tz", "empty: name a time zone such as UTC");
	if(len > MAX_TZ)
		return calendar_fail(err, "tz", "longer than %d characters", MAX_TZ);
	/* The name becomes part of a path, so its characters are restricted. */
	for(size_t i = 0; i < len; i++) {
		char c = text[i];

		if((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
				|| (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+'
				|| (c == '/' && i > 0 && text[i - 1] != '/'))
			continue;
		return calendar_fail(err, "tz", "'%s' is no time zone name", text);
	}
	/* The right/ zones count leap seconds, the system's clock does not. */
	if(strncmp(text, "right/", 6) == 0)
		return calendar_fail(err, "tz", "'%s' counts leap seconds: use '%s'",
				text, text + 6);
	return 0;
}

static int64_t digits(const char *text, size_t n)
{
	int64_t v = 0;

	for(size_t i = 0; i < n; i++) {
		if(text[i] < '0' || text[i] > '9')
			return -1;
		v = v * 10 + (text[i] - '0');
	}
	return v;
}

int calendar_parse_time(
		const char *text, size_t len, struct calendar_time *time)
{
	int64_t year, month, day, hour = 0, minute = 0, second = 0;
	struct calendar_year in;
	const int16_t *before;

	if(len != 8 && len != 15 && len != 16)
		return -EINVAL;
	year = digits(text, 4);
	month = digits(text + 4, 2);
	day = digits(text + 6, 2);
	if(year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12)
		return -EINVAL;
	in = calendar_year(year);
	before = &calendar_before[in.leap][month - 1];
	if(day < 1 || day > before[1] - before[0])
		return -EINVAL;
	if(len > 8) {
		hour = digits(text + 9, 2);
		minute = digits(text + 11, 2);
		second = digits(text + 13, 2);
		if(text[8] != 'T' || hour < 0 || hour > 23 || minute < 0 || minute > 59
				|| second < 0 || second > 60 || (len == 16 && text[15] != 'Z'))
			return -EINVAL;
	}
	/* Without leap seconds, second 60 is treated as second 59 (RFC 5545,
	 * 3.3.12). */
	if(second == 60)
		second = 59;
	time->wall = (in.first + before[0] + day - 1) * CALENDAR_DAY
				 + hour * CALENDAR_HOUR + minute * 60 + second;
	time->form = len == 8	 ? CALENDAR_DATE
				 : len == 15 ? CALENDAR_LOCAL
							 : CALENDAR_UTC;
	return 0;
}

int calendar_parse_start(const char *text, struct calendar_time *start,
		struct tg_calendar_error *err)
{
	size_t len = text == NULL ? 0 : strnlen(text, TG_CALENDAR_MAX_TEXT + 1);

	if(len == 0)
		return calendar_fail(
				err, "dtstart", "empty: write 20260105T090000 or 20260105");
	if(calendar_parse_time(text, len, start) != 0)
		return calendar_fail(err, "dtstart",
				"'%.40s' is no date-time: write 20260105T090000 or 20260105",
				text);
	if(start->form == CALENDAR_UTC)
		return calendar_fail(err, "dtstart",
				"'%s' is in UTC, but the time zone is in tz: leave out the Z",
				text);
	return 0;
}

/* Reads an amount such as "12H" at *p: a number and a unit. 0 when there is
 * none. */
static int read_amount(const char **p, int64_t *amount, char *unit)
{
	const char *s = *p;
	size_t n = strspn(s, "0123456789");

	/* The longest window, in seconds, has 9 digits. */
	if(n == 0 || n > 9)
		return 0;
	*amount = digits(s, n);
	*unit = s[n];
	*p = s + n + (s[n] != '\0');
	return 1;
}

/* Reads a dur-value of RFC 5545, 3.3.6, after the sign. 0 when it is
 * well-formed. */
static int read_duration(const char *p, struct calendar_span *span)
{
	static const char units[] = "WDHMS";
	static const int32_t worth[] = {7, 1, 3600, 60, 1};
	unsigned next = 0; /* units come in order, each once at most */
	int timed = 0, parts = 0;

	if(*p++ != 'P')
		return -EINVAL;
	while(*p != '\0') {
		int64_t amount;
		const char *found;
		unsigned unit;
		char c;

		if(*p == 'T' && !timed) {
			timed = 1;
			p++;
			if(*p == '\0')
				return -EINVAL;
			continue;
		}
		if(!read_amount(&p, &amount, &c) || c == '\0'
				|| (found = strchr(units, c)) == NULL)
			return -EINVAL;
		unit = (unsigned)(found - units);
		if(unit < next || (unit >= 2) != timed)
			return -EINVAL;
		*(timed ? &span->seconds : &span->days) += amount * worth[unit];
		next = unit + 1;
		parts++;
	}
	return parts > 0 ? 0 : -EINVAL;
}

int calendar_parse_duration(const char *text, enum calendar_form start,
		struct calendar_span *span, struct tg_calendar_error *err)
{
	const char *p = text;

	*span = (struct calendar_span){0, 0};
	if(text == NULL || *text == '\0') {
		if(start != CALENDAR_DATE)
			return calendar_fail(err, "duration", "empty: write PT8H or P1D");
		span->days = 1;
		return 0;
	}
	if(*p == '-')
		return calendar_fail(err, "duration",
				"'%.40s': a window cannot end before it starts", text);
	if(*p == '+')
		p++;
	if(read_duration(p, span) != 0)
		return calendar_fail(err, "duration",
				"'%.40s' is no duration: write PT8H, PT30M, P1D or P1DT12H",
				text);
	if(start == CALENDAR_DATE && span->seconds != 0)
		return calendar_fail(err, "duration",
				"'%.40s' has hours, but dtstart is a date: write whole days",
				text);
	if(span->days == 0 && span->seconds == 0)
		return calendar_fail(
				err, "duration", "'%.40s' is zero: never open", text);
	if(span->days + span->seconds / CALENDAR_DAY >= TG_CALENDAR_MAX_DAYS)
		return calendar_fail(err, "duration", "'%.40s' is over %d days", text,
				TG_CALENDAR_MAX_DAYS);
	return 0;
}

int calendar_parse_exdates(const char *text, enum calendar_form start,
		struct calendar_exdates *out, struct tg_calendar_error *err)
{
	const char *p = text;

	out->n = 0;
	if(text == NULL || *text == '\0')
		return 0;
	for(;;) {
		size_t len = strcspn(p, ",");
		struct calendar_time *at = &out->at[out->n];

		if(out->n == CALENDAR_MAX_EXDATES)
			return calendar_fail(err, "exdate", "more than %d entries",
					CALENDAR_MAX_EXDATES);
		if(calendar_parse_time(p, len, at) != 0)
			return calendar_fail(err, "exdate",
					"entry %u, '%.*s', is no date or date-time: write 20261225 "
					"or 20261225T090000",
					out->n + 1, (int)(len < 40 ? len : 40), p);
		if(start == CALENDAR_DATE && at->form != CALENDAR_DATE)
			return calendar_fail(err, "exdate",
					"entry %u, '%.*s', has a time, but dtstart is a date",
					out->n + 1, (int)len, p);
		out->n++;
		if(p[len] == '\0')
			return 0;
		p += len + 1;
	}
}

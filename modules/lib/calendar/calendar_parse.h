/*
 * Parser for the texts of a calendar row; private to calendar*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_PARSE_H
#define TG_CALENDAR_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/calendar/calendar.h"
#include "lib/calendar/calendar_rule.h"

#define CALENDAR_MAX_EXDATES 512

enum calendar_form
{
	CALENDAR_DATE,	/* 20260105 */
	CALENDAR_LOCAL, /* 20260105T090000 */
	CALENDAR_UTC	/* 20260105T080000Z */
};

/* A date or time as it is written: seconds since 1970, as if every day had 24
 * hours and the wall clock showed UTC. */
struct calendar_time
{
	int64_t wall;
	enum calendar_form form;
};

struct calendar_span
{
	int64_t days;	 /* nominal: same wall-clock time */
	int64_t seconds; /* exact */
};

struct calendar_exdates
{
	unsigned n;
	struct calendar_time at[CALENDAR_MAX_EXDATES];
};

/* UNTIL is kept apart from the rule: it may be in UTC, and the rule runs in
 * wall-clock time. */
struct calendar_until
{
	bool given;
	struct calendar_time time;
};

/* Each: 0, or -EINVAL with *err filled. */
int calendar_parse_tz(const char *text, struct tg_calendar_error *err);
int calendar_parse_start(const char *text, struct calendar_time *start,
		struct tg_calendar_error *err);
int calendar_parse_duration(const char *text, enum calendar_form start,
		struct calendar_span *span, struct tg_calendar_error *err);
int calendar_parse_rule(const char *text, enum calendar_form start,
		struct calendar_rule *rule, struct calendar_until *until,
		struct tg_calendar_error *err);
int calendar_parse_exdates(const char *text, enum calendar_form start,
		struct calendar_exdates *out, struct tg_calendar_error *err);

/* One date or date-time of exactly `len` bytes. 0, -EINVAL. */
int calendar_parse_time(
		const char *text, size_t len, struct calendar_time *time);

/* Fills *err and returns -EINVAL. A character that is not plain ASCII becomes
 * '?': the text may quote the row and goes into a log. */
int calendar_fail(struct tg_calendar_error *err, const char *field,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

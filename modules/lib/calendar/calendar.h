/*
 * Calendar: opening hours written as in RFC 5545. They are expanded at load
 * into an immutable image, in which a look-up is a binary search.
 *
 * Build: for the loading process. It reads the system's time zone files and
 * allocates memory for them. Its time is bounded for every rule, also for one
 * that never matches.
 * All other functions: any number of readers at once, wait-free, no allocation,
 * no pointer in the image. No clock is read: the caller passes times, in
 * seconds since 1970-01-01 UTC.
 *
 * libical never frees the time zones that it has read, and shares them among
 * threads with little protection. So run one build at a time in a process, and
 * do not fork while another thread builds. A zone that changes on disk is read
 * after a restart only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_H
#define TG_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

/* The most starts of a rule between its dtstart and the end of the horizon, and
 * the longest text in a field, in bytes. A row beyond them is refused, not
 * cut. */
#define TG_CALENDAR_MAX_STARTS 200000
#define TG_CALENDAR_MAX_TEXT 2048

/* Longest horizon and longest window, in days. */
#define TG_CALENDAR_MAX_DAYS 3700

/*
 * One row, NUL-terminated texts; NULL is empty. Local times are wall-clock
 * times in `tz`. In the hour that a clock change leaves out, the offset before
 * the change is used; in the hour that a clock change repeats, the first pass
 * (RFC 5545, 3.3.5).
 */
struct tg_calendar_row
{
	/* A name of the tz database: Europe/Berlin, UTC. */
	const char *tz;

	/* First day and time: 20260105T090000, local. A date alone is a window of
	 * whole days. If the rule does not match dtstart, no window opens at
	 * dtstart. */
	const char *dtstart;

	/* PT8H, P1DT12H, P1W. Weeks and days end at the same wall-clock time;
	 * hours, minutes and seconds are exact (RFC 5545, 3.3.6). So PT8H from
	 * 22:00 ends at 05:00 or 07:00 in the night of a clock change. Empty with a
	 * date as dtstart: P1D. */
	const char *duration;

	/* FREQ=HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY and every part that RFC 5545
	 * allows with it, INTERVAL up to 100000. SECONDLY and MINUTELY are refused.
	 * Empty: one window. UNTIL is a date if dtstart is one, else UTC
	 * (20261231T225959Z) or local. A rule that matches in no year at all is
	 * refused. A rule without a match in the horizon is closed. HOURLY counts
	 * hours of the wall clock. calendar_recur.c lists the other choices that
	 * the RFC leaves open. */
	const char *rrule;

	/* Starts that are left out, separated by commas. A date-time (local, or UTC
	 * with a Z) must be a start. A date leaves out all starts of that day and
	 * need not match any, so one list of holidays fits every row. */
	const char *exdate;
};

struct tg_calendar_error
{
	const char *field; /* "tz", "dtstart" ...; "" when no field is to blame */
	char text[200];	   /* one line for an operator */
};

/*
 * Expands `row` into the windows between `from` and `till`, sorted, merged and
 * cut at both ends. mem: 8-byte aligned; may be NULL when size is 0.
 * 0 (*used = image bytes); otherwise *err (not NULL) says what is wrong in
 * which field, and mem holds no image. -EINVAL: the row or the horizon is
 * wrong. -E2BIG: more than TG_CALENDAR_MAX_STARTS starts. -ENOSPC: `size` is
 * too small, *used bytes are enough.
 */
int tg_calendar_build(const struct tg_calendar_row *row, int64_t from,
		int64_t till, void *mem, size_t size, size_t *used,
		struct tg_calendar_error *err);

/* 0 when the `size` bytes of `image` are a sound image, else -EBADMSG. Call it
 * once for an image that tg_calendar_build did not make in this process; the
 * functions below do not check. */
int tg_calendar_check(const void *image, size_t size);

/* 1 open, 0 closed, -ERANGE: not known, since `now` is outside the horizon. A
 * window is open from its first second to the one before its end. */
int tg_calendar_is_open(const void *image, int64_t now);

/* When the answer of tg_calendar_is_open at `now` changes next. 0, -ERANGE (now
 * is outside the horizon), -ENOENT (not before the horizon ends). */
int tg_calendar_next_change(const void *image, int64_t now, int64_t *at);

#endif

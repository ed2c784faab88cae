/*
 * Calendar: from a row to the image. calendar_recur.c gives the starts in
 * wall-clock time; here they become windows in UTC.
 *
 * Memory bound: the caller's image and some 16 KiB of stack; a zone that is
 * read for the first time stays in memory (calendar_zone.c).
 * Time bound: one check of each day from dtstart to the end of the horizon, and
 * two or three time zone look-ups for each of at most TG_CALENDAR_MAX_STARTS
 * starts.
 * Locking: none; one build at a time in a process (see calendar.h).
 * Failure mode: an incomplete image is never a valid one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calendar/calendar_day.h"
#include "lib/calendar/calendar_image.h"
#include "lib/calendar/calendar_parse.h"
#include "lib/calendar/calendar_recur.h"
#include "lib/calendar/calendar_zone.h"

/* Year 2200: no later date is accepted. */
#define LAST_MOMENT (INT64_C(230) * 365 * CALENDAR_DAY)

struct expansion
{
	/* the row */
	struct calendar_zone *zone;
	struct calendar_time start;
	struct calendar_span span;
	struct calendar_rule rule;
	struct calendar_until until;
	struct calendar_exdates except;
	uint8_t matched[CALENDAR_MAX_EXDATES];
	/* the horizon and the windows so far */
	int64_t from, till;
	struct calendar_window *window;
	size_t room, windows; /* windows may exceed room */
	struct calendar_window last;
	int unsorted;
};

static int is_excepted(struct expansion *e, int64_t wall, int64_t utc)
{
	int excepted = 0;

	for(unsigned i = 0; i < e->except.n; i++) {
		const struct calendar_time *x = &e->except.at[i];
		int64_t day = wall - wall % CALENDAR_DAY;

		if(x->form == CALENDAR_DATE			? x->wall == day
				: x->form == CALENDAR_LOCAL ? x->wall == wall
											: x->wall == utc)
			e->matched[i] = 1, excepted = 1;
	}
	return excepted;
}

static void put_window(struct expansion *e, struct calendar_window w)
{
	w.from = w.from > e->from ? w.from : e->from;
	w.till = w.till < e->till ? w.till : e->till;
	if(w.from >= w.till)
		return;
	if(e->windows > 0 && w.from >= e->last.from && w.from <= e->last.till) {
		if(w.till > e->last.till)
			e->last.till = w.till;
	} else {
		if(e->windows > 0 && w.from < e->last.from)
			e->unsorted = 1;
		e->windows++;
		e->last = w;
	}
	if(e->windows <= e->room)
		e->window[e->windows - 1] = e->last;
}

/* Adds one start of the rule; it is given as wall-clock time and as UTC. */
static void put_start(struct expansion *e, int64_t wall, int64_t utc)
{
	int64_t end = utc;

	if(is_excepted(e, wall, utc))
		return;
	if(e->span.days > 0)
		end = calendar_zone_to_utc(e->zone, wall + e->span.days * CALENDAR_DAY);
	put_window(e, (struct calendar_window){utc, end + e->span.seconds});
}

/* The last wall-clock time at which a start may count. No local time differs
 * from UTC by a day or more. */
static int64_t last_wall(const struct expansion *e)
{
	const struct calendar_time *until = &e->until.time;
	int64_t last = e->till + CALENDAR_DAY, of_until;

	if(!e->until.given)
		return last;
	of_until = until->form == CALENDAR_UTC ? until->wall + CALENDAR_DAY
										   : until->wall;
	return of_until < last ? of_until : last;
}

static int run_rule(struct expansion *e, struct tg_calendar_error *err)
{
	const bool until_utc = e->until.given && e->until.time.form == CALENDAR_UTC;
	struct calendar_recur r;
	int64_t wall;
	int starts = 0;

	calendar_recur_begin(&r, &e->rule, e->start.wall, last_wall(e));
	while(calendar_recur_next(&r, &wall)) {
		int64_t utc = calendar_zone_to_utc(e->zone, wall);

		/* Go on: after an hour that a clock change left out, a later wall-clock
		 * time can be an earlier moment in UTC. */
		if(utc >= e->till || (until_utc && utc > e->until.time.wall))
			continue;
		if(starts++ == TG_CALENDAR_MAX_STARTS) {
			calendar_fail(err, "rrule",
					"over %d windows from dtstart on: choose a later dtstart "
					"or longer windows",
					TG_CALENDAR_MAX_STARTS);
			return -E2BIG;
		}
		put_start(e, wall, utc);
	}
	if(starts == 0 && !calendar_recur_ever(&e->rule, e->start.wall))
		return calendar_fail(err, "rrule", "it matches no day at all");
	return 0;
}

/* Finds exdate date-times before the end of the horizon that match no start. */
static int check_exceptions(
		const struct expansion *e, struct tg_calendar_error *err)
{
	for(unsigned i = 0; i < e->except.n; i++) {
		const struct calendar_time *x = &e->except.at[i];
		int64_t utc = x->form == CALENDAR_UTC
							  ? x->wall
							  : calendar_zone_to_utc(e->zone, x->wall);

		if(x->form != CALENDAR_DATE && !e->matched[i] && utc < e->till)
			return calendar_fail(err, "exdate",
					"entry %u: no window starts at that time", i + 1);
	}
	return 0;
}

static int compare_windows(const void *a, const void *b)
{
	const struct calendar_window *wa = a, *wb = b;

	return (wa->from > wb->from) - (wa->from < wb->from);
}

static void merge_windows(struct expansion *e)
{
	size_t kept = 0;

	qsort(e->window, e->windows, sizeof(*e->window), compare_windows);
	for(size_t i = 0; i < e->windows; i++) {
		struct calendar_window w = e->window[i];

		if(kept > 0 && w.from <= e->window[kept - 1].till) {
			if(w.till > e->window[kept - 1].till)
				e->window[kept - 1].till = w.till;
		} else
			e->window[kept++] = w;
	}
	e->windows = kept;
}

static int parse_row(struct expansion *e, const struct tg_calendar_row *row,
		struct tg_calendar_error *err)
{
	int rc = calendar_parse_tz(row->tz, err);

	if(rc == 0 && (e->zone = calendar_zone_find(row->tz, err)) == NULL)
		rc = -EINVAL;
	if(rc == 0)
		rc = calendar_parse_start(row->dtstart, &e->start, err);
	if(rc == 0)
		rc = calendar_parse_duration(
				row->duration, e->start.form, &e->span, err);
	if(rc == 0)
		rc = calendar_parse_rule(
				row->rrule, e->start.form, &e->rule, &e->until, err);
	if(rc == 0)
		rc = calendar_parse_exdates(
				row->exdate, e->start.form, &e->except, err);
	if(rc == 0 && e->until.given
			&& e->until.time.wall < e->start.wall - CALENDAR_DAY)
		rc = calendar_fail(err, "rrule", "UNTIL lies before dtstart");
	return rc;
}

int tg_calendar_build(const struct tg_calendar_row *row, int64_t from,
		int64_t till, void *mem, size_t size, size_t *used,
		struct tg_calendar_error *err)
{
	struct calendar_image *image = mem;
	struct expansion e = {.from = from, .till = till};
	int rc;

	*err = (struct tg_calendar_error){"", ""};
	if(from < 0 || till > LAST_MOMENT || from >= till
			|| till - from > (int64_t)TG_CALENDAR_MAX_DAYS * CALENDAR_DAY)
		return calendar_fail(err, "",
				"the horizon must lie between 1970 and 2199 and have at most "
				"%d "
				"days",
				TG_CALENDAR_MAX_DAYS);
	if((uintptr_t)mem % _Alignof(struct calendar_image) != 0)
		return calendar_fail(err, "", "the memory is not aligned");
	if(size >= sizeof(*image)) {
		e.window = image->window;
		e.room = (size - sizeof(*image)) / sizeof(image->window[0]);
	}
	rc = parse_row(&e, row, err);
	if(rc == 0 && !e.rule.given)
		put_start(&e, e.start.wall, calendar_zone_to_utc(e.zone, e.start.wall));
	else if(rc == 0)
		rc = run_rule(&e, err);
	if(rc == 0)
		rc = check_exceptions(&e, err);
	if(rc != 0)
		return rc;

	*used = sizeof(*image) + e.windows * sizeof(image->window[0]);
	if(*used > size) {
		calendar_fail(err, "", "%zu bytes are needed", *used);
		return -ENOSPC;
	}
	if(e.unsorted) {
		merge_windows(&e);
		*used = sizeof(*image) + e.windows * sizeof(image->window[0]);
	}
	image->magic = CALENDAR_MAGIC;
	image->windows = (uint32_t)e.windows;
	image->from = from;
	image->till = till;
	return 0;
}

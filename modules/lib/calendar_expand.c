/*
 * Calendar: from a row to the image. The only file that uses libical: its
 * recurrence iterator, which runs in wall-clock time, and its reader of the
 * system's time zone files. The way from wall clock to UTC is our own.
 *
 * Memory bound: the caller's image, a few KiB of stack; libical allocates for
 * the iterator (freed here) and keeps each zone it has read, some 100 KiB.
 * Time bound: TG_CALENDAR_MAX_STARTS steps of the iterator, which ends at the
 * horizon. Only its search for the first start does not: libical looks for a
 * MONTHLY or YEARLY rule that never matches up to the year 20000, which takes
 * seconds (BYDAY=1MO;BYMONTHDAY=20). Build where waiting is allowed.
 * Locking: none; one build at a time in a process (see calendar.h).
 * Failure mode: nothing but a complete image counts as one; libical itself does
 * not survive every failed allocation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar.h"

#include <errno.h>
#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>

#include "lib/calendar_image.h"
#include "lib/calendar_parse.h"

/* Year 2200: behind it no date is accepted. */
#define LAST_MOMENT (INT64_C(230) * 365 * CALENDAR_DAY)

struct expansion
{
	/* the row */
	icaltimezone *zone;
	struct calendar_time start;
	struct calendar_span span;
	struct calendar_rule rule;
	struct calendar_exdates except;
	uint8_t matched[CALENDAR_MAX_EXDATES];
	/* the horizon and the windows so far */
	int64_t from, till;
	struct calendar_window *window;
	size_t room, windows; /* windows counts on when the room is used up */
	struct calendar_window last;
	int unsorted;
};

static struct icaltimetype to_ical(int64_t seconds, int is_date)
{
	struct icaltimetype t = icaltime_from_timet_with_zone(
			(time_t)seconds, 0, icaltimezone_get_utc_timezone());

	t.zone = NULL;
	t.is_date = is_date;
	return t;
}

static int64_t from_ical(struct icaltimetype t)
{
	t.zone = NULL;
	return (int64_t)icaltime_as_timet(t);
}

static int64_t offset_at(const struct expansion *e, int64_t utc)
{
	struct icaltimetype t = to_ical(utc, 0);
	int is_daylight;

	return icaltimezone_get_utc_offset_of_utc_time(e->zone, &t, &is_daylight);
}

/*
 * No offset reaches a day, and no zone changes twice in two days: a day earlier
 * the offset before any change near `wall` holds. If it fits, it is right, also
 * in a repeated hour. If the offset after the change does not fit either, the
 * wall clock never showed this time, and the one before it counts.
 */
static int64_t to_utc(const struct expansion *e, int64_t wall)
{
	int64_t before = offset_at(e, wall - CALENDAR_DAY);
	int64_t after = offset_at(e, wall - before);

	if(after != before && offset_at(e, wall - after) == after)
		return wall - after;
	return wall - before;
}

static int find_zone(
		struct expansion *e, const char *tz, struct tg_calendar_error *err)
{
	e->zone = icaltimezone_get_builtin_timezone(tz);
	if(e->zone != NULL)
		return 0;
	return calendar_fail(err, "tz",
			"'%s' is not in the system's time zones (%s)", tz,
			icaltimezone_get_builtin_timezone("Europe/Berlin") != NULL
					? "names look like Europe/Berlin"
					: "nor is any other: install tzdata");
}

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

/* One start of the rule; 0 when UNTIL is behind it. */
static int put_start(struct expansion *e, int64_t wall)
{
	int64_t utc = to_utc(e, wall), end;
	const struct calendar_time *until = &e->rule.until;

	if(e->rule.has_until
			&& (until->form == CALENDAR_DATE	  ? wall > until->wall
					: until->form == CALENDAR_UTC ? utc > until->wall
												  : wall > until->wall))
		return 0;
	if(is_excepted(e, wall, utc))
		return 1;
	end = e->span.days == 0 ? utc
							: to_utc(e, wall + e->span.days * CALENDAR_DAY);
	put_window(e, (struct calendar_window){utc, end + e->span.seconds});
	return 1;
}

static int compare_shorts(const void *a, const void *b)
{
	return *(const short *)a - *(const short *)b;
}

/* libical walks hours, minutes and seconds in the order in which they stand. */
static void sort_list(short *list)
{
	size_t n = 0;

	while(list[n] != ICAL_RECURRENCE_ARRAY_MAX)
		n++;
	qsort(list, n, sizeof(*list), compare_shorts);
}

/* Weeks from the one of 1970-01-01, a Thursday; they begin with `first`. */
static int64_t week_of(int64_t wall, icalrecurrencetype_weekday first)
{
	const int64_t thursday = ICAL_THURSDAY_WEEKDAY - ICAL_SUNDAY_WEEKDAY;

	return (wall / CALENDAR_DAY + thursday - (first - ICAL_SUNDAY_WEEKDAY) + 7)
		   / 7;
}

static int run_rule(struct expansion *e, struct tg_calendar_error *err)
{
	struct icalrecurrencetype r = icalrecurrencetype_from_string(e->rule.text);
	icalrecur_iterator *it;
	struct icaltimetype at;
	int starts = 0, rc = 0, count = r.count, weeks = 1;
	int64_t week = week_of(e->start.wall, r.week_start);

	if(r.freq == ICAL_NO_RECURRENCE)
		return calendar_fail(err, "rrule", "libical does not take it: %s",
				icalerror_strerror(icalerrno));
	sort_list(r.by_hour);
	sort_list(r.by_minute);
	sort_list(r.by_second);
	/* Of INTERVAL weeks, libical loses one at some new years. */
	if(r.freq == ICAL_WEEKLY_RECURRENCE) {
		weeks = r.interval;
		r.interval = 1;
	}
	r.count = 0;
	/* Not UNTIL, which is judged in UTC: the end of the search. A wall clock
	 * is at most a day from UTC. */
	r.until = to_ical(e->till + CALENDAR_DAY, 0);
	it = icalrecur_iterator_new(
			r, to_ical(e->start.wall, e->start.form == CALENDAR_DATE));
	if(it == NULL && icalerrno == ICAL_NEWFAILED_ERROR) {
		calendar_fail(err, "", "out of memory");
		return -ENOMEM;
	}
	if(it == NULL)
		return calendar_fail(err, "rrule", "it matches no day at all");
	while(at = icalrecur_iterator_next(it), !icaltime_is_null_time(at)) {
		int64_t wall = from_ical(at);

		if(weeks > 1 && (week_of(wall, r.week_start) - week) % weeks != 0)
			continue;
		if(count > 0 && starts == count)
			break;
		if(starts++ == TG_CALENDAR_MAX_STARTS) {
			calendar_fail(err, "rrule",
					"over %d windows from dtstart on: choose a later dtstart "
					"or "
					"longer windows",
					TG_CALENDAR_MAX_STARTS);
			rc = -E2BIG;
			break;
		}
		if(!put_start(e, wall))
			break;
	}
	icalrecur_iterator_free(it);
	return rc;
}

/* Date-times that no start had, if the horizon reaches that far. */
static int check_exceptions(
		const struct expansion *e, struct tg_calendar_error *err)
{
	for(unsigned i = 0; i < e->except.n; i++) {
		const struct calendar_time *x = &e->except.at[i];
		int64_t utc = x->form == CALENDAR_UTC ? x->wall : to_utc(e, x->wall);

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

	if(rc == 0)
		rc = find_zone(e, row->tz, err);
	if(rc == 0)
		rc = calendar_parse_start(row->dtstart, &e->start, err);
	if(rc == 0)
		rc = calendar_parse_duration(
				row->duration, e->start.form, &e->span, err);
	if(rc == 0)
		rc = calendar_parse_rule(row->rrule, e->start.form, &e->rule, err);
	if(rc == 0)
		rc = calendar_parse_exdates(
				row->exdate, e->start.form, &e->except, err);
	if(rc == 0 && e->rule.has_until
			&& e->rule.until.wall < e->start.wall - CALENDAR_DAY)
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
	if(rc == 0 && e.rule.text[0] == '\0')
		put_start(&e, e.start.wall);
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

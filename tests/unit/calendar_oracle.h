/*
 * Recurrence rules a second way, for test_calendar.c: each day (or hour) from
 * dtstart on is asked whether it belongs, and the C library's localtime_r says
 * what a wall clock shows. Slow, stateless, and nothing of libical in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALENDAR_ORACLE_H
#define TESTS_UNIT_CALENDAR_ORACLE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define HOUR 3600

enum oracle_freq
{
	O_ONCE,
	O_HOURLY,
	O_DAILY,
	O_WEEKLY,
	O_MONTHLY,
	O_YEARLY
};

struct oracle_list
{
	int n, v[12];
};

/* BYDAY entries are nth * 8 + weekday (0 = Sunday), nth 0 = every one. */
struct oracle_rule
{
	enum oracle_freq freq;
	int interval, count, wkst;
	int64_t until; /* wall clock; 0 = none */
	struct oracle_list day, monthday, yearday, month, setpos, hour, minute;
	int64_t start; /* wall clock */
	int64_t span_days, span_seconds;
};

struct oracle_date
{
	int year, month, day, weekday, yearday; /* month, day, yearday from 1 */
	int month_days, year_days;
};

static inline void oracle_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/* What the wall clock shows, as seconds of a day-24-hours calendar. */
static inline int64_t oracle_wall(int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm tm;

	localtime_r(&t, &tm);
	return utc + tm.tm_gmtoff;
}

/* The first moment at which the clock shows `wall`; if it never does, by the
 * offset of the day before. */
static inline int64_t oracle_utc(int64_t wall)
{
	int64_t best = INT64_MAX;

	for(int64_t near = wall - 30 * HOUR; near <= wall + 30 * HOUR;
			near += 3 * HOUR) {
		int64_t utc = wall - (oracle_wall(near) - near);

		if(utc < best && oracle_wall(utc) == wall)
			best = utc;
	}
	if(best != INT64_MAX)
		return best;
	return wall - (oracle_wall(wall - 30 * HOUR) - (wall - 30 * HOUR));
}

static inline struct oracle_date oracle_date(int64_t day)
{
	static const int lengths[] = {
			31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	time_t t = (time_t)(day * DAY);
	struct tm tm;
	static struct oracle_date seen[100000]; /* asked again and again */
	struct oracle_date d;
	int leap;

	if(seen[day].year != 0)
		return seen[day];
	gmtime_r(&t, &tm);
	d = (struct oracle_date){.year = tm.tm_year + 1900,
			.month = tm.tm_mon + 1,
			.day = tm.tm_mday,
			.weekday = tm.tm_wday,
			.yearday = tm.tm_yday + 1};
	leap = (d.year % 4 == 0 && d.year % 100 != 0) || d.year % 400 == 0;
	d.month_days = lengths[tm.tm_mon] + (d.month == 2 && leap);
	d.year_days = 365 + leap;
	return seen[day] = d;
}

static inline int oracle_has(const struct oracle_list *l, int v)
{
	for(int i = 0; i < l->n; i++)
		if(l->v[i] == v)
			return 1;
	return 0;
}

static inline int oracle_from_end(
		const struct oracle_list *l, int v, int length)
{
	return oracle_has(l, v) || oracle_has(l, v - length - 1);
}

/* place, length: of the day in what the numbers of BYDAY count in. */
static inline int oracle_weekday(const struct oracle_list *l,
		const struct oracle_date *d, int place, int length)
{
	for(int i = 0; i < l->n; i++) {
		int nth = (l->v[i] - (l->v[i] & 7)) / 8;

		if((l->v[i] & 7) == d->weekday
				&& (nth == 0 || nth == (place - 1) / 7 + 1
						|| nth == -((length - place) / 7 + 1)))
			return 1;
	}
	return 0;
}

static inline int64_t oracle_week(int64_t day, int wkst)
{
	/* 1970-01-01 was a Thursday (4). */
	return (day + 4 - wkst + 7) / 7;
}

/* Periods since dtstart's. */
static inline int64_t oracle_period(const struct oracle_rule *r, int64_t day)
{
	struct oracle_date d = oracle_date(day), s = oracle_date(r->start / DAY);

	switch(r->freq) {
		case O_WEEKLY:
			return oracle_week(day, r->wkst)
				   - oracle_week(r->start / DAY, r->wkst);
		case O_MONTHLY:
			return (d.year - s.year) * 12 + d.month - s.month;
		case O_YEARLY:
			return d.year - s.year;
		default:
			return day - r->start / DAY;
	}
}

static inline int oracle_day_matches(const struct oracle_rule *r, int64_t day)
{
	struct oracle_date d = oracle_date(day), s = oracle_date(r->start / DAY);
	int by_month = r->month.n > 0;

	if(by_month && !oracle_has(&r->month, d.month))
		return 0;
	if(r->monthday.n > 0 && !oracle_from_end(&r->monthday, d.day, d.month_days))
		return 0;
	if(r->yearday.n > 0
			&& !oracle_from_end(&r->yearday, d.yearday, d.year_days))
		return 0;
	if(r->day.n > 0) {
		int in_year = r->freq == O_YEARLY && !by_month;

		return oracle_weekday(&r->day, &d, in_year ? d.yearday : d.day,
				in_year ? d.year_days : d.month_days);
	}
	if(r->monthday.n > 0 || r->yearday.n > 0)
		return 1;
	switch(r->freq) {
		case O_WEEKLY:
			return d.weekday == s.weekday;
		case O_MONTHLY:
			return d.day == s.day;
		case O_YEARLY:
			return d.day == s.day && (by_month || d.month == s.month);
		default:
			return 1;
	}
}

static inline int oracle_position(const struct oracle_rule *r, int64_t day)
{
	int64_t period = oracle_period(r, day);
	int from_start = 1, from_end = -1;

	for(int64_t d = day - 1; oracle_period(r, d) == period; d--)
		from_start += oracle_day_matches(r, d);
	for(int64_t d = day + 1; oracle_period(r, d) == period; d++)
		from_end -= oracle_day_matches(r, d);
	return oracle_has(&r->setpos, from_start)
		   || oracle_has(&r->setpos, from_end);
}

static inline int oracle_time_matches(const struct oracle_rule *r, int64_t wall)
{
	int hour = (int)(wall % DAY / HOUR), minute = (int)(wall % HOUR / 60);

	if(r->freq == O_HOURLY) {
		if((wall / HOUR - r->start / HOUR) % r->interval != 0)
			return 0;
	} else if(r->hour.n > 0 ? !oracle_has(&r->hour, hour)
							: hour != r->start % DAY / HOUR)
		return 0;
	return r->minute.n > 0 ? oracle_has(&r->minute, minute)
						   : minute == r->start % HOUR / 60;
}

/* The cheap question first: most times of day are wrong. */
static inline int oracle_starts_at(const struct oracle_rule *r, int64_t wall)
{
	int64_t day = wall / DAY;

	return oracle_time_matches(r, wall) && oracle_day_matches(r, day)
		   && (r->freq == O_HOURLY || oracle_period(r, day) % r->interval == 0)
		   && (r->setpos.n == 0 || oracle_position(r, day));
}

struct oracle_windows
{
	size_t n, room;
	int64_t (*at)[2];
};

static inline void oracle_add(
		struct oracle_windows *w, int64_t from, int64_t till)
{
	if(w->n == w->room) {
		w->room = w->room * 2 + 64;
		w->at = realloc(w->at, w->room * sizeof(*w->at));
		if(w->at == NULL)
			abort();
	}
	w->at[w->n][0] = from;
	w->at[w->n++][1] = till;
}

static inline int oracle_compare(const void *a, const void *b)
{
	const int64_t *wa = a, *wb = b;

	return (wa[0] > wb[0]) - (wa[0] < wb[0]);
}

/* All windows that begin before `till`, sorted and merged, then cut. The rule's
 * minutes are multiples of five: no other time is looked at. */
static inline void oracle_expand(const struct oracle_rule *r, int64_t from,
		int64_t till, struct oracle_windows *w)
{
	size_t kept = 0;
	int starts = 0;

	w->n = 0;
	for(int64_t wall = r->start; wall < till + DAY; wall += 300) {
		int64_t utc;

		if(r->freq == O_ONCE ? wall > r->start : !oracle_starts_at(r, wall)) {
			if(r->freq == O_ONCE)
				break;
			continue;
		}
		if((r->until != 0 && wall > r->until)
				|| (r->count > 0 && starts++ == r->count))
			break;
		utc = oracle_utc(wall);
		oracle_add(w, utc,
				(r->span_days > 0 ? oracle_utc(wall + r->span_days * DAY) : utc)
						+ r->span_seconds);
	}
	if(w->n > 0)
		qsort(w->at, w->n, sizeof(*w->at), oracle_compare);
	for(size_t i = 0; i < w->n; i++) {
		int64_t *last = kept > 0 ? w->at[kept - 1] : NULL;
		int64_t a = w->at[i][0] > from ? w->at[i][0] : from;
		int64_t b = w->at[i][1] < till ? w->at[i][1] : till;

		if(a >= b)
			continue;
		if(last != NULL && a <= last[1]) {
			last[1] = b > last[1] ? b : last[1];
			continue;
		}
		w->at[kept][0] = a;
		w->at[kept++][1] = b;
	}
	w->n = kept;
}

#endif

/*
 * Recurrence rules a second way, for test_calendar*.c: each day, hour, minute
 * and second from the start of dtstart's period on is asked whether it belongs,
 * as RFC 5545, 3.3.10, defines the part; the set of a period is written out
 * before BYSETPOS picks from it; and the C library's localtime_r says what a
 * wall clock shows. Slow, and no code of modules/ in it.
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
	int n, v[24];
};

/* BYDAY entries are nth * 8 + weekday (0 = Sunday), nth 0 = every one. */
struct oracle_rule
{
	enum oracle_freq freq;
	int interval, count, wkst;
	int dated;		  /* dtstart and UNTIL are dates */
	int until_is_utc; /* or wall clock */
	int64_t until;	  /* 0 = none */
	struct oracle_list day, monthday, yearday, weekno, month;
	struct oracle_list setpos, hour, minute, second;
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
	const int64_t before = oracle_wall(wall - 30 * HOUR) - (wall - 30 * HOUR);
	const int64_t after = oracle_wall(wall + 30 * HOUR) - (wall + 30 * HOUR);
	int64_t best = INT64_MAX;

	if(before == after)
		return wall - before;
	for(int64_t near = wall - 30 * HOUR; near <= wall + 30 * HOUR;
			near += 3 * HOUR) {
		int64_t utc = wall - (oracle_wall(near) - near);

		if(utc < best && oracle_wall(utc) == wall)
			best = utc;
	}
	return best != INT64_MAX ? best : wall - before;
}

static inline struct oracle_date oracle_date(int64_t day)
{
	static const int lengths[] = {
			31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static struct oracle_date seen[100000]; /* asked again and again */
	time_t t = (time_t)(day * DAY);
	struct tm tm;
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

/* A week belongs to the year that has four of its days, so its fourth. Its
 * number is that of the fourth days of weeks in the year so far. */
static inline int oracle_weekno(const struct oracle_rule *r, int64_t day)
{
	int into = (oracle_date(day).weekday - r->wkst + 7) % 7;
	struct oracle_date fourth = oracle_date(day - into + 3);
	int number = 0, weeks = 0;

	for(int yearday = 1 + (fourth.yearday - 1) % 7; yearday <= fourth.year_days;
			yearday += 7) {
		weeks++;
		number += yearday <= fourth.yearday;
	}
	return oracle_from_end(&r->weekno, number, weeks);
}

/* Periods since dtstart's; of HOURLY, the first of the day. */
static inline int64_t oracle_period(const struct oracle_rule *r, int64_t day)
{
	struct oracle_date d = oracle_date(day), s = oracle_date(r->start / DAY);

	switch(r->freq) {
		case O_HOURLY:
			return day * 24 - r->start / HOUR;
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
	if(r->weekno.n > 0 && !oracle_weekno(r, day))
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
			if(r->weekno.n > 0)
				return d.weekday == s.weekday;
			return d.day == s.day && (by_month || d.month == s.month);
		default:
			return 1;
	}
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

/* What a walk over all seconds has come to. */
struct oracle_walk
{
	const struct oracle_rule *r;
	int64_t from, till;
	struct oracle_windows *w;
	/* the set of the period at hand, wall clock */
	int64_t period;
	int64_t *set;
	size_t n, room;
	int counted; /* for COUNT */
	int starts;	 /* before till */
};

static inline void oracle_start(struct oracle_walk *k, int64_t wall)
{
	const struct oracle_rule *r = k->r;
	int64_t utc;

	if(wall < r->start || (r->count > 0 && k->counted++ >= r->count)
			|| (r->until != 0 && !r->until_is_utc && wall > r->until))
		return;
	utc = oracle_utc(wall);
	if(utc >= k->till || (r->until_is_utc && utc > r->until))
		return;
	k->starts++;
	if(wall + (r->span_days + 2) * DAY + r->span_seconds < k->from)
		return;
	oracle_add(k->w, utc,
			(r->span_days > 0 ? oracle_utc(wall + r->span_days * DAY) : utc)
					+ r->span_seconds);
}

static inline void oracle_end_period(struct oracle_walk *k)
{
	const struct oracle_list *setpos = &k->r->setpos;

	for(size_t i = 0; i < k->n; i++)
		if(setpos->n == 0 || oracle_has(setpos, (int)i + 1)
				|| oracle_has(setpos, (int)i - (int)k->n))
			oracle_start(k, k->set[i]);
	k->n = 0;
}

static inline void oracle_candidate(
		struct oracle_walk *k, int64_t wall, int64_t period)
{
	if(period != k->period)
		oracle_end_period(k);
	k->period = period;
	if(k->n == k->room) {
		k->room = k->room * 2 + 64;
		k->set = realloc(k->set, k->room * sizeof(*k->set));
		if(k->set == NULL)
			abort();
	}
	k->set[k->n++] = wall;
}

static inline int oracle_time(const struct oracle_list *l, int v, int of_start)
{
	return l->n > 0 ? oracle_has(l, v) : v == of_start;
}

static inline void oracle_day(struct oracle_walk *k, int64_t day)
{
	const struct oracle_rule *r = k->r;
	const int start = (int)(r->start % DAY);

	for(int h = 0; h < 24; h++) {
		int64_t period = oracle_period(r, day);

		if(r->freq == O_HOURLY) {
			period += h;
			if(r->hour.n > 0 && !oracle_has(&r->hour, h))
				continue;
		} else if(!oracle_time(&r->hour, h, start / HOUR))
			continue;
		if(period < 0 || period % r->interval != 0)
			continue;
		for(int m = 0; m < 60; m++)
			for(int s = 0;
					s < 60 && oracle_time(&r->minute, m, start / 60 % 60); s++)
				if(oracle_time(&r->second, s, start % 60))
					oracle_candidate(
							k, day * DAY + h * HOUR + m * 60 + s, period);
	}
}

static inline void oracle_merge(
		struct oracle_windows *w, int64_t from, int64_t till)
{
	size_t kept = 0;

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

/* All windows that begin before `till`, sorted and merged, then cut. Returns
 * how many there were before that, from dtstart on. */
static inline int oracle_expand(const struct oracle_rule *r, int64_t from,
		int64_t till, struct oracle_windows *w)
{
	struct oracle_walk k = {.r = r, .from = from, .till = till, .w = w};
	int64_t day = r->start / DAY, end = till / DAY + 2;

	w->n = 0;
	if(r->freq == O_ONCE)
		oracle_start(&k, r->start);
	else {
		/* The set of a period may begin before dtstart and end after till. */
		while(oracle_period(r, day - 1) == oracle_period(r, day))
			day--;
		while(oracle_period(r, end) == oracle_period(r, end - 1))
			end++;
		for(; day < end; day++)
			if((r->freq == O_HOURLY || oracle_period(r, day) % r->interval == 0)
					&& oracle_day_matches(r, day))
				oracle_day(&k, day);
		oracle_end_period(&k);
		free(k.set);
	}
	oracle_merge(w, from, till);
	return k.starts;
}

#endif

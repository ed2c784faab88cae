/*
 * Calendar: recurrence rules expanded as RFC 5545 says (3.3.10).
 *
 * A rule is a sequence of periods (hours, days, weeks, months, years); every
 * INTERVAL-th period from dtstart's on counts. The RFC's table says which parts
 * expand a period into more starts and which limit them. First dtstart supplies
 * the parts that the rule does not have (fill_in below). Then, whether the
 * parts expand or limit, the set of starts is the same: the days of the period
 * that satisfy every day part, each at every time of BYHOUR x BYMINUTE x
 * BYSECOND. BYSETPOS picks from this set. The set is numbered, never written
 * out.
 *
 * Where the RFC leaves a choice:
 * - With BYWEEKNO, a day belongs to its calendar year and has the number of its
 *   week: 2025-12-29 belongs to 2025, week 1.
 * - YEARLY with BYMONTHDAY alone means every month; with BYWEEKNO alone,
 *   dtstart's day of the week.
 * - HOURLY counts hours of the wall clock: a clock change makes no hour longer.
 *
 * Memory bound: struct calendar_recur, no heap.
 * Time bound: one check of each day from dtstart to the end of the walk, and a
 * step for each start. To decide whether a rule ever matches takes a whole
 * cycle of 400 years.
 * Locking: none. Failure mode: none; every rule that was parsed can be
 * expanded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar_recur.h"

#define LIST(r, part) (&(r)->rule.list[CALENDAR_##part])

/* First day of week number one, which is the week with 4 January. */
static int64_t find_week_one(int64_t year, int week_start)
{
	int64_t fourth = calendar_year(year).first + 3;

	return fourth - (calendar_weekday(fourth) - week_start + 7) % 7;
}

static void enter_year(struct calendar_recur *r, int64_t day)
{
	if(day >= r->year.first && day < r->year.first + r->year.days)
		return;
	r->year = calendar_year_of(day);
	for(int i = 0; LIST(r, BYWEEKNO)->given && i < 4; i++)
		r->week_one[i] =
				find_week_one(r->year.year - 1 + i, r->rule.week_start);
}

/* Whether the list has `place` (counted from 0), from the start or from the
 * end. */
static bool has_place(const struct calendar_list *list, int place, int length)
{
	return calendar_list_has(list, place + 1)
		   || calendar_list_has(list, place - length);
}

static bool week_matches(const struct calendar_recur *r, int64_t day)
{
	int i = day < r->week_one[1] ? 0 : day < r->week_one[2] ? 1 : 2;
	int weeks = (int)(r->week_one[i + 1] - r->week_one[i]) / 7;

	return has_place(LIST(r, BYWEEKNO), (int)(day - r->week_one[i]) / 7, weeks);
}

/* place, length: the day's place in the month or year in which BYDAY numbers
 * count, and the length of that month or year. */
static bool weekday_matches(
		const struct calendar_recur *r, int64_t day, int place, int length)
{
	const int weekday = calendar_weekday(day);

	return (r->rule.weekdays >> weekday & 1)
		   || (r->rule.numbered[0][weekday] >> (place / 7 + 1) & 1)
		   || (r->rule.numbered[1][weekday] >> ((length - 1 - place) / 7 + 1)
				   & 1);
}

static bool day_matches(struct calendar_recur *r, int64_t day)
{
	const struct calendar_year *y = &r->year;
	const int16_t *before;
	int yearday, month, monthday, length;

	enter_year(r, day);
	before = calendar_before[y->leap];
	yearday = (int)(day - y->first);
	month = calendar_month_of(y, yearday);
	monthday = yearday - before[month];
	length = before[month + 1] - before[month];
	if(LIST(r, BYMONTH)->given
			&& !calendar_list_has(LIST(r, BYMONTH), month + 1))
		return false;
	if(LIST(r, BYWEEKNO)->given && !week_matches(r, day))
		return false;
	if(LIST(r, BYYEARDAY)->given
			&& !has_place(LIST(r, BYYEARDAY), yearday, y->days))
		return false;
	if(LIST(r, BYMONTHDAY)->given
			&& !has_place(LIST(r, BYMONTHDAY), monthday, length))
		return false;
	if(!r->rule.has_days)
		return true;
	if(r->rule.freq == CALENDAR_YEARLY && !LIST(r, BYMONTH)->given)
		return weekday_matches(r, day, yearday, y->days);
	return weekday_matches(r, day, monthday, length);
}

/* First day and length of the period; 0 when it is an hour that BYHOUR leaves
 * out. */
static int find_period(struct calendar_recur *r, int *length)
{
	const int64_t day = r->start / CALENDAR_DAY;
	const int64_t past = r->period * r->rule.interval;

	*length = 1;
	switch(r->rule.freq) {
		case CALENDAR_HOURLY: {
			int64_t hour = r->start / CALENDAR_HOUR + past;

			r->hour[0] = (uint8_t)(hour % 24);
			r->first = hour / 24;
			return !LIST(r, BYHOUR)->given
				   || calendar_list_has(LIST(r, BYHOUR), r->hour[0]);
		}
		case CALENDAR_DAILY:
			r->first = day + past;
			return 1;
		case CALENDAR_WEEKLY:
			r->first = day
					   - (calendar_weekday(day) - r->rule.week_start + 7) % 7
					   + 7 * past;
			*length = 7;
			return 1;
		case CALENDAR_MONTHLY: {
			struct calendar_year y = calendar_year_of(day);
			int64_t month = calendar_month_of(&y, (int)(day - y.first)) + past;
			const int16_t *before;

			y = calendar_year(y.year + month / 12);
			before = &calendar_before[y.leap][month % 12];
			r->first = y.first + before[0];
			*length = before[1] - before[0];
			return 1;
		}
		default: {
			struct calendar_year y =
					calendar_year(calendar_year_of(day).year + past);

			r->first = y.first;
			*length = y.days;
			return 1;
		}
	}
}

/* The number of the first start at or after `from` that BYSETPOS keeps; `total`
 * when none is left. */
static int64_t find_position(const struct calendar_recur *r, int64_t from)
{
	const struct calendar_list *list = LIST(r, BYSETPOS);
	const int64_t most =
			r->total < CALENDAR_LIST_MAX ? r->total : CALENDAR_LIST_MAX;
	int64_t near = from + 1, far = r->total - from;

	if(!list->given)
		return from;
	while(near <= most && !calendar_list_has(list, (int)near))
		near++;
	far = far < most ? far : most;
	while(far > 0 && !calendar_list_has(list, -(int)far))
		far--;
	far = r->total - far;
	return near <= most && near - 1 < far ? near - 1 : far;
}

static int64_t times_a_day(const struct calendar_recur *r)
{
	return (int64_t)r->hours * r->minutes * r->seconds;
}

/* The number of the period's first start that the walk may give. */
static int64_t first_position(const struct calendar_recur *r)
{
	int64_t past = 0;

	/* Without BYSETPOS, skip the days before dtstart: a YEARLY rule may have a
	 * start every second. */
	if(!LIST(r, BYSETPOS)->given)
		while(past < r->days
				&& r->first + r->day[past] < r->start / CALENDAR_DAY)
			past++;
	return find_position(r, past * times_a_day(r));
}

/* Goes to the first HOURLY period on a later day. */
static void leave_day(struct calendar_recur *r)
{
	int64_t hours = (r->first + 1) * 24 - r->start / CALENDAR_HOUR - 1;

	r->period = hours / r->rule.interval + 1;
}

/* Goes to the next period with starts in it; 0 when there is none. */
static int enter_period(struct calendar_recur *r)
{
	while(r->period < r->periods) {
		int length;
		const bool open = find_period(r, &length);

		if(r->first > r->end / CALENDAR_DAY)
			break;
		r->period++;
		if(!open)
			continue;
		r->days = 0;
		for(int i = 0; i < length; i++)
			if(day_matches(r, r->first + i))
				r->day[r->days++] = (int16_t)i;
		r->total = r->days * times_a_day(r);
		r->next = first_position(r);
		if(r->next < r->total)
			return 1;
		if(r->rule.freq == CALENDAR_HOURLY && r->days == 0)
			leave_day(r);
	}
	return 0;
}

/* Takes the parts that the rule does not have from dtstart. */
static void fill_in(struct calendar_recur *r)
{
	struct calendar_rule *rule = &r->rule;
	const int64_t day = r->start / CALENDAR_DAY;
	const int second_of_day = (int)(r->start % CALENDAR_DAY);
	const struct calendar_year y = calendar_year_of(day);
	const int yearday = (int)(day - y.first),
			  month = calendar_month_of(&y, yearday);
	const bool by_date =
			LIST(r, BYMONTHDAY)->given || LIST(r, BYYEARDAY)->given;

	if(!LIST(r, BYSECOND)->given)
		calendar_list_add(LIST(r, BYSECOND), second_of_day % 60);
	/* Without leap seconds, second 60 is treated as second 59 (RFC 5545,
	 * 3.3.12). */
	if(calendar_list_has(LIST(r, BYSECOND), 60))
		calendar_list_add(LIST(r, BYSECOND), 59);
	if(!LIST(r, BYMINUTE)->given)
		calendar_list_add(LIST(r, BYMINUTE), second_of_day / 60 % 60);
	if(!LIST(r, BYHOUR)->given && rule->freq > CALENDAR_HOURLY)
		calendar_list_add(LIST(r, BYHOUR), second_of_day / CALENDAR_HOUR);
	if(rule->freq < CALENDAR_WEEKLY || rule->has_days || by_date)
		return;
	if(rule->freq == CALENDAR_WEEKLY || LIST(r, BYWEEKNO)->given) {
		rule->weekdays = (uint8_t)(1u << calendar_weekday(day));
		rule->has_days = true;
		return;
	}
	calendar_list_add(
			LIST(r, BYMONTHDAY), yearday - calendar_before[y.leap][month] + 1);
	if(rule->freq == CALENDAR_YEARLY && !LIST(r, BYMONTH)->given)
		calendar_list_add(LIST(r, BYMONTH), month + 1);
}

static int list_times(const struct calendar_list *list, int below, uint8_t *to)
{
	int n = 0;

	for(int v = 0; v < below; v++)
		if(calendar_list_has(list, v))
			to[n++] = (uint8_t)v;
	return n;
}

/* Whether the rule can never match; only HOURLY and DAILY are decided, without
 * the calendar. Their sets all have the same size, which may be too small for
 * BYSETPOS. HOURLY repeats the same hours of the day and may never meet
 * BYHOUR. */
static bool is_futile(struct calendar_recur *r)
{
	if(r->rule.freq > CALENDAR_DAILY)
		return false;
	r->total = times_a_day(r);
	if(find_position(r, 0) == r->total)
		return true;
	if(r->rule.freq == CALENDAR_DAILY || !LIST(r, BYHOUR)->given)
		return false;
	for(int i = 0; i < 24; i++) {
		int64_t hour = r->start / CALENDAR_HOUR + i * r->rule.interval;

		if(calendar_list_has(LIST(r, BYHOUR), (int)(hour % 24)))
			return false;
	}
	return true;
}

void calendar_recur_begin(struct calendar_recur *r,
		const struct calendar_rule *rule, int64_t start, int64_t end)
{
	*r = (struct calendar_recur){
			.rule = *rule, .start = start, .end = end, .periods = INT64_MAX};
	fill_in(r);
	r->hours = 1; /* for HOURLY; find_period sets it */
	if(rule->freq > CALENDAR_HOURLY)
		r->hours = list_times(LIST(r, BYHOUR), 24, r->hour);
	r->minutes = list_times(LIST(r, BYMINUTE), 60, r->minute);
	r->seconds = list_times(LIST(r, BYSECOND), 60, r->second);
	if(is_futile(r))
		r->periods = 0;
	r->next = r->total = 0;
}

int calendar_recur_next(struct calendar_recur *r, int64_t *wall)
{
	if(r->rule.count > 0 && r->given == r->rule.count)
		return 0;
	do {
		int64_t time, day;

		if(r->next >= r->total && !enter_period(r))
			return 0;
		time = r->next % times_a_day(r);
		day = r->first + r->day[r->next / times_a_day(r)];
		*wall = day * CALENDAR_DAY
				+ r->hour[time / r->seconds / r->minutes] * CALENDAR_HOUR
				+ r->minute[time / r->seconds % r->minutes] * 60
				+ r->second[time % r->seconds];
		r->next = find_position(r, r->next + 1);
	} while(*wall < r->start);
	r->given++;
	return *wall <= r->end;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while(b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int calendar_recur_ever(const struct calendar_rule *rule, int64_t start)
{
	static const int32_t cycle[CALENDAR_FREQS] = {CALENDAR_CYCLE_DAYS * 24,
			CALENDAR_CYCLE_DAYS, CALENDAR_CYCLE_DAYS / 7,
			CALENDAR_CYCLE_YEARS * 12, CALENDAR_CYCLE_YEARS};
	struct calendar_rule each = *rule;
	struct calendar_recur r;
	int64_t wall;

	/* Over many cycles, INTERVAL meets the same places of the cycle as the
	 * greatest common divisor of INTERVAL and cycle. The divisor meets them all
	 * in one cycle. */
	each.interval = common_divisor(cycle[rule->freq], rule->interval);
	calendar_recur_begin(&r, &each, start, INT64_MAX);
	/* One period more, because dtstart may lie inside the first one. */
	if(r.periods > 0)
		r.periods = cycle[rule->freq] / each.interval + 1;
	return calendar_recur_next(&r, &wall);
}

/*
 * Calendars against an oracle that shares no code with them: thousands of random
 * rules in zones that change their clocks in every way there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/calendar/calendar.h"
#include "lib/calendar/calendar_image.h"
#include "unit/lib/calendar/calendar_oracle.h"

#define ROUNDS 10000
#define HORIZON ((int64_t)400 * DAY)
#define GENERATION ((int64_t)30 * 365 * DAY)

static const char *const zones[] = {"Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC",
		"Africa/Casablanca", "Europe/Dublin", "America/St_Johns",
		"Pacific/Chatham"};
static const char day_names[][3] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
static const char freq_names[][8] = {
		"", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};

static uint64_t seed;

static int below(int n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)n);
}

/* Distinct values in any order. */
static void draw(struct oracle_list *l, int most, int low, int high)
{
	int n = 1 + below(most);

	l->n = 0;
	for(int tries = 0; l->n < n && tries < 40; tries++) {
		int v = low + below(high - low + 1);

		if(v != 0 || low == 0)
			if(!oracle_has(l, v))
				l->v[l->n++] = v;
	}
}

static void draw_days(struct oracle_list *l, int numbered, int far)
{
	draw(l, 5, 0, 6);
	if(numbered && below(2))
		for(int i = 0; i < l->n; i++) {
			int nth = below(2 * far + 1) - far;

			l->v[i] += 8 * nth;
		}
}

/* Every part that RFC 5545 allows with the frequency, each now and then; not
 * too many starts for a day with one of them to differ. */
static void draw_parts(struct oracle_rule *r)
{
	if(below(3) == 0)
		draw(&r->month, 5, 1, 12);
	if(r->freq != O_WEEKLY && below(4) == 0)
		draw(&r->monthday, 9, -31, 31);
	if(r->freq == O_YEARLY && below(4) == 0)
		draw(&r->weekno, 20, -53, 53);
	if((r->freq == O_YEARLY || r->freq == O_HOURLY) && below(6) == 0)
		draw(&r->yearday, 20, -366, 366);
	if(below(2))
		draw_days(&r->day, r->freq >= O_MONTHLY && r->weekno.n == 0,
				r->freq == O_MONTHLY || r->month.n > 0 ? 5 : 53);
	if(!r->dated && below(3) == 0)
		draw(&r->hour, r->freq == O_HOURLY ? 12 : 4, 0, 23);
	if(!r->dated && below(4) == 0)
		draw(&r->minute, 3, 0, 59);
	if(!r->dated && below(6) == 0)
		draw(&r->second, 3, 0, 59);
	if(r->month.n + r->monthday.n + r->weekno.n + r->yearday.n + r->day.n
							+ r->hour.n + r->minute.n + r->second.n
					> 0
			&& below(4) == 0)
		draw(&r->setpos, 4, -6, 6);
}

static void draw_rule(struct oracle_rule *r, int64_t from)
{
	memset(r, 0, sizeof(*r));
	r->freq = (enum oracle_freq)(below(25) == 0 ? 0 : 1 + below(5));
	r->interval = below(2) ? 1 : 1 + below(r->freq == O_HOURLY ? 50 : 5);
	r->wkst = below(7);
	r->dated = r->freq != O_HOURLY && below(6) == 0;
	r->start = from + (below(500) - 450) * (int64_t)DAY;
	if(r->freq == O_YEARLY)
		r->start = from - below(12 * 365) * (int64_t)DAY;
	r->start -= r->start % DAY;
	if(!r->dated)
		r->start +=
				below(24) * HOUR + below(60) * 60 + (below(2) ? 0 : below(60));
	if(r->dated || below(3) == 0)
		r->span_days = 1 + below(3);
	if(!r->dated && (r->span_days == 0 || below(2)))
		r->span_seconds = 60 * (1 + below(20 * 60));
	if(r->freq == O_ONCE)
		return;
	if(below(5) == 0)
		r->count = 1 + below(200);
	else if(below(4) == 0) {
		r->until = r->start + below(600) * (int64_t)DAY;
		if(!r->dated) {
			r->until += below(86400);
			r->until_is_utc = below(2);
		}
	}
	draw_parts(r);
}

static void write_time(char *to, int64_t wall, int dated)
{
	struct oracle_date d = oracle_date(wall / DAY);
	int s = (int)(wall % DAY);

	to += sprintf(to, "%04d%02d%02d", d.year, d.month, d.day);
	if(!dated)
		sprintf(to, "T%02d%02d%02d", s / HOUR, s % HOUR / 60, s % 60);
}

static void write_list(char *to, const char *name, const struct oracle_list *l)
{
	to += strlen(to);
	for(int i = 0; i < l->n; i++)
		to += sprintf(to, "%s%d", i == 0 ? name : ",", l->v[i]);
}

struct texts
{
	char start[40], duration[40], rule[600];
	struct tg_calendar_row row;
};

static void write_rule(
		const struct oracle_rule *r, const char *tz, struct texts *t)
{
	char *p;

	write_time(t->start, r->start, r->dated);
	p = t->duration + sprintf(t->duration, "P%" PRId64 "D", r->span_days);
	if(!r->dated)
		sprintf(p, "T%" PRId64 "S", r->span_seconds);
	p = t->rule;
	t->rule[0] = '\0';
	if(r->freq != O_ONCE) {
		sprintf(p, "FREQ=%s;INTERVAL=%d", freq_names[r->freq], r->interval);
		for(int i = 0; i < r->day.n; i++) {
			int nth = (r->day.v[i] - (r->day.v[i] & 7)) / 8;

			p += strlen(p);
			p += sprintf(p, "%s", i == 0 ? ";BYDAY=" : ",");
			if(nth != 0)
				p += sprintf(p, "%d", nth);
			sprintf(p, "%s", day_names[r->day.v[i] & 7]);
		}
		write_list(t->rule, ";BYMONTH=", &r->month);
		write_list(t->rule, ";BYMONTHDAY=", &r->monthday);
		write_list(t->rule, ";BYYEARDAY=", &r->yearday);
		write_list(t->rule, ";BYWEEKNO=", &r->weekno);
		write_list(t->rule, ";BYHOUR=", &r->hour);
		write_list(t->rule, ";BYMINUTE=", &r->minute);
		write_list(t->rule, ";BYSECOND=", &r->second);
		write_list(t->rule, ";BYSETPOS=", &r->setpos);
		p = t->rule + strlen(t->rule);
		if(r->wkst != 1) /* Monday goes without saying */
			p += sprintf(p, ";WKST=%s", day_names[r->wkst]);
		if(r->count > 0)
			sprintf(p, ";COUNT=%d", r->count);
		if(r->until != 0) {
			p += sprintf(p, ";UNTIL=");
			write_time(p, r->until, r->dated);
			if(r->until_is_utc)
				strcat(p, "Z");
		}
	}
	t->row = (struct tg_calendar_row){tz, t->start, t->duration, t->rule, NULL};
}

static void compare(const struct texts *t, const struct calendar_image *image,
		const struct oracle_windows *want)
{
	size_t n = image->windows < want->n ? image->windows : want->n;

	for(size_t i = 0; i <= n; i++) {
		int64_t from = i < image->windows ? image->window[i].from : -1;
		int64_t till = i < image->windows ? image->window[i].till : -1;
		int64_t from_want = i < want->n ? want->at[i][0] : -1;
		int64_t till_want = i < want->n ? want->at[i][1] : -1;

		if(from != from_want || till != till_want)
			fail_msg("%s %s %s %s: window %zu is %" PRId64 "-%" PRId64
					 ", wanted %" PRId64 "-%" PRId64,
					t->row.tz, t->start, t->duration, t->rule, i, from, till,
					from_want, till_want);
	}
}

/* What the rounds came to; all of it must have happened. */
static size_t windows, never;

static void one_rule(void *mem, size_t room, struct oracle_windows *want)
{
	const char *tz = zones[below((int)(sizeof(zones) / sizeof(*zones)))];
	int64_t from = (int64_t)(14000 + below(8000)) * DAY + below(DAY);
	struct tg_calendar_error err;
	struct oracle_rule r;
	struct texts t;
	size_t used;
	int rc;

	draw_rule(&r, from);
	write_rule(&r, tz, &t);
	oracle_zone(tz);
	rc = tg_calendar_build(
			&t.row, from, from + HORIZON, mem, room, &used, &err);
	if(rc != 0 && strcmp(err.text, "it matches no day at all") == 0) {
		/* Not in a generation either. */
		r.count = 0, r.until = 0, r.until_is_utc = 0;
		if(oracle_expand(&r, from, from + GENERATION, want) != 0)
			fail_msg("%s %s: it does match", t.start, t.rule);
		never++;
		return;
	}
	if(rc != 0)
		fail_msg("%s %s %s %s: %d %s: %s", tz, t.start, t.duration, t.rule, rc,
				err.field, err.text);
	assert_int_equal(tg_calendar_check(mem, used), 0);
	oracle_expand(&r, from, from + HORIZON, want);
	compare(&t, mem, want);
	windows += want->n;
}

static void random_rules(void **state)
{
	struct oracle_windows want = {0, 0, NULL};
	const size_t room = 4 << 20;
	void *mem = support_memory(room);

	(void)state;
	seed = 20261121;
	if(getenv("SEED") != NULL) /* another run of rules */
		seed = strtoull(getenv("SEED"), NULL, 10);
	for(int round = 0; round < ROUNDS; round++)
		one_rule(mem, room, &want);
	print_message("%d rules: %zu windows, %zu rules that never match\n", ROUNDS,
			windows, never);
	assert_true(windows > ROUNDS * 10);
	assert_true(never > 0 && never < ROUNDS / 10);
	free(want.at);
	support_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_rules)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

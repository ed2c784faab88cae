/*
 * Calendars against an oracle that shares no code with them: thousands of random
 * rules in zones that change their clocks in every way there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/calendar.h"
#include "lib/calendar_image.h"
#include "calendar_oracle.h"

#define ROUNDS 1500
#define HORIZON ((int64_t)400 * DAY)

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

static int from_both_ends(const struct oracle_list *l)
{
	int negative = 0;

	for(int i = 0; i < l->n; i++)
		negative += l->v[i] < 0;
	return negative > 0 && negative < l->n;
}

static void draw_rule(struct oracle_rule *r, int64_t from)
{
	memset(r, 0, sizeof(*r));
	r->freq = (enum oracle_freq)(below(25) == 0 ? 0 : 1 + below(5));
	r->interval = below(2) ? 1 : 1 + below(5);
	r->wkst = 1;
	r->start = from + (below(500) - 450) * (int64_t)DAY;
	r->start -= r->start % DAY;
	r->start += below(24) * HOUR + below(12) * 300;
	if(below(3) == 0)
		r->span_days = 1 + below(3);
	if(r->span_days == 0 || below(2))
		r->span_seconds = 60 * (1 + below(20 * 60));
	if(below(5) == 0)
		r->count = 1 + below(200);
	else if(below(4) == 0)
		r->until = r->start + below(600) * (int64_t)DAY + below(86400);
	if(r->freq == O_ONCE)
		r->count = 0, r->until = 0;
	if(r->freq == O_ONCE)
		return;

	if(below(3) == 0)
		draw(&r->month, 5, 1, 12);
	if(r->freq != O_WEEKLY && (r->freq != O_YEARLY || r->month.n > 0)
			&& below(3) == 0)
		draw(&r->monthday, 6, r->freq >= O_MONTHLY ? -31 : 1, 31);
	if(r->freq == O_WEEKLY) {
		r->wkst = below(7);
		if(below(4) != 0)
			draw_days(&r->day, 0, 0);
	} else if(below(2))
		draw_days(&r->day, r->freq >= O_MONTHLY,
				r->freq == O_MONTHLY || r->month.n > 0 ? 5 : 53);
	if(r->freq == O_YEARLY && r->month.n + r->monthday.n == 0 && below(2))
		draw(&r->yearday, 8, -366, 366);
	if(r->freq >= O_MONTHLY && r->day.n + r->monthday.n + r->yearday.n > 0
			&& !from_both_ends(&r->monthday) && !from_both_ends(&r->yearday)
			&& below(3) == 0)
		draw(&r->setpos, 3, -6, 6);
	else if(r->freq > O_HOURLY && below(3) == 0)
		draw(&r->hour, 4, 0, 23);
	if(r->setpos.n == 0 && below(4) == 0) {
		draw(&r->minute, 3, 0, 11);
		for(int i = 0; i < r->minute.n; i++)
			r->minute.v[i] *= 5;
	}
}

static void write_time(char *to, int64_t wall)
{
	struct oracle_date d = oracle_date(wall / DAY);
	int s = (int)(wall % DAY);

	sprintf(to, "%04d%02d%02dT%02d%02d%02d", d.year, d.month, d.day, s / HOUR,
			s % HOUR / 60, s % 60);
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
	char *p = t->rule;

	write_time(t->start, r->start);
	sprintf(t->duration, "P%" PRId64 "DT%" PRId64 "S", r->span_days,
			r->span_seconds);
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
		write_list(t->rule, ";BYHOUR=", &r->hour);
		write_list(t->rule, ";BYMINUTE=", &r->minute);
		write_list(t->rule, ";BYSETPOS=", &r->setpos);
		p = t->rule + strlen(t->rule);
		if(r->freq == O_WEEKLY)
			p += sprintf(p, ";WKST=%s", day_names[r->wkst]);
		if(r->count > 0)
			sprintf(p, ";COUNT=%d", r->count);
		if(r->until != 0) {
			p += sprintf(p, ";UNTIL=");
			write_time(p, r->until);
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

static void random_rules(void **state)
{
	struct oracle_windows want = {0, 0, NULL};
	size_t room = 2 << 20, used, windows = 0, never = 0;
	void *mem = support_memory(room);

	(void)state;
	seed = 20261121;
	if(getenv("SEED") != NULL) /* another run of rules */
		seed = strtoull(getenv("SEED"), NULL, 10);
	for(int round = 0; round < ROUNDS; round++) {
		const char *tz = zones[below((int)(sizeof(zones) / sizeof(*zones)))];
		int64_t from = (int64_t)(14000 + below(8000)) * DAY + below(DAY);
		struct tg_calendar_error err;
		struct oracle_rule r;
		struct texts t;
		int rc;

		draw_rule(&r, from);
		write_rule(&r, tz, &t);
		oracle_zone(tz);
		oracle_expand(&r, from, from + HORIZON, &want);
		rc = tg_calendar_build(
				&t.row, from, from + HORIZON, mem, room, &used, &err);
		if(rc != 0 && strcmp(err.text, "it matches no day at all") == 0) {
			assert_int_equal(want.n, 0);
			never++;
			continue;
		}
		if(rc != 0)
			fail_msg("%s %s %s %s: %d %s: %s", tz, t.start, t.duration, t.rule,
					rc, err.field, err.text);
		assert_int_equal(tg_calendar_check(mem, used), 0);
		compare(&t, mem, &want);
		windows += want.n;
	}
	print_message("%d rules, %zu windows, %zu rules that never match\n", ROUNDS,
			windows, never);
	assert_true(windows > ROUNDS * 10);
	assert_true(never < ROUNDS / 10);
	free(want.at);
	support_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_rules)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

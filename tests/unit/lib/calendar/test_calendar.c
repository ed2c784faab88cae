/*
 * Calendars: working hours in zones that change their clocks, nights, days,
 * exceptions; every fault of a row is named; images that are damaged.
 * lib/calendar/test_calendar_rules.c compares random rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/calendar/calendar.h"
#include "lib/calendar/calendar_image.h"
#include "lib/calendar/calendar_parse.h"
#include "unit/lib/calendar/calendar_oracle.h"

#define ROOM (64 * 1024)

static _Alignas(8) uint8_t mem[ROOM];
static size_t used;
static struct tg_calendar_error err;

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute};

	return (int64_t)timegm(&tm);
}

static int try_row(
		const struct tg_calendar_row *row, int64_t from, int64_t till)
{
	return tg_calendar_build(row, from, till, mem, ROOM, &used, &err);
}

static const void *build(const char *tz, const char *dtstart,
		const char *duration, const char *rrule, const char *exdate,
		int64_t from, int64_t till)
{
	struct tg_calendar_row row = {tz, dtstart, duration, rrule, exdate};

	if(try_row(&row, from, till) != 0)
		fail_msg("%s: %s", err.field, err.text);
	assert_string_equal(err.field, "");
	assert_int_equal(tg_calendar_check(mem, used), 0);
	return mem;
}

/* 09:00-17:00, asked every quarter of an hour for 400 days, against the clock
 * on the wall; Apia skipped 2011-12-30 and changed clocks until 2021. */
static void working_hours(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York",
			"Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"};
	const int64_t begins[] = {utc(2026, 1, 1, 0, 0), utc(2020, 7, 1, 0, 0),
			utc(2011, 6, 1, 0, 0)};

	(void)state;
	for(size_t z = 0; z < 5; z++)
		for(size_t b = 0; b < 3; b++) {
			int64_t from = begins[b], till = from + 400 * DAY;
			int64_t first_offset = 0, changes = 0;
			const void *image = build(zones[z], "20110103T090000", "PT8H",
					"FREQ=DAILY", NULL, from, till);

			oracle_zone(zones[z]);
			for(int64_t now = from; now < till; now += 900) {
				int64_t wall = oracle_wall(now), hour = wall % DAY / HOUR;
				int want = hour >= 9 && hour < 17;

				if(tg_calendar_is_open(image, now) != want)
					fail_msg("%s at %" PRId64 ": not %d", zones[z], now, want);
				changes += wall - now != first_offset;
				first_offset = wall - now;
			}
			/* The first sight counts as a change; then both of a year, or the
			 * test shows nothing. */
			if(z < 3)
				assert_true(changes >= 3);
			else
				assert_true(z == 4 ? changes >= 1 : changes == 1);
		}
}

static void expect(const void *image, int n, const int64_t (*want)[2])
{
	const struct calendar_image *c = image;

	assert_int_equal(c->windows, n);
	for(int i = 0; i < n; i++) {
		assert_int_equal(c->window[i].from, want[i][0]);
		assert_int_equal(c->window[i].till, want[i][1]);
	}
}
#define EXPECT(image, ...)                                       \
	expect(image, (int)(sizeof((int64_t[][2])__VA_ARGS__) / 16), \
			(const int64_t(*)[2])(int64_t[][2])__VA_ARGS__)

static void clock_changes(void **state)
{
	const int64_t spring = utc(2026, 3, 28, 0, 0),
				  autumn = utc(2026, 10, 24, 0, 0);

	(void)state;
	/* 02:30 does not exist on 29 March: by the offset before, 03:30. */
	EXPECT(build("Europe/Berlin", "20260301T023000", "PT15M", "FREQ=DAILY",
				   NULL, spring, spring + 3 * DAY),
			{{utc(2026, 3, 28, 1, 30), utc(2026, 3, 28, 1, 45)},
					{utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 1, 45)},
					{utc(2026, 3, 30, 0, 30), utc(2026, 3, 30, 0, 45)}});
	/* 02:30 comes twice on 25 October: the first. */
	EXPECT(build("Europe/Berlin", "20261001T023000", "PT15M", "FREQ=DAILY",
				   NULL, autumn, autumn + 3 * DAY),
			{{utc(2026, 10, 24, 0, 30), utc(2026, 10, 24, 0, 45)},
					{utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 0, 45)},
					{utc(2026, 10, 26, 1, 30), utc(2026, 10, 26, 1, 45)}});
	/* Hours are exact: the night of eight hours ends at 05:00, then at 06:00. */
	EXPECT(build("Europe/Berlin", "20261024T220000", "PT8H",
				   "FREQ=DAILY;COUNT=2", NULL, autumn, autumn + 9 * DAY),
			{{utc(2026, 10, 24, 20, 0), utc(2026, 10, 25, 4, 0)},
					{utc(2026, 10, 25, 21, 0), utc(2026, 10, 26, 5, 0)}});
	/* Days are nominal: this one has 25 hours. */
	EXPECT(build("Europe/Berlin", "20261025", NULL, NULL, NULL, autumn,
				   autumn + 9 * DAY),
			{{utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 23, 0)}});
	/* Half an hour on Lord Howe: 5 April ends at 02:00 +11, back to 01:30. */
	EXPECT(build("Australia/Lord_Howe", "20260405T013000", "PT1H", NULL, NULL,
				   utc(2026, 4, 1, 0, 0), utc(2026, 4, 9, 0, 0)),
			{{utc(2026, 4, 4, 14, 30), utc(2026, 4, 4, 15, 30)}});
	/* UNTIL is a moment: 02:30, which does not exist on 29 March, is later than
	 * 03:00. */
	EXPECT(build("Europe/Berlin", "20260329T000000", "PT15M",
				   "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30;BYSETPOS=2,3;"
				   "UNTIL=20260329T011500Z",
				   NULL, spring, spring + 3 * DAY),
			{{utc(2026, 3, 29, 1, 0), utc(2026, 3, 29, 1, 15)}});
	/* No clock here shows a leap second: it is the one before. */
	EXPECT(build("UTC", "20260328T235960", "PT1M",
				   "FREQ=DAILY;COUNT=2;BYSECOND=60", NULL, spring,
				   spring + 3 * DAY),
			{{utc(2026, 3, 29, 0, 0) - 1, utc(2026, 3, 29, 0, 1) - 1},
					{utc(2026, 3, 30, 0, 0) - 1, utc(2026, 3, 30, 0, 1) - 1}});
}

static void windows(void **state)
{
	const int64_t from = utc(2026, 1, 1, 0, 0), till = utc(2026, 2, 1, 0, 0);
	const void *image;
	int64_t at = 0;

	(void)state;
	/* Began before the horizon, ends behind it; touching windows are one. */
	image = build("UTC", "20251231T220000", "PT8H", "FREQ=MONTHLY", NULL, from,
			utc(2026, 1, 31, 23, 0));
	EXPECT(image, {{from, utc(2026, 1, 1, 6, 0)},
						  {utc(2026, 1, 31, 22, 0), utc(2026, 1, 31, 23, 0)}});
	assert_int_equal(tg_calendar_next_change(image, from, &at), 0);
	assert_int_equal(at, utc(2026, 1, 1, 6, 0));
	assert_int_equal(tg_calendar_is_open(image, at - 1), 1);
	assert_int_equal(tg_calendar_is_open(image, at), 0);
	assert_int_equal(tg_calendar_next_change(image, at, &at), 0);
	assert_int_equal(at, utc(2026, 1, 31, 22, 0));
	assert_int_equal(tg_calendar_next_change(image, at, &at), -ENOENT);
	assert_int_equal(tg_calendar_is_open(image, from - 1), -ERANGE);
	assert_int_equal(
			tg_calendar_is_open(image, utc(2026, 1, 31, 23, 0)), -ERANGE);
	assert_int_equal(tg_calendar_next_change(image, from - 1, &at), -ERANGE);

	image = build("UTC", "20260101", "P1D", "FREQ=DAILY", NULL, from, till);
	EXPECT(image, {{from, till}});
	assert_int_equal(tg_calendar_next_change(image, from, &at), -ENOENT);

	/* A date closes what begins that day, a date-time one window; a holiday on
	 * a day without windows is no fault. */
	EXPECT(build("Asia/Kolkata", "20260105T090000", "PT1H",
				   "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=15,9;COUNT=8",
				   "20260105,20260106T150000,20260112T033000Z,20260111", from,
				   till),
			{{utc(2026, 1, 6, 3, 30), utc(2026, 1, 6, 4, 30)},
					{utc(2026, 1, 12, 9, 30), utc(2026, 1, 12, 10, 30)},
					{utc(2026, 1, 13, 3, 30), utc(2026, 1, 13, 4, 30)},
					{utc(2026, 1, 13, 9, 30), utc(2026, 1, 13, 10, 30)}});
	/* UNTIL belongs to the rule, in UTC or local. */
	EXPECT(build("Asia/Kolkata", "20260105T090000", "PT1H",
				   "FREQ=DAILY;UNTIL=20260106T033000Z", NULL, from, till),
			{{utc(2026, 1, 5, 3, 30), utc(2026, 1, 5, 4, 30)},
					{utc(2026, 1, 6, 3, 30), utc(2026, 1, 6, 4, 30)}});
	EXPECT(build("Asia/Kolkata", "20260105T090000", "PT1H",
				   "freq=daily;until=20260106t085959", NULL, from, till),
			{{utc(2026, 1, 5, 3, 30), utc(2026, 1, 5, 4, 30)}});
	/* Over before the horizon: always closed. */
	image = build("UTC", "20200101", "P1D", NULL, NULL, from, till);
	assert_int_equal(((const struct calendar_image *)image)->windows, 0);
	assert_int_equal(tg_calendar_is_open(image, from), 0);
	assert_int_equal(tg_calendar_next_change(image, from, &at), -ENOENT);
}

static const struct
{
	struct tg_calendar_row row;
	const char *field, *part;
} faults[] = {
#define T "20260105T090000"
		{{NULL, T, "PT1H", "", ""}, "tz", "empty"},
		{{"Mars/Olympus", T, "PT1H", "", ""}, "tz", "not in the system's"},
		{{"../../etc/passwd", T, "PT1H", "", ""}, "tz", "no time zone name"},
		{{"Europe", T, "PT1H", "", ""}, "tz", "not in the system's"},
		{{"right/UTC", T, "PT1H", "", ""}, "tz", "use 'UTC'"},
		{{"UTC\n", T, "PT1H", "", ""}, "tz", "'UTC?'"},
		{{"UTC", "", "PT1H", "", ""}, "dtstart", "empty"},
		{{"UTC", "2026-01-05", "PT1H", "", ""}, "dtstart", "no date-time"},
		{{"UTC", "20260229T090000", "PT1H", "", ""}, "dtstart", "no date-time"},
		{{"UTC", "20260105T240000", "PT1H", "", ""}, "dtstart", "no date-time"},
		{{"UTC", T "Z", "PT1H", "", ""}, "dtstart", "leave out the Z"},
		{{"UTC", T, "", "", ""}, "duration", "empty"},
		{{"UTC", T, "8h", "", ""}, "duration", "no duration"},
		{{"UTC", T, "PT", "", ""}, "duration", "no duration"},
		{{"UTC", T, "P1H", "", ""}, "duration", "no duration"},
		{{"UTC", T, "PT1M1H", "", ""}, "duration", "no duration"},
		{{"UTC", T, "-PT1H", "", ""}, "duration", "before it starts"},
		{{"UTC", T, "PT0S", "", ""}, "duration", "zero"},
		{{"UTC", T, "P9999D", "", ""}, "duration", "over"},
		{{"UTC", "20260105", "PT8H", "", ""}, "duration", "whole days"},
		{{"UTC", T, "PT1H", "BYDAY=MO", ""}, "rrule", "no FREQ"},
		{{"UTC", T, "PT1H", "FREQ=SECONDLY", ""}, "rrule", "SECONDLY"},
		{{"UTC", T, "PT1H", "FREQ=MINUTELY", ""}, "rrule", "MINUTELY"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;", ""}, "rrule", "no part"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;COUNT", ""}, "rrule", "no value"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;COUNT=0", ""}, "rrule", "COUNT"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;INTERVAL=-1", ""}, "rrule", "INTERVAL"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;FREQ=DAILY", ""}, "rrule", "twice"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYHOUR=9,9", ""}, "rrule", "9 twice"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYHOUR=24", ""}, "rrule", "'24'"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYHOUR=", ""}, "rrule", "no value"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYHOUR=9,", ""}, "rrule", "''"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYDAY=1MO", ""}, "rrule", "not 1MO"},
		{{"UTC", T, "PT1H", "FREQ=WEEKLY;BYDAY=MO,XX", ""}, "rrule", "'XX'"},
		{{"UTC", T, "PT1H", "FREQ=WEEKLY;BYMONTHDAY=1", ""}, "rrule", "WEEKLY"},
		{{"UTC", T, "PT1H", "FREQ=MONTHLY;BYDAY=6MO", ""}, "rrule", "6th"},
		{{"UTC", T, "PT1H", "FREQ=YEARLY;BYDAY=54MO", ""}, "rrule", "'54MO'"},
		{{"UTC", T, "PT1H", "FREQ=MONTHLY;BYWEEKNO=1", ""}, "rrule",
				"BYWEEKNO"},
		{{"UTC", T, "PT1H", "FREQ=YEARLY;BYWEEKNO=54", ""}, "rrule", "'54'"},
		{{"UTC", T, "PT1H", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", ""}, "rrule",
				"beside BYWEEKNO"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYYEARDAY=1", ""}, "rrule",
				"BYYEARDAY"},
		{{"UTC", T, "PT1H", "FREQ=MONTHLY;BYYEARDAY=1", ""}, "rrule",
				"BYYEARDAY"},
		{{"UTC", T, "PT1H", "FREQ=MONTHLY;BYMONTHDAY=-32", ""}, "rrule",
				"'-32'"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYSECOND=61", ""}, "rrule", "'61'"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYSETPOS=1", ""}, "rrule", "BYSETPOS"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;BYHOUR=9;BYSETPOS=0", ""}, "rrule",
				"'0'"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;INTERVAL=100001", ""}, "rrule",
				"1 to 100000"},
		{{"UTC", T, "PT1H", "FREQ=WEEKLY;WKST=1MO", ""}, "rrule", "WKST"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;COUNT=1;UNTIL=20270101T000000", ""},
				"rrule", "exclude"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;UNTIL=20270101", ""}, "rrule",
				"last moment"},
		{{"UTC", T, "PT1H", "FREQ=DAILY;UNTIL=20250101T000000", ""}, "rrule",
				"before dtstart"},
		{{"UTC", "20260105", "", "FREQ=HOURLY", ""}, "rrule", "is a date"},
		{{"UTC", T, "PT1H", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ""}, "rrule",
				"no day at all"},
		{{"UTC", T, "PT1H", "", "20260105T100000"}, "exdate", "entry 1"},
		{{"UTC", T, "PT1H", "FREQ=DAILY", "20260106T090000,20260107T100000"},
				"exdate", "entry 2"},
		{{"UTC", T, "PT1H", "FREQ=DAILY", "20260106T090000,"}, "exdate",
				"entry 2"},
		{{"UTC", "20260105", "", "FREQ=DAILY", T}, "exdate", "is a date"},
#undef T
};

static void bad_rows(void **state)
{
	const int64_t from = utc(2026, 1, 1, 0, 0);
	struct tg_calendar_row good = {"UTC", "20260105T090000", "PT1H", "", ""};
	static char text[TG_CALENDAR_MAX_TEXT + 2],
			many[CALENDAR_MAX_EXDATES * 9 + 9];

	(void)state;
	for(size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		assert_int_equal(
				try_row(&faults[i].row, from, from + 400 * DAY), -EINVAL);
		if(strcmp(err.field, faults[i].field) != 0
				|| strstr(err.text, faults[i].part) == NULL)
			fail_msg("fault %zu: '%s: %s' does not say '%s: %s'", i, err.field,
					err.text, faults[i].field, faults[i].part);
	}
	assert_int_equal(try_row(&good, from, from), -EINVAL);
	assert_int_equal(try_row(&good, -1, from), -EINVAL);
	assert_int_equal(try_row(&good, from, INT64_MAX), -EINVAL);
	assert_int_equal(try_row(&good, from, from + 5000 * (int64_t)DAY), -EINVAL);
	assert_int_equal(try_row(&good, from, from + DAY), 0);
	memset(text, '1', sizeof(text) - 1);
	good.rrule = text;
	assert_int_equal(try_row(&good, from, from + DAY), -EINVAL);
	good.rrule = "FREQ=DAILY";
	for(int i = 0; i < CALENDAR_MAX_EXDATES + 1; i++)
		strcat(many, i == 0 ? "20260106" : ",20260106");
	good.exdate = many;
	assert_int_equal(try_row(&good, from, from + DAY), -EINVAL);
	assert_non_null(strstr(err.text, "more than"));
}

/* 60 windows an hour: too many starts, or too little room. */
static void limits(void **state)
{
	const int64_t from = utc(2026, 1, 1, 0, 0);
	struct tg_calendar_row row = {
			"UTC", "20260101T000000", "PT10S", NULL, NULL};
	char rule[300] = "FREQ=HOURLY;BYMINUTE=0";
	void *exact;
	size_t need;

	(void)state;
	for(int m = 1; m < 60; m++)
		sprintf(rule + strlen(rule), ",%d", m);
	row.rrule = rule;
	assert_int_equal(try_row(&row, from, from + 400 * DAY), -E2BIG);
	assert_string_equal(err.field, "rrule");
	assert_int_equal(
			try_row(&row, from, from + TG_CALENDAR_MAX_STARTS * 60 + 1),
			-E2BIG);
	assert_int_equal(
			try_row(&row, from, from + TG_CALENDAR_MAX_STARTS * 60), -ENOSPC);
	assert_int_equal(try_row(&row, from, from + 10 * DAY), -ENOSPC);
	assert_int_equal(tg_calendar_build(
							 &row, from, from + 10 * DAY, NULL, 0, &need, &err),
			-ENOSPC);
	assert_int_equal(need, used);
	assert_int_equal(need, 24 + 16 * 10 * 24 * 60);
	exact = support_memory(need);
	assert_int_equal(tg_calendar_build(&row, from, from + 10 * DAY, exact, need,
							 &used, &err),
			0);
	assert_int_equal(tg_calendar_check(exact, need), 0);
	assert_int_equal(tg_calendar_check(exact, need - 1), -EBADMSG);
	support_free(exact);
	assert_int_equal(tg_calendar_build(&row, from, from + DAY, mem + 1,
							 ROOM - 1, &used, &err),
			-EINVAL);
}

static void damage(void **state)
{
	const int64_t from = utc(2026, 1, 1, 0, 0);
	struct calendar_image *c;
	unsigned refused = 0;

	(void)state;
	build("UTC", "20260101T090000", "PT8H", "FREQ=DAILY", NULL, from,
			from + 20 * DAY);
	c = (struct calendar_image *)mem;
	for(size_t i = 0; i < used * 8; i++) {
		int64_t at;

		mem[i / 8] ^= (uint8_t)(1u << i % 8);
		if(tg_calendar_check(mem, used) == 0)
			for(int64_t now = from - DAY; now < from + 21 * DAY; now += HOUR)
				if(tg_calendar_next_change(mem, now, &at) == 0)
					assert_true(at > now && at < c->till);
				else
					assert_true(tg_calendar_is_open(mem, now) <= 1);
		else
			refused++;
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_true(refused > used * 4);
	for(size_t n = 0; n < used; n++)
		assert_int_equal(tg_calendar_check(mem, n), -EBADMSG);
	assert_int_equal(tg_calendar_check(mem, used), 0);
	assert_int_equal(tg_calendar_check(mem + 4, used), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(working_hours),
			cmocka_unit_test(clock_changes),
			cmocka_unit_test(windows),
			cmocka_unit_test(bad_rows),
			cmocka_unit_test(limits),
			cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Calendar rules that never match. The recurrence iterator of libical looked
 * for their first start up to the year 20000: 1 to 12 seconds for one row, in
 * the process that loads the routes. They are refused by name, and in less
 * processor time than a rule takes that opens every day.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/calendar/calendar.h"

#define DAY INT64_C(86400)
/* The last 400 days that a horizon may reach: the longest walk from 1970. */
#define TILL (INT64_C(229) * 365 * DAY)
#define FROM (TILL - 400 * DAY)

static _Alignas(8) uint8_t mem[64 * 1024];
static struct tg_calendar_error err;

static int build(const char *rrule)
{
	const struct tg_calendar_row row = {
			"Europe/Berlin", "19700101T090000", "PT8H", rrule, NULL};
	size_t used;

	return tg_calendar_build(&row, FROM, TILL, mem, sizeof(mem), &used, &err);
}

/* The least of a few runs: the others were disturbed. */
static int64_t cpu_ns(const char *rrule, int want)
{
	int64_t least = INT64_MAX;

	for(int run = 0; run < 5; run++) {
		struct timespec a, b;
		int64_t took;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		assert_int_equal(build(rrule), want);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		took = (b.tv_sec - a.tv_sec) * INT64_C(1000000000) + b.tv_nsec
			   - a.tv_nsec;
		least = took < least ? took : least;
	}
	return least;
}

static const char *const never[] = {
		"FREQ=MONTHLY;BYDAY=-1SU,2MO;BYSETPOS=-5",
		"FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
		"FREQ=YEARLY;BYYEARDAY=366;BYMONTHDAY=30",
		"FREQ=YEARLY;BYDAY=53MO;BYMONTHDAY=29",
		/* 1970, 1974 ...: no leap year among them */
		"FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYSETPOS=2",
		"FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
		"FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=4,-4",
		"FREQ=DAILY;INTERVAL=7;BYDAY=MO",
		"FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31",
		"FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,1,2,3,4,5,6,7,"
		"8,9,10,11,12,13,14,15,16,17,18,19,20;BYSETPOS=366,-366",
		/* an even number of hours from 09:00 */
		"FREQ=HOURLY;INTERVAL=2;BYHOUR=10,12",
		"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=HOURLY;INTERVAL=99991;BYYEARDAY=366;BYMONTH=11",
		"FREQ=HOURLY;INTERVAL=5;BYHOUR=3;BYDAY=SU;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=HOURLY;BYMINUTE=0,30;BYSETPOS=3",
};

/* No start in the horizon, but one day: these are closed, not refused. */
static const char *const seldom[] = {
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
		"FREQ=YEARLY;INTERVAL=100000",
		"FREQ=MONTHLY;INTERVAL=99991;BYMONTHDAY=31",
		"FREQ=DAILY;INTERVAL=99999;BYMONTH=2;BYMONTHDAY=29",
		"FREQ=HOURLY;INTERVAL=99999;BYHOUR=3;BYYEARDAY=366",
		"FREQ=DAILY;COUNT=3",
		"FREQ=DAILY;UNTIL=19700102T000000",
};

static void refused_soon(void **state)
{
	const int64_t daily = cpu_ns("FREQ=DAILY", 0);

	(void)state;
	for(size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		int64_t took = cpu_ns(never[i], -EINVAL);

		assert_string_equal(err.field, "rrule");
		assert_non_null(strstr(err.text, "no day at all"));
		print_message("%s: %.3f of the daily rule's %.2f ms\n", never[i],
				(double)took / (double)daily, (double)daily / 1e6);
		if(took > daily)
			fail_msg("%s takes longer to refuse than a daily rule to expand",
					never[i]);
	}
}

static void closed_not_refused(void **state)
{
	(void)state;
	for(size_t i = 0; i < sizeof(seldom) / sizeof(*seldom); i++) {
		int64_t at;

		if(build(seldom[i]) != 0)
			fail_msg("%s: %s", seldom[i], err.text);
		assert_int_equal(tg_calendar_next_change(mem, FROM, &at), -ENOENT);
		assert_int_equal(tg_calendar_is_open(mem, FROM), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refused_soon),
			cmocka_unit_test(closed_not_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

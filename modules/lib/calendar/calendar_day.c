/*
 * Days of the Gregorian calendar: the arithmetic of calendar rules. The clock
 * functions of the C library are not used, because their range ends with that
 * of the time zone data.
 *
 * Memory bound, locking: none. Failure mode: none, every day has a date.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar_day.h"

const int16_t calendar_before[2][13] = {
		{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
		{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};

static int64_t leap_days_before(int64_t year)
{
	int64_t past = year - 1;

	return past / 4 - past / 100 + past / 400;
}

struct calendar_year calendar_year(int64_t year)
{
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (struct calendar_year){.year = year,
			.first = (year - 1970) * 365 + leap_days_before(year)
					 - leap_days_before(1970),
			.days = 365 + leap,
			.leap = leap};
}

struct calendar_year calendar_year_of(int64_t day)
{
	/* The mean length of a year gives the right year or one beside it. */
	int64_t guess = 1970 + day * CALENDAR_CYCLE_YEARS / CALENDAR_CYCLE_DAYS;
	struct calendar_year y = calendar_year(guess);

	if(day < y.first)
		return calendar_year(guess - 1);
	if(day >= y.first + y.days)
		return calendar_year(guess + 1);
	return y;
}

int calendar_month_of(const struct calendar_year *year, int yearday)
{
	/* No month is longer than 31 days, so this is not too late. */
	int month = yearday / 31;

	while(yearday >= calendar_before[year->leap][month + 1])
		month++;
	return month;
}

int calendar_weekday(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = (day + 4) % 7;

	return (int)(weekday < 0 ? weekday + 7 : weekday);
}

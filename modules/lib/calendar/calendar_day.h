/*
 * Days of the Gregorian calendar as numbers from 1970-01-01; private to
 * calendar*.c. Years from 1 on, weekdays from 0 = Sunday.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_DAY_H
#define TG_CALENDAR_DAY_H

#include <stdint.h>

#define CALENDAR_DAY 86400
#define CALENDAR_HOUR 3600

/* After so many years the dates fall on the same weekdays again: their days are
 * a whole number of weeks. */
#define CALENDAR_CYCLE_YEARS 400
#define CALENDAR_CYCLE_DAYS 146097

struct calendar_year
{
	int64_t year, first; /* first: number of 1 January */
	int days;
	int leap; /* 0 or 1 */
};

/* [leap][month]: days of a year before its month 0 .. 11; [leap][12]: all
 * days. */
extern const int16_t calendar_before[2][13];

struct calendar_year calendar_year(int64_t year);

/* The year in which `day` lies. */
struct calendar_year calendar_year_of(int64_t day);

/* Month 0 .. 11 of the day of the year 0 .. days - 1. */
int calendar_month_of(const struct calendar_year *year, int yearday);

int calendar_weekday(int64_t day);

#endif

/*
 * Calendar: the starts of a recurrence rule, one after another, in wall-clock
 * time; private to calendar*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_RECUR_H
#define TG_CALENDAR_RECUR_H

#include <stdint.h>

#include "lib/calendar/calendar_day.h"
#include "lib/calendar/calendar_rule.h"

/* The state of one walk; 2 KiB, for the stack. */
struct calendar_recur
{
	struct calendar_rule rule; /* completed from dtstart */
	int64_t start, end;		   /* wall clock, seconds */
	int64_t period, periods;   /* the next period, and how many to walk */
	int64_t given;			   /* starts given so far, for COUNT */
	/* The times of a day (of HOURLY: of the period's hour), ascending. */
	uint8_t hour[24], minute[60], second[60];
	int hours, minutes, seconds;
	/* The days of this period that match, counted from its first day. */
	int64_t first;
	int16_t day[366];
	int days;
	/* The period's starts are numbered by day, then by time. */
	int64_t next, total;
	/* The year read last. week_one: the first day of week 1 in the year before
	 * it, in this year, and in the two years after it. */
	struct calendar_year year;
	int64_t week_one[4];
};

/* Begins a walk over the starts from `start` (dtstart) to `end`, both included.
 * If the rule does not match dtstart, dtstart is no start. */
void calendar_recur_begin(struct calendar_recur *r,
		const struct calendar_rule *rule, int64_t start, int64_t end);

/* Gives the next start: 1 and *wall, ascending; 0 at the end. */
int calendar_recur_next(struct calendar_recur *r, int64_t *wall);

/* 1 when the rule has a start at any time from `start` on, 0 when it never has.
 * COUNT is not considered. */
int calendar_recur_ever(const struct calendar_rule *rule, int64_t start);

#endif

/*
 * A parsed recurrence rule of RFC 5545 (3.3.10); private to calendar*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_RULE_H
#define TG_CALENDAR_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* From short to long: the code compares these values. */
enum calendar_freq
{
	CALENDAR_HOURLY,
	CALENDAR_DAILY,
	CALENDAR_WEEKLY,
	CALENDAR_MONTHLY,
	CALENDAR_YEARLY,
	CALENDAR_FREQS
};

/* The parts that are lists of numbers. */
enum calendar_part
{
	CALENDAR_BYSECOND,
	CALENDAR_BYMINUTE,
	CALENDAR_BYHOUR,
	CALENDAR_BYMONTHDAY,
	CALENDAR_BYYEARDAY,
	CALENDAR_BYWEEKNO,
	CALENDAR_BYMONTH,
	CALENDAR_BYSETPOS,
	CALENDAR_LISTS
};

/* A set of numbers from -366 to 366: [0] those from 0 on, [1] the negative ones
 * without their sign. */
#define CALENDAR_LIST_MAX 366
#define CALENDAR_LIST_WORDS (CALENDAR_LIST_MAX / 64 + 1)
struct calendar_list
{
	uint64_t bit[2][CALENDAR_LIST_WORDS];
	bool given; /* the part stands in the rule */
};

static inline bool calendar_list_has(const struct calendar_list *list, int v)
{
	const unsigned n = (unsigned)(v < 0 ? -v : v);

	return list->bit[v < 0][n / 64] >> n % 64 & 1;
}

static inline void calendar_list_add(struct calendar_list *list, int v)
{
	const unsigned n = (unsigned)(v < 0 ? -v : v);

	list->bit[v < 0][n / 64] |= UINT64_C(1) << n % 64;
	list->given = true;
}

struct calendar_rule
{
	bool given; /* false: one start, dtstart */
	enum calendar_freq freq;
	int64_t interval;
	int64_t count;	/* 0: no COUNT */
	int week_start; /* 0 = Sunday */
	struct calendar_list list[CALENDAR_LISTS];
	/* BYDAY. weekdays: days without a number, bit by bit. numbered: bit n of
	 * [0] is the nth from the start, of [1] the nth from the end. */
	bool has_days;
	uint8_t weekdays;
	uint64_t numbered[2][7];
};

#endif

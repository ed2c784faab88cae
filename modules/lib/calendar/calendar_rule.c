/*
 * Calendar rows: the grammar of RFC 5545's recurrence rules (3.3.10), and which
 * parts may stand together. Refused, besides what the RFC forbids: SECONDLY and
 * MINUTELY, which make no sense for opening hours; a value that is twice in a
 * list, and a weekday that no month has, which are typing errors.
 *
 * Memory bound: no heap. Locking: none. Failure mode: the row is refused; the
 * error names the first fault found.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar_rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/calendar/calendar_parse.h"

#define FIELD "rrule"
/* 11 years of hours; longer intervals need no rule. */
#define MAX_INTERVAL 100000
#define MAX_COUNT TG_CALENDAR_MAX_STARTS

enum part
{
	/* The lists of numbers come first, numbered as in calendar_rule.h. */
	BYSECOND = CALENDAR_BYSECOND,
	BYMINUTE,
	BYHOUR,
	BYMONTHDAY,
	BYYEARDAY,
	BYWEEKNO,
	BYMONTH,
	BYSETPOS,
	BYDAY,
	FREQ,
	UNTIL,
	COUNT,
	INTERVAL,
	WKST,
	PARTS
};
_Static_assert(BYSETPOS + 1 == CALENDAR_LISTS, "the lists of calendar_rule.h");

static const char part_name[PARTS][12] = {"BYSECOND", "BYMINUTE", "BYHOUR",
		"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "BYDAY",
		"FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST"};
static const char freq_name[CALENDAR_FREQS][8] = {
		"HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
static const char day_name[7][3] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

#define BIT(part) (1u << (part))
#define TIMES (BIT(BYSECOND) | BIT(BYMINUTE) | BIT(BYHOUR))
/* The parts from which BYSETPOS may pick. */
#define BYXXX (BIT(BYDAY) | (BIT(BYSETPOS) - 1))

/* The state while one rule is parsed. */
struct parse
{
	struct calendar_rule *rule;
	struct calendar_until *until;
	enum calendar_form start;
	unsigned parts; /* BIT()s seen so far */
	int furthest;	/* largest |n| of BYDAY=nMO, 0 = no numbers */
	struct tg_calendar_error *err;
};

/* "12", "-1", "+3": at most three digits. */
static int read_number(const char *text, size_t len, int *value)
{
	bool negative = len > 0 && *text == '-';
	size_t sign = len > 0 && (*text == '-' || *text == '+');

	if(len == sign || len > sign + 3)
		return -EINVAL;
	*value = 0;
	for(size_t i = sign; i < len; i++) {
		if(text[i] < '0' || text[i] > '9')
			return -EINVAL;
		*value = *value * 10 + (text[i] - '0');
	}
	if(negative)
		*value = -*value;
	return 0;
}

static int read_numbers(
		struct parse *p, enum part part, const char *value, size_t len)
{
	static const int16_t low[] = {0, 0, 0, -31, -366, -53, 1, -366};
	static const int16_t high[] = {60, 59, 23, 31, 366, 53, 12, 366};
	struct calendar_list *list = &p->rule->list[part];

	for(size_t at = 0; at <= len;) {
		size_t one = strcspn(value + at, ",;");
		int v;

		if(read_number(value + at, one, &v) != 0 || v < low[part]
				|| v > high[part] || (v == 0 && low[part] < 0))
			return calendar_fail(p->err, FIELD, "'%.*s' is no value of %s",
					(int)(one < 20 ? one : 20), value + at, part_name[part]);
		if(calendar_list_has(list, v))
			return calendar_fail(
					p->err, FIELD, "%s names %d twice", part_name[part], v);
		calendar_list_add(list, v);
		at += one + 1;
	}
	return 0;
}

static int weekday(const char *text, size_t len)
{
	for(int d = 0; len == 2 && d < 7; d++)
		if(memcmp(text, day_name[d], 2) == 0)
			return d;
	return -1;
}

static int read_days(struct parse *p, const char *value, size_t len)
{
	struct calendar_rule *rule = p->rule;

	rule->has_days = true;
	for(size_t at = 0; at <= len;) {
		size_t one = strcspn(value + at, ",;");
		int nth = 0, day = one < 2 ? -1 : weekday(value + at + one - 2, 2);
		uint64_t bit;

		if(day < 0
				|| (one > 2
						&& (read_number(value + at, one - 2, &nth) != 0
								|| nth == 0 || nth < -53 || nth > 53)))
			return calendar_fail(p->err, FIELD,
					"'%.*s' is no day of BYDAY: write MO, 1MO or -1FR",
					(int)(one < 20 ? one : 20), value + at);
		bit = UINT64_C(1) << (nth == 0 ? day : abs(nth));
		if((nth == 0 ? rule->weekdays : rule->numbered[nth < 0][day]) & bit)
			return calendar_fail(p->err, FIELD, "BYDAY names '%.*s' twice",
					(int)one, value + at);
		if(nth == 0)
			rule->weekdays |= (uint8_t)bit;
		else
			rule->numbered[nth < 0][day] |= bit;
		if(abs(nth) > p->furthest)
			p->furthest = abs(nth);
		at += one + 1;
	}
	return 0;
}

static int read_positive(struct parse *p, enum part part, const char *value,
		size_t len, int64_t most, int64_t *out)
{
	int64_t v = 0;

	for(size_t i = 0; i < len; i++) {
		if(value[i] < '0' || value[i] > '9' || i > 8) {
			v = 0;
			break;
		}
		v = v * 10 + (value[i] - '0');
	}
	if(v < 1 || v > most)
		return calendar_fail(p->err, FIELD,
				"%s is '%.*s': it goes from 1 to %d", part_name[part],
				(int)(len < 20 ? len : 20), value, (int)most);
	*out = v;
	return 0;
}

static int read_freq(struct parse *p, const char *value, size_t len)
{
	for(int f = 0; f < CALENDAR_FREQS; f++)
		if(strlen(freq_name[f]) == len && !memcmp(value, freq_name[f], len)) {
			p->rule->freq = (enum calendar_freq)f;
			return 0;
		}
	return calendar_fail(p->err, FIELD,
			"FREQ is '%.*s': it is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY",
			(int)(len < 20 ? len : 20), value);
}

static int read_until(struct parse *p, const char *value, size_t len)
{
	struct calendar_time *time = &p->until->time;

	if(calendar_parse_time(value, len, time) != 0)
		return calendar_fail(p->err, FIELD,
				"UNTIL is '%.*s': write 20261231T225959Z or 20261231",
				(int)(len < 20 ? len : 20), value);
	if((p->start == CALENDAR_DATE) != (time->form == CALENDAR_DATE))
		return calendar_fail(p->err, FIELD,
				p->start == CALENDAR_DATE
						? "UNTIL has a time, but dtstart is a date"
						: "UNTIL is a date, but dtstart has a time: write the "
						  "last moment, such as 20261231T235959");
	p->until->given = true;
	return 0;
}

static int read_part(
		struct parse *p, enum part part, const char *value, size_t len)
{
	if(p->parts & BIT(part))
		return calendar_fail(p->err, FIELD, "%s stands twice", part_name[part]);
	p->parts |= BIT(part);
	switch(part) {
		case FREQ:
			return read_freq(p, value, len);
		case UNTIL:
			return read_until(p, value, len);
		case COUNT:
			return read_positive(
					p, part, value, len, MAX_COUNT, &p->rule->count);
		case INTERVAL:
			return read_positive(
					p, part, value, len, MAX_INTERVAL, &p->rule->interval);
		case WKST:
			p->rule->week_start = weekday(value, len);
			if(p->rule->week_start < 0)
				return calendar_fail(p->err, FIELD, "WKST is no day: write MO");
			return 0;
		case BYDAY:
			return read_days(p, value, len);
		default:
			return read_numbers(p, part, value, len);
	}
}

/* Checks the parts that are not allowed with every FREQ. */
static int check_freq(const struct parse *p)
{
	const enum calendar_freq freq = p->rule->freq;
	const char *name = freq_name[freq];

	if((p->parts & BIT(BYMONTHDAY)) && freq == CALENDAR_WEEKLY)
		return calendar_fail(p->err, FIELD, "WEEKLY has no BYMONTHDAY");
	if((p->parts & BIT(BYYEARDAY)) && freq != CALENDAR_YEARLY
			&& freq != CALENDAR_HOURLY)
		return calendar_fail(p->err, FIELD,
				"BYYEARDAY goes with FREQ=YEARLY or HOURLY, not with %s", name);
	if((p->parts & BIT(BYWEEKNO)) && freq != CALENDAR_YEARLY)
		return calendar_fail(p->err, FIELD,
				"BYWEEKNO goes with FREQ=YEARLY, not with %s", name);
	if(p->furthest == 0)
		return 0;
	if(freq < CALENDAR_MONTHLY)
		return calendar_fail(p->err, FIELD,
				"%s has no numbers in BYDAY: write MO, not 1MO", name);
	if(p->parts & BIT(BYWEEKNO))
		return calendar_fail(p->err, FIELD,
				"BYDAY has no numbers beside BYWEEKNO: write MO, not 1MO");
	if(p->furthest > 5
			&& (freq == CALENDAR_MONTHLY || (p->parts & BIT(BYMONTH))))
		return calendar_fail(
				p->err, FIELD, "no month has a %dth weekday", p->furthest);
	return 0;
}

/* Checks which parts may stand together. */
static int check_parts(const struct parse *p)
{
	const unsigned parts = p->parts;

	if(!(parts & BIT(FREQ)))
		return calendar_fail(p->err, FIELD, "there is no FREQ");
	if((parts & BIT(COUNT)) && (parts & BIT(UNTIL)))
		return calendar_fail(
				p->err, FIELD, "COUNT and UNTIL exclude each other");
	if(p->start == CALENDAR_DATE
			&& (p->rule->freq == CALENDAR_HOURLY || (parts & TIMES)))
		return calendar_fail(p->err, FIELD,
				"the rule has times of day, but dtstart is a date");
	if((parts & BIT(BYSETPOS)) && !(parts & BYXXX))
		return calendar_fail(p->err, FIELD,
				"BYSETPOS picks from what another part lists, such as "
				"BYDAY=MO,TU,WE,TH,FR: there is none");
	return check_freq(p);
}

static int find_part(const char *name, size_t len)
{
	for(int p = 0; p < PARTS; p++)
		if(strlen(part_name[p]) == len && !memcmp(name, part_name[p], len))
			return p;
	return -1;
}

int calendar_parse_rule(const char *text, enum calendar_form start,
		struct calendar_rule *rule, struct calendar_until *until,
		struct tg_calendar_error *err)
{
	char upper[TG_CALENDAR_MAX_TEXT + 1] = "";
	struct parse p = {rule, until, start, 0, 0, err};
	size_t len = text == NULL ? 0 : strnlen(text, TG_CALENDAR_MAX_TEXT + 1);

	*rule = (struct calendar_rule){.interval = 1, .week_start = 1};
	until->given = false;
	if(len == 0)
		return 0;
	if(len > TG_CALENDAR_MAX_TEXT)
		return calendar_fail(
				err, FIELD, "longer than %d characters", TG_CALENDAR_MAX_TEXT);
	for(size_t i = 0; i < len; i++)
		upper[i] = (char)toupper((unsigned char)text[i]);

	for(const char *s = upper;;) {
		size_t all = strcspn(s, ";"), name = strcspn(s, "=;");
		int part = find_part(s, name), rc;

		if(part < 0)
			return calendar_fail(err, FIELD, "'%.*s' is no part of a rule",
					(int)(name < 20 ? name : 20), s);
		if(name + 1 >= all)
			return calendar_fail(
					err, FIELD, "%s has no value", part_name[part]);
		rc = read_part(&p, (enum part)part, s + name + 1, all - name - 1);
		if(rc != 0)
			return rc;
		if(s[all] == '\0')
			break;
		s += all + 1;
	}
	rule->given = true;
	return check_parts(&p);
}

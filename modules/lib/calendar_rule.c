/*
 * Calendar rows: the grammar of RFC 5545's recurrence rules (3.3.10), and only
 * what libical expands as the RFC says. The rest is refused by name:
 *
 *   SECONDLY, MINUTELY   no opening hours; a rule that never matches would run
 *                        for minutes
 *   BYSETPOS             libical counts days only, and only in MONTHLY, YEARLY
 *                        and a day named from both ends twice
 *   negative days        ignored in DAILY and HOURLY
 *   BYHOUR in HOURLY     takes INTERVAL's place
 *   BYWEEKNO             wrong around the new year
 *   BYYEARDAY            with BYMONTH or BYMONTHDAY not implemented
 *   BYMONTHDAY in YEARLY without BYMONTH: only dtstart's month
 *
 * Memory bound: no heap. Locking: none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIELD "rrule"
#define MAX_INTERVAL 1000
#define MAX_COUNT TG_CALENDAR_MAX_STARTS

enum part
{
	FREQ,
	UNTIL,
	COUNT,
	INTERVAL,
	WKST,
	BYSECOND, /* the lists of numbers: from here to BYSETPOS */
	BYMINUTE,
	BYHOUR,
	BYMONTHDAY,
	BYYEARDAY,
	BYMONTH,
	BYSETPOS,
	BYDAY,
	PARTS
};
#define BIT(part) (1u << (part))
#define TIMES (BIT(BYSECOND) | BIT(BYMINUTE) | BIT(BYHOUR))
#define DAYS (BIT(BYMONTHDAY) | BIT(BYYEARDAY) | BIT(BYDAY))

static const char part_name[PARTS][12] = {"FREQ", "UNTIL", "COUNT", "INTERVAL",
		"WKST", "BYSECOND", "BYMINUTE", "BYHOUR", "BYMONTHDAY", "BYYEARDAY",
		"BYMONTH", "BYSETPOS", "BYDAY"};

enum freq
{
	HOURLY,
	DAILY,
	WEEKLY,
	MONTHLY,
	YEARLY,
	FREQS
};
static const char freq_name[FREQS][8] = {
		"HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
static const char day_name[7][3] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

struct seen
{
	unsigned parts; /* BIT()s */
	enum freq freq;
	bool negative; /* a negative BYMONTHDAY or BYYEARDAY */
	bool positive;
	int64_t furthest; /* largest |n| of BYDAY=nMO, 0 = no numbers */
	int64_t interval;
};

/* "12", "-1", "+3": at most three digits. */
static int read_number(const char *text, size_t len, int64_t *value)
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

static int read_numbers(const char *value, size_t len, enum part part,
		struct seen *seen, struct tg_calendar_error *err)
{
	static const int16_t low[] = {0, 0, 0, -31, -366, 1, -366};
	static const int16_t high[] = {59, 59, 23, 31, 366, 12, 366};
	/* What libical's arrays hold: it writes past them. */
	static const int16_t most[] = {60, 60, 24, 31, 366, 12, 366};
	const unsigned row = part - BYSECOND;
	uint8_t used[2 * 366 + 1] = {0};
	int n = 0;

	for(size_t at = 0; at <= len;) {
		size_t one = strcspn(value + at, ",;");
		int64_t v;

		if(read_number(value + at, one, &v) != 0 || v < low[row]
				|| v > high[row] || (v == 0 && low[row] < 0))
			return calendar_fail(err, FIELD, "'%.*s' is no value of %s",
					(int)(one < 20 ? one : 20), value + at, part_name[part]);
		if(used[v + 366]++)
			return calendar_fail(
					err, FIELD, "%s names %d twice", part_name[part], (int)v);
		if(n++ == most[row])
			return calendar_fail(err, FIELD, "%s has more than %d values",
					part_name[part], most[row]);
		if(v < 0 && part != BYSETPOS)
			seen->negative = true;
		if(v > 0 && (part == BYMONTHDAY || part == BYYEARDAY))
			seen->positive = true;
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

static int read_days(const char *value, size_t len, struct seen *seen,
		struct tg_calendar_error *err)
{
	uint8_t used[2 * 53 + 1][7] = {{0}};

	for(size_t at = 0; at <= len;) {
		size_t one = strcspn(value + at, ",;");
		int64_t nth = 0;
		int day = one < 2 ? -1 : weekday(value + at + one - 2, 2);

		if(day < 0
				|| (one > 2
						&& (read_number(value + at, one - 2, &nth) != 0
								|| nth == 0 || nth < -53 || nth > 53)))
			return calendar_fail(err, FIELD,
					"'%.*s' is no day of BYDAY: write MO, 1MO or -1FR",
					(int)(one < 20 ? one : 20), value + at);
		if(used[nth + 53][day]++)
			return calendar_fail(err, FIELD, "BYDAY names '%.*s' twice",
					(int)one, value + at);
		if(llabs(nth) > seen->furthest)
			seen->furthest = llabs(nth);
		at += one + 1;
	}
	return 0;
}

static int read_positive(const char *value, size_t len, enum part part,
		int64_t most, int64_t *out, struct tg_calendar_error *err)
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
		return calendar_fail(err, FIELD, "%s is '%.*s': it goes from 1 to %d",
				part_name[part], (int)(len < 20 ? len : 20), value, (int)most);
	*out = v;
	return 0;
}

static int read_freq(const char *value, size_t len, struct seen *seen,
		struct tg_calendar_error *err)
{
	for(int f = 0; f < FREQS; f++)
		if(strlen(freq_name[f]) == len && !memcmp(value, freq_name[f], len)) {
			seen->freq = (enum freq)f;
			return 0;
		}
	return calendar_fail(err, FIELD,
			"FREQ is '%.*s': it is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY",
			(int)(len < 20 ? len : 20), value);
}

static int read_until(const char *value, size_t len, enum calendar_form start,
		struct calendar_rule *rule, struct tg_calendar_error *err)
{
	if(calendar_parse_time(value, len, &rule->until) != 0)
		return calendar_fail(err, FIELD,
				"UNTIL is '%.*s': write 20261231T225959Z or 20261231",
				(int)(len < 20 ? len : 20), value);
	if((start == CALENDAR_DATE) != (rule->until.form == CALENDAR_DATE))
		return calendar_fail(err, FIELD,
				start == CALENDAR_DATE
						? "UNTIL has a time, but dtstart is a date"
						: "UNTIL is a date, but dtstart has a time: write the "
						  "last moment, such as 20261231T235959");
	rule->has_until = 1;
	return 0;
}

static int read_part(const char *value, size_t len, enum part part,
		enum calendar_form start, struct calendar_rule *rule, struct seen *seen,
		struct tg_calendar_error *err)
{
	int64_t count;

	if(seen->parts & BIT(part))
		return calendar_fail(err, FIELD, "%s stands twice", part_name[part]);
	seen->parts |= BIT(part);
	switch(part) {
		case FREQ:
			return read_freq(value, len, seen, err);
		case UNTIL:
			return read_until(value, len, start, rule, err);
		case COUNT:
			return read_positive(value, len, part, MAX_COUNT, &count, err);
		case INTERVAL:
			return read_positive(
					value, len, part, MAX_INTERVAL, &seen->interval, err);
		case WKST:
			if(weekday(value, len) < 0)
				return calendar_fail(err, FIELD, "WKST is no day: write MO");
			return 0;
		case BYDAY:
			return read_days(value, len, seen, err);
		default:
			return read_numbers(value, len, part, seen, err);
	}
}

/* What may stand together. */
static int check_parts(const struct seen *s, enum calendar_form start,
		struct tg_calendar_error *err)
{
	const unsigned p = s->parts;
	const char *freq = freq_name[s->freq];

	if(!(p & BIT(FREQ)))
		return calendar_fail(err, FIELD, "there is no FREQ");
	if((p & BIT(COUNT)) && (p & BIT(UNTIL)))
		return calendar_fail(err, FIELD, "COUNT and UNTIL exclude each other");
	if(start == CALENDAR_DATE && (s->freq == HOURLY || (p & TIMES)))
		return calendar_fail(
				err, FIELD, "the rule has times of day, but dtstart is a date");
	if(s->freq == HOURLY && (p & BIT(BYHOUR)))
		return calendar_fail(
				err, FIELD, "BYHOUR goes with FREQ=DAILY, not with HOURLY");
	if((p & BIT(BYMONTHDAY)) && s->freq == WEEKLY)
		return calendar_fail(err, FIELD, "WEEKLY has no BYMONTHDAY");
	if((p & BIT(BYMONTHDAY)) && s->freq == YEARLY && !(p & BIT(BYMONTH)))
		return calendar_fail(err, FIELD,
				"BYMONTHDAY in YEARLY needs BYMONTH; FREQ=MONTHLY means each "
				"month");
	if((p & BIT(BYYEARDAY)) && s->freq != YEARLY)
		return calendar_fail(err, FIELD,
				"BYYEARDAY goes with FREQ=YEARLY, not with %s", freq);
	if((p & BIT(BYYEARDAY)) && (p & (BIT(BYMONTH) | BIT(BYMONTHDAY))))
		return calendar_fail(
				err, FIELD, "BYYEARDAY does not go with BYMONTH or BYMONTHDAY");
	if(s->negative && s->freq <= DAILY)
		return calendar_fail(err, FIELD,
				"days counted from the end go with FREQ=MONTHLY or YEARLY");
	if(s->furthest > 0 && s->freq != MONTHLY && s->freq != YEARLY)
		return calendar_fail(err, FIELD,
				"%s has no numbers in BYDAY: write MO, not 1MO", freq);
	if(s->furthest > 5 && (s->freq == MONTHLY || (p & BIT(BYMONTH))))
		return calendar_fail(
				err, FIELD, "no month has a %dth weekday", (int)s->furthest);
	if((p & BIT(BYSETPOS)) && (s->freq < MONTHLY || (p & TIMES) || !(p & DAYS)))
		return calendar_fail(err, FIELD,
				"BYSETPOS picks among the days of FREQ=MONTHLY or YEARLY: it "
				"needs BYDAY, BYMONTHDAY or BYYEARDAY, and no BYHOUR, BYMINUTE "
				"or BYSECOND");
	if((p & BIT(BYSETPOS)) && s->negative && s->positive)
		return calendar_fail(err, FIELD,
				"BYSETPOS does not go with days counted from both ends");
	return 0;
}

static int find_part(const char *name, size_t len)
{
	for(int p = 0; p < PARTS; p++)
		if(strlen(part_name[p]) == len && !memcmp(name, part_name[p], len))
			return p;
	return -1;
}

int calendar_parse_rule(const char *text, enum calendar_form start,
		struct calendar_rule *rule, struct tg_calendar_error *err)
{
	struct seen seen = {.interval = 1};
	size_t len = text == NULL ? 0 : strnlen(text, TG_CALENDAR_MAX_TEXT + 1);
	char *p = rule->text;

	rule->text[0] = '\0';
	rule->has_until = 0;
	if(len == 0)
		return 0;
	if(len > TG_CALENDAR_MAX_TEXT)
		return calendar_fail(
				err, FIELD, "longer than %d characters", TG_CALENDAR_MAX_TEXT);
	for(size_t i = 0; i <= len; i++)
		rule->text[i] = (char)toupper((unsigned char)text[i]);

	for(;;) {
		size_t all = strcspn(p, ";"), name = strcspn(p, "=;");
		int part = find_part(p, name), rc;

		if(part < 0)
			return calendar_fail(err, FIELD, "'%.*s' is no part of a rule%s",
					(int)(name < 20 ? name : 20), p,
					name == 8 && !memcmp(p, "BYWEEKNO", 8)
							? " that is supported"
							: "");
		if(name + 1 >= all)
			return calendar_fail(
					err, FIELD, "%s has no value", part_name[part]);
		rc = read_part(p + name + 1, all - name - 1, (enum part)part, start,
				rule, &seen, err);
		if(rc != 0)
			return rc;
		if(p[all] == '\0')
			break;
		p += all + 1;
	}
	return check_parts(&seen, start, err);
}

/*
 * Hour-of-week means in a byte each; see baseline.h.
 *
 * Code c >= 1 stands for u(c - 1) / 8, with u(v) = v below 16 and
 * (16 + v % 16) << (v / 16 - 1) from there: a float of 4 + 4 bits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/baseline.h"

#include <errno.h>
#include <math.h>

#define HOURS TG_BASELINE_HOURS
#define NEVER 0
#define CODE_MAX 255
#define SPREAD_WEIGHT (1.0 / 64)
#define SPREAD_CLIP 4	/* an outlier counts as this many times the spread */
#define MEAN_ABS 0.7979 /* mean distance of a normal variable of deviation 1 */

_Static_assert(sizeof(struct tg_baseline) == 184, "embedded in saved records");

/* c: 1 .. 255 */
static double decode(unsigned c)
{
	unsigned v = c - 1;

	if(v < 16)
		return v / 8.0;
	return (double)((16 + v % 16) << (v / 16 - 1)) / 8;
}

/* The highest code that is not above `value` (>= 0). */
static unsigned code_below(double value)
{
	unsigned low = 1, high = CODE_MAX;

	while(low < high) {
		unsigned mid = (low + high + 1) / 2;

		if(decode(mid) <= value)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* 0 <= u < 1: differs from update to update, the same for the same update. */
static double dither(uint32_t hour, uint32_t count)
{
	uint32_t x = hour * UINT32_C(0x9e3779b1) ^ count * UINT32_C(0x85ebca77);

	x = (x ^ x >> 15) * UINT32_C(0x2c1b3c6d);
	x = (x ^ x >> 12) * UINT32_C(0x297a2d39);
	return (double)(x ^ x >> 15) * 0x1p-32;
}

static uint8_t encode(double value, double chance)
{
	unsigned c = code_below(value);
	double floor_at = decode(c);

	if(c < CODE_MAX && value - floor_at > chance * (decode(c + 1) - floor_at))
		c++;
	return (uint8_t)c;
}

static unsigned weeks_of(const struct tg_baseline *b)
{
	return b->learned / HOURS;
}

/* The weight of one more week. */
static double weight(const struct tg_baseline *b)
{
	unsigned weeks = weeks_of(b) + 1;

	return 1.0 / (weeks < TG_BASELINE_WEEKS ? weeks : TG_BASELINE_WEEKS);
}

static void have_learned(struct tg_baseline *b, uint32_t hours)
{
	uint32_t sum = b->learned + hours; /* hours: eight weeks at the most */

	b->learned = (uint16_t)(sum < UINT16_MAX ? sum : UINT16_MAX);
}

/* An impossible spread (from a damaged file) counts as 0. */
static double spread_of(const struct tg_baseline *b)
{
	return b->spread >= 0 && b->spread < 1000 ? (double)b->spread : 0;
}

static double distance(double observed, double mean)
{
	return 2 * (sqrt(observed + 0.375) - sqrt(mean + 0.375));
}

/* An hour that is usually quiet and stays quiet says nothing about the scatter
 * of busy hours. */
static void learn_spread(struct tg_baseline *b, double count, double mean)
{
	double spread = spread_of(b), off = fabs(distance(count, mean));
	double most = SPREAD_CLIP * fmax(spread, MEAN_ABS);

	if(count < 1 && mean < 1)
		return;
	b->spread = (float)(spread + SPREAD_WEIGHT * (fmin(off, most) - spread));
}

static void learn_hour(struct tg_baseline *b)
{
	uint8_t *code = &b->mean[b->hour % HOURS];
	double count = b->count, mean = count;

	if(*code != NEVER) {
		double before = decode(*code);

		learn_spread(b, count, before);
		mean = before + weight(b) * (count - before);
	}
	*code = encode(mean, dither(b->hour, b->count));
	have_learned(b, 1);
}

/* Learns the empty hours after b->hour and before `hour`, each hour of the week
 * as often as it occurred. */
static void learn_silence(struct tg_baseline *b, uint32_t hour)
{
	uint32_t gap = hour - b->hour - 1, i;
	double keep = 1 - weight(b);

	if(gap > TG_BASELINE_WEEKS * HOURS)
		gap = TG_BASELINE_WEEKS * HOURS;
	for(i = 0; i < gap && i < HOURS; i++) {
		uint8_t *code = &b->mean[(b->hour + 1 + i) % HOURS];
		uint32_t times = (gap - i + HOURS - 1) / HOURS;
		double mean = *code == NEVER ? 0 : decode(*code);

		for(; times > 0; times--)
			mean *= keep;
		*code = encode(mean, dither(b->hour + 1 + i, gap));
	}
	have_learned(b, gap);
}

int tg_baseline_skip(struct tg_baseline *b, uint32_t hour)
{
	if(hour == 0)
		return -EINVAL;
	b->hour = hour;
	b->count = 0;
	b->alarmed = 0;
	return 0;
}

int tg_baseline_add(
		struct tg_baseline *b, uint32_t hour, uint32_t n, int alarmed)
{
	if(hour == 0)
		return -EINVAL;
	if(b->hour == 0 || (hour < b->hour && b->hour - hour > HOURS))
		tg_baseline_skip(b, hour);
	if(hour > b->hour) {
		if(!b->alarmed) {
			learn_hour(b);
			/* the cause of the alarm may also have caused the silence */
			if(!alarmed)
				learn_silence(b, hour);
		}
		tg_baseline_skip(b, hour);
	}
	b->count = n < UINT32_MAX - b->count ? b->count + n : UINT32_MAX;
	b->alarmed |= alarmed != 0;
	return 0;
}

uint32_t tg_baseline_count(const struct tg_baseline *b, uint32_t hour)
{
	return b->hour == hour ? b->count : 0;
}

int tg_baseline_compare(const struct tg_baseline *b, uint32_t hour,
		uint32_t observed, struct tg_deviation *out)
{
	uint8_t code = b->mean[hour % HOURS];
	double scatter = spread_of(b) / MEAN_ABS;

	if(code == NEVER)
		return -ENOENT;
	out->expected = decode(code);
	out->ratio = (observed + 1.0) / (out->expected + 1);
	out->z = distance(observed, out->expected) / fmax(scatter, 1);
	out->weeks = weeks_of(b);
	return 0;
}

/*
 * One-sided CUSUM on counts; see cusum.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/cusum.h"

#include <errno.h>
#include <math.h>

#define RATE_WEIGHT (1.0 / 32)
#define RATE_MAX 4e9

_Static_assert(sizeof(struct tg_cusum) == 20, "embedded in saved records");

/* An impossible value (from a damaged file) counts as 0. */
static double sane(float value, double most)
{
	return value >= 0 && value <= most ? (double)value : 0;
}

static int usable(const struct tg_cusum_limits *l, double expected)
{
	return l->k > 0 && l->k <= 100 && l->h > 0 && l->h <= 1000
		   && (expected == TG_CUSUM_LEARNED
				   || (expected >= 0 && expected <= RATE_MAX));
}

static double rate_for(const struct tg_cusum *c, double expected)
{
	return expected == TG_CUSUM_LEARNED ? sane(c->rate, RATE_MAX) : expected;
}

/* What one interval adds to S. */
static double step(double count, double rate, double k)
{
	return (count - rate) / sqrt(fmax(rate, 1)) - k;
}

static double clamp(double sum, double most)
{
	return fmax(0, fmin(sum, most));
}

/* The learned rate after `times` intervals of `count` events. */
static void learn(struct tg_cusum *c, double count, uint32_t times)
{
	double rate = sane(c->rate, RATE_MAX);
	uint32_t learned = c->learned;

	for(; times > 0 && learned < TG_CUSUM_WARM; times--)
		rate += (count - rate) / ++learned;
	if(times > 0)
		rate = count + (rate - count) * pow(1 - RATE_WEIGHT, times);
	c->rate = (float)rate;
	learned = times < UINT16_MAX - learned ? learned + times : UINT16_MAX;
	c->learned = (uint16_t)learned;
}

static int warming(const struct tg_cusum *c, double expected)
{
	return expected == TG_CUSUM_LEARNED && c->learned < TG_CUSUM_WARM;
}

/* Ends the running interval and the empty ones up to `interval`. */
static void close_up_to(struct tg_cusum *c, const struct tg_cusum_limits *l,
		uint32_t interval, double expected)
{
	uint32_t empty = interval - c->interval - 1;
	double sum = sane(c->sum, 2 * l->h), rate;

	if(!warming(c, expected))
		sum = clamp(
				sum + step(c->count, rate_for(c, expected), l->k), 2 * l->h);
	if(!c->alarmed && sum <= l->h / 2)
		learn(c, c->count, 1);
	rate = rate_for(c, expected);
	if(empty > 0) {
		/* an empty interval never adds: each lowers S by the same */
		sum = clamp(sum + step(0, rate, l->k) * empty, 2 * l->h);
		if(!c->alarmed && sum <= l->h / 2)
			learn(c, 0, empty);
	}
	c->sum = (float)sum;
	if(sum <= 0)
		c->alarmed = 0;
	c->interval = interval;
	c->count = 0;
}

double tg_cusum_evidence(const struct tg_cusum *c,
		const struct tg_cusum_limits *limits, double expected)
{
	double sum = sane(c->sum, 2 * limits->h);

	if(warming(c, expected))
		return 0;
	/* the running interval may raise S but not lower it */
	return clamp(
			fmax(sum, sum + step(c->count, rate_for(c, expected), limits->k)),
			2 * limits->h);
}

int tg_cusum_add(struct tg_cusum *c, const struct tg_cusum_limits *limits,
		uint32_t interval, uint32_t n, double expected)
{
	if(interval == 0 || !usable(limits, expected))
		return -EINVAL;
	if(c->interval == 0)
		c->interval = interval;
	if((int32_t)(interval - c->interval) > 0)
		close_up_to(c, limits, interval, expected);
	c->count = n < UINT32_MAX - c->count ? c->count + n : UINT32_MAX;
	if(warming(c, expected))
		return -EAGAIN;
	if(tg_cusum_evidence(c, limits, expected) > limits->h)
		c->alarmed = 1;
	return c->alarmed != 0;
}

void tg_cusum_release(struct tg_cusum *c)
{
	c->sum = 0;
	c->count = 0;
	c->alarmed = 0;
}

/*
 * One-sided CUSUM: finds a lasting rise of a count per interval that is too
 * small to show in a single interval. Source: Page, "Continuous inspection
 * schemes" (1954).
 *
 *   S <- max(0, S + (count - expected) / sqrt(expected) - k),  alarm at S > h
 *
 * k is half the rise to be found, h the evidence needed for an alarm, both in
 * standard deviations of a Poisson count. With k = 0.5 and rates from 1 to 100,
 * a rise by one deviation is found after 8 to 9 intervals at h = 4 and after 12
 * to 13 at h = 6. A false alarm comes every 180 to 310 intervals at h = 4 and
 * every 900 to 2000 at h = 6 (with one interval an hour: 37 to 80 days).
 * tests/unit/lib/sketch/test_cusum.c prints both and checks them against the
 * exact values.
 *
 * The running interval is judged by its count so far: a burst alarms at once.
 * An alarm ends at S = 0. S is at most 2h, so that an alarm ends after about
 * 2h/k intervals of usual counts.
 *
 * Learned rate: for a caller that does not know the expected count. The first
 * 32 intervals are averaged; then each has the weight 1/32. Nothing is learned
 * while S > h/2 or during an alarm. A slow rise that stays below k deviations
 * is learned and not found.
 *
 * Memory bound: 20 B, no pointers. All zeros is an empty CUSUM; every other
 * content (a damaged file) is harmless.
 * Locking: none; the lock of the record that contains it protects it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CUSUM_H
#define TG_CUSUM_H

#include <stdint.h>

#define TG_CUSUM_WARM 32	  /* intervals before a learned rate is used */
#define TG_CUSUM_LEARNED (-1) /* for `expected`: use the learned rate */

struct tg_cusum
{
	uint32_t interval; /* the running interval; 0 = none yet */
	uint32_t count;	   /* events in it so far */
	float sum;		   /* S, without the running interval */
	float rate;		   /* learned: mean count of an interval */
	uint16_t learned;  /* intervals learned, stops at 65535 */
	uint8_t alarmed;
	uint8_t unused;
};

struct tg_cusum_limits
{
	double k; /* > 0 .. 100; 0.5 finds a rise by one deviation */
	double h; /* > 0 .. 1000; 4 .. 8 */
};

/*
 * Counts `n` events (0 = only lets time pass) in running interval `interval`
 * (>= 1; an earlier interval counts into the present one). `expected`: the
 * usual count of one interval now, or TG_CUSUM_LEARNED. It is also used for the
 * intervals that end with this call; so where it changes much, call at least
 * once in each interval. A count expected below 1 is taken to scatter as one of
 * 1. Constant work, however many intervals were empty.
 * 1 alarmed, 0 not, -EAGAIN (learned rate, still warming up), -EINVAL.
 */
int tg_cusum_add(struct tg_cusum *c, const struct tg_cusum_limits *limits,
		uint32_t interval, uint32_t n, double expected);

/* S including the running interval, as tg_cusum_add judges it; for logs. */
double tg_cusum_evidence(const struct tg_cusum *c,
		const struct tg_cusum_limits *limits, double expected);

/* An operator's release: no evidence, no alarm; the learned rate stays. */
void tg_cusum_release(struct tg_cusum *c);

#endif

/*
 * One-sided CUSUM: finds a lasting rise of a count per interval that no single
 * interval gives away. Source: Page, "Continuous inspection schemes" (1954).
 *
 *   S <- max(0, S + (count - expected) / sqrt(expected) - k),  alarm at S > h
 *
 * k is half the rise to be found and h the evidence wanted, both in standard
 * deviations of a Poisson count. With k = 0.5, at rates from 1 to 100, a rise by
 * one deviation is found after 8 to 9 intervals at h = 4 and 12 to 13 at h = 6; a
 * false alarm comes every 180 to 310 intervals at h = 4, every 900 to 2000 at
 * h = 6 (one interval an hour: 37 to 80 days).
 * tests/unit/lib/sketch/test_cusum.c prints both, and checks them against the exact ones.
 *
 * The interval that is going on is judged with what it holds so far: a burst
 * alarms at once. S stops at 2h, so that an alarm ends, at S = 0, after about
 * 2h/k intervals of usual counts.
 *
 * Learned rate: where the caller has no expectation of his own. The first 32
 * intervals are averaged, then each weighs 1/32. Nothing is learned while S > h/2
 * or the alarm stands; a slow poisoning below k deviations is not found.
 *
 * Memory bound: 20 B, no pointers. All zeros is an empty one, and every other
 * content (a damaged file) is harmless.
 * Locking: none; it is a value, guarded by whatever guards the record it is in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CUSUM_H
#define TG_CUSUM_H

#include <stdint.h>

#define TG_CUSUM_WARM 32	  /* intervals before a learned rate is believed */
#define TG_CUSUM_LEARNED (-1) /* for `expected`: use the learned rate */

struct tg_cusum
{
	uint32_t interval; /* the running interval; 0 = none yet */
	uint32_t count;	   /* in it, so far */
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
 * (>= 1; an earlier one than the present counts into that). `expected`: the
 * usual count of one interval now, or TG_CUSUM_LEARNED. It holds for the
 * intervals that end with this call as well, so call at least once in each
 * interval where it changes much. Below 1 it scatters as 1 does.
 * Constant work, however many intervals were empty.
 * 1 alarmed, 0 not, -EAGAIN (learned rate, still warming up), -EINVAL.
 */
int tg_cusum_add(struct tg_cusum *c, const struct tg_cusum_limits *limits,
		uint32_t interval, uint32_t n, double expected);

/* S with the running interval, as tg_cusum_add judged it; for logs. */
double tg_cusum_evidence(const struct tg_cusum *c,
		const struct tg_cusum_limits *limits, double expected);

/* An operator's release: no evidence, no alarm; the learned rate stays. */
void tg_cusum_release(struct tg_cusum *c);

#endif

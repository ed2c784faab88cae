/*
 * What is usual for an account at each hour of the week: 168 exponentially
 * weighted means of a count (calls, minutes, units of money), a byte each, and
 * how far off they are. Embedded by value in the account's profile.
 *
 * Scale of a byte: 0 = this hour of the week was never learned; 1 .. 255 = 0 ..
 * 61,440 in steps of 1/8 up to 4 and of 1/32 to 1/16 of the value from there. An
 * update goes to the step below or above by chance in proportion: off by less
 * than one step (6.2 %), by nothing on average, and small differences add up.
 * tests/unit/lib/sketch/test_baseline.c prints it.
 * Larger counts are kept as 61,440: choose the unit so that they do not occur.
 *
 * Learning: the first week as it is, the following ones with weights 1/2, 1/3 ..
 * 1/8, and 1/8 from then on. An hour in which the caller said `alarmed` is never
 * learned, nor is the silence after it.
 *
 * Time: the caller hands in a running number of hours, local to the account;
 * its remainder of 168 is the hour of the week. So daylight saving is a matter
 * of how the caller counts: an hour that comes twice is learned as one, one that
 * is left out as empty.
 * Work: bounded by 168 steps of arithmetic however long nothing came.
 *
 * Memory bound: 184 B, no pointers. All zeros is an empty one, and every other
 * content (a damaged file) is harmless.
 * Locking: none; it is a value, guarded by whatever guards the record it is in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_BASELINE_H
#define TG_BASELINE_H

#include <stdint.h>

#define TG_BASELINE_HOURS 168
#define TG_BASELINE_MAX 61440 /* the highest mean there is */
#define TG_BASELINE_WEEKS 8	  /* the memory, and the longest silence learned */

struct tg_baseline
{
	uint32_t hour;	  /* the running hour being counted; 0 = none yet */
	uint32_t count;	  /* in it, so far */
	float spread;	  /* mean distance from the means, see tg_deviation.z */
	uint16_t learned; /* hours learned, stops at 65535 */
	uint8_t alarmed;  /* the hour being counted must not be learned */
	uint8_t unused;
	uint8_t mean[TG_BASELINE_HOURS];
};

struct tg_deviation
{
	double expected; /* the mean of this hour of the week */
	double ratio;	 /* (observed + 1) / (expected + 1): finite, and calm where
	                    almost nothing is usual */
	double z;		/* distance on the scale of square roots, on which a Poisson
	                    count scatters by 1 whatever its mean (Anscombe 1948), in
	                    units of the account's own scatter where that is more */
	uint32_t weeks; /* learned so far: below 4 mistrust it */
};

/*
 * Counts `n` events (0 = only lets time pass) in running hour `hour` (>= 1). A
 * later hour first learns the one that ends and the empty ones between (eight
 * weeks of them at the most), an earlier one counts into the present hour; one
 * that is more than a week earlier (a clock was wrong) starts anew from there
 * and learns nothing. 0, -EINVAL (hour 0).
 */
int tg_baseline_add(
		struct tg_baseline *b, uint32_t hour, uint32_t n, int alarmed);

/* Goes to `hour` without learning anything on the way: after an outage of the
 * server, which says nothing about the account. 0, -EINVAL. */
int tg_baseline_skip(struct tg_baseline *b, uint32_t hour);

/* Events counted in `hour` so far; 0 when it is not the present one. */
uint32_t tg_baseline_count(const struct tg_baseline *b, uint32_t hour);

/* How `observed` events in `hour` compare with what is usual. An hour that is
 * not over yet is compared as a whole: low, never falsely high.
 * 0, -ENOENT (that hour of the week was never learned). */
int tg_baseline_compare(const struct tg_baseline *b, uint32_t hour,
		uint32_t observed, struct tg_deviation *out);

#endif

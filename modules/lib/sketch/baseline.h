/*
 * What is usual for an account at each hour of the week: 168 exponentially
 * weighted means of a count (calls, minutes, units of money), one byte each,
 * and the mean distance of the counts from these means. Embedded by value in
 * the account's profile.
 *
 * Scale of a byte: 0 = this hour of the week was never learned; 1 .. 255 = 0 ..
 * 61,440, in steps of 1/8 up to 4 and of 1/32 to 1/16 of the value above. An
 * update is rounded up or down by chance, in proportion to the distance. So a
 * mean is off by less than one step (6.2 %), by nothing on average, and small
 * differences add up. tests/unit/lib/sketch/test_baseline.c prints the error.
 * Larger counts are kept as 61,440: choose a unit in which they do not occur.
 *
 * Learning: the first week is taken as it is, the next weeks with weights 1/2,
 * 1/3 .. 1/8, all later ones with 1/8. An hour in which the caller passed
 * `alarmed` is never learned, nor are the empty hours after it.
 *
 * Time: the caller hands in a running number of hours, local to the account;
 * its remainder of 168 is the hour of the week. So daylight saving depends on
 * how the caller counts: an hour that comes twice is learned as one hour, an
 * hour that is left out as an empty one.
 * Work: at most 168 steps of arithmetic, however long the silence was.
 *
 * Memory bound: 184 B, no pointers. All zeros is an empty baseline; every other
 * content (a damaged file) is harmless.
 * Locking: none; the lock of the record that contains it protects it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_BASELINE_H
#define TG_BASELINE_H

#include <stdint.h>

#define TG_BASELINE_HOURS 168
#define TG_BASELINE_MAX 61440 /* the highest mean there is */
#define TG_BASELINE_WEEKS 8	  /* the memory, also the longest silence learned */

struct tg_baseline
{
	uint32_t hour;	  /* the running hour being counted; 0 = none yet */
	uint32_t count;	  /* events in it so far */
	float spread;	  /* mean distance from the mean, see tg_deviation.z */
	uint16_t learned; /* hours learned, stops at 65535 */
	uint8_t alarmed;  /* the hour being counted must not be learned */
	uint8_t unused;
	uint8_t mean[TG_BASELINE_HOURS];
};

struct tg_deviation
{
	double expected; /* the mean of this hour of the week */
	double ratio;	 /* (observed + 1) / (expected + 1): finite, and not excited
	                    by small counts */
	double z;		 /* distance of the square roots, which scatter by 1 for a
	                    Poisson count of any mean (Anscombe 1948). In units of
	                    the account's own scatter if larger. */
	uint32_t weeks;	 /* learned so far; below 4 do not rely on it */
};

/*
 * Counts `n` events (0 = only lets time pass) in running hour `hour` (>= 1). A
 * later hour first learns the hour that ends and the empty hours between (eight
 * weeks of them at most). An earlier hour counts into the present one. An hour
 * more than a week earlier (a clock was wrong) becomes the present one; nothing
 * is learned.
 * 0, -EINVAL (hour 0).
 */
int tg_baseline_add(
		struct tg_baseline *b, uint32_t hour, uint32_t n, int alarmed);

/* Goes to `hour` and learns nothing of the time between. For an outage of the
 * server, which says nothing about the account. 0, -EINVAL. */
int tg_baseline_skip(struct tg_baseline *b, uint32_t hour);

/* Events counted in `hour` so far; 0 when it is not the present one. */
uint32_t tg_baseline_count(const struct tg_baseline *b, uint32_t hour);

/* Compares `observed` events in `hour` with what is usual. The running hour is
 * compared as a whole hour: the result may be too low, never too high.
 * 0, -ENOENT (that hour of the week was never learned). */
int tg_baseline_compare(const struct tg_baseline *b, uint32_t hour,
		uint32_t observed, struct tg_deviation *out);

#endif

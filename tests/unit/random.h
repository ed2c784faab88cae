/*
 * Seeded randomness for the tests that measure: the same numbers on every
 * machine and run. Header only, as procs.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H

#include <math.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 <= u < 1 */
static inline double random_unit(uint64_t *seed)
{
	return (double)(random_next(seed) >> 11) * 0x1p-53;
}

static inline uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	return (uint32_t)((random_next(seed) >> 32) * limit >> 32);
}

/* Knuth's product of uniforms, in pieces that do not underflow. */
static inline uint32_t random_poisson(uint64_t *seed, double mean)
{
	uint32_t count = 0;

	while(mean > 0) {
		double piece = mean < 30 ? mean : 30, floor_at = exp(-piece), p = 1;

		for(;;) {
			p *= random_unit(seed);
			if(p <= floor_at)
				break;
			count++;
		}
		mean -= piece;
	}
	return count;
}

/* Draws 0 .. n-1 with P(i) ~ 1 / (i + 1)^s: `sums` holds n doubles, filled by
 * zipf_prepare. */
static inline void zipf_prepare(double *sums, uint32_t n, double s)
{
	double sum = 0;
	uint32_t i;

	for(i = 0; i < n; i++)
		sums[i] = sum += pow(i + 1, -s);
}

static inline uint32_t random_zipf(
		uint64_t *seed, const double *sums, uint32_t n)
{
	double at = random_unit(seed) * sums[n - 1];
	uint32_t low = 0, high = n - 1;

	while(low < high) {
		uint32_t mid = low + (high - low) / 2;

		if(sums[mid] <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#endif

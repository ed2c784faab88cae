/*
 * Random order by weight, from a seed that the caller passes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_DRAW_H
#define CALLROUTE_DRAW_H

#include "callroute/callroute.h"

/* splitmix64 (Steele, Lea, Flood 2014): independent draws from one seed. */
static inline uint64_t callroute_draw(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The sort key of a row; smaller keys go first. The key is an exponential
 * variate with rate `weight`, so P(first among equals) = weight / sum of
 * weights (Efraimidis, Spirakis 2006). Greater than 0. */
static inline double callroute_share(uint16_t weight, uint64_t *seed)
{
	double u = (double)((callroute_draw(seed) >> 11) + 1) / 9007199254740993.0;

	return weight == 0 ? 1e300 : -__builtin_log(u) / weight;
}

#endif

/*
 * HyperLogLog: how many distinct 64-bit hashes were added, in 168 bytes that
 * are embedded by value (the destinations of one account).
 *
 * Exact up to 16 hashes; from the 17th on 256 registers of 5 bits, with the
 * estimator of Ertl, "New cardinality estimation algorithms for HyperLogLog
 * sketches" (arXiv 1702.01284, 2017, algorithm 6), scaled by the constant that
 * Flajolet, Fusy, Gandouet, Meunier (2007) give for 256 registers: a bias under
 * 0.3 % from small to large, without the table of Heule, Nunkesser, Hall (2013) and
 * without a switch to linear counting. Standard error 1.04 / sqrt(256) = 6.5 %;
 * tests/unit/lib/sketch/test_hll.c prints it. Five bits are enough for 10^11 hashes.
 *
 * Memory bound: 168 B, no pointers. All zeros is an empty one.
 * Locking: none; it is a value, guarded by whatever guards the record it is in.
 *
 * The hashes must be well mixed and keyed (lib/share/hash.h). Two sketches can be
 * merged only when both were fed under the same key, and a sketch that is saved
 * is worth as much as the key saved with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_HLL_H
#define TG_HLL_H

#include <stdint.h>

#define TG_HLL_EXACT 16		 /* hashes kept as they are */
#define TG_HLL_REGISTERS 256 /* a power of two */
#define TG_HLL_DENSE 255	 /* `kept` of a sketch that counts by registers */

struct tg_hll
{
	uint8_t kept; /* 0 .. TG_HLL_EXACT hashes, or TG_HLL_DENSE */
	uint8_t unused[7];
	union
	{
		uint64_t exact[TG_HLL_EXACT];
		uint8_t dense[TG_HLL_REGISTERS * 5 / 8];
	} as;
};

/* 1 = the sketch changed, so this hash was certainly new; 0 = it did not: seen
 * before, for certain while the sketch is exact. */
int tg_hll_add(struct tg_hll *h, uint64_t hash);

/* Distinct hashes added: exact up to 16, an estimate of at least 17 after, at
 * most UINT32_MAX. About 0.5 us when dense. */
uint32_t tg_hll_estimate(const struct tg_hll *h);

/* Makes `into` the sketch of the union: in any order, any number of times. */
void tg_hll_merge(struct tg_hll *into, const struct tg_hll *from);

/* Whether bytes from a file or from another node are a sketch; the functions
 * above take nothing else. 1 or 0. Native byte order. */
int tg_hll_valid(const struct tg_hll *h);

#endif

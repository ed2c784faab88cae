/*
 * HyperLogLog: how many distinct 64-bit hashes were added. 168 bytes, embedded
 * by value (for the destinations of one account).
 *
 * Exact up to 16 hashes; from the 17th on 256 registers of 5 bits. Estimator:
 * Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv
 * 1702.01284, 2017, algorithm 6), scaled by the constant that Flajolet, Fusy,
 * Gandouet, Meunier (2007) give for 256 registers. Its bias is under 0.3 % for
 * all counts; it needs neither the table of Heule, Nunkesser, Hall (2013) nor a
 * switch to linear counting. Standard error 1.04 / sqrt(256) = 6.5 %;
 * tests/unit/lib/sketch/test_hll.c prints it. Five bits are enough for 10^11
 * hashes.
 *
 * Memory bound: 168 B, no pointers. All zeros is an empty sketch.
 * Locking: none; the lock of the record that contains it protects it.
 *
 * The hashes must be well mixed and keyed (lib/share/hash.h). Two sketches can
 * be merged only if both were filled under the same key. A saved sketch is of
 * use only together with its key.
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

/* 1 = the sketch changed, so this hash was certainly new. 0 = no change: the
 * hash was seen before (certain only while the sketch is exact). */
int tg_hll_add(struct tg_hll *h, uint64_t hash);

/* Distinct hashes added: exact up to 16, then an estimate from 17 to
 * UINT32_MAX. About 0.5 us when dense. */
uint32_t tg_hll_estimate(const struct tg_hll *h);

/* Makes `into` the sketch of the union. Sketches may be merged in any order and
 * repeatedly. */
void tg_hll_merge(struct tg_hll *into, const struct tg_hll *from);

/* 1 if bytes from a file or from another node are a valid sketch, else 0. The
 * functions above need a valid one. Native byte order. */
int tg_hll_valid(const struct tg_hll *h);

#endif

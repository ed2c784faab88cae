/*
 * HyperLogLog in 168 bytes; see hll.h.
 *
 *   hash    63      56 55                    26 25        0
 *          | register | 30 bits that make rank | not used |
 *
 * The rank is 1 + the leading zeros of the 30 bits, so 1 .. 31; a register
 * keeps the highest rank it saw, 0 = none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/hll.h"

#include <math.h>
#include <string.h>

#define REGISTERS TG_HLL_REGISTERS
#define INDEX_BITS 8
#define RANK_BITS 30
#define RANK_MAX (RANK_BITS + 1)
#define CONVERGED \
	64 /* the series ends far earlier, at the precision of double */

_Static_assert(sizeof(struct tg_hll) == 168, "embedded in saved records");
_Static_assert(REGISTERS == 1 << INDEX_BITS, "an index picks a register");
_Static_assert(RANK_MAX < 1 << 5, "a register has five bits");

/* Register i is bits 5i .. 5i+4 of the bytes, the lowest first. */
static unsigned get_rank(const uint8_t *dense, unsigned i)
{
	unsigned byte = i * 5 / 8, shift = i * 5 % 8;
	unsigned bits = dense[byte];

	if(shift > 3)
		bits |= (unsigned)dense[byte + 1] << 8;
	return bits >> shift & 31;
}

static int raise_rank(uint8_t *dense, unsigned i, unsigned rank)
{
	unsigned byte = i * 5 / 8, shift = i * 5 % 8;

	if(get_rank(dense, i) >= rank)
		return 0;
	dense[byte] = (uint8_t)((dense[byte] & ~(31u << shift)) | rank << shift);
	if(shift > 3)
		dense[byte + 1] = (uint8_t)((dense[byte + 1] & ~(31u >> (8 - shift)))
									| rank >> (8 - shift));
	return 1;
}

static int add_dense(uint8_t *dense, uint64_t hash)
{
	/* the bit after the 30 ends the run of zeros */
	uint64_t run = hash << INDEX_BITS | UINT64_C(1) << (64 - 1 - RANK_BITS);

	return raise_rank(dense, (unsigned)(hash >> (64 - INDEX_BITS)),
			(unsigned)__builtin_clzll(run) + 1);
}

static void make_dense(struct tg_hll *h)
{
	uint64_t exact[TG_HLL_EXACT];
	unsigned i, kept = h->kept;

	memcpy(exact, h->as.exact, sizeof(exact));
	memset(&h->as, 0, sizeof(h->as));
	h->kept = TG_HLL_DENSE;
	for(i = 0; i < kept; i++)
		add_dense(h->as.dense, exact[i]);
}

int tg_hll_add(struct tg_hll *h, uint64_t hash)
{
	unsigned i;

	if(h->kept == TG_HLL_DENSE)
		return add_dense(h->as.dense, hash);
	for(i = 0; i < h->kept; i++)
		if(h->as.exact[i] == hash)
			return 0;
	if(h->kept < TG_HLL_EXACT) {
		h->as.exact[h->kept++] = hash;
		return 1;
	}
	make_dense(h);
	add_dense(h->as.dense, hash);
	return 1; /* the set grew, even if no register did */
}

/* Ertl's sigma of the share of registers that were never hit. */
static double sigma(double x)
{
	double y = 1, z = x;
	int i;

	if(x >= 1)
		return INFINITY;
	for(i = 0; i < CONVERGED; i++) {
		double before = z;

		x *= x;
		z += x * y;
		y += y;
		if(z <= before)
			break;
	}
	return z;
}

uint32_t tg_hll_estimate(const struct tg_hll *h)
{
	/* Ertl's constant is for infinitely many registers; with 256 the estimate
	 * would be 0.4 % too high. Flajolet's alpha of m corrects that. */
	const double m = REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
	unsigned with[RANK_MAX + 1] = {0};
	double z, n;
	unsigned i;

	if(h->kept != TG_HLL_DENSE)
		return h->kept;
	for(i = 0; i < REGISTERS; i++)
		with[get_rank(h->as.dense, i)]++;
	/* Full registers (Ertl's tau) are left out: they are only 1 in 100 where
	 * the result reaches its maximum. */
	z = 0;
	for(i = RANK_BITS; i > 0; i--)
		z = 0.5 * (z + with[i]);
	z += m * sigma(with[0] / m);
	n = alpha * m * m / z + 0.5;
	if(n < TG_HLL_EXACT + 1)
		return TG_HLL_EXACT + 1;
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void tg_hll_merge(struct tg_hll *into, const struct tg_hll *from)
{
	unsigned i;

	if(from->kept != TG_HLL_DENSE) {
		for(i = 0; i < from->kept; i++)
			tg_hll_add(into, from->as.exact[i]);
		return;
	}
	if(into->kept != TG_HLL_DENSE)
		make_dense(into);
	for(i = 0; i < REGISTERS; i++)
		raise_rank(into->as.dense, i, get_rank(from->as.dense, i));
}

int tg_hll_valid(const struct tg_hll *h)
{
	unsigned i, j;

	for(i = 0; i < sizeof(h->unused); i++)
		if(h->unused[i] != 0)
			return 0;
	if(h->kept == TG_HLL_DENSE)
		return 1;
	if(h->kept > TG_HLL_EXACT)
		return 0;
	for(i = 1; i < h->kept; i++)
		for(j = 0; j < i; j++)
			if(h->as.exact[i] == h->as.exact[j])
				return 0;
	return 1;
}

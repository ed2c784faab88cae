/*
 * Count-min: about how often each of very many keys was seen lately (failures a
 * fingerprint, a network, an AS), in fixed memory and never too few.
 * Source: Cormode, Muthukrishnan (2005); conservative update by Estan, Varghese
 * (2002).
 *
 * Not lib/sketch/sketch.h: that one serves the cell table's admission, keeps all
 * counters of a key in one cache line, and ages after as many rare keys as its
 * line covers cells. Here the caller chooses the half-life and an estimate is
 * never under the true count, for which each row has the whole width.
 *
 * Memory bound: 4 rows of `counters` x 8/7 B. With N the sum of all
 * keys' counts an estimate is too high by more than e/counters x N with a chance
 * of e^-4 = 1.8 % at the most; conservative update errs far less
 * (tests/unit/lib/sketch/test_countmin.c prints it).
 * Ageing: all counts are halved, rounded down, each `half_us` of `now`, a line
 * of 56 counters when it is next used: at most 28 words of work in a call.
 * Process safety: every function, from any process or thread that shares the
 * memory, without a lock. Races and a process killed inside can leave single
 * counters one event short, or halved once too few: it is an estimate.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_COUNTMIN_H
#define TG_COUNTMIN_H

#include <stddef.h>
#include <stdint.h>

#define TG_COUNTMIN_MAX 255 /* an estimate stops here */

struct tg_countmin;

struct tg_countmin_config
{
	uint32_t counters; /* a row; 56 .. 2^28, rounded up to a multiple of 56 */
	uint64_t half_us;  /* 10^6 .. 2^40: counts are halved this often */
};

size_t tg_countmin_size(
		const struct tg_countmin_config *cfg); /* 0 = out of range */

/* Lays an empty sketch into `mem` (64-byte aligned, `size` bytes, zero-filled).
 * The handle is `mem` itself: valid in every process that shares the mapping.
 * 0, -EINVAL. */
int tg_countmin_init(void *mem, size_t size,
		const struct tg_countmin_config *cfg, struct tg_countmin **out);

/* Counts `n` events of key `id` (tg_hash_id) and returns the estimate with them,
 * n .. 255; n = 0 counts nothing. `now`: monotonic us; one that is behind
 * another process's counts into the newer half-life. */
uint32_t tg_countmin_add(
		struct tg_countmin *t, uint64_t id, uint32_t n, uint64_t now);

/* The estimate at `now`, 0 .. 255; changes nothing. */
uint32_t tg_countmin_read(
		const struct tg_countmin *t, uint64_t id, uint64_t now);

#endif

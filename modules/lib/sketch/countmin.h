/*
 * Count-min: estimates how often each of very many keys was seen lately
 * (failures of a fingerprint, a network, an AS), in fixed memory and never too
 * low.
 * Source: Cormode, Muthukrishnan (2005); conservative update by Estan, Varghese
 * (2002).
 *
 * lib/sketch/sketch.h is another count-min, for admission to the cell table: it
 * keeps all counters of a key in one cache line and ages by the number of rare
 * keys. Here the caller chooses the half-life, and an estimate is never below
 * the true count; therefore each row has the whole width.
 *
 * Memory bound: 4 rows of `counters` x 8/7 B. Let N be the sum of all keys'
 * counts. An estimate is too high by more than e/counters x N with a
 * probability of at most e^-4 = 1.8 %. With conservative update the error is
 * far smaller (tests/unit/lib/sketch/test_countmin.c prints it).
 * Ageing: all counts are halved, rounded down, each `half_us` of `now`. A line
 * of 56 counters is halved when it is next used: at most 28 words of work in a
 * call.
 * Process safety: every process or thread that shares the memory may call any
 * function, without a lock. After a race or a killed process single counters
 * may be one event short, or halved once too few.
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

/* Counts `n` events of key `id` (tg_hash_id) and returns the estimate with
 * them, n .. 255; n = 0 counts nothing. `now`: monotonic us; a `now` behind
 * that of another process counts into the newer half-life. */
uint32_t tg_countmin_add(
		struct tg_countmin *t, uint64_t id, uint32_t n, uint64_t now);

/* The estimate at `now`, 0 .. 255; changes nothing. */
uint32_t tg_countmin_read(
		const struct tg_countmin *t, uint64_t id, uint64_t now);

#endif

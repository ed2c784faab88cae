/*
 * Top keys of a stream with their counts, in fixed memory: space-saving.
 * Source: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and
 * top-k elements in data streams" (2005); merging after Agarwal and others,
 * "Mergeable summaries" (2012).
 *
 * With k entries and N events: every key with more than N/k events is listed. A
 * listed count is never too low, and too high by at most its `error`, which is
 * at most N/k. A key that is not listed has at most tg_topk_unlisted() events.
 *
 * Memory bound: 112 B an entry. An event costs O(log k), a list O(k log^2 k).
 * Process safety: none. One writer (the keeper) calls all functions, also
 * tg_topk_list; other processes get the copies that it publishes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_TOPK_H
#define TG_TOPK_H

#include "lib/share/hash.h"

#include <stddef.h>
#include <stdint.h>

#define TG_TOPK_KEY 64 /* bytes a key may have */

struct tg_topk;

struct tg_topk_config
{
	uint32_t entries; /* k; 1 .. 4096; use ten times the keys to be shown */
	struct tg_hashkey key;
};

struct tg_topk_item
{
	uint64_t count; /* count - error <= events of the key <= count */
	uint64_t error;
	uint32_t len;
	uint8_t key[TG_TOPK_KEY]; /* zeros behind len */
};

size_t tg_topk_size(const struct tg_topk_config *cfg); /* 0 = out of range */

/* Lays an empty structure into `mem` (64-byte aligned, `size` bytes,
 * zero-filled). It holds no pointers and may be moved. 0, -EINVAL. */
int tg_topk_init(void *mem, size_t size, const struct tg_topk_config *cfg,
		struct tg_topk **out);

/* Counts `n` (>= 1) events of a key of 1 .. 64 bytes. 0, -EINVAL. */
int tg_topk_add(struct tg_topk *t, const void *key, size_t len, uint32_t n);

/* Gives the first `most` keys: highest count first, equal counts in the order
 * of their bytes. Returns how many. Reorders the entries inside, without other
 * effect. */
uint32_t tg_topk_list(
		struct tg_topk *t, struct tg_topk_item *items, uint32_t most);

uint64_t tg_topk_total(const struct tg_topk *t); /* N */

/* The most events that a key not listed can have; 0 until k keys have come. */
uint64_t tg_topk_unlisted(const struct tg_topk *t);

/* Adds the counts of `from` (of another node, with as many entries): the result
 * is for both streams together. The two may have different hash keys. 0,
 * -EINVAL. */
int tg_topk_merge(struct tg_topk *into, const struct tg_topk *from);

/* Halves all counts, rounded down. Call it regularly to let old events fade.
 * All bounds then hold for the halved numbers of events, except for one event
 * that rounding may take from each key. O(k). */
void tg_topk_halve(struct tg_topk *t);

#endif

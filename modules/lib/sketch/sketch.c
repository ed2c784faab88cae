/*
 * Blocked count-min with ageing; see sketch.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/sketch.h"

#define ROWS 3
#define ROW_COUNTERS 18
#define EPOCH_SHIFT 24 /* 16.8 s of microseconds */
#define RARE 4		   /* estimates below this count towards ageing */
#define TRIES 8

static void halve(struct tg_sketch_line *line, unsigned times)
{
	uint64_t keep = UINT64_C(0x0101010101010101) * (0xffu >> times);
	unsigned i;

	for(i = 0; i < 7; i++) {
		uint64_t old =
				atomic_load_explicit(&line->counters[i], memory_order_relaxed);

		/* If a concurrent increment wins, this word is not halved. */
		atomic_compare_exchange_strong_explicit(&line->counters[i], &old,
				(old >> times) & keep, memory_order_relaxed,
				memory_order_relaxed);
	}
}

static void grow_older(struct tg_sketch_line *line, uint64_t now, int rare)
{
	uint32_t epoch = (uint32_t)(now >> EPOCH_SHIFT);
	uint64_t age = atomic_load_explicit(&line->age, memory_order_relaxed);
	int32_t passed = (int32_t)(epoch - (uint32_t)(age >> 32));
	uint64_t next;

	if(passed < 0) { /* this clock is behind: stay in the newer epoch */
		epoch = (uint32_t)(age >> 32);
		passed = 0;
	}
	next = passed > 0 ? (uint64_t)epoch << 32 : age;
	next += rare != 0;
	if((uint32_t)next > TG_SKETCH_CELLS) {
		next = (uint64_t)epoch << 32 | 1;
		passed = 1;
	}
	if(next == age)
		return;
	/* The process that wins the swap halves the line. The rare event of a loser
	 * is not counted. */
	if(atomic_compare_exchange_strong_explicit(&line->age, &age, next,
			   memory_order_relaxed, memory_order_relaxed)
			&& passed > 0)
		halve(line, passed < 8 ? (unsigned)passed : 8);
}

static void raise_counter(_Atomic uint64_t *word, unsigned shift, uint32_t to)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	int tries;

	for(tries = 0; tries < TRIES; tries++) {
		if(((old >> shift) & 0xff) >= to)
			return;
		if(atomic_compare_exchange_weak_explicit(word, &old,
				   (old & ~(UINT64_C(0xff) << shift)) | (uint64_t)to << shift,
				   memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

uint32_t tg_sketch_add(
		struct tg_sketch_line *line, uint64_t hash, uint32_t n, uint64_t now)
{
	_Atomic uint64_t *word[ROWS];
	unsigned shift[ROWS];
	uint32_t least = TG_SKETCH_MAX;
	unsigned r;

	for(r = 0; r < ROWS; r++) {
		unsigned slot =
				(unsigned)(((hash >> (16 * r)) & 0xffff) * ROW_COUNTERS) >> 16;
		uint32_t count;

		slot += r * ROW_COUNTERS;
		word[r] = &line->counters[slot / 8];
		shift[r] = slot % 8 * 8;
		count = (atomic_load_explicit(word[r], memory_order_relaxed)
						>> shift[r])
				& 0xff;
		if(count < least)
			least = count;
	}
	grow_older(line, now, least < RARE);
	least = n < TG_SKETCH_MAX - least ? least + n : TG_SKETCH_MAX;
	for(r = 0; r < ROWS; r++)
		raise_counter(word[r], shift[r], least);
	return least;
}

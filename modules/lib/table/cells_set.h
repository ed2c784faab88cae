/*
 * Layout of the cell table, shared by its two source files.
 *
 *   header | sets ............... | pins, 2 a set | sketch lines (admission) |
 *            128 B, 4 cells each     32 B a set       64 B for 4 sets
 *
 *   set, first line    tag[4]   word[4]
 *   set, second line   life[4]  shape[4]
 *
 * A look-up of an absent key touches the first line only. The pins are two
 * slots with keys, not bits in the cells. So a set cannot have more than 2
 * pins, and a cell that gets another key never inherits a ban.
 *
 * States of a tag:
 *   0                      empty; the other words of the cell mean nothing
 *   bit 63 clear           the key
 *   bit 63 set: claim      31 bits of the key's hash, 32 bits of 1024 us: a
 *                          process is preparing the cell. If it was killed,
 *                          any process takes it over after about a second.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CELLS_SET_H
#define TG_CELLS_SET_H

#include "lib/table/cells.h"
#include "lib/table/cells_word.h"
#include "lib/sketch/sketch.h"

#include <stdatomic.h>

#define TG_WAYS 4
#define TG_PINS 2
#define TG_STRIPES 16 /* of the statistics: processes rarely share a line */
#define TG_CLAIM (UINT64_C(1) << 63)
#define TG_CLAIM_STALE 1000 /* units of 1024 us */

struct tg_set
{
	_Alignas(64) _Atomic uint64_t tag[TG_WAYS];
	_Atomic uint64_t word[TG_WAYS];
	_Atomic uint64_t life[TG_WAYS];
	_Atomic uint64_t shape[TG_WAYS]; /* of windows only */
};

struct tg_pins
{
	_Alignas(32) _Atomic uint64_t tag[TG_PINS];
	_Atomic uint64_t until[TG_PINS];
};

struct tg_cells_stripe
{
	_Alignas(64) _Atomic uint64_t evicted;
	_Atomic uint64_t refused;
};

struct tg_cells
{
	_Alignas(128) uint32_t sets; /* a power of two */
	uint32_t admission;
	uint64_t pins_at;		/* bytes from the header */
	uint64_t sketch_at;		/* bytes from the header; 0 without admission */
	_Atomic uint64_t clock; /* the newest `now`, about a second coarse */
	struct tg_cells_stripe stripe[TG_STRIPES];
	struct tg_set set[];
};

_Static_assert(sizeof(struct tg_set) == 128, "a set is two cache lines");
_Static_assert(sizeof(struct tg_pins) == 32, "two pins share half a line");
_Static_assert(sizeof(struct tg_sketch_line) == 64, "a line is a line");

static inline uint64_t tg_load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit((_Atomic uint64_t *)at, memory_order_acquire);
}

static inline int tg_swap(_Atomic uint64_t *at, uint64_t old, uint64_t next)
{
	return atomic_compare_exchange_strong_explicit(
			at, &old, next, memory_order_acq_rel, memory_order_relaxed);
}

/* Ids are hashes: giving one of their 64 bits to the claim mark is harmless. */
static inline uint64_t tg_tag(uint64_t id)
{
	uint64_t tag = id & ~TG_CLAIM;

	return tag != 0 ? tag : 1;
}

static inline uint32_t tg_set_index(const struct tg_cells *t, uint64_t tag)
{
	return (uint32_t)(tg_mix(tag ^ (tag >> 29)) >> 20) & (t->sets - 1);
}


static inline uint64_t tg_claim_mark(uint64_t tag, uint64_t now)
{
	return TG_CLAIM | (tg_mix(tag) >> 33) << 32
		   | (uint32_t)(now >> TG_LIFE_SHIFT);
}

static inline int tg_claim_is_stale(uint64_t mark, uint64_t now)
{
	int32_t age = (int32_t)((uint32_t)(now >> TG_LIFE_SHIFT) - (uint32_t)mark);

	return age > TG_CLAIM_STALE || age < -TG_CLAIM_STALE;
}

/* Bit i is set when way i holds the tag. More than one bit is possible: two
 * processes may have entered the same key at once. */
static inline unsigned tg_find(const struct tg_set *s, uint64_t tag)
{
	unsigned way, found = 0;

	for(way = 0; way < TG_WAYS; way++)
		found |= (unsigned)(tg_load(&s->tag[way]) == tag) << way;
	return found;
}

static inline struct tg_pins *tg_pins_of(
		const struct tg_cells *t, uint32_t index)
{
	return (struct tg_pins *)((char *)(uintptr_t)t + t->pins_at) + index;
}

static inline int tg_is_pinned(
		const struct tg_pins *pins, uint64_t tag, uint64_t now, uint64_t *until)
{
	uint64_t longest = 0;
	unsigned p;

	for(p = 0; p < TG_PINS; p++) {
		uint64_t end = tg_load(&pins->until[p]);

		if(!(end & TG_CLAIM) && end > longest && tg_load(&pins->tag[p]) == tag)
			longest = end;
	}
	if(until != NULL)
		*until = longest;
	return longest > now;
}

#define TG_MOVED 1 /* the cell has another key now: look again */

struct tg_newcomer
{
	uint64_t tag, now;
	uint64_t word, life, shape; /* what the cell starts with */
	uint32_t n;					/* events to count in the admission sketch */
	uint32_t estimate;			/* out: the sketch's; n without one */
};

/* 0 = the newcomer has its cell, TG_MOVED = look for the key again, -ENOSPC =
 * refused; `estimate` is then filled. */
int tg_claim(struct tg_cells *t, uint32_t index, struct tg_newcomer *c);

#endif

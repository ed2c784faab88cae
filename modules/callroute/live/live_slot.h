/*
 * Layout of the live state, shared by its source files; see live.h.
 *
 *   header | trunk ids | slots | quality sets | pace | leases | call records |
 *            4 B each   192 B    320 B, 8 pairs
 *
 * The trunk ids are an open-addressed table without removal: a trunk's slot
 * number is the place of its id. An all-zero slot is the slot of a new trunk.
 * So a slot is claimed by a single compare-and-swap of the id and needs no
 * preparation, in which a process could be killed.
 *
 *   slot, first line    what a decision reads: health, breaker, override
 *   slot, second line   what each attempt writes: counters
 *   slot, third line    the breaker's window
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_LIVE_SLOT_H
#define CALLROUTE_LIVE_SLOT_H

#include "callroute/live/live.h"
#include "callroute/live/pace.h"
#include "lib/table/lease.h"
#include "lib/table/store.h"

#include <stdatomic.h>

#define CALLROUTE_TRIES 4096 /* swaps lost to other processes */
#define CALLROUTE_SUBS 8	 /* sub-windows of the breaker */
#define CALLROUTE_PAIRS 8	 /* pairs of a quality set */
#define CALLROUTE_TIME ((UINT64_C(1) << 48) - 1)

struct callroute_slot
{
	_Alignas(64) _Atomic uint64_t health; /* health.c */
	_Atomic uint64_t due;				  /* health.c: the next probe */
	_Atomic uint64_t breaker;			  /* breaker.c */
	_Atomic uint32_t admin;
	_Alignas(64) _Atomic uint64_t count[CALLROUTE_CANCELLED + 1];
	_Atomic uint64_t failed;
	_Atomic uint64_t last_failure; /* time << 10 | code */
	_Alignas(64) _Atomic uint64_t window[CALLROUTE_SUBS]; /* breaker.c */
};

/* The four words of a pair are adjacent; the keys of a set share a cache
 * line. */
struct callroute_pair
{
	_Alignas(32) _Atomic uint64_t answers; /* quality.c */
	_Atomic uint64_t network, delay, talk;
};

struct callroute_pairs
{
	_Alignas(64) _Atomic uint64_t key[CALLROUTE_PAIRS];
	struct callroute_pair pair[CALLROUTE_PAIRS];
};

/* The owners of the channels that a call holds, and those that an attempt under
 * way is about to take: database ids by callroute_owner, 0 = none. See
 * capacity_record.h. */
struct callroute_call
{
	uint32_t held[3], next[3];
	uint32_t step; /* the number of the attempt that wrote `next` */
};

struct callroute_live
{
	_Alignas(64) uint32_t slots; /* a power of two */
	uint32_t trunks;			 /* ids at most */
	uint32_t quality_sets;		 /* a power of two */
	uint32_t owners;			 /* of the pace */
	uint64_t quality_unit;		 /* us; a 32nd of the half-life */
	/* bytes from the header */
	uint64_t slots_at, quality_at, pace_at, leases_at, calls_at;
	_Alignas(64) _Atomic uint32_t used; /* slots */
	_Atomic uint32_t attempts;			/* next number, circular */
	_Atomic uint64_t untracked;
	_Alignas(64) _Atomic uint32_t id[]; /* 0 = free */
};

_Static_assert(sizeof(struct callroute_slot) == 192, "a slot is three lines");
_Static_assert(sizeof(struct callroute_pairs) == 320, "40 B a pair");

static inline uint64_t callroute_load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit((_Atomic uint64_t *)at, memory_order_acquire);
}

static inline int callroute_swap(
		_Atomic uint64_t *at, uint64_t *seen, uint64_t next)
{
	return atomic_compare_exchange_strong_explicit(
			at, seen, next, memory_order_acq_rel, memory_order_acquire);
}

static inline uint64_t callroute_mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 32);
}

/* NULL when the number is no slot; the caller then answers as live.h says under
 * "Failure mode". */
static inline struct callroute_slot *callroute_slot_at(
		const struct callroute_live *live, int slot)
{
	if((uint32_t)slot >= live->slots)
		return NULL;
	return (struct callroute_slot *)((char *)(uintptr_t)live + live->slots_at)
		   + slot;
}

static inline void *callroute_part(
		const struct callroute_live *live, uint64_t bytes)
{
	return (char *)(uintptr_t)live + bytes;
}

#endif

/*
 * Owner sets: the locked part of the leases, for lease.c and lease_set.c.
 *
 *   header | owner sets: lock, id[16], root[16], held[16] | slots, one a lease
 *
 * One lock covers the 16 owners of a set and their leases, wherever the slots
 * lie. A free slot is claimed by swapping its owner word, since its neighbours
 * belong to other sets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_LEASE_SET_H
#define TG_LEASE_SET_H

#include "lib/table/lease.h"
#include "lib/table/lease_tree.h"
#include "lib/table/setlock.h"

#include <stddef.h>

#define TG_OWNERS 16 /* a set */
#define TG_ROW 8	 /* slots */
#define TG_STRIPES 16

struct tg_owner_set
{
	_Alignas(64) struct tg_setlock lock;
	_Alignas(64) _Atomic uint64_t
			id[TG_OWNERS];			  /* means nothing while root is 0 */
	_Atomic uint32_t root[TG_OWNERS]; /* slot number + 1; 0 = no leases */
	_Atomic uint32_t held[TG_OWNERS]; /* size of the tree, readable without the
	                                     lock */
};

struct tg_lease_stripe
{
	_Alignas(64) _Atomic uint64_t acquired;
	_Atomic uint64_t released, expired, refused, untracked;
};

struct tg_leases
{
	_Alignas(64) uint32_t sets; /* of owners; a power of two */
	uint32_t rows;				/* of slots; a power of two */
	uint64_t slots_at;			/* bytes from the header */
	_Atomic uint32_t swept;		/* where the next sweep begins */
	struct tg_lease_stripe stripe[TG_STRIPES];
	struct tg_owner_set set[];
};

/* A set whose lock the caller holds. */
struct tg_held
{
	struct tg_leases *leases;
	struct tg_lease_slot *slots;
	struct tg_owner_set *set;
	struct tg_lease_stripe *count;
	uint32_t index;
};

static inline void tg_lease_bump(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline uint64_t tg_lease_mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 32);
}

static inline uint32_t tg_lease_set_of(
		const struct tg_leases *l, uint64_t owner)
{
	return (uint32_t)(tg_lease_mix(owner) >> 8) & (l->sets - 1);
}

static inline struct tg_lease_slot *tg_lease_slots_of(const struct tg_leases *l)
{
	return (struct tg_lease_slot *)((char *)(uintptr_t)l + l->slots_at);
}

static inline uint32_t tg_lease_slot_count(const struct tg_leases *l)
{
	return l->rows * TG_ROW;
}

static inline uint32_t tg_lease_root_of(
		const struct tg_owner_set *s, unsigned way)
{
	return atomic_load_explicit(
			(_Atomic uint32_t *)&s->root[way], memory_order_relaxed);
}

static inline void tg_lease_clear_slot(struct tg_lease_slot *slot)
{
	/* The order matters: a slot with an owner and no expiry is no lease. */
	tg_lease_store(&slot->expires, 0);
	tg_lease_store(&slot->owner, 0);
}

/* Takes the lock of the owner's set. If its last holder died, the set is
 * repaired first. 0, -EBUSY. */
int tg_lease_hold(struct tg_leases *l, uint64_t owner, struct tg_held *h);
int tg_lease_let_go(struct tg_held *h, int rc); /* returns rc */

/* The owner's place in the set, or TG_OWNERS; `place` also finds an unused
 * one. */
unsigned tg_lease_find_owner(const struct tg_owner_set *s, uint64_t owner);
unsigned tg_lease_place_owner(struct tg_owner_set *s, uint64_t owner);
uint32_t tg_lease_held_by(const struct tg_owner_set *s, unsigned way);

/* Put a slot into the tree of the owner at `way`, and take it out. */
void tg_lease_plant(struct tg_held *h, unsigned way, uint32_t slot);
void tg_lease_uproot(struct tg_held *h, unsigned way, uint32_t slot);

#endif

/*
 * The slots of leases and the trees over them: order-statistics treaps by
 * (expires, slot), linked by slot number + 1, 0 = no node.
 *
 * The caller holds the lock of the owner set that the tree belongs to.
 * Depth: the priority of a node is a hash of its slot, and slots are found by
 * keyed hashes, so an attacker can choose neither. The expected depth, also of
 * the recursions, is 2 ln n (about 20 for 5,000 leases).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_LEASE_TREE_H
#define TG_LEASE_TREE_H

#include <stdatomic.h>
#include <stdint.h>

struct tg_lease_slot
{
	_Atomic uint64_t owner;	  /* 0 = free */
	_Atomic uint64_t expires; /* us; 0 = not yet a lease, or no longer */
	uint64_t call;
	uint32_t left, right;
	uint32_t size; /* of the subtree, this node included */
};

static inline uint64_t tg_lease_load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit((_Atomic uint64_t *)at, memory_order_acquire);
}

static inline void tg_lease_store(_Atomic uint64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

/* Both return the new root. `node` is not in (insert) or in (remove) the tree,
 * and its expiry does not change while it is in it. */
uint32_t tg_lease_insert(
		struct tg_lease_slot *slots, uint32_t root, uint32_t node);
uint32_t tg_lease_remove(
		struct tg_lease_slot *slots, uint32_t root, uint32_t node);

/* The node that expires first; `root` is not 0. */
uint32_t tg_lease_first(const struct tg_lease_slot *slots, uint32_t root);

/* How many leases expire after `now`. */
uint32_t tg_lease_after(
		const struct tg_lease_slot *slots, uint32_t root, uint64_t now);

#endif

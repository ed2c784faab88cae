/*
 * Owner sets of the leases: locking, owners, trees, repair; see lease_set.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/lease_set.h"

static void set_root(struct tg_held *h, unsigned way, uint32_t root)
{
	atomic_store_explicit(&h->set->root[way], root, memory_order_relaxed);
	atomic_store_explicit(&h->set->held[way],
			root != 0 ? h->slots[root - 1].size : 0, memory_order_relaxed);
}

uint32_t tg_lease_held_by(const struct tg_owner_set *s, unsigned way)
{
	return atomic_load_explicit(
			(_Atomic uint32_t *)&s->held[way], memory_order_relaxed);
}

unsigned tg_lease_find_owner(const struct tg_owner_set *s, uint64_t owner)
{
	unsigned way;

	for(way = 0; way < TG_OWNERS; way++)
		if(tg_lease_load(&s->id[way]) == owner && tg_lease_root_of(s, way) != 0)
			break;
	return way;
}

unsigned tg_lease_place_owner(struct tg_owner_set *s, uint64_t owner)
{
	unsigned way = tg_lease_find_owner(s, owner);

	if(way < TG_OWNERS)
		return way;
	for(way = 0; way < TG_OWNERS; way++)
		if(tg_lease_root_of(s, way) == 0) {
			tg_lease_store(&s->id[way], owner);
			break;
		}
	return way;
}

void tg_lease_plant(struct tg_held *h, unsigned way, uint32_t slot)
{
	set_root(h, way,
			tg_lease_insert(h->slots, tg_lease_root_of(h->set, way), slot + 1));
}

void tg_lease_uproot(struct tg_held *h, unsigned way, uint32_t slot)
{
	set_root(h, way,
			tg_lease_remove(h->slots, tg_lease_root_of(h->set, way), slot + 1));
}

/* The process that died with the lock may have left the trees in any state. */
static void rebuild(struct tg_held *h)
{
	uint32_t i, n = tg_lease_slot_count(h->leases);
	unsigned way;

	for(way = 0; way < TG_OWNERS; way++)
		set_root(h, way, 0);
	for(i = 0; i < n; i++) {
		struct tg_lease_slot *slot = &h->slots[i];
		uint64_t owner = tg_lease_load(&slot->owner);

		if(owner == 0 || tg_lease_set_of(h->leases, owner) != h->index)
			continue;
		way = tg_lease_load(&slot->expires) != 0
					  ? tg_lease_place_owner(h->set, owner)
					  : TG_OWNERS;
		if(way < TG_OWNERS)
			tg_lease_plant(h, way, i);
		else
			tg_lease_clear_slot(slot);
	}
}

int tg_lease_hold(struct tg_leases *l, uint64_t owner, struct tg_held *h)
{
	uint32_t index = tg_lease_set_of(l, owner);
	int rc = tg_setlock_take(&l->set[index].lock);

	*h = (struct tg_held){l, tg_lease_slots_of(l), &l->set[index],
			&l->stripe[index % TG_STRIPES], index};
	if(rc == TG_LOCK_INHERITED)
		rebuild(h);
	return rc < 0 ? rc : 0;
}

int tg_lease_let_go(struct tg_held *h, int rc)
{
	tg_setlock_give(&h->set->lock);
	return rc;
}

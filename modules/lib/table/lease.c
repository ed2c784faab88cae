/*
 * Leases: calls held by owners; see lease.h, and lease_set.h for the layout.
 *
 * The leases of an owner form a treap (Seidel, Aragon 1996) over their slots,
 * ordered by expiry; each node has the size of its subtree. So "how many expire
 * after now" is one walk down the tree. The count is exact at any moment,
 * whether or not the expired leases have been swept. Acquire, renew, release
 * and count cost O(log n) for an owner with n leases, also in the worst order
 * of expiries. The alternatives are worse: a plain counter cannot drop expired
 * leases, every new ringing call would walk a sorted list, and a heap cannot
 * count.
 *
 * A slot is found by hashing (call, owner) to two rows of 8. A new lease goes
 * to the emptier row (Mitzenmacher's two choices). The table is sized to be
 * half full at most, and then a row practically never overflows.
 *
 * Memory bound: 80 B a lease and 80 B an owner of the configuration, each
 * number rounded up to a power of two.
 * Locking: one robust lock for the 16 owners of a set covers their leases,
 * wherever the slots lie. A free slot is claimed by swapping its owner word.
 * Failure mode: the process that gets the lock of a dead process drops the
 * trees of the set and rebuilds them from the slots. A slot is always either a
 * whole lease or marked as none: expires is 0 until the rest is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/lease_set.h"

#include <errno.h>
#include <string.h>

#define DROPPED 8		   /* the most expired leases one acquire frees */
#define SCANNED_SETS 65536 /* the most that read_stats looks at */

static uint32_t power_of_two(uint64_t atleast)
{
	uint32_t n = 1;

	while(n < atleast)
		n <<= 1;
	return n;
}

static int lay_out(
		const struct tg_lease_config *cfg, struct tg_leases *head, size_t *size)
{
	uint64_t bytes;

	if(cfg == NULL || cfg->leases < 16 || cfg->leases > UINT32_C(1) << 24
			|| cfg->owners < 16 || cfg->owners > UINT32_C(1) << 24)
		return -EINVAL;
	/* Hashing is uneven: four places for an owner, two for a lease. */
	head->sets = power_of_two(
			((uint64_t)cfg->owners * 4 + TG_OWNERS - 1) / TG_OWNERS);
	head->rows =
			power_of_two(((uint64_t)cfg->leases * 2 + TG_ROW - 1) / TG_ROW);
	head->slots_at = sizeof(struct tg_leases)
					 + (uint64_t)head->sets * sizeof(struct tg_owner_set);
	bytes = head->slots_at
			+ (uint64_t)head->rows * TG_ROW * sizeof(struct tg_lease_slot);
	if(bytes > SIZE_MAX)
		return -EINVAL;
	*size = (size_t)bytes;
	return 0;
}

size_t tg_lease_size(const struct tg_lease_config *cfg)
{
	struct tg_leases head;
	size_t size;

	return lay_out(cfg, &head, &size) == 0 ? size : 0;
}

int tg_lease_init(void *mem, size_t size, const struct tg_lease_config *cfg,
		struct tg_leases **out)
{
	struct tg_leases head, *l = mem;
	size_t need;
	uint32_t i;
	int rc;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| lay_out(cfg, &head, &need) != 0 || size < need)
		return -EINVAL;
	l->sets = head.sets;
	l->rows = head.rows;
	l->slots_at = head.slots_at;
	for(i = 0; i < l->sets; i++) {
		rc = tg_setlock_init(&l->set[i].lock);
		if(rc != 0)
			return rc;
	}
	*out = l;
	return 0;
}

/* ---- slots ---- */

struct rows
{
	uint32_t first[2]; /* slot numbers */
};

static struct rows rows_of(
		const struct tg_leases *l, uint64_t call, uint64_t owner)
{
	uint64_t h = tg_lease_mix(call ^ tg_lease_mix(owner));

	return (struct rows){{((uint32_t)h & (l->rows - 1)) * TG_ROW,
			((uint32_t)(tg_lease_mix(h) >> 16) & (l->rows - 1)) * TG_ROW}};
}

/* The slot of the pair, or slot_count when there is none. */
static uint32_t find_slot(const struct tg_held *h, const struct rows *r,
		uint64_t call, uint64_t owner)
{
	unsigned i;

	for(i = 0; i < 2 * TG_ROW; i++) {
		uint32_t n = r->first[i / TG_ROW] + i % TG_ROW;
		const struct tg_lease_slot *slot = &h->slots[n];

		/* The lock of this owner is held, so the slot cannot change. */
		if(tg_lease_load(&slot->owner) == owner && slot->call == call
				&& tg_lease_load(&slot->expires) != 0)
			return n;
	}
	return tg_lease_slot_count(h->leases);
}

/* Claims a free slot in the row with fewer live leases; slot_count when that
 * row has none. Expired leases may fill the row: the caller then frees them and
 * tries again. */
static uint32_t claim_slot(const struct tg_held *h, const struct rows *r,
		uint64_t owner, uint64_t now)
{
	unsigned i, better, live_in[2] = {0, 0};

	for(i = 0; i < 2 * TG_ROW; i++)
		live_in[i / TG_ROW] +=
				tg_lease_load(
						&h->slots[r->first[i / TG_ROW] + i % TG_ROW].expires)
				> now;
	better = live_in[1] < live_in[0];
	for(i = 0; i < TG_ROW; i++) {
		uint32_t n = r->first[better] + i;
		uint64_t nobody = 0;

		if(atomic_compare_exchange_strong_explicit(&h->slots[n].owner, &nobody,
				   owner, memory_order_acq_rel, memory_order_relaxed))
			return n;
	}
	return tg_lease_slot_count(h->leases);
}

static void drop(struct tg_held *h, unsigned way, uint32_t slot)
{
	tg_lease_uproot(h, way, slot);
	tg_lease_clear_slot(&h->slots[slot]);
}

static void drop_expired(struct tg_held *h, unsigned way, uint64_t now)
{
	int i;

	for(i = 0; i < DROPPED && tg_lease_root_of(h->set, way) != 0; i++) {
		uint32_t first =
				tg_lease_first(h->slots, tg_lease_root_of(h->set, way)) - 1;

		if(tg_lease_load(&h->slots[first].expires) > now)
			break;
		drop(h, way, first);
		tg_lease_bump(&h->count->expired);
	}
}

/* Frees the slot if its lease has expired. 1 when it did. */
static int reap(struct tg_leases *l, uint32_t n, uint64_t now)
{
	struct tg_lease_slot *slot = &tg_lease_slots_of(l)[n];
	uint64_t owner = tg_lease_load(&slot->owner), expires;
	struct tg_held h;
	unsigned way;
	int freed = 0;

	if(owner == 0 || tg_lease_load(&slot->expires) > now
			|| tg_lease_hold(l, owner, &h) != 0)
		return 0;
	expires = tg_lease_load(&slot->expires);
	if(tg_lease_load(&slot->owner) == owner && expires <= now) {
		way = tg_lease_find_owner(h.set, owner);
		freed = expires != 0;
		if(expires == 0)
			tg_lease_clear_slot(
					slot); /* its claimer died before it was a lease */
		else if(way < TG_OWNERS)
			drop(&h, way, n);
		if(freed)
			tg_lease_bump(&h.count->expired);
	}
	return tg_lease_let_go(&h, freed);
}

/* ---- the interface ---- */

static uint32_t live(const struct tg_held *h, unsigned way, uint64_t now)
{
	return way < TG_OWNERS ? tg_lease_after(
				   h->slots, tg_lease_root_of(h->set, way), now)
						   : 0;
}

static void move_expiry(
		struct tg_held *h, unsigned way, uint32_t slot, uint64_t expires)
{
	tg_lease_uproot(h, way, slot);
	tg_lease_store(&h->slots[slot].expires, expires);
	tg_lease_plant(h, way, slot);
}

static int acquire(struct tg_held *h, uint64_t call, uint64_t owner,
		uint32_t limit, uint64_t expires, uint64_t now, uint32_t *count)
{
	struct rows r = rows_of(h->leases, call, owner);
	uint32_t slot = find_slot(h, &r, call, owner),
			 none = tg_lease_slot_count(h->leases);
	unsigned way = tg_lease_find_owner(h->set, owner);

	if(slot != none && way < TG_OWNERS
			&& tg_lease_load(&h->slots[slot].expires) > now) {
		if(tg_lease_load(&h->slots[slot].expires) < expires)
			move_expiry(h, way, slot, expires);
		*count = live(h, way, now);
		return 0;
	}
	if(way < TG_OWNERS) {
		if(slot != none) {
			drop(h, way, slot);
			tg_lease_bump(&h->count->expired);
		}
		drop_expired(h, way, now);
	}
	way = tg_lease_find_owner(h->set, owner);
	*count = live(h, way, now);
	if(limit != 0 && *count >= limit)
		return -EDQUOT;
	way = tg_lease_place_owner(h->set, owner);
	slot = way < TG_OWNERS ? claim_slot(h, &r, owner, now) : none;
	if(slot == none)
		return -ENOSPC;
	h->slots[slot].call = call;
	tg_lease_store(&h->slots[slot].expires, expires);
	tg_lease_plant(h, way, slot);
	++*count;
	tg_lease_bump(&h->count->acquired);
	return 0;
}

int tg_lease_acquire(struct tg_leases *l, uint64_t call, uint64_t owner,
		uint32_t limit, uint64_t expires, uint64_t now, uint32_t *count)
{
	struct tg_held h;
	uint32_t ignored = 0, *n = count != NULL ? count : &ignored;
	int attempt, rc = -EINVAL;

	*n = 0;
	if(owner == 0 || expires <= now)
		return -EINVAL;
	for(attempt = 0; attempt < 2; attempt++) {
		struct rows r = rows_of(l, call, owner);
		uint32_t i, freed = 0;

		rc = tg_lease_hold(l, owner, &h);
		if(rc != 0)
			return rc;
		rc = tg_lease_let_go(
				&h, acquire(&h, call, owner, limit, expires, now, n));
		if(rc != -ENOSPC || attempt > 0)
			break;
		/* The rows may be full of expired leases of other owners. Freeing them
		 * takes other locks. The own lock is released first: no process waits
		 * for a lock while it holds another. */
		for(i = 0; i < 2 * TG_ROW; i++)
			freed += (uint32_t)reap(l, r.first[i / TG_ROW] + i % TG_ROW, now);
		if(freed == 0)
			break;
	}
	if(rc == -EDQUOT)
		tg_lease_bump(&h.count->refused);
	if(rc == -ENOSPC)
		tg_lease_bump(&h.count->untracked);
	return rc;
}

int tg_lease_renew(struct tg_leases *l, uint64_t call, uint64_t owner,
		uint64_t expires, uint64_t now)
{
	struct rows r = rows_of(l, call, owner);
	struct tg_held h;
	uint32_t slot;
	unsigned way;

	if(owner == 0 || tg_lease_hold(l, owner, &h) != 0)
		return owner == 0 ? -ENOENT : -EBUSY;
	slot = find_slot(&h, &r, call, owner);
	way = tg_lease_find_owner(h.set, owner);
	if(slot == tg_lease_slot_count(l) || way == TG_OWNERS
			|| tg_lease_load(&h.slots[slot].expires) <= now)
		return tg_lease_let_go(&h, -ENOENT);
	move_expiry(&h, way, slot, expires != 0 ? expires : 1);
	return tg_lease_let_go(&h, 0);
}

int tg_lease_release(struct tg_leases *l, uint64_t call, uint64_t owner)
{
	struct rows r = rows_of(l, call, owner);
	struct tg_held h;
	uint32_t slot;
	unsigned way;

	if(owner == 0 || tg_lease_hold(l, owner, &h) != 0)
		return owner == 0 ? -ENOENT : -EBUSY;
	slot = find_slot(&h, &r, call, owner);
	way = tg_lease_find_owner(h.set, owner);
	if(slot == tg_lease_slot_count(l) || way == TG_OWNERS)
		return tg_lease_let_go(&h, -ENOENT);
	drop(&h, way, slot);
	tg_lease_bump(&h.count->released);
	return tg_lease_let_go(&h, 0);
}

uint32_t tg_lease_count(struct tg_leases *l, uint64_t owner, uint64_t now)
{
	struct tg_held h;
	unsigned way;
	uint32_t n;

	if(owner == 0)
		return 0;
	if(tg_lease_hold(l, owner, &h) != 0) {
		/* Better a few too many than zero: limits must still hold. */
		way = tg_lease_find_owner(h.set, owner);
		return way < TG_OWNERS ? tg_lease_held_by(h.set, way) : 0;
	}
	n = live(&h, tg_lease_find_owner(h.set, owner), now);
	tg_lease_let_go(&h, 0);
	return n;
}

uint32_t tg_lease_sweep(struct tg_leases *l, uint64_t now, uint32_t budget)
{
	uint32_t i, from, n = tg_lease_slot_count(l), freed = 0;

	if(budget > n)
		budget = n;
	/* A power of two slots: the position may wrap. */
	from = atomic_fetch_add_explicit(&l->swept, budget, memory_order_relaxed);
	for(i = 0; i < budget; i++)
		freed += (uint32_t)reap(l, (from + i) & (n - 1), now);
	return freed;
}

void tg_lease_read_stats(const struct tg_leases *l, struct tg_lease_stats *out)
{
	uint32_t step = l->sets > SCANNED_SETS ? l->sets / SCANNED_SETS : 1;
	uint64_t index;
	unsigned i;

	memset(out, 0, sizeof(*out));
	for(i = 0; i < TG_STRIPES; i++) {
		const struct tg_lease_stripe *c = &l->stripe[i];

		out->acquired += tg_lease_load(&c->acquired);
		out->released += tg_lease_load(&c->released);
		out->expired += tg_lease_load(&c->expired);
		out->refused += tg_lease_load(&c->refused);
		out->untracked += tg_lease_load(&c->untracked);
	}
	for(index = 0; index < l->sets; index += step)
		for(i = 0; i < TG_OWNERS; i++)
			out->live += tg_lease_held_by(&l->set[index], i);
	out->live *= step;
}

/*
 * Live state: layout, slots, override, counters; see live.h and live_slot.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/live_slot.h"

#include <errno.h>
#include <string.h>

#define CODE_BITS 10

_Static_assert(
		ATOMIC_LLONG_LOCK_FREE == 2, "shared words need lock-free swaps");

static uint32_t power_of_two(uint64_t atleast)
{
	uint32_t n = 1;

	while(n < atleast)
		n <<= 1;
	return n;
}

struct shape
{
	struct tg_lease_config leases;
	struct tg_store_config calls;
	uint64_t bytes;
	struct callroute_live head; /* ends in an array: last */
};

/* Gives the offset of the next part and moves `at` behind it, to a whole cache
 * line. */
static uint64_t place(uint64_t *at, uint64_t bytes)
{
	uint64_t here = *at;

	*at += (bytes + 63) & ~UINT64_C(63);
	return here;
}

static int in_range(uint64_t n, uint64_t least, uint64_t most)
{
	return n >= least && n <= most;
}

static int lay_out(const struct callroute_live_config *cfg, struct shape *s)
{
	uint64_t at = 0;

	if(cfg == NULL || !in_range(cfg->trunks, 1, 65536)
			|| !in_range(cfg->calls, 16, 1 << 20)
			|| !in_range(cfg->owners, 16, 131072)
			|| !in_range(cfg->quality, CALLROUTE_PAIRS, 1 << 24)
			|| !in_range(cfg->half_life_us, UINT64_C(10000000),
					UINT64_C(7) * 86400 * 1000000))
		return -EINVAL;
	memset(s, 0, sizeof *s);
	s->leases =
			(struct tg_lease_config){cfg->calls * 3, cfg->owners + cfg->trunks};
	/* A record is never displaced (capacity.c), so its set must have room: with
	 * a quarter of the places in use, one call in a thousand finds none. */
	s->calls = (struct tg_store_config){
			cfg->calls * 4, sizeof(struct callroute_call)};
	s->head.trunks = cfg->trunks;
	s->head.slots = power_of_two((uint64_t)cfg->trunks * 2);
	s->head.quality_sets = power_of_two(
			(cfg->quality + CALLROUTE_PAIRS - 1) / CALLROUTE_PAIRS);
	s->head.quality_unit = cfg->half_life_us / 32;
	s->head.owners = cfg->owners + cfg->trunks;
	place(&at, sizeof s->head + (uint64_t)s->head.slots * sizeof(uint32_t));
	s->head.slots_at =
			place(&at, (uint64_t)s->head.slots * sizeof(struct callroute_slot));
	s->head.quality_at = place(&at,
			(uint64_t)s->head.quality_sets * sizeof(struct callroute_pairs));
	s->head.pace_at = place(&at, callroute_pace_size(s->head.owners));
	s->head.leases_at = place(&at, tg_lease_size(&s->leases));
	s->head.calls_at = place(&at, tg_store_size(&s->calls));
	s->bytes = at;
	return at > SIZE_MAX ? -EINVAL : 0;
}

size_t callroute_live_size(const struct callroute_live_config *cfg)
{
	struct shape s;

	return lay_out(cfg, &s) == 0 ? (size_t)s.bytes : 0;
}

int callroute_live_init(void *mem, size_t size,
		const struct callroute_live_config *cfg, struct callroute_live **out)
{
	struct callroute_live *live = mem;
	struct tg_leases *leases;
	struct tg_store *calls;
	struct shape s;
	int rc;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| lay_out(cfg, &s) != 0 || size < s.bytes)
		return -EINVAL;
	*live = s.head;
	callroute_pace_init(callroute_part(live, live->pace_at), live->owners);
	rc = tg_lease_init(callroute_part(live, live->leases_at),
			tg_lease_size(&s.leases), &s.leases, &leases);
	if(rc == 0)
		rc = tg_store_init(callroute_part(live, live->calls_at),
				tg_store_size(&s.calls), &s.calls, &calls);
	if(rc == 0)
		*out = live;
	return rc;
}

/* ---- slots ---- */

static uint32_t id_at(const struct callroute_live *live, uint32_t place)
{
	return atomic_load_explicit(
			(_Atomic uint32_t *)&live->id[place], memory_order_acquire);
}

/* The place of the id, or the free place where it would go. The table is at
 * most half full, so there is a free place. */
static uint32_t probe(const struct callroute_live *live, uint32_t id)
{
	uint32_t mask = live->slots - 1, i,
			 place = (uint32_t)(callroute_mix(id) >> 16) & mask;

	for(i = 0; i < live->slots; i++, place = (place + 1) & mask) {
		uint32_t seen = id_at(live, place); /* read once, as it may change */

		if(seen == id || seen == 0)
			break;
	}
	return place;
}

int callroute_live_find(const struct callroute_live *live, uint32_t trunk_id)
{
	uint32_t place = probe(live, trunk_id);

	return trunk_id != 0 && id_at(live, place) == trunk_id ? (int)place
														   : -ENOENT;
}

int callroute_live_slot(struct callroute_live *live, uint32_t trunk_id)
{
	int slot = callroute_live_find(live, trunk_id);
	uint32_t i, place;

	if(trunk_id == 0)
		return -EINVAL;
	if(slot >= 0)
		return slot;
	/* Counted first, so that several processes at once cannot fill more than
	 * half of the table. A process killed before the swap costs one slot. */
	if(atomic_fetch_add(&live->used, 1) >= live->trunks) {
		atomic_fetch_sub(&live->used, 1);
		return -ENOSPC;
	}
	for(i = 0; i < live->slots; i++) {
		uint32_t nobody = 0;

		place = probe(live, trunk_id);
		if(atomic_compare_exchange_strong(&live->id[place], &nobody, trunk_id))
			return (int)place;
		if(nobody == trunk_id) { /* another process was first */
			atomic_fetch_sub(&live->used, 1);
			return (int)place;
		}
	}
	atomic_fetch_sub(&live->used, 1);
	return -ENOSPC;
}

int callroute_live_slots(const struct callroute_live *live)
{
	return (int)live->slots;
}

uint32_t callroute_live_trunk(const struct callroute_live *live, int slot)
{
	return (uint32_t)slot < live->slots ? id_at(live, (uint32_t)slot) : 0;
}

uint32_t callroute_live_used(const struct callroute_live *live)
{
	return atomic_load((_Atomic uint32_t *)&live->used);
}

/* ---- the override ---- */

int callroute_live_set_admin(
		struct callroute_live *live, int slot, enum callroute_admin admin)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);

	if((unsigned)admin > CALLROUTE_ADMIN_DOWN)
		return -EINVAL;
	if(s == NULL)
		return -ENOENT;
	atomic_store(&s->admin, (uint32_t)admin);
	return 0;
}

enum callroute_admin callroute_live_admin(
		const struct callroute_live *live, int slot)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);

	return s == NULL ? CALLROUTE_ADMIN_NONE
					 : (enum callroute_admin)atomic_load_explicit(
							 &s->admin, memory_order_relaxed);
}

/* ---- counters ---- */

static void bump(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void callroute_live_count(
		struct callroute_live *live, int slot, enum callroute_count what)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);

	if(s != NULL && (unsigned)what <= CALLROUTE_CANCELLED)
		bump(&s->count[what]);
}

void callroute_live_fail(
		struct callroute_live *live, int slot, int code, uint64_t now)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t known = code > 0 && code < 1 << CODE_BITS ? (uint64_t)code : 0;

	if(s == NULL)
		return;
	bump(&s->failed);
	/* One word, so that code and time are always of the same failure. */
	atomic_store(&s->last_failure, now << CODE_BITS | known);
}

void callroute_live_counters(const struct callroute_live *live, int slot,
		struct callroute_counters *out)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t last;

	memset(out, 0, sizeof *out);
	if(s == NULL)
		return;
	out->attempts = callroute_load(&s->count[CALLROUTE_ATTEMPTS]);
	out->answered = callroute_load(&s->count[CALLROUTE_ANSWERED]);
	out->cancelled = callroute_load(&s->count[CALLROUTE_CANCELLED]);
	out->failed = callroute_load(&s->failed);
	last = callroute_load(&s->last_failure);
	out->last_failure = last >> CODE_BITS;
	out->last_code = (int)(last & ((1 << CODE_BITS) - 1));
}

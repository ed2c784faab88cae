/*
 * Set-associative record store; see store.h.
 *
 *   header | sets: lock, id[8], touched[8], state[8] | payloads: 9 a set |
 *
 *   state    63            12 11      4 3     0
 *           | expires, us    | rank    | slot  |     0 = no record
 *
 * Each set has one payload slot more than records. A change is written into a
 * slot that no record uses; one store of the state word then makes it valid. So
 * a process killed at any instruction leaves the old record or the new one,
 * never a torn one. The next owner of its lock has nothing to repair.
 *
 * Memory bound: 40 B a record and 9/8 of its payload.
 * Locking: one robust lock a set, waited for about 20 ms at most (-EBUSY).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/store.h"
#include "lib/table/setlock.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define WAYS 8
#define SLOTS (WAYS + 1)
#define STRIPES 16
#define SCANNED_SETS 65536 /* the most that read_stats looks at */
#define EXPIRES_MAX ((UINT64_C(1) << 52) - 1)

struct set
{
	_Alignas(64) struct tg_setlock lock;
	_Alignas(64) uint64_t id[WAYS];
	uint64_t touched[WAYS];
	_Atomic uint64_t state[WAYS];
};

struct stripe
{
	_Alignas(64) _Atomic uint64_t evicted;
	_Atomic uint64_t refused, busy, recovered;
};

struct tg_store
{
	_Alignas(64) uint32_t sets; /* a power of two */
	uint32_t payload;			/* bytes, as configured */
	uint32_t stride;			/* bytes from slot to slot */
	uint64_t payloads_at;		/* bytes from the header */
	struct stripe stripe[STRIPES];
	struct set set[];
};

static int lay_out(
		const struct tg_store_config *cfg, struct tg_store *head, size_t *size)
{
	uint64_t bytes;
	uint32_t sets = 1;

	if(cfg == NULL || cfg->records < WAYS || cfg->records > UINT32_C(1) << 26
			|| cfg->payload < 1 || cfg->payload > 4096)
		return -EINVAL;
	while((uint64_t)sets * WAYS < cfg->records)
		sets <<= 1;
	head->sets = sets;
	head->payload = cfg->payload;
	head->stride = (cfg->payload + 15) & ~UINT32_C(15);
	head->payloads_at =
			sizeof(struct tg_store) + (uint64_t)sets * sizeof(struct set);
	bytes = head->payloads_at + (uint64_t)sets * SLOTS * head->stride;
	if(bytes > SIZE_MAX)
		return -EINVAL;
	*size = (size_t)bytes;
	return 0;
}

size_t tg_store_size(const struct tg_store_config *cfg)
{
	struct tg_store head;
	size_t size;

	return lay_out(cfg, &head, &size) == 0 ? size : 0;
}

int tg_store_init(void *mem, size_t size, const struct tg_store_config *cfg,
		struct tg_store **out)
{
	struct tg_store head, *s = mem;
	size_t need;
	uint32_t i;
	int rc;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| lay_out(cfg, &head, &need) != 0 || size < need)
		return -EINVAL;
	s->sets = head.sets;
	s->payload = head.payload;
	s->stride = head.stride;
	s->payloads_at = head.payloads_at;
	for(i = 0; i < s->sets; i++) {
		rc = tg_setlock_init(&s->set[i].lock);
		if(rc != 0)
			return rc;
	}
	*out = s;
	return 0;
}

/* ---- one set, locked ---- */

struct held
{
	struct tg_store *store;
	struct set *set;
	struct stripe *count;
	uint32_t index;
};

static void bump(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static int hold(struct tg_store *s, uint32_t index, struct held *h)
{
	int rc;

	*h = (struct held){s, &s->set[index], &s->stripe[index % STRIPES], index};
	rc = tg_setlock_take(&h->set->lock);
	if(rc == -EBUSY)
		bump(&h->count->busy);
	if(rc == TG_LOCK_INHERITED)
		bump(&h->count->recovered);
	return rc < 0 ? rc : 0;
}

static int let_go(struct held *h, int rc)
{
	tg_setlock_give(&h->set->lock);
	return rc;
}

static uint32_t index_of(const struct tg_store *s, uint64_t id)
{
	return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32)
		   & (s->sets - 1);
}

static uint64_t state_of(const struct set *s, unsigned way)
{
	return atomic_load_explicit(
			(_Atomic uint64_t *)&s->state[way], memory_order_relaxed);
}

/* This store comes after all writes before it, also if the process is
 * killed. */
static void put_in_force(struct set *s, unsigned way, uint64_t state)
{
	atomic_store_explicit(&s->state[way], state, memory_order_release);
}

static uint64_t state_make(uint64_t expires, uint8_t rank, unsigned slot)
{
	return (expires < EXPIRES_MAX ? expires : EXPIRES_MAX) << 12
		   | (uint64_t)rank << 4 | slot;
}

static uint64_t expires_of(uint64_t state)
{
	return state >> 12;
}

static uint8_t rank_of(uint64_t state)
{
	return (uint8_t)(state >> 4);
}

static char *payload_at(const struct held *h, unsigned slot)
{
	return (char *)h->store + h->store->payloads_at
		   + ((uint64_t)h->index * SLOTS + slot) * h->store->stride;
}

static char *payload_of(const struct held *h, unsigned way)
{
	return payload_at(h, state_of(h->set, way) & 0xf);
}

/* A slot that no record uses: there is always one. */
static unsigned spare_slot(const struct set *s)
{
	unsigned way, used = 0;

	for(way = 0; way < WAYS; way++)
		if(state_of(s, way) != 0)
			used |= 1u << (state_of(s, way) & 0xf);
	return (unsigned)__builtin_ctz(~used);
}

/* The way of the live record, or WAYS. */
static unsigned find(const struct set *s, uint64_t id, uint64_t now)
{
	unsigned way;

	for(way = 0; way < WAYS; way++)
		if(s->id[way] == id && state_of(s, way) != 0
				&& expires_of(state_of(s, way)) > now)
			break;
	return way;
}

static int weaker(const struct set *s, unsigned a, unsigned b)
{
	uint8_t rank_a = rank_of(state_of(s, a)), rank_b = rank_of(state_of(s, b));

	return rank_a != rank_b ? rank_a < rank_b : s->touched[a] < s->touched[b];
}

/* The way for a new record, or WAYS when all hold a higher rank. The key's own
 * expired record is taken first, so that a key never has two. */
static unsigned make_room(
		struct held *h, uint64_t id, uint8_t rank, uint64_t now)
{
	struct set *s = h->set;
	unsigned way = find(s, id, 0), victim = 0;

	if(way < WAYS)
		return way;
	for(way = 0; way < WAYS; way++) {
		if(expires_of(state_of(s, way)) <= now)
			return way;
		if(weaker(s, way, victim))
			victim = way;
	}
	if(rank_of(state_of(s, victim)) > rank) {
		bump(&h->count->refused);
		return WAYS;
	}
	bump(&h->count->evicted);
	return victim;
}

/* Makes `slot` the record of `id`. `way` is where the record is now, or WAYS
 * when there is none. */
static int publish(struct held *h, unsigned way, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, unsigned slot)
{
	if(way == WAYS) {
		way = make_room(h, id, rank, now);
		if(way == WAYS)
			return -ENOSPC;
		put_in_force(h->set, way, 0);
		atomic_signal_fence(memory_order_seq_cst);
		h->set->id[way] = id;
	}
	h->set->touched[way] = now;
	put_in_force(h->set, way, state_make(expires, rank, slot));
	return 0;
}

/* ---- the interface ---- */

int tg_store_get(struct tg_store *s, uint64_t id, uint64_t now, void *payload)
{
	struct held h;
	unsigned way;

	if(hold(s, index_of(s, id), &h) != 0)
		return -EBUSY;
	way = find(h.set, id, now);
	if(way == WAYS)
		return let_go(&h, -ENOENT);
	memcpy(payload, payload_of(&h, way), s->payload);
	h.set->touched[way] = now;
	return let_go(&h, 0);
}

int tg_store_put(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, const void *payload)
{
	struct held h;
	unsigned slot;

	if(expires <= now || payload == NULL)
		return -EINVAL;
	if(hold(s, index_of(s, id), &h) != 0)
		return -EBUSY;
	slot = spare_slot(h.set);
	memcpy(payload_at(&h, slot), payload, s->payload);
	return let_go(&h,
			publish(&h, find(h.set, id, now), id, rank, expires, now, slot));
}

int tg_store_edit(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, tg_store_edit_f edit, void *arg)
{
	struct held h;
	unsigned way, slot;
	char *draft;
	int rc;

	if(hold(s, index_of(s, id), &h) != 0)
		return -EBUSY;
	way = find(h.set, id, now);
	slot = spare_slot(h.set);
	draft = payload_at(&h, slot);
	if(way == WAYS) {
		memset(draft, 0, s->payload);
	} else {
		memcpy(draft, payload_of(&h, way), s->payload);
		expires = expires_of(state_of(h.set, way));
		rank = rank_of(state_of(h.set, way));
	}
	rc = edit(draft, way == WAYS, &expires, &rank, arg);
	if(rc > 0 && expires <= now)
		rc = 0; /* its expiry ends it */
	if(rc > 0)
		return let_go(&h, publish(&h, way, id, rank, expires, now, slot));
	if(rc == 0 && way != WAYS)
		put_in_force(h.set, way, 0);
	return let_go(&h, rc);
}

int tg_store_del(struct tg_store *s, uint64_t id)
{
	struct held h;
	unsigned way;

	if(hold(s, index_of(s, id), &h) != 0)
		return -EBUSY;
	way = find(h.set, id, 0);
	if(way == WAYS)
		return let_go(&h, -ENOENT);
	put_in_force(h.set, way, 0);
	return let_go(&h, 0);
}

int tg_store_next(struct tg_store *s, uint32_t *cursor, uint64_t now,
		uint64_t *id, uint64_t *expires, void *payload)
{
	while(*cursor / WAYS < s->sets) {
		struct held h;
		unsigned way;

		if(hold(s, *cursor / WAYS, &h) != 0)
			return -EBUSY;
		for(way = *cursor % WAYS; way < WAYS; way++) {
			uint64_t state = state_of(h.set, way);

			if(expires_of(state) <= now)
				continue;
			if(id != NULL)
				*id = h.set->id[way];
			if(expires != NULL)
				*expires = expires_of(state);
			memcpy(payload, payload_of(&h, way), s->payload);
			*cursor = *cursor / WAYS * WAYS + way + 1;
			return let_go(&h, 0);
		}
		*cursor = (*cursor / WAYS + 1) * WAYS;
		let_go(&h, 0);
	}
	return -ENOENT;
}

void tg_store_read_stats(const struct tg_store *s, struct tg_store_stats *out)
{
	uint32_t step = s->sets > SCANNED_SETS ? s->sets / SCANNED_SETS : 1;
	uint64_t index;
	unsigned i;

	memset(out, 0, sizeof(*out));
	for(i = 0; i < STRIPES; i++) {
		struct stripe *c = (struct stripe *)&s->stripe[i];

		out->evicted += atomic_load_explicit(&c->evicted, memory_order_relaxed);
		out->refused += atomic_load_explicit(&c->refused, memory_order_relaxed);
		out->busy += atomic_load_explicit(&c->busy, memory_order_relaxed);
		out->recovered +=
				atomic_load_explicit(&c->recovered, memory_order_relaxed);
	}
	for(index = 0; index < s->sets; index += step)
		for(i = 0; i < WAYS; i++)
			out->used += state_of(&s->set[index], i) != 0;
	out->used *= step;
}

/*
 * Space-saving with a heap and a hash index; see topk.h.
 *
 *   header | entries[k] | heap[k]: entries, lowest count first |
 *          | index[2k and more]: entry + 1 by hash, linear probing |
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/topk.h"

#include <errno.h>
#include <string.h>

#define ENTRIES_MAX 4096
#define SPACE 0x746f706bu

struct entry
{
	uint64_t hash;
	uint64_t count, error;
	uint32_t at; /* position in the heap */
	uint32_t len;
	uint8_t key[TG_TOPK_KEY];
};

struct tg_topk
{
	_Alignas(64) struct tg_hashkey key;
	uint64_t total;
	uint32_t entries, used;
	uint32_t mask; /* index size - 1 */
	struct entry entry[];
};

static uint32_t index_slots(uint32_t entries)
{
	uint32_t slots = 2;

	while(slots < 2 * entries)
		slots <<= 1;
	return slots;
}

static uint32_t *heap_of(const struct tg_topk *t)
{
	return (uint32_t *)(uintptr_t)&t->entry[t->entries];
}

static uint32_t *index_of(const struct tg_topk *t)
{
	return heap_of(t) + t->entries;
}

size_t tg_topk_size(const struct tg_topk_config *cfg)
{
	if(cfg == NULL || cfg->entries < 1 || cfg->entries > ENTRIES_MAX)
		return 0;
	return sizeof(struct tg_topk) + cfg->entries * sizeof(struct entry)
		   + (cfg->entries + index_slots(cfg->entries)) * sizeof(uint32_t);
}

int tg_topk_init(void *mem, size_t size, const struct tg_topk_config *cfg,
		struct tg_topk **out)
{
	size_t need = tg_topk_size(cfg);
	struct tg_topk *t = mem;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0 || need == 0
			|| size < need)
		return -EINVAL;
	t->key = cfg->key;
	t->entries = cfg->entries;
	t->mask = index_slots(cfg->entries) - 1;
	*out = t;
	return 0;
}

/* ---- the index: at most half full ---- */

/* The slot of the key, or the empty slot where it would go. */
static uint32_t find(
		const struct tg_topk *t, uint64_t hash, const void *key, size_t len)
{
	const uint32_t *index = index_of(t);
	uint32_t slot = (uint32_t)hash & t->mask;

	for(; index[slot] != 0; slot = (slot + 1) & t->mask) {
		const struct entry *e = &t->entry[index[slot] - 1];

		if(e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
			break;
	}
	return slot;
}

/* Closes the hole, so that no probe chain is cut (Knuth, TAOCP 3, 6.4 R). */
static void unindex(struct tg_topk *t, uint32_t hole)
{
	uint32_t *index = index_of(t), slot = hole;

	for(;;) {
		uint32_t home;

		index[hole] = 0;
		do {
			slot = (slot + 1) & t->mask;
			if(index[slot] == 0)
				return;
			home = (uint32_t)t->entry[index[slot] - 1].hash & t->mask;
		} while(((slot - home) & t->mask) < ((slot - hole) & t->mask));
		index[hole] = index[slot];
		hole = slot;
	}
}

/* ---- the heap: the lowest count first ---- */

static void place(struct tg_topk *t, uint32_t at, uint32_t entry)
{
	heap_of(t)[at] = entry;
	t->entry[entry].at = at;
}

static void sink(struct tg_topk *t, uint32_t at)
{
	uint32_t *heap = heap_of(t), moving = heap[at];

	for(;;) {
		uint32_t child = 2 * at + 1;

		if(child >= t->used)
			break;
		if(child + 1 < t->used
				&& t->entry[heap[child + 1]].count
						   < t->entry[heap[child]].count)
			child++;
		if(t->entry[heap[child]].count >= t->entry[moving].count)
			break;
		place(t, at, heap[child]);
		at = child;
	}
	place(t, at, moving);
}

static void rise(struct tg_topk *t, uint32_t at)
{
	uint32_t *heap = heap_of(t), moving = heap[at];

	while(at > 0) {
		uint32_t parent = (at - 1) / 2;

		if(t->entry[heap[parent]].count <= t->entry[moving].count)
			break;
		place(t, at, heap[parent]);
		at = parent;
	}
	place(t, at, moving);
}

/* ---- the interface ---- */

uint64_t tg_topk_total(const struct tg_topk *t)
{
	return t->total;
}

uint64_t tg_topk_unlisted(const struct tg_topk *t)
{
	return t->used < t->entries ? 0 : t->entry[heap_of(t)[0]].count;
}

/* Enters a key that is not listed. When all entries are in use, it replaces the
 * one with the lowest count. */
static void enter(struct tg_topk *t, uint64_t hash, const void *key, size_t len,
		uint64_t count, uint64_t error)
{
	struct entry *e;
	uint32_t n = t->used;

	if(n < t->entries) {
		t->used++;
		place(t, n, n);
	} else {
		n = heap_of(t)[0];
		e = &t->entry[n];
		unindex(t, find(t, e->hash, e->key, e->len));
	}
	e = &t->entry[n];
	e->hash = hash;
	e->count = count;
	e->error = error;
	e->len = (uint32_t)len;
	memset(e->key, 0, sizeof(e->key));
	memcpy(e->key, key, len);
	index_of(t)[find(t, hash, key, len)] = n + 1;
	rise(t, e->at);
	sink(t, e->at);
}

int tg_topk_add(struct tg_topk *t, const void *key, size_t len, uint32_t n)
{
	uint64_t hash, least;
	uint32_t found;

	if(key == NULL || len < 1 || len > TG_TOPK_KEY || n == 0)
		return -EINVAL;
	hash = tg_hash_id(&t->key, SPACE, key, len);
	found = index_of(t)[find(t, hash, key, len)];
	t->total += n;
	if(found != 0) {
		t->entry[found - 1].count += n;
		sink(t, t->entry[found - 1].at);
		return 0;
	}
	least = tg_topk_unlisted(t);
	enter(t, hash, key, len, least + n, least);
	return 0;
}

/* Whether `a` is listed behind `b`. */
static int behind(const struct entry *a, const struct entry *b)
{
	int order;

	if(a->count != b->count)
		return a->count < b->count;
	order = memcmp(a->key, b->key, sizeof(a->key));
	return order != 0 ? order > 0 : a->len > b->len;
}

/* Shell sort with Ciura's gaps, lowest count first. A sorted array is a
 * heap. */
static void sort_heap(struct tg_topk *t)
{
	static const uint32_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
	uint32_t *heap = heap_of(t), g, i, at;

	for(g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for(i = gaps[g]; i < t->used; i++) {
			uint32_t moving = heap[i];

			for(at = i;
					at >= gaps[g]
					&& behind(&t->entry[moving], &t->entry[heap[at - gaps[g]]]);
					at -= gaps[g])
				heap[at] = heap[at - gaps[g]];
			heap[at] = moving;
		}
	for(i = 0; i < t->used; i++)
		t->entry[heap[i]].at = i;
}

uint32_t tg_topk_list(
		struct tg_topk *t, struct tg_topk_item *items, uint32_t most)
{
	uint32_t i;

	sort_heap(t);
	for(i = 0; i < most && i < t->used; i++) {
		const struct entry *e = &t->entry[heap_of(t)[t->used - 1 - i]];

		if(e->count == 0) /* faded away by halving */
			break;
		memset(&items[i], 0, sizeof(items[i]));
		items[i].count = e->count;
		items[i].error = e->error;
		items[i].len = e->len;
		memcpy(items[i].key, e->key, sizeof(e->key));
	}
	return i;
}

/*
 * A key that one side does not list may have had as many events there as the
 * lowest key on that side's list. That number is added to the count and to the
 * error. Keys that only `from` lists then replace the lowest ones where they
 * have a higher count. So the k highest remain.
 */
int tg_topk_merge(struct tg_topk *into, const struct tg_topk *from)
{
	uint64_t unlisted = tg_topk_unlisted(into), theirs = tg_topk_unlisted(from);
	uint32_t i, before = into->used;

	if(into == from || into->entries != from->entries)
		return -EINVAL;
	for(i = 0; i < before; i++) {
		struct entry *e = &into->entry[i];
		uint64_t hash = tg_hash_id(&from->key, SPACE, e->key, e->len);
		uint32_t found = index_of(from)[find(from, hash, e->key, e->len)];

		e->count += found ? from->entry[found - 1].count : theirs;
		e->error += found ? from->entry[found - 1].error : theirs;
	}
	sort_heap(into);
	for(i = 0; i < from->used; i++) {
		const struct entry *e = &from->entry[i];
		uint64_t hash = tg_hash_id(&into->key, SPACE, e->key, e->len);

		if(index_of(into)[find(into, hash, e->key, e->len)] == 0
				&& (into->used < into->entries
						|| e->count + unlisted > tg_topk_unlisted(into)))
			enter(into, hash, e->key, e->len, e->count + unlisted,
					e->error + unlisted);
	}
	into->total += from->total;
	return 0;
}

void tg_topk_halve(struct tg_topk *t)
{
	uint32_t i;

	for(i = 0; i < t->used; i++) { /* halving keeps the heap's order */
		struct entry *e = &t->entry[i];

		e->count /= 2;
		e->error = (e->error + 1) / 2;
		if(e->error > e->count)
			e->error = e->count;
	}
	t->total /= 2;
}

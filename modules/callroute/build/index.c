/*
 * Rows by name, and rows of which each is kept once: what the builder looks for
 * while rows come in, so that a load grows no faster than n log n.
 *
 * Memory: 4 B a name, 4 to 8 B a distinct row, until the builder is freed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- by name ---------------------------------------------------------------- */

static const struct callroute_rows *table_of(
		const struct callroute_builder *b, enum callroute_named kind)
{
	return kind == CALLROUTE_NAMED_TRUNK  ? &b->trunks
		   : kind == CALLROUTE_NAMED_PLAN ? &b->plans
										  : &b->groups;
}

static const char *name_of(const struct callroute_builder *b,
		enum callroute_named kind, uint32_t i)
{
	switch(kind) {
		case CALLROUTE_NAMED_TRUNK:
			return CALLROUTE_BUILD(b, struct callroute_build_trunk, trunks)[i]
					.out.name;
		case CALLROUTE_NAMED_PLAN:
			return CALLROUTE_BUILD(b, struct callroute_build_plan, plans)[i]
					.out.name;
		default:
			return (const char *)b->texts.rows
				   + CALLROUTE_BUILD(b, struct callroute_build_group, groups)[i]
							 .out.name;
	}
}

struct sorting
{
	const struct callroute_builder *b;
	enum callroute_named kind;
};

static int by_name(const void *x, const void *y, void *arg)
{
	const struct sorting *s = arg;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	int d = strcmp(name_of(s->b, s->kind, i), name_of(s->b, s->kind, j));

	return d != 0 ? d : i < j ? -1 : i > j;
}

const uint32_t *callroute_names(
		struct callroute_builder *b, enum callroute_named kind)
{
	struct callroute_rows *index = &b->by_name[kind];
	size_t count = table_of(b, kind)->count;
	struct sorting s = {b, kind};
	uint32_t *rows;

	if(index->rows != NULL && index->count == count)
		return index->rows;
	index->count = 0;
	if(callroute_grow(index, sizeof *rows, count + 1) == NULL)
		return NULL;
	index->count = count;
	rows = index->rows;
	for(size_t i = 0; i < count; i++)
		rows[i] = (uint32_t)i;
	qsort_r(rows, count, sizeof *rows, by_name, &s);
	return rows;
}

int callroute_find_named(struct callroute_builder *b, enum callroute_named kind,
		const char *name, size_t len, uint32_t *index)
{
	const uint32_t *rows = callroute_names(b, kind);
	size_t lo = 0, count = table_of(b, kind)->count, hi = count;

	*index = CALLROUTE_NONE;
	if(rows == NULL)
		return -ENOMEM;
	while(lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if(strncmp(name_of(b, kind, rows[mid]), name, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if(lo < count) {
		const char *found = name_of(b, kind, rows[lo]);

		if(strncmp(found, name, len) == 0 && found[len] == '\0')
			*index = rows[lo];
	}
	return 0;
}

/* --- each once -------------------------------------------------------------- */

/* FNV-1a over the 8-byte words; the table only needs them spread. */
static uint64_t hash_words(const void *row, size_t size)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for(size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, (const char *)row + at, sizeof word);
		h = (h ^ word) * 0x100000001b3ULL;
	}
	return h ^ (h >> 29);
}

static int grow_slots(struct callroute_distinct *d, size_t size)
{
	size_t room = d->room ? d->room * 2 : 1024;
	uint32_t *slots = calloc(room, sizeof *slots);

	if(slots == NULL)
		return -ENOMEM;
	for(size_t i = 0; i < d->rows.count; i++) {
		const char *row = (const char *)d->rows.rows + i * size;
		size_t at = hash_words(row, size) & (room - 1);

		while(slots[at] != 0)
			at = (at + 1) & (room - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(d->slots);
	d->slots = slots;
	d->room = room;
	return 0;
}

int callroute_keep_distinct(struct callroute_distinct *d, const void *row,
		size_t size, uint32_t *index)
{
	void *to;
	size_t at;

	if(d->rows.count * 2 >= d->room && grow_slots(d, size) < 0)
		return -ENOMEM;
	at = hash_words(row, size) & (d->room - 1);
	for(; d->slots[at] != 0; at = (at + 1) & (d->room - 1)) {
		*index = d->slots[at] - 1;
		if(memcmp((char *)d->rows.rows + *index * size, row, size) == 0)
			return 0;
	}
	to = callroute_grow(&d->rows, size, 1);
	if(to == NULL)
		return -ENOMEM;
	memcpy(to, row, size);
	*index = (uint32_t)d->rows.count - 1;
	d->slots[at] = *index + 1;
	return 0;
}

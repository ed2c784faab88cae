/*
 * Tables that grow while rows come in, and tables in which each row is kept once.
 *
 * Memory: up to twice the rows, and 4 to 8 B a distinct row, until the builder is
 * freed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *callroute_grow(struct callroute_rows *t, size_t size, size_t n)
{
	if(t->room - t->count < n) {
		size_t room = t->room ? t->room * 2 : 64;
		void *rows;

		while(room - t->count < n)
			room *= 2;
		rows = realloc(t->rows, room * size);
		if(rows == NULL)
			return NULL;
		t->rows = rows;
		t->room = room;
	}
	t->count += n;
	return memset((char *)t->rows + (t->count - n) * size, 0, n * size);
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

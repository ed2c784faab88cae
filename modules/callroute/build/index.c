/*
 * Rows by name: sorted when they are first asked for, so that a load grows no
 * faster than n log n.
 *
 * Memory: 4 B a name, until the builder is freed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/*
 * Names by which an operator refers to a row: each name is unique in its table.
 * The unique key of the database table checks that as well, if it was created.
 *
 * Memory: 88 B a name until the builder is freed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct named
{
	long long id;
	const char *table;
	char name[CALLROUTE_NAME_MAX];
};

int callroute_take_name(struct callroute_builder *b, const char *table,
		long long id, const char *name, char out[CALLROUTE_NAME_MAX])
{
	struct named *n = callroute_grow(&b->names, sizeof *n, 1);

	if(n == NULL)
		return -ENOMEM;
	n->id = id;
	n->table = table;
	tg_row_text(&b->check, table, id, "name", name, 1, n->name, sizeof n->name);
	if(out != NULL)
		memcpy(out, n->name, sizeof n->name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int d = strcmp(x->table, y->table);

	if(d == 0)
		d = strcmp(x->name, y->name);
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

void callroute_check_names(struct callroute_builder *b)
{
	const struct named *n = b->names.rows;

	if(b->names.count > 1)
		qsort(b->names.rows, b->names.count, sizeof *n, by_name);
	for(size_t i = 1; i < b->names.count; i++) {
		if(n[i].name[0] != '\0' && strcmp(n[i].table, n[i - 1].table) == 0
				&& strcmp(n[i].name, n[i - 1].name) == 0)
			tg_row_bad(&b->check,
					"%s id %lld: name '%s' stands there twice (id %lld)",
					n[i].table, n[i].id, n[i].name, n[i - 1].id);
	}
}

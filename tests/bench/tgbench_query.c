/*
 * Prefixes, the trie over them, and the numbers that everybody looks up: half
 * of them are a stored prefix as it is, half go on with digits of their own to
 * a whole number; in random order, the same in every run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "lib/share/region.h"
#include "lib/prefix/trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_NUMBER 15 /* digits, E.164 */

struct tgbench_query *tgbench_queries;
uint32_t tgbench_query_count;
const void *tgbench_trie;
size_t tgbench_trie_bytes;

static struct tg_trie_row *rows;
static uint32_t row_count;
static size_t symbols;

/* Value of a row: its line, from 1. */
static int read_rows(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[64];
	uint32_t room = 0;

	if(in == NULL) {
		LM_ERR("%s cannot be read\n", path);
		return -1;
	}
	row_count = 0;
	symbols = 0;
	while(fgets(line, sizeof line, in) != NULL) {
		size_t len = strcspn(line, "\r\n");

		if(row_count == room) {
			room = room ? 2 * room : 1024;
			rows = realloc(rows, room * sizeof *rows);
			if(rows == NULL)
				break;
		}
		rows[row_count] = (struct tg_trie_row){.prefix = strndup(line, len),
				.len = (uint8_t)len,
				.value = row_count + 1};
		row_count++;
		symbols += len;
	}
	fclose(in);
	return rows != NULL && row_count > 0 ? 0 : -1;
}

/* Into shared memory, as the module's snapshots are. */
static int build_trie(void)
{
	struct tg_region region;
	size_t bound = tg_trie_bound(row_count, symbols), bad = 0;
	int rc;

	qsort(rows, row_count, sizeof *rows, tg_trie_compare);
	if(tg_region_map(&region, bound) < 0)
		return -1;
	rc = tg_trie_build(
			rows, row_count, region.base, bound, &tgbench_trie_bytes, &bad);
	if(rc < 0) {
		LM_ERR("the trie cannot be built: %s, row %zu\n", strerror(-rc), bad);
		return -1;
	}
	tgbench_trie = region.base;
	return 0;
}

static void make_query(struct tgbench_query *q, uint32_t i)
{
	const struct tg_trie_row *row = &rows[tgbench_random() % row_count];
	struct tg_trie_match match;
	char number[WHOLE_NUMBER + 1];
	size_t len = row->len < WHOLE_NUMBER ? row->len : WHOLE_NUMBER;

	memcpy(number, row->prefix, len);
	while(i % 2 && len < WHOLE_NUMBER)
		number[len++] = (char)('0' + tgbench_random() % 10);
	number[len] = '\0';
	snprintf(q->uri, sizeof q->uri, "sip:%s@b", number);
	q->len = (uint8_t)len;
	if(tg_trie_longest(tgbench_trie, number, len, &match) == 0)
		q->want = match.value;
}

int tgbench_load_prefixes(const char *path, uint32_t queries)
{
	if(read_rows(path) < 0 || build_trie() < 0)
		return -1;
	tgbench_queries = calloc(queries, sizeof *tgbench_queries);
	if(tgbench_queries == NULL)
		return -1;
	tgbench_query_count = queries;
	for(uint32_t i = 0; i < queries; i++)
		make_query(&tgbench_queries[i], i);
	return 0;
}

/* tgbench.load file queries -> prefixes, bytes of the trie's image */
void tgbench_rpc_load(rpc_t *rpc, void *ctx)
{
	str path;
	int queries;
	void *h;

	if(rpc->scan(ctx, ".Sd", &path, &queries) < 2 || queries < 2) {
		rpc->fault(ctx, 400, "tgbench.load file queries");
		return;
	}
	if(tgbench_load_prefixes(path.s, (uint32_t)queries) < 0) {
		rpc->fault(ctx, 500, "cannot load %s", path.s);
		return;
	}
	if(rpc->add(ctx, "{", &h) >= 0)
		rpc->struct_add(h, "dd", "prefixes", (int)row_count, "bytes",
				(int)tgbench_trie_bytes);
}

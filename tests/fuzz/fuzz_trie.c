/*
 * Any image that passes tg_trie_check() is safe to walk for any number; any
 * rows are built or refused, and what is built passes the check and finds its
 * own prefixes. The cursor gives the prefixes that walks find, and no others.
 *
 * Build and run, from the top of the tree (clang; `-runs=N` bounds it):
 *   make fuzz F=trie
 *
 * Input: byte 0 = what to do, byte 1 = length of the number, then the number,
 * then the image, or the rows (each: length, that many symbols, a value).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prefix/trie.h"

#define MOST (TG_TRIE_MAX_DIGITS + 1)
#define ROWS 512

static void require(int what)
{
	if(!what)
		abort();
}

static void walk(const void *image, const char *number, size_t len)
{
	struct tg_trie_match all[MOST], some[MOST], one;
	int n = tg_trie_walk(image, number, len, all, MOST), few;

	require(n >= 0 && n <= MOST);
	for(int i = 0; i < n; i++)
		require(all[i].len <= len && all[i].len <= TG_TRIE_MAX_DIGITS
				&& (i == 0 || all[i].len > all[i - 1].len));
	few = tg_trie_walk(image, number, len, some, 2);
	require(few == (n < 2 ? n : 2));
	require(memcmp(some, all + n - few, (size_t)few * sizeof(*all)) == 0);
	require(tg_trie_longest(image, number, len, &one) == (n > 0 ? 0 : -ENOENT));
	require(n == 0 || memcmp(&one, &all[n - 1], sizeof(one)) == 0);
}

/* All prefixes by the cursor: in order, each once, each the one that a walk
 * finds; no more than the image has bytes. Returns how many. */
static size_t each(const void *image, size_t size)
{
	struct tg_trie_cursor cursor;
	struct tg_trie_row row, last = {0};
	char before[TG_TRIE_MAX_DIGITS];
	size_t n = 0;

	tg_trie_first(image, &cursor);
	while(tg_trie_next(&cursor, &row) == 0) {
		struct tg_trie_match m;

		require(++n <= size && row.len <= TG_TRIE_MAX_DIGITS);
		require(n == 1 || tg_trie_compare(&last, &row) < 0);
		require(tg_trie_longest(image, row.prefix, row.len, &m) == 0);
		require(m.len == row.len && m.value == row.value);
		memcpy(before, row.prefix, row.len);
		last = row;
		last.prefix = before;
	}
	require(tg_trie_next(&cursor, &row) == -ENOENT);
	return n;
}

/* The image in memory of exactly its size, for ASan. */
static void try_image(
		const uint8_t *data, size_t size, const char *number, size_t len)
{
	void *image = malloc(size > 0 ? size : 1);

	require(image != NULL);
	memcpy(image, data, size);
	if(tg_trie_check(image, size) == 0) {
		walk(image, number, len);
		each(image, size);
	}
	free(image);
}

static void try_rows(const uint8_t *data, size_t size, int sorted,
		const char *number, size_t len)
{
	struct tg_trie_row rows[ROWS];
	size_t n = 0, at = 0, symbols = 0, used, bad = SIZE_MAX, bound;
	void *image;
	int rc;

	while(n < ROWS && size - at >= 2 && size - at - 2 >= data[at]) {
		rows[n] = (struct tg_trie_row){
				(const char *)data + at + 1, data[at], data[at + 1 + data[at]]};
		symbols += rows[n].len;
		at += rows[n++].len + 2u;
	}
	if(sorted && n > 0)
		qsort(rows, n, sizeof(*rows), tg_trie_compare);
	bound = tg_trie_bound(n, symbols);
	image = malloc(bound);
	require(image != NULL);
	rc = tg_trie_build(rows, n, image, bound, &used, &bad);
	if(rc != 0) {
		require(rc == -EINVAL || rc == -EEXIST || rc == -EDOM);
		require(rc != -EDOM || !sorted);
		require(bad < n);
	} else {
		require(used <= bound && tg_trie_check(image, used) == 0);
		walk(image, number, len);
		require(each(image, used) == n);
		for(size_t i = 0; i < n; i++) {
			struct tg_trie_match m;

			require(tg_trie_longest(image, rows[i].prefix, rows[i].len, &m)
					== 0);
			require(m.len == rows[i].len && m.value == rows[i].value);
		}
	}
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	char *number;

	if(size < 2)
		return 0;
	len = data[1] < size - 2 ? data[1] : size - 2;
	number = malloc(len > 0 ? len : 1);
	require(number != NULL);
	memcpy(number, data + 2, len);
	if(data[0] % 3 == 0)
		try_image(data + 2 + len, size - 2 - len, number, len);
	else
		try_rows(data + 2 + len, size - 2 - len, data[0] % 3 == 1, number, len);
	free(number);
	return 0;
}

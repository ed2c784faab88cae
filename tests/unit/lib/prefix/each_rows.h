/*
 * An image of a set of prefixes, and the rows that going through one gives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_EACH_ROWS_H
#define TESTS_UNIT_EACH_ROWS_H

#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prefix/trie.h"
#include "unit/lib/prefix/prefixes.h"

struct built
{
	void *mem;
	size_t used;
};

/* In memory of exactly its size, so that ASan sees a read beyond it. */
static inline void build(const struct prefixes *p, struct built *b)
{
	size_t bound = tg_trie_bound(p->n, p->symbols);
	void *mem = support_memory(bound);

	assert_int_equal(
			tg_trie_build(p->rows, p->n, mem, bound, &b->used, NULL), 0);
	b->mem = malloc(b->used);
	assert_non_null(b->mem);
	memcpy(b->mem, mem, b->used);
	support_free(mem);
}

static inline void check_same(
		const struct tg_trie_row *a, const struct tg_trie_row *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->prefix, b->prefix, a->len);
	assert_int_equal(a->value, b->value);
}

/* All that an image gives; the order is strict, so nothing comes twice. */
static inline void collect(const void *image, struct prefixes *got)
{
	struct tg_trie_cursor c;
	const struct tg_trie_row before = {"untouched", 9, 7};
	struct tg_trie_row row, end = before;

	memset(&c, 0xee, sizeof(c)); /* first() alone must make it fit */
	tg_trie_first(image, &c);
	while(tg_trie_next(&c, &row) == 0) {
		assert_in_range(row.len, 0, TG_TRIE_MAX_DIGITS);
		assert_ptr_equal(row.prefix, c.prefix);
		prefixes_add(got, row.prefix, row.len);
		got->rows[got->n - 1].value = row.value;
		if(got->n > 1)
			assert_true(tg_trie_compare(
								&got->rows[got->n - 2], &got->rows[got->n - 1])
						< 0);
	}
	for(int i = 0; i < 3; i++)
		assert_int_equal(tg_trie_next(&c, &end), -ENOENT);
	check_same(&end, &before);
}

#endif

/*
 * Going through an image gives back the rows it was built from, in their order,
 * and an image built from those is the same byte for byte. Damaged and forged
 * images that pass tg_trie_check: what comes out is what walks find, no more
 * and no less.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prefix/trie.h"
#include "lib/prefix/trie_image.h"
#include "unit/lib/prefix/prefixes.h"

#define MOST (TG_TRIE_MAX_DIGITS + 1)

struct built
{
	void *mem;
	size_t used;
};

/* In memory of exactly its size, so that ASan sees a read beyond it. */
static void build(const struct prefixes *p, struct built *b)
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

static void check_same(const struct tg_trie_row *a, const struct tg_trie_row *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->prefix, b->prefix, a->len);
	assert_int_equal(a->value, b->value);
}

/* All that an image gives; the order is strict, so nothing comes twice. */
static void collect(const void *image, struct prefixes *got)
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

static void check_set(const struct prefixes *p)
{
	struct prefixes got = {0};
	struct built b, again;

	build(p, &b);
	collect(b.mem, &got);
	assert_int_equal(got.n, p->n);
	for(size_t i = 0; i < p->n; i++)
		check_same(&got.rows[i], &p->rows[i]);
	build(&got, &again);
	assert_int_equal(again.used, b.used);
	assert_memory_equal(again.mem, b.mem, b.used);
	free(again.mem);
	free(b.mem);
	prefixes_free(&got);
}

static void test_no_rows(void **state)
{
	struct prefixes p = {0};

	(void)state;
	check_set(&p);
	prefixes_add(&p, "", 0); /* and the empty prefix alone */
	p.rows[0].value = UINT32_MAX;
	check_set(&p);
	prefixes_free(&p);
}

/* One prefix alone, of each length and with each last symbol. */
static void test_one(void **state)
{
	static const char longest[] = "0123456789*#0123456789*#01234567";

	(void)state;
	for(size_t len = 1; len <= TG_TRIE_MAX_DIGITS; len++)
		for(unsigned s = 0; s < TRIE_SYMBOLS; s++) {
			struct prefixes p = {0};
			char text[TG_TRIE_MAX_DIGITS];

			memcpy(text, longest, len);
			text[len - 1] = PREFIXES_SYMBOLS[s];
			prefixes_add(&p, text, len);
			check_set(&p);
			prefixes_free(&p);
		}
}

/* The deepest stack there is: at each length a prefix, and one that branches off
 * to the last symbol, so that every branch still waits when the end is reached. */
static void test_deepest(void **state)
{
	struct prefixes p = {0};
	char text[TG_TRIE_MAX_DIGITS + 1];

	(void)state;
	memset(text, '0', sizeof(text));
	for(size_t len = 0; len <= TG_TRIE_MAX_DIGITS; len++)
		prefixes_add(&p, text, len);
	for(size_t len = 1; len <= TG_TRIE_MAX_DIGITS; len++) {
		text[len - 1] = '#';
		prefixes_add(&p, text, len);
		text[len - 1] = '0';
	}
	prefixes_sort(&p);
	assert_int_equal(p.n, 65);
	check_set(&p);
	prefixes_free(&p);
}

/* Every string of up to 4 symbols: all of shorts and root, each root full. */
static void test_dense(void **state)
{
	struct prefixes p = {0};

	(void)state;
	for(uint32_t place = 0; place < trie_level[4] + trie_level_size[4];
			place++) {
		char text[4];
		size_t from = sizeof(text);

		for(uint32_t at = place; at > 0; at = (at - 1) / TRIE_SYMBOLS)
			text[--from] = PREFIXES_SYMBOLS[(at - 1) % TRIE_SYMBOLS];
		prefixes_add(&p, text + from, sizeof(text) - from);
	}
	prefixes_sort(&p);
	assert_int_equal(p.n, 22621);
	check_set(&p);
	prefixes_grow(&p, 100000, &(uint64_t){5}); /* and below: a root of 4 */
	check_set(&p);
	prefixes_free(&p);
}

/* Small sets go through every depth of the root and every kind of node; with
 * `symbols` few, prefixes crowd. */
static void test_random(void **state)
{
	uint64_t seed = 21;

	(void)state;
	for(unsigned n = 0; n < 600; n++) {
		struct prefixes sparse = {0}, dense = {0};
		unsigned symbols = 1 + prefixes_below(&seed, TRIE_SYMBOLS);
		unsigned most = 1 + prefixes_below(&seed, TG_TRIE_MAX_DIGITS);

		prefixes_make(&sparse, n, n + 1);
		check_set(&sparse);
		for(unsigned i = 0; i < n; i++) {
			char text[TG_TRIE_MAX_DIGITS];
			size_t len = prefixes_below(&seed, most + 1);

			for(size_t k = 0; k < len; k++)
				text[k] = PREFIXES_SYMBOLS[prefixes_below(&seed, symbols)];
			prefixes_add(&dense, text, len);
		}
		prefixes_sort(&dense);
		check_set(&dense);
		prefixes_free(&sparse);
		prefixes_free(&dense);
	}
	for(unsigned n = 1000; n <= 300000; n *= 3) {
		struct prefixes p = {0};

		prefixes_make(&p, n, n);
		check_set(&p);
		prefixes_free(&p);
	}
}

static void test_real(void **state)
{
	struct prefixes p = {0};
	char dir[] = __FILE__;

	(void)state;
	*strrchr(dir, '/') = '\0';
	assert_int_equal(prefixes_real(&p, dir), 0);
	prefixes_sort(&p);
	check_set(&p);
	prefixes_free(&p);
}

/* Two images side by side, as a merge uses them: each cursor keeps its own
 * prefix, and none needs the heap: the failure armed for the first allocation is
 * still armed at the end. A third of the rows is in both. */
static void test_merge(void **state)
{
	struct prefixes all = {0}, part[2] = {{0}, {0}};
	struct tg_trie_cursor c[2];
	struct tg_trie_row row[2];
	struct built b[2];
	int more[2];
	size_t n = 0;

	(void)state;
	prefixes_make(&all, 5000, 31);
	for(size_t i = 0; i < all.n; i++)
		for(unsigned k = 0; k < 2; k++)
			if(i % 3 != k) {
				prefixes_add(&part[k], all.rows[i].prefix, all.rows[i].len);
				part[k].rows[part[k].n - 1].value = all.rows[i].value;
			}
	for(unsigned k = 0; k < 2; k++)
		build(&part[k], &b[k]);
	support_fail_alloc(1);
	for(unsigned k = 0; k < 2; k++) {
		tg_trie_first(b[k].mem, &c[k]);
		more[k] = tg_trie_next(&c[k], &row[k]) == 0;
	}
	while(more[0] || more[1]) {
		int order = !more[0]   ? 1
					: !more[1] ? -1
							   : tg_trie_compare(&row[0], &row[1]);
		int use[2] = {order <= 0, order >= 0};

		assert_true(n < all.n);
		for(unsigned k = 0; k < 2; k++) {
			assert_int_equal(use[k], n % 3 != k);
			if(use[k]) {
				check_same(&row[k], &all.rows[n]);
				more[k] = tg_trie_next(&c[k], &row[k]) == 0;
			}
		}
		n++;
	}
	assert_null(malloc(1));
	assert_int_equal(n, all.n);
	assert_true(sizeof(c[0]) <= 1024);
	for(unsigned k = 0; k < 2; k++) {
		free(b[k].mem);
		prefixes_free(&part[k]);
	}
	prefixes_free(&all);
}

/* Numbers made of the prefixes `from`, one symbol of each changed, get the same
 * matches in both images. */
static void check_walks_agree(const void *a, const void *b,
		const struct prefixes *from, uint64_t *seed)
{
	for(size_t i = 0; i < from->n; i++) {
		const struct tg_trie_row *row = &from->rows[i];
		struct tg_trie_match x[MOST], y[MOST];
		char number[TG_TRIE_MAX_DIGITS];
		int n;

		for(unsigned k = 0; k < sizeof(number); k++)
			number[k] = PREFIXES_SYMBOLS[prefixes_below(seed, 12)];
		for(unsigned k = 0, other = prefixes_below(seed, MOST); k < row->len;
				k++)
			if(k != other)
				number[k] = row->prefix[k];
		n = tg_trie_walk(a, number, sizeof(number), x, MOST);
		assert_int_equal(tg_trie_walk(b, number, sizeof(number), y, MOST), n);
		assert_memory_equal(x, y, (size_t)n * sizeof(*x));
	}
}

/* What comes out is in the image, for the longest match is the prefix itself;
 * and all of it comes out, for an image of what came out answers walks as the
 * first one does, those for the prefixes `likely` too. */
static void check_against_walks(
		const void *image, const struct prefixes *likely, uint64_t *seed)
{
	struct prefixes got = {0};
	struct built again;

	collect(image, &got);
	build(&got, &again);
	for(size_t i = 0; i < got.n; i++) {
		const struct tg_trie_row *row = &got.rows[i];
		struct tg_trie_match one;

		assert_int_equal(
				tg_trie_longest(image, row->prefix, row->len, &one), 0);
		assert_int_equal(one.len, row->len);
		assert_int_equal(one.value, row->value);
	}
	check_walks_agree(image, again.mem, &got, seed);
	check_walks_agree(image, again.mem, likely, seed);
	free(again.mem);
	prefixes_free(&got);
}

static void test_damage(void **state)
{
	struct prefixes p = {0};
	struct built b;
	uint64_t seed = 41;
	unsigned passed = 0, changed = 0;

	(void)state;
	prefixes_make(&p, 600, 12);
	build(&p, &b);
	for(unsigned i = 0; i < 3000; i++) {
		unsigned char *copy = malloc(b.used);

		assert_non_null(copy);
		memcpy(copy, b.mem, b.used);
		for(unsigned k = prefixes_below(&seed, 4) + 1; k > 0; k--)
			copy[prefixes_below(&seed, (uint32_t)b.used)] =
					(unsigned char)prefixes_random(&seed);
		if(tg_trie_check(copy, b.used) == 0) {
			passed++;
			changed += memcmp(copy, b.mem, b.used) != 0;
			check_against_walks(copy, &p, &seed);
		}
		free(copy);
	}
	assert_in_range(passed, 100, 2999);
	assert_in_range(changed, 100, passed);
	free(b.mem);
	prefixes_free(&p);
}

struct forged
{
	struct trie_header head;
	struct trie_root root;
	struct trie_node node[8];
};

/* What a forged image gives: a prefix of `len`, or nothing (-1). */
static void expect_forged(const struct forged *f, int len)
{
	struct tg_trie_cursor c;
	struct tg_trie_row row;

	assert_int_equal(tg_trie_check(f, sizeof(*f)), 0);
	tg_trie_first(f, &c);
	assert_int_equal(tg_trie_next(&c, &row), len < 0 ? -ENOENT : 0);
	if(len >= 0) {
		assert_int_equal(row.len, len);
		assert_int_equal(tg_trie_next(&c, &row), -ENOENT);
	}
}

/* Five skips of 6 symbols, then, at 30, the nodes that stand at the limit of
 * what is walked; behind it check does not look, and nothing may be read. */
static void test_limits(void **state)
{
	const uint32_t skip = TRIE_RUN | 6u << TRIE_RUN_SHIFT,
				   tail = TRIE_RUN | TRIE_ENDS;
	const struct trie_node wild = {0xffffffff, 0xffffffff};
	struct forged f = {.head = {TRIE_MAGIC, 0, 16}, .root.node = {skip, 0}};

	(void)state;
	for(uint32_t i = 0; i < 4; i++)
		f.node[i] = (struct trie_node){skip, (i + 1) * TRIE_NODE_WORDS};
	f.node[5] = wild;

	f.node[4] = (struct trie_node){tail | 2u << TRIE_RUN_SHIFT, 9};
	expect_forged(&f, 32); /* a tail that just fits */
	f.node[4].bits = tail | 3u << TRIE_RUN_SHIFT;
	expect_forged(&f, -1); /* and one that does not */
	f.node[4] = (struct trie_node){TRIE_RUN | 2u << TRIE_RUN_SHIFT, 10};
	expect_forged(&f, -1); /* a skip that ends at the limit */
	f.node[5].bits = tail; /* nor may the run of no symbols behind it count */
	expect_forged(&f, -1);
	f.node[5] = wild;
	f.node[4].bits = skip;
	expect_forged(&f, -1); /* a skip beyond the limit */

	/* one more symbol, then a branch at 31: its value counts, not its child */
	f.node[4] = (struct trie_node){TRIE_RUN | 1u << TRIE_RUN_SHIFT, 12};
	f.node[6] = (struct trie_node){0x00010001, 10};
	expect_forged(&f, 32);
	f.node[6].bits = 1;
	expect_forged(&f, -1);
}

/* Symbols that are none, in skips and tails, at each place of the run. */
static void test_bad_symbols(void **state)
{
	struct forged f = {.head = {TRIE_MAGIC, 0, 16}};

	(void)state;
	f.node[0] = (struct trie_node){0x00010000, 0};
	for(uint32_t run = 1; run <= TRIE_MAX_RUN; run++)
		for(uint32_t at = 0; at < run; at++)
			for(uint32_t s = 11; s < 16; s++) {
				uint32_t bits =
						TRIE_RUN | run << TRIE_RUN_SHIFT | s << (4 * at);
				int real = s < TRIE_SYMBOLS;

				f.root.node = (struct trie_node){bits, 0};
				expect_forged(&f, real ? (int)run + 1 : -1);
				f.root.node.bits = bits | TRIE_ENDS;
				expect_forged(&f, real ? (int)run : -1);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_no_rows),
			cmocka_unit_test(test_one),
			cmocka_unit_test(test_deepest),
			cmocka_unit_test(test_dense),
			cmocka_unit_test(test_random),
			cmocka_unit_test(test_real),
			cmocka_unit_test(test_merge),
			cmocka_unit_test(test_damage),
			cmocka_unit_test(test_limits),
			cmocka_unit_test(test_bad_symbols),
	};

	return cmocka_run_group_tests_name("trie_each", tests, NULL, NULL);
}

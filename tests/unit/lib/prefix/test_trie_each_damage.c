/*
 * Going through damaged and forged images that pass tg_trie_check: what comes out
 * is what walks find, no more and no less.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/prefix/each_rows.h"

#include "lib/prefix/trie_image.h"

#define MOST (TG_TRIE_MAX_DIGITS + 1)

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
			cmocka_unit_test(test_damage),
			cmocka_unit_test(test_limits),
			cmocka_unit_test(test_bad_symbols),
	};

	return cmocka_run_group_tests_name("trie_each_damage", tests, NULL, NULL);
}

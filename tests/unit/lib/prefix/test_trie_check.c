/*
 * What tg_trie_check() lets pass is safe to walk: images damaged at random, each
 * field of an image set one too high, and forged ones that would take ages.
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

static void build(const struct prefixes *p, struct built *b)
{
	size_t bound = tg_trie_bound(p->n, p->symbols);

	b->mem = support_memory(bound);
	assert_int_equal(
			tg_trie_build(p->rows, p->n, b->mem, bound, &b->used, NULL), 0);
	assert_int_equal(tg_trie_check(b->mem, b->used), 0);
}

/* As many digits as a walk looks at, the first ones those of a prefix. */
static void make_number(const struct prefixes *p, uint64_t *seed, char *text)
{
	const struct tg_trie_row *row =
			&p->rows[prefixes_below(seed, (uint32_t)p->n)];

	for(unsigned i = 0; i < TG_TRIE_MAX_DIGITS; i++)
		text[i] = i < row->len ? row->prefix[i]
							   : PREFIXES_SYMBOLS[prefixes_below(seed, 12)];
}

/* Damaged images: what passes the check is safe to walk (ASan is the judge),
 * and damage to any index is found often enough to know the check works. */
static void test_damage(void **state)
{
	struct prefixes p = {0};
	struct built b;
	uint64_t seed = 11;
	unsigned refused = 0;

	(void)state;
	prefixes_make(&p, 600, 12);
	build(&p, &b);
	for(size_t cut = 0; cut < b.used; cut++)
		assert_int_equal(tg_trie_check(b.mem, cut), -EBADMSG);
	for(unsigned i = 0; i < 20000; i++) {
		struct tg_trie_match got[MOST];
		unsigned char *copy = support_memory(b.used);
		char text[TG_TRIE_MAX_DIGITS];

		memcpy(copy, b.mem, b.used);
		for(unsigned k = prefixes_below(&seed, 4) + 1; k > 0; k--)
			copy[prefixes_below(&seed, (uint32_t)b.used)] =
					(unsigned char)prefixes_random(&seed);
		if(tg_trie_check(copy, b.used) == 0) {
			int n;

			make_number(&p, &seed, text);
			n = tg_trie_walk(copy, text, sizeof(text), got, MOST);

			assert_in_range(n, 0, MOST);
		} else {
			refused++;
		}
		support_free(copy);
	}
	assert_in_range(refused, 2000, 19999);
	support_free(b.mem);
	prefixes_free(&p);
}

static void expect_unsound(
		const struct built *b, const uint32_t *at, uint32_t bad)
{
	uint32_t *field = (uint32_t *)at, good = *field;

	*field = bad;
	assert_int_equal(tg_trie_check(b->mem, b->used), -EBADMSG);
	*field = good;
}

/* Damages each field of a node and of all below it. Counts the kinds met. */
static void damage_node(const struct built *b, const struct trie_view *t,
		const struct trie_node *node, unsigned met[3])
{
	uint32_t bits = node->bits, words = t->head->words, children, block;

	if(bits & TRIE_RUN) {
		uint32_t no_run = bits & ~(7u << TRIE_RUN_SHIFT);

		expect_unsound(b, &node->bits, no_run);
		expect_unsound(b, &node->bits, no_run | 7u << TRIE_RUN_SHIFT);
		expect_unsound(b, &node->bits, bits | 0x08000000);
		expect_unsound(b, &node->bits, bits | 0x20000000);
		met[bits & TRIE_ENDS ? 2 : 1]++;
		if(bits & TRIE_ENDS)
			return;
		children = 1;
		block = TRIE_NODE_WORDS;
	} else {
		children = (unsigned)__builtin_popcount(bits & TRIE_CHILDREN);
		block = children * TRIE_NODE_WORDS
				+ (unsigned)__builtin_popcount(bits & TRIE_VALUES);
		expect_unsound(b, &node->bits, bits | 0x1000);
		expect_unsound(b, &node->bits, bits | 0x8000);
		expect_unsound(b, &node->bits, bits | 0x10000000);
		expect_unsound(b, &node->bits, bits | 0x40000000);
		met[0]++;
	}
	if(block > 0)
		expect_unsound(b, &node->base, words - block + 1);
	expect_unsound(b, &node->base, UINT32_MAX);
	for(uint32_t i = 0; i < children; i++)
		damage_node(
				b, t, trie_node_at(t, node->base + i * TRIE_NODE_WORDS), met);
}

/* Each field of an image, one beyond what it may be. */
static void test_check_limits(void **state)
{
	struct prefixes p = {0};
	unsigned met[3] = {0};
	struct built b;
	struct trie_view t;
	uint32_t words;

	(void)state;
	prefixes_make(&p, 600, 13);
	build(&p, &b);
	t = trie_open(b.mem);
	words = t.head->words;
	assert_true(t.head->root_depth > 0);
	for(uint32_t i = 0; i < trie_level[t.head->root_depth]; i++)
		expect_unsound(&b, &t.shorts[i], words + 1);
	for(uint32_t i = 0; i < trie_level_size[t.head->root_depth]; i++) {
		expect_unsound(&b, &t.root[i].value, words + 1);
		if(t.root[i].node.bits != 0)
			damage_node(&b, &t, &t.root[i].node, met);
	}
	assert_true(met[0] > 50 && met[1] > 5 && met[2] > 50);
	expect_unsound(&b, &t.head->magic, TRIE_MAGIC + 1);
	expect_unsound(&b, &t.head->root_depth, TRIE_MAX_ROOT + 1);
	expect_unsound(&b, &t.head->words, words + 1);
	support_free(b.mem);
	prefixes_free(&p);
}

/* A forged image in which every node leads to two that are one and the same:
 * 2^32 paths. The check must give up long before it has walked them. */
static void test_check_is_bounded(void **state)
{
	struct
	{
		struct trie_header head;
		struct trie_root root;
		struct trie_node node[80];
	} image = {.head = {TRIE_MAGIC, 0, 160}};

	(void)state;
	image.root.node = (struct trie_node){3, 0};
	for(uint32_t i = 0; i < 78; i++)
		image.node[i] = (struct trie_node){3, (i / 2 + 1) * 4};
	assert_int_equal(tg_trie_check(&image, sizeof(image)), -EBADMSG);
	for(uint32_t i = 0; i < 80; i++) /* and one that loops */
		image.node[i] = (struct trie_node){3, 0};
	assert_int_equal(tg_trie_check(&image, sizeof(image)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_damage),
			cmocka_unit_test(test_check_limits),
			cmocka_unit_test(test_check_is_bounded),
	};

	return cmocka_run_group_tests_name("trie_check", tests, NULL, NULL);
}

/*
 * The trie against an oracle that knows nothing of tries: binary search in the
 * sorted rows, once for each length of the number. Real prefixes, a million
 * random ones, and the awkward small sets; then bad rows and too little room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prefix/trie.h"
#include "unit/lib/prefix/prefixes.h"

#define MOST (TG_TRIE_MAX_DIGITS + 1)

struct built
{
	void *mem;
	size_t used;
};

static void build(const struct prefixes *p, struct built *b)
{
	size_t bound = tg_trie_bound(p->n, p->symbols), bad = SIZE_MAX;

	b->mem = support_memory(bound);
	assert_int_equal(
			tg_trie_build(p->rows, p->n, b->mem, bound, &b->used, &bad), 0);
	assert_int_equal(bad, SIZE_MAX);
	assert_true(b->used <= bound);
	assert_int_equal(tg_trie_check(b->mem, b->used), 0);
}

static const struct tg_trie_row *oracle_find(
		const struct prefixes *p, const char *number, unsigned len)
{
	struct tg_trie_row key = {number, (uint8_t)len, 0};

	return p->n == 0 ? NULL
					 : bsearch(&key, p->rows, p->n, sizeof(*p->rows),
							 tg_trie_compare);
}

static int oracle_walk(const struct prefixes *p, const char *number, size_t len,
		struct tg_trie_match *out)
{
	int n = 0;

	for(unsigned l = 0; l <= len && l <= TG_TRIE_MAX_DIGITS; l++) {
		const struct tg_trie_row *row;

		if(l > 0
				&& (number[l - 1] == '\0'
						|| !strchr(PREFIXES_SYMBOLS, number[l - 1])))
			break;
		row = oracle_find(p, number, l);
		if(row != NULL)
			out[n++] = (struct tg_trie_match){row->value, l};
	}
	return n;
}

/* The number stands in memory of exactly its length, so that ASan sees a read
 * beyond it. */
static void check_number(const struct prefixes *p, const struct built *b,
		const char *text, size_t len)
{
	struct tg_trie_match want[MOST], got[MOST + 1], one;
	char *number = malloc(len > 0 ? len : 1);
	int n, max, kept;

	assert_non_null(number);
	memcpy(number, text, len);
	n = oracle_walk(p, number, len, want);
	for(max = 0; max <= MOST; max += max < 3 ? 1 : MOST - 3) {
		memset(got, 0xee, sizeof(got));
		kept = n < max ? n : max;
		assert_int_equal(tg_trie_walk(b->mem, number, len, got, max), kept);
		assert_memory_equal(got, want + n - kept, kept * sizeof(*got));
		assert_int_equal(got[kept].len, 0xeeeeeeee);
	}
	assert_int_equal(
			tg_trie_longest(b->mem, number, len, &one), n > 0 ? 0 : -ENOENT);
	if(n > 0)
		assert_memory_equal(&one, &want[n - 1], sizeof(one));
	free(number);
}

/* A stored prefix with random digits behind it, cut anywhere; now and then one
 * byte is anything at all. */
static size_t make_number(const struct prefixes *p, uint64_t *seed, char *text)
{
	size_t len = prefixes_below(seed, 45), from = 0;

	if(p->n > 0 && prefixes_below(seed, 8) != 0) {
		const struct tg_trie_row *row =
				&p->rows[prefixes_below(seed, (uint32_t)p->n)];

		from = row->len;
		memcpy(text, row->prefix, from);
		len = from + prefixes_below(seed, 14);
		if(prefixes_below(seed, 8) == 0)
			len = prefixes_below(seed, (uint32_t)from + 1);
	}
	for(size_t i = from; i < len; i++)
		text[i] = PREFIXES_SYMBOLS[prefixes_below(
				seed, prefixes_below(seed, 4) == 0 ? 12 : 10)];
	if(len > 0 && prefixes_below(seed, 10) == 0)
		text[prefixes_below(seed, (uint32_t)len)] =
				(char)prefixes_below(seed, 256);
	return len;
}

static void check_set(const struct prefixes *p, unsigned numbers, uint64_t seed)
{
	struct built b;
	char text[TG_TRIE_MAX_DIGITS + 64];

	build(p, &b);
	for(unsigned i = 0; i < numbers; i++)
		check_number(p, &b, text, make_number(p, &seed, text));
	/* every stored prefix, as the number itself */
	for(size_t i = 0; i < p->n; i++) {
		struct tg_trie_match one;

		assert_int_equal(
				tg_trie_longest(b.mem, p->rows[i].prefix, p->rows[i].len, &one),
				0);
		assert_int_equal(one.value, p->rows[i].value);
		assert_int_equal(one.len, p->rows[i].len);
	}
	support_free(b.mem);
}

static void test_real(void **state)
{
	struct prefixes p = {0};
	char dir[] = __FILE__;

	(void)state;
	*strrchr(dir, '/') = '\0';
	assert_int_equal(prefixes_real(&p, dir), 0);
	prefixes_sort(&p);
	assert_true(p.n > 100000);
	check_set(&p, 300000, 1);
	prefixes_free(&p);
}

static void test_million(void **state)
{
	struct prefixes p = {0};

	(void)state;
	prefixes_make(&p, 1000000, 2);
	check_set(&p, 300000, 3);
	prefixes_free(&p);
}

/* Small sets go through every depth of the root. */
static void test_small_sets(void **state)
{
	(void)state;
	for(unsigned n = 0; n < 300; n++) {
		struct prefixes p = {0};

		prefixes_make(&p, n, n + 1);
		check_set(&p, 200, n + 1);
		prefixes_free(&p);
	}
	for(unsigned n = 500; n <= 100000; n *= 3) {
		struct prefixes p = {0};

		prefixes_make(&p, n, n);
		check_set(&p, 5000, n);
		prefixes_free(&p);
	}
}

static void test_no_rows(void **state)
{
	struct prefixes p = {0};
	struct tg_trie_match m;
	struct built b;

	(void)state;
	build(&p, &b);
	assert_int_equal(tg_trie_walk(b.mem, "4930", 4, &m, 1), 0);
	assert_int_equal(tg_trie_longest(b.mem, "", 0, &m), -ENOENT);
	support_free(b.mem);
}

/* One prefix of each length, each behind the others: 33 matches in one walk. */
static void test_chain(void **state)
{
	static const char longest[] = "0123456789*#0123456789*#01234567";
	struct tg_trie_match got[MOST];
	struct prefixes p = {0};
	struct built b;

	(void)state;
	for(unsigned len = 0; len <= TG_TRIE_MAX_DIGITS; len++)
		prefixes_add(&p, longest, len);
	build(&p, &b);
	assert_int_equal(tg_trie_walk(b.mem, longest, 32, got, MOST), MOST);
	for(unsigned i = 0; i < MOST; i++) {
		assert_int_equal(got[i].len, i);
		assert_int_equal(got[i].value, i);
	}
	/* symbols beyond the longest prefix are not looked at */
	assert_int_equal(tg_trie_walk(b.mem, "0123456789*#0123456789*#01234567xyz",
							 35, got, 1),
			1);
	assert_int_equal(got[0].len, 32);
	support_free(b.mem);
	prefixes_free(&p);
}

/* Any 32 bits may be a value. */
static void test_values(void **state)
{
	static const uint32_t largest[] = {0, 1, 0xff, 0x100, 0xffff, 0x10000,
			0xffffff, 0x1000000, 0xffffffff};

	(void)state;
	for(unsigned i = 0; i < sizeof(largest) / sizeof(*largest); i++) {
		struct prefixes p = {0};

		prefixes_add(&p, "1", 1);
		prefixes_add(&p, "12", 2);
		prefixes_add(&p, "2", 1);
		p.rows[0].value = p.rows[2].value = largest[i];
		p.rows[1].value = largest[i] / 3;
		check_set(&p, 50, 5);
		prefixes_free(&p);
	}
}

static void expect_bad(
		const struct tg_trie_row *rows, size_t n, int rc, size_t row)
{
	unsigned char mem[4096], before[4096];
	size_t used = 77, bad = SIZE_MAX;

	memset(mem, 0x5a, sizeof(mem));
	memcpy(before, mem, sizeof(mem));
	assert_int_equal(tg_trie_build(rows, n, mem, sizeof(mem), &used, &bad), rc);
	assert_int_equal(bad, row);
	assert_int_equal(used, 77);
	assert_memory_equal(mem, before, sizeof(mem));
	assert_int_equal(tg_trie_build(rows, n, mem, sizeof(mem), &used, NULL), rc);
}

static void test_bad_rows(void **state)
{
	static const char long_one[] = "012345678901234567890123456789012";
	const struct tg_trie_row symbol[] = {{"1", 1, 0}, {"1a", 2, 0}},
							 plus[] = {{"+49", 3, 0}},
							 nul[] = {{"1", 1, 0}, {"2\0", 2, 0}},
							 high[] = {{"\xff", 1, 0}},
							 longer[] = {{"0", 1, 0}, {long_one, 33, 0}},
							 twice[] = {{"1", 1, 0}, {"12", 2, 1},
									 {"12", 2, 2}},
							 empty[] = {{"", 0, 0}, {"", 0, 0}},
							 order[] = {{"1", 1, 0}, {"3", 1, 0}, {"2", 1, 0}},
							 behind[] = {{"12", 2, 0}, {"1", 1, 0}},
							 star[] = {{"#", 1, 0}, {"*", 1, 0}};

	(void)state;
	expect_bad(symbol, 2, -EINVAL, 1);
	expect_bad(plus, 1, -EINVAL, 0);
	expect_bad(nul, 2, -EINVAL, 1);
	expect_bad(high, 1, -EINVAL, 0);
	expect_bad(longer, 2, -EINVAL, 1);
	expect_bad(twice, 3, -EEXIST, 2);
	expect_bad(empty, 2, -EEXIST, 1);
	expect_bad(order, 3, -EDOM, 2);
	expect_bad(behind, 2, -EDOM, 1);
	expect_bad(star, 2, -EDOM, 1);
}

/* Build needs exactly what it says it used: with less it refuses and writes
 * nothing (ASan watches the end), with a crooked address too. */
static void test_space(void **state)
{
	struct prefixes p = {0};
	struct built b;
	size_t used;

	(void)state;
	prefixes_make(&p, 1000, 9);
	build(&p, &b);
	for(size_t size = 0; size < b.used; size += 97) {
		char *mem = support_memory(size ? size : 1);

		assert_int_equal(
				tg_trie_build(p.rows, p.n, mem, size, &used, NULL), -ENOSPC);
		support_free(mem);
	}
	assert_int_equal(tg_trie_build(p.rows, p.n, b.mem, b.used, &used, NULL), 0);
	assert_int_equal(used, b.used);
	assert_int_equal(tg_trie_build(p.rows, p.n, (char *)b.mem + 1, b.used - 1,
							 &used, NULL),
			-ENOSPC);
	assert_true(tg_trie_bound(SIZE_MAX / 2, SIZE_MAX / 2) == SIZE_MAX);
	support_free(b.mem);
	prefixes_free(&p);
}

/* Build promises to live without the heap: the failure armed for the first
 * allocation is still armed when it is done. */
static void test_no_heap(void **state)
{
	struct prefixes p = {0};
	struct built b;
	size_t bound;
	int rc;

	(void)state;
	prefixes_make(&p, 2000, 10);
	bound = tg_trie_bound(p.n, p.symbols);
	b.mem = support_memory(bound);
	support_fail_alloc(1);
	rc = tg_trie_build(p.rows, p.n, b.mem, bound, &b.used, NULL);
	assert_null(malloc(1));
	assert_int_equal(rc, 0);
	assert_int_equal(tg_trie_check(b.mem, b.used), 0);
	support_free(b.mem);
	prefixes_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_no_rows),
			cmocka_unit_test(test_chain),
			cmocka_unit_test(test_values),
			cmocka_unit_test(test_small_sets),
			cmocka_unit_test(test_bad_rows),
			cmocka_unit_test(test_space),
			cmocka_unit_test(test_no_heap),
			cmocka_unit_test(test_real),
			cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests_name("trie", tests, NULL, NULL);
}

/*
 * Going through an image gives back the rows it was built from, in their order,
 * and an image built from those is the same byte for byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/prefix/each_rows.h"

#include "lib/prefix/trie_image.h"

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
	};

	return cmocka_run_group_tests_name("trie_each", tests, NULL, NULL);
}

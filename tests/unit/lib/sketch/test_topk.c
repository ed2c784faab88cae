/*
 * Space-saving against exact counts: what is guaranteed to be listed, and how
 * far off the counts are; alone, merged and faded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/random.h"

#include "lib/sketch/topk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
	K = 100,
	KEYS = 20000,
	EVENTS = 300000
};

static struct tg_topk *topk(uint32_t entries, uint64_t node)
{
	struct tg_topk_config cfg = {entries, {node, 1}};
	size_t size = tg_topk_size(&cfg);
	struct tg_topk *t = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_topk_init(support_memory(size), size, &cfg, &t), 0);
	return t;
}

static void add(struct tg_topk *t, uint32_t k, uint32_t n)
{
	char key[24];
	int len = snprintf(key, sizeof(key), "+44%u", k);

	assert_int_equal(tg_topk_add(t, key, (size_t)len, n), 0);
}

static uint32_t key_of(const struct tg_topk_item *item)
{
	char key[TG_TOPK_KEY + 1] = "";

	assert_in_range(item->len, 4, 23);
	memcpy(key, item->key, item->len);
	return (uint32_t)strtoul(key + 3, NULL, 10);
}

static void refuses_bad_arguments(void **state)
{
	struct tg_topk_config cfg = {0, {1, 2}};
	struct tg_topk *t, *other = topk(11, 1);
	char *mem = support_memory(8192);
	char key[65] = "";

	(void)state;
	assert_int_equal(tg_topk_size(&cfg), 0);
	cfg.entries = 4097;
	assert_int_equal(tg_topk_size(&cfg), 0);
	cfg.entries = 10;
	assert_int_equal(tg_topk_init(mem + 8, 8000, &cfg, &t), -EINVAL);
	assert_int_equal(
			tg_topk_init(mem, tg_topk_size(&cfg) - 1, &cfg, &t), -EINVAL);
	assert_int_equal(tg_topk_init(mem, 8192, &cfg, &t), 0);
	assert_int_equal(tg_topk_add(t, key, 0, 1), -EINVAL);
	assert_int_equal(tg_topk_add(t, key, 65, 1), -EINVAL);
	assert_int_equal(tg_topk_add(t, NULL, 1, 1), -EINVAL);
	assert_int_equal(tg_topk_add(t, key, 1, 0), -EINVAL);
	assert_int_equal(tg_topk_merge(t, other), -EINVAL);
	assert_int_equal(tg_topk_merge(t, t), -EINVAL);
	assert_int_equal(tg_topk_total(t), 0);
	support_free(other);
	support_free(mem);
}

/* Keys of every length, which start alike and end in zeros. */
static void is_exact_while_it_has_room(void **state)
{
	struct tg_topk *t = topk(64, 1);
	struct tg_topk_item items[64];
	uint8_t key[TG_TOPK_KEY] = "";
	uint32_t round, len, i;

	(void)state;
	for(round = 0; round < 3; round++)
		for(len = 1; len <= 64; len++)
			assert_int_equal(tg_topk_add(t, key, len, len < 60 ? len : 7), 0);
	assert_int_equal(tg_topk_list(t, items, 64), 64);
	for(i = 0; i < 64; i++) {
		assert_int_equal(items[i].error, 0);
		assert_int_equal(
				items[i].count, 3 * (items[i].len < 60 ? items[i].len : 7));
		if(i > 0) /* equal ones by their bytes: the shorter first */
			assert_true(items[i].count < items[i - 1].count
						|| (items[i].count == items[i - 1].count
								&& items[i].len > items[i - 1].len));
	}
	assert_int_equal(tg_topk_list(t, items, 5), 5);
	assert_int_equal(items[0].len, 59);
	assert_int_equal(items[4].len, 55);
	support_free(t);
}

/* Checks all that is promised against the exact counts; prints the error. */
static void check(struct tg_topk *t, const uint64_t *exact, uint64_t total,
		const char *name)
{
	static struct tg_topk_item items[K];
	static uint8_t listed[KEYS];
	uint32_t n = tg_topk_list(t, items, K), i, frequent = 0, right = 0;
	uint64_t worst = 0;

	memset(listed, 0, sizeof(listed));
	assert_int_equal(tg_topk_total(t), total);
	for(i = 0; i < n; i++) {
		uint32_t k = key_of(&items[i]);

		assert_true(k < KEYS && !listed[k]);
		listed[k] = 1;
		assert_in_range(
				exact[k], items[i].count - items[i].error, items[i].count);
		assert_true(items[i].error <= total / K);
		assert_true(i == 0 || items[i].count <= items[i - 1].count);
		if(i < 10) {
			right += k < 10;
			if(items[i].count - exact[k] > worst)
				worst = items[i].count - exact[k];
		}
	}
	assert_true(tg_topk_unlisted(t) <= total / K);
	for(i = 0; i < KEYS; i++) {
		if(!listed[i])
			assert_true(exact[i] <= tg_topk_unlisted(t));
		frequent += exact[i] > total / K;
		if(exact[i] > total / K)
			assert_true(listed[i]);
	}
	print_message("%s: %u keys over N/k, all listed; of the 10 highest %u "
				  "right, worst count over by %.2f %% of "
				  "the tenth's\n",
			name, frequent, right, 100.0 * (double)worst / (double)exact[9]);
}

static void lists_what_is_frequent(void **state)
{
	static const double slopes[] = {0.8, 1.0, 1.2, 1.5};
	double *sums = calloc(KEYS, sizeof(*sums));
	unsigned s;

	(void)state;
	assert_non_null(sums);
	for(s = 0; s < 4; s++) {
		struct tg_topk *t = topk(K, s);
		uint64_t *exact = calloc(KEYS, sizeof(*exact));
		uint64_t seed = s, total = 0;
		uint32_t i;
		char name[32];

		assert_non_null(exact);
		zipf_prepare(sums, KEYS, slopes[s]);
		for(i = 0; i < EVENTS; i++) {
			uint32_t k = random_zipf(&seed, sums, KEYS);
			uint32_t n = 1 + random_below(&seed, 3);

			add(t, k, n);
			exact[k] += n;
			total += n;
			if(i % 50000 == 0) { /* listing between disturbs nothing */
				struct tg_topk_item one;

				assert_int_equal(tg_topk_list(t, &one, 1), 1);
			}
		}
		snprintf(name, sizeof(name), "Zipf %.1f", slopes[s]);
		check(t, exact, total, name);
		free(exact);
		support_free(t);
	}
	free(sums);
}

/* The worst stream there is: all keys in turn, over and over, so that each new
 * event throws one out; and one key among them that is just frequent enough. */
static void holds_one_among_many(void **state)
{
	struct tg_topk *t = topk(K, 3);
	uint64_t *exact = calloc(KEYS, sizeof(*exact));
	uint32_t i;

	(void)state;
	assert_non_null(exact);
	for(i = 0; i < EVENTS; i++) {
		uint32_t k = i % 98 == 0 ? 0 : 1 + i % (KEYS - 1);

		add(t, k, 1);
		exact[k]++;
	}
	check(t, exact, EVENTS, "all in turn");
	free(exact);
	support_free(t);
}

/* Three nodes with hash keys of their own see different parts. */
static void merges_nodes(void **state)
{
	double *sums = calloc(KEYS, sizeof(*sums));
	uint64_t *exact = calloc(KEYS, sizeof(*exact));
	struct tg_topk *node[3];
	uint64_t seed = 6;
	uint32_t i;

	(void)state;
	assert_non_null(sums);
	assert_non_null(exact);
	zipf_prepare(sums, KEYS, 1.1);
	for(i = 0; i < 3; i++)
		node[i] = topk(K, i);
	for(i = 0; i < EVENTS; i++) {
		uint32_t k = random_zipf(&seed, sums, KEYS);

		/* by the key's parity, but for the third node: it has seen little */
		add(node[i % 5000 == 0 ? 2 : k % 2], k, 1);
		exact[k]++;
	}
	assert_int_equal(tg_topk_unlisted(node[2]), 0);
	assert_int_equal(tg_topk_merge(node[2], node[0]), 0);
	assert_int_equal(tg_topk_merge(node[2], node[1]), 0);
	check(node[2], exact, EVENTS, "three merged");
	/* and it goes on counting */
	for(i = 0; i < EVENTS; i++) {
		uint32_t k = random_zipf(&seed, sums, KEYS);

		add(node[2], k, 1);
		exact[k]++;
	}
	check(node[2], exact, 2 * EVENTS, "counted on");
	for(i = 0; i < 3; i++)
		support_free(node[i]);
	free(exact);
	free(sums);
}

static int higher_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The count of key k in a list of n, else `unlisted`. */
static uint64_t count_in(const struct tg_topk_item *items, uint32_t n,
		uint32_t k, uint64_t unlisted)
{
	uint32_t i;

	for(i = 0; i < n; i++)
		if(key_of(&items[i]) == k)
			return items[i].count;
	return unlisted;
}

/* What is left of a merge are the highest of all sums, for many small ones. */
static void a_merge_keeps_the_highest(void **state)
{
	enum
	{
		FEW = 8,
		SOME = 30
	};
	uint64_t seed = 17;
	uint32_t round, i, k;

	(void)state;
	for(round = 0; round < 3000; round++) {
		struct tg_topk *a = topk(FEW, 1), *b = topk(FEW, 2);
		struct tg_topk_item of_a[FEW], of_b[FEW], both[FEW];
		uint64_t sums[SOME], unlisted_a, unlisted_b;
		uint32_t in_a, in_b, n, events = random_below(&seed, 60);

		for(i = 0; i < events; i++) {
			add(random_below(&seed, 3) ? a : b, random_below(&seed, SOME),
					1 + random_below(&seed, 20));
		}
		in_a = tg_topk_list(a, of_a, FEW);
		in_b = tg_topk_list(b, of_b, FEW);
		unlisted_a = tg_topk_unlisted(a);
		unlisted_b = tg_topk_unlisted(b);
		for(k = 0; k < SOME; k++) {
			sums[k] = count_in(of_a, in_a, k, unlisted_a)
					  + count_in(of_b, in_b, k, unlisted_b);
			if(count_in(of_a, in_a, k, 0) + count_in(of_b, in_b, k, 0) == 0)
				sums[k] = 0;
		}
		qsort(sums, SOME, sizeof(sums[0]), higher_first);
		assert_int_equal(tg_topk_merge(a, b), 0);
		n = tg_topk_list(a, both, FEW);
		for(i = 0; i < n; i++)
			assert_int_equal(both[i].count, sums[i]);
		assert_true(n == FEW || sums[n] == 0);
		if(n == FEW)
			assert_int_equal(tg_topk_unlisted(a), sums[FEW - 1]);
		support_free(a);
		support_free(b);
	}
}

static void fades(void **state)
{
	struct tg_topk *t = topk(K, 3);
	struct tg_topk_item items[K];
	uint32_t i, n;

	(void)state;
	for(i = 0; i < 50; i++)
		add(t, i, 1 + i);
	tg_topk_halve(t);
	n = tg_topk_list(t, items, K);
	assert_int_equal(n, 49); /* a single event is gone */
	for(i = 0; i < n; i++) {
		assert_int_equal(items[i].count, (key_of(&items[i]) + 1) / 2);
		assert_int_equal(items[i].error, 0);
	}
	for(i = 0; i < 7; i++)
		tg_topk_halve(t);
	assert_int_equal(tg_topk_list(t, items, K), 0);
	/* what has faded makes room: nothing of it is left in new counts */
	for(i = 0; i < K; i++)
		add(t, 1000 + i, 5);
	assert_int_equal(tg_topk_list(t, items, K), K);
	for(i = 0; i < K; i++) {
		assert_true(key_of(&items[i]) >= 1000);
		assert_int_equal(items[i].count, 5);
	}
	/* with errors: the bounds hold for the halved counts */
	for(i = 0; i < 1000; i++)
		add(t, 2000 + i % 150, 1);
	tg_topk_halve(t);
	n = tg_topk_list(t, items, K);
	assert_int_equal(n, K);
	for(i = 0; i < n; i++)
		assert_true(items[i].error <= items[i].count && items[i].count >= 7);
	support_free(t);
}

/* Moved in memory and saved, it is the same: it holds no pointers. */
static void may_be_moved(void **state)
{
	struct tg_topk_config cfg = {K, {5, 1}};
	size_t size = tg_topk_size(&cfg);
	struct tg_topk *t = topk(K, 5), *moved = support_memory(size);
	struct tg_topk_item a[K], b[K];
	uint32_t i;

	(void)state;
	for(i = 0; i < 3000; i++)
		add(t, i * i % 701, 1);
	memcpy(moved, t, size);
	for(i = 0; i < 3000; i++) {
		add(t, i % 77, 1);
		add(moved, i % 77, 1);
	}
	assert_int_equal(tg_topk_list(t, a, K), K);
	assert_int_equal(tg_topk_list(moved, b, K), K);
	assert_memory_equal(a, b, sizeof(a));
	support_free(t);
	support_free(moved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(is_exact_while_it_has_room),
			cmocka_unit_test(lists_what_is_frequent),
			cmocka_unit_test(holds_one_among_many),
			cmocka_unit_test(merges_nodes),
			cmocka_unit_test(a_merge_keeps_the_highest),
			cmocka_unit_test(fades),
			cmocka_unit_test(may_be_moved),
	};

	return cmocka_run_group_tests_name("topk", tests, NULL, NULL);
}

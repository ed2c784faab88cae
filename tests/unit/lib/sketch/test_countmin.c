/*
 * Count-min against an exact count of each key, with time handed in, and from
 * many processes at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/procs.h"
#include "unit/random.h"

#include "lib/sketch/countmin.h"
#include "lib/share/hash.h"
#include "lib/share/region.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define HALF UINT64_C(60000000)
#define NOW (HALF * 1000000)
#define KEYS 100000

static const struct tg_hashkey key = {11, 12};

static uint64_t id_of(uint32_t n)
{
	return tg_hash_id(&key, 9, &n, sizeof(n));
}

static struct tg_countmin *sketch(uint32_t counters)
{
	struct tg_countmin_config cfg = {counters, HALF};
	size_t size = tg_countmin_size(&cfg);
	struct tg_countmin *t = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_countmin_init(support_memory(size), size, &cfg, &t), 0);
	return t;
}

static void refuses_bad_arguments(void **state)
{
	struct tg_countmin_config cfg = {55, HALF};
	struct tg_countmin *t;
	char *mem = support_memory(4096);

	(void)state;
	assert_int_equal(tg_countmin_size(&cfg), 0);
	cfg.counters = (UINT32_C(1) << 28) + 1;
	assert_int_equal(tg_countmin_size(&cfg), 0);
	cfg.counters = 56;
	cfg.half_us = 999999;
	assert_int_equal(tg_countmin_size(&cfg), 0);
	cfg.half_us = (UINT64_C(1) << 40) + 1;
	assert_int_equal(tg_countmin_size(&cfg), 0);
	assert_int_equal(tg_countmin_init(mem, 4096, &cfg, &t), -EINVAL);
	cfg.half_us = HALF;
	assert_int_equal(tg_countmin_init(mem + 8, 4000, &cfg, &t), -EINVAL);
	assert_int_equal(
			tg_countmin_init(mem, tg_countmin_size(&cfg) - 1, &cfg, &t),
			-EINVAL);
	assert_int_equal(tg_countmin_init(mem, 4096, &cfg, &t), 0);
	support_free(mem);
}

static void counts_halves_and_saturates(void **state)
{
	struct tg_countmin *t = sketch(5600);
	uint64_t a = id_of(1), b = id_of(2);

	(void)state;
	assert_int_equal(tg_countmin_read(t, a, NOW), 0);
	assert_int_equal(tg_countmin_add(t, a, 1, NOW), 1);
	assert_int_equal(tg_countmin_add(t, a, 20, NOW), 21);
	assert_int_equal(tg_countmin_add(t, b, 3, NOW), 3);
	assert_int_equal(tg_countmin_add(t, a, 0, NOW), 21);
	/* to the microsecond, and read as well as counted */
	assert_int_equal(tg_countmin_read(t, a, NOW + HALF - 1), 21);
	assert_int_equal(tg_countmin_read(t, a, NOW + HALF), 10);
	assert_int_equal(tg_countmin_read(t, a, NOW + 3 * HALF), 2);
	assert_int_equal(
			tg_countmin_read(t, a, NOW), 21); /* reading ages nothing */
	assert_int_equal(tg_countmin_add(t, a, 1, NOW + 2 * HALF), 6);
	/* a process whose clock is behind counts into the newer half-life */
	assert_int_equal(tg_countmin_add(t, a, 1, NOW), 7);
	assert_int_equal(tg_countmin_read(t, a, NOW + 2 * HALF), 7);
	assert_int_equal(tg_countmin_read(t, b, NOW + 2 * HALF), 0);
	/* the end of the scale */
	assert_int_equal(tg_countmin_add(t, b, 254, NOW + 2 * HALF), 254);
	assert_int_equal(tg_countmin_add(t, b, UINT32_MAX, NOW + 2 * HALF), 255);
	assert_int_equal(tg_countmin_add(t, b, 1, NOW + 2 * HALF), 255);
	assert_int_equal(tg_countmin_read(t, b, NOW + 9 * HALF), 1);
	assert_int_equal(tg_countmin_read(t, b, NOW + 10 * HALF), 0);
	assert_int_equal(tg_countmin_read(t, b, NOW + 2000000000 * HALF), 0);
	support_free(t);
}

/*
 * Keys of a Zipf stream, a quarter as many counters a row as there are keys,
 * through several halvings. The oracle halves each key's exact count alike, so
 * an estimate may be over it and never under it.
 */
static void is_never_under_and_little_over(void **state)
{
	enum
	{
		EVENTS = 400000,
		PERIODS = 5
	};
	struct tg_countmin *t = sketch(KEYS / 4);
	double *sums = calloc(KEYS, sizeof(*sums));
	uint32_t *exact = calloc(KEYS, sizeof(*exact));
	uint64_t seed = 5;
	uint32_t period, i;

	(void)state;
	assert_non_null(sums);
	assert_non_null(exact);
	zipf_prepare(sums, KEYS, 1.1);
	print_message("100,000 keys, 4 rows of 25,000 counters; over the exact "
				  "count, of 255:\n");
	for(period = 0; period < PERIODS; period++) {
		uint64_t now = NOW + period * HALF;
		uint32_t over_bound = 0, same = 0, worst = 0;
		double held = 0, over = 0;

		for(i = 0; i < KEYS; i++)
			exact[i] /= 2;
		for(i = 0; i < EVENTS; i++) {
			uint32_t k = random_zipf(&seed, sums, KEYS);
			uint32_t got = tg_countmin_add(t, id_of(k), 1, now + i);

			exact[k] = exact[k] < 255 ? exact[k] + 1 : 255;
			assert_true(got >= exact[k]);
		}
		for(i = 0; i < KEYS; i++)
			held += exact[i];
		for(i = 0; i < KEYS; i++) {
			uint32_t got = tg_countmin_read(t, id_of(i), now + EVENTS);

			assert_in_range(got, exact[i], 255);
			over += got - exact[i];
			same += got == exact[i];
			over_bound += got - exact[i] > 2.718281828 / (KEYS / 4.0) * held;
			worst = got - exact[i] > worst ? got - exact[i] : worst;
		}
		print_message("half-life %u: mean +%.2f, worst +%u, %4.1f %% exact, "
					  "%.3f %% over the bound\n",
				period, over / KEYS, worst, 100.0 * same / KEYS,
				100.0 * over_bound / KEYS);
		assert_true(over_bound < KEYS * 0.018);
		assert_true(over < KEYS); /* plain count-min errs several times more */
	}
	free(exact);
	free(sums);
	support_free(t);
}

/* Where nothing collides nothing is wrong: the rows do not hide each other. */
static void is_exact_while_it_is_wide(void **state)
{
	enum
	{
		FEW = 1000
	};
	struct tg_countmin *t = sketch(1000000);
	uint32_t i;

	(void)state;
	for(i = 0; i < FEW; i++)
		assert_int_equal(
				tg_countmin_add(t, id_of(i), 1 + i % 200, NOW), 1 + i % 200);
	for(i = 0; i < FEW; i++)
		assert_int_equal(tg_countmin_read(t, id_of(i), NOW), 1 + i % 200);
	support_free(t);
}

/* ---- between processes ---- */

enum
{
	PROCS = 8,
	SHARED = 5000
};

/* Each process in an order of its own, as traffic has it: in one order they
 * would drive each other into step on the same keys. */
static int count_all(void *table, unsigned self)
{
	static const uint32_t strides[PROCS] = {
			3, 7, 1009, 1013, 2003, 3001, 4001, 4999};
	uint32_t i, round;

	for(round = 0; round < 20; round++)
		for(i = 0; i < SHARED; i++)
			if(tg_countmin_add(table, id_of(i * strides[self] % SHARED), 1, NOW)
					== 0)
				return 1;
	return 0;
}

/* Each key gets 160 events from 8 processes. Two that look at the same moment
 * count one event between them: rare, and bounded here at one in a hundred. */
static void processes_lose_next_to_nothing(void **state)
{
	struct tg_countmin_config cfg = {200000, HALF};
	struct tg_countmin *t;
	struct tg_region r;
	uint64_t sum = 0;
	uint32_t i;

	(void)state;
	assert_int_equal(tg_region_map(&r, tg_countmin_size(&cfg)), 0);
	assert_int_equal(tg_countmin_init(r.base, r.size, &cfg, &t), 0);
	assert_int_equal(procs_run(PROCS, count_all, t), 0);
	for(i = 0; i < SHARED; i++)
		sum += tg_countmin_read(t, id_of(i), NOW);
	print_message("%.4f %% of the events of %d processes lost\n",
			100 - 100.0 * (double)sum / (160.0 * SHARED), PROCS);
	assert_in_range(sum, 160 * SHARED * 99 / 100, 160 * SHARED * 101 / 100);
	tg_region_unmap(&r);
}

struct aged
{
	struct tg_countmin *sketch;
	_Atomic uint64_t *events; /* the clock of all: 8,000 a half-life */
};

static int count_and_age(void *table, unsigned self)
{
	struct aged *a = table;
	uint64_t seed = self + 1, n;

	for(n = 0; n < 200000; n++) {
		uint64_t now = NOW + atomic_fetch_add(a->events, 1) * (HALF / 8000);

		(void)tg_countmin_add(
				a->sketch, id_of(random_below(&seed, 300)), 1, now);
	}
	return 0;
}

/* Halvings that race with each other and with counting neither spill into the
 * neighbours' bytes nor leave anything behind. */
static void processes_age_together(void **state)
{
	struct tg_countmin_config cfg = {5600, HALF};
	size_t size = tg_countmin_size(&cfg);
	struct tg_region r;
	struct aged a;
	uint32_t i, most = 0;

	(void)state;
	assert_int_equal(tg_region_map(&r, size + 64), 0);
	assert_int_equal(tg_countmin_init(r.base, size, &cfg, &a.sketch), 0);
	a.events = (_Atomic uint64_t *)((char *)r.base + size);
	assert_int_equal(procs_run(PROCS, count_and_age, &a), 0);
	assert_int_equal(*a.events, PROCS * 200000);
	for(i = 0; i < 300; i++) {
		uint32_t got = tg_countmin_read(a.sketch, id_of(i), NOW + 200 * HALF);

		most = got > most ? got : most;
	}
	/* 27 events a half-life end between 27 and 54 before a halving; half of
	 * that after it, and chance may double it: never a neighbour's carry */
	assert_in_range(most, 20, 60);
	for(i = 0; i < 5000; i++)
		assert_int_equal(
				tg_countmin_read(a.sketch, id_of(i), NOW + 208 * HALF), 0);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(counts_halves_and_saturates),
			cmocka_unit_test(is_never_under_and_little_over),
			cmocka_unit_test(is_exact_while_it_is_wide),
			cmocka_unit_test(processes_lose_next_to_nothing),
			cmocka_unit_test(processes_age_together),
	};

	return cmocka_run_group_tests_name("countmin", tests, NULL, NULL);
}

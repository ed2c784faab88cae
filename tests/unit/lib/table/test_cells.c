/*
 * The cell table with time handed in: counting and shaping. Pins, eviction and
 * admission are in lib/table/test_cells_evict.c, its accuracy is measured in lib/table/test_cells_window.c, its behaviour
 * between processes in lib/table/test_cells_procs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/table/cells_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void refuses_bad_arguments(void **state)
{
	struct tg_cells_config cfg = {3, 0};
	struct tg_cells *t;
	uint64_t retry;
	uint32_t seen;
	char *mem = support_memory(65536);

	(void)state;
	assert_int_equal(tg_cells_size(&cfg), 0);
	cfg.cells = (UINT32_C(1) << 28) + 1;
	assert_int_equal(tg_cells_size(&cfg), 0);
	cfg.cells = 64;
	assert_in_range(tg_cells_size(&cfg), 64 * 32, 65536);
	assert_int_equal(tg_cells_init(mem + 8, 65536 - 8, &cfg, &t), -EINVAL);
	assert_int_equal(
			tg_cells_init(mem, tg_cells_size(&cfg) - 1, &cfg, &t), -EINVAL);
	assert_int_equal(tg_cells_init(mem, 65536, &cfg, &t), 0);
	assert_int_equal(tg_cells_add(t, 5, 1, 999, START, &seen), -EINVAL);
	assert_int_equal(
			tg_cells_add(t, 5, 1, (UINT64_C(1) << 40) + 1, START, &seen),
			-EINVAL);
	assert_int_equal(tg_cells_take(t, 5, 0, 1, START, &retry), -EINVAL);
	assert_int_equal(tg_cells_take(t, 5, 10, 0, START, &retry), -EINVAL);
	support_free(mem);
}

/* A burst that is short against the window is counted to the event, wherever
 * the bucket of the key turns. */
static void counts_a_burst_exactly(void **state)
{
	struct tg_cells *t = table(4096, 0);
	uint32_t k, i;

	(void)state;
	for(k = 0; k < 200; k++)
		for(i = 1; i <= 30; i++)
			assert_int_equal(add(t, id_of(k), 1, 2 * SECOND,
									 START + k * 10 * SECOND + i * 100),
					i);
	support_free(t);
}

static void forgets_after_two_windows(void **state)
{
	struct tg_cells *t = table(64, 0);
	uint64_t id = id_of(1), now;
	uint32_t seen, before = 100;

	(void)state;
	assert_int_equal(peek(t, id, SECOND, START), 0);
	assert_int_equal(tg_cells_peek(t, id, SECOND, START, &seen), -ENOENT);
	assert_int_equal(add(t, id, 100, SECOND, START), 100);
	for(now = START; now <= START + 2 * SECOND; now += SECOND / 50) {
		seen = peek(t, id, SECOND, now);
		assert_true(seen <= before);
		before = seen;
	}
	assert_int_equal(before, 0);
	assert_int_equal(add(t, id, 0, SECOND, now), 0);
	assert_int_equal(add(t, id, 3, SECOND, now), 3);
	support_free(t);
}

static void zero_events_create_nothing(void **state)
{
	struct tg_cells *t = table(64, 0);
	struct tg_cells_stats st;

	(void)state;
	assert_int_equal(add(t, id_of(1), 0, SECOND, START), 0);
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.tracked, 0);
	support_free(t);
}

static void counts_saturate(void **state)
{
	struct tg_cells *t = table(64, 0);

	(void)state;
	assert_int_equal(
			add(t, id_of(1), UINT32_MAX, SECOND, START), (1 << 24) - 1);
	assert_int_equal(add(t, id_of(1), 5, SECOND, START), (1 << 24) - 1);
	assert_in_range(add(t, id_of(1), UINT32_MAX, SECOND, START + SECOND),
			(1 << 24) - 1, 2 * ((1 << 24) - 1));
	support_free(t);
}

/* Window numbers have 16 bits. A cell that lay idle for any multiple of 65536
 * windows, and for a bit more or less, must not come back to life. */
static void idle_cells_do_not_wrap_into_the_present(void **state)
{
	static const int64_t idle[] = {65535, 65536, 65537, 2 * 65536, 32768, 40000,
			INT64_C(3) * 65536 - 1};
	struct tg_cells *t = table(4096, 0);
	const uint64_t window = 1000;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		uint64_t later = START + (uint64_t)idle[i] * window;

		assert_int_equal(add(t, id_of(i), 50, window, START), 50);
		assert_int_equal(peek(t, id_of(i), window, later), 0);
		assert_int_equal(add(t, id_of(i), 1, window, later), 1);
		assert_int_equal(add(t, id_of(i), 1, window, later), 2);
	}
	support_free(t);
}

/* Another process may have read the clock a little earlier. */
static void a_clock_behind_counts_into_the_newer_window(void **state)
{
	struct tg_cells *t = table(64, 0);
	uint64_t id = id_of(3), now;

	(void)state;
	/* at every place of a window, so that the step back crosses its start */
	for(now = START; now < START + SECOND; now += SECOND / 20) {
		tg_cells_forget(t, id);
		assert_int_equal(add(t, id, 10, SECOND, now), 10);
		assert_int_equal(add(t, id, 1, SECOND, now - SECOND / 10), 11);
		assert_int_equal(add(t, id, 1, SECOND, now - 3 * SECOND), 12);
		assert_int_equal(add(t, id, 1, SECOND, now), 13);
	}
	support_free(t);
}

static void gcra_paces_and_allows_the_burst(void **state)
{
	struct tg_cells *t = table(64, 0);
	uint64_t id = id_of(1), retry, now = START;
	int i, taken = 0;

	(void)state;
	for(i = 0; i < 5; i++)
		assert_int_equal(tg_cells_take(t, id, 1000, 5, now, &retry), 0);
	assert_int_equal(tg_cells_take(t, id, 1000, 5, now, &retry), -EAGAIN);
	assert_int_equal(retry, 1000);
	assert_int_equal(tg_cells_take(t, id, 1000, 5, now + 400, &retry), -EAGAIN);
	assert_int_equal(retry, 600);
	/* the promise holds to the microsecond */
	assert_int_equal(tg_cells_take(t, id, 1000, 5, now + 999, &retry), -EAGAIN);
	assert_int_equal(retry, 1);
	assert_int_equal(tg_cells_take(t, id, 1000, 5, now + 1000, &retry), 0);
	/* ten times the rate for a second: one each interval passes */
	for(now += 1000, i = 0; i < 10000; i++)
		taken += tg_cells_take(t, id, 1000, 5, now += 100, &retry) == 0;
	assert_int_equal(taken, 1000);
	/* after a rest the burst is back, and no more than that */
	for(now += 60 * SECOND, i = taken = 0; i < 20; i++)
		taken += tg_cells_take(t, id, 1000, 5, now, &retry) == 0;
	assert_int_equal(taken, 5);
	assert_int_equal(tg_cells_take(t, id, 1000, 5, now - 500, &retry), -EAGAIN);
	assert_int_equal(retry, 1500);
	support_free(t);
}

static void gcra_survives_extreme_settings(void **state)
{
	struct tg_cells *t = table(64, 0);
	uint64_t retry;
	int i;

	(void)state;
	for(i = 0; i < 1000; i++)
		assert_int_equal(tg_cells_take(t, id_of(1), UINT64_C(1) << 40,
								 UINT32_MAX, START, &retry)
								 != -EAGAIN,
				i <= 32);
	assert_true(retry > 0);
	support_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(counts_a_burst_exactly),
			cmocka_unit_test(forgets_after_two_windows),
			cmocka_unit_test(zero_events_create_nothing),
			cmocka_unit_test(counts_saturate),
			cmocka_unit_test(idle_cells_do_not_wrap_into_the_present),
			cmocka_unit_test(a_clock_behind_counts_into_the_newer_window),
			cmocka_unit_test(gcra_paces_and_allows_the_burst),
			cmocka_unit_test(gcra_survives_extreme_settings),
	};

	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}

/*
 * The cell table when it is full: pins, eviction, admission, limits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/table/cells_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Fills every set of the table with live keys worth `n` events each. */
static uint32_t fill(
		struct tg_cells *t, uint32_t cells, uint32_t n, uint64_t now)
{
	struct tg_cells_stats st;
	uint32_t k, seen;

	for(k = 0; k < cells * 8; k++)
		(void)tg_cells_add(t, id_of(1000000 + k), n, 60 * SECOND, now, &seen);
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.tracked, cells);
	return k;
}

static void pins_at_most_two_of_a_set(void **state)
{
	struct tg_cells *t = table(4, 0); /* one set */
	struct tg_cells_stats st;
	uint64_t until = 0, now = START;

	(void)state;
	assert_int_equal(add(t, id_of(1), 1, SECOND, now), 1);
	assert_int_equal(tg_cells_pinned(t, id_of(1), now, &until), -ENOENT);
	assert_int_equal(tg_cells_unpin(t, id_of(1)), -ENOENT);
	assert_int_equal(tg_cells_pin(t, id_of(1), now + 60 * SECOND, now), 0);
	assert_int_equal(tg_cells_pin(t, id_of(2), now + 50 * SECOND, now), 0);
	assert_int_equal(
			tg_cells_pin(t, id_of(3), now + 60 * SECOND, now), -ENOSPC);
	assert_int_equal(tg_cells_pinned(t, id_of(3), now, NULL), -ENOENT);
	assert_int_equal(tg_cells_pinned(t, id_of(1), now, &until), 0);
	assert_int_equal(until, now + 60 * SECOND);
	/* again = the new end, not a second pin */
	assert_int_equal(tg_cells_pin(t, id_of(1), now + 70 * SECOND, now), 0);
	assert_int_equal(tg_cells_pinned(t, id_of(1), now, &until), 0);
	assert_int_equal(until, now + 70 * SECOND);

	/* a flood cannot move the pinned, though their windows are over */
	assert_int_equal(add(t, id_of(2), 7, 90 * SECOND, now), 7);
	fill(t, 4, 100, now + 5 * SECOND);
	assert_int_equal(peek(t, id_of(2), 90 * SECOND, now), 7);
	tg_cells_read_stats(t, &st);
	assert_true(st.evicted >= 20);

	/* an expired pin makes room; so does unpin */
	now += 50 * SECOND;
	assert_int_equal(tg_cells_pinned(t, id_of(2), now, NULL), -ENOENT);
	assert_int_equal(tg_cells_pin(t, id_of(3), now + SECOND, now), 0);
	assert_int_equal(tg_cells_pin(t, id_of(4), now + SECOND, now), -ENOSPC);
	assert_int_equal(tg_cells_unpin(t, id_of(1)), 0);
	assert_int_equal(tg_cells_pinned(t, id_of(1), now, NULL), -ENOENT);
	assert_int_equal(tg_cells_pin(t, id_of(4), now + SECOND, now), 0);
	assert_int_equal(tg_cells_forget(t, id_of(4)), 0);
	assert_int_equal(tg_cells_forget(t, id_of(4)), -ENOENT);
	assert_int_equal(tg_cells_pinned(t, id_of(4), now, NULL), -ENOENT);
	support_free(t);
}

static void evicts_empty_then_expired_then_the_least(void **state)
{
	struct tg_cells *t = table(4, 0);
	struct tg_cells_stats st;
	uint64_t now = START;

	(void)state;
	add(t, id_of(1), 50, 10 * SECOND, now);
	add(t, id_of(2), 1000, SECOND, now); /* dead at now + 2 s */
	add(t, id_of(3), 20, 10 * SECOND, now);
	add(t, id_of(4), 30, 10 * SECOND, now);
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.tracked, 4);
	assert_int_equal(st.evicted, 0);
	now += 3 * SECOND;
	add(t, id_of(5), 40, 10 * SECOND, now);
	assert_int_equal(peek(t, id_of(2), SECOND, now), 0);
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.evicted, 0);
	add(t, id_of(6), 60, 10 * SECOND, now);
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.evicted, 1);
	assert_int_equal(peek(t, id_of(3), 10 * SECOND, now), 0);
	assert_true(peek(t, id_of(1), 10 * SECOND, now) > 0);
	assert_true(peek(t, id_of(4), 10 * SECOND, now) > 0);
	assert_int_equal(peek(t, id_of(5), 10 * SECOND, now), 40);
	assert_int_equal(peek(t, id_of(6), 10 * SECOND, now), 60);
	support_free(t);
}

static void forget_empties_the_cell(void **state)
{
	struct tg_cells *t = table(64, 0);

	(void)state;
	assert_int_equal(tg_cells_forget(t, id_of(1)), -ENOENT);
	add(t, id_of(1), 9, SECOND, START);
	assert_int_equal(tg_cells_forget(t, id_of(1)), 0);
	assert_int_equal(peek(t, id_of(1), SECOND, START), 0);
	assert_int_equal(add(t, id_of(1), 1, SECOND, START), 1);
	support_free(t);
}

/* The promise of the design: a million spoofed sources, each seen once, do not
 * move the accounts that are in the table and active. */
static void a_spoofed_flood_evicts_no_active_key(void **state)
{
	enum
	{
		CELLS = 16384,
		ACCOUNTS = 4096,
		FLOOD = 1000000
	};
	struct tg_cells *t = table(CELLS, 1);
	struct tg_cells_stats before, after;
	uint32_t k, i, seen, lost = 0, held = 0;
	uint64_t now = START;
	static uint8_t has[ACCOUNTS];

	(void)state;
	for(k = 0; k < ACCOUNTS; k++)
		for(i = 0; i < 10; i++)
			(void)tg_cells_add(t, id_of(k), 1, 60 * SECOND, now, &seen);
	fill(t, CELLS, 1, now);
	/* a set of four cells that five accounts hash to keeps four of them */
	for(k = 0; k < ACCOUNTS; k++)
		held += has[k] = peek(t, id_of(k), 60 * SECOND, now) == 10;
	assert_true(held > ACCOUNTS / 100 * 99);
	tg_cells_read_stats(t, &before);
	for(k = 0; k < FLOOD; k++) {
		now += 2; /* 500,000 a second */
		(void)tg_cells_add(t, id_of(5000000 + k), 1, 60 * SECOND, now, &seen);
	}
	for(k = 0; k < ACCOUNTS; k++)
		lost += has[k] && peek(t, id_of(k), 60 * SECOND, now) < 9;
	tg_cells_read_stats(t, &after);
	print_message("flood of %u over %u cells: %u of %u accounts lost, "
				  "%.2f %% of the flood admitted\n",
			FLOOD, CELLS, lost, held,
			100.0 * (double)(after.evicted - before.evicted) / FLOOD);
	assert_int_equal(lost, 0);
	assert_true(after.refused - before.refused > FLOOD / 10 * 8);

	/* and a real newcomer among them still gets its cell */
	for(i = 0; i < 50; i++)
		(void)tg_cells_add(t, id_of(900000), 1, 60 * SECOND, now, &seen);
	assert_in_range(peek(t, id_of(900000), 60 * SECOND, now), 30, 50);
	support_free(t);
}

/* While it is refused, a key is judged by the sketch: never under 1, and close
 * to the truth when few others share its line. */
static void refused_keys_get_the_estimate(void **state)
{
	struct tg_cells *t = table(4, 1);
	struct tg_cells_stats st;
	uint64_t faint;
	uint32_t i, seen;

	(void)state;
	for(i = 0; i < 4; i++)
		assert_int_equal(add(t, id_of(i), 100, 60 * SECOND, START), 100);
	for(i = 1; i <= 90; i++) {
		assert_int_equal(
				tg_cells_add(t, id_of(9), 1, 60 * SECOND, START, &seen),
				-ENOSPC);
		assert_int_equal(seen, i);
	}
	tg_cells_read_stats(t, &st);
	assert_int_equal(st.refused, 90);
	assert_int_equal(st.evicted, 0);
	/* the last moment at which all four still live */
	for(i = 0, faint = UINT64_MAX; i < TG_WAYS; i++)
		if(tg_load(&t->set[0].life[i]) >> 16 < faint)
			faint = tg_load(&t->set[0].life[i]) >> 16;
	faint = (faint - 1) << TG_LIFE_SHIFT;
	/* one look is not enough even against cells that are worth next to
	 * nothing any more; the second is */
	for(i = 0; i < 2; i++)
		assert_int_equal(
				tg_cells_add(t, id_of(11), 1, 60 * SECOND, faint, &seen),
				i == 0 ? -ENOSPC : 0);
	/* a pinned newcomer needs no admission */
	assert_int_equal(tg_cells_pin(t, id_of(10), START + SECOND, START), 0);
	assert_int_equal(add(t, id_of(10), 1, 60 * SECOND, START), 1);
	support_free(t);
}

/* Large tables are sampled; the figure must still be of use. */
static void tracked_is_close_in_a_large_table(void **state)
{
	struct tg_cells *t = table(131072, 0);
	struct tg_cells_stats st;
	uint32_t k, seen;

	(void)state;
	for(k = 0; k < 40000; k++)
		(void)tg_cells_add(t, id_of(k), 1, SECOND, START, &seen);
	tg_cells_read_stats(t, &st);
	assert_in_range(st.tracked, 37000, 41000);
	/* one call later on is enough to see that the others have expired */
	add(t, id_of(1), 1, SECOND, START + 10 * SECOND);
	tg_cells_read_stats(t, &st);
	assert_in_range(st.tracked, 0, 40);
	support_free(t);
}

/* Counting up to a limit: the refused attempts leave no trace. */
static void limited_adds_stop_at_the_limit(void **state)
{
	struct tg_cells *t = table(64, 0);
	uint32_t i, seen, passed = 0;

	(void)state;
	for(i = 0; i < 100; i++) {
		int rc = tg_cells_add_limited(
				t, id_of(1), 1, 10, SECOND, START + i, &seen);

		assert_int_equal(rc, i < 10 ? 0 : -EDQUOT);
		assert_int_equal(seen, i < 10 ? i + 1 : 10);
	}
	assert_int_equal(
			tg_cells_add_limited(t, id_of(2), 11, 10, SECOND, START, &seen),
			-EDQUOT);
	assert_int_equal(seen, 0);
	/* trying all the time passes the limit once a window, no less */
	for(i = 0; i < 10000; i++)
		passed += tg_cells_add_limited(t, id_of(3), 1, 10, SECOND,
						  START + i * SECOND / 1000, &seen)
				  == 0;
	assert_in_range(passed, 90, 110);
	support_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(pins_at_most_two_of_a_set),
			cmocka_unit_test(evicts_empty_then_expired_then_the_least),
			cmocka_unit_test(forget_empties_the_cell),
			cmocka_unit_test(a_spoofed_flood_evicts_no_active_key),
			cmocka_unit_test(refused_keys_get_the_estimate),
			cmocka_unit_test(tracked_is_close_in_a_large_table),
			cmocka_unit_test(limited_adds_stop_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The breaker: when it opens, who may try, which reports count.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/breaker.h"

static const struct callroute_breaker_config cfg = {.window_us = 80 * SEC,
		.min_calls = 10,
		.open_at = 50,
		.half_open_after_us = 30 * SEC};

static int report(struct rig *r, uint64_t started, int failed, uint64_t now)
{
	return callroute_breaker_report(
			r->live, r->slot, &cfg, started, failed, now);
}

static struct callroute_breaker look(struct rig *r, uint64_t now)
{
	struct callroute_breaker b;

	callroute_breaker_read(r->live, r->slot, &cfg, now, &b);
	return b;
}

static int take(struct rig *r, uint64_t now)
{
	int allows = callroute_breaker_allows(r->live, r->slot, &cfg, now);
	int rc = callroute_breaker_take(r->live, r->slot, &cfg, now);

	/* alone, looking foretells taking */
	assert_int_equal(rc, allows ? 0 : -EAGAIN);
	return rc;
}

/* Ten calls that fail; opened by the last, at `now`. */
static void open_it(struct rig *r, uint64_t now)
{
	int i;

	for(i = 0; i < 9; i++)
		assert_int_equal(report(r, now, 1, now), 0);
	assert_int_equal(report(r, now, 1, now), -1);
	assert_int_equal(look(r, now).state, CALLROUTE_BREAKER_OPEN);
}

static void opens_at_its_share_and_not_before_min_calls(void **state)
{
	struct rig *r = *state;
	int i;

	assert_int_equal(take(r, NOW), 0);
	/* nine of nine failed: too few to judge */
	for(i = 0; i < 9; i++)
		assert_int_equal(report(r, NOW, 1, NOW), 0);
	assert_int_equal(look(r, NOW).calls, 9);
	assert_int_equal(look(r, NOW).failures, 9);
	/* the tenth success makes it 9 of 10 */
	assert_int_equal(report(r, NOW, 0, NOW + 5), -1);
	assert_int_equal(look(r, NOW + 5).state, CALLROUTE_BREAKER_OPEN);
	assert_int_equal(look(r, NOW + 5).since, NOW + 5);
	assert_int_equal(take(r, NOW + 6), -EAGAIN);
}

static void below_its_share_it_stays_closed(void **state)
{
	struct rig *r = *state;
	int i;

	for(i = 0; i < 30; i++)
		assert_int_equal(report(r, NOW, 0, NOW), 0);
	for(i = 0; i < 29; i++)
		assert_int_equal(report(r, NOW, 1, NOW), 0);
	assert_int_equal(take(r, NOW), 0);
	assert_int_equal(report(r, NOW, 1, NOW), -1); /* 30 of 60 */
}

static void old_calls_leave_the_window(void **state)
{
	struct rig *r = *state;
	int i;

	for(i = 0; i < 9; i++)
		assert_int_equal(report(r, NOW, 1, NOW), 0);
	assert_int_equal(look(r, NOW + 70 * SEC - 1).failures, 9);
	assert_int_equal(look(r, NOW + 80 * SEC).failures, 0);
	assert_int_equal(look(r, NOW + 80 * SEC).calls, 0);
	/* and do not count with a later one */
	assert_int_equal(report(r, NOW + 80 * SEC, 1, NOW + 80 * SEC), 0);
	assert_int_equal(look(r, NOW + 80 * SEC).calls, 1);
	/* nor after a long silence */
	assert_int_equal(look(r, NOW + 100000 * SEC).calls, 0);
}

/* Against an exact log: never an event older than the window, always all of the
 * last 7/8. */
static void the_window_is_as_sharp_as_stated(void **state)
{
	static uint64_t at[4000];
	struct callroute_breaker_config many = cfg;
	struct callroute_breaker b;
	struct rig *r = *state;
	uint64_t t = NOW, seed = 1;
	unsigned n, i, off = 0;

	many.min_calls = UINT32_MAX;
	for(n = 0; n < 4000; n++) {
		unsigned most = 0, least = 0;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		t += seed >> 60 == 0 ? 50 * SEC : (seed >> 33) % SEC;
		at[n] = t;
		assert_int_equal(callroute_breaker_report(
								 r->live, r->slot, &many, t, (int)n & 1, t),
				0);
		callroute_breaker_read(r->live, r->slot, &many, t, &b);
		for(i = 0; i <= n; i++) {
			most += at[i] + 80 * SEC > t;
			least += at[i] + 70 * SEC > t;
		}
		assert_in_range(b.calls, least, most);
		off += most - b.calls;
		assert_true(b.failures <= b.calls);
	}
	print_message("the window misses %.2f calls of it on average\n", off / 4e3);
	assert_true(off > 0);
}

static void half_open_lets_one_call_try(void **state)
{
	struct rig *r = *state;
	uint64_t t = NOW + 30 * SEC;

	open_it(r, NOW);
	assert_int_equal(take(r, t - 1), -EAGAIN);
	assert_int_equal(look(r, t - 1).state, CALLROUTE_BREAKER_OPEN);
	assert_int_equal(look(r, t).state, CALLROUTE_BREAKER_HALF_OPEN);
	/* looking takes nothing */
	assert_int_equal(callroute_breaker_allows(r->live, r->slot, &cfg, t), 1);
	assert_int_equal(take(r, t), 0);
	assert_int_equal(take(r, t), -EAGAIN);
	assert_int_equal(look(r, t).state, CALLROUTE_BREAKER_HALF_OPEN);
	assert_int_equal(report(r, t, 0, t + SEC), 1);
	assert_int_equal(look(r, t + SEC).state, CALLROUTE_BREAKER_CLOSED);
	assert_int_equal(look(r, t + SEC).since, t + SEC);
	assert_int_equal(take(r, t + SEC), 0);
}

static void a_failed_trial_waits_again(void **state)
{
	struct rig *r = *state;
	uint64_t t = NOW + 30 * SEC;

	open_it(r, NOW);
	assert_int_equal(take(r, t), 0);
	assert_int_equal(report(r, t, 1, t + SEC), 0);
	assert_int_equal(look(r, t + SEC).state, CALLROUTE_BREAKER_OPEN);
	assert_int_equal(take(r, t + 30 * SEC), -EAGAIN);
	assert_int_equal(take(r, t + 31 * SEC), 0);
	/* reported twice: the second is nobody's */
	assert_int_equal(report(r, t, 0, t + 32 * SEC), 0);
	assert_int_equal(look(r, t + 32 * SEC).state, CALLROUTE_BREAKER_HALF_OPEN);
}

/* The process of the trial died, or its call was cancelled before it rang. */
static void a_lost_trial_frees_itself(void **state)
{
	struct rig *r = *state;
	uint64_t first = NOW + 30 * SEC, second = first + 30 * SEC;

	open_it(r, NOW);
	assert_int_equal(take(r, first), 0);
	assert_int_equal(take(r, second - 1), -EAGAIN);
	assert_int_equal(take(r, second), 0);
	/* and its outcome, should it come after all, decides nothing */
	assert_int_equal(report(r, first, 0, second + 1), 0);
	assert_int_equal(report(r, first, 1, second + 1), 0);
	assert_int_equal(look(r, second + 1).state, CALLROUTE_BREAKER_HALF_OPEN);
	assert_int_equal(report(r, second, 0, second + 2), 1);
}

static void late_reports_neither_open_nor_close(void **state)
{
	struct rig *r = *state;
	uint64_t trial = NOW + 30 * SEC;
	int i;

	/* Forty calls are under way when ten others open it. */
	open_it(r, NOW + 10);
	for(i = 0; i < 10; i++)
		assert_int_equal(report(r, NOW, i % 2, NOW + 20), 0);
	assert_int_equal(look(r, NOW + 20).since, NOW + 10);
	/* answered during the trial: not the trial's answer */
	assert_int_equal(take(r, trial + 10), 0);
	for(i = 0; i < 10; i++)
		assert_int_equal(report(r, NOW, 0, trial + 11), 0);
	assert_int_equal(look(r, trial + 11).state, CALLROUTE_BREAKER_HALF_OPEN);
	assert_int_equal(report(r, trial + 10, 0, trial + 20), 1);
	/* failing after it closed: about the time before */
	for(i = 0; i < 20; i++)
		assert_int_equal(report(r, NOW, 1, trial + 30), 0);
	assert_int_equal(look(r, trial + 30).calls, 0);
	assert_int_equal(look(r, trial + 30).state, CALLROUTE_BREAKER_CLOSED);
}

/* The failures that opened it are still within the window when it closes. */
static void closing_forgets_what_opened_it(void **state)
{
	struct callroute_breaker_config quick = cfg;
	struct rig *r = *state;
	uint64_t t = NOW;
	int i, turn;

	quick.half_open_after_us = 1000; /* shorter than a sub-window, too */
	for(turn = 0; turn < 20; turn++) {
		for(i = 0; i < 9; i++)
			assert_int_equal(
					callroute_breaker_report(r->live, r->slot, &quick, t, 1, t),
					0);
		assert_int_equal(
				callroute_breaker_report(r->live, r->slot, &quick, t, 1, t),
				-1);
		t += 1000;
		assert_int_equal(
				callroute_breaker_take(r->live, r->slot, &quick, t), 0);
		assert_int_equal(
				callroute_breaker_report(r->live, r->slot, &quick, t, 0, t + 1),
				1);
		t += 2;
		assert_int_equal(look(r, t).calls, 0);
	}
}

static void clocks_slightly_behind_are_harmless(void **state)
{
	struct rig *r = *state;
	uint64_t edge = NOW - NOW % (10 * SEC) + 10 * SEC;
	int i;

	/* over the edge of a sub-window and back */
	for(i = 0; i < 9; i++)
		assert_int_equal(
				report(r, edge - 5, 1, i % 2 ? edge + 3 : edge - 3), 0);
	assert_int_equal(look(r, edge).failures, 9);
	assert_int_equal(look(r, edge - 3).failures, 9);
	assert_int_equal(report(r, edge - 5, 1, edge - 4), -1);
	/* just opened, and asked by a clock from before */
	assert_int_equal(take(r, edge - 100), -EAGAIN);
	assert_int_equal(look(r, edge - 100).state, CALLROUTE_BREAKER_OPEN);
	/* a whole window behind: not counted, and nothing lost */
	assert_int_equal(take(r, edge + 40 * SEC), 0);
	assert_int_equal(report(r, edge + 40 * SEC, 0, edge + 200 * SEC), 1);
	assert_int_equal(report(r, edge + 200 * SEC, 1, edge + 201 * SEC), 0);
	assert_int_equal(report(r, edge + 200 * SEC, 1, edge + 121 * SEC), 0);
	assert_int_equal(look(r, edge + 201 * SEC).calls, 1);
}

static void a_flood_keeps_the_ratio(void **state)
{
	struct callroute_breaker_config wide = cfg;
	struct callroute_breaker b;
	struct rig *r = *state;
	unsigned i;

	wide.open_at = 26;
	for(i = 0; i < 200000; i++)
		assert_int_equal(callroute_breaker_report(
								 r->live, r->slot, &wide, NOW, i % 4 == 3, NOW),
				0);
	callroute_breaker_read(r->live, r->slot, &wide, NOW, &b);
	assert_in_range(b.calls, 32767, 65535);
	assert_in_range(b.failures * 1000 / b.calls, 248, 252);
}

static void without_a_configuration_everything_passes(void **state)
{
	struct callroute_breaker_config off = cfg;
	struct rig *r = *state;
	int i;

	open_it(r, NOW);
	assert_int_equal(callroute_breaker_allows(r->live, r->slot, NULL, NOW), 1);
	assert_int_equal(callroute_breaker_take(r->live, r->slot, NULL, NOW), 0);
	off.min_calls = 0;
	assert_int_equal(callroute_breaker_take(r->live, r->slot, &off, NOW), 0);
	off = cfg;
	off.open_at = 0;
	for(i = 0; i < 100; i++)
		assert_int_equal(
				callroute_breaker_report(r->live, r->slot, &off, NOW, 1, NOW),
				0);
	/* the state has waited for a configuration to come back */
	assert_int_equal(take(r, NOW), -EAGAIN);
}

static void what_it_costs(void **state)
{
	struct callroute_breaker_config never = cfg;
	struct rig *r = *state;
	unsigned sum = 0;

	never.min_calls = UINT32_MAX;
	rig_measure("callroute_breaker_allows", 10000000,
			sum +=
			(unsigned)callroute_breaker_allows(r->live, r->slot, &cfg, NOW));
	assert_int_equal(sum, 10000000);
	rig_measure("callroute_breaker_report", 1000000,
			sum += (unsigned)callroute_breaker_report(
					r->live, r->slot, &never, NOW, 0, NOW + rig_i));
	assert_int_equal(sum, 10000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(opens_at_its_share_and_not_before_min_calls),
			rig_test(below_its_share_it_stays_closed),
			rig_test(old_calls_leave_the_window),
			rig_test(the_window_is_as_sharp_as_stated),
			rig_test(half_open_lets_one_call_try),
			rig_test(a_failed_trial_waits_again),
			rig_test(a_lost_trial_frees_itself),
			rig_test(late_reports_neither_open_nor_close),
			rig_test(closing_forgets_what_opened_it),
			rig_test(clocks_slightly_behind_are_harmless),
			rig_test(a_flood_keeps_the_ratio),
			rig_test(without_a_configuration_everything_passes),
			rig_test(what_it_costs),
	};

	return cmocka_run_group_tests_name("callroute_breaker", tests, NULL, NULL);
}

/*
 * Calls per second of trunk, carrier and account.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/capacity.h"
#include "callroute/live/live_slot.h"

#define LONG (3600 * SEC)

static const struct callroute_claim no_limits = {
		.trunk = 1, .carrier = 2, .account = 3};

static void calls_per_second_are_paced(void **state)
{
	static const int refusal[] = {
			CALLROUTE_TRUNK_CPS, CALLROUTE_CARRIER_CPS, CALLROUTE_ACCOUNT_CPS};
	struct rig *r = *state;
	unsigned kind;
	uint64_t call = 1;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++) {
		struct callroute_claim c = no_limits;
		uint64_t start = NOW + kind * 100 * SEC, t, passed = 0;

		c.limit[kind].max_cps = 10;
		/* asked every 10 ms for ten seconds: a tenth gets through */
		for(t = start; t < start + 10 * SEC; t += 10 * MS) {
			int peek = callroute_capacity_peek(r->live, &c, NULL, t);
			int rc = callroute_capacity_take(r->live, call, &c, t + LONG, t);

			assert_int_equal(peek, rc);
			assert_true(rc == 0 || rc == refusal[kind]);
			passed += rc == 0;
			call += rc == 0;
		}
		/* 10 a second, and the burst of a quarter second */
		assert_in_range(passed, 100, 102);
	}
}

/* Trunk and carrier, not the account: it is still one call. */
static void an_attempt_that_is_not_made_is_not_paced(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = no_limits;

	c.limit[CALLROUTE_OWNER_TRUNK].max_cps = 1;
	c.limit[CALLROUTE_OWNER_CARRIER].max_cps = 1;
	assert_int_equal(
			callroute_capacity_take(r->live, 1, &c, NOW + LONG, NOW), 0);
	assert_int_equal(callroute_capacity_peek(r->live, &c, NULL, NOW),
			CALLROUTE_TRUNK_CPS);
	callroute_capacity_undo_pace(r->live, &c, NOW);
	assert_int_equal(
			callroute_capacity_take(r->live, 2, &c, NOW + LONG, NOW), 0);
	c.limit[CALLROUTE_OWNER_ACCOUNT].max_cps = 1;
	callroute_capacity_undo_pace(r->live, &c, NOW);
	assert_int_equal(
			callroute_capacity_take(r->live, 3, &c, NOW + LONG, NOW), 0);
	callroute_capacity_undo_pace(r->live, &c, NOW);
	assert_int_equal(callroute_capacity_take(r->live, 4, &c, NOW + LONG, NOW),
			CALLROUTE_ACCOUNT_CPS);
}

/* A second never holds more than 1.25 times the rate and one. */
static void a_burst_is_a_quarter_of_a_second(void **state)
{
	static const uint32_t rates[] = {1, 3, 4, 7, 40, 100, 1000};
	struct rig *r = *state;
	struct callroute_pace *p = callroute_part(r->live, r->live->pace_at);
	unsigned i;

	for(i = 0; i < sizeof rates / sizeof *rates; i++) {
		uint32_t passed = 0;
		uint64_t t;

		for(t = NOW; t < NOW + SEC; t += 100)
			passed += callroute_pace_take(p, 1000 + i, rates[i], t) == 0;
		assert_in_range(passed, rates[i], rates[i] + rates[i] / 4 + 1);
	}
}

/* As many owners as it was made for, all busy: nearly each has a place, and when
 * they are idle others may have it. */
static void pacing_has_room_for_all_owners(void **state)
{
	struct rig *r = *state;
	struct callroute_pace *p = callroute_part(r->live, r->live->pace_at);
	uint32_t i, round, counted, n = rig_config()->owners + rig_config()->trunks;

	for(round = 0; round < 5; round++) {
		uint64_t base = (uint64_t)round << 40, t = NOW + round * 10 * SEC;

		for(i = 1; i <= n; i++)
			(void)callroute_pace_take(p, base + i, 1, t);
		for(counted = 0, i = 1; i <= n; i++)
			counted += !callroute_pace_allows(p, base + i, 1, t);
		assert_in_range(counted, n * 95 / 100, n);
		for(i = 1; i <= n; i++)
			assert_true(callroute_pace_allows(p, base + i, 1, t + SEC));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(calls_per_second_are_paced),
			rig_test(an_attempt_that_is_not_made_is_not_paced),
			rig_test(a_burst_is_a_quarter_of_a_second),
			rig_test(pacing_has_room_for_all_owners),
	};

	return cmocka_run_group_tests_name("callroute_pace", tests, NULL, NULL);
}

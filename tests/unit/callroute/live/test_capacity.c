/*
 * Capacity: channels and calls per second of trunk, carrier and account.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/capacity.h"
#include "callroute/live/live_slot.h"

#define LONG (3600 * SEC)
#define END (NOW + LONG)

/* Trunk 1, carrier 2, account 3; the limits as named. */
static struct callroute_claim claim(uint32_t trunk_channels,
		uint32_t carrier_channels, uint32_t account_channels)
{
	return (struct callroute_claim){.trunk = 1,
			.carrier = 2,
			.account = 3,
			.limit = {{trunk_channels, 0}, {carrier_channels, 0},
					{account_channels, 0}}};
}

static uint32_t channels(
		struct rig *r, enum callroute_owner kind, uint32_t id, uint64_t now)
{
	return callroute_capacity_channels(r->live, kind, id, now);
}

static uint64_t total(struct rig *r, uint64_t now)
{
	struct callroute_capacity_stats st;

	callroute_capacity_read_stats(r->live, now, &st);
	return st.channels;
}

static void expect_channels(
		struct rig *r, uint32_t trunk, uint32_t carrier, uint32_t account)
{
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 1, NOW), trunk);
	assert_int_equal(channels(r, CALLROUTE_OWNER_CARRIER, 2, NOW), carrier);
	assert_int_equal(channels(r, CALLROUTE_OWNER_ACCOUNT, 3, NOW), account);
}

static int take(struct rig *r, uint64_t call, const struct callroute_claim *c)
{
	return callroute_capacity_take(r->live, call, c, END, NOW);
}

static int let_go(struct rig *r, uint64_t call)
{
	return callroute_capacity_release(r->live, call, NOW);
}

static void a_call_holds_three_channels(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = claim(0, 0, 0);

	/* without limits too: the counts are for the operator's eyes */
	assert_int_equal(take(r, 77, &c), 0);
	expect_channels(r, 1, 1, 1);
	assert_int_equal(total(r, NOW), 3);
	/* the same id is another owner in another kind */
	assert_int_equal(channels(r, CALLROUTE_OWNER_CARRIER, 1, NOW), 0);
	assert_int_equal(let_go(r, 77), 0);
	expect_channels(r, 0, 0, 0);
	assert_int_equal(total(r, NOW), 0);
	/* an owner of id 0 is none */
	c.carrier = c.account = 0;
	c.limit[CALLROUTE_OWNER_ACCOUNT] = (struct callroute_limit){1, 1};
	assert_int_equal(take(r, 77, &c), 0);
	assert_int_equal(take(r, 78, &c), 0);
	assert_int_equal(total(r, NOW), 2);
	assert_int_equal(
			callroute_capacity_take(r->live, 79, &c, NOW, NOW), -EINVAL);
}

/* OpenSIPS #2102: a counter went below zero to 4294967262, and the trunk got no
 * more calls. Here a count is the number of leases. */
static void releasing_too_often_wraps_nothing(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = claim(2, 0, 0);
	unsigned i;

	for(i = 0; i < 50; i++)
		assert_int_equal(let_go(r, 1000 + i), -ENOENT);
	assert_int_equal(take(r, 1, &c), 0);
	assert_int_equal(let_go(r, 1), 0);
	for(i = 0; i < 50; i++)
		assert_int_equal(let_go(r, 1), -ENOENT);
	expect_channels(r, 0, 0, 0);
	assert_int_equal(callroute_capacity_peek(r->live, &c, NULL, NOW), 0);
	/* and the limit is where it was */
	assert_int_equal(take(r, 2, &c), 0);
	assert_int_equal(take(r, 3, &c), 0);
	assert_int_equal(take(r, 4, &c), CALLROUTE_TRUNK_CHANNELS);
	expect_channels(r, 2, 2, 2);
}

static void a_refusal_names_its_owner_and_takes_nothing(void **state)
{
	static const int refusal[] = {CALLROUTE_TRUNK_CHANNELS,
			CALLROUTE_CARRIER_CHANNELS, CALLROUTE_ACCOUNT_CHANNELS};
	struct rig *r = *state;
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++) {
		struct callroute_claim c = claim(0, 0, 0);

		c.limit[kind].max_channels = 3;
		for(uint64_t call = 1; call <= 3; call++) {
			assert_int_equal(
					callroute_capacity_peek(r->live, &c, NULL, NOW), 0);
			assert_int_equal(take(r, call, &c), 0);
		}
		assert_int_equal(
				callroute_capacity_peek(r->live, &c, NULL, NOW), refusal[kind]);
		assert_int_equal(take(r, 4, &c), refusal[kind]);
		expect_channels(r, 3, 3, 3);
		assert_int_equal(let_go(r, 4), -ENOENT);
		/* a call in the middle of its life is not in its own way */
		assert_int_equal(take(r, 3, &c), 0);
		assert_int_equal(callroute_capacity_peek(r->live, &c, &c, NOW), 0);
		expect_channels(r, 3, 3, 3);
		for(uint64_t call = 1; call <= 3; call++)
			assert_int_equal(let_go(r, call), 0);
		assert_int_equal(total(r, NOW), 0);
	}
}

/* The trunk refuses again and again; carrier and account must not pay. */
static void a_refused_attempt_counts_for_nobody(void **state)
{
	struct rig *r = *state;
	struct callroute_claim narrow = claim(1, 0, 0), wide = claim(0, 0, 0);
	unsigned i, kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		narrow.limit[kind].max_cps = 4;
	wide.trunk = 9;
	wide.limit[CALLROUTE_OWNER_CARRIER].max_cps = 4;
	wide.limit[CALLROUTE_OWNER_ACCOUNT].max_cps = 4;
	assert_int_equal(callroute_capacity_take(r->live, 1, &narrow, END, NOW), 0);
	/* a second later each may call again; the trunk has no channel left */
	for(i = 0; i < 20; i++)
		assert_int_equal(
				callroute_capacity_take(r->live, 2, &narrow, END, NOW + SEC),
				CALLROUTE_TRUNK_CHANNELS);
	assert_int_equal(
			callroute_capacity_take(r->live, 2, &wide, END, NOW + SEC), 0);
	/* and now carrier and account are spent for this quarter */
	assert_int_equal(callroute_capacity_take(r->live, 3, &wide, END, NOW + SEC),
			CALLROUTE_CARRIER_CPS);
	wide.carrier = 0;
	for(i = 0; i < 20; i++)
		assert_int_equal(
				callroute_capacity_take(r->live, 3, &wide, END, NOW + SEC),
				CALLROUTE_ACCOUNT_CPS);
	assert_int_equal(channels(r, CALLROUTE_OWNER_ACCOUNT, 3, NOW), 2);
}

static void failover_keeps_the_account(void **state)
{
	struct rig *r = *state;
	struct callroute_claim first = claim(1, 1, 1), second = first, third;

	second.trunk = 11; /* of the same carrier */
	third = second;
	third.trunk = 21;
	third.carrier = 22;
	first.limit[CALLROUTE_OWNER_ACCOUNT].max_cps = 1;
	second.limit[CALLROUTE_OWNER_ACCOUNT].max_cps = 1;
	assert_int_equal(take(r, 5, &first), 0);
	/* its own channels, at limits of one, are not in its way */
	assert_int_equal(callroute_capacity_peek(r->live, &second, &first, NOW), 0);
	assert_int_equal(callroute_capacity_peek(r->live, &second, NULL, NOW),
			CALLROUTE_CARRIER_CHANNELS);
	assert_int_equal(callroute_capacity_move(r->live, 5, &second, END, NOW), 0);
	expect_channels(r, 0, 1, 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 11, NOW), 1);
	assert_int_equal(callroute_capacity_move(r->live, 5, &third, END, NOW), 0);
	expect_channels(r, 0, 0, 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 11, NOW), 0);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 21, NOW), 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_CARRIER, 22, NOW), 1);
	assert_int_equal(total(r, NOW), 3);
	assert_int_equal(let_go(r, 5), 0);
	assert_int_equal(total(r, NOW), 0);
}

static void a_refused_failover_is_still_a_call(void **state)
{
	struct rig *r = *state;
	struct callroute_claim mine = claim(0, 0, 0), full = claim(1, 0, 0);

	full.trunk = 11;
	full.account = 0;
	assert_int_equal(take(r, 1, &full), 0);
	full.account = 3;
	full.carrier = 12;
	assert_int_equal(take(r, 5, &mine), 0);
	assert_int_equal(callroute_capacity_move(r->live, 5, &full, END, NOW),
			CALLROUTE_TRUNK_CHANNELS);
	/* the failed attempt is over, nothing of the new one is held */
	expect_channels(r, 0, 1, 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 11, NOW), 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_CARRIER, 12, NOW), 0);
	/* the next candidate */
	assert_int_equal(callroute_capacity_move(r->live, 5, &mine, END, NOW), 0);
	expect_channels(r, 1, 2, 1);
	assert_int_equal(let_go(r, 5), 0);
	expect_channels(r, 0, 1, 0);
	/* moving a call that holds nothing takes what it is given */
	assert_int_equal(callroute_capacity_move(r->live, 6, &mine, END, NOW), 0);
	expect_channels(r, 1, 2, 1);
	/* a refused take leaves what was held before */
	full.carrier = 2;
	assert_int_equal(take(r, 6, &full), CALLROUTE_TRUNK_CHANNELS);
	expect_channels(r, 1, 2, 1);
	assert_int_equal(let_go(r, 6), 0);
	assert_int_equal(let_go(r, 1), 0);
	assert_int_equal(total(r, NOW), 0);
}

static void what_nobody_releases_ends(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = claim(1, 1, 1);
	uint64_t t = NOW + 180 * SEC;

	assert_int_equal(callroute_capacity_take(r->live, 5, &c, t, NOW), 0);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 1, t - 1), 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 1, t), 0);
	/* answered in time, it lasts */
	assert_int_equal(callroute_capacity_renew(r->live, 5, t + LONG, t - 1), 0);
	assert_int_equal(channels(r, CALLROUTE_OWNER_TRUNK, 1, t + LONG - 1), 1);
	assert_int_equal(channels(r, CALLROUTE_OWNER_ACCOUNT, 3, t + LONG - 1), 1);
	assert_int_equal(callroute_capacity_release(r->live, 5, t + LONG - 1), 0);
	assert_int_equal(total(r, t), 0);
	/* too late, and for nobody */
	assert_int_equal(callroute_capacity_take(r->live, 6, &c, t, NOW), 0);
	assert_int_equal(
			callroute_capacity_renew(r->live, 6, t + LONG, t), -ENOENT);
	assert_int_equal(
			callroute_capacity_renew(r->live, 7, t + LONG, t), -ENOENT);
	assert_int_equal(callroute_capacity_renew(r->live, 6, t, t), -EINVAL);
	assert_int_equal(callroute_capacity_release(r->live, 6, t), -ENOENT);
	assert_int_equal(total(r, t), 0);
}

/* With the record go the names of what the call holds. It lasts as long as the
 * longest of its attempts asked for, so a release in that time ends it all. */
static void a_record_lasts_as_long_as_the_longest_attempt(void **state)
{
	static const uint64_t ends[][2] = {{NOW + SEC, END}, {END, NOW + SEC}};
	struct rig *r = *state;
	struct callroute_claim c = claim(0, 0, 0), next = c;
	uint64_t later = NOW + SEC;
	unsigned i;

	next.trunk = 11;
	for(i = 0; i < 2; i++) {
		assert_int_equal(
				callroute_capacity_take(r->live, 5, &c, ends[i][0], NOW), 0);
		assert_int_equal(
				callroute_capacity_move(r->live, 5, &next, ends[i][1], NOW), 0);
		assert_int_equal(channels(r, CALLROUTE_OWNER_ACCOUNT, 3, later), 1);
		assert_int_equal(callroute_capacity_release(r->live, 5, later), 0);
		assert_int_equal(total(r, later), 0);
	}
	/* and no longer */
	for(i = 0; i < 2; i++) {
		assert_int_equal(
				callroute_capacity_take(r->live, 6, &c, ends[i][0], NOW), 0);
		assert_int_equal(
				callroute_capacity_move(r->live, 6, &next, ends[i][1], NOW), 0);
		assert_int_equal(callroute_capacity_release(r->live, 6, END), -ENOENT);
	}
}

/* Ten times the calls the state was made for: none fails, and no channel stays
 * that no release can end. */
static void a_full_state_fails_no_call(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = claim(0, 0, 0);
	struct callroute_capacity_stats st;
	uint64_t call, n = 10240;

	for(call = 1; call <= n; call++)
		assert_int_equal(take(r, call * 0x9e3779b97f4a7c15, &c), 0);
	callroute_capacity_read_stats(r->live, NOW, &st);
	print_message("%u channels of %u calls, %u times untracked\n",
			(unsigned)st.channels, (unsigned)n, (unsigned)st.untracked);
	assert_true(st.untracked > 0);
	assert_true(st.channels >= 3 * 1024);
	for(call = 1; call <= n; call++)
		(void)let_go(r, call * 0x9e3779b97f4a7c15);
	assert_int_equal(total(r, NOW), 0);
}

static void at_its_size_nearly_all_calls_are_counted(void **state)
{
	struct rig *r = *state;
	struct callroute_claim c = claim(0, 0, 0);
	uint32_t counted;
	uint64_t call;

	for(call = 1; call <= 1024; call++)
		assert_int_equal(take(r, call * 0x9e3779b97f4a7c15, &c), 0);
	counted = channels(r, CALLROUTE_OWNER_TRUNK, 1, NOW);
	assert_in_range(counted, 1014, 1024);
	assert_int_equal(total(r, NOW), 3 * counted);
	/* the sweep ends what is over, a bounded bit at a time */
	assert_int_equal(callroute_capacity_sweep(r->live, END - 1, UINT32_MAX), 0);
	assert_in_range(callroute_capacity_sweep(r->live, END, 16), 0, 16);
	assert_int_equal(total(r, END), 0);
}

static void what_it_costs(void **state)
{
	struct rig *r = *state;
	struct callroute_claim none = claim(0, 0, 0), all = claim(9, 9, 9), cps;
	int sum = 0;

	all.limit[0].max_cps = all.limit[1].max_cps = all.limit[2].max_cps = 100;
	cps = none;
	cps.limit[0].max_cps = 100;
	assert_int_equal(take(r, 1, &all), 0);
	rig_measure("callroute_capacity_peek, no limits", 10000000,
			sum += callroute_capacity_peek(r->live, &none, NULL, NOW));
	rig_measure("callroute_capacity_peek, trunk's CPS", 10000000,
			sum += callroute_capacity_peek(r->live, &cps, NULL, NOW));
	rig_measure("callroute_capacity_peek, six limits", 1000000,
			sum += callroute_capacity_peek(r->live, &all, NULL, NOW));
	assert_int_equal(sum, 0);
	rig_measure("callroute_capacity_take and release", 300000,
			sum += take(r, rig_i + 2, &none) + let_go(r, rig_i + 2));
	assert_int_equal(sum, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(a_call_holds_three_channels),
			rig_test(releasing_too_often_wraps_nothing),
			rig_test(a_refusal_names_its_owner_and_takes_nothing),
			rig_test(a_refused_attempt_counts_for_nobody),
			rig_test(failover_keeps_the_account),
			rig_test(a_refused_failover_is_still_a_call),
			rig_test(what_nobody_releases_ends),
			rig_test(a_record_lasts_as_long_as_the_longest_attempt),
			rig_test(a_full_state_fails_no_call),
			rig_test(at_its_size_nearly_all_calls_are_counted),
			rig_test(what_it_costs),
	};

	return cmocka_run_group_tests_name("callroute_capacity", tests, NULL, NULL);
}

/*
 * Capacity between processes: limits that hold, channels given back exactly
 * once, and nothing left behind by the killed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/capacity.h"

enum
{
	PROCESSES = 8,
	CALLS = 500,
	QUARRELLERS = 3,
	PATIENCE_SECONDS = 20
};

#define END (NOW + 100 * SEC)

struct crowd
{
	struct rig *r;
	_Atomic uint32_t *here, *once, *peak;
};

static void crowd_up(struct crowd *c, struct tg_region *counts, struct rig *r)
{
	assert_int_equal(tg_region_map(counts, 4096), 0);
	c->r = r;
	c->here = (_Atomic uint32_t *)counts->base;
	c->once = c->here + 1;
	c->peak = c->here + 2;
}

static struct callroute_claim claim_of(uint64_t seed)
{
	return (struct callroute_claim){.trunk = 1 + (uint32_t)(seed >> 40) % 60,
			.carrier = 1 + (uint32_t)(seed >> 44) % 2,
			.account = 1 + (uint32_t)(seed >> 48) % 2};
}

static uint64_t total(struct rig *r, uint64_t now)
{
	struct callroute_capacity_stats st;

	callroute_capacity_read_stats(r->live, now, &st);
	return st.channels;
}

static void expect_nothing_held(struct rig *r, uint64_t now)
{
	uint32_t kind, id;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		for(id = 1; id <= 60; id++)
			assert_int_equal(
					callroute_capacity_channels(r->live, kind, id, now), 0);
	assert_int_equal(total(r, now), 0);
}

/* A stopped or preempted neighbour may make it busy; then again, but not for
 * ever: each process waits so long for all its calls together. */
static int release(struct rig *r, uint64_t call, uint64_t now)
{
	static double waited;
	int rc = callroute_capacity_release(r->live, call, now);
	double since = rig_seconds();

	while(rc == -EBUSY && waited + rig_seconds() - since < PATIENCE_SECONDS)
		rc = callroute_capacity_release(r->live, call, now);
	waited += rig_seconds() - since;
	return rc;
}

/* 1 when the call held something. */
static unsigned let_go(struct rig *r, uint64_t call)
{
	int rc = release(r, call, NOW);

	if(rc != 0 && rc != -ENOENT)
		fail_msg("call %u is not given back: %d", (unsigned)call, rc);
	return rc == 0;
}

static int take_and_give_back(void *table, unsigned self)
{
	struct crowd *c = table;
	struct callroute_claim claim = {.trunk = 1,
			.carrier = 1,
			.account = 1,
			.limit = {{5, 0}, {6, 0}, {7, 0}}};
	uint32_t i;

	if(rig_meet(c->here, PROCESSES, 1) != 0)
		return 1;
	for(i = 0; i < 2000; i++) {
		uint64_t call = self * 10000 + i + 1;
		uint32_t n;
		int rc = callroute_capacity_take(c->r->live, call, &claim, END, NOW);

		if(rc != 0 && rc != CALLROUTE_TRUNK_CHANNELS
				&& rc != CALLROUTE_CARRIER_CHANNELS
				&& rc != CALLROUTE_ACCOUNT_CHANNELS)
			return 2;
		n = callroute_capacity_channels(
				c->r->live, CALLROUTE_OWNER_TRUNK, 1, NOW);
		if(n > atomic_load(c->peak))
			atomic_store(c->peak, n);
		if(i % 3 == 0)
			sched_yield(); /* with the channels held */
		if(release(c->r, call, NOW) != (rc == 0 ? 0 : -ENOENT))
			return 3;
	}
	return 0;
}

static void limits_hold_and_counts_return_to_zero(void **state)
{
	struct tg_region counts;
	struct crowd c;

	crowd_up(&c, &counts, *state);
	assert_int_equal(procs_run(PROCESSES, take_and_give_back, &c), 0);
	print_message("peak of %u\n", atomic_load(c.peak));
	assert_in_range(atomic_load(c.peak), 1, 5);
	expect_nothing_held(*state, NOW);
	tg_region_unmap(&counts);
}

static int release_all(void *table, unsigned self)
{
	struct crowd *c = table;
	uint64_t call;

	if(rig_meet(c->here, PROCESSES, 1) != 0)
		return 1;
	for(call = 1; call <= CALLS; call++) {
		int rc = release(c->r, call, NOW);

		if(rc != 0 && rc != -ENOENT)
			return 2 + (int)self;
		atomic_fetch_add(c->once, rc == 0);
	}
	return 0;
}

static void a_call_is_released_exactly_once(void **state)
{
	struct rig *r = *state;
	struct callroute_claim claim = claim_of(0);
	struct tg_region counts;
	struct crowd c;
	uint64_t call;

	crowd_up(&c, &counts, r);
	for(call = 1; call <= CALLS; call++)
		assert_int_equal(
				callroute_capacity_take(r->live, call, &claim, END, NOW), 0);
	assert_int_equal(total(r, NOW), 3 * CALLS);
	assert_int_equal(procs_run(PROCESSES, release_all, &c), 0);
	assert_int_equal(atomic_load(c.once), CALLS);
	expect_nothing_held(r, NOW);
	tg_region_unmap(&counts);
}

static uint64_t next(uint64_t seed)
{
	return seed * UINT64_C(6364136223846793005) + 1442695040888963407;
}

/* One step of somebody's work on a call. */
static void step(struct rig *r, uint64_t call, uint64_t seed, unsigned kinds)
{
	struct callroute_claim claim = claim_of(seed);
	uint64_t expires = NOW + 1 + (seed >> 20) % (100 * SEC - 1);

	switch((seed >> 56) % kinds) {
		case 0:
			(void)callroute_capacity_take(r->live, call, &claim, expires, NOW);
			break;
		case 1:
			(void)callroute_capacity_move(r->live, call, &claim, END, NOW);
			break;
		case 2:
			(void)callroute_capacity_renew(r->live, call, expires, NOW);
			break;
		default:
			(void)callroute_capacity_release(r->live, call, NOW);
	}
}

/* Round by round on the same call, and never on it again. */
static int quarrel(void *table, unsigned self)
{
	struct crowd *c = table;
	uint64_t seed = next(self + 1);
	uint32_t i;

	for(i = 0; i < CALLS * 10; i++, seed = next(seed)) {
		if(i % 10 == 0 && rig_meet(c->here, QUARRELLERS, i / 10 + 1) != 0)
			return 1;
		step(c->r, i / 10 + 1, seed, 4);
	}
	return 0;
}

/* Taking, failing over and releasing the same call at once is nobody's habit;
 * even so no channel is left without a name: the release of all calls ends all. */
static void a_quarrel_over_a_call_leaks_nothing(void **state)
{
	struct rig *r = *state;
	struct tg_region counts;
	struct crowd c;
	uint64_t call;

	crowd_up(&c, &counts, r);
	assert_int_equal(procs_run(QUARRELLERS, quarrel, &c), 0);
	assert_true(total(r, NOW) > 0);
	for(call = 1; call <= CALLS; call++)
		(void)let_go(r, call);
	expect_nothing_held(r, NOW);
	tg_region_unmap(&counts);
}

/* Each process has two calls of its own. */
static int take_until_killed(void *table, unsigned self)
{
	uint64_t seed = next(self + 1);

	for(;; seed = next(seed))
		step(table, 1 + self * 2 + (seed >> 33) % 2, seed, 2);
	return 0;
}

/* kill -9 in the middle of take and move: the call's release, which comes later
 * from another process, finds what was taken for it. */
static void what_the_killed_took_is_found_by_release(void **state)
{
	struct rig *r = *state;
	struct procs p;
	unsigned round, held = 0;
	uint64_t call;

	procs_start(&p, 4, take_until_killed, r);
	for(round = 0; round < 200; round++) {
		procs_kill_one(&p, round % 4);
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	for(call = 1; call <= 2 * p.started; call++)
		held += let_go(r, call);
	assert_in_range(held, p.started, 2 * p.started);
	expect_nothing_held(r, NOW);
}

static int work_until_killed(void *table, unsigned self)
{
	uint64_t seed = next(self + 1);

	for(;; seed = next(seed))
		step(table, 1 + (seed >> 33) % CALLS, seed, 4);
	return 0;
}

/* Also in the middle of a release: whatever is left ends by its expiry, and then
 * the counts are 0 and the room is there again. */
static void what_the_killed_held_ends_by_its_expiry(void **state)
{
	struct rig *r = *state;
	struct callroute_claim claim = {.trunk = 1};
	struct procs p;
	unsigned round;
	uint64_t call;

	procs_start(&p, 4, work_until_killed, r);
	for(round = 0; round < 200; round++) {
		procs_kill_one(&p, round % 4);
		/* whoever died where: never more channels than calls */
		assert_in_range(callroute_capacity_channels(
								r->live, CALLROUTE_OWNER_TRUNK, 1, NOW),
				0, CALLS);
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	for(call = 1; call <= CALLS; call++) {
		(void)let_go(r, call);
		assert_int_equal(let_go(r, call), 0);
	}
	print_message(
			"%u channels left to their expiry\n", (unsigned)total(r, NOW));
	expect_nothing_held(r, END);
	/* no record, no lease has leaked: all calls fit again */
	for(call = 1; call <= 1000; call++)
		assert_int_equal(callroute_capacity_take(r->live,
								 call * UINT64_C(0x9e3779b97f4a7c15), &claim,
								 END + SEC, END),
				0);
	assert_in_range(
			callroute_capacity_channels(r->live, CALLROUTE_OWNER_TRUNK, 1, END),
			990, 1000);
}

static int pace(void *table, unsigned self)
{
	struct crowd *c = table;
	struct callroute_claim claim = {.limit = {{0, 0}, {0, 0}, {0, 40}}};
	uint32_t i;

	claim.account = 3;
	if(rig_meet(c->here, PROCESSES, 1) != 0)
		return 1;
	for(i = 0; i < 5000; i++) {
		uint64_t call = self * 10000 + i + 1;
		int rc = callroute_capacity_take(
				c->r->live, call, &claim, END, NOW + i * 2 * MS);

		if(rc == 0)
			atomic_fetch_add(c->once, 1);
		else if(rc != CALLROUTE_ACCOUNT_CPS)
			return 2;
		(void)release(c->r, call, NOW);
	}
	return 0;
}

/* Ten seconds of time go by, at a different pace in each process. */
static void calls_per_second_hold_across_processes(void **state)
{
	struct tg_region counts;
	struct crowd c;

	crowd_up(&c, &counts, *state);
	assert_int_equal(procs_run(PROCESSES, pace, &c), 0);
	print_message("%u calls in 10 s at 40 a second\n", atomic_load(c.once));
	assert_in_range(atomic_load(c.once), 300, 410);
	tg_region_unmap(&counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(limits_hold_and_counts_return_to_zero),
			rig_test(a_call_is_released_exactly_once),
			rig_test(a_quarrel_over_a_call_leaks_nothing),
			rig_test(what_the_killed_took_is_found_by_release),
			rig_test(what_the_killed_held_ends_by_its_expiry),
			rig_test(calls_per_second_hold_across_processes),
	};

	return cmocka_run_group_tests_name(
			"callroute_capacity_procs", tests, NULL, NULL);
}

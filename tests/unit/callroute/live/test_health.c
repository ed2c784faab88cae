/*
 * Health by probes: thresholds in a row, edges with one author, claims.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/health.h"

static void down_after_and_up_after(void **state)
{
	struct rig *r = *state;
	struct callroute_health h;
	uint64_t t = NOW;

	assert_int_equal(callroute_health_is_up(r->live, r->slot), 1);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.up, 1);
	assert_int_equal(h.since, 0);
	assert_int_equal(h.successes + h.failures, 0);

	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, t++), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, t++), 0);
	/* an answer in between starts the row anew */
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 3, 2, t++), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, t++), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, t++), 0);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.failures, 2);
	assert_int_equal(callroute_health_is_up(r->live, r->slot), 1);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, t), -1);
	assert_int_equal(callroute_health_is_up(r->live, r->slot), 0);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.up, 0);
	assert_int_equal(h.since, t);
	assert_int_equal(h.failures, 3);

	/* it is down already: no second edge */
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, ++t), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 3, 2, ++t), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 3, 2, ++t), 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 3, 2, ++t), 0);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.since, NOW + 5);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 3, 2, ++t), 1);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.up, 1);
	assert_int_equal(h.since, t);
	assert_int_equal(h.successes, 2);
	assert_int_equal(h.failures, 0);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 3, 2, ++t), 0);
}

static void thresholds_have_ends(void **state)
{
	struct rig *r = *state;
	struct callroute_health h;
	unsigned i;

	/* 0 is 1 */
	assert_int_equal(callroute_health_probe(r->live, r->slot, 0, 0, 0, 1), -1);
	assert_int_equal(callroute_health_probe(r->live, r->slot, 1, 0, 0, 2), 1);
	/* rows saturate instead of wrapping, and the largest threshold is met */
	for(i = 1; i < 16383; i++)
		assert_int_equal(callroute_health_probe(
								 r->live, r->slot, 0, UINT32_MAX, 1, NOW + i),
				0);
	assert_int_equal(
			callroute_health_probe(r->live, r->slot, 0, UINT32_MAX, 1, NOW + i),
			-1);
	for(i = 0; i < 5; i++)
		assert_int_equal(callroute_health_probe(
								 r->live, r->slot, 0, UINT32_MAX, 1, NOW + i),
				0);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.failures, 16383);
	assert_int_equal(h.up, 0);
}

static void trunks_do_not_touch_each_other(void **state)
{
	struct rig *r = *state;
	int other = callroute_live_slot(r->live, 8);

	assert_int_equal(callroute_health_probe(r->live, other, 0, 1, 1, NOW), -1);
	assert_int_equal(callroute_health_is_up(r->live, other), 0);
	assert_int_equal(callroute_health_is_up(r->live, r->slot), 1);
}

/* Asks for the first time and returns when the trunk is due. */
static uint64_t first_due(struct rig *r, int slot, uint64_t interval)
{
	struct callroute_health h;

	assert_int_equal(callroute_health_due(r->live, slot, interval, NOW), 0);
	callroute_health_read(r->live, slot, &h);
	assert_in_range(h.due, NOW + 1, NOW + interval);
	return h.due;
}

static void one_claim_an_interval(void **state)
{
	struct rig *r = *state;
	struct callroute_health h;
	uint64_t due = first_due(r, r->slot, 10 * SEC);

	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due - 1), 0);
	assert_int_equal(callroute_health_due(r->live, r->slot, 10 * SEC, due), 1);
	assert_int_equal(callroute_health_due(r->live, r->slot, 10 * SEC, due), 0);
	/* a clock read earlier claims nothing */
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due - 5), 0);
	assert_int_equal(callroute_health_due(
							 r->live, r->slot, 10 * SEC, due + 10 * SEC - 1),
			0);
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due + 10 * SEC),
			1);
	/* no interval, no probe */
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 0, due + 60 * SEC), 0);
	/* a claim is not a probe: the row has not moved */
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.due, due + 20 * SEC);
	assert_int_equal(h.successes + h.failures, 0);
}

/* Held up for 35 s, the trunk is claimed once and keeps its place. */
static void a_late_claim_keeps_the_place(void **state)
{
	struct rig *r = *state;
	uint64_t due = first_due(r, r->slot, 10 * SEC);

	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due + 35 * SEC),
			1);
	assert_int_equal(callroute_health_due(
							 r->live, r->slot, 10 * SEC, due + 40 * SEC - 1),
			0);
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due + 40 * SEC),
			1);
}

/* From an hour to ten seconds: nobody waits for the rest of the hour. */
static void a_shorter_interval_holds_soon(void **state)
{
	struct rig *r = *state;
	struct callroute_health h;
	uint64_t due = first_due(r, r->slot, 3600 * SEC);

	assert_int_equal(
			callroute_health_due(r->live, r->slot, 3600 * SEC, due), 1);
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, due + SEC), 0);
	callroute_health_read(r->live, r->slot, &h);
	assert_in_range(h.due, due + SEC, due + 11 * SEC);
	/* and a longer one from the next claim on */
	due = h.due;
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 3600 * SEC, due), 1);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.due, due + 3600 * SEC);
}

/* All the trunks of a start, asked about at the same instant: over the ten
 * seconds each second gets its share, and the same trunk always the same place. */
static void first_probes_are_spread(void **state)
{
	enum
	{
		TRUNKS = 60
	};
	struct rig *r = *state;
	unsigned in_second[10] = {0}, i;

	for(i = 0; i < TRUNKS; i++) {
		int slot = callroute_live_slot(r->live, 100 + i);

		in_second[(first_due(r, slot, 10 * SEC) - NOW - 1) / SEC]++;
	}
	for(i = 0; i < 10; i++)
		assert_in_range(in_second[i], TRUNKS / 10 - 3, TRUNKS / 10 + 3);
}

static void the_place_is_the_ids(void **state)
{
	struct rig *r = *state, other = {0};
	uint64_t due = first_due(r, r->slot, 10 * SEC);

	assert_int_equal(tg_region_map(&other.region, r->region.size), 0);
	assert_int_equal(callroute_live_init(other.region.base, other.region.size,
							 rig_config(), &other.live),
			0);
	assert_true(callroute_live_slot(other.live, 1) >= 0);
	other.slot = callroute_live_slot(other.live, 7);
	assert_int_equal(first_due(&other, other.slot, 10 * SEC), due);
	tg_region_unmap(&other.region);
}

enum
{
	PROCESSES = 8,
	ROUNDS = 400
};

struct crowd
{
	struct rig *r;
	_Atomic uint32_t *here, *claims, *ups, *downs;
};

/* In each round all report at once, failures first, then answers. The thresholds
 * are the number of the processes. */
static int claim_and_report(void *table, unsigned self)
{
	struct crowd *c = table;
	uint32_t round;

	(void)self;
	for(round = 0; round < 2 * ROUNDS; round++) {
		uint64_t t = NOW + (round + 1) * SEC;
		int edge;

		if(rig_meet(c->here, PROCESSES, round + 1) != 0)
			return 1;
		edge = callroute_health_probe(c->r->live, c->r->slot, round % 2 != 0,
				PROCESSES, PROCESSES, t);
		atomic_fetch_add(c->ups, edge > 0);
		atomic_fetch_add(c->downs, edge < 0);
		if(callroute_health_due(c->r->live, c->r->slot, SEC, t))
			atomic_fetch_add(c->claims, 1);
	}
	return 0;
}

static void edges_and_claims_have_one_author(void **state)
{
	struct rig *r = *state;
	struct tg_region counts;
	struct crowd c = {.r = r};

	first_due(r, r->slot, SEC);
	assert_int_equal(tg_region_map(&counts, 4096), 0);
	c.here = (_Atomic uint32_t *)counts.base;
	c.claims = c.here + 1;
	c.ups = c.here + 2;
	c.downs = c.here + 3;
	assert_int_equal(procs_run(PROCESSES, claim_and_report, &c), 0);
	assert_int_equal(atomic_load(c.downs), ROUNDS);
	assert_int_equal(atomic_load(c.ups), ROUNDS);
	assert_int_equal(atomic_load(c.claims), 2 * ROUNDS);
	assert_int_equal(callroute_health_is_up(r->live, r->slot), 1);
	tg_region_unmap(&counts);
}

static void what_it_costs(void **state)
{
	struct rig *r = *state;
	unsigned up = 0;

	rig_measure("callroute_health_is_up", 10000000,
			up += (unsigned)callroute_health_is_up(r->live, r->slot));
	assert_int_equal(up, 10000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(down_after_and_up_after),
			rig_test(thresholds_have_ends),
			rig_test(trunks_do_not_touch_each_other),
			rig_test(one_claim_an_interval),
			rig_test(a_late_claim_keeps_the_place),
			rig_test(a_shorter_interval_holds_soon),
			rig_test(first_probes_are_spread),
			rig_test(the_place_is_the_ids),
			rig_test(edges_and_claims_have_one_author),
			rig_test(what_it_costs),
	};

	return cmocka_run_group_tests_name("callroute_health", tests, NULL, NULL);
}

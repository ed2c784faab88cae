/*
 * Health by probes: thresholds in a row, edges with one author, claims.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_live_rig.h"

#include "callroute/health.h"

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

static void one_claim_an_interval(void **state)
{
	struct rig *r = *state;
	struct callroute_health h;

	/* never probed: at once */
	assert_int_equal(callroute_health_due(r->live, r->slot, 10 * SEC, NOW), 1);
	assert_int_equal(callroute_health_due(r->live, r->slot, 10 * SEC, NOW), 0);
	assert_int_equal(callroute_health_due(
							 r->live, r->slot, 10 * SEC, NOW + 10 * SEC - 1),
			0);
	assert_int_equal(
			callroute_health_due(r->live, r->slot, 10 * SEC, NOW + 10 * SEC),
			1);
	/* a clock read earlier claims nothing, whatever the interval */
	assert_int_equal(callroute_health_due(r->live, r->slot, 0, NOW), 0);
	callroute_health_read(r->live, r->slot, &h);
	assert_int_equal(h.probed, NOW + 10 * SEC);
	/* a claim is not a probe: the row has not moved */
	assert_int_equal(h.successes + h.failures, 0);
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
		uint64_t t = NOW + round * SEC;
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
			rig_test(edges_and_claims_have_one_author),
			rig_test(what_it_costs),
	};

	return cmocka_run_group_tests_name("callroute_health", tests, NULL, NULL);
}

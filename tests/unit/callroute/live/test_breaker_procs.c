/*
 * The breaker between processes: every edge has one author, every pause one
 * trial.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/breaker.h"

static const struct callroute_breaker_config cfg = {.window_us = 80 * SEC,
		.min_calls = 10,
		.open_at = 50,
		.half_open_after_us = 30 * SEC};

enum
{
	PROCESSES = 4,
	ROUNDS = 4000
};

struct crowd
{
	struct rig *r;
	_Atomic uint32_t *here, *opened, *closed, *trials;
};

static void crowd_up(struct crowd *c, struct tg_region *counts, struct rig *r)
{
	assert_int_equal(tg_region_map(counts, 4096), 0);
	c->r = r;
	c->here = (_Atomic uint32_t *)counts->base;
	c->opened = c->here + 1;
	c->closed = c->here + 2;
	c->trials = c->here + 3;
}

/* In each round all fail at once, then all try to be the trial at once. */
static int fail_and_try(void *table, unsigned self)
{
	struct crowd *c = table;
	struct callroute_live *live = c->r->live;
	uint32_t round;

	(void)self;
	for(round = 0; round < ROUNDS; round++) {
		uint64_t t = NOW + round * 31 * SEC, trial = t + 30 * SEC;

		if(rig_meet(c->here, PROCESSES, 2 * round + 1) != 0)
			return 1;
		for(int i = 0; i < 20; i++)
			if(callroute_breaker_report(live, c->r->slot, &cfg, t, 1, t) < 0)
				atomic_fetch_add(c->opened, 1);
		if(rig_meet(c->here, PROCESSES, 2 * round + 2) != 0)
			return 1;
		if(callroute_breaker_take(live, c->r->slot, &cfg, trial) == 0
				&& callroute_breaker_report(
						   live, c->r->slot, &cfg, trial, 0, trial + 1)
						   > 0)
			atomic_fetch_add(c->closed, 1);
	}
	return 0;
}

static void edges_have_one_author(void **state)
{
	struct tg_region counts;
	struct crowd c;

	crowd_up(&c, &counts, *state);
	assert_int_equal(procs_run(PROCESSES, fail_and_try, &c), 0);
	assert_int_equal(atomic_load(c.opened), ROUNDS);
	assert_int_equal(atomic_load(c.closed), ROUNDS);
	tg_region_unmap(&counts);
}

static int try_often(void *table, unsigned self)
{
	struct crowd *c = table;
	uint32_t round;

	(void)self;
	for(round = 1; round <= ROUNDS; round++) {
		if(rig_meet(c->here, PROCESSES, round) != 0)
			return 1;
		if(callroute_breaker_take(c->r->live, c->r->slot, &cfg,
				   NOW + round * cfg.half_open_after_us)
				== 0)
			atomic_fetch_add(c->trials, 1);
	}
	return 0;
}

/* No trial is ever reported: one more after each pause, never two. */
static void the_trial_is_a_single_one(void **state)
{
	int opened = 0;
	struct tg_region counts;
	struct crowd c;

	crowd_up(&c, &counts, *state);
	for(int i = 0; i < 10; i++)
		opened -= callroute_breaker_report(
				c.r->live, c.r->slot, &cfg, NOW, 1, NOW);
	assert_int_equal(opened, 1);
	assert_int_equal(procs_run(PROCESSES, try_often, &c), 0);
	assert_int_equal(atomic_load(c.trials), ROUNDS);
	tg_region_unmap(&counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(edges_have_one_author),
			rig_test(the_trial_is_a_single_one),
	};

	return cmocka_run_group_tests_name(
			"callroute_breaker_procs", tests, NULL, NULL);
}

/*
 * What the tests of callroute's live state share: a small state in memory that
 * forked processes share, the time, a deadline for each test, and a stopwatch for
 * figures (no verdicts).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_LIVE_RIG_H
#define TESTS_UNIT_CALLROUTE_LIVE_RIG_H

#include "unit/support.h"
#include "unit/procs.h"

#include "callroute/live/live.h"
#include "lib/share/region.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)
#define NOW (1000 * SEC)
#define TEST_SECONDS 120 /* each takes a few */

struct rig
{
	struct tg_region region;
	struct callroute_live *live;
	int slot; /* of trunk 7 */
};

static inline const struct callroute_live_config *rig_config(void)
{
	static const struct callroute_live_config cfg = {.trunks = 64,
			.calls = 1024,
			.owners = 64,
			.quality = 512,
			.half_life_us = 1800 * SEC};

	return &cfg;
}

static inline int rig_up(void **state)
{
	static struct rig r;
	const struct callroute_live_config *cfg = rig_config();

	support_deadline(TEST_SECONDS);
	assert_int_equal(tg_region_map(&r.region, callroute_live_size(cfg)), 0);
	assert_int_equal(
			callroute_live_init(r.region.base, r.region.size, cfg, &r.live), 0);
	r.slot = callroute_live_slot(r.live, 7);
	assert_true(r.slot >= 0);
	*state = &r;
	return 0;
}

static inline int rig_down(void **state)
{
	struct rig *r = *state;

	tg_region_unmap(&r->region);
	support_deadline(SUPPORT_PROGRAM_SECONDS);
	return 0;
}

#define rig_test(f) cmocka_unit_test_setup_teardown(f, rig_up, rig_down)

/* Waits until all `count` processes are here for the `nth` time (from 1), so that
 * they really meet in what comes next. 0, -ETIMEDOUT (one is gone). */
static inline int rig_meet(_Atomic uint32_t *here, uint32_t count, uint32_t nth)
{
	unsigned i;

	atomic_fetch_add(here, 1);
	for(i = 0; i < 10000000; i++) {
		if(atomic_load(here) >= count * nth)
			return 0;
		/* who spins meets the last one to the instruction */
		if(i > 1000)
			sched_yield();
	}
	return -ETIMEDOUT;
}

static inline double rig_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Prints what one turn of `work` costs; a figure to read, not a verdict. */
#define rig_measure(what, turns, work)                        \
	do {                                                      \
		double rig_start = rig_seconds();                     \
		for(unsigned rig_i = 0; rig_i < (turns); rig_i++) {   \
			work;                                             \
		}                                                     \
		print_message("%-44s %6.1f ns\n", what,               \
				(rig_seconds() - rig_start) * 1e9 / (turns)); \
	} while(0)

#endif

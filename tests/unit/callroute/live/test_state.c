/*
 * What was learned outlives a restart: saved from one live state, taken over by
 * another one whose clock began anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/breaker.h"
#include "callroute/live/health.h"
#include "callroute/live/live_state.h"
#include "callroute/live/quality.h"

#define WALL INT64_C(1700000000000000)
#define LATER (50 * SEC) /* of the new clock, which has just begun */
#define GROUP 49

static const struct callroute_breaker_config breaker = {.window_us = 60 * SEC,
		.min_calls = 1,
		.open_at = 1,
		.half_open_after_us = 100 * SEC};

static char saved[1 << 16];

static void begin_anew(struct rig *next)
{
	memset(next, 0, sizeof *next);
	assert_int_equal(
			tg_region_map(&next->region, callroute_live_size(rig_config())), 0);
	assert_int_equal(callroute_live_init(next->region.base, next->region.size,
							 rig_config(), &next->live),
			0);
	/* In another order than before: the slot numbers say nothing. */
	assert_true(callroute_live_slot(next->live, 9) >= 0);
	next->slot = callroute_live_slot(next->live, 7);
}

static size_t save(struct rig *r)
{
	size_t size = callroute_state_bytes(r->live);

	assert_in_range(size, 16, sizeof saved);
	return callroute_state_save(r->live, NOW, WALL, saved, size);
}

static void restore(struct rig *next, size_t len, uint64_t gone, int count)
{
	assert_int_equal(callroute_state_restore(next->live, saved, len, LATER,
							 WALL + (int64_t)gone),
			count);
}

static void health(void **state)
{
	struct rig *r = *state, next;
	struct callroute_health h;
	size_t len;

	callroute_live_slot(r->live, 8); /* up, and gone after the restart */
	callroute_health_probe(r->live, r->slot, 0, 2, 3, NOW - 9 * SEC);
	callroute_health_probe(r->live, r->slot, 0, 2, 3, NOW - 8 * SEC);
	callroute_health_probe(r->live, r->slot, 1, 2, 3, NOW - 7 * SEC);
	len = save(r);
	begin_anew(&next);
	restore(&next, len, 5 * SEC, 1);
	callroute_health_read(next.live, next.slot, &h);
	assert_int_equal(h.up, 0);
	assert_int_equal(h.since, LATER - 13 * SEC);
	assert_int_equal(h.successes, 1);
	/* The probes go on where they were. */
	assert_int_equal(
			callroute_health_probe(next.live, next.slot, 1, 2, 3, LATER), 0);
	assert_int_equal(
			callroute_health_probe(next.live, next.slot, 1, 2, 3, LATER), 1);
	assert_int_equal(callroute_health_is_up(
							 next.live, callroute_live_find(next.live, 9)),
			1);
	tg_region_unmap(&next.region);
}

static void an_open_breaker(void **state)
{
	struct rig *r = *state, next;
	size_t len;

	assert_int_equal(callroute_breaker_report(r->live, r->slot, &breaker,
							 NOW - 60 * SEC, 1, NOW - 60 * SEC),
			-1);
	len = save(r);
	begin_anew(&next);
	restore(&next, len, 10 * SEC, 1);
	/* 70 of its 100 s are over, though the new clock shows 50 only: it counts
	 * from the new start then, and no trial comes early. */
	assert_int_equal(
			callroute_breaker_allows(next.live, next.slot, &breaker, LATER), 0);
	assert_int_equal(callroute_breaker_take(
							 next.live, next.slot, &breaker, LATER + 51 * SEC),
			0);
	assert_int_equal(callroute_breaker_report(next.live, next.slot, &breaker,
							 LATER + 51 * SEC, 0, LATER + 52 * SEC),
			1);
	tg_region_unmap(&next.region);
}

static void quality_fades_by_the_time_between(void **state)
{
	struct rig *r = *state, next;
	struct callroute_sample good = {CALLROUTE_OUTCOME_ANSWERED, 400},
							bad = {CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD};
	struct callroute_quality q;
	size_t len;

	for(int i = 0; i < 30; i++) {
		callroute_quality_add(r->live, r->slot, GROUP, &good, NOW);
		callroute_quality_add(r->live, r->slot, GROUP, &bad, NOW);
	}
	callroute_quality_talked(r->live, r->slot, GROUP, 90, NOW);
	len = save(r);
	begin_anew(&next);
	restore(&next, len, 1800 * SEC, 1); /* one half-life */
	assert_int_equal(
			callroute_quality_read(next.live, next.slot, GROUP, LATER, &q), 0);
	assert_in_range(q.calls, 29, 31);
	assert_in_range(q.asr, 499, 501);
	assert_in_range(q.ner, 499, 501);
	assert_in_range(q.pdd_ms, 395, 405);
	assert_in_range(q.acd_s, 88, 92);
	callroute_quality_add(next.live, next.slot, GROUP, &good, LATER);
	callroute_quality_read(next.live, next.slot, GROUP, LATER, &q);
	assert_in_range(q.calls, 30, 32);
	tg_region_unmap(&next.region);
	/* After a very long time nothing is known. */
	begin_anew(&next);
	restore(&next, len, 30 * 86400 * SEC, 1);
	assert_int_equal(
			callroute_quality_read(next.live, next.slot, GROUP, LATER, &q),
			-ENOENT);
	tg_region_unmap(&next.region);
}

static void a_clock_that_was_set_back(void **state)
{
	struct rig *r = *state, next;
	struct callroute_health h;
	size_t len;

	callroute_health_probe(r->live, r->slot, 0, 1, 1, NOW - 9 * SEC);
	len = save(r);
	begin_anew(&next);
	assert_int_equal(callroute_state_restore(next.live, saved, len, LATER,
							 WALL - 86400 * (int64_t)SEC),
			1);
	callroute_health_read(next.live, next.slot, &h);
	assert_int_equal(h.since, LATER - 9 * SEC);
	tg_region_unmap(&next.region);
}

static void what_is_none_is_refused(void **state)
{
	struct rig *r = *state, next;
	size_t len, cut;

	callroute_health_probe(r->live, r->slot, 0, 1, 1, NOW);
	len = save(r);
	assert_int_equal(len, 16 + 24);
	begin_anew(&next);
	for(cut = 0; cut < len; cut++)
		restore(&next, cut, 0, -EINVAL);
	restore(&next, len + 1, 0, -EINVAL);
	memset(saved + 8, 0xff, 8);
	restore(&next, len, 0, -EINVAL);
	assert_int_equal(callroute_health_is_up(next.live, next.slot), 1);
	/* No room for all: what fits is there, and sound. */
	assert_int_equal(callroute_state_save(r->live, NOW, WALL, saved, 15), 0);
	assert_int_equal(callroute_state_save(r->live, NOW, WALL, saved, 39), 16);
	restore(&next, 16, 0, 0);
	tg_region_unmap(&next.region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(health),
			rig_test(an_open_breaker),
			rig_test(quality_fades_by_the_time_between),
			rig_test(a_clock_that_was_set_back),
			rig_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("callroute_state", tests, NULL, NULL);
}

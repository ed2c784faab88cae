/*
 * Slots of trunks, the operator's override and the counters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/breaker.h"
#include "callroute/live/health.h"
#include "callroute/live/live_slot.h"
#include "callroute/live/quality.h"

enum
{
	PROCESSES = 4,
	TRUNKS = 5000
};

static void a_configuration_out_of_range_is_refused(void **state)
{
	struct callroute_live_config good = *rig_config(), bad;
	struct callroute_live *live = NULL;
	void *mem;

	(void)state;
	assert_true(callroute_live_size(&good) > 0);
	assert_int_equal(callroute_live_size(NULL), 0);
#define REFUSED(field, value)                           \
	do {                                                \
		bad = good;                                     \
		bad.field = (value);                            \
		assert_int_equal(callroute_live_size(&bad), 0); \
	} while(0)
	REFUSED(trunks, 0);
	REFUSED(trunks, 65537);
	REFUSED(calls, 15);
	REFUSED(calls, (1 << 20) + 1);
	REFUSED(owners, 15);
	REFUSED(owners, 131073);
	REFUSED(quality, 7);
	REFUSED(quality, (1 << 24) + 1);
	REFUSED(half_life_us, 10 * SEC - 1);
	REFUSED(half_life_us, 7 * 86400 * SEC + 1);
#undef REFUSED
	mem = support_memory(callroute_live_size(&good));
	assert_int_equal(callroute_live_init(
							 mem, callroute_live_size(&good) - 1, &good, &live),
			-EINVAL);
	assert_int_equal(callroute_live_init((char *)mem + 1,
							 callroute_live_size(&good), &good, &live),
			-EINVAL);
	assert_null(live);
	support_free(mem);
}

/* The bytes an entry that live.h promises, by the difference it makes. */
static void memory_is_bounded_as_stated(void **state)
{
	struct callroute_live_config cfg = {
			1 << 10, 1 << 14, 1 << 14, 1 << 14, 60 * SEC};
	struct callroute_live_config more;
	size_t base = callroute_live_size(&cfg);

	(void)state;
	more = cfg;
	more.quality *= 2;
	assert_int_equal((callroute_live_size(&more) - base) >> 14, 40);
	more = cfg;
	more.calls *= 2;
	print_message("%zu B a call\n", (callroute_live_size(&more) - base) >> 14);
	/* three leases round up to a power of two: 3 * 2^14 to 2^16 and so on */
	assert_in_range((callroute_live_size(&more) - base) >> 14, 400, 640);
	more = cfg;
	more.owners *= 2;
	print_message(
			"%zu B an owner\n", (callroute_live_size(&more) - base) >> 14);
	assert_true((callroute_live_size(&more) - base) >> 14 <= 240);
	assert_int_equal(sizeof(struct callroute_slot) * 2 + 2 * 4, 392);
}

static void a_trunk_keeps_its_slot(void **state)
{
	struct rig *r = *state;
	uint32_t id;
	int slot[64], seen = 0;

	assert_int_equal(callroute_live_find(r->live, 8), -ENOENT);
	assert_int_equal(callroute_live_slot(r->live, 0), -EINVAL);
	assert_int_equal(callroute_live_find(r->live, 0), -ENOENT);
	for(id = 1; id <= 64; id++) {
		slot[id - 1] = callroute_live_slot(r->live, id * 1000003);
		if(id <= 63)
			assert_true(slot[id - 1] >= 0);
	}
	/* the rig's trunk 7 and 63 others: 64 in all */
	assert_int_equal(slot[63], -ENOSPC);
	assert_int_equal(callroute_live_used(r->live), 64);
	for(id = 1; id <= 63; id++) {
		assert_int_equal(
				callroute_live_slot(r->live, id * 1000003), slot[id - 1]);
		assert_int_equal(
				callroute_live_find(r->live, id * 1000003), slot[id - 1]);
		assert_int_equal(
				callroute_live_trunk(r->live, slot[id - 1]), id * 1000003);
	}
	for(int i = 0; i < callroute_live_slots(r->live); i++)
		seen += callroute_live_trunk(r->live, i) != 0;
	assert_int_equal(seen, 64);
	assert_int_equal(callroute_live_find(r->live, 7), r->slot);
	assert_int_equal(callroute_live_used(r->live), 64);
	assert_int_equal(callroute_live_trunk(r->live, -1), 0);
}

struct crowd
{
	struct callroute_live *live;
	_Atomic uint32_t *here, *place;
};

/* All enter the same trunk at the same time, one after another. The first writes
 * where it is; whoever then finds it elsewhere fails. */
static int enter_all(void *table, unsigned self)
{
	struct crowd *c = table;
	uint32_t i;

	(void)self;
	for(i = 0; i < TRUNKS; i++) {
		uint32_t none = 0;
		int slot;

		if(rig_meet(c->here, PROCESSES, i + 1) != 0)
			return 1;
		slot = callroute_live_slot(c->live, 100 + i);
		if(slot < 0)
			return 2;
		if(!atomic_compare_exchange_strong(
				   &c->place[i], &none, (uint32_t)slot + 1)
				&& none != (uint32_t)slot + 1)
			return 3;
	}
	return 0;
}

static void processes_agree_on_slots(void **state)
{
	struct callroute_live_config cfg = *rig_config();
	struct tg_region r, counts;
	struct crowd c;

	(void)state;
	cfg.trunks = TRUNKS + PROCESSES; /* each counts itself before it looks */
	assert_int_equal(tg_region_map(&r, callroute_live_size(&cfg)), 0);
	assert_int_equal(callroute_live_init(r.base, r.size, &cfg, &c.live), 0);
	assert_int_equal(tg_region_map(&counts, 4 * (TRUNKS + 1)), 0);
	c.here = (_Atomic uint32_t *)counts.base;
	c.place = c.here + 1;
	assert_int_equal(procs_run(PROCESSES, enter_all, &c), 0);
	assert_int_equal(callroute_live_used(c.live), TRUNKS);
	tg_region_unmap(&counts);
	tg_region_unmap(&r);
}

static void the_override_is_the_operators(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
			callroute_live_admin(r->live, r->slot), CALLROUTE_ADMIN_NONE);
	assert_int_equal(
			callroute_live_set_admin(r->live, r->slot, CALLROUTE_ADMIN_DRAIN),
			0);
	assert_int_equal(
			callroute_live_admin(r->live, r->slot), CALLROUTE_ADMIN_DRAIN);
	/* and touches neither health nor breaker: they are shown apart */
	assert_int_equal(callroute_health_is_up(r->live, r->slot), 1);
	assert_int_equal(
			callroute_live_set_admin(r->live, r->slot, (enum callroute_admin)4),
			-EINVAL);
	assert_int_equal(
			callroute_live_admin(r->live, r->slot), CALLROUTE_ADMIN_DRAIN);
	assert_int_equal(
			callroute_live_set_admin(r->live, -2, CALLROUTE_ADMIN_UP), -ENOENT);
	assert_int_equal(callroute_live_set_admin(r->live,
							 callroute_live_slots(r->live), CALLROUTE_ADMIN_UP),
			-ENOENT);
}

static int count_up(void *table, unsigned self)
{
	struct rig *r = table;
	unsigned i;

	for(i = 0; i < 10000; i++) {
		callroute_live_count(r->live, r->slot, CALLROUTE_ATTEMPTS);
		if(i % 2)
			callroute_live_count(r->live, r->slot, CALLROUTE_ANSWERED);
		else if(i % 4)
			callroute_live_fail(
					r->live, r->slot, 500 + (int)self, NOW + 500 + self);
		else
			callroute_live_count(r->live, r->slot, CALLROUTE_CANCELLED);
	}
	return 0;
}

static void counters_add_up_across_processes(void **state)
{
	struct rig *r = *state;
	struct callroute_counters c;

	callroute_live_counters(r->live, r->slot, &c);
	assert_int_equal(c.attempts + c.answered + c.failed + c.cancelled, 0);
	assert_int_equal(c.last_failure, 0);
	assert_int_equal(procs_run(8, count_up, r), 0);
	callroute_live_counters(r->live, r->slot, &c);
	assert_int_equal(c.attempts, 80000);
	assert_int_equal(c.answered, 40000);
	assert_int_equal(c.failed, 20000);
	assert_int_equal(c.cancelled, 20000);
	/* time and code are of the same failure */
	assert_int_equal(c.last_failure - NOW, c.last_code);
	assert_in_range(c.last_code, 500, 507);
	callroute_live_fail(r->live, r->slot, 1024, NOW + 9);
	callroute_live_counters(r->live, r->slot, &c);
	assert_int_equal(c.last_code, 0);
	assert_int_equal(c.last_failure, NOW + 9);
}

/* A trunk that found no slot: calls go on, and nothing is counted anywhere. */
static void a_trunk_without_a_slot_is_harmless(void **state)
{
	struct rig *r = *state;
	struct callroute_breaker_config cfg = {60 * SEC, 1, 1, SEC};
	struct callroute_sample s = {CALLROUTE_OUTCOME_FAILED, 100};
	struct callroute_counters c;
	struct callroute_health h;
	struct callroute_breaker b;
	struct callroute_quality q;
	int none[] = {-ENOSPC, -1, callroute_live_slots(r->live), INT32_MAX};
	size_t i;

	for(i = 0; i < sizeof none / sizeof *none; i++) {
		int slot = none[i];

		callroute_live_count(r->live, slot, CALLROUTE_ATTEMPTS);
		callroute_live_fail(r->live, slot, 503, NOW);
		callroute_live_counters(r->live, slot, &c);
		assert_int_equal(c.attempts + c.failed + c.last_failure, 0);
		assert_int_equal(
				callroute_live_admin(r->live, slot), CALLROUTE_ADMIN_NONE);
		assert_int_equal(
				callroute_health_probe(r->live, slot, 0, 1, 1, NOW), 0);
		assert_int_equal(callroute_health_is_up(r->live, slot), 1);
		assert_int_equal(callroute_health_due(r->live, slot, 1, NOW), 0);
		callroute_health_read(r->live, slot, &h);
		assert_int_equal(h.up, 1);
		assert_int_equal(
				callroute_breaker_report(r->live, slot, &cfg, NOW, 1, NOW), 0);
		assert_int_equal(callroute_breaker_allows(r->live, slot, &cfg, NOW), 1);
		assert_int_equal(callroute_breaker_take(r->live, slot, &cfg, NOW), 0);
		callroute_breaker_read(r->live, slot, &cfg, NOW, &b);
		assert_int_equal(b.state, CALLROUTE_BREAKER_CLOSED);
		callroute_quality_add(r->live, slot, 1, &s, NOW);
		callroute_quality_talked(r->live, slot, 1, 9, NOW);
		assert_int_equal(
				callroute_quality_read(r->live, slot, 1, NOW, &q), -ENOENT);
		assert_int_equal(callroute_quality_score(r->live, slot, 1, NOW),
				CALLROUTE_SCORE_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_configuration_out_of_range_is_refused),
			cmocka_unit_test(memory_is_bounded_as_stated),
			rig_test(a_trunk_keeps_its_slot),
			cmocka_unit_test(processes_agree_on_slots),
			rig_test(the_override_is_the_operators),
			rig_test(counters_add_up_across_processes),
			rig_test(a_trunk_without_a_slot_is_harmless),
	};

	return cmocka_run_group_tests_name("callroute_live", tests, NULL, NULL);
}

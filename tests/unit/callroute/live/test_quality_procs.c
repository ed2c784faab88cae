/*
 * Quality between processes: every call counts, whoever is killed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live/quality_rig.h"

static struct tg_region meeting;

static int call_often(void *table, unsigned self)
{
	struct rig *r = table;
	unsigned i;

	if(rig_meet((_Atomic uint32_t *)meeting.base, 8, 1) != 0)
		return 1;
	for(i = 0; i < 100; i++)
		add(r, 3,
				self % 2 ? CALLROUTE_OUTCOME_ANSWERED
						 : CALLROUTE_OUTCOME_FAILED,
				1000, 1, NOW);
	return 0;
}

static void processes_add_up(void **state)
{
	struct rig *r = *state;

	assert_int_equal(tg_region_map(&meeting, 4096), 0);
	add(r, 3, CALLROUTE_OUTCOME_ANSWERED, 1000, 1, NOW);
	assert_int_equal(procs_run(8, call_often, r), 0);
	assert_int_equal(look(r, 3, NOW).calls, 801);
	assert_int_equal(look(r, 3, NOW).asr, 401 * 1000 / 801);
	assert_int_equal(look(r, 3, NOW).ner, 401 * 1000 / 801);
	assert_int_equal(look(r, 3, NOW).pdd_ms, 1000);
	tg_region_unmap(&meeting);
}

/* Adds and reads all groups until killed; a figure out of range shows a torn
 * word. */
static int churn(void *table, unsigned self)
{
	struct rig *r = table;
	uint64_t seed = self * 7919 + 1;

	for(;;) {
		struct callroute_quality q;
		uint16_t group;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		group = (uint16_t)((seed >> 33) % 2000);
		add(r, group, CALLROUTE_OUTCOME_ANSWERED, 500, 1,
				NOW + (seed >> 40) % (100 * SEC));
		if(callroute_quality_read(r->live, r->slot, group, NOW, &q) == 0
				&& (q.asr > 1000 || q.ner > 1000 || q.pdd_ms > 520
						|| q.calls > 1023))
			_exit(1);
	}
	return 0;
}

static void killed_processes_spoil_nothing(void **state)
{
	struct rig *r = *state;
	struct procs p;
	unsigned round, group;

	procs_start(&p, 4, churn, r);
	for(round = 0; round < 100; round++) {
		procs_kill_one(&p, round % 4);
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	for(group = 0; group < 2000; group++) {
		add(r, (uint16_t)group, CALLROUTE_OUTCOME_ANSWERED, 500, 1,
				NOW + 200 * SEC + group * 2 * SEC);
		assert_int_equal(
				look(r, (uint16_t)group, NOW + 200 * SEC + group * 2 * SEC).asr,
				1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(processes_add_up),
			rig_test(killed_processes_spoil_nothing),
	};

	return cmocka_run_group_tests_name(
			"callroute_quality_procs", tests, NULL, NULL);
}

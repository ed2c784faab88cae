/*
 * Quality: what counts as what, forgetting, the score, eviction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live/quality_rig.h"

#include "callroute/live/live_slot.h"

#include <math.h>

#define HALF_LIFE (1800 * SEC)

static int score(struct rig *r, uint16_t group, uint64_t now)
{
	return callroute_quality_score(r->live, r->slot, group, now);
}

static void replies_are_classified(void **state)
{
	static const struct
	{
		int reply, rang;
		enum callroute_outcome outcome;
	} row[] = {
			{200, 1, CALLROUTE_OUTCOME_ANSWERED},
			{202, 0, CALLROUTE_OUTCOME_ANSWERED},
			{486, 0, CALLROUTE_OUTCOME_BUSY},
			{600, 1, CALLROUTE_OUTCOME_BUSY},
			{480, 0, CALLROUTE_OUTCOME_NO_ANSWER},
			{408, 1, CALLROUTE_OUTCOME_NO_ANSWER},
			{408, 0, CALLROUTE_OUTCOME_FAILED},
			{603, 0, CALLROUTE_OUTCOME_REJECTED},
			{607, 0, CALLROUTE_OUTCOME_REJECTED},
			{487, 0, CALLROUTE_OUTCOME_CANCELLED},
			{487, 1, CALLROUTE_OUTCOME_CANCELLED},
			{0, 0, CALLROUTE_OUTCOME_FAILED},
			{-1, 1, CALLROUTE_OUTCOME_FAILED},
			{183, 1, CALLROUTE_OUTCOME_FAILED},
			{302, 0, CALLROUTE_OUTCOME_FAILED},
			{403, 0, CALLROUTE_OUTCOME_FAILED},
			{404, 0, CALLROUTE_OUTCOME_FAILED},
			{484, 0, CALLROUTE_OUTCOME_FAILED},
			{500, 1, CALLROUTE_OUTCOME_FAILED},
			{503, 0, CALLROUTE_OUTCOME_FAILED},
			{604, 0, CALLROUTE_OUTCOME_FAILED},
			{608, 0, CALLROUTE_OUTCOME_FAILED},
	};

	(void)state;
	for(size_t i = 0; i < sizeof row / sizeof *row; i++)
		if(callroute_quality_classify(row[i].reply, row[i].rang)
				!= row[i].outcome)
			fail_msg("%d, rang %d", row[i].reply, row[i].rang);
}

static void the_figures_are_what_they_say(void **state)
{
	struct rig *r = *state;
	struct callroute_quality q;

	assert_int_equal(
			callroute_quality_read(r->live, r->slot, 49, NOW, &q), -ENOENT);
	assert_int_equal(q.calls + q.asr + q.ner + q.acd_s + q.pdd_ms, 0);
	add(r, 49, CALLROUTE_OUTCOME_ANSWERED, 1000, 4, NOW);
	add(r, 49, CALLROUTE_OUTCOME_BUSY, 2000, 1, NOW);
	add(r, 49, CALLROUTE_OUTCOME_NO_ANSWER, 3000, 1, NOW);
	add(r, 49, CALLROUTE_OUTCOME_REJECTED, CALLROUTE_NO_PDD, 1, NOW);
	add(r, 49, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 1, NOW);
	add(r, 49, CALLROUTE_OUTCOME_CANCELLED, CALLROUTE_NO_PDD, 2, NOW);
	callroute_quality_talked(r->live, r->slot, 49, 60, NOW);
	callroute_quality_talked(r->live, r->slot, 49, 180, NOW);
	q = look(r, 49, NOW);
	assert_int_equal(q.calls, 10);
	assert_int_equal(q.asr, 400);	  /* 4 of 10 */
	assert_int_equal(q.ner, 875);	  /* 7 of 8: the cancelled are neither */
	assert_int_equal(q.pdd_ms, 1500); /* of the six that rang */
	assert_int_equal(q.acd_s, 120);
	/* other groups and trunks know nothing of it */
	assert_int_equal(
			callroute_quality_read(r->live, r->slot, 33, NOW, &q), -ENOENT);
	assert_int_equal(callroute_quality_read(r->live,
							 callroute_live_slot(r->live, 8), 49, NOW, &q),
			-ENOENT);
}

static void extremes_are_cut(void **state)
{
	struct rig *r = *state;

	add(r, 1, CALLROUTE_OUTCOME_ANSWERED, 4000000, 5000, NOW);
	for(int i = 0; i < 5000; i++)
		callroute_quality_talked(r->live, r->slot, 1, 4000000, NOW);
	assert_int_equal(look(r, 1, NOW).pdd_ms, 120000);
	assert_int_equal(look(r, 1, NOW).acd_s, 86400);
	/* many calls keep the ratio and the bound */
	add(r, 2, CALLROUTE_OUTCOME_ANSWERED, 100, 1, NOW);
	for(int i = 0; i < 20000; i++)
		add(r, 2, i % 4 ? CALLROUTE_OUTCOME_ANSWERED : CALLROUTE_OUTCOME_FAILED,
				100, 1, NOW);
	assert_in_range(look(r, 2, NOW).calls, 511, 1023);
	assert_in_range(look(r, 2, NOW).asr, 745, 755);
	assert_in_range(look(r, 2, NOW).ner, 745, 755);
	assert_int_equal(look(r, 2, NOW).pdd_ms, 100);
}

static void half_is_forgotten_in_a_half_life(void **state)
{
	struct rig *r = *state;
	struct callroute_quality q;

	add(r, 5, CALLROUTE_OUTCOME_ANSWERED, 800, 300, NOW);
	add(r, 5, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 100, NOW);
	callroute_quality_talked(r->live, r->slot, 5, 90, NOW);
	q = look(r, 5, NOW + HALF_LIFE);
	assert_in_range(q.calls, 199, 201);
	/* forgetting alone moves no ratio and no mean */
	assert_in_range(q.asr, 749, 751);
	assert_in_range(q.ner, 749, 751);
	assert_in_range(q.pdd_ms, 790, 810);
	assert_in_range(q.acd_s, 88, 92);
	/* the newer half weighs twice */
	add(r, 5, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 200, NOW + HALF_LIFE);
	assert_in_range(look(r, 5, NOW + HALF_LIFE).asr, 370, 380);
	/* and in the end nothing is known */
	q = look(r, 5, NOW + 60 * HALF_LIFE);
	assert_int_equal(q.calls + q.asr + q.ner + q.pdd_ms + q.acd_s, 0);
	assert_int_equal(
			score(r, 5, NOW + 60 * HALF_LIFE), CALLROUTE_SCORE_UNKNOWN);
	/* a clock slightly behind reads and adds what is there */
	assert_in_range(look(r, 5, NOW + HALF_LIFE - SEC).calls, 398, 402);
	add(r, 5, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 1,
			NOW + HALF_LIFE - 60 * SEC);
	assert_in_range(look(r, 5, NOW + HALF_LIFE).calls, 399, 403);
}

/* Decayed step by step, at random moments, against the exact sum. */
static void lazy_forgetting_is_exact_enough(void **state)
{
	struct rig *r = *state;
	double exact = 0, answered = 0, worst = 0;
	uint64_t t = NOW, seed = 7;

	for(int i = 0; i < 3000; i++) {
		uint64_t step;
		int ok;
		double off;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		step = (seed >> 40) % (60 * SEC);
		ok = (seed >> 33) % 3 != 0;
		t += step;
		exact = exact * exp2(-(double)step / (double)HALF_LIFE) + 1;
		answered = answered * exp2(-(double)step / (double)HALF_LIFE) + ok;
		add(r, 6, ok ? CALLROUTE_OUTCOME_ANSWERED : CALLROUTE_OUTCOME_FAILED,
				CALLROUTE_NO_PDD, 1, t);
		off = fabs(look(r, 6, t).asr / 1000.0 - answered / exact);
		worst = off > worst ? off : worst;
	}
	print_message("ASR off by %.4f at worst, calls %u of %.1f\n", worst,
			look(r, 6, t).calls, exact);
	assert_true(worst < 0.01);
	assert_true(fabs(look(r, 6, t).calls - exact) < exact * 0.03);
}

static void the_score_follows_the_formula(void **state)
{
	struct rig *r = *state;
	unsigned ner, asr, pdd;

	assert_int_equal(score(r, 9, NOW), CALLROUTE_SCORE_UNKNOWN);
	add(r, 9, CALLROUTE_OUTCOME_ANSWERED, 1500, 60, NOW);
	add(r, 9, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 40, NOW);
	ner = (60 * 1000 + 20 * 900) / 120;
	asr = (60 * 1000 + 20 * 500) / 120;
	pdd = (60 * 1500 + 20 * 2500) / 80;
	assert_int_equal(
			score(r, 9, NOW), (5 * ner + 3 * asr + 2 * (1000 - pdd / 10)) / 10);
	/* the ends */
	add(r, 10, CALLROUTE_OUTCOME_ANSWERED, 0, 1000, NOW);
	assert_in_range(score(r, 10, NOW), 980, 1000);
	add(r, 11, CALLROUTE_OUTCOME_FAILED, 120000, 1000, NOW);
	assert_in_range(score(r, 11, NOW), 0, 20);
}

static void few_calls_do_not_decide(void **state)
{
	struct rig *r = *state;

	/* one bad call against a hundred good ones with some bad */
	add(r, 20, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 1, NOW);
	assert_in_range(score(r, 20, NOW), CALLROUTE_SCORE_UNKNOWN - 40,
			CALLROUTE_SCORE_UNKNOWN - 1);
	/* one lucky call does not overtake a proven trunk */
	add(r, 21, CALLROUTE_OUTCOME_ANSWERED, 500, 1, NOW);
	add(r, 22, CALLROUTE_OUTCOME_ANSWERED, 1000, 80, NOW);
	add(r, 22, CALLROUTE_OUTCOME_BUSY, 1000, 20, NOW);
	assert_true(score(r, 21, NOW) > CALLROUTE_SCORE_UNKNOWN);
	assert_true(score(r, 22, NOW) > score(r, 21, NOW));
	/* unknown: behind the proven good, before the proven bad */
	add(r, 23, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 50, NOW);
	add(r, 23, CALLROUTE_OUTCOME_ANSWERED, 2500, 50, NOW);
	assert_true(score(r, 23, NOW) < CALLROUTE_SCORE_UNKNOWN);
	/* left alone, the bad one gets its chance again */
	assert_true(score(r, 23, NOW + 10 * HALF_LIFE) > score(r, 23, NOW));
	/* cancelling callers do not touch NER: only ASR feels them */
	add(r, 24, CALLROUTE_OUTCOME_CANCELLED, CALLROUTE_NO_PDD, 10, NOW);
	add(r, 25, CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD, 10, NOW);
	assert_int_equal(look(r, 24, NOW).ner, 0);
	assert_true(score(r, 24, NOW) > score(r, 25, NOW));
	/* of two equals the slower one */
	add(r, 26, CALLROUTE_OUTCOME_ANSWERED, 6000, 50, NOW);
	add(r, 27, CALLROUTE_OUTCOME_ANSWERED, 900, 50, NOW);
	assert_true(score(r, 27, NOW) > score(r, 26, NOW) + 50);
}

/* Far more pairs than places, while some are touched all the time. */
static void the_pair_touched_longest_ago_gives_way(void **state)
{
	struct rig *r = *state;
	struct callroute_quality q;
	uint64_t t = NOW;
	unsigned kept = 0, group;

	for(group = 100; group < 5100; group++) {
		t += 2 * SEC;
		add(r, 7, CALLROUTE_OUTCOME_ANSWERED, 100, 1, t);
		add(r, (uint16_t)group, CALLROUTE_OUTCOME_FAILED,
				group % 2 ? 900 : CALLROUTE_NO_PDD, 1, t);
		if(group % 2)
			callroute_quality_talked(r->live, r->slot, (uint16_t)group, 9, t);
		/* the newest is there, with its own figures and nobody else's */
		assert_int_equal(look(r, (uint16_t)group, t).calls, 1);
		assert_int_equal(look(r, (uint16_t)group, t).asr, 0);
		assert_int_equal(
				look(r, (uint16_t)group, t).pdd_ms, group % 2 ? 900 : 0);
		assert_int_equal(look(r, (uint16_t)group, t).acd_s, group % 2 ? 9 : 0);
	}
	assert_int_equal(look(r, 7, t).asr, 1000);
	assert_in_range(look(r, 7, t).calls, 511, 1023);
	for(group = 100; group < 5100; group++)
		kept += callroute_quality_read(r->live, r->slot, (uint16_t)group, t, &q)
				== 0;
	print_message("%u of 5000 pairs kept in 512 places\n", kept);
	assert_in_range(kept, 480, 511);
	/* of the newest 200, no one was displaced by older ones */
	for(kept = 0, group = 4900; group < 5100; group++)
		kept += callroute_quality_read(r->live, r->slot, (uint16_t)group, t, &q)
				== 0;
	assert_in_range(kept, 195, 200);
}

/* A process killed between claiming a place and owning it: the place is not
 * found, and taken like any other. */
static void a_claim_left_behind_is_taken_over(void **state)
{
	struct rig *r = *state;
	struct callroute_pairs *set = callroute_part(r->live, r->live->quality_at);
	struct callroute_quality q;
	unsigned i, n, group, found = 0;
	uint64_t t = NOW;

	for(n = 0; n < r->live->quality_sets; n++)
		for(i = 0; i < CALLROUTE_PAIRS; i++)
			atomic_store(&set[n].key[i], NOW >> 20 << 34);
	for(group = 0; group < 100; group++) {
		t += 2 * SEC;
		add(r, (uint16_t)group, CALLROUTE_OUTCOME_BUSY, 7, 3, t);
		found +=
				callroute_quality_read(r->live, r->slot, (uint16_t)group, t, &q)
						== 0
				&& q.calls == 3;
	}
	assert_int_equal(found, 100);
}

static void what_it_costs(void **state)
{
	struct rig *r = *state;
	struct callroute_sample s = {CALLROUTE_OUTCOME_ANSWERED, 900};
	unsigned sum = 0;

	for(unsigned g = 0; g < 20; g++)
		add(r, (uint16_t)g, CALLROUTE_OUTCOME_ANSWERED, 700, 30, NOW);
	rig_measure("callroute_quality_score", 5000000,
			sum += (unsigned)score(r, (uint16_t)(rig_i % 20), NOW + rig_i));
	rig_measure("callroute_quality_add", 1000000,
			callroute_quality_add(r->live, r->slot, 1, &s, NOW + rig_i));
	assert_true(sum > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(replies_are_classified),
			rig_test(the_figures_are_what_they_say),
			rig_test(extremes_are_cut),
			rig_test(half_is_forgotten_in_a_half_life),
			rig_test(lazy_forgetting_is_exact_enough),
			rig_test(the_score_follows_the_formula),
			rig_test(few_calls_do_not_decide),
			rig_test(the_pair_touched_longest_ago_gives_way),
			rig_test(a_claim_left_behind_is_taken_over),
			rig_test(what_it_costs),
	};

	return cmocka_run_group_tests_name("callroute_quality", tests, NULL, NULL);
}

/*
 * Emergency calls: nothing stands in their way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/decide/ruled.h"

#include "callroute/live/capacity.h"

/* 110 by trunks 1 and 2, then the plan's; 112 by trunk 1 alone; 1190 in time 2. */
static struct callroute_builder *emergency(void)
{
	struct callroute_builder *b = ruled();

	ADD(b, rule, 1, row.prefix = "110", row.action = "emergency",
			row.target = "t1,t2", row.stop = 0);
	ADD(b, rule, 2, row.prefix = "112", row.action = "emergency",
			row.target = "t1", row.priority = 500);
	ADD(b, rule, 3, row.prefix = "1190", row.action = "emergency",
			row.target = "t1", row.time_id = 2);
	ADD(b, rule, 4, row.prefix = "", row.priority = 0);
	ADD(b, rule, 5, row.prefix = "112", row.priority = 0);
	assert_int_equal(callroute_add_block(b, 1, "*", "dst", "11"), 0);
	assert_int_equal(callroute_add_block(b, 2, "*", "src", "43"), 0);
	return b;
}

static void an_emergency_call_passes_rules_and_block_lists(void **state)
{
	struct callroute_image *im = rows_image(emergency());
	const struct callroute_answer *a;

	(void)state;
	a = ask(im, "p1", "112", "431");
	assert_int_equal(a->verdict, CALLROUTE_OK);
	assert_int_equal(a->emergency, 1);
	assert_int_equal(a->rule_id, 2);
	assert_string_equal(rows_trunks(a), "1");
	rows_expect(a, 0, 1, -1, 0);
	/* the whole number, not what begins like it */
	a = ask(im, "p1", "1120", "");
	rows_expect_none(a, CALLROUTE_BLOCKED, "dst_block");
	assert_int_equal(a->emergency, 0);
	rows_expect_none(ask(im, "p1", "11", ""), CALLROUTE_BLOCKED, "dst_block");
	rows_expect_none(ask(im, "p1", "1190", ""), CALLROUTE_BLOCKED, "dst_block");
	rows_expect_none(ask(im, "p2", "112", ""), CALLROUTE_BLOCKED, "dst_block");
	support_free(im);
}

static void says_which_numbers_are_emergencies(void **state)
{
	struct callroute_image *im = rows_image(emergency());
	const struct callroute_plan *p1 = callroute_find_plan(im, "p1", 2);
	const struct callroute_plan *p2 = callroute_find_plan(im, "p2", 2);

	(void)state;
	assert_true(callroute_is_emergency_number(im, p1, "110", 3, NOW));
	assert_true(callroute_is_emergency_number(im, p1, "112", 3, NOW));
	assert_false(callroute_is_emergency_number(im, p1, "1120", 4, NOW));
	assert_false(callroute_is_emergency_number(im, p1, "11", 2, NOW));
	assert_false(callroute_is_emergency_number(im, p1, "", 0, NOW));
	assert_false(callroute_is_emergency_number(im, p1, "a", 1, NOW));
	assert_false(callroute_is_emergency_number(im, p1, "1190", 4, NOW));
	assert_true(callroute_is_emergency_number(
			im, p1, "1190", 4, NOW - NOW % 86400 + 86400));
	assert_false(callroute_is_emergency_number(im, p2, "112", 3, NOW));
	support_free(im);
}

static void take_channel(
		const struct callroute_image *im, uint32_t trunk, uint32_t account)
{
	struct callroute_claim claim;

	callroute_claim_of(im, callroute_find_trunk(im, trunk), &claim);
	claim.account = account;
	assert_int_equal(callroute_capacity_take(
							 rows_live, trunk, &claim, CLOCK + 60000000, CLOCK),
			0);
}

/* Money, limits and what an operator put down: nothing refuses it. */
static void nothing_stands_in_an_emergency_call_s_way(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_question q = rows_question("p1", "112");
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1, row.max_channels = 1);
	ADD(b, carrier, 2, row.enabled = 0);
	ADD(b, trunk, 1, row.admin_state = "down");
	ADD(b, trunk, 2, row.max_channels = 1);
	ADD(b, trunk, 3, row.carrier_id = 2);
	ADD(b, trunk, 4);
	ADD(b, trunk, 5, row.admin_state = "drain");
	ADD(b, deck, 1);
	ADD(b, deck, 2, row.side = "sell");
	rows_price(b, 1, "1", 1000);
	rows_price(b, 2, "49", 1); /* no selling price for 112 */
	ADD(b, plan, 1, row.sell_deck_id = 2, row.min_margin = 1000000,
			row.min_margin_pct = 99);
	ADD(b, entry, 1, row.trunk_id = 4);
	ADD(b, entry, 2, row.trunk_id = 5);
	ADD(b, rule, 1, row.prefix = "112", row.action = "emergency",
			row.target = "t3,t2,t1", row.stop = 0);
	im = rows_image(b);
	take_channel(im, 2, 9);
	q.account = 9;
	q.account_limit = (struct callroute_limit){1, 1};
	a = rows_decide(im, &q);
	assert_int_equal(a->verdict, CALLROUTE_OK);
	assert_int_equal(a->emergency, 1);
	/* What works first: the rule's, then the plan's; what is down last of all,
	 * but it is tried. Only of the rule's: the plan's drained trunk is not. */
	assert_string_equal(rows_trunks(a), "2 4 3 1");
	assert_string_equal(rows_fate(4), "admin");
	/* any other call of it would go nowhere */
	q.number = "110";
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_MARGIN, "no_sell_price");
	support_free(im);
}

/* Rules by the caller's area lead to its own emergency centre; who has no number,
 * or one from elsewhere, is not left without any. */
static void an_emergency_call_from_nowhere_is_served(void **state)
{
	struct callroute_builder *b = ruled();
	const struct callroute_plan *plan;
	struct callroute_image *im;

	(void)state;
	ADD(b, rule, 1, row.prefix = "112", row.action = "emergency",
			row.target = "t1", row.src_prefix = "4930");
	ADD(b, rule, 2, row.prefix = "112", row.action = "emergency",
			row.target = "t2", row.src_prefix = "4940", row.priority = 5);
	ADD(b, rule, 3, row.prefix = "112", row.action = "emergency",
			row.target = "t3", row.time_id = 2, row.priority = 1);
	im = rows_image(b);
	assert_string_equal(rows_trunks(ask(im, "p1", "112", "49301")), "1");
	assert_string_equal(rows_trunks(ask(im, "p1", "112", "49401")), "2");
	assert_string_equal(rows_trunks(ask(im, "p1", "112", "")), "2");
	assert_string_equal(rows_trunks(ask(im, "p1", "112", "33")), "2");
	assert_int_equal(rows_answer.emergency, 1);
	plan = callroute_find_plan(im, "p1", 2);
	assert_true(callroute_is_emergency_number(im, plan, "112", 3, NOW));
	support_free(im);
}

/* max_attempts is a plan's limit: it cuts no emergency call short. */
static void an_emergency_call_tries_all_of_its_trunks(void **state)
{
	struct callroute_builder *b = rows_vendors(9);
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "1", 5);
	ADD(b, plan, 1, row.max_attempts = 1);
	ADD(b, entry, 1);
	ADD(b, entry, 2, row.trunk_id = 9);
	ADD(b, rule, 1, row.prefix = "112", row.action = "emergency",
			row.target = "t3,t2,t7");
	ADD(b, rule, 2, row.prefix = "110", row.action = "emergency",
			row.target = "t8,t7,t6,t5,t4,t3,t2", row.stop = 0);
	ADD(b, rule, 3, row.prefix = "113", row.action = "route",
			row.target = "t3,t2");
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "112")), "3 2 7");
	/* eight in all: an attempt is a place in the call's memory */
	assert_int_equal(rows_ask(im, "110")->count, CALLROUTE_CANDIDATES);
	assert_string_equal(rows_trunks(rows_ask(im, "113")), "3");
	support_free(im);
}

/* Number portability sends no emergency call elsewhere. */
static void an_emergency_number_is_not_ported(void **state)
{
	struct callroute_builder *b = ruled();
	const struct callroute_answer *a;
	struct callroute_image *im;
	struct callroute_question q = rows_question("p3", "112");

	(void)state;
	ADD(b, plan, 3, row.use_lnp = 1);
	ADD(b, entry, 5, row.plan_id = 3);
	ADD(b, rule, 1, row.plan_id = 3, row.prefix = "112",
			row.action = "emergency", row.target = "t2", row.stop = 0);
	assert_int_equal(callroute_add_ported(b, 1, "112", "4930"), 0);
	assert_int_equal(callroute_add_ported(b, 2, "113", "4930"), 0);
	im = rows_image(b);
	a = rows_decide(im, &q);
	assert_int_equal(a->routing_len, 0);
	assert_string_equal(rows_trunks(a), "2");
	q.number = "113";
	a = rows_decide(im, &q);
	assert_int_equal(a->routing_len, 4);
	assert_string_equal(rows_trunks(a), "1");
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(an_emergency_call_passes_rules_and_block_lists),
			rows_test(says_which_numbers_are_emergencies),
			rows_test(nothing_stands_in_an_emergency_call_s_way),
			rows_test(an_emergency_call_from_nowhere_is_served),
			rows_test(an_emergency_call_tries_all_of_its_trunks),
			rows_test(an_emergency_number_is_not_ported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

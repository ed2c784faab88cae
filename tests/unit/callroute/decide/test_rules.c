/*
 * What a plan does with certain calls before prices count: block lists, rules in
 * their order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/decide/ruled.h"

static void block_lists_bar_both_ends(void **state)
{
	struct callroute_builder *b = ruled();
	struct callroute_image *im;

	(void)state;
	assert_int_equal(callroute_add_block(b, 1, "*", "dst", "49900"), 0);
	assert_int_equal(callroute_add_block(b, 2, "p2", "dst", "4930"), 0);
	assert_int_equal(callroute_add_block(b, 3, "*", "src", "4377"), 0);
	assert_int_equal(callroute_add_block(b, 4, "p1", "src", "*31"), 0);
	/* the longer one is of another plan, the shorter one of all */
	assert_int_equal(callroute_add_block(b, 5, "p2", "dst", "499001"), 0);
	im = rows_image(b);
	rows_expect_none(
			ask(im, "p1", "49900", ""), CALLROUTE_BLOCKED, "dst_block");
	rows_expect_none(
			ask(im, "p1", "4990012", ""), CALLROUTE_BLOCKED, "dst_block");
	assert_string_equal(rows_trunks(ask(im, "p1", "4990", "")), "1 2 3");
	assert_string_equal(rows_trunks(ask(im, "p1", "4930", "")), "1 2 3");
	rows_expect_none(
			ask(im, "p2", "49301", ""), CALLROUTE_BLOCKED, "dst_block");
	rows_expect_none(
			ask(im, "p1", "491", "43771"), CALLROUTE_BLOCKED, "src_block");
	rows_expect_none(
			ask(im, "p2", "491", "4377"), CALLROUTE_BLOCKED, "src_block");
	rows_expect_none(
			ask(im, "p1", "491", "*314"), CALLROUTE_BLOCKED, "src_block");
	assert_string_equal(rows_trunks(ask(im, "p2", "491", "*314")), "3");
	assert_string_equal(rows_trunks(ask(im, "p1", "491", "437")), "1 2 3");
	/* the ends are not mixed up */
	assert_string_equal(rows_trunks(ask(im, "p1", "491", "49900")), "1 2 3");
	rows_expect_none(
			ask(im, "p1", "4377", ""), CALLROUTE_NO_PREFIX, "no_prefix");
	/* no caller's number: nothing of it is looked at */
	assert_string_equal(rows_trunks(ask(im, "p1", "491", NULL)), "1 2 3");
	support_free(im);
}

static void a_rule_blocks_redirects_or_routes(void **state)
{
	struct callroute_builder *b = ruled();
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	ADD(b, rule, 11, row.prefix = "4911");
	ADD(b, rule, 12, row.prefix = "4912", row.action = "redirect",
			row.target = "sip:desk@192.0.2.9");
	ADD(b, rule, 13, row.prefix = "4913", row.action = "route",
			row.target = "t3, t2");
	ADD(b, rule, 14, row.prefix = "4914", row.action = "route",
			row.target = "t3,t2", row.stop = 0);
	/* a trunk that the plan knows no price for */
	ADD(b, rule, 15, row.prefix = "77", row.action = "route",
			row.target = "t2");
	im = rows_image(b);
	a = ask(im, "p1", "49110", "");
	rows_expect_none(a, CALLROUTE_BLOCKED, "rule_block");
	assert_int_equal(a->rule_id, 11);
	a = ask(im, "p1", "49120", "");
	rows_expect_none(a, CALLROUTE_REDIRECTED, "redirect");
	assert_string_equal(a->redirect, "sip:desk@192.0.2.9");
	assert_int_equal(a->rule_id, 12);
	/* in the rule's order, at the plan's prices, and no other */
	a = ask(im, "p1", "49130", "");
	assert_string_equal(rows_trunks(a), "3 2");
	rows_expect(a, 0, 3, 300, 2);
	rows_expect(a, 1, 2, 200, 2);
	assert_string_equal(rows_fate(2), "rule");
	assert_int_equal(rows_work.count, 5);
	/* the plan's own behind them */
	a = ask(im, "p1", "49140", "");
	assert_string_equal(rows_trunks(a), "3 2 1");
	assert_int_equal(a->rule_id, 14);
	a = ask(im, "p1", "771", "");
	assert_int_equal(a->count, 1);
	rows_expect(a, 0, 2, -1, 0);
	/* another plan has no such rules */
	a = ask(im, "p2", "49110", "");
	assert_string_equal(rows_trunks(a), "3");
	assert_int_equal(a->rule_id, 0);
	support_free(im);
}

/* Lowest priority, then longest prefix, then longest source prefix, then lowest
 * id, of those whose time holds. */
static void the_first_rule_that_fits_counts(void **state)
{
	static const struct
	{
		const char *number, *src;
		uint32_t rule;
	} cases[] = {
			{"4920", "", 20},	 /* only the empty prefix fits */
			{"4930", "", 22},	 /* the longer prefix; 25 does not hold now */
			{"49301", "", 26},	 /* longer still */
			{"4930", "43", 23},	 /* the caller's prefix */
			{"4930", "431", 24}, /* and the longer one of them */
			{"4940", "", 30},	 /* the lower id of two alike */
			{"4950", "", 20},	 /* 40 and 41 do not hold now */
			{"4960", "", 51},	 /* 50 does not, 51 comes before 52 and 20 */
	};
	struct callroute_builder *b = ruled();
	struct callroute_image *im;

	(void)state;
	ADD(b, rule, 20, row.prefix = "");
	ADD(b, rule, 21, row.prefix = "493", row.src_prefix = "4312345");
	ADD(b, rule, 22, row.prefix = "4930");
	ADD(b, rule, 23, row.prefix = "4930", row.src_prefix = "43");
	ADD(b, rule, 24, row.prefix = "4930", row.src_prefix = "431");
	ADD(b, rule, 25, row.prefix = "4930", row.priority = 5, row.src_prefix = "",
			row.time_id = 2);
	ADD(b, rule, 26, row.prefix = "49301");
	ADD(b, rule, 30, row.prefix = "4940");
	ADD(b, rule, 31, row.prefix = "4940");
	ADD(b, rule, 40, row.prefix = "4950", row.time_id = 2);
	ADD(b, rule, 41, row.prefix = "4950", row.priority = 1, row.time_id = 2);
	ADD(b, rule, 50, row.prefix = "4960", row.time_id = 2);
	ADD(b, rule, 51, row.prefix = "4960", row.priority = 8, row.time_id = 1);
	ADD(b, rule, 52, row.prefix = "4960", row.priority = 9);
	im = rows_image(b);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct callroute_answer *a =
				ask(im, "p1", cases[i].number, cases[i].src);

		assert_string_equal(a->reason, "rule_block");
		assert_int_equal(a->rule_id, cases[i].rule);
	}
	support_free(im);
}

static void a_shorter_prefix_wins_by_its_priority(void **state)
{
	struct callroute_builder *b = ruled();
	struct callroute_image *im;

	(void)state;
	ADD(b, rule, 1, row.prefix = "49301", row.priority = 7);
	ADD(b, rule, 2, row.prefix = "4930", row.priority = 6);
	ADD(b, rule, 3, row.prefix = "4", row.priority = 5, row.src_prefix = "43");
	im = rows_image(b);
	assert_int_equal(ask(im, "p1", "493012", "")->rule_id, 2);
	assert_int_equal(ask(im, "p1", "493012", "431")->rule_id, 3);
	assert_int_equal(ask(im, "p1", "4931", "")->rule_id, 0);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(block_lists_bar_both_ends),
			rows_test(a_rule_blocks_redirects_or_routes),
			rows_test(the_first_rule_that_fits_counts),
			rows_test(a_shorter_prefix_wins_by_its_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

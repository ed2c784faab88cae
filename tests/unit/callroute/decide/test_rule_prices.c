/*
 * What a rule's trunk costs, and what of its decks keeps it from the call.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

/* A rule's trunk is priced by the plan's deck for it, and measured by it. */
static void a_rule_s_trunk_has_a_margin_too(void **state)
{
	struct callroute_builder *b = rows_vendors(3);
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 9, row.side = "sell");
	rows_price(b, 1, "49", 100);
	rows_price(b, 2, "49", 180);
	rows_price(b, 9, "49", 200);
	ADD(b, plan, 1, row.sell_deck_id = 9, row.min_margin = 50);
	rows_enter(b, 2);
	ADD(b, rule, 1, row.prefix = "4930", row.action = "route",
			row.target = "t3,t2,t1");
	ADD(b, rule, 2, row.prefix = "4940", row.action = "route",
			row.target = "t2");
	ADD(b, rule, 3, row.prefix = "4950", row.action = "route",
			row.target = "t3");
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "4930")), "1");
	assert_string_equal(rows_fate(0), "price_unknown");
	assert_string_equal(rows_fate(1), "margin");
	rows_expect_none(rows_ask(im, "4940"), CALLROUTE_NO_MARGIN, "margin");
	rows_expect_none(
			rows_ask(im, "4950"), CALLROUTE_NO_MARGIN, "price_unknown");
	support_free(im);
}

static const struct callroute_answer *ask_from(
		const struct callroute_image *im, const char *src, int64_t now)
{
	struct callroute_question q = rows_question("p1", "4930");

	q.src = src;
	q.src_len = strlen(src);
	q.now = now;
	return rows_decide(im, &q);
}

/* One trunk with a deck for each caller's country and each time: the rule's
 * trunk costs what the plan would take it at now, not what the first deck says. */
static void a_rule_s_trunk_costs_what_holds_now(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_image *im;

	(void)state;
	ADD(b, time, 1, row.dtstart = "20230101T060000", row.duration = "PT12H");
	ADD(b, deck, 2);
	ADD(b, deck, 3);
	ADD(b, deck, 4);
	ADD(b, deck, 9, row.side = "sell");
	rows_price(b, 1, "49", 10);
	rows_price(b, 2, "49", 60);
	ADD(b, rate, 1, row.deck_id = 3, row.price = 50, row.connect_fee = 7,
			row.first_sec = 30, row.step_sec = 6);
	rows_price(b, 4, "493", 90);
	rows_price(b, 9, "49", 100);
	ADD(b, plan, 1, row.sell_deck_id = 9, row.min_margin = 30);
	ADD(b, entry, 1, row.time_id = 1);
	ADD(b, entry, 2, row.deck_id = 2, row.src_countries = "DE,FR");
	ADD(b, entry, 3, row.deck_id = 3, row.src_countries = "DE,AT");
	ADD(b, entry, 4, row.deck_id = 4, row.src_countries = "CH");
	ADD(b, rule, 1, row.prefix = "4930", row.action = "route",
			row.target = "t1");
	im = rows_image(b);
	/* of two that hold the cheaper one */
	rows_expect(ask_from(im, "4940", NOW), 0, 1, 50, 2);
	assert_int_equal(rows_answer.candidates[0].connect_fee, 7);
	assert_int_equal(rows_answer.candidates[0].first_sec, 30);
	assert_int_equal(rows_answer.candidates[0].step_sec, 6);
	rows_expect(ask_from(im, "331", NOW), 0, 1, 60, 2);
	rows_expect(ask_from(im, "331", NOW + 43200), 0, 1, 10, 2);
	/* what another country's callers cost is not what these cost */
	rows_expect_none(ask_from(im, "4179", NOW), CALLROUTE_NO_MARGIN, "margin");
	assert_int_equal(rows_work.vendors[0].price, 90);
	rows_expect_none(
			ask_from(im, "34", NOW), CALLROUTE_NO_MARGIN, "price_unknown");
	support_free(im);
}

/* A blocked prefix says that calls there are fraud as a rule: a rule that names
 * the trunk does not lift it, an emergency call passes. */
static void a_rule_lifts_no_block_of_a_rate(void **state)
{
	struct callroute_builder *b = rows_vendors(2);
	struct callroute_image *im;

	(void)state;
	ADD(b, time, 1, row.dtstart = "20230101T060000", row.duration = "PT12H");
	ADD(b, deck, 3);
	ADD(b, deck, 4);
	rows_price(b, 1, "49", 10);
	rows_price(b, 2, "49", 20);
	ADD(b, rate, 1, row.prefix = "49900", row.blocked = 1);
	ADD(b, rate, 2, row.prefix = "49901", row.blocked = 1);
	ADD(b, rate, 3, row.prefix = "49900", row.deck_id = 2, row.blocked = 1);
	ADD(b, rate, 4, row.prefix = "110", row.blocked = 1);
	ADD(b, rate, 5, row.prefix = "49901", row.deck_id = 3, row.price = 30);
	ADD(b, rate, 6, row.prefix = "49903", row.deck_id = 4, row.blocked = 1);
	ADD(b, plan, 1);
	/* out of its hours a deck's block stays one, its price is none */
	ADD(b, entry, 1, row.time_id = 1);
	ADD(b, entry, 2, row.trunk_id = row.deck_id = 2);
	ADD(b, entry, 3, row.deck_id = 3);
	ADD(b, entry, 4, row.trunk_id = 2, row.deck_id = 4);
	ADD(b, rule, 1, row.prefix = "499", row.action = "route",
			row.target = "t1,t2");
	ADD(b, rule, 2, row.prefix = "110", row.action = "emergency",
			row.target = "t1");
	im = rows_image(b);
	rows_expect_none(rows_ask(im, "49900"), CALLROUTE_BLOCKED, "blocked");
	assert_string_equal(rows_fate(0), "rate_blocked");
	assert_string_equal(rows_fate(1), "rate_blocked");
	assert_string_equal(rows_fate(2), "rule");
	/* another deck of the trunk takes the prefix, as it would in the plan */
	assert_string_equal(rows_trunks(rows_ask(im, "499011")), "1 2");
	rows_expect(&rows_answer, 0, 1, 30, 5);
	rows_expect(&rows_answer, 1, 2, 20, 2);
	/* whichever of the two decks comes first */
	assert_string_equal(rows_trunks(rows_ask(im, "49903")), "1 2");
	rows_expect(&rows_answer, 1, 2, 20, 2);
	/* no price and no block: the rule's word counts */
	assert_string_equal(rows_trunks(rows_ask(im, "49902")), "1 2");
	rows_expect(&rows_answer, 0, 1, -1, 0);
	assert_string_equal(rows_trunks(rows_ask(im, "110")), "1");
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(a_rule_s_trunk_has_a_margin_too),
			rows_test(a_rule_s_trunk_costs_what_holds_now),
			rows_test(a_rule_lifts_no_block_of_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

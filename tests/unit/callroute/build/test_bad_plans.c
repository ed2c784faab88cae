/*
 * Bad rows of what decides about a call: decks, rates, plans and their trunks,
 * rules, block lists; as callroute/build/test_bad_trunks.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/sound.h"

#define NOT_IN(column, value, range) column " = " value " is not in " range

static void takes_what_is_just_inside(void **state)
{
	(void)state;
	GOOD(deck, row.side = "sell", row.fx = 1000000000000);
	GOOD(rate, row.deck_id = 4, row.prefix = "0123456789*#01234567890123456789",
			row.price = CALLROUTE_PRICE_MAX,
			row.connect_fee = CALLROUTE_PRICE_MAX, row.first_sec = 3600,
			row.step_sec = 3600, row.valid_from = NOW, row.valid_till = NOW + 1,
			row.src_prefix = "0123456789*#01234567890123456789",
			row.blocked = 1);
	GOOD(rate, row.prefix = "", row.is_default = 1);
	GOOD(plan, row.sell_deck_id = 3, row.max_attempts = 1,
			row.min_margin = -CALLROUTE_PRICE_MAX, row.min_margin_pct = -1000,
			row.order_by = "quality", row.use_lnp = 1);
	GOOD(entry, row.trunk_id = 2, row.priority = 65535, row.weight = 0,
			row.time_id = 2, row.src_countries = " !DE , FR ",
			row.dst_countries = "!CH");
	GOOD(rule, row.prefix = "", row.priority = 65535,
			row.src_prefix = "0123456789*#01234567890123456789");
	GOOD(rule, row.action = "route", row.target = " t2 , t1");
	GOOD(rule, row.action = "redirect", row.target = "+4930123");
	GOOD(rule, row.action = "redirect", row.target = "sip:bob@192.0.2.1;x=y");
	GOOD(rule, row.action = "emergency", row.target = "t2,t2", row.stop = 0);
	GOOD(rule, row.action = "emergency", row.stop = 0);
}

static void names_each_bad_column_of_a_deck(void **state)
{
	(void)state;
	BAD(deck, "deck", "name is empty", row.name = "");
	BAD(deck, "deck", "name is longer than 64 characters",
			row.name = too_long(CALLROUTE_NAME_MAX));
	BAD(deck, "deck", "side = 'both' is not one of buy, sell",
			row.side = "both");
	BAD(deck, "deck", "currency is empty", row.currency = "");
	BAD(deck, "deck", "currency is longer than 3 characters",
			row.currency = "EURO");
	BAD(deck, "deck", NOT_IN("fx", "-1", "0 to 1000000000000"), row.fx = -1);
	BAD(deck, "deck", NOT_IN("fx", "1000000000001", "0 to 1000000000000"),
			row.fx = 1000000000001);
}

/* Also the rate of a deck that is off is looked at: it may be on tomorrow. */
static void names_each_bad_column_of_a_rate(void **state)
{
	static const int decks[] = {1, 5};

	(void)state;
	for(int i = 0; i < 2; i++) {
		int deck = decks[i];

		BAD(rate, "rate", NOT_IN("price", "-1", "0 to 1099511627775"),
				row.deck_id = deck, row.price = -1);
		BAD(rate, "rate",
				NOT_IN("price", "1099511627776", "0 to 1099511627775"),
				row.deck_id = deck, row.price = CALLROUTE_PRICE_MAX + 1);
		BAD(rate, "rate", NOT_IN("connect_fee", "-1", "0 to 1099511627775"),
				row.deck_id = deck, row.connect_fee = -1);
		BAD(rate, "rate", NOT_IN("first_sec", "0", "1 to 3600"),
				row.deck_id = deck, row.first_sec = 0);
		BAD(rate, "rate", NOT_IN("step_sec", "3601", "1 to 3600"),
				row.deck_id = deck, row.step_sec = 3601);
		BAD(rate, "rate", "prefix = '49x' is not 0 to 32 symbols of 0-9 * #",
				row.deck_id = deck, row.prefix = "49x");
		BAD(rate, "rate", "prefix = '+49' is not 0 to 32 symbols of 0-9 * #",
				row.deck_id = deck, row.prefix = "+49");
		BAD(rate, "rate",
				"prefix = '111111111111111111111111111111111' is not 0 to 32 "
				"symbols of 0-9 * #",
				row.deck_id = deck, row.prefix = too_long(33));
		BAD(rate, "rate",
				"src_prefix = '4 9' is not 0 to 32 symbols of 0-9 * #",
				row.deck_id = deck, row.src_prefix = "4 9");
		BAD(rate, "rate", "valid_till is not after valid_from",
				row.deck_id = deck, row.valid_from = 10, row.valid_till = 10);
	}
	BAD(rate, "rate", "deck_id = 6 is no deck", row.deck_id = 6);
	BAD(rate, "rate", "deck_id = 0 is no deck", row.deck_id = 0);
}

static void names_a_price_that_its_deck_s_fx_lifts_too_high(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, deck, 8, row.fx = 2000000);
	ADD(b, rate, 9, row.deck_id = 8, row.price = CALLROUTE_PRICE_MAX / 2 + 1);
	expect_fault(b, "rate",
			"price = 549755813888 is over 1099511627775 when converted by its "
			"deck's fx");
}

static void names_a_fee_that_its_deck_s_fx_lifts_too_high(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, deck, 8, row.fx = 2000000);
	ADD(b, rate, 9, row.deck_id = 8,
			row.connect_fee = CALLROUTE_PRICE_MAX / 2 + 1);
	expect_fault(b, "rate",
			"connect_fee = 549755813888 is over 1099511627775 when converted "
			"by its deck's fx");
}

/* It would be a call for nothing, which the sheet did not say. */
static void names_an_amount_that_its_deck_s_fx_makes_free(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, deck, 8, row.fx = 499999);
	ADD(b, rate, 9, row.deck_id = 8, row.price = 1);
	expect_fault(b, "rate",
			"price = 1 is 0 when converted by its deck's fx: the call would "
			"cost nothing");
	b = sound();
	ADD(b, deck, 8, row.fx = 499999);
	ADD(b, rate, 9, row.deck_id = 8, row.connect_fee = 1);
	expect_fault(b, "rate",
			"connect_fee = 1 is 0 when converted by its deck's fx: the call "
			"would cost nothing");
}

static void names_each_bad_column_of_a_plan(void **state)
{
	(void)state;
	BAD(plan, "plan", "name is empty", row.name = "");
	BAD(plan, "plan", "name is longer than 64 characters",
			row.name = too_long(CALLROUTE_NAME_MAX));
	BAD(plan, "plan",
			"order_by = 'cheap' is not one of price, quality, priority",
			row.order_by = "cheap");
	BAD(plan, "plan", NOT_IN("max_attempts", "0", "1 to 8"),
			row.max_attempts = 0);
	BAD(plan, "plan", NOT_IN("max_attempts", "9", "1 to 8"),
			row.max_attempts = 9);
	BAD(plan, "plan",
			NOT_IN("min_margin", "1099511627776",
					"-1099511627775 to 1099511627775"),
			row.sell_deck_id = 3, row.min_margin = CALLROUTE_PRICE_MAX + 1);
	BAD(plan, "plan", NOT_IN("min_margin_pct", "101", "-1000 to 100"),
			row.sell_deck_id = 3, row.min_margin_pct = 101);
	BAD(plan, "plan", NOT_IN("min_margin_pct", "-1001", "-1000 to 100"),
			row.sell_deck_id = 3, row.min_margin_pct = -1001);
	BAD(plan, "plan", "sell_deck_id = 7 is no sell_deck", row.sell_deck_id = 7);
	BAD(plan, "plan", "sell_deck_id = 1 is a buy deck", row.sell_deck_id = 1);
	BAD(plan, "plan",
			"a margin without sell_deck_id has no selling price to be measured "
			"by",
			row.min_margin = 1);
	BAD(plan, "plan",
			"a margin without sell_deck_id has no selling price to be measured "
			"by",
			row.min_margin_pct = -1);
}

/* Every call of such a plan would be refused, and nobody would know why. */
static void names_a_plan_that_sells_by_a_deck_that_is_off(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, deck, 8, row.side = "sell", row.enabled = 0);
	ADD(b, plan, 9, row.sell_deck_id = 8);
	expect_fault(b, "plan",
			"sell_deck_id = 8 is disabled: every call would be refused");
}

static void names_each_bad_column_of_a_plan_s_trunk(void **state)
{
	(void)state;
	BAD(entry, "plan_trunk", "plan_id = 7 is no plan", row.plan_id = 7);
	BAD(entry, "plan_trunk", "trunk_id = 7 is no trunk", row.trunk_id = 7);
	BAD(entry, "plan_trunk", "deck_id = 7 is no deck", row.deck_id = 7);
	BAD(entry, "plan_trunk", "deck_id = 3 is a sell deck", row.deck_id = 3);
	BAD(entry, "plan_trunk", "time_id = 7 is no time", row.time_id = 7,
			row.trunk_id = 2);
	BAD(entry, "plan_trunk", NOT_IN("priority", "-1", "0 to 65535"),
			row.trunk_id = 2, row.priority = -1);
	BAD(entry, "plan_trunk", NOT_IN("weight", "65536", "0 to 65535"),
			row.trunk_id = 2, row.weight = 65536);
	BAD(entry, "plan_trunk",
			"src_countries has 'GER' where a country (ISO 3166: DE, !CH) must "
			"stand",
			row.trunk_id = 2, row.src_countries = "FR,GER");
	BAD(entry, "plan_trunk",
			"dst_countries has '!' where a country (ISO 3166: DE, !CH) must "
			"stand",
			row.trunk_id = 2, row.dst_countries = "!,FR");
	BAD(entry, "plan_trunk",
			"dst_countries has 'de' where a country (ISO 3166: DE, !CH) must "
			"stand",
			row.trunk_id = 2, row.dst_countries = "de");
}

/* The lower one of 10 cents and 12 yen is no price. */
static void names_two_currencies_in_one_plan(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, deck, 8, row.currency = "JPY");
	ADD(b, entry, 9, row.deck_id = 8);
	expect_fault(b, "plan_trunk",
			"deck 8 is in JPY, the plan's others are in EUR: give all of them "
			"an fx");
	BAD(entry, "plan_trunk",
			"deck 4 is converted, the plan's others are in EUR: give all of "
			"them an fx",
			row.deck_id = 4);
	b = sound();
	ADD(b, deck, 8, row.currency = "JPY", row.fx = 6000);
	ADD(b, deck, 9, row.currency = "CHF", row.enabled = 0);
	ADD(b, plan, 8);
	/* converted both, and what is off has no price */
	ADD(b, entry, 7, row.plan_id = 8, row.deck_id = 4);
	ADD(b, entry, 8, row.plan_id = 8, row.deck_id = 8);
	ADD(b, entry, 9, row.plan_id = 8, row.deck_id = 9);
	support_free(rows_image(b));
	/* the selling price counts among them */
	b = sound();
	ADD(b, entry, 9, row.plan_id = 2, row.deck_id = 4);
	expect_fault(b, "plan_trunk",
			"deck 4 is converted, the plan's others are in EUR: give all of "
			"them an fx");
}

static void names_each_bad_column_of_a_rule(void **state)
{
	(void)state;
	BAD(rule, "rule", "plan_id = 0 is no plan", row.plan_id = 0);
	BAD(rule, "rule", "time_id = 3 is no time", row.time_id = 3);
	BAD(rule, "rule", NOT_IN("priority", "65536", "0 to 65535"),
			row.priority = 65536);
	BAD(rule, "rule", "prefix = '4-9' is not 0 to 32 symbols of 0-9 * #",
			row.prefix = "4-9");
	BAD(rule, "rule", "src_prefix = '+4' is not 0 to 32 symbols of 0-9 * #",
			row.src_prefix = "+4");
	BAD(rule, "rule",
			"action = 'drop' is not one of route, block, redirect, emergency",
			row.action = "drop", row.target = "t1");
	BAD(rule, "rule", "target names no trunk", row.action = "route");
	BAD(rule, "rule", "target names no trunk", row.action = "route",
			row.stop = 0, row.target = " , ");
	BAD(rule, "rule", "target names no trunk", row.action = "emergency");
	BAD(rule, "rule", "target has 't', which is no trunk", row.action = "route",
			row.target = "t1, t");
	BAD(rule, "rule", "target has 't12', which is no trunk",
			row.action = "route", row.target = "t12 ,t1");
	BAD(rule, "rule", "target has more than 8 trunks", row.action = "route",
			row.target = "t1,t1,t1,t1,t1,t1,t1,t1,t2");
	BAD(rule, "rule", "an emergency rule needs its number in prefix",
			row.action = "emergency", row.prefix = "", row.target = "t1");
	BAD(rule, "rule", "target = 'bob' is neither a number nor a SIP URI",
			row.action = "redirect", row.target = "bob");
	BAD(rule, "rule", "target = '+' is neither a number nor a SIP URI",
			row.action = "redirect", row.target = "+");
	BAD(rule, "rule", "target = 'sip:a>b' has a character that no URI may have",
			row.action = "redirect", row.target = "sip:a>b");
	BAD(rule, "rule", "target is longer than 255 characters",
			row.action = "redirect", row.target = too_long(CALLROUTE_URI_MAX));
}

#define BAD_BLOCK(says, list, side, prefix)                                   \
	do {                                                                      \
		struct callroute_builder *bad = sound();                              \
		assert_int_equal(callroute_add_block(bad, 9, list, side, prefix), 0); \
		expect_fault(bad, "block", says);                                     \
	} while(0)

static void names_each_bad_column_of_a_block(void **state)
{
	(void)state;
	BAD_BLOCK("list = 'p3' is neither a plan nor *", "p3", "dst", "49");
	BAD_BLOCK("list = '' is neither a plan nor *", "", "dst", "49");
	BAD_BLOCK("side = 'both' is not one of src, dst", "*", "both", "49");
	BAD_BLOCK("prefix = '' is not 1 to 32 symbols of 0-9 * #", "*", "dst", "");
	BAD_BLOCK("prefix = 'abc' is not 1 to 32 symbols of 0-9 * #", "p1", "src",
			"abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(takes_what_is_just_inside),
			rows_test(names_each_bad_column_of_a_deck),
			rows_test(names_each_bad_column_of_a_rate),
			rows_test(names_a_price_that_its_deck_s_fx_lifts_too_high),
			rows_test(names_a_fee_that_its_deck_s_fx_lifts_too_high),
			rows_test(names_an_amount_that_its_deck_s_fx_makes_free),
			rows_test(names_each_bad_column_of_a_plan),
			rows_test(names_a_plan_that_sells_by_a_deck_that_is_off),
			rows_test(names_each_bad_column_of_a_plan_s_trunk),
			rows_test(names_two_currencies_in_one_plan),
			rows_test(names_each_bad_column_of_a_rule),
			rows_test(names_each_bad_column_of_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

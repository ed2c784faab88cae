/*
 * What a plan earns and what a vendor takes: selling prices and margins, countries
 * at both ends, times, ported numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include "lib/geo/country.h"

/* --- money ------------------------------------------------------------------ */

/* Trunk 1 costs 100 a minute; plan 1 sells 49 at `sell`. Whether the trunk may
 * carry the call. */
static int passes(long long sell, long long margin, int per_cent)
{
	struct callroute_builder *b = rows_vendors(1);
	const struct callroute_answer *a;
	struct callroute_image *im;
	int passed;

	ADD(b, deck, 2, row.side = "sell");
	rows_price(b, 1, "49", 100);
	rows_price(b, 2, "49", sell);
	ADD(b, plan, 1, row.sell_deck_id = 2, row.min_margin = margin,
			row.min_margin_pct = per_cent);
	rows_enter(b, 1);
	im = rows_image(b);
	a = rows_ask(im, "4930");
	assert_int_equal(a->sell, sell);
	passed = a->verdict == CALLROUTE_OK;
	if(!passed)
		rows_expect_none(a, CALLROUTE_NO_MARGIN, "margin");
	assert_string_equal(rows_fate(0), passed ? "chosen" : "margin");
	support_free(im);
	return passed;
}

static void a_margin_is_what_must_be_left(void **state)
{
	(void)state;
	/* no margin asked for: nothing may be lost */
	assert_true(passes(100, 0, 0));
	assert_false(passes(99, 0, 0));
	/* absolute */
	assert_true(passes(150, 50, 0));
	assert_false(passes(149, 50, 0));
	/* per cent of the selling price */
	assert_true(passes(125, 0, 20));
	assert_false(passes(124, 0, 20));
	assert_false(passes(1000000, 0, 100));
	/* both: the stricter */
	assert_false(passes(125, 26, 20));
	assert_false(passes(130, 10, 50));
	assert_true(passes(200, 10, 50));
	/* a loss that is allowed */
	assert_true(passes(60, -40, -1000));
	assert_false(passes(59, -40, -1000));
	assert_true(passes(50, -100, -100));
	assert_false(passes(49, -100, -100));
	/* per cent of nothing is nothing */
	assert_false(passes(0, -100, -1000));
	/* prices at their limit do not overflow */
	assert_true(passes(CALLROUTE_PRICE_MAX, CALLROUTE_PRICE_MAX - 100, 99));
	assert_false(passes(CALLROUTE_PRICE_MAX, CALLROUTE_PRICE_MAX - 99, 99));
}

static void the_selling_price_is_found_as_a_vendor_s_is(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_question q = rows_question("p1", "4930");
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 2, row.side = "sell");
	ADD(b, rate, 1, row.prefix = "", row.is_default = 1);
	ADD(b, rate, 2, row.prefix = "49", row.deck_id = 2, row.price = 100);
	ADD(b, rate, 3, row.prefix = "4930", row.deck_id = 2, row.price = 200,
			row.valid_till = NOW);
	ADD(b, rate, 4, row.prefix = "4940", row.deck_id = 2, row.price = 300);
	ADD(b, rate, 5, row.prefix = "4940", row.deck_id = 2, row.price = 400,
			row.src_prefix = "43");
	ADD(b, rate, 6, row.prefix = "4950", row.deck_id = 2, row.blocked = 1);
	ADD(b, plan, 1, row.sell_deck_id = 2);
	rows_enter(b, 1);
	im = rows_image(b);
	assert_int_equal(rows_ask(im, "4930")->sell, 100);
	assert_int_equal(rows_ask(im, "4940")->sell, 300);
	q.number = "4940";
	q.src = "431";
	q.src_len = 3;
	assert_int_equal(rows_decide(im, &q)->sell, 400);
	rows_expect_none(rows_ask(im, "49501"), CALLROUTE_BLOCKED, "sell_blocked");
	/* An unknown price is no price of 0. */
	rows_expect_none(rows_ask(im, "33"), CALLROUTE_NO_MARGIN, "no_sell_price");
	assert_int_equal(rows_answer.sell, -1);
	/* nobody was judged, so explain has nobody to show */
	assert_int_equal(rows_work.count, 0);
	support_free(im);
}

/* --- countries -------------------------------------------------------------- */

static void vendors_take_calls_from_and_to_their_countries(void **state)
{
	static const struct
	{
		const char *number, *src, *trunks;
	} cases[] = {
			{"4930", "4930", "1 2 3 5"}, {"4930", "331", "1 3 4 5"},
			{"4930", "431", "1 5"},
			{"4930", "", "1 5"},	  /* of no country: not of those listed */
			{"4930", "999", "1 5"},	  /* the same */
			{"331", "4930", "1 2 3"}, /* 5 takes only calls to Germany */
			{"999", "4930", "1 2 3"}, /* to no country */
			{"411", "4930", "1 2"},	  /* 3 does not call Switzerland */
	};
	struct callroute_builder *b = rows_vendors(5);
	struct callroute_image *im;

	(void)state;
	for(int n = 1; n <= 5; n++)
		ADD(b, rate, n, row.deck_id = n, row.prefix = "", row.price = n,
				row.is_default = 1);
	ADD(b, plan, 1);
	ADD(b, entry, 1);
	ADD(b, entry, 2, row.trunk_id = row.deck_id = 2, row.src_countries = "DE");
	ADD(b, entry, 3, row.trunk_id = row.deck_id = 3,
			row.src_countries = "DE,FR", row.dst_countries = "!CH,!AT");
	ADD(b, entry, 4, row.trunk_id = row.deck_id = 4,
			row.src_countries = "FR,DE,!DE");
	ADD(b, entry, 5, row.trunk_id = row.deck_id = 5, row.dst_countries = "DE");
	im = rows_image(b);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_question q = rows_question("p1", cases[i].number);
		const struct callroute_answer *a;

		q.src = cases[i].src;
		q.src_len = strlen(q.src);
		a = rows_decide(im, &q);
		assert_string_equal(rows_trunks(a), cases[i].trunks);
	}
	support_free(im);
}

/* "All but those" of a list holds for numbers of no country as well. */
static void a_list_of_exceptions_leaves_the_rest(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	const struct callroute_answer *a;
	struct callroute_image *im;
	const char *iso;

	(void)state;
	rows_price(b, 1, "", 1);
	ADD(b, plan, 1);
	ADD(b, entry, 1, row.dst_countries = "!DE");
	im = rows_image(b);
	rows_expect_none(rows_ask(im, "4930"), CALLROUTE_BLOCKED, "dst_country");
	a = rows_ask(im, "999");
	assert_int_equal(a->verdict, CALLROUTE_OK);
	assert_int_equal(a->dst_country, 0);
	a = rows_ask(im, "331");
	assert_int_equal(a->verdict, CALLROUTE_OK);
	iso = tg_country_iso(a->dst_country - 1);
	assert_string_equal(iso, "FR");
	support_free(im);
}

/* --- times ------------------------------------------------------------------ */

/* Wall-clock hours of a zone, in summer as in winter; and beyond the horizon of
 * the calendars nothing that has hours holds. */
static void a_vendor_carries_calls_in_its_hours(void **state)
{
	static const struct
	{
		int64_t now;
		int open;
	} cases[] = {
			{1700035200 - 1, 0}, /* Wed 2023-11-15 08:59:59 in Berlin */
			{1700035200, 1},
			{1700063999, 1}, /* 16:59:59 */
			{1700064000, 0},
			{1700294400, 0}, /* Saturday */
			{1719990000, 1}, /* Wed 2024-07-03 09:00 in summer time */
			{1719989999, 0},
			{NOW - 2 * 86400, 0},
			{NOW + (CALLROUTE_CALENDAR_DAYS + 1) * 86400, 0},
	};
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	ADD(b, time, 1, row.tz = "Europe/Berlin", row.dtstart = "20230102T090000",
			row.duration = "PT8H",
			row.rrule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	ADD(b, deck, 1);
	rows_price(b, 1, "49", 1);
	ADD(b, plan, 1);
	ADD(b, entry, 1, row.time_id = 1);
	im = rows_image(b);
	assert_int_equal(im->calendars_till, NOW + CALLROUTE_CALENDAR_DAYS * 86400);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_question q = rows_question("p1", "4930");

		q.now = cases[i].now;
		if(cases[i].open)
			assert_string_equal(rows_trunks(rows_decide(im, &q)), "1");
		else
			rows_expect_none(
					rows_decide(im, &q), CALLROUTE_OUTSIDE_TIME, "time");
		assert_int_equal(callroute_time_holds(im, 0, q.now), cases[i].open);
		assert_true(callroute_time_holds(im, CALLROUTE_NONE, q.now));
	}
	support_free(im);
}

/* One trunk by day at one price, by night at another: both are entries. */
static void a_trunk_may_have_a_price_for_each_time(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_question q = rows_question("p1", "4930");
	struct callroute_image *im;

	(void)state;
	ADD(b, time, 1, row.dtstart = "20230101T060000", row.duration = "PT12H");
	ADD(b, time, 2, row.dtstart = "20230101T180000", row.duration = "PT12H");
	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	ADD(b, deck, 1);
	ADD(b, deck, 2);
	rows_price(b, 1, "49", 200);
	rows_price(b, 2, "49", 50);
	ADD(b, plan, 1);
	ADD(b, entry, 1, row.time_id = 1);
	ADD(b, entry, 2, row.time_id = 2, row.deck_id = 2);
	im = rows_image(b);
	rows_expect(rows_decide(im, &q), 0, 1, 50, 2);
	q.now += 43200;
	rows_expect(rows_decide(im, &q), 0, 1, 200, 2);
	assert_int_equal(rows_answer.count, 1);
	support_free(im);
}

/* --- ported numbers --------------------------------------------------------- */

static void a_ported_number_goes_by_its_routing_number(void **state)
{
	struct callroute_builder *b = rows_vendors(2);
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "4930", 100);
	rows_price(b, 2, "33", 200);
	ADD(b, plan, 1, row.use_lnp = 1);
	ADD(b, plan, 2);
	rows_enter(b, 2);
	ADD(b, entry, 3, row.plan_id = 2);
	/* rules and lists go by what was dialled */
	ADD(b, rule, 1, row.prefix = "33", row.action = "block");
	assert_int_equal(callroute_add_ported(b, 1, "493012345", "33199"), 0);
	im = rows_image(b);
	a = rows_ask(im, "493012345");
	assert_string_equal(rows_trunks(a), "2");
	assert_string_equal(a->routing_number, "33199");
	assert_int_equal(a->routing_len, 5);
	assert_string_equal(tg_country_iso(a->dst_country - 1), "FR");
	/* the whole number only */
	a = rows_ask(im, "4930123456");
	assert_string_equal(rows_trunks(a), "1");
	assert_int_equal(a->routing_len, 0);
	assert_string_equal(a->routing_number, "");
	/* a plan that does not use it */
	{
		struct callroute_question q = rows_question("p2", "493012345");

		assert_string_equal(rows_trunks(rows_decide(im, &q)), "1");
	}
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(a_margin_is_what_must_be_left),
			rows_test(the_selling_price_is_found_as_a_vendor_s_is),
			rows_test(vendors_take_calls_from_and_to_their_countries),
			rows_test(a_list_of_exceptions_leaves_the_rest),
			rows_test(a_vendor_carries_calls_in_its_hours),
			rows_test(a_trunk_may_have_a_price_for_each_time),
			rows_test(a_ported_number_goes_by_its_routing_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Faults that others had, each once: the comment names whose it was.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

/* OpenSIPS #1961: an accidental empty prefix matched every number ("this caused
 * us quite money"). */
static void an_accidental_empty_prefix_is_refused(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	char nothing[8];
	size_t used;

	(void)state;
	rows_price(b, 1, "49", 1);
	ADD(b, rate, 7, row.prefix = "");
	ADD(b, plan, 1);
	rows_enter(b, 1);
	assert_int_equal(callroute_builder_write(b, nothing, 0, &used), -EBADMSG);
	assert_int_equal(said.count, 1);
	assert_string_equal(said.line[0],
			"callroute_rate id 7: empty prefix without is_default = 1 (it "
			"would match every number)");
	callroute_builder_free(b);
}

/* drouting: an empty rule table wiped all routes at a reload. */
static void an_empty_load_is_refused(void **state)
{
	(void)state;
	/* Each part is left out in turn; with none left out the load is fine. */
	for(int without = 0; without <= 5; without++) {
		struct callroute_builder *b = rows_vendors(1);
		char nothing[8];
		size_t used = 1;

		ADD(b, deck, 2, row.enabled = 0);
		if(without != 1)
			rows_price(b, without == 4 ? 2 : 1, "4", 1);
		if(without != 2)
			ADD(b, plan, 1);
		if(without != 2 && without != 3)
			ADD(b, entry, 1, row.deck_id = without == 5 ? 2 : 1);
		assert_int_equal(callroute_builder_write(b, nothing, 0, &used),
				without ? -ENODATA : -ENOSPC);
		assert_int_equal(used > 0, !without);
		assert_int_equal(said.count, 0);
		callroute_builder_free(b);
	}
}

/* OpenSIPS rate_cacher: an unknown vendor price counted as 0 and passed the
 * margin filter. */
static void an_unknown_price_passes_no_margin(void **state)
{
	struct callroute_builder *b = rows_vendors(2);
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 9, row.side = "sell");
	rows_price(b, 2, "33", 1);
	rows_price(b, 9, "49", 1000);
	ADD(b, plan, 1, row.sell_deck_id = 9);
	rows_enter(b, 2);
	ADD(b, rule, 1, row.prefix = "4930", row.action = "route",
			row.target = "t1");
	im = rows_image(b);
	rows_expect_none(rows_ask(im, "4940"), CALLROUTE_NO_PREFIX, "no_prefix");
	rows_expect_none(
			rows_ask(im, "4930"), CALLROUTE_NO_MARGIN, "price_unknown");
	/* nor does one that is not known at the other end */
	rows_expect_none(rows_ask(im, "33"), CALLROUTE_NO_MARGIN, "no_sell_price");
	support_free(im);
}

/* yeti #2097: ranking before eligibility; 1.45 M calls a day found only vendors
 * that were dropped afterwards. */
static void cheaper_ones_that_may_not_take_no_place(void **state)
{
	static const char *const why[] = {"down", "blocked", "country", "margin"};
	enum
	{
		VENDORS = CALLROUTE_ENTRIES_MAX
	};

	(void)state;
	for(int w = 0; w < 4; w++) {
		struct callroute_builder *b = rows_new();
		struct callroute_image *im;

		ADD(b, carrier, 1);
		for(int n = 1; n <= VENDORS; n++)
			ADD(b, trunk, n,
					row.admin_state = w == 0 && n < VENDORS ? "down" : "up");
		for(int n = 1; n <= VENDORS; n++)
			ADD(b, deck, n);
		ADD(b, deck, 999, row.side = "sell");
		for(int n = 1; n <= VENDORS; n++)
			ADD(b, rate, n, row.deck_id = n,
					row.blocked = w == 1 && n < VENDORS,
					row.price = w == 3 ? 2000 - n : n);
		rows_price(b, 999, "49", 2000 - VENDORS);
		ADD(b, plan, 1, row.max_attempts = 1, row.sell_deck_id = 999);
		for(int n = 1; n <= VENDORS; n++)
			ADD(b, entry, n, row.trunk_id = row.deck_id = n,
					row.dst_countries = w == 2 && n < VENDORS ? "!DE" : "");
		im = rows_image(b);
		if(strcmp(rows_trunks(rows_ask(im, "4930")), "256") != 0)
			fail_msg("lost behind vendors that are %s", why[w]);
		assert_int_equal(rows_work.count, VENDORS);
		support_free(im);
	}
}

/* drouting has 32 gateways a rule, lcr 129 candidates on the stack without a
 * bound: 256 trunks of a plan all count, and the 257th is refused in words. */
static void a_plan_takes_256_trunks_and_says_so(void **state)
{
	(void)state;
	for(int trunks = 256; trunks <= 257; trunks++) {
		struct callroute_builder *b = rows_vendors(trunks);
		struct callroute_image *im;
		char nothing[8];
		size_t used;

		for(int n = 1; n <= trunks; n++)
			rows_price(b, n, "4", 1000 - n);
		ADD(b, plan, 1);
		rows_enter(b, trunks);
		if(trunks == 257) {
			assert_int_equal(
					callroute_builder_write(b, nothing, 0, &used), -EBADMSG);
			assert_int_equal(said.count, 1);
			assert_string_equal(
					said.line[0], "callroute_plan id 1: more than 256 trunks");
			callroute_builder_free(b);
			continue;
		}
		/* and a rule's eight before them */
		ADD(b, rule, 1, row.prefix = "49", row.action = "route",
				row.target = "t1,t2,t3,t4,t5,t6,t7,t8", row.stop = 0);
		im = rows_image(b);
		assert_string_equal(rows_trunks(rows_ask(im, "4")),
				"256 255 254 253 252 251 250 249");
		assert_int_equal(rows_work.count, 256);
		assert_string_equal(rows_trunks(rows_ask(im, "49")), "1 2 3 4 5 6 7 8");
		assert_int_equal(rows_work.count, CALLROUTE_VENDORS_MAX);
		support_free(im);
	}
}

/* The same bounds from the other side: 300 decks price one prefix, and each of
 * two plans finds its own among them, the selling price too. */
static void three_hundred_decks_price_one_prefix(void **state)
{
	enum
	{
		DECKS = 300
	};
	struct callroute_builder *b = rows_vendors(DECKS);
	struct callroute_question q = rows_question("p2", "49");
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 999, row.side = "sell");
	for(int n = 1; n <= DECKS; n++)
		rows_price(b, n, "49", 1000 + n);
	rows_price(b, 999, "49", 5000);
	ADD(b, plan, 1, row.sell_deck_id = 999);
	ADD(b, plan, 2, row.sell_deck_id = 999);
	for(int n = 1; n <= DECKS; n++)
		ADD(b, entry, n, row.plan_id = 1 + n % 2, row.trunk_id = n,
				row.deck_id = n);
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "49")), "2 4 6 8 10 12 14 16");
	assert_int_equal(rows_answer.sell, 5000);
	assert_string_equal(rows_trunks(rows_decide(im, &q)), "1 3 5 7 9 11 13 15");
	assert_int_equal(rows_work.count, DECKS / 2);
	for(int i = 0; i < rows_work.count; i++)
		assert_int_equal(rows_work.vendors[i].price, 1001 + 2 * i);
	support_free(im);
}

/* lcr: a call keeps the index of its gateway, so after a reload its defunct mark
 * hit another one. dispatcher: a reload zeroed flags and load. Here all that is
 * known of a trunk hangs on its id. */
static void a_reload_moves_no_mark_to_another_trunk(void **state)
{
	struct callroute_claim claim;
	struct callroute_image *im;

	(void)state;
	/* trunk 6 is put down by hand, trunk 7 is full; then trunks before them go,
	 * others come, and their places in the image change */
	for(int load = 0; load < 2; load++) {
		struct callroute_builder *b = rows_new();

		ADD(b, carrier, 1);
		for(int n = load ? 5 : 1; n <= (load ? 9 : 8); n++)
			ADD(b, trunk, n, row.max_channels = n == 7);
		ADD(b, deck, 1);
		rows_price(b, 1, "49", 1);
		ADD(b, plan, 1, row.order_by = "priority");
		for(int n = load ? 5 : 1; n <= (load ? 9 : 8); n++)
			ADD(b, entry, n, row.trunk_id = n, row.priority = n);
		im = rows_image(b);
		if(load == 0) {
			callroute_claim_of(im, callroute_find_trunk(im, 7), &claim);
			assert_int_equal(callroute_capacity_take(rows_live, 1, &claim,
									 CLOCK + 60000000, CLOCK),
					0);
			assert_int_equal(callroute_live_set_admin(rows_live,
									 (int)callroute_find_trunk(im, 6)->live,
									 CALLROUTE_ADMIN_DOWN),
					0);
		}
		assert_string_equal(rows_trunks(rows_ask(im, "49")),
				load ? "5 8 9" : "1 2 3 4 5 8");
		support_free(im);
	}
}

/* OpenSIPS #2102: a counter went below zero, to 4294967262, and the trunk got no
 * more calls. */
static void a_release_too_many_closes_no_trunk(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_claim claim;
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1, row.max_channels = 2);
	ADD(b, trunk, 1, row.max_channels = 1);
	ADD(b, deck, 1);
	rows_price(b, 1, "49", 1);
	ADD(b, plan, 1);
	ADD(b, entry, 1);
	im = rows_image(b);
	callroute_claim_of(im, callroute_find_trunk(im, 1), &claim);
	for(int i = 0; i < 34; i++)
		assert_int_equal(
				callroute_capacity_release(rows_live, 1, CLOCK), -ENOENT);
	assert_int_equal(callroute_capacity_take(
							 rows_live, 1, &claim, CLOCK + 60000000, CLOCK),
			0);
	rows_expect_none(rows_ask(im, "49"), CALLROUTE_NO_CAPACITY, "no_capacity");
	assert_int_equal(callroute_capacity_release(rows_live, 1, CLOCK), 0);
	assert_int_equal(callroute_capacity_release(rows_live, 1, CLOCK), -ENOENT);
	assert_string_equal(rows_trunks(rows_ask(im, "49")), "1");
	assert_int_equal(callroute_capacity_channels(
							 rows_live, CALLROUTE_OWNER_TRUNK, 1, CLOCK),
			0);
	support_free(im);
}

/* dispatcher: weights were wrong past 25 hosts. Forty equals share by theirs;
 * the bound is the chi-square of 39 degrees of freedom that a right one exceeds
 * once in a million (97.7). */
static void forty_equals_share_by_weight(void **state)
{
	enum
	{
		HOSTS = 40,
		DRAWS = 82000
	};
	struct callroute_builder *b = rows_vendors(HOSTS);
	struct callroute_question q = rows_question("p1", "4");
	struct callroute_image *im;
	int first[HOSTS] = {0};
	double chi = 0;

	(void)state;
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	for(int n = 1; n <= HOSTS; n++)
		ADD(b, entry, n, row.trunk_id = n, row.weight = n);
	im = rows_image(b);
	for(q.seed = 0; q.seed < (uint64_t)DRAWS * 1000; q.seed += 1000)
		first[rows_decide(im, &q)->candidates[0].trunk_id - 1]++;
	for(int n = 1; n <= HOSTS; n++) {
		double expected = (double)DRAWS * n / (HOSTS * (HOSTS + 1) / 2.0);
		double off = first[n - 1] - expected;

		chi += off * off / expected;
	}
	print_message("chi-square %.1f of at most 97.7\n", chi);
	assert_true(chi < 97.7);
	support_free(im);
}

/* A rate that is over, or not yet there, hid the shorter prefix behind it: the
 * number had no route though its country had one. */
static void a_rate_out_of_its_time_hides_nothing(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_image *im;

	(void)state;
	ADD(b, rate, 1, row.prefix = "49", row.price = 100);
	ADD(b, rate, 2, row.prefix = "4930", row.price = 50,
			row.valid_from = NOW - 100,
			row.valid_till = NOW); /* over since this second */
	ADD(b, rate, 3, row.prefix = "4940", row.price = 60,
			row.valid_from = NOW + 1); /* from the next on */
	ADD(b, rate, 4, row.prefix = "4950", row.price = 70, row.valid_from = NOW,
			row.valid_till = NOW + 1); /* just now */
	ADD(b, rate, 5, row.prefix = "4960", row.price = 80, row.valid_till = NOW);
	ADD(b, rate, 6, row.prefix = "4960", row.price = 90, row.valid_from = NOW,
			row.valid_till = NOW + 50); /* the successor */
	ADD(b, rate, 7, row.prefix = "4960", row.price = 95,
			row.valid_from = NOW + 50);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	rows_expect(rows_ask(im, "49301"), 0, 1, 100, 2);
	rows_expect(rows_ask(im, "49401"), 0, 1, 100, 2);
	rows_expect(rows_ask(im, "49501"), 0, 1, 70, 4);
	rows_expect(rows_ask(im, "49601"), 0, 1, 90, 4);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(an_accidental_empty_prefix_is_refused),
			rows_test(an_empty_load_is_refused),
			rows_test(an_unknown_price_passes_no_margin),
			rows_test(cheaper_ones_that_may_not_take_no_place),
			rows_test(a_plan_takes_256_trunks_and_says_so),
			rows_test(three_hundred_decks_price_one_prefix),
			rows_test(a_reload_moves_no_mark_to_another_trunk),
			rows_test(a_release_too_many_closes_no_trunk),
			rows_test(forty_equals_share_by_weight),
			rows_test(a_rate_out_of_its_time_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

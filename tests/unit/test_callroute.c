/*
 * The routing decision: each vendor by its own longest prefix, eligibility
 * before ranking, shares of equals.
 * Numbers, plan names and trunk ids are in test_callroute_text.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_rows.h"

static struct complaints said;

/* Trunk n at deck n, prices of its own, for n = 1 .. vendors. */
static struct callroute_builder *vendors(
		int count, const char *order, int attempts)
{
	struct callroute_builder *b = rows_new(&said);

	rows_plan(b, 1, "out", order, attempts);
	for(int n = 1; n <= count; n++) {
		rows_deck(b, n);
		rows_trunk(b, n, "up");
		rows_entry(b, n, 1, n, n, 10, 1);
	}
	return b;
}

/* drouting would see one longest prefix for all and lose vendor 2. */
static void each_vendor_is_priced_by_its_own_longest_prefix(void **state)
{
	struct callroute_builder *b = vendors(3, "price", 8);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_rate(b, 1, 1, "4930", 700);
	rows_rate(b, 2, 1, "49", 100); /* cheaper, but not what this call costs */
	rows_rate(b, 3, 2, "4", 500);
	rows_rate(b, 4, 3, "49301", 600);
	rows_rate(b, 5, 3, "49302", 1);
	im = rows_image(b);
	a = rows_ask(im, "out", "493012345", 1);
	assert_int_equal(a.verdict, CALLROUTE_OK);
	assert_string_equal(a.reason, "ok");
	assert_int_equal(a.count, 3);
	rows_expect(&a, 0, 2, 500, 1);
	rows_expect(&a, 1, 3, 600, 5);
	rows_expect(&a, 2, 1, 700, 4);
	a = rows_ask(im, "out", "49891", 1);
	assert_int_equal(a.count, 2);
	rows_expect(&a, 0, 1, 100, 2);
	rows_expect(&a, 1, 2, 500, 1);
	a = rows_ask(im, "out", "4930", 1); /* the whole number is the prefix */
	rows_expect(&a, 0, 2, 500, 1);
	rows_expect(&a, 1, 1, 700, 4);
	a = rows_ask(im, "out", "12", 1);
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "no_prefix");
	support_free(im);
}

static void dated_rate(struct callroute_builder *b, long long id,
		const char *prefix, long long price, long long from, long long till)
{
	struct callroute_rate_row row = {.id = id,
			.deck_id = 1,
			.price = price,
			.valid_from = from,
			.valid_till = till,
			.prefix = prefix};

	assert_int_equal(callroute_add_rate(b, &row), 0);
}

static void a_rate_out_of_its_time_hides_nothing(void **state)
{
	struct callroute_builder *b = vendors(1, "price", 8);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	dated_rate(b, 1, "49", 100, 0, 0);
	dated_rate(b, 2, "4930", 50, NOW - 100, NOW); /* over since this second */
	dated_rate(b, 3, "4940", 60, NOW + 1, 0);	  /* from the next on */
	dated_rate(b, 4, "4950", 70, NOW, NOW + 1);	  /* just now */
	dated_rate(b, 5, "4960", 80, 0, NOW);
	dated_rate(b, 6, "4960", 90, NOW, NOW + 50); /* the successor */
	dated_rate(b, 7, "4960", 95, NOW + 50, 0);
	im = rows_image(b);
	a = rows_ask(im, "out", "49301", 1);
	rows_expect(&a, 0, 1, 100, 2);
	a = rows_ask(im, "out", "49401", 1);
	rows_expect(&a, 0, 1, 100, 2);
	a = rows_ask(im, "out", "49501", 1);
	rows_expect(&a, 0, 1, 70, 4);
	a = rows_ask(im, "out", "49601", 1);
	rows_expect(&a, 0, 1, 90, 4);
	support_free(im);
}

static void blocked_rate(struct callroute_builder *b, long long id,
		long long deck, const char *prefix)
{
	struct callroute_rate_row row = {
			.id = id, .deck_id = deck, .prefix = prefix, .blocked = 1};

	assert_int_equal(callroute_add_rate(b, &row), 0);
}

static void a_blocked_prefix_refuses_its_vendor_only(void **state)
{
	struct callroute_builder *b = vendors(2, "price", 8);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_rate(b, 1, 1, "49", 100);
	blocked_rate(b, 2, 1, "49900");
	rows_rate(b, 3, 1, "499001", 150); /* free again within */
	rows_rate(b, 4, 2, "49", 200);
	blocked_rate(b, 5, 2, "4990");
	im = rows_image(b);
	a = rows_ask(im, "out", "4991", 1);
	assert_int_equal(a.count, 2);
	a = rows_ask(im, "out", "49909", 1);
	assert_int_equal(a.count, 1);
	rows_expect(&a, 0, 1, 100, 2);
	a = rows_ask(im, "out", "499002", 1);
	rows_expect_none(&a, CALLROUTE_BLOCKED, "blocked");
	a = rows_ask(im, "out", "499001", 1);
	assert_int_equal(a.count, 1);
	rows_expect(&a, 0, 1, 150, 6);
	support_free(im);
}

static void a_default_rate_matches_what_nothing_else_does(void **state)
{
	struct callroute_builder *b = vendors(2, "price", 8);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_rate(b, 1, 1, "", 900);
	rows_rate(b, 2, 1, "49", 100);
	rows_rate(b, 3, 2, "49", 200);
	im = rows_image(b);
	a = rows_ask(im, "out", "1", 1);
	assert_int_equal(a.count, 1);
	rows_expect(&a, 0, 1, 900, 0);
	a = rows_ask(im, "out", "49", 1);
	assert_int_equal(a.count, 2);
	rows_expect(&a, 0, 1, 100, 2);
	support_free(im);
}

/* yeti #2097: ranking first, then dropping the unfit, blackholed calls. */
static void who_may_not_carry_the_call_takes_no_place(void **state)
{
	static const char *const states[] = {"down", "drain", "up"};
	struct callroute_builder *b = rows_new(&said);
	struct callroute_trunk_row gone = rows_trunk_row(20);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_plan(b, 1, "out", "price", 2);
	rows_plan(b, 2, "dead", "price", 8);
	for(int n = 1; n <= 12; n++) { /* the ten cheapest are unfit */
		rows_deck(b, n);
		rows_rate(b, n, n, "4", n * 10);
		rows_trunk(b, n, states[n > 10 ? 2 : n % 2]);
		rows_entry(b, n, 1, n, n, 10, 1);
		if(n <= 10)
			rows_entry(b, n + 100, 2, n, n, 10, 1);
	}
	/* ... and so is the trunk of a carrier that is switched off */
	assert_int_equal(callroute_add_carrier(b, 5, "off", 0), 0);
	gone.carrier_id = 5;
	assert_int_equal(callroute_add_trunk(b, &gone), 0);
	rows_entry(b, 20, 1, 20, 1, 10, 1);
	rows_entry(b, 21, 2, 20, 1, 10, 1);
	im = rows_image(b);
	a = rows_ask(im, "out", "49", 1);
	assert_int_equal(a.count, 2);
	rows_expect(&a, 0, 11, 110, 1);
	rows_expect(&a, 1, 12, 120, 1);
	a = rows_ask(im, "dead", "49", 1);
	rows_expect_none(&a, CALLROUTE_ALL_DOWN, "all_down");
	support_free(im);
}

static void orders_by_price_or_by_priority(void **state)
{
	static const int priority[] = {30, 20, 20, 10, 20},
					 price[] = {100, 300, 200, 300, 100};
	static const uint32_t by_price[] = {5, 1, 3, 4, 2},
						  by_priority[] = {4, 5, 3, 2, 1};
	struct callroute_builder *b = rows_new(&said);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_plan(b, 1, "cheap", "price", 8);
	rows_plan(b, 2, "fixed", "priority", 8);
	for(int n = 1; n <= 5; n++) {
		rows_deck(b, n);
		rows_rate(b, n, n, "4", price[n - 1]);
		rows_trunk(b, n, "up");
		rows_entry(b, n, 1, n, n, priority[n - 1], 1);
		rows_entry(b, n + 10, 2, n, n, priority[n - 1], 1);
	}
	im = rows_image(b);
	for(uint64_t seed = 0; seed < 50; seed++) {
		a = rows_ask(im, "cheap", "4", seed);
		assert_int_equal(a.count, 5);
		for(int i = 0; i < 5; i++)
			assert_int_equal(a.candidates[i].trunk_id, by_price[i]);
		a = rows_ask(im, "fixed", "4", seed);
		assert_int_equal(a.count, 5);
		for(int i = 0; i < 5; i++)
			assert_int_equal(a.candidates[i].trunk_id, by_priority[i]);
	}
	support_free(im);
}

static void keeps_as_many_as_the_plan_tries(void **state)
{
	struct callroute_image *im;

	(void)state;
	for(int max = 1; max <= CALLROUTE_CANDIDATES; max++) {
		struct callroute_builder *b = vendors(12, "price", max);
		struct callroute_answer a;

		for(int n = 1; n <= 12; n++) /* 5, 10, 2, 7 ... : in no order */
			rows_rate(b, n, n, "4", n * 5 % 13);
		im = rows_image(b);
		a = rows_ask(im, "out", "44", 1);
		assert_int_equal(a.count, max);
		for(int i = 0; i < max; i++)
			assert_int_equal(a.candidates[i].price, i + 1);
		support_free(im);
	}
}

/* Trying the trunk that just failed again, at another deck's price, is no
 * failover: it would take the place of a trunk that works. */
static void a_trunk_takes_one_place_however_many_decks_price_it(void **state)
{
	struct callroute_builder *b = vendors(3, "price", 3);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_rate(b, 1, 1, "49", 200);
	rows_rate(b, 2, 2, "4", 100);
	rows_rate(b, 3, 3, "4", 300);
	rows_entry(b, 10, 1, 1, 2, 10, 1); /* trunk 1 at deck 2: 100 */
	rows_entry(b, 11, 1, 2, 1, 10, 1); /* trunk 2 at deck 1: 200 */
	im = rows_image(b);
	for(uint64_t seed = 0; seed < 20; seed++) {
		a = rows_ask(im, "out", "491", seed);
		assert_int_equal(a.count, 3);
		assert_int_equal(a.candidates[0].price, 100);
		assert_int_equal(a.candidates[1].price, 100);
		assert_int_equal(
				a.candidates[0].trunk_id + a.candidates[1].trunk_id, 3);
		rows_expect(&a, 2, 3, 300, 1);
	}
	support_free(im);
}

/* Shares of equals against what their weights say. With fixed seeds the figure
 * is the same in each run; the bound is the chi-square of two degrees of
 * freedom that a right implementation exceeds once in a million (27.6). */
static void expect_shares(const struct callroute_image *im, uint64_t step)
{
	static const double weight[] = {1, 3, 6};
	enum
	{
		DRAWS = 30000
	};
	int first[3] = {0}, second[3] = {0};
	double chi1 = 0, chi2 = 0;

	for(uint64_t i = 0; i < DRAWS; i++) {
		struct callroute_answer a = rows_ask(im, "out", "4", i * step);

		assert_int_equal(a.count, 5);
		first[a.candidates[0].trunk_id - 1]++;
		second[a.candidates[1].trunk_id - 1]++;
		/* no weight: only when all the others failed */
		assert_true(a.candidates[2].trunk_id <= 3);
		assert_true(a.candidates[3].trunk_id >= 4);
		assert_true(a.candidates[4].trunk_id >= 4);
	}
	for(int i = 0; i < 3; i++) {
		double e1 = DRAWS * weight[i] / 10, e2 = 0;

		/* Second place: i's share of what the first one leaves. */
		for(int j = 0; j < 3; j++) {
			if(j != i)
				e2 += DRAWS * (weight[j] / 10) * (weight[i] / (10 - weight[j]));
		}
		chi1 += (first[i] - e1) * (first[i] - e1) / e1;
		chi2 += (second[i] - e2) * (second[i] - e2) / e2;
	}
	assert_true(chi1 < 27.6);
	assert_true(chi2 < 27.6);
}

static void equals_share_by_weight(void **state)
{
	static const int weight[] = {1, 3, 6, 0, 0};
	struct callroute_builder *b = rows_new(&said);
	struct callroute_image *im;

	(void)state;
	rows_plan(b, 1, "out", "price", 8);
	rows_deck(b, 1);
	rows_rate(b, 1, 1, "4", 100);
	for(int n = 1; n <= 5; n++) {
		rows_trunk(b, n, "up");
		rows_entry(b, n, 1, n, 1, 10, weight[n - 1]);
	}
	im = rows_image(b);
	expect_shares(im, 1);					   /* neighbours */
	expect_shares(im, 1000);				   /* a clock in milliseconds */
	expect_shares(im, 0x9e3779b97f4a7c15ULL);  /* the generator's own step */
	expect_shares(im, 0x100000001b3ULL << 20); /* high bits only */
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_vendor_is_priced_by_its_own_longest_prefix),
			cmocka_unit_test(a_rate_out_of_its_time_hides_nothing),
			cmocka_unit_test(a_blocked_prefix_refuses_its_vendor_only),
			cmocka_unit_test(a_default_rate_matches_what_nothing_else_does),
			cmocka_unit_test(who_may_not_carry_the_call_takes_no_place),
			cmocka_unit_test(orders_by_price_or_by_priority),
			cmocka_unit_test(keeps_as_many_as_the_plan_tries),
			cmocka_unit_test(
					a_trunk_takes_one_place_however_many_decks_price_it),
			cmocka_unit_test(equals_share_by_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

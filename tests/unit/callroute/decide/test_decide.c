/*
 * The routing decision: each vendor by its own longest prefix, the order of the
 * eligible ones, shares of equals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include "callroute/live/quality.h"

static void each_vendor_is_priced_by_its_own_longest_prefix(void **state)
{
	struct callroute_builder *b = rows_vendors(3);
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "4930", 700);
	rows_price(b, 1, "49", 100); /* cheaper, but not what this call costs */
	rows_price(b, 2, "4", 500);
	rows_price(b, 3, "49301", 600);
	rows_price(b, 3, "49302", 1);
	ADD(b, plan, 1);
	rows_enter(b, 3);
	im = rows_image(b);
	a = rows_ask(im, "493012345");
	assert_int_equal(a->verdict, CALLROUTE_OK);
	assert_string_equal(a->reason, "ok");
	assert_string_equal(a->plan, "p1");
	assert_int_equal(a->plan_id, 1);
	assert_int_equal(a->rule_id, 0);
	assert_int_equal(a->sell, -1);
	assert_int_equal(a->emergency, 0);
	assert_int_equal(a->count, 3);
	rows_expect(a, 0, 2, 500, 1);
	rows_expect(a, 1, 3, 600, 5);
	rows_expect(a, 2, 1, 700, 4);
	a = rows_ask(im, "49891");
	assert_int_equal(a->count, 2);
	rows_expect(a, 0, 1, 100, 2);
	rows_expect(a, 1, 2, 500, 1);
	a = rows_ask(im, "4930"); /* the whole number is the prefix */
	rows_expect(a, 0, 2, 500, 1);
	rows_expect(a, 1, 1, 700, 4);
	rows_expect_none(rows_ask(im, "12"), CALLROUTE_NO_PREFIX, "no_prefix");
	support_free(im);
}

static void a_rate_is_one_of_its_callers(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_question q = rows_question("p1", "4930");
	static const struct
	{
		const char *src;
		int price, prefix_len;
	} cases[] = {{"", 300, 2}, {"43", 300, 2}, {"4", 300, 2}, {"431", 200, 4},
			{"4312", 100, 4}, {"43125", 100, 4}, {"33", 300, 2}};
	struct callroute_image *im;

	(void)state;
	ADD(b, rate, 1, row.prefix = "49", row.price = 300);
	ADD(b, rate, 2, row.prefix = "4930", row.src_prefix = "431",
			row.price = 200);
	ADD(b, rate, 3, row.prefix = "4930", row.src_prefix = "4312",
			row.price = 100);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		q.src = cases[i].src;
		q.src_len = strlen(q.src);
		rows_expect(
				rows_decide(im, &q), 0, 1, cases[i].price, cases[i].prefix_len);
	}
	support_free(im);
}

static void the_candidate_says_what_the_call_costs(void **state)
{
	struct callroute_builder *b = rows_vendors(2);
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 9, row.currency = "USD", row.fx = 1500001);
	ADD(b, rate, 1, row.price = INT64_C(5000000001), row.connect_fee = 30,
			row.first_sec = 60, row.step_sec = 6);
	ADD(b, rate, 2, row.deck_id = 9, row.price = 1000000, row.connect_fee = 3);
	ADD(b, plan, 1);
	ADD(b, plan, 2);
	ADD(b, entry, 1);
	ADD(b, entry, 2, row.plan_id = 2, row.trunk_id = 2, row.deck_id = 9);
	im = rows_image(b);
	a = rows_ask(im, "4930");
	rows_expect(a, 0, 1, INT64_C(5000000001), 2);
	assert_int_equal(a->candidates[0].connect_fee, 30);
	assert_int_equal(a->candidates[0].first_sec, 60);
	assert_int_equal(a->candidates[0].step_sec, 6);
	/* converted and rounded: 1.500001 of ours for one of theirs */
	{
		struct callroute_question q = rows_question("p2", "4930");

		a = rows_decide(im, &q);
	}
	rows_expect(a, 0, 2, 1500001, 2);
	assert_int_equal(a->candidates[0].connect_fee, 5);
	support_free(im);
}

/* Half a micro-unit goes up, less than that down. Free stays free. */
static void a_converted_price_is_rounded_half_upwards(void **state)
{
	static const long long cases[][3] = {{1, 500000, 1}, {0, 499999, 0},
			{3, 500000, 2}, {3, 499999, 1}, {1000001, 1000000, 1000001},
			{7, 0, 7}};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_builder *b = rows_new();
		struct callroute_image *im;

		ADD(b, carrier, 1);
		ADD(b, trunk, 1);
		ADD(b, deck, 1, row.fx = cases[i][1]);
		ADD(b, rate, 1, row.price = row.connect_fee = cases[i][0]);
		ADD(b, plan, 1);
		ADD(b, entry, 1);
		im = rows_image(b);
		rows_expect(rows_ask(im, "4930"), 0, 1, cases[i][2], 2);
		assert_int_equal(rows_answer.candidates[0].connect_fee, cases[i][2]);
		support_free(im);
	}
}

static void a_blocked_prefix_refuses_its_vendor_only(void **state)
{
	struct callroute_builder *b = rows_vendors(2);
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	ADD(b, rate, 1, row.prefix = "49", row.price = 100);
	ADD(b, rate, 2, row.prefix = "49900", row.blocked = 1);
	ADD(b, rate, 3, row.prefix = "499001", row.price = 150); /* free again */
	ADD(b, rate, 4, row.prefix = "49", row.price = 200, row.deck_id = 2);
	ADD(b, rate, 5, row.prefix = "4990", row.blocked = 1, row.deck_id = 2);
	ADD(b, plan, 1);
	rows_enter(b, 2);
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "4991")), "1 2");
	a = rows_ask(im, "49909");
	assert_int_equal(a->count, 1);
	rows_expect(a, 0, 1, 100, 2);
	assert_string_equal(rows_fate(1), "rate_blocked");
	rows_expect_none(rows_ask(im, "499002"), CALLROUTE_BLOCKED, "blocked");
	a = rows_ask(im, "499001");
	assert_int_equal(a->count, 1);
	rows_expect(a, 0, 1, 150, 6);
	support_free(im);
}

static void orders_by_price_or_by_priority(void **state)
{
	static const int priority[] = {30, 20, 20, 10, 20},
					 price[] = {100, 300, 200, 300, 100};
	struct callroute_builder *b = rows_vendors(5);
	struct callroute_image *im;

	(void)state;
	for(int n = 1; n <= 5; n++)
		rows_price(b, n, "4", price[n - 1]);
	ADD(b, plan, 1);
	ADD(b, plan, 2, row.order_by = "priority");
	for(int n = 1; n <= 10; n++)
		ADD(b, entry, n, row.plan_id = 1 + (n > 5),
				row.trunk_id = row.deck_id = (n - 1) % 5 + 1,
				row.priority = priority[(n - 1) % 5]);
	im = rows_image(b);
	for(uint64_t seed = 0; seed < 50; seed++) {
		struct callroute_question q = rows_question("p1", "4");

		q.seed = seed;
		assert_string_equal(rows_trunks(rows_decide(im, &q)), "5 1 3 4 2");
		q.plan = "p2";
		assert_string_equal(rows_trunks(rows_decide(im, &q)), "4 5 3 2 1");
	}
	support_free(im);
}

static void fail_calls(
		const struct callroute_image *im, uint32_t trunk, int failed, int good)
{
	struct callroute_sample s = {CALLROUTE_OUTCOME_FAILED, CALLROUTE_NO_PDD};
	int slot = (int)callroute_find_trunk(im, trunk)->live;
	uint16_t de = rows_ask(im, "4930")->dst_country;

	for(int i = 0; i < failed + good; i++) {
		if(i == failed)
			s = (struct callroute_sample){CALLROUTE_OUTCOME_ANSWERED, 500};
		callroute_quality_add(rows_live, slot, de, &s, CLOCK);
	}
}

/* A proven good trunk, then those of which nothing is known by price, then a
 * proven bad one: and what is about as good goes by price. */
static void orders_by_quality_towards_the_country(void **state)
{
	static const struct callroute_sample answered = {
			CALLROUTE_OUTCOME_ANSWERED, CALLROUTE_NO_PDD};
	struct callroute_builder *b = rows_vendors(4);
	const struct callroute_answer *a;
	struct callroute_image *im;

	(void)state;
	for(int n = 1; n <= 4; n++) {
		rows_price(b, n, "49", n * 100);
		rows_price(b, n, "33", n * 100);
	}
	ADD(b, plan, 1, row.order_by = "quality");
	rows_enter(b, 4);
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "4930")), "1 2 3 4");
	fail_calls(im, 1, 100, 0);
	fail_calls(im, 4, 0, 100);
	a = rows_ask(im, "4930");
	assert_string_equal(rows_trunks(a), "4 2 3 1");
	assert_true(a->candidates[0].quality > CALLROUTE_SCORE_UNKNOWN);
	assert_int_equal(a->candidates[1].quality, CALLROUTE_SCORE_UNKNOWN);
	assert_true(a->candidates[3].quality < CALLROUTE_SCORE_UNKNOWN);
	/* elsewhere nothing is known of them */
	assert_string_equal(rows_trunks(rows_ask(im, "331")), "1 2 3 4");
	/* trunk 3 a little better than trunk 2: no difference */
	a = rows_ask(im, "4930");
	callroute_quality_add(rows_live, (int)callroute_find_trunk(im, 3)->live,
			a->dst_country, &answered, CLOCK);
	a = rows_ask(im, "4930");
	assert_string_equal(rows_trunks(a), "4 2 3 1");
	assert_true(a->candidates[2].quality > a->candidates[1].quality);
	support_free(im);
}

static void keeps_as_many_as_the_plan_tries(void **state)
{
	(void)state;
	for(int max = 1; max <= CALLROUTE_CANDIDATES; max++) {
		struct callroute_builder *b = rows_vendors(12);
		const struct callroute_answer *a;
		struct callroute_image *im;
		int ranked = 0;

		for(int n = 1; n <= 12; n++) /* 5, 10, 2, 7 ... : in no order */
			rows_price(b, n, "4", n * 5 % 13);
		ADD(b, plan, 1, row.max_attempts = max);
		rows_enter(b, 12);
		im = rows_image(b);
		a = rows_ask(im, "44");
		assert_int_equal(a->count, max);
		for(int i = 0; i < max; i++)
			assert_int_equal(a->candidates[i].price, i + 1);
		for(int i = 0; i < 12; i++)
			ranked += strcmp(rows_fate(i), "rank") == 0;
		assert_int_equal(ranked, 12 - max);
		support_free(im);
	}
}

/* Trying the trunk that just failed again, at another deck's price, is no
 * failover: it would take the place of a trunk that works. */
static void a_trunk_takes_one_place_however_many_decks_price_it(void **state)
{
	struct callroute_builder *b = rows_vendors(3);
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "49", 200);
	rows_price(b, 2, "4", 100);
	rows_price(b, 3, "4", 300);
	ADD(b, plan, 1, row.max_attempts = 3);
	rows_enter(b, 3);
	ADD(b, entry, 10, row.deck_id = 2);					  /* 100 */
	ADD(b, entry, 11, row.trunk_id = 2, row.deck_id = 1); /* 200 */
	im = rows_image(b);
	for(uint64_t seed = 0; seed < 20; seed++) {
		struct callroute_question q = rows_question("p1", "491");
		const struct callroute_answer *a;
		int twice = 0;

		q.seed = seed;
		a = rows_decide(im, &q);
		assert_int_equal(a->count, 3);
		assert_int_equal(a->candidates[0].price, 100);
		assert_int_equal(a->candidates[1].price, 100);
		assert_int_equal(
				a->candidates[0].trunk_id + a->candidates[1].trunk_id, 3);
		rows_expect(a, 2, 3, 300, 1);
		for(int i = 0; i < rows_work.count; i++)
			twice += strcmp(rows_fate(i), "twice") == 0;
		assert_int_equal(twice, 2);
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
		struct callroute_question q = rows_question("p1", "4");
		const struct callroute_answer *a;

		q.seed = i * step;
		a = rows_decide(im, &q);
		assert_int_equal(a->count, 5);
		first[a->candidates[0].trunk_id - 1]++;
		second[a->candidates[1].trunk_id - 1]++;
		/* no weight: only when all the others failed */
		assert_true(a->candidates[2].trunk_id <= 3);
		assert_true(a->candidates[3].trunk_id >= 4);
		assert_true(a->candidates[4].trunk_id >= 4);
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
	struct callroute_builder *b = rows_vendors(5);
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "4", 100);
	ADD(b, plan, 1);
	for(int n = 1; n <= 5; n++)
		ADD(b, entry, n, row.trunk_id = n, row.weight = weight[n - 1]);
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
			rows_test(each_vendor_is_priced_by_its_own_longest_prefix),
			rows_test(a_rate_is_one_of_its_callers),
			rows_test(the_candidate_says_what_the_call_costs),
			rows_test(a_converted_price_is_rounded_half_upwards),
			rows_test(a_blocked_prefix_refuses_its_vendor_only),
			rows_test(orders_by_price_or_by_priority),
			rows_test(orders_by_quality_towards_the_country),
			rows_test(keeps_as_many_as_the_plan_tries),
			rows_test(a_trunk_takes_one_place_however_many_decks_price_it),
			rows_test(equals_share_by_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What becomes of each vendor that does not carry the call, and the verdict when
 * none is left: it is that of the vendor that came closest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include "callroute/live/breaker.h"
#include "callroute/live/capacity.h"
#include "callroute/live/health.h"

/* One trunk in each state. Alone in plan n; all together in plan 100. Trunk 20
 * is sound. */
enum
{
	NO_RATE = 1,
	RATE_BLOCKED,
	SRC_COUNTRY,
	DST_COUNTRY,
	TIME,
	MARGIN,
	ADMIN,
	CARRIER,
	PROBES,
	BREAKER,
	CHANNELS,
	CPS,
	CARRIER_CHANNELS,
	CARRIER_CPS,
	FATES,
	SOUND = 20
};

static const struct
{
	const char *fate, *reason;
	int verdict;
} expected[FATES] = {
		[NO_RATE] = {"no_rate", "no_prefix", CALLROUTE_NO_PREFIX},
		[RATE_BLOCKED] = {"rate_blocked", "blocked", CALLROUTE_BLOCKED},
		[SRC_COUNTRY] = {"src_country", "src_country", CALLROUTE_BLOCKED},
		[DST_COUNTRY] = {"dst_country", "dst_country", CALLROUTE_BLOCKED},
		[TIME] = {"time", "time", CALLROUTE_OUTSIDE_TIME},
		[MARGIN] = {"margin", "margin", CALLROUTE_NO_MARGIN},
		[ADMIN] = {"admin", "all_down", CALLROUTE_ALL_DOWN},
		[CARRIER] = {"carrier", "all_down", CALLROUTE_ALL_DOWN},
		[PROBES] = {"probes", "all_down", CALLROUTE_ALL_DOWN},
		[BREAKER] = {"breaker", "all_down", CALLROUTE_ALL_DOWN},
		[CHANNELS] = {"channels", "no_capacity", CALLROUTE_NO_CAPACITY},
		[CPS] = {"cps", "no_capacity", CALLROUTE_NO_CAPACITY},
		[CARRIER_CHANNELS] = {"carrier_channels", "no_capacity",
				CALLROUTE_NO_CAPACITY},
		[CARRIER_CPS] = {"carrier_cps", "no_capacity", CALLROUTE_NO_CAPACITY},
};

static void add_trunks(struct callroute_builder *b)
{
	for(int n = 1; n < FATES; n++)
		ADD(b, carrier, n, row.enabled = n != CARRIER,
				row.max_channels = n == CARRIER_CHANNELS,
				row.max_cps = n == CARRIER_CPS);
	ADD(b, carrier, SOUND);
	for(int n = 1; n < FATES; n++)
		ADD(b, trunk, n, row.carrier_id = n,
				row.admin_state = n == ADMIN ? "drain" : "up",
				row.breaker_id = n == BREAKER,
				row.probe_interval = n == PROBES ? 30 : 0,
				row.max_channels = n == CHANNELS, row.max_cps = n == CPS);
	ADD(b, trunk, SOUND, row.carrier_id = SOUND);
}

static void add_entry(struct callroute_builder *b, int id, int plan, int n)
{
	ADD(b, entry, id, row.plan_id = plan, row.trunk_id = n,
			row.deck_id = n == NO_RATE		  ? 2
						  : n == RATE_BLOCKED ? 3
						  : n == MARGIN		  ? 4
											  : 1,
			row.src_countries = n == SRC_COUNTRY ? "!FR" : "",
			row.dst_countries = n == DST_COUNTRY ? "AT,CH" : "",
			row.time_id = n == TIME);
}

static struct callroute_image *image(void)
{
	struct callroute_builder *b = rows_new();

	/* an hour at midnight: closed now */
	ADD(b, time, 1, row.dtstart = "20230101T000000", row.duration = "PT1H");
	ADD(b, breaker, 1);
	add_trunks(b);
	for(int n = 1; n <= 5; n++)
		ADD(b, deck, n, row.side = n == 5 ? "sell" : "buy");
	ADD(b, rate, 1, row.deck_id = 1);
	ADD(b, rate, 2, row.deck_id = 2, row.prefix = "33");
	ADD(b, rate, 3, row.deck_id = 3, row.blocked = 1);
	ADD(b, rate, 4, row.deck_id = 4, row.price = 160);
	ADD(b, rate, 5, row.deck_id = 5, row.price = 200);
	for(int n = 1; n < FATES; n++)
		ADD(b, plan, n, row.sell_deck_id = 5, row.min_margin = 50);
	ADD(b, plan, 100, row.sell_deck_id = 5, row.min_margin = 50);
	for(int n = 1; n < FATES; n++) {
		add_entry(b, 2 * n, n, n);
		add_entry(b, 2 * n + 1, 100, n);
	}
	add_entry(b, 100, 100, SOUND);
	return rows_image(b);
}

/* Brings the trunks into the states that only live traffic brings. */
static void use(const struct callroute_image *im)
{
	static const int full[] = {CHANNELS, CPS, CARRIER_CHANNELS, CARRIER_CPS};
	const struct callroute_trunk *probed = callroute_find_trunk(im, PROBES);
	const struct callroute_trunk *broken = callroute_find_trunk(im, BREAKER);

	for(uint32_t i = 0; i < probed->down_after; i++)
		callroute_health_probe(
				rows_live, (int)probed->live, 0, 3, 2, CLOCK - 3 + i);
	for(int i = 0; i < 2; i++) {
		assert_int_equal(callroute_breaker_take(rows_live, (int)broken->live,
								 &broken->breaker, CLOCK - 1),
				0);
		callroute_breaker_report(rows_live, (int)broken->live, &broken->breaker,
				CLOCK - 1, 1, CLOCK - 1);
	}
	for(int i = 0; i < 4; i++) {
		struct callroute_claim claim;

		callroute_claim_of(
				im, callroute_find_trunk(im, (uint32_t)full[i]), &claim);
		assert_int_equal(claim.trunk, full[i]);
		assert_int_equal(claim.account, 0);
		assert_int_equal(callroute_capacity_take(rows_live, 1000 + (uint64_t)i,
								 &claim, CLOCK + 60000000, CLOCK),
				0);
	}
}

static struct callroute_question question(const char *plan)
{
	struct callroute_question q = rows_question(plan, "4930");

	q.src = "331";
	q.src_len = 3;
	return q;
}

static void each_fate_and_its_verdict(void **state)
{
	struct callroute_image *im = image();

	(void)state;
	use(im);
	for(int n = 1; n < FATES; n++) {
		struct callroute_question q = question(rows_name("p", n));

		rows_expect_none(
				rows_decide(im, &q), expected[n].verdict, expected[n].reason);
		assert_int_equal(rows_work.count, 1);
		assert_string_equal(rows_fate(0), expected[n].fate);
	}
	support_free(im);
}

/* Eligibility before ranking: all of them beside one that may, and is dearest. */
static void none_of_them_stands_in_the_way_of_one_that_may(void **state)
{
	struct callroute_image *im = image();
	struct callroute_question q = question("p100");
	const struct callroute_trunk *trunks =
			CALLROUTE_ROWS(im, struct callroute_trunk, trunks);
	int seen = 0;

	(void)state;
	use(im);
	assert_string_equal(rows_trunks(rows_decide(im, &q)), "20");
	assert_int_equal(rows_work.count, FATES);
	for(int i = 0; i < rows_work.count; i++) {
		uint32_t id = trunks[rows_work.vendors[i].trunk].id;

		assert_string_equal(
				rows_fate(i), id == SOUND ? "chosen" : expected[id].fate);
		seen++;
	}
	assert_int_equal(seen, FATES);
	support_free(im);
}

static void none_of_them_is_worse_when_nobody_touched_it(void **state)
{
	static const int live[] = {
			PROBES, BREAKER, CHANNELS, CPS, CARRIER_CHANNELS, CARRIER_CPS};
	struct callroute_image *im = image();

	(void)state;
	for(size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
		struct callroute_question q = question(rows_name("p", live[i]));

		assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
		assert_string_equal(rows_fate(0), "chosen");
	}
	support_free(im);
}

/* The word of an operator (by RPC) comes before that of the table. */
static void an_operator_s_word_comes_before_the_table(void **state)
{
	static const struct
	{
		enum callroute_admin admin;
		enum callroute_trunk_state drained, up;
	} cases[] = {
			{CALLROUTE_ADMIN_NONE, CALLROUTE_DRAIN, CALLROUTE_UP},
			{CALLROUTE_ADMIN_UP, CALLROUTE_UP, CALLROUTE_UP},
			{CALLROUTE_ADMIN_DRAIN, CALLROUTE_DRAIN, CALLROUTE_DRAIN},
			{CALLROUTE_ADMIN_DOWN, CALLROUTE_DOWN, CALLROUTE_DOWN},
			{CALLROUTE_ADMIN_NONE, CALLROUTE_DRAIN, CALLROUTE_UP},
	};
	struct callroute_image *im = image();
	const struct callroute_trunk *drained = callroute_find_trunk(im, ADMIN);
	const struct callroute_trunk *up = callroute_find_trunk(im, CPS);
	char admin[8], cps[8];

	(void)state;
	snprintf(admin, sizeof admin, "p%d", ADMIN);
	snprintf(cps, sizeof cps, "p%d", CPS);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_question q = question(admin);

		assert_int_equal(callroute_live_set_admin(
								 rows_live, (int)drained->live, cases[i].admin),
				0);
		assert_int_equal(callroute_live_set_admin(
								 rows_live, (int)up->live, cases[i].admin),
				0);
		assert_int_equal(
				callroute_state_of(rows_live, drained), cases[i].drained);
		assert_int_equal(callroute_state_of(rows_live, up), cases[i].up);
		assert_int_equal(rows_decide(im, &q)->verdict,
				cases[i].drained == CALLROUTE_UP ? CALLROUTE_OK
												 : CALLROUTE_ALL_DOWN);
		q = question(cps);
		assert_int_equal(rows_decide(im, &q)->verdict,
				cases[i].up == CALLROUTE_UP ? CALLROUTE_OK
											: CALLROUTE_ALL_DOWN);
	}
	support_free(im);
}

/* Probes and breaker say nothing of a trunk whose row asks for neither (any
 * more): what they said before its row changed is not looked at. */
static void what_a_row_does_not_ask_for_is_not_looked_at(void **state)
{
	struct callroute_image *im = image();
	const struct callroute_trunk *t = callroute_find_trunk(im, CPS);
	static const struct callroute_breaker_config cfg = {60000000, 1, 1, 1000};
	struct callroute_question q = question(rows_name("p", CPS));

	(void)state;
	for(int i = 0; i < 9; i++)
		callroute_health_probe(rows_live, (int)t->live, 0, 1, 1, CLOCK);
	assert_false(callroute_health_is_up(rows_live, (int)t->live));
	assert_int_equal(
			callroute_breaker_take(rows_live, (int)t->live, &cfg, CLOCK), 0);
	assert_int_equal(callroute_breaker_report(
							 rows_live, (int)t->live, &cfg, CLOCK, 1, CLOCK),
			-1);
	assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
	support_free(im);
}

/* Full trunks are passed over on the way to the next best. */
static void the_next_one_with_a_free_channel_takes_the_place(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1);
	for(int n = 1; n <= 12; n++)
		ADD(b, trunk, n, row.max_channels = 1);
	for(int n = 1; n <= 12; n++)
		ADD(b, deck, n);
	for(int n = 1; n <= 12; n++)
		rows_price(b, n, "4", n);
	ADD(b, plan, 1, row.max_attempts = 2);
	rows_enter(b, 12);
	im = rows_image(b);
	assert_string_equal(rows_trunks(rows_ask(im, "4")), "1 2");
	for(uint32_t n = 1; n <= 12; n++) {
		struct callroute_claim claim;

		if(n == 4 || n == 11)
			continue;
		callroute_claim_of(im, callroute_find_trunk(im, n), &claim);
		assert_int_equal(callroute_capacity_take(rows_live, 50 + n, &claim,
								 CLOCK + 60000000, CLOCK),
				0);
	}
	assert_string_equal(rows_trunks(rows_ask(im, "4")), "4 11");
	callroute_capacity_release(rows_live, 50 + 7, CLOCK);
	assert_string_equal(rows_trunks(rows_ask(im, "4")), "4 7");
	assert_string_equal(rows_fate(10), "rank");
	support_free(im);
}

static void an_account_has_limits_of_its_own(void **state)
{
	struct callroute_image *im = image();
	struct callroute_question q = question("p100");
	struct callroute_claim claim = {.account = 7};

	(void)state;
	q.account = 7;
	q.account_limit = claim.limit[CALLROUTE_OWNER_ACCOUNT] =
			(struct callroute_limit){1, 0};
	assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
	assert_int_equal(callroute_capacity_take(
							 rows_live, 77, &claim, CLOCK + 60000000, CLOCK),
			0);
	rows_expect_none(
			rows_decide(im, &q), CALLROUTE_NO_CAPACITY, "account_channels");
	q.account = 8; /* another one's are its own */
	assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
	claim.account = q.account = 9;
	q.account_limit = claim.limit[CALLROUTE_OWNER_ACCOUNT] =
			(struct callroute_limit){0, 1};
	assert_int_equal(callroute_capacity_take(
							 rows_live, 78, &claim, CLOCK + 60000000, CLOCK),
			0);
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_CAPACITY, "account_cps");
	q.clock += 1100000;
	assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(each_fate_and_its_verdict),
			rows_test(none_of_them_stands_in_the_way_of_one_that_may),
			rows_test(none_of_them_is_worse_when_nobody_touched_it),
			rows_test(an_operator_s_word_comes_before_the_table),
			rows_test(what_a_row_does_not_ask_for_is_not_looked_at),
			rows_test(the_next_one_with_a_free_channel_takes_the_place),
			rows_test(an_account_has_limits_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Loads as a whole: all bad rows are named, rows that stand there twice or in no
 * order, what is too much, and the room that an image needs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/sound.h"

/* As a row of table `t` whose id is wrong would say it. */
static void expect_id(
		struct callroute_builder *b, const char *table, const char *says)
{
	char line[200];
	const char *const lines[] = {line};

	snprintf(line, sizeof line, "callroute_%s id %s", table, says);
	expect_refusal(b, 1, lines);
}

#define OUTSIDE(id) id ": id = " id " is not in 1 to 4294967295"

/* `add` adds row `id` to `b`. */
#define IDS(table, add)                                    \
	do {                                                   \
		static const struct                                \
		{                                                  \
			long long id;                                  \
			const char *says;                              \
		} ids[] = {{0, OUTSIDE("0")}, {-1, OUTSIDE("-1")}, \
				{4294967296, OUTSIDE("4294967296")}};      \
		for(int i = 0; i < 3; i++) {                       \
			struct callroute_builder *b = sound();         \
			long long id = ids[i].id;                      \
			add;                                           \
			expect_id(b, table, ids[i].says);              \
		}                                                  \
	} while(0)

static void names_ids_that_are_out_of_range(void **state)
{
	(void)state;
	IDS("time", ADD(b, time, id));
	IDS("failover", assert_int_equal(
							callroute_add_failover(b, id, "x", "", "next"), 0));
	IDS("breaker", ADD(b, breaker, id));
	IDS("carrier", ADD(b, carrier, id));
	IDS("deck", ADD(b, deck, id));
	IDS("rate", ADD(b, rate, id, row.prefix = "1"));
	IDS("plan", ADD(b, plan, id));
	IDS("plan_trunk", ADD(b, entry, id, row.trunk_id = 2));
	IDS("account", ADD(b, account, id));
	IDS("rule", ADD(b, rule, id));
	IDS("block",
			assert_int_equal(callroute_add_block(b, id, "*", "dst", "1"), 0));
	IDS("group",
			assert_int_equal(callroute_add_group(b, id, "", "x", "serial"), 0));
	IDS("member", ADD(b, member, id));
	IDS("did", ADD(b, did, id, row.number = "4988"));
	/* the last table of sound(): its order is not what is asked for */
	IDS("lnp", ADD(b, carrier, 9);
			assert_int_equal(callroute_add_ported(b, id, "1", "2"), 0));
}

/* Tables come sorted by id: references are looked for by halving. */
static void names_ids_that_stand_there_twice_or_in_no_order(void **state)
{
	static const char *const lines[] = {
			"callroute_carrier id 5 stands there twice",
			"callroute_carrier id 4 comes behind id 5",
			"callroute_plan id 9 stands there twice",
			"callroute_did id 8 comes behind id 9",
	};
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, carrier, 5);
	ADD(b, carrier, 5, row.name = "again");
	ADD(b, carrier, 4);
	ADD(b, plan, 9);
	ADD(b, plan, 9, row.name = "again");
	ADD(b, did, 9);
	ADD(b, did, 8);
	expect_refusal(b, 4, lines);
}

static void names_what_stands_in_two_rows(void **state)
{
	static const char *const lines[] = {
			"callroute_breaker id 9: name 'same' stands there twice (id 8)",
			"callroute_carrier id 9: name 'same' stands there twice (id 8)",
			"callroute_deck id 9: name 'same' stands there twice (id 8)",
			"callroute_failover id 9: name 'same' stands there twice (id 8)",
			"callroute_plan id 8: name 'same' stands there twice (id 7)",
			"callroute_plan id 9: name 'same' stands there twice (id 8)",
			"callroute_plan_trunk id 9: the same trunk, deck and time stand in "
			"plan 1 twice (id 2)",
	};
	struct callroute_builder *b = sound();

	(void)state;
	for(long long id = 8; id <= 9; id++) {
		ADD(b, breaker, id, row.name = "same");
		ADD(b, carrier, id, row.name = "same");
		ADD(b, deck, id, row.name = "same");
		assert_int_equal(
				callroute_add_failover(b, id, "same", "5xx", "next"), 0);
	}
	for(long long id = 7; id <= 9; id++)
		ADD(b, plan, id, row.name = "same");
	ADD(b, entry, 8, row.trunk_id = 2, row.deck_id = 2); /* another time */
	ADD(b, entry, 9, row.trunk_id = 2, row.deck_id = 2, row.time_id = 1);
	expect_refusal(b, 7, lines);
}

static void timed(struct callroute_builder *b, long long id, long long from,
		long long till)
{
	ADD(b, rate, id, row.prefix = "4930", row.price = id, row.valid_from = from,
			row.valid_till = till);
}

/* The long rate hides behind a short one that starts later. */
static void names_every_rate_that_overlaps_another(void **state)
{
	static const char *const lines[] = {
			"callroute_rate id 11: prefix '4930' of deck 1 is already priced "
			"by id 10 at that time",
			"callroute_rate id 12: prefix '4930' of deck 1 is already priced "
			"by id 10 at that time",
			"callroute_rate id 14: prefix '4930' of deck 1 is already priced "
			"by id 13 at that time",
			"callroute_rate id 15: prefix '4930' of deck 1 is already priced "
			"by id 14 at that time",
	};
	struct callroute_builder *b = sound();

	(void)state;
	timed(b, 15, 5000, 0);
	timed(b, 14, 1000, 0);
	timed(b, 13, 1000, 2000);
	timed(b, 12, 500, 600);
	timed(b, 11, 10, 20);
	timed(b, 10, 0, 1000);
	expect_refusal(b, 4, lines);
	b = sound();
	timed(b, 10, 0, 1000); /* one behind the other is fine */
	timed(b, 11, 1000, 2000);
	timed(b, 12, 2000, 0);
	/* and so are another caller's and another deck's */
	ADD(b, rate, 13, row.prefix = "4930", row.src_prefix = "43");
	ADD(b, rate, 14, row.prefix = "4930", row.deck_id = 2);
	support_free(rows_image(b));
}

/* Nobody mends a table by one load a fault. */
static void a_long_list_of_bad_rows_is_cut_and_says_so(void **state)
{
	(void)state;
	for(int bad = 19; bad <= 30; bad++) {
		struct callroute_builder *b = sound();
		char nothing[8];
		size_t used;

		for(int i = 0; i < bad; i++)
			rows_price(b, 1, "x", 1);
		assert_int_equal(
				callroute_builder_write(b, nothing, 0, &used), -EBADMSG);
		assert_int_equal(said.count, bad <= 20 ? bad : 21);
		for(int i = 0; i < said.count && i < 20; i++)
			assert_non_null(strstr(said.line[i], "prefix = 'x'"));
		if(bad > 20)
			assert_string_equal(
					said.line[20], "more bad rows follow; mend these first");
		callroute_builder_free(b);
	}
}

static void the_caller_may_refuse_a_load_too(void **state)
{
	static const char *const lines[] = {"half of the rows are gone?"};
	struct callroute_builder *b = sound();

	(void)state;
	callroute_builder_reject(b, lines[0]);
	expect_refusal(b, 1, lines);
}

/* A write that names its room may be given any size; what it makes of the same
 * rows is the same to the byte, whatever the memory held. */
static void says_how_much_room_it_needs(void **state)
{
	struct callroute_builder *b = sound();
	size_t wanted, used, step;
	char *mem, *again;

	(void)state;
	assert_int_equal(
			callroute_builder_write(b, (char *)&used, 0, &wanted), -ENOSPC);
	mem = support_memory(wanted);
	again = support_memory(wanted);
	assert_int_equal(callroute_builder_write(b, mem, wanted, &used), 0);
	assert_true(used <= wanted);
	for(size_t size = 0; size <= used; size += step) {
		/* each byte at the end; the table of rates is somewhere between */
		step = used - size < 300 ? 1 : 97;
		memset(again, 0x5a, wanted);
		if(size == used) {
			assert_int_equal(
					callroute_builder_write(b, again, size, &wanted), 0);
			assert_int_equal(wanted, used);
			assert_memory_equal(mem, again, used);
			break;
		}
		assert_int_equal(
				callroute_builder_write(b, again, size, &wanted), -ENOSPC);
		assert_true(wanted >= used);
		for(size_t i = size; i < used; i++)
			assert_int_equal((unsigned char)again[i], 0x5a);
	}
	callroute_builder_free(b);
	support_free(mem);
	support_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(names_ids_that_are_out_of_range),
			rows_test(names_ids_that_stand_there_twice_or_in_no_order),
			rows_test(names_what_stands_in_two_rows),
			rows_test(names_every_rate_that_overlaps_another),
			rows_test(a_long_list_of_bad_rows_is_cut_and_says_so),
			rows_test(the_caller_may_refuse_a_load_too),
			rows_test(says_how_much_room_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

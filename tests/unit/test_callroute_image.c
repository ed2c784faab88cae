/*
 * The image itself: its size, what stays out of it, memory that fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_rows.h"

#include "lib/trie.h"

static struct complaints said;

static void an_empty_load_is_refused(void **state)
{
	char *mem = support_memory(65536);

	(void)state;
	/* Each part is left out in turn; with none left out the load is fine. */
	for(int without = 0; without <= 3; without++) {
		struct callroute_builder *b = rows_new(&said);
		size_t used = 1;

		rows_deck(b, 1);
		rows_trunk(b, 1, "up");
		if(without != 1)
			rows_rate(b, 1, 1, "4", 1);
		if(without != 2)
			rows_plan(b, 1, "out", "price", 1);
		if(without < 2)
			rows_entry(b, 1, 1, 1, 1, 1, 1);
		assert_int_equal(callroute_builder_write(b, NOW, mem, 65536, &used),
				without ? -ENODATA : 0);
		assert_int_equal(used > 0, !without);
		assert_int_equal(said.count, 0);
		callroute_builder_free(b);
	}
	support_free(mem);
}

static void a_deck_that_is_off_stays_out_with_its_rates(void **state)
{
	struct callroute_builder *b = rows_new(&said);
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_plan(b, 1, "out", "price", 8);
	rows_plan(b, 2, "off", "price", 8);
	rows_deck(b, 1);
	assert_int_equal(callroute_add_deck(b, 2, "off", "EUR", 0), 0);
	for(int n = 1; n <= 2; n++) {
		rows_trunk(b, n, "up");
		rows_rate(b, n, n, n == 1 ? "4" : "49", 200 / n);
		rows_entry(b, n, 1, n, n, 1, 1);
	}
	rows_entry(b, 3, 2, 1, 2, 1, 1);
	im = rows_image(b);
	assert_int_equal(im->rates, 1);
	assert_int_equal(im->groups, 1);
	assert_int_equal(im->entries, 1);
	a = rows_ask(im, "out", "49", 1);
	assert_int_equal(a.count, 1);
	rows_expect(&a, 0, 1, 200, 1);
	a = rows_ask(im, "off", "49", 1);
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "no_prefix");
	support_free(im);
	/* Only rates of decks that are off: as good as none. */
	b = rows_new(&said);
	assert_int_equal(callroute_add_deck(b, 1, "off", "EUR", 0), 0);
	rows_plan(b, 1, "out", "price", 8);
	rows_trunk(b, 1, "up");
	rows_rate(b, 1, 1, "4", 1);
	rows_entry(b, 1, 1, 1, 1, 1, 1);
	size_t used;
	assert_int_equal(
			callroute_builder_write(b, NOW, &used, 0, &used), -ENODATA);
	callroute_builder_free(b);
}

static void carries_every_column_into_the_image(void **state)
{
	struct callroute_trunk_row row = {.id = 3,
			.carrier_id = 1,
			.name = "north",
			.uri = "sips:gw.example.com:5061",
			.socket = "tls:192.0.2.9:5061",
			.prefix = "+49",
			.media = "sdes",
			.failover_codes = "5xx,!503",
			.admin_state = "drain",
			.strip = 2,
			.try_timeout_ms = 2500,
			.ring_timeout_ms = 45000};
	struct callroute_builder *b = rows_new(&said);
	const struct callroute_trunk *t;
	struct callroute_image *im;

	(void)state;
	assert_int_equal(callroute_add_carrier(b, 1, "telco", 1), 0);
	assert_int_equal(callroute_add_carrier(b, 2, "gone", 0), 0);
	assert_int_equal(callroute_add_trunk(b, &row), 0);
	row = rows_trunk_row(4);
	row.carrier_id = 2;
	assert_int_equal(callroute_add_trunk(b, &row), 0);
	rows_plan(b, 1, "out", "price", 8);
	rows_deck(b, 1);
	rows_rate(b, 1, 1, "4", 1);
	rows_entry(b, 1, 1, 3, 1, 1, 1);
	im = rows_image(b);
	assert_int_equal(im->magic, CALLROUTE_IMAGE_MAGIC);
	assert_int_equal(im->loaded_at, NOW);
	assert_int_equal(im->trunks, 2);
	assert_int_equal(im->plans, 1);
	assert_int_equal(
			tg_trie_check((char *)im + im->trie_at, im->bytes - im->trie_at),
			0);
	t = callroute_find_trunk(im, 3);
	assert_string_equal(t->name, "north");
	assert_string_equal(t->carrier, "telco");
	assert_string_equal(t->uri, "sips:gw.example.com:5061");
	assert_string_equal(t->socket, "tls:192.0.2.9:5061");
	assert_string_equal(t->prefix, "+49");
	assert_int_equal(t->media, CALLROUTE_SDES);
	assert_int_equal(t->state, CALLROUTE_DRAIN);
	assert_int_equal(t->strip, 2);
	assert_int_equal(t->try_timeout_ms, 2500);
	assert_int_equal(t->ring_timeout_ms, 45000);
	assert_true(callroute_fails_over(&t->failover, 500));
	assert_false(callroute_fails_over(&t->failover, 503));
	t = callroute_find_trunk(im, 4);
	assert_int_equal(t->state, CALLROUTE_DOWN); /* as its carrier */
	assert_string_equal(t->carrier, "gone");
	support_free(im);
}

/* More rows than the first allocation holds, in every table. */
static int fill(struct callroute_builder *b, int rows)
{
	int rc = 0;

	for(int n = 1; n <= rows && rc == 0; n++) {
		struct callroute_trunk_row trunk = rows_trunk_row(n);
		struct callroute_plan_row plan = {
				.id = n, .max_attempts = 3, .order_by = "price"};
		struct callroute_entry_row entry = {
				.id = n, .plan_id = n, .trunk_id = n, .deck_id = n};
		struct callroute_rate_row rate = {.id = n, .deck_id = n};
		char name[16];

		snprintf(name, sizeof name, "%d", n);
		plan.name = rate.prefix = name;
		rc = callroute_add_carrier(b, n, name, 1);
		rc = rc ? rc : callroute_add_deck(b, n, name, "EUR", 1);
		rc = rc ? rc : callroute_add_trunk(b, &trunk);
		rc = rc ? rc : callroute_add_rate(b, &rate);
		rc = rc ? rc : callroute_add_plan(b, &plan);
		rc = rc ? rc : callroute_add_entry(b, &entry);
	}
	return rc;
}

static int load(char *mem, size_t size, size_t *used)
{
	struct callroute_builder *b = callroute_builder_new(rows_complain, &said);
	int rc = b == NULL ? -ENOMEM : fill(b, 100);

	if(rc == 0)
		rc = callroute_builder_write(b, NOW, mem, size, used);
	callroute_builder_free(b);
	return rc;
}

static void every_failed_allocation_is_told(void **state)
{
	enum
	{
		SIZE = 1 << 18
	};
	char *mem = support_memory(SIZE);
	unsigned nth = 0;
	size_t used;
	int rc;

	(void)state;
	said.count = 0;
	do {
		support_fail_alloc(++nth);
		rc = load(mem, SIZE, &used);
		support_fail_alloc(0);
		assert_true(rc == 0 || rc == -ENOMEM);
	} while(rc != 0 && nth < 1000);
	assert_int_equal(rc, 0);
	/* the builder, two steps of six tables, groups and trie rows */
	assert_int_equal(nth - 1, 1 + 2 * 6 + 2);
	assert_int_equal(said.count, 0);
	callroute_builder_free(NULL);
	support_free(mem);
}

/* -ENOSPC names a size that is enough, from every size that is not. */
static void says_how_much_room_it_needs(void **state)
{
	size_t wanted, used, step;
	char *mem;

	(void)state;
	assert_int_equal(load((char *)&used, 0, &wanted), -ENOSPC);
	mem = support_memory(wanted);
	assert_int_equal(load(mem, wanted, &used), 0);
	assert_true(used <= wanted);
	assert_int_equal(load(mem, used, &wanted), 0); /* and the true size too */
	assert_int_equal(wanted, used);
	for(size_t size = 0; size < used; size += step) {
		struct callroute_image *im;

		step = used - size < 64 ? 1 : 512;
		assert_int_equal(load(mem, size, &wanted), -ENOSPC);
		im = support_memory(wanted);
		assert_int_equal(load((char *)im, wanted, &wanted), 0);
		assert_int_equal(im->bytes, used);
		support_free(im);
	}
	support_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(an_empty_load_is_refused),
			cmocka_unit_test(a_deck_that_is_off_stays_out_with_its_rates),
			cmocka_unit_test(carries_every_column_into_the_image),
			cmocka_unit_test(every_failed_allocation_is_told),
			cmocka_unit_test(says_how_much_room_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

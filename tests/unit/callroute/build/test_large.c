/*
 * Large tables: four times the rows take no more than about four times as long.
 * Trunks, groups and plans are named by other rows, sets of countries are kept
 * once, decks are looked for when rates are kept: each was slower once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include <stdlib.h>
#include <time.h>

enum
{
	SMALL = 8192,
	LARGE = 4 * SMALL, /* below the 65,535 decks that a load may have */
	PLANS = LARGE / 128
};

/* n log n makes 4.6 of 4 times the rows; caches that no longer hold them are
 * allowed as much again. Quadratic is 16. */
#define MOST_TIMES 9.0
#define TRIES 3

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Another set of countries for each n. */
static const char *countries(int n)
{
	static const char *const all[] = {"AT", "BE", "CH", "DE", "DK", "ES", "FI",
			"FR", "GB", "GR", "IE", "IT", "LU", "NL", "NO", "PL", "PT"};
	static char text[sizeof all / sizeof all[0] * 3 + 1];

	text[0] = '\0';
	for(size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if((n >> i & 1) != 0) {
			strcat(text, all[i]);
			strcat(text, ",");
		}
	}
	return text;
}

/* The names come in the worst order for who sorts them one by one. */
static struct callroute_builder *fill(
		int count, const struct callroute_image *kept)
{
	struct callroute_builder *b = rows_new();
	int n;

	ADD(b, carrier, 1);
	for(n = 1; n <= count; n++)
		ADD(b, trunk, n, row.name = rows_name("t", 9000000 - n));
	for(n = 1; n <= count; n++)
		ADD(b, deck, n);
	if(kept == NULL) {
		ADD(b, rate, 1);
	} else {
		assert_int_equal(callroute_can_keep_rates(b, kept, 0), 1);
		assert_int_equal(callroute_keep_rates(b, kept, 0), 0);
	}
	for(n = 1; n <= PLANS; n++)
		ADD(b, plan, n);
	for(n = 1; n <= count; n++)
		ADD(b, entry, n, row.plan_id = n % PLANS + 1,
				row.trunk_id = row.deck_id = n,
				row.src_countries = countries(n));
	for(n = 1; n <= count; n++)
		ADD(b, rule, n, row.action = "route", row.prefix = rows_name("", n),
				row.target = rows_name("t", 9000000 - n));
	for(n = 1; n <= count; n++)
		assert_int_equal(
				callroute_add_block(b, n, rows_name("p", n % PLANS + 1), "dst",
						rows_name("7", n)),
				0);
	for(n = 1; n <= count; n++)
		assert_int_equal(callroute_add_group(b, n, "",
								 rows_name("g", 9000000 - n), "parallel"),
				0);
	for(n = 1; n <= count; n++)
		ADD(b, did, n, row.target_type = "group",
				row.target = rows_name("g", 9000000 - n));
	return b;
}

/* Seconds that a first load and a reload of it that keeps the rates take. */
static double load(int count)
{
	double start = seconds();
	struct callroute_image *first = rows_image(fill(count, NULL));
	struct callroute_image *second = rows_image(fill(count, first));
	double took = seconds() - start;

	assert_int_equal(second->trunks.count, count);
	assert_int_equal(second->dids.count, count);
	support_free(first);
	support_free(second);
	return took;
}

static int up(void **state)
{
	static const struct callroute_live_config cfg = {.trunks = LARGE,
			.calls = 256,
			.owners = 64,
			.quality = 256,
			.half_life_us = UINT64_C(1800000000)};
	size_t size = callroute_live_size(&cfg);

	(void)state;
	return callroute_live_init(support_memory(size), size, &cfg, &rows_live);
}

static void a_load_grows_with_its_rows(void **state)
{
	double times = 0;

	(void)state;
	/* Another process may take the processor: the best of a few counts. */
	for(int i = 0; i < TRIES && (i == 0 || times > MOST_TIMES); i++)
		times = load(LARGE) / load(SMALL);
	print_message("4 times the rows take %.1f times as long\n", times);
	assert_true(times <= MOST_TIMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
			a_load_grows_with_its_rows, up, rows_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

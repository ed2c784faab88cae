/*
 * Memory: every allocation of a load that fails is told and leaves nothing
 * behind; a rate costs what the design allows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include "unit/random.h"

enum
{
	ROWS = 70 /* more than the first allocation of a table holds: 64 */
};

#define TRY(kind, ...)                                      \
	do {                                                    \
		struct callroute_##kind##_row row = rows_##kind(n); \
		(void)0, ##__VA_ARGS__;                             \
		rc = rc < 0 ? rc : callroute_add_##kind(b, &row);   \
	} while(0)

static int fill_outbound(
		struct callroute_builder *b, const struct callroute_image *kept)
{
	int rc = 0, n;

	for(n = 1; n <= ROWS; n++)
		TRY(carrier);
	for(n = 1; n <= ROWS; n++)
		TRY(trunk, row.carrier_id = n, row.codecs = "PCMA");
	for(n = 1; n <= ROWS; n++)
		TRY(deck);
	for(n = 1; n <= 600 && kept == NULL;
			n++) /* terms of their own: their table grows too */
		TRY(rate, row.deck_id = n % ROWS + 1, row.prefix = rows_name("4", n),
				row.connect_fee = n);
	if(rc == 0 && kept != NULL)
		rc = callroute_keep_rates(b, kept, 0);
	for(n = 1; n <= ROWS; n++)
		TRY(plan, row.tenant = "acme");
	for(n = 1; n <= ROWS; n++)
		TRY(entry, row.plan_id = n, row.trunk_id = n, row.deck_id = n,
				row.time_id = 1, row.src_countries = n & 1 ? "DE" : "!FR",
				row.dst_countries = n & 1 ? "CH,AT" : "DE");
	return rc;
}

static int fill(struct callroute_builder *b, const struct callroute_image *kept)
{
	int rc = 0, n;

	for(n = 1; n <= 2; n++)
		TRY(time);
	for(n = 1; n <= ROWS; n++)
		rc = rc < 0 ? rc
					: callroute_add_failover(
							b, n, rows_name("f", n), "5xx", "next");
	for(n = 1; n <= ROWS; n++)
		TRY(breaker);
	rc = rc < 0 ? rc : fill_outbound(b, kept);
	for(n = 1; n <= ROWS; n++)
		TRY(account, row.match_type = n & 1 ? "ip" : "user",
				row.match_value =
						n & 1 ? rows_name("192.0.2.", n) : rows_name("u", n));
	for(n = 1; n <= ROWS; n++)
		TRY(rule, row.prefix = rows_name("1", n), row.action = "route",
				row.target = "t1,t2");
	for(n = 1; n <= ROWS; n++)
		rc = rc < 0 ? rc
					: callroute_add_block(b, n, "*", n & 1 ? "src" : "dst",
							rows_name("9", n));
	for(n = 1; n <= ROWS; n++)
		rc = rc < 0 ? rc
					: callroute_add_group(
							b, n, "acme", rows_name("g", n), "serial");
	for(n = 1; n <= ROWS; n++)
		TRY(member, row.group_id = n);
	for(n = 1; n <= ROWS; n++)
		TRY(did);
	for(n = 1; n <= ROWS; n++)
		rc = rc < 0 ? rc
					: callroute_add_ported(
							b, n, rows_name("49", n), rows_name("1", n));
	return rc;
}

static int load(const struct callroute_image *kept, void *mem, size_t size,
		size_t *used)
{
	struct callroute_builder *b =
			callroute_builder_new(NOW, rows_live, rows_complain, &said);
	int rc = b == NULL ? -ENOMEM : fill(b, kept);

	if(rc == 0)
		rc = callroute_builder_write(b, mem, size, used);
	callroute_builder_free(b);
	return rc;
}

/* Fails the 1st, 2nd ... allocation until a load needs no more of them. Returns
 * how many it needed. */
static unsigned fail_each(const struct callroute_image *kept)
{
	size_t used, size = 1 << 20;
	void *mem = support_memory(size);
	unsigned nth = 0;
	int rc;

	do {
		support_fail_alloc(++nth);
		rc = load(kept, mem, size, &used);
		support_fail_alloc(0);
		assert_true(rc == 0 || rc == -ENOMEM);
		assert_int_equal(said.count, 0); /* no memory is no fault of a row */
	} while(rc != 0 && nth < 5000);
	assert_int_equal(rc, 0);
	support_free(mem);
	return nth - 1;
}

static void every_failed_allocation_is_told(void **state)
{
	size_t used, size = 1 << 20;
	void *mem = support_memory(size);
	unsigned rows, kept;

	(void)state;
	assert_int_equal(load(NULL, mem, size, &used), 0);
	rows = fail_each(NULL);
	/* the builder; two steps of 16 tables at least; what is drafted */
	assert_true(rows > 1 + 2 * 16 + 10);
	kept = fail_each(mem);
	assert_true(kept > 1 + 2 * 16);
	print_message("%u allocations, %u with kept rates\n", rows, kept);
	callroute_builder_free(NULL);
	support_free(mem);
}

/* --- bytes a rate ----------------------------------------------------------- */

/* A million rates over 20 decks, of prefixes as carriers have them: of six to
 * eight digits, one deck's mostly those of another too. */
static void a_rate_costs_forty_bytes_at_most(void **state)
{
	enum
	{
		VENDORS = 20,
		PREFIXES = 50000
	};
	static char prefix[PREFIXES][16];
	struct callroute_builder *b = rows_vendors(VENDORS);
	struct callroute_image *im;
	uint64_t seed = 7, rates = 0;
	double a_rate, overall;

	(void)state;
	for(int i = 0; i < PREFIXES; i++) /* 5 digits tell them apart */
		snprintf(prefix[i], sizeof prefix[i], "%05d%u", i,
				random_below(&seed, 1000));
	for(int deck = 1; deck <= VENDORS; deck++) {
		for(int i = 0; i < PREFIXES; i++, rates++)
			ADD(b, rate, (long long)rates + 1, row.deck_id = deck,
					row.prefix = prefix[i],
					row.price = random_below(&seed, 1000000));
	}
	ADD(b, plan, 1);
	rows_enter(b, VENDORS);
	im = rows_image(b);
	assert_int_equal(im->rates.count, 1000000);
	overall = (double)im->bytes / (double)rates;
	support_free(im);
	/* The dearest there is: each prefix has one rate, none shares its group. */
	b = rows_vendors(1);
	for(int i = 0; i < 1000000; i++) {
		char digits[16];

		snprintf(digits, sizeof digits, "%07d", (int)((i * 7919LL) % 10000000));
		ADD(b, rate, i + 1, row.prefix = digits, row.price = i);
	}
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	a_rate = (double)im->bytes / 1e6;
	print_message(
			"%.1f B a rate of 20 decks, %.1f B where no prefix is shared\n",
			overall, a_rate);
	assert_true(overall <= 40);
	assert_true(a_rate <= 40);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(every_failed_allocation_is_told),
			rows_test(a_rate_costs_forty_bytes_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

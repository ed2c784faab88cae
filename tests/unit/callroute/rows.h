/*
 * Rows for the routing tests: sound ones by default, with the columns that a
 * test is about set by the test; the image made of them, and questions to it.
 * Every image is written twice: asked for its size, then into just that, over
 * memory that is not zero.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_ROWS_H
#define TESTS_UNIT_CALLROUTE_ROWS_H

#include "unit/support.h"

#include "callroute/build/builder.h"
#include "callroute/callroute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOW 1700000000 /* Tuesday, 2023-11-14, 22:13:20 UTC */
#define CLOCK UINT64_C(1000000000)

/* --- what the builder said -------------------------------------------------- */

struct rows_said
{
	int count;
	char line[32][512];
};

static struct rows_said said;
static struct callroute_live *rows_live;

static inline void rows_complain(void *arg, const char *line)
{
	struct rows_said *s = arg;

	assert_true(s->count < 32);
	snprintf(s->line[s->count++], sizeof s->line[0], "%s", line);
}

/* --- a state of its own for each test --------------------------------------- */

static inline int rows_up(void **state)
{
	static const struct callroute_live_config cfg = {.trunks = 2048,
			.calls = 256,
			.owners = 64,
			.quality = 256,
			.half_life_us = UINT64_C(1800000000)};
	size_t size = callroute_live_size(&cfg);

	(void)state;
	said.count = 0;
	return callroute_live_init(support_memory(size), size, &cfg, &rows_live);
}

static inline int rows_down(void **state)
{
	(void)state;
	support_free(rows_live);
	return 0;
}

#define rows_test(f) cmocka_unit_test_setup_teardown(f, rows_up, rows_down)

static inline struct callroute_builder *rows_new(void)
{
	struct callroute_builder *b =
			callroute_builder_new(NOW, rows_live, rows_complain, &said);

	said.count = 0;
	assert_non_null(b);
	return b;
}

/* --- sound rows ------------------------------------------------------------- */

/* "t7": good until the 4096th name after it. */
static inline const char *rows_name(const char *letter, long long id)
{
	static char names[4096][24];
	static unsigned next;
	char *name = names[next++ % 4096];

	snprintf(name, sizeof names[0], "%s%lld", letter, id);
	return name;
}

/* Always open. */
static inline struct callroute_time_row rows_time(long long id)
{
	return (struct callroute_time_row){
			id, "UTC", "20230101", "P1D", "FREQ=DAILY", ""};
}

static inline struct callroute_breaker_row rows_breaker(long long id)
{
	return (struct callroute_breaker_row){.id = id,
			.window_sec = 60,
			.min_calls = 2,
			.open_at = 50,
			.half_open_after = 30,
			.name = rows_name("b", id),
			.codes = "5xx,408"};
}

static inline struct callroute_carrier_row rows_carrier(long long id)
{
	return (struct callroute_carrier_row){
			.id = id, .name = rows_name("c", id), .enabled = 1};
}

static inline struct callroute_trunk_row rows_trunk(long long id)
{
	return (struct callroute_trunk_row){.id = id,
			.carrier_id = 1,
			.try_timeout_ms = 3000,
			.ring_timeout_ms = 60000,
			.down_after = 3,
			.up_after = 2,
			.name = rows_name("t", id),
			.uri = "sip:192.0.2.1",
			.socket = "",
			.transport = "",
			.prefix = "",
			.dst_rewrite = "",
			.src_rewrite = "",
			.cli_policy = "pass",
			.codecs = "",
			.media = "rtp",
			.admin_state = "up"};
}

static inline struct callroute_deck_row rows_deck(long long id)
{
	return (struct callroute_deck_row){.id = id,
			.name = rows_name("d", id),
			.side = "buy",
			.currency = "EUR",
			.enabled = 1};
}

static inline struct callroute_rate_row rows_rate(long long id)
{
	return (struct callroute_rate_row){.id = id,
			.deck_id = 1,
			.price = 100,
			.first_sec = 1,
			.step_sec = 1,
			.prefix = "49",
			.src_prefix = ""};
}

static inline struct callroute_plan_row rows_plan(long long id)
{
	return (struct callroute_plan_row){.id = id,
			.max_attempts = 8,
			.tenant = "",
			.name = rows_name("p", id),
			.order_by = "price"};
}

static inline struct callroute_entry_row rows_entry(long long id)
{
	return (struct callroute_entry_row){.id = id,
			.plan_id = 1,
			.trunk_id = 1,
			.deck_id = 1,
			.priority = 10,
			.weight = 1,
			.src_countries = "",
			.dst_countries = ""};
}

static inline struct callroute_account_row rows_account(long long id)
{
	return (struct callroute_account_row){.id = id,
			.plan_id = 1,
			.tenant = "",
			.match_type = "user",
			.match_value = rows_name("u", id),
			.country = "",
			.intl_prefix = "",
			.national_prefix = "",
			.cli_policy = "pass",
			.enabled = 1};
}

static inline struct callroute_rule_row rows_rule(long long id)
{
	return (struct callroute_rule_row){.id = id,
			.plan_id = 1,
			.priority = 10,
			.prefix = "49",
			.src_prefix = "",
			.action = "block",
			.target = "",
			.stop = 1};
}

static inline struct callroute_member_row rows_member(long long id)
{
	return (struct callroute_member_row){.id = id,
			.group_id = 1,
			.priority = 10,
			.weight = 1,
			.ring_timeout_ms = 20000,
			.uri = rows_name("sip:m", id),
			.enabled = 1};
}

static inline struct callroute_did_row rows_did(long long id)
{
	return (struct callroute_did_row){.id = id,
			.priority = 10,
			.number = rows_name("4930", id),
			.tenant = "",
			.target_type = "user",
			.target = "alice"};
}

/* ADD(b, trunk, 7, row.strip = 2, row.uri = "sip:h"): row 7, sound but for what
 * is set here. */
#define ADD(b, kind, id, ...)                                 \
	do {                                                      \
		struct callroute_##kind##_row row = rows_##kind(id);  \
		(void)0, ##__VA_ARGS__;                               \
		assert_int_equal(callroute_add_##kind((b), &row), 0); \
	} while(0)

/* Vendors 1 .. n of plan 1 (carrier 1): trunk n with deck n. No rates. */
static inline struct callroute_builder *rows_vendors(int count)
{
	struct callroute_builder *b = rows_new();

	ADD(b, carrier, 1);
	for(int n = 1; n <= count; n++)
		ADD(b, trunk, n);
	for(int n = 1; n <= count; n++)
		ADD(b, deck, n);
	return b;
}

static inline void rows_enter(struct callroute_builder *b, int count)
{
	for(int n = 1; n <= count; n++)
		ADD(b, entry, n, row.trunk_id = row.deck_id = n);
}

/* A rate whose id is of no interest: they count up. */
static inline void rows_price(struct callroute_builder *b, long long deck,
		const char *prefix, long long price)
{
	static long long id;

	ADD(b, rate, id++ % 1000000 + 1000, row.deck_id = deck, row.prefix = prefix,
			row.price = price, row.is_default = prefix[0] == '\0');
}

/* --- the image -------------------------------------------------------------- */

/* To be freed by support_free; the builder is freed. */
static inline struct callroute_image *rows_image(struct callroute_builder *b)
{
	struct callroute_image *im;
	size_t wanted, used;
	char nothing[8];
	int rc = callroute_builder_write(b, nothing, 0, &wanted);

	if(rc != -ENOSPC && said.count > 0)
		print_message("%s\n", said.line[0]);
	assert_int_equal(rc, -ENOSPC);
	im = support_memory(wanted);
	memset(im, 0xa5, wanted);
	assert_int_equal(callroute_builder_write(b, im, wanted, &used), 0);
	assert_int_equal(said.count, 0);
	assert_true(used <= wanted);
	assert_int_equal(im->bytes, used);
	callroute_builder_free(b);
	return im;
}

/* --- questions -------------------------------------------------------------- */

static struct callroute_work rows_work;
static struct callroute_answer rows_answer;

static inline struct callroute_question rows_question(
		const char *plan, const char *number)
{
	return (struct callroute_question){.plan = plan,
			.plan_len = strlen(plan),
			.number = number,
			.number_len = strlen(number),
			.src = "",
			.now = NOW,
			.clock = CLOCK,
			.seed = 1};
}

static inline const struct callroute_answer *rows_decide(
		const struct callroute_image *im, const struct callroute_question *q)
{
	memset(&rows_answer, 0xa5, sizeof rows_answer);
	memset(&rows_work, 0xa5, sizeof rows_work);
	callroute_decide(im, rows_live, q, &rows_work, &rows_answer);
	return &rows_answer;
}

/* Asks plan p1. */
static inline const struct callroute_answer *rows_ask(
		const struct callroute_image *im, const char *number)
{
	struct callroute_question q = rows_question("p1", number);

	return rows_decide(im, &q);
}

/* The candidates' trunks, "3 1 2". */
static inline const char *rows_trunks(const struct callroute_answer *a)
{
	static char text[CALLROUTE_CANDIDATES * 12];
	size_t n = 0;

	text[0] = '\0';
	for(int i = 0; i < a->count; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", i ? " " : "",
				a->candidates[i].trunk_id);
	return text;
}

static inline void rows_expect(const struct callroute_answer *a, int at,
		uint32_t trunk, int64_t price, int prefix_len)
{
	assert_true(at < a->count);
	assert_int_equal(a->candidates[at].trunk_id, trunk);
	assert_int_equal(a->candidates[at].price, price);
	assert_int_equal(a->candidates[at].prefix_len, prefix_len);
}

static inline void rows_expect_none(
		const struct callroute_answer *a, int verdict, const char *reason)
{
	assert_string_equal(a->reason, reason);
	assert_int_equal(a->verdict, verdict);
	assert_int_equal(a->count, 0);
}

/* "chosen", "margin" ...: what became of vendor `at` of the last decision. */
static inline const char *rows_fate(int at)
{
	assert_in_range(at, 0, rows_work.count - 1);
	return callroute_fate_name((enum callroute_fate)rows_work.vendors[at].fate);
}

#endif

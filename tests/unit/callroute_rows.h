/*
 * Rows for the routing tests: small tables in few words, and the image made of
 * them. Every image is written twice: asked for its size, then into just that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_ROWS_H
#define TESTS_UNIT_CALLROUTE_ROWS_H

#include "support.h"

#include "callroute/build.h"
#include "callroute/callroute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOW 1700000000

/* What the builder complained about. */
struct complaints
{
	int count;
	char line[32][512];
};

static inline void rows_complain(void *arg, const char *line)
{
	struct complaints *c = arg;

	assert_true(c->count < 32);
	snprintf(c->line[c->count++], sizeof c->line[0], "%s", line);
}

static inline struct callroute_builder *rows_new(struct complaints *c)
{
	struct callroute_builder *b;

	c->count = 0;
	b = callroute_builder_new(rows_complain, c);
	assert_non_null(b);
	return b;
}

static inline void rows_deck(struct callroute_builder *b, long long id)
{
	char name[32];

	snprintf(name, sizeof name, "deck-%lld", id);
	assert_int_equal(callroute_add_deck(b, id, name, "EUR", 1), 0);
}

static inline struct callroute_trunk_row rows_trunk_row(long long id)
{
	static char name[32];

	snprintf(name, sizeof name, "trunk-%lld", id);
	return (struct callroute_trunk_row){.id = id,
			.name = name,
			.uri = "sip:192.0.2.1",
			.socket = "",
			.prefix = "",
			.media = "rtp",
			.failover_codes = "5xx,408",
			.admin_state = "up"};
}

static inline void rows_trunk(
		struct callroute_builder *b, long long id, const char *state)
{
	struct callroute_trunk_row row = rows_trunk_row(id);

	row.admin_state = state;
	assert_int_equal(callroute_add_trunk(b, &row), 0);
}

/* For ever valid; "" is a default. */
static inline void rows_rate(struct callroute_builder *b, long long id,
		long long deck, const char *prefix, long long price)
{
	struct callroute_rate_row row = {.id = id,
			.deck_id = deck,
			.price = price,
			.prefix = prefix,
			.is_default = prefix[0] == '\0'};

	assert_int_equal(callroute_add_rate(b, &row), 0);
}

static inline void rows_plan(struct callroute_builder *b, long long id,
		const char *name, const char *order, int attempts)
{
	struct callroute_plan_row row = {.id = id,
			.max_attempts = attempts,
			.name = name,
			.order_by = order};

	assert_int_equal(callroute_add_plan(b, &row), 0);
}

static inline void rows_entry(struct callroute_builder *b, long long id,
		long long plan, long long trunk, long long deck, int priority,
		int weight)
{
	struct callroute_entry_row row = {.id = id,
			.plan_id = plan,
			.trunk_id = trunk,
			.deck_id = deck,
			.priority = priority,
			.weight = weight};

	assert_int_equal(callroute_add_entry(b, &row), 0);
}

/* The image, to be freed by support_free; the builder is freed. */
static inline struct callroute_image *rows_image(struct callroute_builder *b)
{
	struct callroute_image *im;
	size_t wanted, used;
	char nothing[8];

	assert_int_equal(
			callroute_builder_write(b, NOW, nothing, 0, &wanted), -ENOSPC);
	im = support_memory(wanted);
	assert_int_equal(callroute_builder_write(b, NOW, im, wanted, &used), 0);
	assert_true(used <= wanted);
	assert_int_equal(im->bytes, used);
	callroute_builder_free(b);
	return im;
}

static inline struct callroute_answer rows_ask(const struct callroute_image *im,
		const char *plan, const char *number, uint64_t seed)
{
	struct callroute_question q = {.plan = plan,
			.plan_len = strlen(plan),
			.number = number,
			.number_len = strlen(number),
			.now = NOW,
			.seed = seed};
	struct callroute_answer a;

	memset(&a, 0xa5, sizeof a);
	callroute_decide(im, &q, &a);
	return a;
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
	assert_int_equal(a->verdict, verdict);
	assert_string_equal(a->reason, reason);
	assert_int_equal(a->count, 0);
}

#endif

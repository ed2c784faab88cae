/*
 * A sound load with a row in every table, to which tests of the checks add a bad
 * one; and the refusal that they expect.
 *
 *   times 1 (always), 2 (closed at NOW)   failover 1   breaker 1   carrier 1
 *   trunks 1, 2   decks 1, 2 (buy), 3 (sell), 4 (buy, converted), 5 (off)
 *   plans 1, 2 (sells by deck 3)   account, rule, blocks, group, member, did,
 *   ported number 1
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_SOUND_H
#define TESTS_UNIT_CALLROUTE_SOUND_H

#include "unit/callroute/rows.h"

static inline void sound_outbound(struct callroute_builder *b)
{
	ADD(b, time, 1);
	ADD(b, time, 2, row.dtstart = "20230101T000000", row.duration = "PT1H");
	assert_int_equal(callroute_add_failover(b, 1, "f", "5xx", "next"), 0);
	ADD(b, breaker, 1);
	ADD(b, carrier, 1);
	ADD(b, trunk, 1, row.failover_id = 1, row.breaker_id = 1);
	ADD(b, trunk, 2);
	ADD(b, deck, 1);
	ADD(b, deck, 2);
	ADD(b, deck, 3, row.side = "sell");
	ADD(b, deck, 4, row.currency = "USD", row.fx = 900000);
	ADD(b, deck, 5, row.enabled = 0);
	for(int n = 1; n <= 5; n++)
		ADD(b, rate, n, row.deck_id = n, row.price = 100 * n);
	ADD(b, plan, 1);
	ADD(b, plan, 2, row.sell_deck_id = 3, row.min_margin = 1);
	ADD(b, entry, 1);
	ADD(b, entry, 2, row.trunk_id = row.deck_id = 2, row.time_id = 1);
	ADD(b, entry, 3, row.plan_id = 2, row.src_countries = "DE,FR");
}

static inline struct callroute_builder *sound(void)
{
	struct callroute_builder *b = rows_new();

	sound_outbound(b);
	ADD(b, account, 1);
	ADD(b, rule, 1, row.prefix = "4911", row.time_id = 2);
	assert_int_equal(callroute_add_block(b, 1, "*", "dst", "4999"), 0);
	assert_int_equal(callroute_add_block(b, 2, "p1", "src", "4998"), 0);
	assert_int_equal(callroute_add_group(b, 1, "", "g1", "serial"), 0);
	ADD(b, member, 1);
	ADD(b, did, 1);
	assert_int_equal(callroute_add_ported(b, 1, "49301", "49891"), 0);
	return b;
}

/* The load is refused, for these reasons alone. Frees the builder. */
static inline void expect_refusal(
		struct callroute_builder *b, int count, const char *const lines[])
{
	char *mem = support_memory(1 << 18);
	size_t used = 1;

	assert_int_equal(callroute_builder_write(b, mem, 1 << 18, &used), -EBADMSG);
	assert_int_equal(used, 0);
	for(int i = 0; i < count && i < said.count; i++)
		assert_string_equal(said.line[i], lines[i]);
	assert_int_equal(said.count, count);
	callroute_builder_free(b);
	support_free(mem);
}

/* Row 9 of the table has this fault and no other. Frees the builder. */
static inline void expect_fault(
		struct callroute_builder *b, const char *table, const char *says)
{
	char line[512];
	const char *const lines[] = {line};

	snprintf(line, sizeof line, "callroute_%s id 9: %s", table, says);
	expect_refusal(b, 1, lines);
}

/* BAD(trunk, "trunk", "what is said", row.strip = 33): row 9 beside sound ones
 * is refused for just this. */
#define BAD(kind, table, says, ...)              \
	do {                                         \
		struct callroute_builder *bad = sound(); \
		ADD(bad, kind, 9, ##__VA_ARGS__);        \
		expect_fault(bad, table, says);          \
	} while(0)

/* GOOD(trunk, row.strip = 32): row 9 is taken beside the sound ones. */
#define GOOD(kind, ...)                           \
	do {                                          \
		struct callroute_builder *good = sound(); \
		ADD(good, kind, 9, ##__VA_ARGS__);        \
		support_free(rows_image(good));           \
	} while(0)

/* `size` symbols: one more than a field of that size holds. */
static inline const char *too_long(size_t size)
{
	static char text[600];

	assert_true(size < sizeof text);
	memset(text, '1', size);
	text[size] = '\0';
	return text;
}

#endif

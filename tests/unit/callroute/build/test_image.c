/*
 * The image itself: what it carries and what stays out of it, rates that a new
 * one keeps of the one in use, memory that fails, bytes a rate.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/sound.h"

#include "lib/prefix/trie.h"
#include "unit/random.h"

static void carries_every_column_of_a_trunk(void **state)
{
	struct callroute_builder *b = sound();
	const struct callroute_trunk *t;
	const struct callroute_carrier *c;
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 8, row.name = "telco", row.max_channels = 9,
			row.max_cps = 8);
	ADD(b, trunk, 9, row.name = "north", row.carrier_id = 8,
			row.uri = "sips:gw.example.com:5061;lr", row.transport = "tls",
			row.socket = "tls:192.0.2.9:5061", row.prefix = "+49",
			row.dst_rewrite = "49>0", row.src_rewrite = ">+",
			row.cli_policy = "strip", row.codecs = "PCMA,opus",
			row.media = "sdes", row.admin_state = "drain", row.strip = 2,
			row.try_timeout_ms = 2500, row.ring_timeout_ms = 45000,
			row.max_channels = 30, row.max_cps = 7, row.probe_interval = 15,
			row.down_after = 4, row.up_after = 5, row.breaker_id = 1);
	im = rows_image(b);
	assert_int_equal(im->magic, CALLROUTE_IMAGE_MAGIC);
	assert_int_equal(im->loaded_at, NOW);
	assert_int_equal(im->trunks.count, 3);
	assert_int_equal(
			tg_trie_check((char *)im + im->rate_trie.at, im->rate_trie.count),
			0);
	t = callroute_find_trunk(im, 9);
	c = &CALLROUTE_ROWS(im, struct callroute_carrier, carriers)[t->carrier];
	assert_string_equal(c->name, "telco");
	assert_int_equal(c->max_channels, 9);
	assert_int_equal(c->max_cps, 8);
	assert_string_equal(t->name, "north");
	assert_string_equal(t->uri, "sips:gw.example.com:5061;lr;transport=tls");
	assert_string_equal(t->socket, "tls:192.0.2.9:5061");
	assert_string_equal(t->prefix, "+49");
	assert_int_equal(t->dst_rewrite.count, 1);
	assert_int_equal(t->src_rewrite.count, 1);
	assert_int_equal(t->src_rewrite.rule[0].from_len, 0);
	assert_int_equal(t->cli, CALLROUTE_CLI_STRIP);
	assert_string_equal(callroute_text(im, t->codecs), "PCMA,opus");
	assert_int_equal(t->media, CALLROUTE_SDES);
	assert_int_equal(t->state, CALLROUTE_DRAIN);
	assert_int_equal(t->strip, 2);
	assert_int_equal(t->try_timeout_ms, 2500);
	assert_int_equal(t->ring_timeout_ms, 45000);
	assert_int_equal(t->max_channels, 30);
	assert_int_equal(t->max_cps, 7);
	assert_int_equal(t->probe_interval, 15);
	assert_int_equal(t->down_after, 4);
	assert_int_equal(t->up_after, 5);
	assert_int_equal(t->has_breaker, 1);
	assert_int_equal(t->breaker.window_us, 60000000);
	assert_int_equal(t->breaker.half_open_after_us, 30000000);
	assert_int_equal(t->breaker.min_calls, 2);
	assert_int_equal(t->breaker.open_at, 50);
	assert_true(callroute_has_code(&t->breaker_codes, 503));
	assert_false(callroute_find_trunk(im, 2)->has_breaker);
	assert_int_equal(callroute_live_find(rows_live, 9), t->live);
	support_free(im);
}

static void a_deck_that_is_off_stays_out_with_its_rates(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_question q = rows_question("p2", "49");
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 2, row.enabled = 0);
	rows_price(b, 1, "4", 200);
	rows_price(b, 2, "49", 100);
	ADD(b, plan, 1);
	ADD(b, plan, 2);
	ADD(b, entry, 1);
	ADD(b, entry, 2, row.deck_id = 2);
	ADD(b, entry, 3, row.plan_id = 2, row.deck_id = 2);
	im = rows_image(b);
	assert_int_equal(im->rates.count, 1);
	assert_int_equal(im->terms.count, 1);
	assert_int_equal(im->entries.count, 1);
	rows_expect(rows_ask(im, "49"), 0, 1, 200, 1);
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_PREFIX, "no_prefix");
	support_free(im);
}

/* --- rates that are kept ---------------------------------------------------- */

enum
{
	DECKS = 4,
	RATES = 400
};

/* Decks 1 to 4 (2 converted in `fx`), without rates. */
static struct callroute_builder *decks(long long fx)
{
	struct callroute_builder *b = rows_new();

	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	for(int n = 1; n <= DECKS; n++)
		ADD(b, deck, n, row.fx = fx);
	return b;
}

/* The rates of these decks (bit n: deck n) in the order of `seed`; `more` is
 * added to each price of deck 3. */
static void add_rates(struct callroute_builder *b, unsigned which,
		uint64_t seed, long long more)
{
	uint64_t at = random_next(&seed) % RATES;

	for(int i = 0; i < RATES; i++, at = (at + 7 * 11) % RATES) {
		int deck = (int)(at % DECKS) + 1;

		if(!(which >> deck & 1))
			continue;
		ADD(b, rate, (long long)at + 1, row.deck_id = deck,
				row.prefix = rows_name("49", (long long)at / DECKS % 50),
				row.src_prefix = at < RATES / 2 ? "" : "43",
				row.price = (long long)at + (deck == 3 ? more : 0),
				row.connect_fee = (long long)at % 7,
				row.blocked = at % 11 == 0);
	}
}

static struct callroute_image *finish(struct callroute_builder *b)
{
	ADD(b, plan, 1);
	for(int n = 1; n <= DECKS; n++)
		ADD(b, entry, n, row.deck_id = n);
	return rows_image(b);
}

static void expect_same(struct callroute_image *a, struct callroute_image *b)
{
	assert_int_equal(a->bytes, b->bytes);
	assert_memory_equal(a, b, a->bytes);
	support_free(a);
	support_free(b);
}

static void equal_rows_give_equal_bytes_in_any_order(void **state)
{
	struct callroute_builder *b = decks(1500000), *c;

	(void)state;
	add_rates(b, ~0u, 1, 0);
	c = decks(1500000);
	add_rates(c, ~0u, 2, 0);
	expect_same(finish(b), finish(c));
}

/* A reload that changed no rate takes them over; it gives what the rows would. */
static void kept_rates_are_those_of_the_rows(void **state)
{
	struct callroute_builder *b = decks(1500000);
	struct callroute_image *first;

	(void)state;
	add_rates(b, ~0u, 1, 0);
	first = finish(b);
	assert_int_equal(first->rates.count, RATES);
	b = decks(1500000);
	assert_int_equal(callroute_can_keep_rates(b, first, 0), 1);
	assert_int_equal(callroute_keep_rates(b, first, 0), 0);
	expect_same(finish(b), first);
}

static void one_deck_is_replaced_and_the_others_are_kept(void **state)
{
	struct callroute_builder *b = decks(0), *whole;
	struct callroute_image *first;

	(void)state;
	add_rates(b, ~0u, 1, 0);
	first = finish(b);
	b = decks(0);
	assert_int_equal(callroute_can_keep_rates(b, first, 3), 1);
	assert_int_equal(callroute_keep_rates(b, first, 3), 0);
	add_rates(b, 1u << 3, 5, 1000000);
	whole = decks(0);
	add_rates(whole, ~0u, 9, 1000000);
	expect_same(finish(b), finish(whole));
	support_free(first);
}

static void rates_that_are_not_there_cannot_be_kept(void **state)
{
	struct callroute_builder *b = decks(0);
	struct callroute_image *im;

	(void)state;
	ADD(b, deck, 7, row.enabled = 0);
	add_rates(b, ~0u, 1, 0);
	im = finish(b);
	/* another rate of exchange: other prices */
	b = decks(1000000);
	assert_int_equal(callroute_can_keep_rates(b, im, 0), 0);
	callroute_builder_free(b);
	/* a deck that is new, or was off, unless its rows are read */
	for(int deck = 6; deck <= 7; deck++) {
		b = decks(0);
		ADD(b, deck, deck);
		assert_int_equal(callroute_can_keep_rates(b, im, 0), 0);
		assert_int_equal(callroute_can_keep_rates(b, im, (uint32_t)deck), 1);
		callroute_builder_free(b);
	}
	/* one that is off now, or gone, leaves the others as they were */
	b = rows_new();
	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	ADD(b, deck, 1);
	ADD(b, deck, 2, row.enabled = 0);
	assert_int_equal(callroute_can_keep_rates(b, im, 0), 1);
	assert_int_equal(callroute_keep_rates(b, im, 0), 0);
	ADD(b, plan, 1);
	ADD(b, entry, 1);
	support_free(im);
	im = rows_image(b);
	assert_int_equal(im->rates.count, RATES / DECKS);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(carries_every_column_of_a_trunk),
			rows_test(a_deck_that_is_off_stays_out_with_its_rates),
			rows_test(equal_rows_give_equal_bytes_in_any_order),
			rows_test(kept_rates_are_those_of_the_rows),
			rows_test(one_deck_is_replaced_and_the_others_are_kept),
			rows_test(rates_that_are_not_there_cannot_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Decks and rates: the bulk of the data. What many rates share (dates, fees,
 * source prefix) is kept once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RATE "callroute_rate"

int callroute_add_deck(
		struct callroute_builder *b, const struct callroute_deck_row *row)
{
	static const char *const sides[] = {"buy", "sell", NULL};
	static const char table[] = "callroute_deck";
	struct callroute_build_deck *d =
			callroute_new_row(b, &b->decks, sizeof *d, table, row->id);

	if(d == NULL)
		return -ENOMEM;
	if(b->decks.count > UINT16_MAX)
		tg_row_bad(&b->check, "%s id %lld: more than %d decks", table, row->id,
				UINT16_MAX);
	d->out.enabled = row->enabled != 0;
	d->out.id = (uint32_t)row->id;
	d->out.sells = (uint8_t)tg_row_word(
			&b->check, table, row->id, "side", row->side, sides);
	tg_row_text(&b->check, table, row->id, "currency", row->currency, 1,
			d->out.currency, sizeof d->out.currency);
	if(tg_row_range(&b->check, table, row->id, "fx", row->fx, 0,
			   INT64_C(1000000000000)))
		d->out.fx = row->fx;
	return callroute_take_name(b, table, row->id, row->name, d->out.name);
}

/* --- terms ---------------------------------------------------------------- */

static int keep_terms(struct callroute_builder *b,
		const struct callroute_terms *t, uint32_t *index)
{
	const struct callroute_terms *terms = b->terms.rows.rows;

	_Static_assert(sizeof *t % 8 == 0, "terms are whole words");
	/* Neighbours mostly share theirs. */
	if(b->terms.rows.count > 0
			&& memcmp(&terms[b->last_term], t, sizeof *t) == 0) {
		*index = b->last_term;
		return 0;
	}
	if(callroute_keep_distinct(&b->terms, t, sizeof *t, index) < 0)
		return -ENOMEM;
	b->last_term = *index;
	return 0;
}

/* --- rows ----------------------------------------------------------------- */

/* An amount of the deck's currency in that of its plan: 0 .. CALLROUTE_PRICE_MAX
 * before and after; what is not free stays so. -1: told. */
static int64_t convert(struct callroute_builder *b,
		const struct callroute_rate_row *row, const char *column,
		long long amount, int64_t fx)
{
	__int128 converted = amount;

	if(!tg_row_range(&b->check, RATE, row->id, column, amount, 0,
			   CALLROUTE_PRICE_MAX))
		return -1;
	if(fx > 0)
		converted = (converted * fx + 500000) / 1000000;
	if(converted > CALLROUTE_PRICE_MAX) {
		tg_row_bad(&b->check,
				RATE " id %lld: %s = %lld is over %lld when converted by its "
					 "deck's fx",
				row->id, column, amount, (long long)CALLROUTE_PRICE_MAX);
		return -1;
	}
	if(converted == 0 && amount > 0) {
		tg_row_bad(&b->check,
				RATE " id %lld: %s = %lld is 0 when converted by its deck's "
					 "fx: the call would cost nothing",
				row->id, column, amount);
		return -1;
	}
	return (int64_t)converted;
}

static void set_price(struct callroute_builder *b,
		const struct callroute_rate_row *row, int64_t fx,
		struct callroute_rate *out)
{
	int64_t price = convert(b, row, "price", row->price, fx);

	if(price < 0)
		return;
	out->price_low = (uint32_t)price;
	out->price_high = (uint8_t)(price >> 32);
}

static void set_terms(struct callroute_builder *b,
		const struct callroute_rate_row *row, int64_t fx,
		struct callroute_terms *t)
{
	int64_t fee;

	tg_row_range(&b->check, RATE, row->id, "valid_from", row->valid_from, 0,
			INT64_MAX);
	tg_row_range(&b->check, RATE, row->id, "valid_till", row->valid_till, 0,
			INT64_MAX);
	t->valid_from = row->valid_from;
	t->valid_till = row->valid_till ? row->valid_till : INT64_MAX;
	if(row->valid_till >= 0 && t->valid_till <= t->valid_from)
		tg_row_bad(&b->check,
				RATE " id %lld: valid_till is not after valid_from", row->id);
	fee = convert(b, row, "connect_fee", row->connect_fee, fx);
	if(fee > 0)
		t->connect_fee = fee;
	if(tg_row_range(
			   &b->check, RATE, row->id, "first_sec", row->first_sec, 1, 3600))
		t->first_sec = (uint16_t)row->first_sec;
	if(tg_row_range(
			   &b->check, RATE, row->id, "step_sec", row->step_sec, 1, 3600))
		t->step_sec = (uint16_t)row->step_sec;
	callroute_take_src_prefix(
			b, RATE, row->id, row->src_prefix, t->src_prefix, &t->src_len);
}

int callroute_add_rate(
		struct callroute_builder *b, const struct callroute_rate_row *row)
{
	const struct callroute_build_deck *decks = b->decks.rows;
	struct callroute_terms terms;
	struct callroute_build_rate r;
	struct callroute_build_rate *to;
	unsigned bad = b->check.bad;
	uint32_t deck = callroute_refer(b, &b->decks, sizeof *decks, RATE, row->id,
			"deck_id", row->deck_id, 0);

	b->rates_read++;
	/* The terms are compared with their padding. */
	memset(&terms, 0, sizeof terms);
	memset(&r, 0, sizeof r);
	tg_row_range(&b->check, RATE, row->id, "id", row->id, 1, UINT32_MAX);
	if(row->prefix[0] == '\0' && !row->is_default)
		tg_row_bad(&b->check,
				RATE " id %lld: empty prefix without is_default = 1 (it would "
					 "match every number)",
				row->id);
	if(callroute_pack_prefix(row->prefix, &r.prefix) < 0)
		tg_row_bad(&b->check,
				RATE
				" id %lld: prefix = '%s' is not 0 to %d symbols of 0-9 * #",
				row->id, row->prefix, TG_TRIE_MAX_DIGITS);
	if(deck == CALLROUTE_NONE)
		return 0;
	set_price(b, row, decks[deck].out.fx, &r.out);
	set_terms(b, row, decks[deck].out.fx, &terms);
	if(b->check.bad != bad || !decks[deck].out.enabled)
		return 0;
	r.id = (uint32_t)row->id;
	r.out.blocked = row->blocked != 0;
	r.out.deck = (uint16_t)deck;
	if(keep_terms(b, &terms, &r.out.terms) < 0)
		return -ENOMEM;
	to = callroute_grow(&b->rates, sizeof r, 1);
	if(to == NULL)
		return -ENOMEM;
	*to = r;
	return 0;
}

/* Rows are in the image as they were read: by rising id. */
static int by_deck_id(const void *id, const void *deck)
{
	uint32_t want = *(const uint32_t *)id;
	uint32_t here = ((const struct callroute_deck *)deck)->id;

	return want < here ? -1 : want > here;
}

int callroute_can_keep_rates(const struct callroute_builder *b,
		const struct callroute_image *im, uint32_t except_deck)
{
	const struct callroute_build_deck *now = b->decks.rows;
	const struct callroute_deck *decks =
			CALLROUTE_ROWS(im, struct callroute_deck, decks);

	for(size_t i = 0; i < b->decks.count; i++) {
		const struct callroute_deck *was;

		if(now[i].out.id == except_deck || !now[i].out.enabled)
			continue;
		was = bsearch(&now[i].out.id, decks, im->decks.count, sizeof *decks,
				by_deck_id);
		if(was == NULL || !was->enabled || was->fx != now[i].out.fx)
			return 0;
	}
	return 1;
}

int callroute_keep_rates(struct callroute_builder *b,
		const struct callroute_image *im, uint32_t except_deck)
{
	const struct callroute_build_deck *now = b->decks.rows;
	const struct callroute_deck *decks =
			CALLROUTE_ROWS(im, struct callroute_deck, decks);
	const struct callroute_rate *rates =
			CALLROUTE_ROWS(im, struct callroute_rate, rates);
	const struct callroute_terms *terms =
			CALLROUTE_ROWS(im, struct callroute_terms, terms);
	const uint32_t *groups = CALLROUTE_ROWS(im, uint32_t, rate_groups);
	struct tg_trie_cursor cursor;
	struct tg_trie_row prefix;

	tg_trie_first((const char *)im + im->rate_trie.at, &cursor);
	while(tg_trie_next(&cursor, &prefix) == 0) {
		char text[TG_TRIE_MAX_DIGITS + 1];
		struct callroute_build_rate r, *to;

		memset(&r, 0, sizeof r);
		memcpy(text, prefix.prefix, prefix.len);
		text[prefix.len] = '\0';
		callroute_pack_prefix(text, &r.prefix);
		for(uint32_t i = groups[prefix.value]; i < groups[prefix.value + 1];
				i++) {
			uint32_t id = decks[rates[i].deck].id;
			uint32_t deck = callroute_index_of(&b->decks, sizeof *now, id);

			if(id == except_deck || deck == CALLROUTE_NONE
					|| !now[deck].out.enabled)
				continue;
			r.out = rates[i];
			r.out.deck = (uint16_t)deck;
			if(keep_terms(b, &terms[rates[i].terms], &r.out.terms) < 0)
				return -ENOMEM;
			to = callroute_grow(&b->rates, sizeof r, 1);
			if(to == NULL)
				return -ENOMEM;
			*to = r;
		}
	}
	return 0;
}

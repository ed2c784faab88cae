/*
 * Prices: one walk over the number, from the longest prefix to the shortest,
 * finds every vendor's rate and the selling price.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/decide/vendors.h"

#include <string.h>

static int fits_caller(
		const struct callroute_terms *t, const struct callroute_question *q)
{
	return t->src_len <= q->src_len
		   && (t->src_len == 0
				   || memcmp(t->src_prefix, q->src, t->src_len) == 0);
}

/* Of the rates of one deck, which start at `r` with the longest source prefix,
 * the first that holds now for this caller. NULL when none holds: an expired
 * rate must not hide the rate of a shorter prefix. */
static const struct callroute_rate *holding_rate(const struct callroute_case *c,
		const struct callroute_rate *r, const struct callroute_rate *end)
{
	const struct callroute_terms *terms =
			CALLROUTE_ROWS(c->im, struct callroute_terms, terms);
	uint16_t deck = r->deck;

	for(; r < end && r->deck == deck; r++) {
		const struct callroute_terms *t = &terms[r->terms];

		if(t->valid_from <= c->q->now && c->q->now < t->valid_till
				&& fits_caller(t, c->q))
			return r;
	}
	return NULL;
}

/* The first rate of a deck not below `deck`. Groups are mostly short and
 * searched step by step; long groups are halved first. */
static const struct callroute_rate *seek(const struct callroute_rate *r,
		const struct callroute_rate *end, uint32_t deck)
{
	while(end - r > 8) {
		const struct callroute_rate *mid = r + (end - r) / 2;

		if(mid->deck < deck)
			r = mid + 1;
		else
			end = mid;
	}
	while(r < end && r->deck < deck)
		r++;
	return r;
}

static void set_rate(struct callroute_vendor *v, const struct callroute_case *c,
		const struct callroute_rate *r, uint32_t prefix_len)
{
	const struct callroute_terms *t =
			&CALLROUTE_ROWS(c->im, struct callroute_terms, terms)[r->terms];

	v->rated = 1;
	v->price = callroute_rate_price(r);
	v->connect_fee = t->connect_fee;
	v->first_sec = t->first_sec;
	v->step_sec = t->step_sec;
	v->prefix_len = (uint8_t)prefix_len;
	v->fate = r->blocked ? CALLROUTE_FATE_RATE_BLOCKED : CALLROUTE_FATE_RANK;
}

/* Gives the rates of one prefix to the vendors that have none yet; both are
 * sorted by deck. `v` are the vendors of the plan. Returns how many got a
 * rate. */
static uint32_t settle_vendors(const struct callroute_case *c,
		struct callroute_vendor *v, const struct callroute_rate *r,
		const struct callroute_rate *end, uint32_t prefix_len)
{
	const struct callroute_entry *e =
			CALLROUTE_ROWS(c->im, struct callroute_entry, entries)
			+ c->plan->first;
	uint32_t count = c->plan->count, settled = 0, i = 0;

	while(i < count && r < end) {
		const struct callroute_rate *held;
		uint32_t deck = e[i].deck;

		if(v[i].rated || deck < r->deck) {
			i++;
			continue;
		}
		r = seek(r, end, deck);
		if(r == end || r->deck != deck)
			continue;
		held = holding_rate(c, r, end);
		for(; i < count && e[i].deck == deck; i++) {
			if(held == NULL || v[i].rated)
				continue;
			set_rate(&v[i], c, held, prefix_len);
			settled++;
		}
	}
	return settled;
}

/* Returns 1 when this prefix has the selling price. */
static uint32_t settle_sell(struct callroute_case *c,
		const struct callroute_rate *r, const struct callroute_rate *end)
{
	r = seek(r, end, c->plan->sell_deck);
	if(r == end || r->deck != c->plan->sell_deck)
		return 0;
	r = holding_rate(c, r, end);
	if(r == NULL)
		return 0;
	c->sell_price = callroute_rate_price(r);
	c->sell_blocked = r->blocked;
	return 1;
}

static void list_vendors(struct callroute_case *c)
{
	const struct callroute_entry *e =
			CALLROUTE_ROWS(c->im, struct callroute_entry, entries)
			+ c->plan->first;
	const uint32_t *targets = CALLROUTE_ROWS(c->im, uint32_t, targets);
	uint32_t ruled = c->rule != NULL ? c->rule->targets : 0;
	struct callroute_vendor *v = c->work->vendors;

	for(uint32_t i = 0; i < ruled; i++, v++)
		*v = (struct callroute_vendor){.price = -1,
				.first = i,
				.trunk = targets[c->rule->target + i],
				.entry = CALLROUTE_NONE};
	for(uint32_t i = 0; i < c->plan->count; i++, v++)
		*v = (struct callroute_vendor){.price = -1,
				.trunk = e[i].trunk,
				.entry = c->plan->first + i,
				.tier = 1};
	c->work->count = (int)(ruled + c->plan->count);
}

/* The price of a rule's trunk is the cheapest of its entries that hold for this
 * call; of equal prices, that of the lowest deck. If none has a price, a deck
 * that blocks the prefix excludes the rule's trunk too, whether or not the
 * entry's time holds: such a row says that calls to this prefix are not
 * wanted. */
static void price_target(
		const struct callroute_case *c, struct callroute_vendor *target)
{
	const struct callroute_entry *entries =
			CALLROUTE_ROWS(c->im, struct callroute_entry, entries);

	for(int i = c->rule->targets; i < c->work->count; i++) {
		const struct callroute_vendor *v = &c->work->vendors[i];

		if(v->trunk != target->trunk || !v->rated)
			continue;
		if(v->fate == CALLROUTE_FATE_RATE_BLOCKED) {
			if(!target->rated)
				target->fate = v->fate;
			continue;
		}
		if((target->rated && target->price <= v->price)
				|| callroute_judge_entry(c, &entries[v->entry])
						   != CALLROUTE_FATE_RANK)
			continue;
		target->rated = 1;
		target->fate = CALLROUTE_FATE_RANK;
		target->price = v->price;
		target->connect_fee = v->connect_fee;
		target->first_sec = v->first_sec;
		target->step_sec = v->step_sec;
		target->prefix_len = v->prefix_len;
	}
}

void callroute_price_vendors(struct callroute_case *c)
{
	struct tg_trie_match match[TG_TRIE_MAX_DIGITS + 1];
	const uint32_t *groups = CALLROUTE_ROWS(c->im, uint32_t, rate_groups);
	const struct callroute_rate *rates =
			CALLROUTE_ROWS(c->im, struct callroute_rate, rates);
	struct callroute_vendor *vendors;
	uint32_t open = c->plan->count;
	uint32_t sell = c->plan->sell_deck != CALLROUTE_NONE;
	int n;

	list_vendors(c);
	vendors = c->work->vendors + c->work->count - c->plan->count;
	n = tg_trie_walk((const char *)c->im + c->im->rate_trie.at, c->number,
			c->number_len, match, TG_TRIE_MAX_DIGITS + 1);
	for(int i = 0; i < n; i++)
		__builtin_prefetch(&groups[match[i].value]);
	while(n-- > 0 && (open > 0 || sell > 0)) {
		const struct callroute_rate *r = rates + groups[match[n].value];
		const struct callroute_rate *end = rates + groups[match[n].value + 1];

		if(open > 0)
			open -= settle_vendors(c, vendors, r, end, match[n].len);
		if(sell > 0)
			sell -= settle_sell(c, r, end);
	}
	for(int i = 0; c->rule != NULL && i < c->rule->targets; i++)
		price_target(c, &c->work->vendors[i]);
}

/*
 * Which vendors may carry the call, and then which are best. A vendor that may
 * not carry the call never takes a place among the candidates.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/decide/draw.h"
#include "callroute/decide/vendors.h"

#include <string.h>

/* --- eligibility ---------------------------------------------------------- */

static int has_country(
		const struct callroute_image *im, uint32_t set, uint16_t country)
{
	const struct callroute_countries *sets =
			CALLROUTE_ROWS(im, struct callroute_countries, countries);

	return set == CALLROUTE_ALL_COUNTRIES
		   || (sets[set].bits[country / 64] >> (country % 64) & 1);
}

static int earns_too_little(const struct callroute_case *c, int64_t price)
{
	const struct callroute_plan *p = c->plan;
	int64_t left = c->sell_price - price;

	if(p->sell_deck == CALLROUTE_NONE || c->emergency)
		return 0;
	/* Prices have 40 bits: no product overflows. */
	return left < p->min_margin
		   || left * 100 < c->sell_price * p->min_margin_pct;
}

enum callroute_fate callroute_judge_entry(
		const struct callroute_case *c, const struct callroute_entry *e)
{
	if(!has_country(c->im, e->src_countries, c->src_country))
		return CALLROUTE_FATE_SRC_COUNTRY;
	if(!has_country(c->im, e->dst_countries, c->dst_country))
		return CALLROUTE_FATE_DST_COUNTRY;
	return callroute_time_holds(c->im, e->time, c->q->now)
				   ? CALLROUTE_FATE_RANK
				   : CALLROUTE_FATE_TIME;
}

/* Judges the vendor by rates, rule and plan. */
static enum callroute_fate judge_terms(
		const struct callroute_case *c, const struct callroute_vendor *v)
{
	const struct callroute_entry *entries =
			CALLROUTE_ROWS(c->im, struct callroute_entry, entries);
	enum callroute_fate fate = CALLROUTE_FATE_RANK;
	int ruled = v->entry == CALLROUTE_NONE;

	if(!ruled && c->rule != NULL && c->rule->stop)
		return CALLROUTE_FATE_RULE;
	if(!ruled && !v->rated)
		return CALLROUTE_FATE_NO_RATE;
	if(v->fate == CALLROUTE_FATE_RATE_BLOCKED)
		return CALLROUTE_FATE_RATE_BLOCKED;
	if(!ruled)
		fate = callroute_judge_entry(c, &entries[v->entry]);
	if(fate != CALLROUTE_FATE_RANK)
		return fate;
	if(!v->rated)
		return c->plan->looks_at_margin ? CALLROUTE_FATE_PRICE_UNKNOWN
										: CALLROUTE_FATE_RANK;
	return earns_too_little(c, v->price) ? CALLROUTE_FATE_MARGIN
										 : CALLROUTE_FATE_RANK;
}

enum callroute_trunk_state callroute_state_of(
		const struct callroute_live *live, const struct callroute_trunk *t)
{
	switch(callroute_live_admin(live, (int)t->live)) {
		case CALLROUTE_ADMIN_UP:
			return CALLROUTE_UP;
		case CALLROUTE_ADMIN_DRAIN:
			return CALLROUTE_DRAIN;
		case CALLROUTE_ADMIN_DOWN:
			return CALLROUTE_DOWN;
		case CALLROUTE_ADMIN_NONE:
			break;
	}
	return (enum callroute_trunk_state)t->state;
}

/* Judges the vendor by the live state of its trunk. */
static enum callroute_fate judge_trunk(
		const struct callroute_case *c, const struct callroute_trunk *t)
{
	const struct callroute_carrier *carriers =
			CALLROUTE_ROWS(c->im, struct callroute_carrier, carriers);

	if(callroute_state_of(c->live, t) != CALLROUTE_UP)
		return CALLROUTE_FATE_ADMIN;
	if(!carriers[t->carrier].enabled)
		return CALLROUTE_FATE_CARRIER;
	if(t->probe_interval > 0 && !callroute_health_is_up(c->live, (int)t->live))
		return CALLROUTE_FATE_PROBES;
	if(t->has_breaker
			&& !callroute_breaker_allows(
					c->live, (int)t->live, &t->breaker, c->q->clock))
		return CALLROUTE_FATE_BREAKER;
	return CALLROUTE_FATE_RANK;
}

enum callroute_fate callroute_judge_vendors(struct callroute_case *c)
{
	const struct callroute_trunk *trunks =
			CALLROUTE_ROWS(c->im, struct callroute_trunk, trunks);
	enum callroute_fate best = CALLROUTE_FATE_RULE;

	for(int i = 0; i < c->work->count; i++) {
		struct callroute_vendor *v = &c->work->vendors[i];
		enum callroute_fate fate = judge_terms(c, v);

		if(c->emergency && v->entry == CALLROUTE_NONE)
			fate = CALLROUTE_FATE_RANK;
		if(fate == CALLROUTE_FATE_RANK) {
			fate = judge_trunk(c, &trunks[v->trunk]);
			/* An emergency call also tries trunks that are down, after all
			 * others. */
			if(c->emergency && v->entry == CALLROUTE_NONE
					&& fate != CALLROUTE_FATE_RANK) {
				v->tier = 2;
				fate = CALLROUTE_FATE_RANK;
			}
		}
		v->fate = (uint8_t)fate;
		if(fate != CALLROUTE_FATE_RANK && fate > best)
			best = fate;
	}
	return best;
}

/* --- order ---------------------------------------------------------------- */

static void set_keys(const struct callroute_case *c, struct callroute_vendor *v)
{
	const struct callroute_trunk *t =
			&CALLROUTE_ROWS(c->im, struct callroute_trunk, trunks)[v->trunk];
	const struct callroute_entry *e;

	if(v->entry == CALLROUTE_NONE)
		return; /* a rule's own order */
	e = &CALLROUTE_ROWS(c->im, struct callroute_entry, entries)[v->entry];
	switch((enum callroute_order)c->plan->order) {
		case CALLROUTE_BY_PRICE:
			v->first = v->price;
			v->second = e->priority;
			break;
		case CALLROUTE_BY_PRIORITY:
			v->first = e->priority;
			v->second = v->price;
			break;
		case CALLROUTE_BY_QUALITY:
			v->quality = (uint16_t)callroute_quality_score(
					c->live, (int)t->live, c->dst_country, c->q->clock);
			/* In steps of two per cent: about equal quality is ordered by
			 * price. */
			v->first = -(v->quality / CALLROUTE_QUALITY_STEP);
			v->second = v->price;
			break;
	}
}

/* Drawn only when two vendors are equal, which is rare. */
static double share_of(
		const struct callroute_case *c, struct callroute_vendor *v)
{
	uint64_t seed = c->q->seed + (uint64_t)(v - c->work->vendors);

	if(v->share == 0)
		v->share = callroute_share(
				v->entry == CALLROUTE_NONE
						? 1
						: CALLROUTE_ROWS(c->im, struct callroute_entry,
								entries)[v->entry]
								  .weight,
				&seed);
	return v->share;
}

static int before(const struct callroute_case *c, struct callroute_vendor *a,
		struct callroute_vendor *b)
{
	if(a->tier != b->tier)
		return a->tier < b->tier;
	if(a->first != b->first)
		return a->first < b->first;
	if(a->second != b->second)
		return a->second < b->second;
	return share_of(c, a) < share_of(c, b);
}

/* A heap of vendors, the best on top. */
struct heap
{
	int count;
	uint16_t at[CALLROUTE_VENDORS_MAX];
};

static void sink(const struct callroute_case *c, struct heap *h, int i)
{
	struct callroute_vendor *v = c->work->vendors;
	uint16_t moved = h->at[i];

	for(int child; (child = 2 * i + 1) < h->count; i = child) {
		if(child + 1 < h->count
				&& before(c, &v[h->at[child + 1]], &v[h->at[child]]))
			child++;
		if(!before(c, &v[h->at[child]], &v[moved]))
			break;
		h->at[i] = h->at[child];
	}
	h->at[i] = moved;
}

static struct callroute_vendor *take_best(
		const struct callroute_case *c, struct heap *h)
{
	struct callroute_vendor *v = &c->work->vendors[h->at[0]];

	h->at[0] = h->at[--h->count];
	if(h->count > 0)
		sink(c, h, 0);
	return v;
}

void callroute_claim_of(const struct callroute_image *im,
		const struct callroute_trunk *t, struct callroute_claim *claim)
{
	const struct callroute_carrier *c =
			&CALLROUTE_ROWS(im, struct callroute_carrier, carriers)[t->carrier];

	*claim = (struct callroute_claim){.trunk = t->id, .carrier = c->id};
	claim->limit[CALLROUTE_OWNER_TRUNK] =
			(struct callroute_limit){t->max_channels, t->max_cps};
	claim->limit[CALLROUTE_OWNER_CARRIER] =
			(struct callroute_limit){c->max_channels, c->max_cps};
}

static enum callroute_fate judge_capacity(
		const struct callroute_case *c, const struct callroute_trunk *t)
{
	struct callroute_claim claim;

	callroute_claim_of(c->im, t, &claim);
	switch(callroute_capacity_peek(c->live, &claim, NULL, c->q->clock)) {
		case 0:
			return CALLROUTE_FATE_RANK;
		case CALLROUTE_TRUNK_CHANNELS:
			return CALLROUTE_FATE_CHANNELS;
		case CALLROUTE_TRUNK_CPS:
			return CALLROUTE_FATE_CPS;
		case CALLROUTE_CARRIER_CPS:
			return CALLROUTE_FATE_CARRIER_CPS;
		default:
			return CALLROUTE_FATE_CARRIER_CHANNELS;
	}
}

/* A trunk with prices in several decks takes only its best place: after it
 * failed there is no point in trying it again. */
static int is_chosen(const struct callroute_case *c,
		const struct callroute_candidate *out, int n, uint32_t trunk)
{
	for(int i = 0; i < n; i++) {
		if(c->work->vendors[out[i].place].trunk == trunk)
			return 1;
	}
	return 0;
}

int callroute_rank_vendors(struct callroute_case *c, enum callroute_fate *best,
		struct callroute_candidate *out)
{
	const struct callroute_trunk *trunks =
			CALLROUTE_ROWS(c->im, struct callroute_trunk, trunks);
	/* max_attempts is a limit, and emergency calls have no limits. */
	int most = c->emergency ? CALLROUTE_CANDIDATES : c->plan->max_attempts;
	struct heap h;
	int n = 0;

	h.count = 0;
	for(int i = 0; i < c->work->count; i++) {
		if(c->work->vendors[i].fate != CALLROUTE_FATE_RANK)
			continue;
		set_keys(c, &c->work->vendors[i]);
		h.at[h.count++] = (uint16_t)i;
	}
	for(int i = h.count / 2 - 1; i >= 0; i--)
		sink(c, &h, i);
	while(h.count > 0 && n < most) {
		struct callroute_vendor *v = take_best(c, &h);
		const struct callroute_trunk *t = &trunks[v->trunk];

		if(is_chosen(c, out, n, v->trunk)) {
			v->fate = CALLROUTE_FATE_TWICE;
			continue;
		}
		if(!c->emergency)
			v->fate = (uint8_t)judge_capacity(c, t);
		if(v->fate != CALLROUTE_FATE_RANK) {
			if(v->fate > *best)
				*best = (enum callroute_fate)v->fate;
			continue;
		}
		v->fate = CALLROUTE_FATE_CHOSEN;
		out[n++] = (struct callroute_candidate){.price = v->price,
				.connect_fee = v->connect_fee,
				.trunk_id = t->id,
				.first_sec = v->first_sec,
				.step_sec = v->step_sec,
				.quality = v->quality,
				.prefix_len = v->prefix_len,
				.place = (uint16_t)(v - c->work->vendors)};
	}
	return n;
}

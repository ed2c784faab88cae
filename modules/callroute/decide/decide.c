/*
 * The steps of the decision, in this order: emergency, block lists, rules,
 * portability, selling price, vendors, rank. See callroute.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/decide/vendors.h"
#include "lib/geo/country.h"

#include <string.h>

static const char *const fates[CALLROUTE_FATES] = {
		[CALLROUTE_FATE_RULE] = "rule",
		[CALLROUTE_FATE_NO_RATE] = "no_rate",
		[CALLROUTE_FATE_RATE_BLOCKED] = "rate_blocked",
		[CALLROUTE_FATE_SRC_COUNTRY] = "src_country",
		[CALLROUTE_FATE_DST_COUNTRY] = "dst_country",
		[CALLROUTE_FATE_TIME] = "time",
		[CALLROUTE_FATE_MARGIN] = "margin",
		[CALLROUTE_FATE_PRICE_UNKNOWN] = "price_unknown",
		[CALLROUTE_FATE_ADMIN] = "admin",
		[CALLROUTE_FATE_CARRIER] = "carrier",
		[CALLROUTE_FATE_PROBES] = "probes",
		[CALLROUTE_FATE_BREAKER] = "breaker",
		[CALLROUTE_FATE_CPS] = "cps",
		[CALLROUTE_FATE_CHANNELS] = "channels",
		[CALLROUTE_FATE_CARRIER_CPS] = "carrier_cps",
		[CALLROUTE_FATE_CARRIER_CHANNELS] = "carrier_channels",
		[CALLROUTE_FATE_TWICE] = "twice",
		[CALLROUTE_FATE_RANK] = "rank",
		[CALLROUTE_FATE_CHOSEN] = "chosen",
};

const char *callroute_fate_name(enum callroute_fate fate)
{
	return (unsigned)fate < CALLROUTE_FATES ? fates[fate] : "";
}

static void refuse(struct callroute_answer *a, int verdict, const char *reason)
{
	a->verdict = verdict;
	a->reason = reason;
}

/* When no vendor is left: the verdict is the fate of the vendor that came
 * closest. */
static void refuse_by_fate(struct callroute_answer *a, enum callroute_fate best)
{
	if(best <= CALLROUTE_FATE_NO_RATE)
		refuse(a, CALLROUTE_NO_PREFIX, "no_prefix");
	else if(best == CALLROUTE_FATE_RATE_BLOCKED)
		refuse(a, CALLROUTE_BLOCKED, "blocked");
	else if(best <= CALLROUTE_FATE_DST_COUNTRY)
		refuse(a, CALLROUTE_BLOCKED, fates[best]);
	else if(best == CALLROUTE_FATE_TIME)
		refuse(a, CALLROUTE_OUTSIDE_TIME, "time");
	else if(best <= CALLROUTE_FATE_PRICE_UNKNOWN)
		refuse(a, CALLROUTE_NO_MARGIN, fates[best]);
	else if(best <= CALLROUTE_FATE_BREAKER)
		refuse(a, CALLROUTE_ALL_DOWN, "all_down");
	else
		refuse(a, CALLROUTE_NO_CAPACITY, "no_capacity");
}

static int is_number(const char *s, size_t len)
{
	if(len == 0 || len > CALLROUTE_NUMBER_MAX)
		return 0;
	for(size_t i = 0; i < len; i++) {
		if((s[i] < '0' || s[i] > '9') && s[i] != '*' && s[i] != '#')
			return 0;
	}
	return 1;
}

/* --- block lists ---------------------------------------------------------- */

static int is_blocked(const struct callroute_image *im,
		const struct callroute_table *trie, const struct callroute_table *spans,
		uint32_t plan, const char *number, size_t len)
{
	struct tg_trie_match match[TG_TRIE_MAX_DIGITS + 1];
	const struct callroute_block *blocks =
			CALLROUTE_ROWS(im, struct callroute_block, blocks);
	const struct callroute_span *span =
			(const struct callroute_span *)((const char *)im + spans->at);
	int n;

	if(spans->count == 0)
		return 0;
	n = tg_trie_walk((const char *)im + trie->at, number, len, match,
			TG_TRIE_MAX_DIGITS + 1);
	while(n-- > 0) {
		const struct callroute_span *s = &span[match[n].value];

		for(uint32_t i = s->first; i < s->first + s->count; i++) {
			if(blocks[i].plan == CALLROUTE_NONE || blocks[i].plan == plan)
				return 1;
		}
	}
	return 0;
}

/* --- rules ---------------------------------------------------------------- */

static int starts_with(
		const char *s, size_t len, const char *prefix, size_t plen)
{
	return plen == 0 || (len >= plen && memcmp(s, prefix, plen) == 0);
}

struct rule_search
{
	const struct callroute_image *im;
	const struct callroute_question *q;
	uint32_t plan;
	int emergency; /* 1: only emergency rules, 0: only other rules */
	int any_src;   /* 1: for any caller */
};

/* The best rule of one prefix. The rules are sorted, so it is the first that
 * fits. */
static const struct callroute_rule *find_in_span(const struct rule_search *f,
		const struct callroute_span *s, size_t prefix_len)
{
	const struct callroute_rule *rules =
			CALLROUTE_ROWS(f->im, struct callroute_rule, rules);
	uint32_t lo = s->first, hi = s->first + s->count;

	while(lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if(rules[mid].plan < f->plan)
			lo = mid + 1;
		else
			hi = mid;
	}
	for(; lo < s->first + s->count && rules[lo].plan == f->plan; lo++) {
		const struct callroute_rule *r = &rules[lo];

		if((r->action == CALLROUTE_EMERGENCY) != f->emergency
				|| (f->emergency && prefix_len != f->q->number_len)
				|| (!f->any_src
						&& !starts_with(f->q->src, f->q->src_len, r->src_prefix,
								r->src_len))
				|| !callroute_time_holds(f->im, r->time, f->q->now))
			continue;
		return r;
	}
	return NULL;
}

static const struct callroute_rule *find_rule(const struct rule_search *f)
{
	struct tg_trie_match match[TG_TRIE_MAX_DIGITS + 1];
	const struct callroute_span *spans =
			CALLROUTE_ROWS(f->im, struct callroute_span, rule_spans);
	const struct callroute_rule *best = NULL;
	int n;

	if(f->im->rules.count == 0)
		return NULL;
	n = tg_trie_walk((const char *)f->im + f->im->rule_trie.at, f->q->number,
			f->q->number_len, match, TG_TRIE_MAX_DIGITS + 1);
	/* Longest prefix first: a shorter prefix wins only by a better priority. */
	while(n-- > 0) {
		const struct callroute_rule *r =
				find_in_span(f, &spans[match[n].value], match[n].len);

		if(r != NULL && (best == NULL || r->priority < best->priority))
			best = r;
	}
	return best;
}

static uint32_t plan_index(
		const struct callroute_image *im, const struct callroute_plan *plan)
{
	return (uint32_t)(plan - CALLROUTE_ROWS(im, struct callroute_plan, plans));
}

int callroute_is_emergency_number(const struct callroute_image *im,
		const struct callroute_plan *plan, const char *number, size_t len,
		int64_t now)
{
	struct callroute_question q = {
			.number = number, .number_len = len, .src = "", .now = now};
	struct rule_search f = {im, &q, plan_index(im, plan), 1, 1};

	return is_number(number, len) && find_rule(&f) != NULL;
}

/* --- the whole ------------------------------------------------------------ */

static uint16_t country_of(const char *number, size_t len)
{
	int index = len > 0 ? tg_country_index_of(number, len) : -1;

	return index < 0 ? 0 : (uint16_t)(index + 1);
}

static int redirect(const struct callroute_image *im,
		const struct callroute_rule *rule, struct callroute_answer *a)
{
	const char *target = callroute_text(im, rule->target);
	size_t len = strlen(target);

	memcpy(a->redirect, target, len + 1); /* fits: checked at load */
	refuse(a, CALLROUTE_REDIRECTED, "redirect");
	return 0;
}

/* Steps 1 to 3. Returns 0 when the answer is complete. */
static int obey_rules(const struct callroute_image *im,
		const struct callroute_question *q, struct callroute_case *c,
		struct callroute_answer *a)
{
	struct rule_search f = {im, q, plan_index(im, c->plan), 1, 0};

	c->rule = find_rule(&f);
	if(c->rule == NULL) {
		/* An emergency centre of another area is better than none. */
		f.any_src = 1;
		c->rule = find_rule(&f);
		f.any_src = 0;
	}
	if(c->rule != NULL) {
		a->emergency = c->emergency = 1;
		a->rule_id = c->rule->id;
		return 1;
	}
	if(is_blocked(im, &im->block_dst_trie, &im->block_dst_spans, f.plan,
			   q->number, q->number_len)) {
		refuse(a, CALLROUTE_BLOCKED, "dst_block");
		return 0;
	}
	if(is_blocked(im, &im->block_src_trie, &im->block_src_spans, f.plan, q->src,
			   q->src_len)) {
		refuse(a, CALLROUTE_BLOCKED, "src_block");
		return 0;
	}
	f.emergency = 0;
	c->rule = find_rule(&f);
	if(c->rule == NULL)
		return 1;
	a->rule_id = c->rule->id;
	if(c->rule->action == CALLROUTE_BLOCK) {
		refuse(a, CALLROUTE_BLOCKED, "rule_block");
		return 0;
	}
	return c->rule->action == CALLROUTE_REDIRECT ? redirect(im, c->rule, a) : 1;
}

/* Step 5, after the walk that finds all prices. Returns 0 when the answer is
 * complete. */
static int check_sell(
		const struct callroute_case *c, struct callroute_answer *a)
{
	a->sell = c->sell_price;
	if(c->plan->sell_deck == CALLROUTE_NONE || c->emergency)
		return 1;
	if(c->sell_blocked) {
		refuse(a, CALLROUTE_BLOCKED, "sell_blocked");
		return 0;
	}
	/* An unknown price is not a price of 0. */
	if(c->sell_price < 0) {
		refuse(a, CALLROUTE_NO_MARGIN, "no_sell_price");
		return 0;
	}
	return 1;
}

static int account_has_room(struct callroute_live *live,
		const struct callroute_question *q, struct callroute_answer *a)
{
	struct callroute_claim claim = {.account = q->account};
	int refused;

	claim.limit[CALLROUTE_OWNER_ACCOUNT] = q->account_limit;
	refused = callroute_capacity_peek(live, &claim, NULL, q->clock);

	if(refused == 0)
		return 1;
	refuse(a, CALLROUTE_NO_CAPACITY,
			refused == CALLROUTE_ACCOUNT_CPS ? "account_cps"
											 : "account_channels");
	return 0;
}

void callroute_decide(const struct callroute_image *im,
		struct callroute_live *live, const struct callroute_question *q,
		struct callroute_work *work, struct callroute_answer *a)
{
	struct callroute_case c = {.im = im,
			.live = live,
			.q = q,
			.work = work,
			.number = q->number,
			.number_len = q->number_len,
			.sell_price = -1};
	enum callroute_fate best;

	memset(a, 0, offsetof(struct callroute_answer, candidates));
	a->sell = -1;
	work->count = 0;
	if(im == NULL) {
		refuse(a, CALLROUTE_NO_DATA, "no_data");
		return;
	}
	c.plan = q->plan != NULL ? callroute_find_plan(im, q->plan, q->plan_len)
							 : callroute_find_plan_id(im, q->plan_id);
	if(c.plan == NULL) {
		refuse(a, CALLROUTE_NO_DATA, "no_plan");
		return;
	}
	a->plan_id = c.plan->id;
	memcpy(a->plan, c.plan->name, sizeof a->plan);
	if(!is_number(q->number, q->number_len)) {
		refuse(a, CALLROUTE_NO_PREFIX, "not_a_number");
		return;
	}
	if(!obey_rules(im, q, &c, a))
		return;
	if(c.plan->use_lnp && !c.emergency)
		a->routing_len = (uint8_t)callroute_find_ported(
				im, q->number, q->number_len, a->routing_number);
	if(a->routing_len > 0) {
		c.number = a->routing_number;
		c.number_len = a->routing_len;
	}
	a->dst_country = c.dst_country = country_of(c.number, c.number_len);
	a->src_country = c.src_country = country_of(q->src, q->src_len);
	callroute_price_vendors(&c);
	if(!check_sell(&c, a)) {
		work->count = 0; /* no vendor was judged, so explain has no fates */
		return;
	}
	best = callroute_judge_vendors(&c);
	a->count = callroute_rank_vendors(&c, &best, a->candidates);
	if(a->count == 0)
		refuse_by_fate(a, best);
	else if(c.emergency || account_has_room(live, q, a))
		refuse(a, CALLROUTE_OK, "ok");
	else
		a->count = 0;
}

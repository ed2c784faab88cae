/*
 * Judging: which rules apply, what they count, and the verdict.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/decide/judge.h"
#include "fraudguard/live/bans.h"
#include "fraudguard/live/calls.h"
#include "fraudguard/live/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Key spaces of the hash: what is counted under an id. */
#define SPACE_SAID 1
#define SPACE_OWNER 2
#define SPACE_CALL 3

#define SAID_INTERVAL_US 60000000 /* one log line a minute for a rule and key */

/* The source or account that is being judged. */
struct subject
{
	const struct fraudguard_tables *t;
	const char *key;  /* text key */
	const char *name; /* compared with a rule's match */
	struct tg_cells *cells;
	struct tg_store *bans;
	int bannable;
	const char *callid;
	size_t callid_len;
	struct fraudguard_now now;
	struct fraudguard_answer *out;
};

static int is_enforced(const struct fraudguard_rule *r)
{
	return r->mode == FRAUDGUARD_ENFORCE && r->action != FRAUDGUARD_LOG;
}

/* Whether the rule counts only events that pass all rules. */
static int counts_passed(const struct fraudguard_rule *r)
{
	return r->mode == FRAUDGUARD_ENFORCE && r->action == FRAUDGUARD_REFUSE;
}

static void describe(const struct subject *s, const struct fraudguard_rule *r,
		uint32_t observed, struct fraudguard_hit *h)
{
	uint64_t retry;
	uint64_t id = tg_hash_id(&s->t->key, SPACE_SAID ^ fraudguard_rule_space(r),
			s->key, strlen(s->key));

	memset(h, 0, sizeof *h);
	memcpy(h->rule, r->name, sizeof h->rule);
	memcpy(h->reason, r->reason, sizeof h->reason);
	snprintf(h->key, sizeof h->key, "%s", s->key);
	snprintf(h->callid, sizeof h->callid, "%.*s",
			(int)(s->callid_len < sizeof h->callid ? s->callid_len
												   : sizeof h->callid - 1),
			s->callid);
	h->observed = observed;
	h->threshold = r->threshold;
	h->window_sec = r->window_sec;
	h->code = r->code;
	h->metric = r->metric;
	h->action = r->action;
	h->mode = r->mode;
	/* If this mark finds no room, the hit is logged. */
	h->is_new = tg_cells_take(
						s->cells, id, SAID_INTERVAL_US, 1, s->now.mono, &retry)
				!= -EAGAIN;
}

/* What an answer must not leave out: first bans, then refusals. */
static int weight(const struct fraudguard_hit *h)
{
	if(h->until != 0)
		return 2;
	return h->mode == FRAUDGUARD_ENFORCE && h->action != FRAUDGUARD_LOG;
}

static void report(
		struct fraudguard_answer *out, const struct fraudguard_hit *h)
{
	struct fraudguard_hit *least = &out->event[0];

	if(out->events < FRAUDGUARD_EVENTS) {
		out->event[out->events++] = *h;
		return;
	}
	for(int i = 1; i < FRAUDGUARD_EVENTS; i++) {
		if(weight(&out->event[i]) < weight(least))
			least = &out->event[i];
	}
	if(weight(least) < weight(h))
		*least = *h;
}

/* Writes the rule's ban and sets h->until. Returns whether it is written. */
static int ban(struct subject *s, struct fraudguard_hit *h, uint32_t seconds)
{
	struct fraudguard_ban b = {.observed = h->observed,
			.threshold = h->threshold,
			.window_sec = h->window_sec,
			.code = h->code,
			.metric = h->metric};

	memcpy(b.key, h->key, sizeof b.key);
	memcpy(b.rule, h->rule, sizeof b.rule);
	memcpy(b.callid, h->callid, sizeof b.callid);
	if(fraudguard_write_ban(s->bans, &s->t->key, &b, seconds, s->now) < 0)
		return 0;
	h->until = b.until;
	return 1;
}

/* Refuses if the key is banned. Returns whether it is. */
static int is_banned(struct subject *s)
{
	struct fraudguard_hit *h = &s->out->hit;
	struct fraudguard_ban b;

	if(fraudguard_find_ban(s->bans, &s->t->key, s->key, s->now, &b) < 0)
		return 0;
	s->out->verdict = FRAUDGUARD_BANNED;
	memset(h, 0, sizeof *h);
	memcpy(h->rule, b.rule, sizeof h->rule);
	memcpy(h->key, b.key, sizeof h->key);
	memcpy(h->callid, b.callid, sizeof h->callid);
	snprintf(h->reason, sizeof h->reason, "Banned");
	h->observed = b.observed;
	h->threshold = b.threshold;
	h->window_sec = b.window_sec;
	h->until = b.until;
	h->metric = b.metric;
	h->code = b.code ? b.code : 403;
	h->action = FRAUDGUARD_BAN;
	h->mode = FRAUDGUARD_ENFORCE;
	return 1;
}

static void fire(
		struct subject *s, const struct fraudguard_rule *r, uint32_t observed)
{
	struct fraudguard_answer *out = s->out;
	struct fraudguard_hit h;
	int banned;

	describe(s, r, observed, &h);
	if(!is_enforced(r)) {
		if(out->verdict == FRAUDGUARD_PASS)
			out->verdict = FRAUDGUARD_WATCHED;
		report(out, &h);
		return;
	}
	banned = r->action == FRAUDGUARD_BAN && s->bannable
			 && ban(s, &h, r->ban_sec);
	report(out, &h);
	if(out->verdict < 0)
		return; /* the refusal of an earlier rule is the verdict */
	out->hit = h;
	if(banned)
		out->verdict = FRAUDGUARD_BANNED;
	else
		out->verdict = r->metric == FRAUDGUARD_CONCURRENT_CALLS
							   ? FRAUDGUARD_EXPOSURE
							   : FRAUDGUARD_RATE;
}

/* Whether the rule is for this subject. The subject's own rules of a metric
 * replace the '*' rules. */
static int applies(const struct fraudguard_image *im,
		const struct fraudguard_rule *r, const char *name)
{
	if(r->match[0] != '\0')
		return strcmp(r->match, name) == 0;
	for(uint32_t i = im->first[r->metric]; i < im->first[r->metric + 1]; i++) {
		if(im->rule[i].match[0] != '\0' && im->rule[i].mode >= r->mode
				&& strcmp(im->rule[i].match, name) == 0)
			return 0;
	}
	return 1;
}

static void count(struct subject *s, const struct fraudguard_rule *r)
{
	uint64_t id = fraudguard_count_id(s->t, r, s->key);
	uint64_t window = (uint64_t)r->window_sec * 1000000;
	uint32_t observed;
	int rc = counts_passed(r) ? tg_cells_add_limited(s->cells, id, 1,
					 r->threshold, window, s->now.mono, &observed)
							  : tg_cells_add(s->cells, id, 1, window,
									  s->now.mono, &observed);

	if(rc == -EDQUOT)
		fire(s, r, observed + 1);
	else if(rc < 0)
		s->out->untracked++;
	else if(observed > r->threshold)
		fire(s, r, observed);
}

/* Judges by the rules that count events in a window. Rules that count all
 * events count here; rules that count only what passes just read their
 * count. */
static void judge_window(
		struct subject *s, const struct fraudguard_image *im, int metric)
{
	for(uint32_t i = im->first[metric]; i < im->first[metric + 1]; i++) {
		const struct fraudguard_rule *r = &im->rule[i];
		uint32_t observed;
		uint64_t id;

		if(!applies(im, r, s->name))
			continue;
		if(!counts_passed(r)) {
			count(s, r);
			continue;
		}
		id = fraudguard_count_id(s->t, r, s->key);
		tg_cells_peek(s->cells, id, (uint64_t)r->window_sec * 1000000,
				s->now.mono, &observed);
		if(observed >= r->threshold)
			fire(s, r, observed + 1);
	}
}

/* Counts an event that passed all rules. Another process may have counted since
 * the count was read. So counting checks the limit again in the same step, and
 * the limit holds. (One exception: when several processes see a key for the
 * first time and one of them is stopped meanwhile, the key may have two cells
 * in its first window, and one call more passes; see
 * lib/table/cells_claim.c.) */
static void count_passed(
		struct subject *s, const struct fraudguard_image *im, int metric)
{
	for(uint32_t i = im->first[metric]; i < im->first[metric + 1]; i++) {
		if(counts_passed(&im->rule[i]) && applies(im, &im->rule[i], s->name))
			count(s, &im->rule[i]);
	}
}

void fraudguard_judge_source(const struct fraudguard_tables *t,
		const struct fraudguard_image *im,
		const struct fraudguard_source *source, struct fraudguard_now now,
		struct fraudguard_answer *out)
{
	char key[FRAUDGUARD_KEY_MAX];
	struct subject s = {.t = t,
			.key = key,
			.name = key + 3,
			.cells = t->sources,
			.bans = t->source_bans,
			.bannable = source->verified,
			.callid = source->callid,
			.callid_len = source->callid_len,
			.now = now,
			.out = out};

	out->verdict = FRAUDGUARD_PASS;
	out->hit.rule[0] = '\0';
	out->events = out->untracked = 0;
	if(im == NULL || fraudguard_source_is_allowed(im, source->addr))
		return;
	fraudguard_source_key(source->addr, key);
	if(is_banned(&s))
		return;
	judge_window(&s, im, FRAUDGUARD_SOURCE_REQUESTS);
	if(out->verdict > 0)
		count_passed(&s, im, FRAUDGUARD_SOURCE_REQUESTS);
}

uint64_t fraudguard_call_id(
		const struct fraudguard_tables *t, const char *callid, size_t len)
{
	return tg_hash_id(&t->key, SPACE_CALL, callid, len);
}

/* The lowest enforced limit; 0 = none. With it the lease is taken and judged in
 * one step. */
static uint32_t lowest_limit(
		const struct fraudguard_image *im, const char *account, int *has_zero)
{
	uint32_t lowest = 0;

	*has_zero = 0;
	if(im == NULL)
		return 0;
	for(uint32_t i = im->first[FRAUDGUARD_CONCURRENT_CALLS];
			i < im->first[FRAUDGUARD_CONCURRENT_CALLS + 1]; i++) {
		const struct fraudguard_rule *r = &im->rule[i];

		if(!is_enforced(r) || !applies(im, r, account))
			continue;
		*has_zero |= r->threshold == 0;
		if(lowest == 0 || r->threshold < lowest)
			lowest = r->threshold;
	}
	return lowest;
}

static void fire_gauge(
		struct subject *s, const struct fraudguard_image *im, uint32_t calls)
{
	for(uint32_t i = im->first[FRAUDGUARD_CONCURRENT_CALLS];
			i < im->first[FRAUDGUARD_CONCURRENT_CALLS + 1]; i++) {
		const struct fraudguard_rule *r = &im->rule[i];

		if(calls > r->threshold && applies(im, r, s->name))
			fire(s, r, calls);
	}
}

/* Counts the call for the account and judges the number of its calls; without
 * rules (NULL) it only counts. Returns 1 when the account holds the call now
 * and did not before. */
static int judge_gauge(struct subject *s, const struct fraudguard_image *im,
		const struct fraudguard_call *call, uint64_t owner)
{
	const struct fraudguard_tables *t = s->t;
	uint64_t now = s->now.mono, expires = now + call->lease_us;
	uint32_t calls = 0, limit;
	int has_zero, rc = -EDQUOT;

	if(fraudguard_call_holds(t, call->call, owner, now)) {
		/* A retransmission of a call that passed: prolong its lease. */
		fraudguard_call_take(t, call->call, owner, 0, expires, now, &calls);
		return 0;
	}
	limit = lowest_limit(im, s->name, &has_zero);
	if(has_zero)
		calls = tg_lease_count(t->leases, owner, now);
	else
		rc = fraudguard_call_take(
				t, call->call, owner, limit, expires, now, &calls);
	if(rc == -EDQUOT)
		calls++; /* the count with this call */
	else if(rc < 0)
		s->out->untracked++;
	if(im != NULL)
		fire_gauge(s, im, calls);
	return rc == 0;
}

void fraudguard_judge_call(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const struct fraudguard_call *call,
		struct fraudguard_now now, struct fraudguard_answer *out)
{
	char key[FRAUDGUARD_KEY_MAX];
	uint64_t owner;
	int is_new;
	struct subject s = {.t = t,
			.key = key,
			.name = key + 8,
			.cells = t->accounts,
			.bans = t->account_bans,
			.bannable = 1,
			.callid = call->callid,
			.callid_len = call->callid_len,
			.now = now,
			.out = out};

	out->verdict = FRAUDGUARD_PASS;
	out->hit.rule[0] = '\0';
	out->events = out->untracked = 0;
	if(im == NULL)
		return;
	snprintf(key, sizeof key, "account:%.*s",
			(int)(call->account_len < FRAUDGUARD_MATCH_MAX
							? call->account_len
							: FRAUDGUARD_MATCH_MAX - 1),
			call->account);
	owner = tg_hash_id(&t->key, SPACE_OWNER, key, strlen(key));
	/* A name that was cut to fit must not match a name on the list. */
	if(call->account_len < FRAUDGUARD_MATCH_MAX
			&& fraudguard_account_is_allowed(im, s.name)) {
		/* Its calls are still counted, so that their number is known. */
		judge_gauge(&s, NULL, call, owner);
		return;
	}
	if(is_banned(&s))
		return;
	judge_window(&s, im, FRAUDGUARD_CALL_ATTEMPTS);
	if(out->verdict < 0)
		return;
	is_new = judge_gauge(&s, im, call, owner);
	if(out->verdict > 0)
		count_passed(&s, im, FRAUDGUARD_CALL_ATTEMPTS);
	if(out->verdict < 0 && is_new)
		fraudguard_call_drop(t, call->call, owner, now.mono);
}

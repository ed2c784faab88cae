/*
 * Judging: which rules apply, what they count, what comes of it. Bans are in
 * bans.c, calls and their leases in calls.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/bans.h"
#include "fraudguard/calls.h"
#include "fraudguard/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Key spaces of the hash: what is counted under an id. */
#define SPACE_COUNT 0x100 /* + hash of the rule, see rule_space */
#define SPACE_SAID 1
#define SPACE_OWNER 2
#define SPACE_CALL 3

#define SAID_INTERVAL_US 60000000 /* one line a minute for one rule and key */

/* FNV-1a: rules come from the operator. */
static uint32_t mix(uint32_t h, const void *data, size_t len)
{
	for(size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
	return h;
}

/* Counts of a rule survive a reload: its name, not its place, is the space. And
 * its window: a count kept in windows of one length means nothing in others. */
static uint32_t rule_space(const struct fraudguard_rule *r)
{
	uint32_t h = mix(2166136261u, r->name, strlen(r->name));

	return mix(h, &r->window_sec, sizeof r->window_sec) | SPACE_COUNT;
}

/* What a verdict is about, while it is being made. */
struct subject
{
	const struct fraudguard_tables *t;
	const char *key;  /* text key */
	const char *name; /* what a rule's match is compared with */
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

/* Whether the rule counts only what passes everything. */
static int counts_passed(const struct fraudguard_rule *r)
{
	return r->mode == FRAUDGUARD_ENFORCE && r->action == FRAUDGUARD_REFUSE;
}

static void describe(const struct subject *s, const struct fraudguard_rule *r,
		uint32_t observed, struct fraudguard_hit *h)
{
	uint64_t retry;
	uint64_t id = tg_hash_id(
			&s->t->key, SPACE_SAID ^ rule_space(r), s->key, strlen(s->key));

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
	/* Without room for this mark it is said rather than kept back. */
	h->is_new = tg_cells_take(
						s->cells, id, SAID_INTERVAL_US, 1, s->now.mono, &retry)
				!= -EAGAIN;
}

/* What must not be left out of an answer: a ban, then a refusal. */
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
	banned =
			r->action == FRAUDGUARD_BAN && s->bannable
			&& fraudguard_write_ban(s->bans, &s->t->key, &h, r->ban_sec, s->now)
					   == 0;
	report(out, &h);
	if(out->verdict < 0)
		return; /* an earlier rule refused: it is the verdict */
	out->hit = h;
	if(banned)
		out->verdict = FRAUDGUARD_BANNED;
	else
		out->verdict = r->metric == FRAUDGUARD_CONCURRENT_CALLS
							   ? FRAUDGUARD_EXPOSURE
							   : FRAUDGUARD_RATE;
}

/* Rules of one metric that are for this subject: its own, else the '*' ones. */
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
	uint64_t id = tg_hash_id(&s->t->key, rule_space(r), s->key, strlen(s->key));
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

/* Rules that count events in a window: counts for those that count all, and
 * only looks for those that count what passes. */
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
		id = tg_hash_id(&s->t->key, rule_space(r), s->key, strlen(s->key));
		tg_cells_peek(s->cells, id, (uint64_t)r->window_sec * 1000000,
				s->now.mono, &observed);
		if(observed >= r->threshold)
			fire(s, r, observed + 1);
	}
}

/* Counts what passed everything. Another process may have been faster since the
 * look: counting is one step with a look of its own, so the limit holds. (A key that
 * several processes see for the first time, one of them stopped in the middle of it,
 * may have two cells for its first window, and a call more; lib/cells_claim.c.) */
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
	if(fraudguard_find_ban(t->source_bans, &t->key, key, now, out) == 0)
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

/* The lowest limit that is enforced, so that taking the lease and judging it
 * are one step; 0 = none. */
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

/* Counts the call for the account and judges the gauge; without rules (NULL) it
 * only counts. Returns whether the account holds the call from now on, and did
 * not before. */
static int judge_gauge(struct subject *s, const struct fraudguard_image *im,
		const struct fraudguard_call *call, uint64_t owner)
{
	const struct fraudguard_tables *t = s->t;
	uint64_t now = s->now.mono, expires = now + call->lease_us;
	uint32_t calls = 0, limit;
	int has_zero, rc = -EDQUOT;

	if(fraudguard_call_holds(t, call->call, owner, now)) {
		/* A retransmission: it was let in, and its lease lasts longer now. */
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
		calls++; /* with this call it would be one more */
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
	/* A name that was cut to fit is not the one on the list. */
	if(call->account_len < FRAUDGUARD_MATCH_MAX
			&& fraudguard_account_is_allowed(im, s.name)) {
		/* Its calls are still counted, for whoever asks. */
		judge_gauge(&s, NULL, call, owner);
		return;
	}
	if(fraudguard_find_ban(t->account_bans, &t->key, key, now, out) == 0)
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

/* Forgets the counts that rules of this metric hold about the key. */
static void forget_counts(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const char *key, int is_source)
{
	for(uint32_t i = 0; im != NULL && i < im->rules; i++) {
		uint64_t id =
				tg_hash_id(&t->key, rule_space(&im->rule[i]), key, strlen(key));

		tg_cells_forget(is_source ? t->sources : t->accounts, id);
	}
}

int fraudguard_release(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const char *text,
		struct fraudguard_now now)
{
	char key[FRAUDGUARD_KEY_MAX];
	int is_source, rc;

	if(fraudguard_normal_key(text, key) < 0)
		return -ENOENT;
	is_source = fraudguard_key_is_source(key);
	rc = fraudguard_erase_ban(
			is_source ? t->source_bans : t->account_bans, &t->key, key, now);
	/* Else the very next request would fire the rule again. */
	if(rc == 0)
		forget_counts(t, im, key, is_source);
	return rc;
}

int fraudguard_ban_key(const struct fraudguard_tables *t, const char *key,
		uint32_t seconds, const char *note, struct fraudguard_now now)
{
	struct fraudguard_hit h = {.code = 0};

	if(seconds == 0 || fraudguard_normal_key(key, h.key) < 0)
		return -EINVAL;
	snprintf(h.rule, sizeof h.rule, "%s", note);
	return fraudguard_write_ban(
			fraudguard_key_is_source(h.key) ? t->source_bans : t->account_bans,
			&t->key, &h, seconds, now);
}

/*
 * Judging: which rules apply, what they count, what comes of it. Bans are in
 * bans.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/bans.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Key spaces of the hash: what is counted under an id. */
#define SPACE_COUNT 0x100 /* + crc of the rule's name, see rule_space */
#define SPACE_SAID 1
#define SPACE_OWNER 2
#define SPACE_CALL 3

#define SAID_WINDOW_US 60000000 /* one line a minute for one rule and key */

void fraudguard_source_key(const uint8_t addr[16], char out[FRAUDGUARD_KEY_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	uint8_t net[16] = {0};

	if(memcmp(addr, mapped, 12) == 0) {
		inet_ntop(AF_INET, addr + 12, text, sizeof text);
		snprintf(out, FRAUDGUARD_KEY_MAX, "ip:%s", text);
		return;
	}
	/* A site has a /64 at least: its single addresses are free to rotate. */
	memcpy(net, addr, 8);
	inet_ntop(AF_INET6, net, text, sizeof text);
	snprintf(out, FRAUDGUARD_KEY_MAX, "ip:%s/64", text);
}

/* Counts of a rule survive a reload: its name, not its place, is the space. */
static uint32_t rule_space(const struct fraudguard_rule *r)
{
	uint32_t h = 2166136261u; /* FNV-1a: names come from the operator */

	for(const char *p = r->name; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return h | SPACE_COUNT;
}

static int net_holds(const struct fraudguard_net *n, const uint8_t addr[16])
{
	int bytes = n->bits / 8, rest = n->bits % 8;

	if(memcmp(n->addr, addr, (size_t)bytes) != 0)
		return 0;
	return rest == 0
		   || ((n->addr[bytes] ^ addr[bytes]) & (0xff00 >> rest) & 0xff) == 0;
}

static int source_is_allowed(
		const struct fraudguard_image *im, const uint8_t addr[16])
{
	for(uint32_t i = 0; i < im->nets; i++) {
		if(net_holds(&im->net[i], addr))
			return 1;
	}
	return 0;
}

static int cmp_account(const void *key, const void *row)
{
	return strcmp(key, row);
}

static int account_is_allowed(
		const struct fraudguard_image *im, const char *name)
{
	return im->accounts > 0
		   && bsearch(name, im->account, im->accounts, sizeof im->account[0],
					  cmp_account)
					  != NULL;
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

static void fire(
		struct subject *s, const struct fraudguard_rule *r, uint32_t observed)
{
	struct fraudguard_answer *out = s->out;
	struct fraudguard_hit *h;
	uint32_t said = 0;
	uint64_t id;

	if(out->events == FRAUDGUARD_EVENTS)
		return;
	h = &out->event[out->events++];
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
	id = tg_hash_id(
			&s->t->key, SPACE_SAID ^ rule_space(r), s->key, strlen(s->key));
	tg_cells_add(s->cells, id, 1, SAID_WINDOW_US, s->now.mono, &said);
	h->is_new = said <= 1;
	if(r->mode != FRAUDGUARD_ENFORCE || r->action == FRAUDGUARD_LOG) {
		if(out->verdict == FRAUDGUARD_PASS)
			out->verdict = FRAUDGUARD_WATCHED;
		return;
	}
	if(out->verdict < 0)
		return; /* an earlier rule refused: it is the verdict */
	out->verdict = r->metric == FRAUDGUARD_CONCURRENT_CALLS
						   ? FRAUDGUARD_EXPOSURE
						   : FRAUDGUARD_RATE;
	if(r->action == FRAUDGUARD_BAN && s->bannable
			&& fraudguard_write_ban(s->bans, &s->t->key, h, r->ban_sec, s->now)
					   == 0)
		out->verdict = FRAUDGUARD_BANNED;
	out->hit = *h;
}

/* Rules of one metric that are for this subject: its own, else the '*' ones. */
static int applies(const struct fraudguard_image *im,
		const struct fraudguard_rule *r, const char *name)
{
	if(r->match[0] != '\0')
		return strcmp(r->match, name) == 0;
	for(uint32_t i = im->first[r->metric]; i < im->first[r->metric + 1]; i++) {
		if(im->rule[i].match[0] != '\0' && strcmp(im->rule[i].match, name) == 0)
			return 0;
	}
	return 1;
}

/* Rules that count events in a window. A rule that refuses counts what it let
 * pass (a caller who hangs up and redials is not held for longer); the others
 * count all. */
static void judge_window(
		struct subject *s, const struct fraudguard_image *im, int metric)
{
	for(uint32_t i = im->first[metric]; i < im->first[metric + 1]; i++) {
		const struct fraudguard_rule *r = &im->rule[i];
		uint64_t window = (uint64_t)r->window_sec * 1000000;
		uint32_t observed = 0;
		uint64_t id;
		int rc, refuses = r->mode == FRAUDGUARD_ENFORCE
						  && r->action == FRAUDGUARD_REFUSE;

		if(!applies(im, r, s->name))
			continue;
		id = tg_hash_id(&s->t->key, rule_space(r), s->key, strlen(s->key));
		rc = refuses ? tg_cells_add_limited(s->cells, id, 1, r->threshold,
					 window, s->now.mono, &observed)
					 : tg_cells_add(
							 s->cells, id, 1, window, s->now.mono, &observed);
		if(rc == -EDQUOT)
			fire(s, r, observed + 1);
		else if(rc == -ENOSPC)
			s->out->untracked++;
		else if(observed > r->threshold)
			fire(s, r, observed);
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
	if(im == NULL || source_is_allowed(im, source->addr))
		return;
	fraudguard_source_key(source->addr, key);
	if(fraudguard_find_ban(t->source_bans, &t->key, key, now, out) == 0)
		return;
	judge_window(&s, im, FRAUDGUARD_SOURCE_REQUESTS);
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

		if(r->mode != FRAUDGUARD_ENFORCE || r->action == FRAUDGUARD_LOG
				|| !applies(im, r, account))
			continue;
		*has_zero |= r->threshold == 0;
		if(lowest == 0 || r->threshold < lowest)
			lowest = r->threshold;
	}
	return lowest;
}

static int keep_owner(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct fraudguard_call_record *r = payload;

	(void)fresh;
	(void)expires;
	(void)rank;
	r->owner = *(const uint64_t *)arg;
	return 1;
}

/* Takes the account's lease for this call and judges the gauge; without rules
 * (NULL) it only counts. */
static void judge_gauge(struct subject *s, const struct fraudguard_image *im,
		const struct fraudguard_call *call)
{
	const struct fraudguard_tables *t = s->t;
	uint64_t owner = tg_hash_id(&t->key, SPACE_OWNER, s->key, strlen(s->key));
	uint64_t expires = s->now.mono + call->lease_us;
	uint32_t count = 0;
	int has_zero, rc = -EDQUOT;
	uint32_t limit = lowest_limit(im, s->name, &has_zero);

	if(!has_zero)
		rc = tg_lease_acquire(t->leases, call->call, owner, limit, expires,
				s->now.mono, &count);
	if(rc == -EDQUOT)
		count++; /* with this call it would be one more */
	else if(rc == 0)
		rc = tg_store_edit(t->calls, call->call, 0, expires, s->now.mono,
				keep_owner, &owner);
	if(rc == -ENOSPC || rc == -EBUSY)
		s->out->untracked++;
	if(im == NULL)
		return;
	for(uint32_t i = im->first[FRAUDGUARD_CONCURRENT_CALLS];
			i < im->first[FRAUDGUARD_CONCURRENT_CALLS + 1]; i++) {
		const struct fraudguard_rule *r = &im->rule[i];

		if(count > r->threshold && applies(im, r, s->name))
			fire(s, r, count);
	}
}

void fraudguard_judge_call(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const struct fraudguard_call *call,
		struct fraudguard_now now, struct fraudguard_answer *out)
{
	char key[FRAUDGUARD_KEY_MAX];
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
	if(account_is_allowed(im, s.name)) {
		/* Its calls are still counted, for whoever asks. */
		judge_gauge(&s, NULL, call);
		return;
	}
	if(fraudguard_find_ban(t->account_bans, &t->key, key, now, out) == 0)
		return;
	judge_window(&s, im, FRAUDGUARD_CALL_ATTEMPTS);
	if(out->verdict < 0)
		return;
	judge_gauge(&s, im, call);
	if(out->verdict < 0)
		fraudguard_end_call(t, call->call, now);
}

int fraudguard_renew_call(const struct fraudguard_tables *t, uint64_t call,
		uint64_t lease_us, struct fraudguard_now now)
{
	struct fraudguard_call_record r;
	uint64_t expires = now.mono + lease_us;
	int rc = tg_store_get(t->calls, call, now.mono, &r);

	if(rc < 0)
		return rc;
	rc = tg_lease_renew(t->leases, call, r.owner, expires, now.mono);
	if(rc == 0)
		rc = tg_store_put(t->calls, call, 0, expires, now.mono, &r);
	return rc;
}

int fraudguard_end_call(const struct fraudguard_tables *t, uint64_t call,
		struct fraudguard_now now)
{
	struct fraudguard_call_record r;
	int rc = tg_store_get(t->calls, call, now.mono, &r);

	if(rc < 0)
		return rc;
	rc = tg_lease_release(t->leases, call, r.owner);
	tg_store_del(t->calls, call);
	return rc;
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
		const struct fraudguard_image *im, const char *key,
		struct fraudguard_now now)
{
	int is_source = strncmp(key, "ip:", 3) == 0;
	int rc = fraudguard_erase_ban(
			is_source ? t->source_bans : t->account_bans, &t->key, key, now);

	/* Else the very next request would fire the rule again. */
	if(rc == 0)
		forget_counts(t, im, key, is_source);
	return rc;
}

int fraudguard_ban_key(const struct fraudguard_tables *t, const char *key,
		uint32_t seconds, const char *note, struct fraudguard_now now)
{
	int is_source = strncmp(key, "ip:", 3) == 0;
	struct fraudguard_hit h = {.code = 0};

	if((!is_source && strncmp(key, "account:", 8) != 0)
			|| strlen(key) >= sizeof h.key || seconds == 0)
		return -EINVAL;
	snprintf(h.key, sizeof h.key, "%s", key);
	snprintf(h.rule, sizeof h.rule, "%s", note);
	return fraudguard_write_ban(is_source ? t->source_bans : t->account_bans,
			&t->key, &h, seconds, now);
}

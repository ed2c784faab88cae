/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "regguard/regguard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPACE_AOR 1
#define SPACE_ANSWERED 2

static const struct
{
	const char *name;
	int points;
} reasons[REGGUARD_REASONS] = {{"replay", 100}, {"foreign_removal", 100},
		{"new_device", 30}, {"new_network", 30}, {"owner_alive", 20},
		{"learning", -20}, {"copied_instance", 30}};

uint64_t regguard_aor_id(
		const struct regguard_tables *t, const char *aor, size_t len)
{
	return tg_hash_id(&t->key, SPACE_AOR, aor, len);
}

void regguard_reason_text(uint32_t bits, char *out, int size)
{
	int n = 0;

	out[0] = '\0';
	for(int i = 0; i < REGGUARD_REASONS && n < size; i++) {
		if(bits & 1u << i)
			n += snprintf(out + n, (size_t)(size - n), "%s%s", n ? "," : "",
					reasons[i].name);
	}
}

static int score_of(uint32_t bits)
{
	int score = 0;

	for(int i = 0; i < REGGUARD_REASONS; i++)
		score += bits & 1u << i ? reasons[i].points : 0;
	return score > 0 ? score : 0;
}

struct first_use
{
	struct regguard_answered mine, first;
	int seen;
};

static int note_first(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct first_use *u = arg;

	(void)expires;
	(void)rank;
	if(fresh) {
		memcpy(payload, &u->mine, sizeof u->mine);
		return 1;
	}
	memcpy(&u->first, payload, sizeof u->first);
	u->seen = 1;
	return 1;
}

static uint64_t answered_id(
		const struct regguard_tables *t, const struct regguard_request *r)
{
	return tg_hash_id(
			&t->key, SPACE_ANSWERED, &r->response, sizeof r->response);
}

/*
 * Digest covers neither Contact nor source (RFC 7616, 5.3 and 5.10): an
 * attacker who saw a digest response can use it again from another network.
 *
 * With a cnonce (qop) no response is ever used twice, so a second use from
 * another network is a replay. Without a cnonce, a client repeats its response,
 * and two telephones of one account with the same nonce give the same response.
 * So two cases do not count as a replay: a response from a network in which the
 * AoR is known, and a repetition that changes nothing (the telephone moved).
 * But no client uses the same Via branch from two networks (RFC 3261, 8.1.1.7).
 */
static int by_another(const struct regguard_tables *t,
		const struct regguard_request *r, const struct regguard_answered *first,
		const struct regguard_answered *again, uint64_t now)
{
	struct regguard_profile p;

	if(memcmp(&first->network, &again->network, sizeof again->network) == 0)
		return 0;
	if(r->unique || first->branch == again->branch)
		return 1;
	if(first->contact == again->contact && first->removes == again->removes)
		return 0;
	return tg_store_get(t->profiles, r->aor_id, now, &p) < 0
		   || regguard_find_network(&p, &again->network) == NULL;
}

static struct regguard_answered use_of(const struct regguard_request *r)
{
	return (struct regguard_answered){.network = regguard_network_of(r->addr),
			.contact = r->contact,
			.branch = r->branch,
			.removes = r->removes != 0};
}

/* *repeated is also set for a repetition from another network that is no proof
 * of a replay. */
static int is_replay(const struct regguard_tables *t,
		const struct regguard_settings *s, const struct regguard_request *r,
		uint64_t now, int *repeated)
{
	struct first_use u = {.mine = use_of(r)};

	*repeated =
			r->response != 0
			&& tg_store_edit(t->answered, answered_id(t, r), 0,
					   now + (uint64_t)s->answered_sec * 1000000, now,
					   note_first, &u)
					   == 0
			&& u.seen
			&& memcmp(&u.first.network, &u.mine.network, sizeof u.mine.network)
					   != 0;
	return *repeated && by_another(t, r, &u.first, &u.mine, now);
}

static int is_learned(const struct regguard_profile *p,
		const struct regguard_settings *s, uint64_t now)
{
	return p->accepted >= s->learn_registrations
		   && now / 1000000 >= (uint64_t)p->first_seen + s->learn_sec;
}

/* Judges by the profile: fills the reasons, gives the verdict. */
static int weigh(struct regguard_profile *p, const struct regguard_settings *s,
		const struct regguard_request *r, uint64_t now,
		struct regguard_answer *out)
{
	struct regguard_network n = regguard_network_of(r->addr);
	int alive = regguard_owner_is_alive(p, now);
	const struct regguard_known_device *d = regguard_find_device(p, &r->device);

	out->known_device = d != NULL;
	out->known_network = regguard_find_network(p, &n) != NULL;
	out->learned = is_learned(p, s, now);
	if(out->known_device && out->known_network)
		return REGGUARD_ALLOW;
	out->reasons |= out->known_device ? 0 : REGGUARD_NEW_DEVICE;
	out->reasons |= out->known_network ? 0 : REGGUARD_NEW_NETWORK;
	out->reasons |= alive ? REGGUARD_OWNER_ALIVE : 0;
	out->reasons |= out->learned ? 0 : REGGUARD_LEARNING;
	/* An unknown device in an unknown network removes the owner's bindings:
	 * this has no harmless explanation. */
	if(r->removes && alive && !out->known_device && !out->known_network) {
		out->reasons |= REGGUARD_FOREIGN_REMOVAL;
		out->deterministic = 1;
		return REGGUARD_DENY;
	}
	/* A telephone keeps its Call-ID while it runs (RFC 3261, 10.2.4). So a
	 * telephone that moves still has the Call-ID that made its binding. */
	if(d != NULL && r->device.instance != 0 && d->live_until > now
			&& d->callid != regguard_fold(r->callid)) {
		out->reasons |= REGGUARD_COPIED_INSTANCE;
		return out->learned ? REGGUARD_QUARANTINE : REGGUARD_NOTIFY;
	}
	if(out->known_device)
		return REGGUARD_ALLOW; /* the owner's phone on the move */
	if(!out->known_network && alive && out->learned)
		return REGGUARD_QUARANTINE;
	return REGGUARD_NOTIFY;
}

void regguard_judge(const struct regguard_tables *t,
		const struct regguard_settings *s, const struct regguard_request *r,
		uint64_t now, struct regguard_answer *out)
{
	struct regguard_profile p;

	memset(out, 0, sizeof *out);
	out->verdict = REGGUARD_ALLOW;
	if(is_replay(t, s, r, now, &out->repeated)) {
		out->verdict = REGGUARD_DENY;
		out->deterministic = 1;
		out->reasons = REGGUARD_REPLAY;
	} else if(tg_store_get(t->profiles, r->aor_id, now, &p) == 0) {
		out->verdict = weigh(&p, s, r, now, out);
	}
	out->score = score_of(out->reasons);
}

void regguard_judge_used_nonce(const struct regguard_tables *t,
		const struct regguard_request *r, uint64_t now,
		struct regguard_answer *out)
{
	struct regguard_answered first, again = use_of(r);

	memset(out, 0, sizeof *out);
	out->verdict = REGGUARD_ALLOW;
	if(r->response == 0
			|| tg_store_get(t->answered, answered_id(t, r), now, &first) < 0
			|| !by_another(t, r, &first, &again, now))
		return;
	out->verdict = REGGUARD_DENY;
	out->deterministic = 1;
	out->reasons = REGGUARD_REPLAY;
	out->score = score_of(out->reasons);
}

struct lesson
{
	const struct regguard_request *r;
	uint64_t contact, lifetime_us, keep_until, now;
};

static int learn(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct regguard_profile *p = payload;
	struct lesson *l = arg;
	struct regguard_network n = regguard_network_of(l->r->addr);
	struct regguard_known_device *d;

	(void)rank;
	if(fresh)
		memcpy(p->aor, l->r->aor, sizeof p->aor);
	d = regguard_learn(p, &l->r->device, &n, l->now);
	d->contact = regguard_fold(l->contact);
	d->callid = regguard_fold(l->r->callid);
	d->live_until = l->now + l->lifetime_us;
	*expires = l->keep_until;
	return 1;
}

int regguard_commit(const struct regguard_tables *t,
		const struct regguard_settings *s, const struct regguard_request *r,
		uint64_t contact, uint64_t lifetime_us, uint64_t now)
{
	struct lesson l = {.r = r,
			.contact = contact,
			.lifetime_us = lifetime_us,
			.keep_until = now + (uint64_t)s->profile_sec * 1000000,
			.now = now};

	return tg_store_edit(
			t->profiles, r->aor_id, 1, l.keep_until, now, learn, &l);
}

static int unbind(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct regguard_profile *p = payload;
	uint32_t contact = regguard_fold(*(const uint64_t *)arg);
	int rc = -ENOENT;

	(void)fresh;
	(void)expires;
	(void)rank;
	for(int i = 0; i < REGGUARD_DEVICES; i++) {
		if(p->devices[i].contact == contact) {
			p->devices[i].contact = 0;
			p->devices[i].live_until = 0;
			rc = 1;
		}
	}
	return rc;
}

int regguard_binding_gone(const struct regguard_tables *t,
		const struct regguard_settings *s, uint64_t aor_id, uint64_t contact,
		uint64_t now)
{
	return tg_store_edit(t->profiles, aor_id, 1,
			now + (uint64_t)s->profile_sec * 1000000, now, unbind, &contact);
}

const char *regguard_verdict_name(int verdict)
{
	switch(verdict) {
		case REGGUARD_ALLOW:
			return "allow";
		case REGGUARD_NOTIFY:
			return "notify";
		case REGGUARD_QUARANTINE:
			return "quarantine";
		default:
			return "deny";
	}
}

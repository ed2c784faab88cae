/*
 * Channels and calls per second of an attempt; see capacity.h.
 *
 * An attempt has three steps:
 *   1 announce: the call's record names the owners to be asked (`next`)
 *   2 acquire: calls per second, then the leases
 *   3 settle: leases not needed are given back, then `next` becomes `held`
 * So the record (capacity_record.h) names every lease of its call at any time.
 * Release deletes the record in one step and gives back all leases that it
 * named. If a release or another attempt comes between 1 and 3, settle sees
 * that and gives back the leases that it has acquired and that no record names.
 * The owners that a killed attempt announced stay named until the next attempt
 * has undone them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/capacity.h"
#include "callroute/live/capacity_record.h"

#include <errno.h>
#include <string.h>

#define ALL ((1u << CALLROUTE_OWNERS) - 1)
#define ROUNDS 10 /* tries, if attempts of one call undo each other */
#define ATTEMPT (1u << CALLROUTE_OWNER_TRUNK | 1u << CALLROUTE_OWNER_CARRIER)

static const struct callroute_call NOTHING;

static struct tg_leases *leases_of(const struct callroute_live *live)
{
	return callroute_part(live, live->leases_at);
}

static struct callroute_pace *pace_of(const struct callroute_live *live)
{
	return callroute_part(live, live->pace_at);
}

/* The kind is part of the key: one table holds the leases of all three
 * kinds. */
static uint64_t owner_key(unsigned kind, uint32_t id)
{
	return id == 0 ? 0 : (uint64_t)(kind + 1) << 32 | id;
}

static uint32_t id_of(const struct callroute_claim *c, unsigned kind)
{
	return kind == CALLROUTE_OWNER_TRUNK	 ? c->trunk
		   : kind == CALLROUTE_OWNER_CARRIER ? c->carrier
											 : c->account;
}

static int no_channels(unsigned kind)
{
	return CALLROUTE_TRUNK_CHANNELS + 2 * (int)kind;
}

static int no_cps(unsigned kind)
{
	return CALLROUTE_TRUNK_CPS + 2 * (int)kind;
}

static void untracked(struct callroute_live *live)
{
	atomic_fetch_add_explicit(&live->untracked, 1, memory_order_relaxed);
}

/* ---- looking ---- */

int callroute_capacity_peek(struct callroute_live *live,
		const struct callroute_claim *claim, const struct callroute_claim *held,
		uint64_t now)
{
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++) {
		const struct callroute_limit *limit = &claim->limit[kind];
		uint64_t owner = owner_key(kind, id_of(claim, kind));
		int mine = held != NULL && id_of(held, kind) == id_of(claim, kind);

		if(owner == 0)
			continue;
		if(limit->max_cps != 0 && !(mine && kind == CALLROUTE_OWNER_ACCOUNT)
				&& !callroute_pace_allows(
						pace_of(live), owner, limit->max_cps, now))
			return no_cps(kind);
		if(limit->max_channels != 0 && !mine
				&& tg_lease_count(leases_of(live), owner, now)
						   >= limit->max_channels)
			return no_channels(kind);
	}
	return 0;
}

/* ---- channels ---- */

/* Gives back the leases of all `id` except those that `keep` names. Owners
 * whose lock stayed busy go to `left` (may be NULL). */
static void give_back(struct callroute_live *live, uint64_t call,
		const uint32_t id[], const struct callroute_call *keep, uint32_t left[])
{
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		if(id[kind] != 0 && id[kind] != keep->held[kind]
				&& id[kind] != keep->next[kind]
				&& tg_lease_release(
						   leases_of(live), call, owner_key(kind, id[kind]))
						   == -EBUSY
				&& left != NULL)
			left[kind] = id[kind];
}

/* Takes all leases, or returns the refusal of one owner. The caller then gives
 * back the leases already taken. */
static int acquire(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now)
{
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++) {
		uint64_t owner = owner_key(kind, id_of(claim, kind));
		int rc = owner == 0 ? 0
							: tg_lease_acquire(leases_of(live), call, owner,
									claim->limit[kind].max_channels, expires,
									now, NULL);

		if(rc == -EDQUOT)
			return no_channels(kind);
		if(rc < 0)
			untracked(live);
	}
	return 0;
}

/* ---- calls per second ---- */

/* Takes a call per second of the owners in `whom`, or returns the refusal of
 * one. The caller then gives back those in `taken`. */
static int pace(struct callroute_live *live,
		const struct callroute_claim *claim, unsigned whom, uint64_t now,
		unsigned *taken)
{
	unsigned kind;

	*taken = 0;
	for(kind = 0; kind < CALLROUTE_OWNERS; kind++) {
		uint64_t owner = owner_key(kind, id_of(claim, kind));
		uint32_t cps = claim->limit[kind].max_cps;
		int rc;

		if(owner == 0 || cps == 0 || !(whom & 1u << kind))
			continue;
		rc = callroute_pace_take(pace_of(live), owner, cps, now);
		if(rc == -EAGAIN)
			return no_cps(kind);
		if(rc < 0)
			untracked(live);
		else
			*taken |= 1u << kind;
	}
	return 0;
}

static void pace_back(struct callroute_live *live,
		const struct callroute_claim *claim, unsigned taken, uint64_t now)
{
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		if(taken & 1u << kind)
			callroute_pace_give_back(pace_of(live),
					owner_key(kind, id_of(claim, kind)),
					claim->limit[kind].max_cps, now);
}

/* ---- attempts ---- */

/* Writes the attempt's owners into the record, after giving back what an
 * unfinished attempt left there. 0, or a negative errno: no record names the
 * owners, so take no lease. */
static int name_it(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	struct callroute_call keep;
	int round, rc = -EINPROGRESS;

	for(round = 0; round < ROUNDS && rc == -EINPROGRESS; round++) {
		rc = callroute_record_announce(live, call, a, now);
		if(rc != -EINPROGRESS)
			break;
		keep = a->before;
		memcpy(keep.next, NOTHING.next, sizeof keep.next);
		memcpy(a->left, NOTHING.next, sizeof a->left);
		give_back(live, call, a->before.next, &keep, a->left);
		(void)callroute_record_undo(live, call, a, now);
	}
	memcpy(a->left, NOTHING.next, sizeof a->left);
	return rc;
}

/* Makes the record name `held`, and gives all other leases back. */
static void settle_on(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, const uint32_t held[], uint64_t now)
{
	struct callroute_call keep = NOTHING;
	int rc;

	/* Give back first, while the record still names these leases. */
	memcpy(keep.held, held, sizeof keep.held);
	give_back(live, call, a->next, &keep, a->left);
	give_back(live, call, a->before.held, &keep, a->left);
	memcpy(a->next, held, sizeof a->next);
	rc = callroute_record_settle(live, call, a, now);
	/* On -EBUSY the record goes on naming what was announced, for the
	 * release. */
	if(rc == -ENOENT)
		give_back(live, call, held, &NOTHING, NULL);
	if(rc == -ESTALE)
		give_back(live, call, held, &a->overtaken, NULL);
}

static int attempt(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now,
		int further)
{
	struct callroute_attempt a = {.expires = expires};
	uint32_t held[CALLROUTE_OWNERS];
	unsigned kind, taken;
	int refused, tracked;

	if(expires <= now)
		return -EINVAL;
	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		a.next[kind] = id_of(claim, kind);
	a.step =
			atomic_fetch_add_explicit(&live->attempts, 1, memory_order_relaxed);
	tracked = name_it(live, call, &a, now) == 0;
	refused = pace(live, claim, further ? ATTEMPT : ALL, now, &taken);
	if(!tracked) {
		/* A lease that no record names could not be released. */
		if(refused == 0)
			untracked(live);
	} else if(refused == 0) {
		refused = acquire(live, call, claim, expires, now);
	}
	if(refused != 0)
		pace_back(live, claim, taken, now);
	if(!tracked)
		return refused;
	memcpy(held, refused != 0 ? a.before.held : a.next, sizeof held);
	if(refused != 0 && further)
		held[CALLROUTE_OWNER_TRUNK] = held[CALLROUTE_OWNER_CARRIER] = 0;
	settle_on(live, call, &a, held, now);
	return refused;
}

int callroute_capacity_take(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now)
{
	return attempt(live, call, claim, expires, now, 0);
}

int callroute_capacity_move(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now)
{
	return attempt(live, call, claim, expires, now, 1);
}

void callroute_capacity_undo_pace(struct callroute_live *live,
		const struct callroute_claim *claim, uint64_t now)
{
	unsigned kind, taken = 0;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		if(ATTEMPT & 1u << kind && id_of(claim, kind) != 0
				&& claim->limit[kind].max_cps != 0)
			taken |= 1u << kind;
	pace_back(live, claim, taken, now);
}

int callroute_capacity_renew(struct callroute_live *live, uint64_t call,
		uint64_t expires, uint64_t now)
{
	struct callroute_attempt a = {.expires = expires};
	unsigned kind;
	int rc;

	if(expires <= now)
		return -EINVAL;
	/* The record first: no lease may outlive the record that names it. */
	rc = callroute_record_extend(live, call, &a, now);
	if(rc < 0)
		return rc;
	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		if(a.before.held[kind] != 0
				&& tg_lease_renew(leases_of(live), call,
						   owner_key(kind, a.before.held[kind]), expires, now)
						   == -EBUSY)
			rc = -EBUSY;
	return rc;
}

static int give_all_back(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	int rc = callroute_record_take_out(live, call, a, now);

	if(rc < 0)
		return rc;
	give_back(live, call, a->before.held, &NOTHING, a->left);
	give_back(live, call, a->before.next, &NOTHING, a->left);
	if(memcmp(a->left, NOTHING.next, sizeof a->left) == 0)
		return 0;
	(void)callroute_record_put_back(live, call, a, now);
	return -EBUSY;
}

int callroute_capacity_release(
		struct callroute_live *live, uint64_t call, uint64_t now)
{
	struct callroute_attempt a = {.expires = 0};

	return give_all_back(live, call, &a, now);
}

uint32_t callroute_capacity_mark(struct callroute_live *live)
{
	return atomic_load_explicit(&live->attempts, memory_order_relaxed);
}

int callroute_capacity_release_before(
		struct callroute_live *live, uint64_t call, uint32_t mark, uint64_t now)
{
	struct callroute_attempt a = {.step = mark, .until = 1};

	return give_all_back(live, call, &a, now);
}

/* ---- what is held ---- */

uint32_t callroute_capacity_channels(struct callroute_live *live,
		enum callroute_owner kind, uint32_t id, uint64_t now)
{
	return tg_lease_count(leases_of(live), owner_key(kind, id), now);
}

void callroute_capacity_read_stats(struct callroute_live *live, uint64_t now,
		struct callroute_capacity_stats *out)
{
	struct tg_lease_stats st;
	struct callroute_call call;
	uint32_t cursor = 0;
	int rc, tries = ROUNDS; /* sets whose holder was stopped */

	out->calls = 0;
	while((rc = tg_store_next(callroute_part(live, live->calls_at), &cursor,
				   now, NULL, NULL, &call))
					== 0
			|| (rc == -EBUSY && tries-- > 0))
		out->calls += rc == 0;
	tg_lease_sweep(leases_of(live), now, UINT32_MAX);
	tg_lease_read_stats(leases_of(live), &st);
	out->channels = st.live;
	out->untracked =
			atomic_load_explicit(&live->untracked, memory_order_relaxed);
}

uint32_t callroute_capacity_sweep(
		struct callroute_live *live, uint64_t now, uint32_t budget)
{
	return tg_lease_sweep(leases_of(live), now, budget);
}

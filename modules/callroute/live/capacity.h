/*
 * Capacity: channels (calls at a time) and calls per second of the three owners
 * of an attempt: its trunk, its carrier, its account.
 *
 * A channel is a lease of (call, owner) with an expiry (lib/table/lease.h). A
 * count is the number of live leases, so it cannot leak, wrap or go below zero.
 * Each call has a small record (lib/table/store.h) with the owners of its
 * leases. The record is written BEFORE any lease is taken, so the call's id is
 * enough to give everything back, even after a process died halfway. Calls per
 * second are paced by GCRA (pace.h): a refused attempt counts for no owner.
 *
 * Memory bound: live.h. At capacity (no room for a record or a lease) the call
 * passes uncounted and `untracked` rises by one: full memory fails no call.
 * Process safety: live.h. The wait for a lock is up to about 20 ms
 * (lib/table/setlock.h); then the call passes uncounted, or its release is done
 * later (capacity_owed.h). After a process was killed inside, the call's
 * release gives its channels back, or they end by their expiry.
 *
 * `call`: a keyed 64-bit hash of the Call-ID (lib/share/hash.h). One call has
 * one attempt at a time; parallel branches need ids of their own. `expires`:
 * monotonic us, when the channels end if the call is neither renewed nor
 * released. Some minutes ahead for a ringing call, the longest allowed call for
 * an answered one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_CAPACITY_H
#define CALLROUTE_CAPACITY_H

#include "callroute/live/live.h"

enum callroute_owner
{
	CALLROUTE_OWNER_TRUNK,
	CALLROUTE_OWNER_CARRIER,
	CALLROUTE_OWNER_ACCOUNT,
	CALLROUTE_OWNERS
};

struct callroute_limit
{
	uint32_t max_channels; /* calls at a time; 0 = no limit (still counted) */
	uint32_t max_cps;	   /* calls per second, up to 10^6; 0 = no limit */
};

struct callroute_claim
{
	uint32_t trunk, carrier, account; /* database ids; 0 = no such owner */
	struct callroute_limit limit[CALLROUTE_OWNERS]; /* by callroute_owner */
};

/* Which owner refused, and for what. 0 = none. */
enum callroute_refusal
{
	CALLROUTE_CAPACITY_OK,
	CALLROUTE_TRUNK_CHANNELS,
	CALLROUTE_TRUNK_CPS,
	CALLROUTE_CARRIER_CHANNELS,
	CALLROUTE_CARRIER_CPS,
	CALLROUTE_ACCOUNT_CHANNELS,
	CALLROUTE_ACCOUNT_CPS,
};

/*
 * Whether the attempt would pass now. Takes nothing; used to leave out
 * candidates when they are ranked. `held`: what the call holds already (its
 * last claim, for a failover), so that its own channels do not count against
 * it, or NULL. An owner without limits costs nothing, an owner with a channel
 * limit a lock and a walk down a tree. The account is the same for all
 * candidates: ask once for the account alone, then for the candidates with
 * account 0.
 * 0 or the first callroute_refusal in the order trunk, carrier, account. For
 * each owner calls per second (a word of memory) come before channels (a lock).
 */
int callroute_capacity_peek(struct callroute_live *live,
		const struct callroute_claim *claim, const struct callroute_claim *held,
		uint64_t now);

/*
 * The first attempt of a call: takes a channel and a call per second of each
 * owner, or nothing. A refused call holds what it held before (mostly nothing).
 * A call that takes the same owners again (a spiral) holds each channel once.
 * 0, a callroute_refusal, -EINVAL (expires <= now). 0 also when the call was
 * released meanwhile: it then holds nothing.
 */
int callroute_capacity_take(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now);

/*
 * A further attempt of the same call (failover): gives the channels of the last
 * trunk and carrier back and takes those of the new ones. The account's channel
 * stays and its calls per second are not asked again: it is still one call. An
 * owner that stays the same keeps its channel all the time. If refused, the
 * last attempt's channels are given back too, because that attempt is over; the
 * account's stays. Then move to the next candidate, or release.
 * Returns as callroute_capacity_take.
 */
int callroute_capacity_move(struct callroute_live *live, uint64_t call,
		const struct callroute_claim *claim, uint64_t expires, uint64_t now);

/* The attempt that was just taken or moved to is not made after all: its calls per
 * second of trunk and carrier are free again. The account's stays, for it is still
 * one call; the channels go with the next move or the release. */
void callroute_capacity_undo_pace(struct callroute_live *live,
		const struct callroute_claim *claim, uint64_t now);

/* Moves the expiry of all that the call holds (at the answer, and as long as it
 * lasts). 0, -ENOENT (holds nothing, or has expired), -EBUSY, -EINVAL
 * (expires <= now). */
int callroute_capacity_renew(struct callroute_live *live, uint64_t call,
		uint64_t expires, uint64_t now);

/* Gives all channels of the call back. If several processes release at once,
 * one gets 0, all others -ENOENT. -EBUSY: a process was stopped inside a lock,
 * and not everything is given back. Release again (capacity_owed.h), or the
 * rest ends by its expiry. */
int callroute_capacity_release(
		struct callroute_live *live, uint64_t call, uint64_t now);

/* The number of the next attempt of all calls, for
 * callroute_capacity_release_before. */
uint32_t callroute_capacity_mark(struct callroute_live *live);
/* As callroute_capacity_release, to repeat a release that was busy
 * (capacity_owed.h). If the call has made an attempt since the mark, it keeps
 * its channels: -ENOENT. */
int callroute_capacity_release_before(struct callroute_live *live,
		uint64_t call, uint32_t mark, uint64_t now);

/* ---- what is held ---- */

/* Channels of an owner at `now`, exact. */
uint32_t callroute_capacity_channels(struct callroute_live *live,
		enum callroute_owner kind, uint32_t id, uint64_t now);

struct callroute_capacity_stats
{
	uint64_t calls; /* that hold a channel at `now` */
	/* of all owners together at `now`, exact: a call holds one of its trunk, one of
	 * its carrier and one of its account, as far as it has these */
	uint64_t channels;
	uint64_t untracked; /* attempts let through uncounted, since the start */
};

/* Reads the whole lease table: for RPC and the keeper, not for calls. */
void callroute_capacity_read_stats(struct callroute_live *live, uint64_t now,
		struct callroute_capacity_stats *out);

/* Frees expired leases in the next `budget` slots. For the keeper; counts are
 * right without it. Returns how many it freed. */
uint32_t callroute_capacity_sweep(
		struct callroute_live *live, uint64_t now, uint32_t budget);

#endif

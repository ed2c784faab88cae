/*
 * Channels that are owed: a release that found a process stopped inside a lock
 * is kept here, and the keeper comes back to it until it is done. So a call that
 * is over gives its channels back in any case, at once as a rule.
 *
 * Memory bound: a ring of fixed size (lib/share/ring.h). At capacity the channels end by
 * their expiry, and the caller is told. Process safety: lib/share/ring.h; one keeper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_CAPACITY_OWED_H
#define CALLROUTE_CAPACITY_OWED_H

#include "callroute/live/capacity.h"
#include "lib/share/ring.h"

/* What the ring holds. */
struct callroute_owed
{
	uint64_t call;
	uint32_t mark; /* what the call takes later is not owed */
	uint32_t zero;
};

/* callroute_capacity_release, or a note to do it. 0 (released), -EINPROGRESS
 * (noted), -ENOENT (holds nothing), -ENOBUFS (the ring is full: ends by its
 * expiry). */
int callroute_release_or_owe(struct callroute_live *live, struct tg_ring *owed,
		uint64_t call, uint64_t now);

/* The keeper: comes back to at most `budget` notes; what is still busy is noted
 * again. Returns how many are done. */
uint32_t callroute_pay_owed(struct callroute_live *live, struct tg_ring *owed,
		uint32_t budget, uint64_t now);

#endif

/*
 * Owed channels: a release that was busy, because a process was stopped inside
 * a lock, is noted here. The keeper repeats it until it is done. So a call that
 * is over always gives its channels back, mostly at once.
 *
 * Memory bound: a ring of fixed size (lib/share/ring.h). When the ring is full,
 * the caller gets an error and the channels end by their expiry. Process
 * safety: lib/share/ring.h; one keeper.
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
	uint32_t mark; /* later attempts of the call are not owed */
	uint32_t zero;
};

/* Calls callroute_capacity_release, and notes the release if it is busy. 0
 * (released), -EINPROGRESS (noted), -ENOENT (holds nothing), -ENOBUFS (the ring
 * is full: the channels end by their expiry). */
int callroute_release_or_owe(struct callroute_live *live, struct tg_ring *owed,
		uint64_t call, uint64_t now);

/* For the keeper: repeats at most `budget` noted releases. A release that is
 * still busy is noted again. Returns how many are done. */
uint32_t callroute_pay_owed(struct callroute_live *live, struct tg_ring *owed,
		uint32_t budget, uint64_t now);

#endif

/*
 * Breaker on live traffic: a trunk whose calls fail is left alone for a while
 * and then tried with one call.
 *
 *            enough calls, too many failed          half_open_after_us
 *   CLOSED ---------------------------------> OPEN -------------------> HALF-OPEN
 *     ^                                        ^                            |
 *     |                                        +---- the trial failed ------+
 *     +---------------------- the trial succeeded --------------------------+
 *
 * The configuration comes from the caller's image with each call, the state is
 * in the trunk's slot. A changed configuration counts from the next call on.
 *
 * Window: eight sub-windows; what is older than window_us never counts, what is
 * younger than 7/8 of it always does. Between the two it depends on where the
 * eighth began. No sweeper: a window without traffic is empty by its dates.
 *
 * Which reports count: each says when its attempt `started` (the `now` given to
 * callroute_breaker_take). Closed: attempts started since it closed. Open: none.
 * Half-open: the trial, known by its exact start. So calls from before it opened,
 * whenever they end, neither open nor close it, and a trial that was given up
 * and is reported after all is nobody's.
 *
 * Memory bound: 72 B in the slot. Process safety, time and a slot that is none:
 * live.h. State and its date are one word, so each edge has one author. Counts
 * over 65535 in a sub-window are halved with their failures: the ratio stays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BREAKER_H
#define CALLROUTE_BREAKER_H

#include "callroute/live/live.h"

/* NULL in its place, min_calls 0 or open_at 0: no breaker, every call passes. */
struct callroute_breaker_config
{
	uint64_t window_us;			 /* 8000 (8 ms) .. 2^40; below: 8000 */
	uint32_t min_calls;			 /* in the window, before it may open */
	uint32_t open_at;			 /* per cent failed, 1 .. 100 */
	uint64_t half_open_after_us; /* 0 means 1 */
};

enum callroute_breaker_state
{
	CALLROUTE_BREAKER_CLOSED,
	CALLROUTE_BREAKER_OPEN,
	CALLROUTE_BREAKER_HALF_OPEN, /* the trial may be taken, or is under way */
};

struct callroute_breaker
{
	enum callroute_breaker_state state;
	uint64_t since;			  /* the last edge or trial; 0 = since the start */
	uint32_t calls, failures; /* in the window; 0 unless closed */
};

/* Looks, takes nothing: 1 when a call may try the trunk (closed, or the trial
 * is free), else 0. One load when closed. */
int callroute_breaker_allows(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now);

/* At the attempt: 0 = go (closed, or this call is the trial); -EAGAIN = open,
 * or another call is the trial. A trial whose outcome is never reported ends by
 * itself after half_open_after_us, and the next call may be one. */
int callroute_breaker_take(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now);

/*
 * The outcome of an attempt that `started` (the `now` of its take). Which codes
 * are failures is the caller's table. A call that its caller cancelled says
 * something only when it rang (then it is a success); otherwise report nothing.
 * +1 it just closed, -1 it just opened, 0 neither (also when a trial failed: to
 * the traffic it stays open). Each edge has exactly one author.
 */
int callroute_breaker_report(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t started,
		int failed, uint64_t now);

/* When it opened, or its last trial began; 0 = it is closed. For live_state.h:
 * what a restart forgets is the window of a closed one, and the trial under way. */
uint64_t callroute_breaker_opened(const struct callroute_live *live, int slot);
/* Opens it as of this time. No slot: nothing. */
void callroute_breaker_reopen(
		struct callroute_live *live, int slot, uint64_t since);

void callroute_breaker_read(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now,
		struct callroute_breaker *out);

#endif

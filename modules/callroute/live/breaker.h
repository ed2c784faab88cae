/*
 * Breaker on live traffic: a trunk whose calls fail gets no calls for a while
 * and is then tried with one call.
 *
 *           enough calls, too many failed        half_open_after_us
 *   CLOSED -------------------------------> OPEN -------------------> HALF-OPEN
 *     ^                                      ^                            |
 *     |                                      +---- the trial failed ------+
 *     +--------------------- the trial succeeded -------------------------+
 *
 * The configuration comes with each call from the caller's image; the state is
 * in the trunk's slot. A changed configuration is used from the next call on.
 *
 * Window: eight sub-windows. A call older than window_us never counts, a call
 * younger than 7/8 of it always counts. Between the two it depends on where the
 * sub-window began. No sweeper is needed: without traffic the sub-windows
 * expire by their dates.
 *
 * Which reports count: each report says when its attempt `started` (the `now`
 * passed to callroute_breaker_take). Closed: attempts started since the breaker
 * closed. Open: none. Half-open: the trial, recognised by its exact start. So
 * calls from before the breaker opened neither open nor close it, whenever they
 * end. A late report of a trial that was given up is ignored.
 *
 * Memory bound: 72 B in the slot. Process safety, time, invalid slots: live.h.
 * State and date are one word, so exactly one process makes each change of
 * state. Counts over 65535 in a sub-window are halved together with their
 * failures, so the ratio stays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BREAKER_H
#define CALLROUTE_BREAKER_H

#include "callroute/live/live.h"

/* NULL instead of it, min_calls 0 or open_at 0: no breaker, every call
 * passes. */
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
	CALLROUTE_BREAKER_HALF_OPEN, /* the trial is free or running */
};

struct callroute_breaker
{
	enum callroute_breaker_state state;
	uint64_t since;			  /* last change of state or trial; 0 = none yet */
	uint32_t calls, failures; /* in the window; 0 unless closed */
};

/* 1 when a call may try the trunk (closed, or the trial is free), else 0.
 * Changes nothing. One load when closed. */
int callroute_breaker_allows(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now);

/* Call this at the attempt. 0 = go on (closed, or this call is the trial);
 * -EAGAIN = open, or another call is the trial. A trial whose outcome is never
 * reported ends after half_open_after_us; the next call may then be a trial. */
int callroute_breaker_take(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now);

/*
 * The outcome of an attempt that `started` (the `now` of its take). The
 * caller's table says which codes are failures. Report a call that the calling
 * user cancelled only if it rang, as a success; otherwise report nothing.
 * +1 the breaker just closed, -1 it just opened, 0 neither (also when a trial
 * failed: for the traffic it stays open). Exactly one caller gets each +1 or
 * -1.
 */
int callroute_breaker_report(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t started,
		int failed, uint64_t now);

/* When the breaker opened or its last trial began; 0 = it is closed. For
 * live_state.h: a restart loses the window of a closed breaker and a trial
 * under way. */
uint64_t callroute_breaker_opened(const struct callroute_live *live, int slot);
/* Opens the breaker as of the time `since`. Does nothing without a slot. */
void callroute_breaker_reopen(
		struct callroute_live *live, int slot, uint64_t since);

void callroute_breaker_read(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now,
		struct callroute_breaker *out);

#endif

/*
 * One attempt from its choice to its outcome.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_ATTEMPT_H
#define CALLROUTE_KAMAILIO_ATTEMPT_H

#include "callroute/kamailio/view.h"

#include "modules/tm/h_table.h"

/* Applies the next candidate that still exists, is up and has room; keeps what
 * is left. `first`: the call takes its account's channel too; `other` leaves
 * out this carrier. A verdict. */
int callroute_try_next(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		int first, uint32_t other_than_carrier);
/* Reports what became of the present attempt, once: breaker, quality,
 * counters. `reply` 0 = none came. A trunk that got nothing (the script refused
 * the call, or suspended it too long) is not blamed. */
void callroute_settle(
		const struct cell *t, uint64_t id, int reply, int cancelled);
/* All that the request holds is given back: now, or by the keeper as soon as
 * no other process holds the lock. Any process. 0, or a negative errno: it held
 * nothing. */
int callroute_give_back(uint64_t id, uint64_t now);

#endif

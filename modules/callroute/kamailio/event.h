/*
 * Events: any process tells, the keeper runs the routes (event_routes.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_EVENT_H
#define CALLROUTE_KAMAILIO_EVENT_H

#include "callroute/kamailio/state.h"

enum callroute_event_type
{
	CALLROUTE_TRUNK_DOWN,
	CALLROUTE_TRUNK_UP,
	CALLROUTE_BREAKER_MOVED,
	CALLROUTE_RELOADED
};

/* From any process to the keeper, which runs the event route. */
struct callroute_event
{
	uint32_t type; /* enum callroute_event_type */
	uint32_t trunk_id;
	uint64_t generation;
	char state[16]; /* breaker: open, closed; reload: published, refused */
};

/* Any process; never blocks. */
void callroute_tell(
		enum callroute_event_type type, uint32_t trunk_id, const char *state);

/* The event of the route that runs now, for $callroute(...); NULL. */
const struct callroute_event *callroute_event_now(void);
/* The keeper, around such a route. */
void callroute_event_set(const struct callroute_event *event);

#endif

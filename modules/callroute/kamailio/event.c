/*
 * Telling of events: any process pushes one into a ring, the keeper takes it
 * out (event_routes.c). A full ring loses the event, counted (events_lost);
 * nobody waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/event.h"

#include <stdio.h>

static const struct callroute_event *running;

const struct callroute_event *callroute_event_now(void)
{
	return running;
}

void callroute_event_set(const struct callroute_event *event)
{
	running = event;
}

void callroute_tell(
		enum callroute_event_type type, uint32_t trunk_id, const char *state)
{
	struct callroute_event e = {.type = type,
			.trunk_id = trunk_id,
			.generation = tg_snapshot_generation(callroute.loads.snapshots)};

	snprintf(e.state, sizeof e.state, "%s", state);
	if(glue_keeper_tell(&callroute.keeper, callroute.events, &e) < 0)
		counter_inc(callroute.events_lost);
}

/*
 * The routes of events: the keeper runs event_route[callroute:...] for each
 * event, or the KEMI function of event_callback, which gets the event's name.
 * No route runs in a SIP worker or under a lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/event_routes.h"
#include "callroute/kamailio/statefile.h"
#include "callroute/kamailio/trunk.h"
#include "core/action.h"
#include "core/fmsg.h"
#include "core/kemi.h"
#include "core/receive.h"
#include "core/route.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
		[CALLROUTE_TRUNK_DOWN] = "callroute:trunk-down",
		[CALLROUTE_TRUNK_UP] = "callroute:trunk-up",
		[CALLROUTE_BREAKER_MOVED] = "callroute:breaker",
		[CALLROUTE_RELOADED] = "callroute:reload",
};
#define EVENTS ((int)(sizeof names / sizeof names[0]))
#define RUN_US 200000 /* of routes, before the keeper looks round */

static int routes[EVENTS];
void callroute_events_init(void)
{
	for(int i = 0; i < EVENTS; i++)
		routes[i] = route_lookup(&event_rt, (char *)names[i]);
}

static void run_route(const struct callroute_event *e)
{
	sr_kemi_eng_t *engine = sr_kemi_eng_get();
	int route = routes[e->type], was = get_route_type();
	str name = {(char *)names[e->type], (int)strlen(names[e->type])};
	struct run_act_ctx ctx;
	sip_msg_t *msg;

	if(engine != NULL ? callroute.event_callback.len == 0
					  : route < 0 || event_rt.rlist[route] == NULL)
		return;
	if(faked_msg_init() < 0)
		return;
	msg = faked_msg_next();
	callroute_event_set(e);
	set_route_type(EVENT_ROUTE);
	init_run_actions_ctx(&ctx);
	if(engine == NULL)
		run_top_route(event_rt.rlist[route], msg, &ctx);
	else if(sr_kemi_ctx_route(engine, &ctx, msg, EVENT_ROUTE,
					&callroute.event_callback, &name)
			< 0)
		LM_ERR("event_callback %.*s failed for %s\n",
				GLUE_STR(callroute.event_callback), name.s);
	set_route_type(was);
	callroute_event_set(NULL);
}

static void log_event(const struct callroute_event *e)
{
	static struct callroute_view trunk;

	/* What a reload did is said by the load itself. */
	if(e->type == CALLROUTE_RELOADED)
		return;
	if(callroute_copy_trunk(e->trunk_id, &trunk, NULL) < 0)
		trunk.trunk.name[0] = trunk.carrier[0] = '\0'; /* gone meanwhile */
	LM_NOTICE("%s trunk=%s carrier=%s%s%s\n",
			names[e->type] + sizeof "callroute:" - 1, trunk.trunk.name,
			trunk.carrier, e->state[0] ? " state=" : "", e->state);
}

void callroute_events_run(void)
{
	uint64_t start = glue_now();
	struct callroute_event e;

	/* Bounded by time: a slow route holds up other events, not the keeper's
	 * other duties. The rest is taken at once after those. */
	while(tg_ring_pop(callroute.events, &e, glue_now()) == 0) {
		if(e.type >= (uint32_t)EVENTS)
			continue;
		if(e.type != CALLROUTE_RELOADED)
			glue_state_touch(&callroute_statefile);
		log_event(&e);
		run_route(&e);
		if(glue_now() - start > RUN_US) {
			glue_keeper_wake(&callroute.keeper);
			return;
		}
	}
}

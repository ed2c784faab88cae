/*
 * Health probes: OPTIONS to each trunk whose interval is over, from Kamailio's
 * timer process; the reply is seen by whichever worker receives it. Any final
 * reply shows life, but for those that tm makes itself (408) or that stand for
 * no route (RFC 3261, 11.2 allows any).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/timer.h"
#include "core/timer_proc.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "ids travel as pointers");

/* What a probe needs of a trunk, copied out of the snapshot. */
struct target
{
	uint32_t id, slot;
	uint8_t down_after, up_after;
	char uri[CALLROUTE_URI_MAX];
	char socket[CALLROUTE_NAME_MAX];
};

/* Bounded: the others are due at the next tick. */
#define PROBES_A_TICK 256

static void on_outcome(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t packed = (uint64_t)(uintptr_t)*p->param;
	uint32_t id = (uint32_t)packed;
	int down_after = (int)(packed >> 32 & 0xff);
	int up_after = (int)(packed >> 40 & 0xff);
	/* FAKED_REPLY: nobody answered. */
	int answered = p->rpl != NULL && p->rpl != FAKED_REPLY && p->code != 408
				   && p->code != 503;
	int slot = callroute_live_find(callroute.live, id);
	int edge = callroute_health_probe(callroute.live, slot, answered,
			(uint32_t)down_after, (uint32_t)up_after, glue_now());

	if(edge != 0)
		callroute_tell(
				edge > 0 ? CALLROUTE_TRUNK_UP : CALLROUTE_TRUNK_DOWN, id, "");
}

static void probe(const struct target *target)
{
	static str method = str_init("OPTIONS");
	uac_req_t req;
	str uri = {(char *)target->uri, (int)strlen(target->uri)};
	str socket = {(char *)target->socket, (int)strlen(target->socket)};
	uint64_t packed = target->id | (uint64_t)target->down_after << 32
					  | (uint64_t)target->up_after << 40;

	set_uac_req(&req, &method, NULL, NULL, NULL, TMCB_LOCAL_COMPLETED,
			on_outcome, (void *)(uintptr_t)packed);
	if(socket.len > 0)
		req.ssock = &socket;
	if(callroute.tm.t_request(&req, &uri, &uri, &callroute.probe_from, NULL)
			< 0) {
		/* It could not even be sent (its name has no address, no socket of
		 * that transport): that is a trunk that does not answer. */
		int slot = callroute_live_find(callroute.live, target->id);

		if(callroute_health_probe(callroute.live, slot, 0, target->down_after,
				   target->up_after, glue_now())
				< 0)
			callroute_tell(CALLROUTE_TRUNK_DOWN, target->id, "");
	}
}

static void on_timer(unsigned ticks, void *param)
{
	static struct target due[PROBES_A_TICK];
	const struct callroute_image *im =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	const struct callroute_trunk *t =
			im ? CALLROUTE_ROWS(im, struct callroute_trunk, trunks) : NULL;
	uint64_t now = glue_now();
	int n = 0;

	for(uint64_t i = 0; im != NULL && i < im->trunks.count && n < PROBES_A_TICK;
			i++) {
		if(t[i].probe_interval == 0 || t[i].state == CALLROUTE_DOWN
				|| !callroute_health_due(callroute.live, (int)t[i].live,
						(uint64_t)t[i].probe_interval * 1000000, now))
			continue;
		due[n].id = t[i].id;
		due[n].slot = t[i].live;
		due[n].down_after = t[i].down_after;
		due[n].up_after = t[i].up_after;
		memcpy(due[n].uri, t[i].uri, sizeof due[n].uri);
		memcpy(due[n].socket, t[i].socket, sizeof due[n].socket);
		n++;
	}
	tg_snapshot_leave(callroute.snapshots, process_no);
	for(int i = 0; i < n; i++)
		probe(&due[i]);
}

int callroute_probe_init(void)
{
	/* Probing waits for names to resolve: in a timer process of its own. */
	if(register_basic_timers(1) < 0) {
		LM_ERR("cannot register the probes' timer process\n");
		return -1;
	}
	return 0;
}

int callroute_probe_start(void)
{
	return fork_basic_timer(PROC_TIMER, "callroute probes", 1, on_timer, NULL,
				   1) < 0
				   ? -1
				   : 0;
}

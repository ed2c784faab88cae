/*
 * The one state of the module in this process: parameters, shared memory,
 * statistics. Defined in state.c, read by every file of this room, changed by
 * module.c before the fork.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_STATE_H
#define CALLROUTE_KAMAILIO_STATE_H

#include "callroute/decide/image.h"
#include "callroute/live/live.h"
#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/load.h"
#include "lib/share/hash.h"
#include "lib/share/ring.h"
#include "lib/share/snapshot.h"
#include "lib/table/store.h"

#include "modules/tm/tm_load.h"

struct callroute_state
{
	/* parameters */
	str db_url, default_plan, probe_from, event_callback, state_file;
	int snapshot_mb, attempts, attempt_ttl, max_shrink;
	int max_trunks, max_calls, max_owners, quality_pairs, quality_half_life;
	int max_call_sec;

	struct tg_hashkey key;
	struct glue_loads loads; /* struct callroute_load */
	struct callroute_live *live;
	struct tg_store *attempt_store;	 /* struct callroute_attempt by request */
	struct tg_store *hunt_store;	 /* struct callroute_hunting by request */
	struct tg_store *answered_store; /* struct callroute_legs by dialog */
	struct tg_ring *events;			 /* struct callroute_event */
	struct tg_ring *owed;			 /* struct callroute_owed */
	struct glue_keeper keeper;
	tm_api_t tm;

	counter_handle_t selected, failed, failovers, exhausted, state_lost;
	counter_handle_t refused_capacity, refused_down, refused_margin;
	counter_handle_t refused_blocked, emergency, redirected;
	counter_handle_t events_lost, released_late;
};

extern struct callroute_state callroute;

/* Opens a read section: the data in use, NULL when there are none. */
static inline const struct callroute_image *callroute_enter(void)
{
	return tg_snapshot_enter(callroute.loads.snapshots, process_no, NULL, NULL);
}

static inline void callroute_leave(void)
{
	tg_snapshot_leave(callroute.loads.snapshots, process_no);
}

#endif

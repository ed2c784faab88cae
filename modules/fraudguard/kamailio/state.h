/*
 * The one state of the module in this process: parameters, shared memory,
 * statistics. Defined in state.c, read by every file of this room, changed by
 * module.c before the fork.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KAMAILIO_STATE_H
#define FRAUDGUARD_KAMAILIO_STATE_H

#include "fraudguard/fraudguard.h"
#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/load.h"
#include "lib/share/ring.h"
#include "lib/share/snapshot.h"

#define FRAUDGUARD_EMERGENCY_MAX 32

struct fraudguard_state
{
	/* parameters */
	str db_url, emergency_numbers;
	int cells, bans, calls, ring_sec, call_sec;

	str emergency[FRAUDGUARD_EMERGENCY_MAX];
	int emergency_count;
	int has_dialog;
	struct fraudguard_tables tables;
	struct glue_loads loads; /* struct fraudguard_load */
	struct tg_ring *ring;	 /* struct fraudguard_hit, to be logged */
	struct glue_keeper keeper;

	counter_handle_t sources_checked, sources_refused, calls_checked,
			calls_refused, bans_written, shadow_hits, untracked;
};

extern struct fraudguard_state fraudguard;

static inline struct fraudguard_now fraudguard_clock(void)
{
	return (struct fraudguard_now){.mono = glue_now(), .wall = time(NULL)};
}

/* The rules, for one read section. NULL when none were loaded. */
static inline const struct fraudguard_image *fraudguard_rules(void)
{
	return tg_snapshot_enter(
			fraudguard.loads.snapshots, process_no, NULL, NULL);
}

static inline void fraudguard_rules_done(void)
{
	tg_snapshot_leave(fraudguard.loads.snapshots, process_no);
}

#endif

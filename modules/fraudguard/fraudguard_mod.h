/*
 * What the module's Kamailio-facing files share. Hidden outside the .so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_MOD_H
#define FRAUDGUARD_MOD_H

#include "fraudguard/fraudguard.h"
#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/rpc.h"
#include "lib/ring.h"
#include "lib/snapshot.h"

#include <stdatomic.h>

#define FRAUDGUARD_READERS 4096 /* Kamailio's processes, by number */
#define FRAUDGUARD_EMERGENCY_MAX 32

/* Outcome of the last load, for fraudguard.status. */
struct fraudguard_load
{
	uint64_t ticket; /* of the request that it answers; 0 = at start */
	int64_t at;		 /* UTC seconds */
	uint32_t ok, rules, allowed;
	char message[512];
};

/* In shared memory. */
struct fraudguard_shared
{
	_Atomic uint64_t ticket; /* reload requests so far */
};

struct fraudguard_state
{
	/* parameters */
	str db_url, emergency_numbers;
	int cells, bans, calls, ring_sec, call_sec;

	str emergency[FRAUDGUARD_EMERGENCY_MAX];
	int emergency_count;
	int has_dialog;
	struct fraudguard_shared *shared;
	struct fraudguard_tables tables;
	struct tg_snapshots *snapshots;
	struct tg_store *load_store; /* the one struct fraudguard_load */
	struct tg_ring *ring;		 /* struct fraudguard_hit, to be logged */
	struct glue_keeper keeper;

	counter_handle_t sources_checked, sources_refused, calls_checked,
			calls_refused, bans_written, shadow_hits, untracked, loads,
			loads_failed;
};

extern struct fraudguard_state fraudguard;

static inline struct fraudguard_now fraudguard_clock(void)
{
	return (struct fraudguard_now){.mono = glue_now(), .wall = time(NULL)};
}

/* The rules, for one read section. NULL when none were loaded. */
static inline const struct fraudguard_image *fraudguard_rules(void)
{
	return tg_snapshot_enter(fraudguard.snapshots, process_no, NULL, NULL);
}

static inline void fraudguard_rules_done(void)
{
	tg_snapshot_leave(fraudguard.snapshots, process_no);
}

/* fraudguard_db.c: as callroute_load_tables. */
int fraudguard_load_tables(uint64_t ticket);
int fraudguard_last_load(struct fraudguard_load *out);

/* fraudguard_dlg.c: ends and renews leases with the calls. */
int fraudguard_dlg_init(void);
/* Makes Kamailio follow this call, so that its end is known. */
void fraudguard_dlg_follow(sip_msg_t *msg);

/* The call that Call-ID and caller's tag name (RFC 3261, 12: what of a dialog
 * is known before it is answered). */
uint64_t fraudguard_call_of(const str *callid, const str *from_tag);

/* fraudguard_cmd.c */
extern const cmd_export_t fraudguard_cmds[];
extern sr_kemi_t fraudguard_kemi[];

/* fraudguard_pv.c */
void fraudguard_pv_remember(
		const sip_msg_t *msg, const struct fraudguard_hit *hit);
extern const pv_export_t fraudguard_pvs[];

/* fraudguard_rpc.c */
extern const rpc_export_t fraudguard_rpcs[];

/* Hands one event to the keeper; never waits. */
void fraudguard_report(const struct fraudguard_hit *hit);

#endif

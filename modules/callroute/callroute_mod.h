/*
 * What the module's Kamailio-facing files share: parameters, shared memory,
 * statistics. Hidden outside the .so (exports.map).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_MOD_H
#define CALLROUTE_MOD_H

#include "callroute/callroute.h"
#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/rpc.h"
#include "lib/hash.h"
#include "lib/snapshot.h"
#include "lib/store.h"

#include "modules/tm/tm_load.h"

#include <stdatomic.h>

/* Readers of the snapshot are Kamailio's processes, by process number. */
#define CALLROUTE_READERS 4096

/* The trunks that one call has left, kept from callroute_select to the last
 * callroute_next. Ids, not pointers: a reload may come in between. */
struct callroute_attempt
{
	uint64_t generation; /* of the snapshot that decided */
	char plan[CALLROUTE_NAME_MAX];
	char number[CALLROUTE_NUMBER_MAX];
	uint8_t number_len;
	uint8_t count, next; /* candidates, and how many were tried */
	struct callroute_candidate candidates[CALLROUTE_CANDIDATES];
};

/* Outcome of the last load, for callroute.status. */
struct callroute_load
{
	uint64_t ticket; /* of the request that it answers; 0 = at start */
	int64_t at;		 /* UTC seconds */
	uint32_t ok;	 /* 1 published, 0 kept the old data */
	uint32_t rates, trunks, plans;
	uint64_t bytes, took_us;
	char message[512]; /* "ok", or the first reason */
};

/* In shared memory. */
struct callroute_shared
{
	_Atomic uint64_t ticket; /* reload requests so far */
	_Atomic uint32_t forced; /* the next load may shrink the data */
};

struct callroute_state
{
	/* parameters */
	str db_url, default_plan;
	int snapshot_mb, attempts, attempt_ttl, max_shrink;

	struct tg_hashkey key;
	struct callroute_shared *shared;
	struct tg_snapshots *snapshots;
	struct tg_store *attempt_store; /* struct callroute_attempt by request */
	struct tg_store *load_store;	/* the one struct callroute_load */
	struct glue_keeper keeper;
	tm_api_t tm;

	counter_handle_t selected, failed, failovers, exhausted, state_lost;
	counter_handle_t loads, loads_failed;
};

extern struct callroute_state callroute;

/* callroute_db.c: loads the tables and publishes a snapshot, or keeps the old
 * one and says why. Main process at start, then the keeper. 0, -1. */
int callroute_load_tables(uint64_t ticket);
/* The last load. 0, -ENOENT. */
int callroute_last_load(struct callroute_load *out);

/* callroute_cmd.c */
int callroute_cmd_select(sip_msg_t *msg, const str *plan, const str *dst);
int callroute_cmd_next(sip_msg_t *msg);
extern const cmd_export_t callroute_cmds[];
extern sr_kemi_t callroute_kemi[];

/* callroute_pv.c: what $callroute(...) says of this message. */
struct callroute_view
{
	const char *reason; /* static text */
	struct callroute_attempt attempt;
	struct callroute_trunk trunk; /* id 0 = none chosen */
};
/* Remembers the view of the message in this process. */
struct callroute_view *callroute_view_new(const sip_msg_t *msg);
extern const pv_export_t callroute_pvs[];

/* Key of the request in the attempt store; also from a reply, through its
 * transaction. 0 = the message has none. */
uint64_t callroute_request_id(sip_msg_t *msg);
/* Copies the trunk out of the current snapshot. 0, -ENOENT. */
int callroute_copy_trunk(uint32_t id, struct callroute_trunk *out);

/* callroute_rpc.c */
extern const rpc_export_t callroute_rpcs[];

#endif

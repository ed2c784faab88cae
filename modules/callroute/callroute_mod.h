/*
 * What the module's Kamailio-facing files share: parameters, shared memory,
 * statistics. Hidden outside the .so (exports.map).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_MOD_H
#define CALLROUTE_MOD_H

#include "callroute/breaker.h"
#include "callroute/callroute.h"
#include "callroute/compare.h"
#include "callroute/health.h"
#include "callroute/quality.h"
#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/rpc.h"
#include "lib/hash.h"
#include "lib/ring.h"
#include "lib/snapshot.h"
#include "lib/store.h"

#include "modules/tm/tm_load.h"

#include <stdatomic.h>

/* Readers of the snapshot are Kamailio's processes, by process number. */
#define CALLROUTE_READERS 4096
#define CALLROUTE_CALLER_MAX 33 /* the caller's number, with the NUL */

/* Who sends, as callroute_account() found. */
struct callroute_sender
{
	uint32_t account; /* id, 0 = not asked or not found */
	uint32_t plan;	  /* id */
	struct callroute_limit limit;
	uint8_t cli;	 /* enum callroute_cli */
	uint8_t is_peer; /* known by address or trunk: its assertions hold */
	char country[3];
	char tenant[CALLROUTE_NAME_MAX];
};

/*
 * What one call has left to try, kept from callroute_select to its last
 * callroute_next, and what its present attempt has seen. Ids, not pointers: a
 * reload may come in between.
 */
struct callroute_attempt
{
	uint64_t generation; /* of the snapshot that decided */
	uint64_t call;		 /* its name in the live state's capacity: the id */
	uint64_t dialog;	 /* callroute_dialog_id of its answer; 0 = none yet */
	uint64_t over;		 /* the dialog that ended before that was noted */
	uint64_t started;	 /* of the present attempt, monotonic us */
	int64_t sell;		 /* micro-units a minute, -1 = unknown */
	struct callroute_sender sender;
	uint32_t trunk_id, carrier_id; /* the present attempt's; 0 = none */
	uint32_t slot;				   /* its place in the live state */
	uint32_t rule_id;
	uint32_t pdd_ms; /* CALLROUTE_NO_PDD until it rings */
	uint16_t src_country, dst_country;
	uint8_t emergency;
	uint8_t rang;
	uint8_t settled;	 /* the present attempt's outcome is reported */
	uint8_t followed;	 /* the callbacks of its transaction are there */
	uint8_t identity;	 /* ... and that of its branches' identity headers */
	uint8_t forged;		 /* it asserts an identity and is not believed */
	uint16_t branch;	 /* the present attempt's first in the transaction */
	uint8_t count, next; /* candidates, and how many were tried */
	uint8_t number_len, src_len, routing_len;
	char plan[CALLROUTE_NAME_MAX];
	char number[CALLROUTE_NUMBER_MAX];
	char src[CALLROUTE_NUMBER_MAX];
	char routing_number[16];
	struct callroute_candidate candidates[CALLROUTE_CANDIDATES];
};

/* The requests that one dialog answers: more than one where a call spirals
 * through this server. */
#define CALLROUTE_LEGS 4
struct callroute_legs
{
	uint64_t id[CALLROUTE_LEGS]; /* 0 = none */
};

/* Whom a hunt group's call rings, in the order drawn for it; hunt_cmd.c. */
struct callroute_hunting
{
	uint8_t count, next; /* members, and how many of them have rung */
	uint8_t parallel;	 /* those of one priority ring together */
	char group[CALLROUTE_NAME_MAX];
	uint32_t members[CALLROUTE_MEMBERS_MAX]; /* ids */
};

/* What a load is asked to do. */
enum callroute_scope
{
	CALLROUTE_LOAD_ALL,
	CALLROUTE_LOAD_DECK, /* the rates of one deck, and all small tables */
	CALLROUTE_LOAD_PLANS /* the small tables: rates stay */
};

struct callroute_order_of_load
{
	uint64_t ticket; /* 0 = at start */
	enum callroute_scope scope;
	char deck[CALLROUTE_NAME_MAX];
	uint8_t forced; /* may shrink the data */
	uint8_t dry;	/* tells what would change, publishes nothing */
};

/* Outcome of the last load, for callroute.status. */
struct callroute_load
{
	struct callroute_order_of_load order;
	int64_t at;	 /* UTC seconds */
	uint32_t ok; /* 1 published (or dry and sound), 0 kept the old data */
	uint32_t rates, trunks, plans;
	uint32_t rows_read; /* of callroute_rate */
	uint64_t bytes, took_us, cpu_us;
	char message[512];						/* "ok", or the first reason */
	struct callroute_difference difference; /* dry runs */
};

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

/* In shared memory. */
struct callroute_shared
{
	_Atomic uint64_t ticket; /* reload requests so far */
	_Atomic int waiting;	 /* snapshots that a reader still holds */
};

struct callroute_state
{
	/* parameters */
	str db_url, default_plan, probe_from, event_callback, state_file;
	int snapshot_mb, attempts, attempt_ttl, max_shrink;
	int max_trunks, max_calls, max_owners, quality_pairs, quality_half_life;
	int max_call_sec;

	struct tg_hashkey key;
	struct callroute_shared *shared;
	struct tg_snapshots *snapshots;
	struct callroute_live *live;
	struct tg_store *attempt_store;	 /* struct callroute_attempt by request */
	struct tg_store *hunt_store;	 /* struct callroute_hunting by request */
	struct tg_store *answered_store; /* struct callroute_legs by dialog */
	struct tg_store *load_store;	 /* the one struct callroute_load */
	struct tg_ring *orders;			 /* struct callroute_order_of_load */
	struct tg_ring *events;			 /* struct callroute_event */
	struct tg_ring *owed;			 /* struct callroute_owed */
	struct glue_keeper keeper;
	tm_api_t tm;
	int has_dialog;

	counter_handle_t selected, failed, failovers, exhausted, state_lost;
	counter_handle_t refused_capacity, refused_down, refused_margin;
	counter_handle_t refused_blocked, emergency, redirected;
	counter_handle_t loads, loads_failed, events_lost, released_late;
};

extern struct callroute_state callroute;

/* --- callroute_db.c --------------------------------------------------------- */

/* Loads the tables and publishes a snapshot, or keeps the old one and says why.
 * Main process at start, then the keeper. 0, -1. */
int callroute_load_tables(const struct callroute_order_of_load *order);
/* The last load. 0, -ENOENT. */
int callroute_last_load(struct callroute_load *out);

/* --- callroute_pv.c: what $callroute(...) says of this message --------------- */

struct callroute_view
{
	const char *reason; /* static text */
	struct callroute_sender sender;
	struct callroute_dialling dialling;	   /* of the sender's account */
	char number[CALLROUTE_NUMBER_MAX + 1]; /* normalised; "" = not asked */
	uint8_t sos; /* the number stands for urn:service:sos */
	struct callroute_attempt attempt;
	struct callroute_trunk trunk; /* id 0 = none chosen */
	char carrier[CALLROUTE_NAME_MAX];
	char codecs[CALLROUTE_CODECS_MAX];
	char source[CALLROUTE_NAME_MAX];  /* trunk of callroute_is_trunk */
	char target[CALLROUTE_URI_MAX];	  /* of callroute_did */
	char redirect[CALLROUTE_URI_MAX]; /* of a redirect rule */
};

/* The view of this message in this process; empty when it is a new one. */
struct callroute_view *callroute_view_of(const sip_msg_t *msg);
/* The same, with what the attempt store knows of its transaction. */
struct callroute_view *callroute_view_find(sip_msg_t *msg);
extern const pv_export_t callroute_pvs[];

/* --- request_msg.c: what a message says ------------------------------------- */

/* The request this message belongs to: itself, or its transaction's; NULL. */
sip_msg_t *callroute_request_of(sip_msg_t *msg);
/* Key of the request in the attempt store; also from a reply, through its
 * transaction. 0 = the message has none. */
uint64_t callroute_request_id(sip_msg_t *msg);
/* Key of a dialog in the answered store. The tags in the order of the request
 * that made the dialog. 0 = a part is missing. */
uint64_t callroute_dialog_id(const str *callid, const str *from, const str *to);
/* The two dialogs that a request in a dialog may belong to: as one of the
 * caller's, as one of the other side's. 0, -1 = it is in none. */
int callroute_dialog_ids(sip_msg_t *msg, uint64_t out[2]);
/* The user part of the request URI, its %XX undone. Valid until the next call of
 * it. 0, -1. */
int callroute_request_number(sip_msg_t *msg, str *out);
/* A caller's number as somebody writes it: its digits, without '+' and visual
 * separators. Empty when it is none, or longer than CALLROUTE_CALLER_MAX - 1.
 * Returns its length. */
size_t callroute_read_caller(const str *text, char out[CALLROUTE_CALLER_MAX]);
/* The caller's number: digits without '+', may be empty. Returns its length.
 * P-Asserted-Identity is for those who trust each other (RFC 3325, 5): it is
 * believed of a trunk's address and of an account that is known by its address or
 * trunk. Anybody else, and who asserts no number, has that of From. */
size_t callroute_caller_number(sip_msg_t *msg,
		const struct callroute_sender *sender, char out[CALLROUTE_CALLER_MAX]);
/* Whether an account that is not believed asserts an identity all the same. */
int callroute_is_forged(sip_msg_t *msg, const struct callroute_sender *sender);
/* 16 bytes, IPv4 mapped. */
void callroute_map_addr(const struct ip_addr *ip, uint8_t out[16]);

/* --- account_cmd.c: numbers that must not be lost ------------------------------ */

/* An emergency number that no rule of the sender's plan serves: says so in the
 * log. A price for "112" is the price of some +112, so no price list may take it.
 * Not asked for a plan that the script names: that is the script's own affair. */
int callroute_emergency_is_lost(
		sip_msg_t *msg, const struct callroute_view *view, const str *number);
/* A request to urn:service:sos: view->number becomes the number that serves it.
 * 1, 0 = it is none. */
int callroute_take_sos(sip_msg_t *msg, struct callroute_view *view);

/* --- attempt_cmd.c: one attempt from its choice to its outcome --------------- */

/* Copies the trunk, its carrier's name, codecs and claim out of the current
 * snapshot into the view. 0, -ENOENT. */
int callroute_copy_trunk(uint32_t id, struct callroute_view *view,
		struct callroute_claim *claim);
/* Applies the next candidate that still exists, is up and has room; keeps what
 * is left. `first`: the call takes its account's channel too; `other` leaves out
 * this carrier. A verdict. */
int callroute_try_next(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		int first, uint32_t other_than_carrier);
/* Reports what became of the present attempt, once: breaker, quality,
 * counters. `reply` 0 = none came. A trunk that got nothing (the script refused the
 * call, or suspended it too long) is not blamed. */
void callroute_settle(
		const struct cell *t, uint64_t id, int reply, int cancelled);
/* All that the request holds is given back: now, or by the keeper as soon as
 * nobody is in the way. Any process. 0, or a negative errno: it held nothing. */
int callroute_give_back(uint64_t id, uint64_t now);

/* --- hunt_cmd.c: hunt groups -------------------------------------------------- */

/* Rings the group's next members, where the request hunts in one. 1, a refusal,
 * or 0: it does not. */
int callroute_next_members(sip_msg_t *msg, uint64_t id);
/* The request goes to trunks from now on. */
void callroute_end_hunt(uint64_t id);

/* --- call_dlg.c: what becomes of calls ------------------------------------------ */

/* Binds to tm, and to dialog where it is loaded. 0, -1. */
int callroute_dlg_init(void);
/* Follows the request's transaction, also one that is not there yet, and its
 * call from now on. */
void callroute_follow(sip_msg_t *msg, uint64_t id);
/* Has callroute_apply_cli() called for each branch from now on; once a request. */
void callroute_follow_identity(sip_msg_t *msg, uint64_t id);
/* Whether this very message is followed and has no transaction yet. */
int callroute_is_held(const sip_msg_t *msg, uint64_t id);
/* The transaction of this message, in whatever route; NULL. */
struct cell *callroute_transaction(void);

/* --- end_dlg.c: the end of answered calls ---------------------------------------- */

struct dlg_cell;
struct dlg_binds;

/* Binds to dialog where it is loaded. 0, -1. */
int callroute_end_init(void);
/* Has the dialog module follow this call; nothing where it is not loaded. */
void callroute_follow_dialog(sip_msg_t *msg, uint64_t id);
/* In a record whose answer could not be noted in time: any dialog of the
 * request's. */
#define CALLROUTE_ANY_DIALOG UINT64_MAX

/* Does the request with this record belong to the dialog? Two calls may share
 * Call-ID and From tag, by a spiral or by an attacker: dialog takes both for one,
 * and the end of the one must not give back what the other holds. */
int callroute_is_of(
		const struct callroute_attempt *a, const struct dlg_cell *dlg);
/* The channels of this request are given back when the dialog ends. 0, -1. */
int callroute_follow_end(struct dlg_cell *dlg, uint64_t id);
/* callroute_release() finds the request by its dialog until `expires`. */
void callroute_add_leg(
		uint64_t dialog, uint64_t id, uint64_t expires, uint64_t now);

/* --- restart_dlg.c: calls that outlive the server ----------------------------- */

/* `binds` must stay. 0, -1. */
int callroute_restart_init(const struct dlg_binds *binds);
/* When this request is answered, the dialog will say what it holds. 0, -1. */
int callroute_restart_follow(struct dlg_cell *dlg, uint64_t id);

/* --- cli_msg.c ---------------------------------------------------------------- */

/* Whether there is anything to do for the trunk of this view. */
int callroute_touches_identity(const struct callroute_view *view);
/* Identity headers as account and trunk want them (RFC 3325). */
void callroute_apply_cli(sip_msg_t *msg, const struct callroute_view *view);

/* --- event_msg.c --------------------------------------------------------------- */

/* Any process; never blocks. */
void callroute_tell(
		enum callroute_event_type type, uint32_t trunk_id, const char *state);
/* Looks up the routes; main process, before the fork. */
void callroute_events_init(void);
/* The keeper: runs the event routes of all that has come in. */
void callroute_events_run(void);
/* The event of the route that runs now, for $callroute(...); NULL. */
const struct callroute_event *callroute_event_now(void);

/* --- probe_msg.c ---------------------------------------------------------------- */

/* OPTIONS to the trunks that are due, from a process of its own: registered in
 * mod_init, forked by the main process. 0, -1. */
int callroute_probe_init(void);
int callroute_probe_start(void);

/* --- state_db.c: the state file ------------------------------------------------ */

/* Main process, once the tables are loaded. */
void callroute_state_load(void);
/* Main process, when it has its children: only then is there an end to save at. */
void callroute_state_begin(void);
/* The keeper: something happened that should not wait; and its tick. */
void callroute_state_touch(void);
void callroute_state_tick(uint64_t now);
/* Main process, when all others have ended. */
void callroute_state_end(void);

/* --- script, RPC ----------------------------------------------------------------- */

/* Each of plan, dst and src may be NULL: what the request and its account say. */
int callroute_cmd_select(
		sip_msg_t *msg, const str *plan, const str *dst, const str *src);
int callroute_cmd_next(sip_msg_t *msg);
int callroute_cmd_release(sip_msg_t *msg);
int callroute_cmd_account(sip_msg_t *msg);
int callroute_cmd_normalize(sip_msg_t *msg, const str *number);
int callroute_cmd_is_emergency(sip_msg_t *msg, const str *number);
int callroute_cmd_is_trunk(sip_msg_t *msg, const str *addr);
int callroute_cmd_did(sip_msg_t *msg, const str *number);
int callroute_cmd_fork(sip_msg_t *msg, const str *group);
int callroute_cmd_redirect(sip_msg_t *msg, int n);
int callroute_cmd_explain(sip_msg_t *msg);
extern const cmd_export_t callroute_cmds[];
extern sr_kemi_t callroute_kemi[];
extern const rpc_export_t callroute_rpcs[];

/* RPC handlers by file: trunk_rpc.c, explain_rpc.c. */
void callroute_rpc_list_trunks(rpc_t *rpc, void *ctx);
void callroute_rpc_set_trunk(rpc_t *rpc, void *ctx);
void callroute_rpc_stats(rpc_t *rpc, void *ctx);
void callroute_rpc_list_quality(rpc_t *rpc, void *ctx);
void callroute_rpc_explain(rpc_t *rpc, void *ctx);

#endif

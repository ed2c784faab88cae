/*
 * What becomes of calls, from whoever knows it: tm (replies, the final answer,
 * the transaction's end), dialog (the end of answered calls) and the end of the
 * script (calls refused without a transaction). A channel is given back once, by
 * the first that comes; one that nobody gives back ends by its expiry.
 *
 * The request's id travels as the callbacks' parameter: nothing is allocated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/parser/parse_cseq.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"
#include "core/script_cb.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "ids travel as pointers");

#define STUBBORN 10 /* milliseconds, about, for a lock that must be had */

static struct dlg_binds dialog;
static cmd_function dlg_manage;

static uint64_t id_of(void *param)
{
	return (uint64_t)(uintptr_t)param;
}

static void *param_of(uint64_t id)
{
	return (void *)(uintptr_t)id;
}

static uint64_t seconds(int n)
{
	return (uint64_t)n * 1000000;
}

/* --- the transaction --------------------------------------------------------- */

struct ringing
{
	uint64_t now;
	int branch; /* that it came by */
};

/* The first sign of life of the present attempt. */
static int mark_ringing(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	const struct ringing *r = arg;

	if(fresh)
		return 0;
	/* A trunk that was left may ring all the same, too late. */
	if(a->rang || a->settled || r->branch < a->branch)
		return -1;
	a->rang = 1;
	a->pdd_ms = (uint32_t)((r->now - a->started) / 1000);
	return 1;
}

static void on_reply_in(struct cell *t, int type, struct tmcb_params *p)
{
	struct ringing r;

	if(p->code <= 100 || p->code >= 300 || p->code == 181 || p->code == 182)
		return;
	/* Those to our CANCEL come here too. */
	if(p->rpl == NULL || p->rpl == FAKED_REPLY || p->rpl->cseq == NULL
			|| get_cseq(p->rpl)->method_id != METHOD_INVITE)
		return;
	r.now = glue_now();
	r.branch = callroute.tm.t_gett_branch();
	tg_store_edit(callroute.attempt_store, id_of(*p->param), 0,
			r.now + seconds(callroute.attempt_ttl), r.now, mark_ringing, &r);
}

/* The To tag that the caller gets; empty when there is none. */
static str to_tag_of(const struct cell *t, sip_msg_t *rpl)
{
	if(rpl == NULL || rpl == FAKED_REPLY)
		return t->uas.local_totag;
	if(parse_headers(rpl, HDR_TO_F, 0) < 0 || rpl->to == NULL)
		return (str)STR_NULL;
	return get_to(rpl)->tag_value;
}

/* One edit, not given up because some process was preempted inside a lock. */
static int edit_surely(struct tg_store *store, uint64_t key, uint64_t expires,
		uint64_t now, tg_store_edit_f edit, void *arg)
{
	int rc = -EBUSY;

	for(int tries = 0; tries < STUBBORN && rc == -EBUSY; tries++)
		rc = tg_store_edit(store, key, 0, expires, now, edit, arg);
	return rc;
}

struct answer
{
	uint64_t dialog;
	int over; /* out: its end was here first */
};

/* The record of an answered call lasts as long as the call may. */
static int mark_answered(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	struct answer *answer = arg;

	if(fresh)
		return 0;
	/* Of a call that a trunk forked: the first answer, as dialog has it. */
	if(a->dialog == 0)
		a->dialog = answer->dialog;
	answer->over = a->over == a->dialog;
	*expires += seconds(callroute.max_call_sec);
	return 1;
}

/* One leg more, unless it is there (each answer of a forked call comes here). */
static int add_leg(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_legs *legs = payload;
	uint64_t id = *(const uint64_t *)arg;

	for(int i = 0; i < CALLROUTE_LEGS; i++) {
		if(legs->id[i] == 0)
			legs->id[i] = id;
		if(legs->id[i] == id)
			return 1;
	}
	return -ENOSPC;
}

void callroute_add_leg(
		uint64_t dialog_id, uint64_t id, uint64_t expires, uint64_t now)
{
	/* Where dialog is not loaded, callroute_release() in a BYE needs it. */
	edit_surely(
			callroute.answered_store, dialog_id, expires, now, add_leg, &id);
}

static void answered(uint64_t id, const struct cell *t, sip_msg_t *rpl)
{
	const sip_msg_t *req = t->uas.request;
	struct answer answer = {0};
	uint64_t now = glue_now(), till = now + seconds(callroute.max_call_sec);
	str to = to_tag_of(t, rpl);

	callroute_capacity_renew(callroute.live, id, till, now);
	if(req != NULL && req->callid != NULL && req->from != NULL)
		answer.dialog = callroute_dialog_id(
				&req->callid->body, &get_from(req)->tag_value, &to);
	if(answer.dialog == 0)
		return;
	edit_surely(callroute.attempt_store, id, till, now, mark_answered, &answer);
	if(answer.over)
		callroute_give_back(id, now);
	else
		callroute_add_leg(answer.dialog, id, till, now);
}

/* tm runs this unlocked and tells the code of the reply that it sent last: with
 * two replies in two workers, that may be the other one's. */
static int code_of(const struct tmcb_params *p)
{
	return p->rpl == NULL || p->rpl == FAKED_REPLY ? p->code
												   : (int)p->rpl->REPLY_STATUS;
}

/* Before the final reply leaves: its answer, a BYE, may be here in no time. */
static void on_final(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t id = id_of(*p->param);
	int code = code_of(p);

	if(code < 200)
		return;
	callroute_settle(t, id, code, (t->flags & T_CANCELED) && code >= 300);
	if(code < 300)
		answered(id, t, p->rpl);
	else
		callroute_give_back(id, glue_now());
}

/* The last chance to note an answer. Returns 0 when the call is over. */
static int mark_up(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;

	if(fresh || a->dialog != 0)
		return -EALREADY;
	if(a->over != 0) {
		*(int *)arg = 1;
		return 0;
	}
	a->dialog = CALLROUTE_ANY_DIALOG;
	*expires += seconds(callroute.max_call_sec);
	return 1;
}

/* The transaction's end, also without a final answer of ours (dropped, killed).
 * An answered call keeps its channel and its record. */
static void on_destroy(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t id = id_of(*p->param), now = glue_now();
	int over = 0;

	if(t->uas.status >= 200 && t->uas.status < 300) {
		edit_surely(callroute.attempt_store, id,
				now + seconds(callroute.attempt_ttl), now, mark_up, &over);
		if(over)
			callroute_give_back(id, now);
		return;
	}
	callroute_give_back(id, now);
	tg_store_del(callroute.attempt_store, id);
}

/* One registration for all three: each is a piece of shared memory. */
static void on_transaction(struct cell *t, int type, struct tmcb_params *p)
{
	if(type == TMCB_RESPONSE_IN)
		on_reply_in(t, type, p);
	else if(type == TMCB_RESPONSE_READY)
		on_final(t, type, p);
	else
		on_destroy(t, type, p);
}

static void on_forwarded(struct cell *t, int type, struct tmcb_params *p)
{
	struct callroute_attempt a;
	struct callroute_view *view;

	if(p->req == NULL
			|| tg_store_get(callroute.attempt_store, id_of(*p->param),
					   glue_now(), &a)
					   < 0
			|| a.settled) /* a branch that is no trunk's */
		return;
	view = callroute_view_of(p->req);
	view->attempt = a;
	if(callroute_copy_trunk(a.trunk_id, view, NULL) == 0)
		callroute_apply_cli(p->req, view);
}

/* --- dialogs ------------------------------------------------------------------- */

static uint64_t key_of(const struct dlg_cell *dlg)
{
	return callroute_dialog_id(
			&dlg->callid, &dlg->tag[DLG_CALLER_LEG], &dlg->tag[DLG_CALLEE_LEG]);
}

static int is_named(const struct callroute_attempt *a, uint64_t name)
{
	return a->dialog == CALLROUTE_ANY_DIALOG
		   || (a->dialog != 0 && a->dialog == name);
}

int callroute_is_of(
		const struct callroute_attempt *a, const struct dlg_cell *dlg)
{
	return is_named(a, key_of(dlg));
}

struct end
{
	uint64_t dialog;
	struct callroute_attempt found; /* out */
};

/* The answer may be with another worker still, which tm passes by when a copy of
 * it comes: then that worker is told. */
static int mark_over(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	struct end *end = arg;

	if(fresh)
		return -ENOENT;
	if(a->dialog == 0 && end->dialog != 0)
		a->over = end->dialog;
	end->found = *a;
	return 1;
}

/* The dialog's name; by its BYE as long as dialog has not noted the answer. */
static uint64_t name_of(struct dlg_cell *dlg, const struct dlg_cb_params *p)
{
	uint64_t ids[2];

	if(dlg->tag[DLG_CALLEE_LEG].len > 0 || p->req == NULL
			|| p->req == FAKED_REPLY || callroute_dialog_ids(p->req, ids) < 0)
		return key_of(dlg);
	return ids[p->direction == DLG_DIR_UPSTREAM];
}

static void on_end(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	struct end end = {.dialog = name_of(dlg, p)};
	const struct callroute_attempt *a = &end.found;
	uint64_t id = id_of(*p->param), now = glue_now();
	int known =
			edit_surely(callroute.attempt_store, id,
					now + seconds(callroute.attempt_ttl), now, mark_over, &end)
			== 0;

	/* A call that was never answered ends with its transaction. */
	if(known && !is_named(a, end.dialog))
		return;
	if(callroute_give_back(id, now) < 0 || !known || type != DLGCB_TERMINATED
			|| dlg->start_ts == 0 || a->trunk_id == 0)
		return;
	callroute_quality_talked(callroute.live, (int)a->slot, a->dst_country,
			(uint32_t)(time(NULL) - dlg->start_ts), now);
}

int callroute_follow_end(struct dlg_cell *dlg, uint64_t id)
{
	return dialog.register_dlgcb(dlg,
				   DLGCB_TERMINATED | DLGCB_EXPIRED | DLGCB_DESTROY, on_end,
				   param_of(id),
				   NULL) == 0
				   ? 0
				   : -1;
}

static void follow_dialog(sip_msg_t *msg, uint64_t id)
{
	struct dlg_cell *dlg;

	if(dlg_manage == NULL)
		return;
	dlg = dialog.get_dlg(msg);
	/* Unless the script was first. */
	if(dlg == NULL && dlg_manage(msg, NULL, NULL) > 0)
		dlg = dialog.get_dlg(msg);
	if(dlg == NULL || callroute_follow_end(dlg, id) < 0
			|| callroute_restart_follow(dlg, id) < 0)
		LM_WARN("callid=%.*s: the end of this call is not followed; its "
				"channel is free after max_call_sec\n",
				GLUE_STR(callroute_request_of(msg)->callid->body));
	if(dlg != NULL)
		dialog.release_dlg(dlg);
}

/* --- no transaction -------------------------------------------------------------- */

/* The request under way in this process, until it has a transaction. */
static struct
{
	unsigned msg;
	int pid;
	uint64_t id; /* 0 = none */
} held;

int callroute_is_held(const sip_msg_t *msg, uint64_t id)
{
	return id != 0 && held.id == id && held.msg == msg->id
		   && held.pid == msg->pid;
}

static void on_request_in(struct cell *t, int type, struct tmcb_params *p)
{
	if(p->req != NULL && callroute_is_held(p->req, held.id))
		held.id = 0;
}

/* A call that leaves the script without a transaction was refused, redirected or
 * dropped: it is over. So is one that was sent on without state, as far as this
 * server can know. */
static int on_script_end(sip_msg_t *msg, unsigned int flags, void *param)
{
	if(callroute_is_held(msg, held.id)) {
		callroute_give_back(held.id, glue_now());
		tg_store_del(callroute.attempt_store, held.id);
	}
	held.id = 0;
	return 1;
}

/* --- set-up ---------------------------------------------------------------------- */

int callroute_dlg_init(void)
{
	load_dlg_f load = (load_dlg_f)(void *)find_export("load_dlg", 0, 0);

	if(callroute.tm.register_tmcb(NULL, NULL, TMCB_REQUEST_IN, on_request_in,
			   NULL,
			   NULL) < 0
			|| register_script_cb(
					   on_script_end, POST_SCRIPT_CB | REQUEST_CB, NULL)
					   < 0) {
		LM_ERR("cannot follow requests\n");
		return -1;
	}
	if(load == NULL)
		return 0;
	dlg_manage = find_export("dlg_manage", 0, 0);
	if(load(&dialog) < 0 || dlg_manage == NULL) {
		LM_ERR("cannot bind to the dialog module\n");
		return -1;
	}
	callroute.has_dialog = 1;
	return callroute_restart_init(&dialog);
}

struct cell *callroute_transaction(void)
{
	struct cell *t = callroute.tm.t_gett();

	return t == T_UNDEFINED ? NULL : t;
}

static void follow(sip_msg_t *msg, int types, transaction_cb f, uint64_t id)
{
	if(callroute.tm.register_tmcb(
			   msg, callroute_transaction(), types, f, param_of(id), NULL)
			< 0)
		LM_WARN("what becomes of this call's attempts is not followed; its "
				"channel is free after attempt_ttl\n");
}

/* It costs a copy of the request's URIs a branch: only where it is needed. */
void callroute_follow_identity(sip_msg_t *msg, uint64_t id)
{
	follow(msg, TMCB_REQUEST_FWDED, on_forwarded, id);
}

void callroute_follow(sip_msg_t *msg, uint64_t id)
{
	follow(msg, TMCB_RESPONSE_IN | TMCB_RESPONSE_READY | TMCB_DESTROY,
			on_transaction, id);
	follow_dialog(msg, id);
	if(callroute_transaction() != NULL)
		return;
	held.msg = msg->id;
	held.pid = msg->pid;
	held.id = id;
}

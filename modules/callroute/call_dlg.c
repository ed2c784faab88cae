/*
 * What becomes of calls, from whoever knows it: tm (replies, the final answer,
 * the transaction's end), dialog (the end of answered calls) and sl (calls
 * refused without a transaction). Each channel is given back once, by the first
 * that comes; one that nobody gives back ends by its expiry.
 *
 * The request's id travels as the callbacks' parameter: nothing is allocated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"
#include "modules/sl/sl.h"

#include <string.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "ids travel as pointers");

static struct dlg_binds dialog;
static cmd_function dlg_manage;
static sl_cbelem_t on_stateless_reply;

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

/* A provisional reply of the present attempt. */
static int mark_ringing(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	const uint64_t *now = arg;

	if(fresh)
		return 0;
	if(a->rang || a->settled)
		return -1;
	a->rang = 1;
	a->pdd_ms = (uint32_t)((*now - a->started) / 1000);
	return 1;
}

static void on_reply_in(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t now;

	if(p->code <= 100 || p->code >= 300 || p->code == 181 || p->code == 182)
		return;
	now = glue_now();
	tg_store_edit(callroute.attempt_store, id_of(*p->param), 0,
			now + seconds(callroute.attempt_ttl), now, mark_ringing, &now);
}

static void answered(uint64_t id, const struct callroute_attempt *a)
{
	uint64_t now = glue_now();

	/* Without dialog nobody says when the call ends but callroute_release(). */
	callroute_capacity_renew(callroute.live, a->call,
			now + seconds(callroute.max_call_sec), now);
}

static void on_final_out(struct cell *t, int type, struct tmcb_params *p)
{
	struct callroute_attempt a;
	uint64_t id = id_of(*p->param), now = glue_now();

	if(p->code < 200 || tg_store_get(callroute.attempt_store, id, now, &a) < 0)
		return;
	callroute_settle(id, p->code, (t->flags & T_CANCELED) && p->code >= 300);
	if(p->code < 300)
		answered(id, &a);
	else
		callroute_capacity_release(callroute.live, a.call, now);
}

/* A transaction that ends without a final answer of ours (dropped, killed). An
 * answered call keeps its channel. */
static void on_destroy(struct cell *t, int type, struct tmcb_params *p)
{
	struct callroute_attempt a;
	uint64_t id = id_of(*p->param), now = glue_now();

	if((t->uas.status >= 200 && t->uas.status < 300)
			|| tg_store_get(callroute.attempt_store, id, now, &a) < 0)
		return;
	callroute_capacity_release(callroute.live, a.call, now);
}

static void on_forwarded(struct cell *t, int type, struct tmcb_params *p)
{
	struct callroute_attempt a;
	struct callroute_view *view;

	if(p->req == NULL
			|| tg_store_get(callroute.attempt_store, id_of(*p->param),
					   glue_now(), &a)
					   < 0)
		return;
	view = callroute_view_of(p->req);
	view->attempt = a;
	if(callroute_copy_trunk(a.trunk_id, view, NULL) == 0)
		callroute_apply_cli(p->req, view);
}

/* --- dialogs ------------------------------------------------------------------- */

static void on_end(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	struct callroute_attempt a;
	uint64_t id = id_of(*p->param), now = glue_now();

	/* The call's name in the capacity is the request's id here. */
	callroute_capacity_release(callroute.live, id, now);
	if(type != DLGCB_TERMINATED || dlg->start_ts == 0
			|| tg_store_get(callroute.attempt_store, id, now, &a) < 0)
		return;
	callroute_quality_talked(callroute.live, (int)a.slot, a.dst_country,
			(uint32_t)(time(NULL) - dlg->start_ts), now);
}

static void on_created(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	uint64_t id = p->req ? callroute_request_id(p->req) : 0;

	if(id != 0
			&& dialog.register_dlgcb(dlg,
					   DLGCB_TERMINATED | DLGCB_FAILED | DLGCB_EXPIRED
							   | DLGCB_DESTROY,
					   on_end, param_of(id), NULL)
					   != 0)
		LM_WARN("callid=%.*s: the end of this call is not followed; its "
				"channel is free after max_call_sec\n",
				GLUE_STR(dlg->callid));
}

static void follow_dialog(sip_msg_t *msg)
{
	struct dlg_cell *dlg;

	if(dlg_manage == NULL)
		return;
	dlg = dialog.get_dlg(msg);
	if(dlg != NULL) { /* the script was first; on_created has seen it */
		dialog.release_dlg(dlg);
		return;
	}
	if(dlg_manage(msg, NULL, NULL) < 0)
		LM_WARN("dlg_manage failed: this call's channel is free after "
				"max_call_sec\n");
}

/* --- stateless ------------------------------------------------------------------ */

/* An INVITE answered without a transaction is over at once. */
static void on_stateless(sl_cbp_t *p)
{
	struct callroute_attempt a;
	uint64_t id, now;

	if(p->code < 300 || p->req == NULL || p->req->REQ_METHOD != METHOD_INVITE)
		return;
	id = callroute_request_id(p->req);
	now = glue_now();
	if(id != 0 && tg_store_get(callroute.attempt_store, id, now, &a) == 0)
		callroute_capacity_release(callroute.live, a.call, now);
}

/* --- set-up ---------------------------------------------------------------------- */

int callroute_dlg_init(void)
{
	bind_sl_f bind = (bind_sl_f)(void *)find_export("bind_sl", 0, 0);
	load_dlg_f load = (load_dlg_f)(void *)find_export("load_dlg", 0, 0);
	sl_api_t sl;

	on_stateless_reply.type = SLCB_REPLY_READY;
	on_stateless_reply.cbf = on_stateless;
	if(bind != NULL
			&& (bind(&sl) < 0 || sl.register_cb(&on_stateless_reply) < 0)) {
		LM_ERR("cannot follow stateless replies\n");
		return -1;
	}
	if(load == NULL)
		return 0;
	dlg_manage = find_export("dlg_manage", 0, 0);
	if(load(&dialog) < 0 || dlg_manage == NULL
			|| dialog.register_dlgcb(
					   NULL, DLGCB_CREATED, on_created, NULL, NULL)
					   != 0) {
		LM_ERR("cannot bind to the dialog module\n");
		return -1;
	}
	callroute.has_dialog = 1;
	return 0;
}

static void follow(sip_msg_t *msg, int types, transaction_cb f, uint64_t id)
{
	if(callroute.tm.register_tmcb(msg, NULL, types, f, param_of(id), NULL) < 0)
		LM_WARN("what becomes of this call's attempts is not followed; its "
				"channel is free after attempt_ttl\n");
}

void callroute_follow(sip_msg_t *msg, uint64_t id, int touches_identity)
{
	follow(msg, TMCB_RESPONSE_IN, on_reply_in, id);
	follow(msg, TMCB_RESPONSE_OUT, on_final_out, id);
	follow(msg, TMCB_DESTROY, on_destroy, id);
	/* It costs a copy of the request's URIs a branch: only where it is needed. */
	if(touches_identity)
		follow(msg, TMCB_REQUEST_FWDED, on_forwarded, id);
	follow_dialog(msg);
}

/*
 * The ends of calls. They are told by dialog (answered calls that end,
 * calls that fail) and sl (calls refused without a transaction). A lease that
 * neither of them ends runs out by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/dialog.h"
#include "fraudguard/live/calls.h"
#include "core/parser/parse_from.h"
#include "modules/dialog/dlg_load.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/sl/sl.h"

#include <string.h>

static struct dlg_binds dialog;
static cmd_function dlg_manage;
static sl_cbelem_t on_reply;

uint64_t fraudguard_call_of(const str *callid, const str *from_tag)
{
	char key[512];
	size_t n = 0;
	const str *parts[2] = {callid, from_tag};

	for(int i = 0; i < 2; i++) {
		size_t len = parts[i]->len < 250 ? (size_t)parts[i]->len : 250;

		memcpy(key + n, parts[i]->s, len);
		n += len;
		key[n++] = '\0';
	}
	return fraudguard_call_id(&fraudguard.tables, key, n);
}

static uint64_t call_of(const struct dlg_cell *dlg)
{
	return fraudguard_call_of(&dlg->callid, &dlg->tag[DLG_CALLER_LEG]);
}

static void on_end(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	fraudguard_end_call(&fraudguard.tables, call_of(dlg), fraudguard_clock());
}

static void on_answer(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	fraudguard_renew_call(&fraudguard.tables, call_of(dlg),
			(uint64_t)fraudguard.call_sec * 1000000, fraudguard_clock());
}

static void on_created(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	if(dialog.register_dlgcb(dlg,
			   DLGCB_TERMINATED | DLGCB_FAILED | DLGCB_EXPIRED | DLGCB_DESTROY,
			   on_end, NULL,
			   NULL) != 0
			|| dialog.register_dlgcb(
					   dlg, DLGCB_CONFIRMED, on_answer, NULL, NULL)
					   != 0)
		LM_WARN("callid=%.*s: the end of this call is not followed; its lease "
				"ends by time\n",
				GLUE_STR(dlg->callid));
}

/* An INVITE answered without a transaction is over at once. */
static void on_stateless(sl_cbp_t *p)
{
	sip_msg_t *req = p->req;

	if(p->code < 300 || req == NULL || req->REQ_METHOD != METHOD_INVITE
			|| parse_headers(req, HDR_CALLID_F | HDR_FROM_F, 0) < 0
			|| req->callid == NULL || parse_from_header(req) < 0)
		return;
	fraudguard_end_call(&fraudguard.tables,
			fraudguard_call_of(&req->callid->body, &get_from(req)->tag_value),
			fraudguard_clock());
}

int fraudguard_dialog_init(void)
{
	bind_sl_f bind = (bind_sl_f)(void *)find_export("bind_sl", 0, 0);
	sl_api_t sl;
	load_dlg_f load = (load_dlg_f)(void *)find_export("load_dlg", 0, 0);

	on_reply.type = SLCB_REPLY_READY;
	on_reply.cbf = on_stateless;
	if(bind != NULL && (bind(&sl) < 0 || sl.register_cb(&on_reply) < 0)) {
		LM_ERR("cannot follow stateless replies\n");
		return -1;
	}
	if(load == NULL)
		return 0; /* the loader refuses rules that need it */
	dlg_manage = find_export("dlg_manage", 0, 0);
	if(load(&dialog) < 0 || dlg_manage == NULL
			|| dialog.register_dlgcb(
					   NULL, DLGCB_CREATED, on_created, NULL, NULL)
					   != 0) {
		LM_ERR("cannot bind to the dialog module\n");
		return -1;
	}
	fraudguard.has_dialog = 1;
	return 0;
}

void fraudguard_follow(sip_msg_t *msg)
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
		LM_WARN("dlg_manage failed; the call's lease ends by time\n");
}

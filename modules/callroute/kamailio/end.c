/*
 * The end of answered calls: by the dialog module where it is loaded, else by
 * what callroute_release() finds under the name of a BYE's dialog.
 *
 * The answer and the end may come to two workers at once, and in any order:
 * both edit the attempt's record under its lock, and the later one gives back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/end.h"
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/live/quality.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"

#include <errno.h>
#include <time.h>

static const struct dlg_binds *dialog;

/* --- records
 * ------------------------------------------------------------------- */

/* One leg more, unless it is there (each answer of a forked call comes here).
 * */
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
	tg_store_edit(
			callroute.answered_store, dialog_id, 0, expires, now, add_leg, &id);
}

/* --- dialogs
 * ------------------------------------------------------------------- */

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

/* The answer may be with another worker still, which tm passes by when a copy
 * of it comes: then that worker is told. */
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
	uint64_t id = (uint64_t)(uintptr_t)*p->param, now = glue_now();
	int known = tg_store_edit(callroute.attempt_store, id, 0,
						now + (uint64_t)callroute.attempt_ttl * 1000000, now,
						mark_over, &end)
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
	return dialog->register_dlgcb(dlg,
				   DLGCB_TERMINATED | DLGCB_EXPIRED | DLGCB_DESTROY, on_end,
				   (void *)(uintptr_t)id,
				   NULL) == 0
				   ? 0
				   : -1;
}

void callroute_end_init(const struct dlg_binds *binds)
{
	dialog = binds;
}

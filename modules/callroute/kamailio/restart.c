/*
 * Calls that outlive a restart of the server, where dialog keeps its calls in a
 * database (db_mode). What an answered call holds is written into a variable of
 * its dialog; for each dialog that is loaded at start, the same channels are
 * taken again, whatever the limits are by now: the call is there.
 *
 * Memory bound: a variable a dialog, 55 bytes for each of at most
 * CALLROUTE_LEGS requests; the rest as for a new call. Locking: dialog's, for
 * its variables; the start is the main process alone. Failure mode: a call
 * whose variable is missing or says nothing goes on without a channel, and the
 * log says so. A dialog that RPC loads later (dlg.db_load_*) gets its variables
 * after the callback: it goes on without one too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/restart.h"
#include "callroute/kamailio/end.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/trunk.h"
#include "callroute/live/capacity.h"
#include "callroute/live/quality.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* "id:trunk:carrier:account:country", hexadecimal, legs apart by one blank */
#define LEG_MAX (16 + 3 * 9 + 5 + 1)
#define VALUE_MAX (CALLROUTE_LEGS * LEG_MAX)

static const struct dlg_binds *dialog;
static str variable = STR_STATIC_INIT("callroute");

struct leg
{
	uint64_t id;
	uint32_t trunk, carrier, account;
	uint16_t country; /* of the number called */
};

/* --- at the answer
 * ------------------------------------------------------------- */

/* Adds the leg to what the dialog says already. */
static void write_leg(struct dlg_cell *dlg, const struct leg *leg)
{
	char text[VALUE_MAX + LEG_MAX];
	str old, value = {text, 0};

	if(dialog->get_dlg_varval(dlg, &variable, &old) == 0) {
		if(old.len + LEG_MAX > VALUE_MAX)
			return;
		memcpy(text, old.s, (size_t)old.len);
		text[old.len] = ' ';
		value.len = old.len + 1;
	}
	value.len += snprintf(text + value.len, LEG_MAX, "%" PRIx64 ":%x:%x:%x:%x",
			leg->id, leg->trunk, leg->carrier, leg->account, leg->country);
	if(dialog->set_dlg_var(dlg, &variable, &value) != 0)
		LM_WARN("callid=%.*s: no dialog variable; this call holds no channel "
				"after a restart\n",
				GLUE_STR(dlg->callid));
}

static void on_answer(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	struct callroute_attempt a;
	uint64_t id = (uint64_t)(uintptr_t)*p->param;

	if(tg_store_get(callroute.attempt_store, id, glue_now(), &a) < 0)
		return;
	/* dialog looks at the first of a spiral's transactions; those inside it
	 * have been answered before. */
	if(p->req != NULL
			&& (callroute_is_of(&a, dlg)
					|| callroute_request_id(p->req) == id)) {
		struct leg leg = {.id = id,
				.trunk = a.trunk_id,
				.carrier = a.carrier_id,
				.account = a.sender.account,
				.country = a.dst_country};

		write_leg(dlg, &leg);
	}
}

int callroute_restart_follow(struct dlg_cell *dlg, uint64_t id)
{
	return dialog->register_dlgcb(dlg, DLGCB_CONFIRMED_NA, on_answer,
				   (void *)(uintptr_t)id,
				   NULL) == 0
				   ? 0
				   : -1;
}

/* --- at the start
 * --------------------------------------------------------------- */

/* One number and the character behind it. 0, -1. */
static int read_hex(const char **at, uint64_t max, char end, uint64_t *out)
{
	const char *s = *at;

	for(*out = 0; *s != '\0' && *s != end; s++) {
		int digit = *s >= '0' && *s <= '9'	 ? *s - '0'
					: *s >= 'a' && *s <= 'f' ? *s - 'a' + 10
											 : -1;

		if(digit < 0 || *out > (max - (uint64_t)digit) / 16)
			return -1;
		*out = *out * 16 + (uint64_t)digit;
	}
	if(s == *at || (end != ' ' && *s != end))
		return -1;
	*at = s + (*s == end);
	return 0;
}

/* How many, 0 = it says nothing that can be relied on. */
static int read_legs(const char *s, struct leg legs[CALLROUTE_LEGS])
{
	size_t len = strlen(s);
	int n = 0;

	if(len == 0 || s[len - 1] == ' ')
		return 0;
	for(; *s != '\0'; n++) {
		uint64_t v[5];

		if(n == CALLROUTE_LEGS || read_hex(&s, UINT64_MAX, ':', &v[0]) < 0
				|| read_hex(&s, UINT32_MAX, ':', &v[1]) < 0
				|| read_hex(&s, UINT32_MAX, ':', &v[2]) < 0
				|| read_hex(&s, UINT32_MAX, ':', &v[3]) < 0
				|| read_hex(&s, UINT16_MAX, ' ', &v[4]) < 0 || v[0] == 0)
			return 0;
		legs[n] = (struct leg){.id = v[0],
				.trunk = (uint32_t)v[1],
				.carrier = (uint32_t)v[2],
				.account = (uint32_t)v[3],
				.country = (uint16_t)v[4]};
	}
	return n;
}

/* The record of a call that is up. A trunk that is gone reports no quality. */
static void remember(
		const struct leg *leg, uint64_t key, uint64_t expires, uint64_t now)
{
	static struct callroute_view view;
	struct callroute_attempt a = {.call = leg->id,
			.dialog = key,
			.carrier_id = leg->carrier,
			.dst_country = leg->country,
			.pdd_ms = CALLROUTE_NO_PDD,
			.settled = 1,
			.followed = 1};

	a.sender.account = leg->account;
	if(callroute_copy_trunk(leg->trunk, &view, NULL) == 0) {
		a.trunk_id = leg->trunk;
		a.slot = view.trunk.live;
	}
	tg_store_put(callroute.attempt_store, leg->id, 0, expires, now, &a);
}

static void take_again(struct dlg_cell *dlg, const struct leg *leg,
		uint64_t expires, uint64_t now)
{
	/* No limits: they are for calls that come. */
	struct callroute_claim claim = {.trunk = leg->trunk,
			.carrier = leg->carrier,
			.account = leg->account};
	uint64_t key = callroute_dialog_id(
			&dlg->callid, &dlg->tag[DLG_CALLER_LEG], &dlg->tag[DLG_CALLEE_LEG]);

	if(key == 0 || callroute_follow_end(dlg, leg->id) < 0)
		return;
	(void)callroute_capacity_take(
			callroute.live, leg->id, &claim, expires, now);
	remember(leg, key, expires, now);
	callroute_add_leg(key, leg->id, expires, now);
}

static void on_loaded(struct dlg_cell *dlg, int type, struct dlg_cb_params *p)
{
	struct leg legs[CALLROUTE_LEGS];
	uint64_t now = glue_now();
	int64_t left = callroute.max_call_sec + (int64_t)dlg->start_ts - time(NULL);
	str value;
	int n;

	if((dlg->state != DLG_STATE_CONFIRMED_NA
			   && dlg->state != DLG_STATE_CONFIRMED)
			|| left <= 0 || dialog->get_dlg_varval(dlg, &variable, &value) != 0)
		return;
	n = read_legs(value.s, legs);
	if(n == 0)
		LM_WARN("callid=%.*s: dialog variable callroute is not understood; "
				"this call holds no channel\n",
				GLUE_STR(dlg->callid));
	/* A clock that went back prolongs no call beyond the longest one. */
	if(left > callroute.max_call_sec)
		left = callroute.max_call_sec;
	for(int i = 0; i < n; i++)
		take_again(dlg, &legs[i], now + (uint64_t)left * 1000000, now);
}

int callroute_restart_init(const struct dlg_binds *binds)
{
	dialog = binds;
	if(dialog->register_dlgcb(NULL, DLGCB_LOADED, on_loaded, NULL, NULL) == 0)
		return 0;
	LM_ERR("cannot learn which dialogs are loaded\n");
	return -1;
}

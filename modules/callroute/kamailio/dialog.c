/*
 * Kamailio's dialog module, where it is loaded: each call gets a dialog, whose
 * end gives its channels back (end.c) and which outlives a restart of the
 * server (restart.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/dialog.h"
#include "callroute/kamailio/end.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/restart.h"
#include "modules/dialog/dlg_load.h"

static struct dlg_binds dialog;
static cmd_function dlg_manage;

void callroute_follow_dialog(sip_msg_t *msg, uint64_t id)
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

int callroute_dialog_init(void)
{
	load_dlg_f load = (load_dlg_f)(void *)find_export("load_dlg", 0, 0);

	if(load == NULL)
		return 0;
	dlg_manage = find_export("dlg_manage", 0, 0);
	if(load(&dialog) < 0 || dlg_manage == NULL) {
		LM_ERR("cannot bind to the dialog module\n");
		return -1;
	}
	callroute_end_init(&dialog);
	return callroute_restart_init(&dialog);
}

/*
 * The script functions, and the tables that Kamailio's loader reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_FUNCTIONS_H
#define CALLROUTE_KAMAILIO_FUNCTIONS_H

#include "glue/ksr.h"

/* Each of plan, dst and src may be NULL: what the request and its account say.
 * */
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
extern const pv_export_t callroute_pvs[];

#endif

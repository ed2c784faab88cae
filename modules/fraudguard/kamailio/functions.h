/*
 * The script functions, pseudo-variables and RPC commands, as Kamailio's loader
 * reads them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KAMAILIO_FUNCTIONS_H
#define FRAUDGUARD_KAMAILIO_FUNCTIONS_H

#include "fraudguard/fraudguard.h"
#include "glue/ksr.h"

extern const cmd_export_t fraudguard_cmds[];
extern sr_kemi_t fraudguard_kemi[];
extern const pv_export_t fraudguard_pvs[];
extern const rpc_export_t fraudguard_rpcs[];

/* $fraudguard(...) of this message, in this process; NULL or no rule: $null. */
void fraudguard_pv_remember(
		const sip_msg_t *msg, const struct fraudguard_hit *hit);

#endif

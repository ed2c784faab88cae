/*
 * The script functions, pseudo-variables and RPC commands, as Kamailio's loader
 * reads them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_KAMAILIO_FUNCTIONS_H
#define REGGUARD_KAMAILIO_FUNCTIONS_H

#include "glue/ksr.h"
#include "regguard/regguard.h"

extern const cmd_export_t regguard_cmds[];
extern sr_kemi_t regguard_kemi[];
extern const pv_export_t regguard_pvs[];
extern const rpc_export_t regguard_rpcs[];

/* $regguard(...) of this message, in this process. `r` may be NULL. */
void regguard_pv_remember(const sip_msg_t *msg,
		const struct regguard_request *r, const struct regguard_answer *a);

#endif

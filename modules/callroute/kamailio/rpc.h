/*
 * RPC: the table of commands, and those of trunks.c and explain.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_RPC_H
#define CALLROUTE_KAMAILIO_RPC_H

#include "glue/ksr.h"

extern const rpc_export_t callroute_rpcs[];

void callroute_rpc_list_trunks(rpc_t *rpc, void *ctx);
void callroute_rpc_set_trunk(rpc_t *rpc, void *ctx);
void callroute_rpc_stats(rpc_t *rpc, void *ctx);
void callroute_rpc_list_quality(rpc_t *rpc, void *ctx);
void callroute_rpc_explain(rpc_t *rpc, void *ctx);

#endif

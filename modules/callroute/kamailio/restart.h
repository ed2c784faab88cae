/*
 * Calls that outlive the server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_RESTART_H
#define CALLROUTE_KAMAILIO_RESTART_H

#include "glue/ksr.h"

struct dlg_cell;
struct dlg_binds;

/* `binds` must stay. 0, -1. */
int callroute_restart_init(const struct dlg_binds *binds);
/* When this request is answered, the dialog will say what it holds. 0, -1. */
int callroute_restart_follow(struct dlg_cell *dlg, uint64_t id);

#endif

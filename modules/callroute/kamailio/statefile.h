/*
 * The state file: what was learned of trunks, kept over a restart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_STATEFILE_H
#define CALLROUTE_KAMAILIO_STATEFILE_H

#include "glue/ksr.h"

/* Main process, once the tables are loaded. */
void callroute_state_load(void);
/* Main process, when it has its children: only then is there an end to save at. */
void callroute_state_begin(void);
/* The keeper: something happened that should not wait; and its tick. */
void callroute_state_touch(void);
void callroute_state_tick(uint64_t now);
/* Main process, when all others have ended. */
void callroute_state_end(void);

#endif

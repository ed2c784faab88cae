/*
 * The state file: what was learned of trunks (live_state.h), kept over a
 * restart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_STATEFILE_H
#define CALLROUTE_KAMAILIO_STATEFILE_H

#include "glue/statefile.h"

extern struct glue_statefile callroute_statefile;

#endif

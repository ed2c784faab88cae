/*
 * What becomes of calls: told by tm, by the end of the script, by dialog.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_FOLLOW_H
#define CALLROUTE_KAMAILIO_FOLLOW_H

#include "glue/ksr.h"

/* Binds to tm, and to dialog where it is loaded. 0, -1. */
int callroute_follow_init(void);
/* Follows the request's transaction, also one that is not there yet, and its
 * call from now on. */
void callroute_follow(sip_msg_t *msg, uint64_t id);

/* Whether this very message is followed and has no transaction yet. */
int callroute_is_held(const sip_msg_t *msg, uint64_t id);

#endif

/*
 * Identity headers of the caller, as account and trunk want them (RFC 3325).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_IDENTITY_H
#define CALLROUTE_KAMAILIO_IDENTITY_H

#include "callroute/kamailio/view.h"

/* Whether there is anything to do for the trunk of this view. */
int callroute_touches_identity(const struct callroute_view *view);
/* Identity headers as account and trunk want them (RFC 3325). */
void callroute_apply_cli(sip_msg_t *msg, const struct callroute_view *view);

/* Has callroute_apply_cli() called for each branch of this request from now on;
 * once a request. */
void callroute_follow_identity(sip_msg_t *msg, uint64_t id);

#endif

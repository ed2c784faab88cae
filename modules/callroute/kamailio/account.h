/*
 * Emergency numbers that must not be lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_ACCOUNT_H
#define CALLROUTE_KAMAILIO_ACCOUNT_H

#include "callroute/kamailio/view.h"

/* An emergency number that no rule of the sender's plan serves: says so in the
 * log. A price for "112" is the price of some +112, so no price list may take
 * it. Not asked for a plan that the script names: that is the script's own
 * affair. */
int callroute_emergency_is_lost(
		sip_msg_t *msg, const struct callroute_view *view, const str *number);
/* A request to urn:service:sos: view->number becomes the number that serves it.
 * 1, 0 = it is none. */
int callroute_take_sos(sip_msg_t *msg, struct callroute_view *view);

#endif

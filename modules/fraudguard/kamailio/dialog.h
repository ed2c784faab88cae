/*
 * Ends and renews leases with the calls: dialog, and sl for calls without a
 * transaction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KAMAILIO_DIALOG_H
#define FRAUDGUARD_KAMAILIO_DIALOG_H

#include "fraudguard/kamailio/state.h"

/* Binds to sl and dialog, where they are loaded. 0, -1. */
int fraudguard_dialog_init(void);
/* Makes Kamailio follow this call, so that its end is known. */
void fraudguard_follow(sip_msg_t *msg);

/* The call that Call-ID and caller's tag name (RFC 3261, 12: what of a dialog
 * is known before it is answered). */
uint64_t fraudguard_call_of(const str *callid, const str *from_tag);

#endif

/*
 * Kamailio's dialog module, where it is loaded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_DIALOG_H
#define CALLROUTE_KAMAILIO_DIALOG_H

#include "glue/ksr.h"

/* Binds to dialog where it is loaded. 0, -1. */
int callroute_dialog_init(void);
/* Has the dialog module follow this call; nothing where it is not loaded. */
void callroute_follow_dialog(sip_msg_t *msg, uint64_t id);

#endif

/*
 * The end of answered calls, by dialog or by callroute_release().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_END_H
#define CALLROUTE_KAMAILIO_END_H

#include "callroute/kamailio/record.h"
#include "glue/ksr.h"

struct dlg_cell;
struct dlg_binds;

/* `binds` must stay. */
void callroute_end_init(const struct dlg_binds *binds);
/* Does the request with this record belong to the dialog? Two calls may share
 * Call-ID and From tag, by a spiral or by an attacker: dialog takes both for
 * one, and the end of the one must not give back what the other holds. */
int callroute_is_of(
		const struct callroute_attempt *a, const struct dlg_cell *dlg);
/* The channels of this request are given back when the dialog ends. 0, -1. */
int callroute_follow_end(struct dlg_cell *dlg, uint64_t id);
/* callroute_release() finds the request by its dialog until `expires`. */
void callroute_add_leg(
		uint64_t dialog, uint64_t id, uint64_t expires, uint64_t now);

#endif

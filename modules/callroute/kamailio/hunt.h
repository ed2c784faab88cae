/*
 * Hunt groups.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_HUNT_H
#define CALLROUTE_KAMAILIO_HUNT_H

#include "callroute/callroute.h"
#include "glue/ksr.h"

/* Whom a hunt group's call rings, in the order drawn for it. */
struct callroute_hunting
{
	uint8_t count, next; /* members, and how many of them have rung */
	uint8_t parallel;	 /* those of one priority ring together */
	char group[CALLROUTE_NAME_MAX];
	uint32_t members[CALLROUTE_MEMBERS_MAX]; /* ids */
};

/* Rings the group's next members, where the request hunts in one. 1, a refusal,
 * or 0: it does not. */
int callroute_next_members(sip_msg_t *msg, uint64_t id);
/* The request goes to trunks from now on. */
void callroute_end_hunt(uint64_t id);

#endif

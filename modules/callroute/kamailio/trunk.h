/*
 * A trunk as the data in use have it, copied out of the snapshot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_TRUNK_H
#define CALLROUTE_KAMAILIO_TRUNK_H

#include "callroute/kamailio/view.h"
#include "callroute/live/capacity.h"

/* Copies the trunk, its carrier's name and codecs into the view, and what an
 * attempt on it takes into `claim` (may be NULL). A trunk of a disabled carrier
 * is copied as down. 0, -ENOENT. */
int callroute_copy_trunk(uint32_t id, struct callroute_view *view,
		struct callroute_claim *claim);
/* The trunk's breaker and the replies that it counts. 0, -ENOENT: the trunk is
 * gone or has no breaker. */
int callroute_copy_breaker(uint32_t id, struct callroute_breaker_config *cfg,
		struct callroute_codes *codes);

#endif

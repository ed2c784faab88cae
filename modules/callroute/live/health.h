/*
 * Health by probes: a trunk goes down after `down_after` probes in a row
 * without an answer, and up again after `up_after` answers in a row. New trunks
 * are up: a restart must not take every trunk out of service until the first
 * probes.
 *
 * Memory bound: 16 B in the trunk's slot (live.h). Process safety, time,
 * invalid slots: live.h. The state, the count in a row and the time of the last
 * change are one word, changed by one compare-and-swap. So exactly one process
 * makes each change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_HEALTH_H
#define CALLROUTE_HEALTH_H

#include "callroute/live/live.h"

struct callroute_health
{
	int up;
	uint64_t since;				  /* last change; 0 = up since the start */
	uint32_t successes, failures; /* in a row; one of them is 0; up to 16383 */
	uint64_t due;				  /* the next probe; 0 = not yet set */
};

/* 1 up, 0 down. One load. */
int callroute_health_is_up(const struct callroute_live *live, int slot);

/*
 * Reports one probe. `answered`: non-zero when a reply came that shows that the
 * trunk is alive (the caller decides which). Thresholds of 0 mean 1, those over
 * 16383 mean 16383.
 * +1 the trunk just went up, -1 it just went down, 0 neither. Of several
 * processes that report at the same time exactly one gets the +1 or -1.
 */
int callroute_health_probe(struct callroute_live *live, int slot, int answered,
		uint32_t down_after, uint32_t up_after, uint64_t now);

/*
 * Claims the probe that is due: 1 for one caller in each interval, else 0; also
 * 0 without a slot or an interval. If the process that claimed it dies, that
 * one probe is lost.
 *
 * Each trunk has its own place in the interval, derived from its id at the
 * first call, and keeps that place however late a claim comes. So trunks that
 * start together, or whose probes were delayed together, are not probed
 * together. If the interval shrinks to less than half, the place is set anew.
 */
int callroute_health_due(struct callroute_live *live, int slot,
		uint64_t interval_us, uint64_t now);

/* Restores the saved state (live_state.h) except `due`. Does nothing without a
 * slot. */
void callroute_health_restore(struct callroute_live *live, int slot,
		const struct callroute_health *saved);

void callroute_health_read(const struct callroute_live *live, int slot,
		struct callroute_health *out);

#endif

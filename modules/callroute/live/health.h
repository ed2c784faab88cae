/*
 * Health by probes: a trunk goes down after `down_after` probes in a row without
 * an answer, and up again after `up_after` answers in a row. New trunks are up:
 * a restart must not take every trunk out of service until the first probes.
 *
 * Memory bound: 16 B in the trunk's slot (live.h). Process safety, time and a
 * slot that is none: live.h. The state, the counts in a row and the time of the
 * last edge are one word, changed by one compare-and-swap: an edge has one author.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_HEALTH_H
#define CALLROUTE_HEALTH_H

#include "callroute/live/live.h"

struct callroute_health
{
	int up;
	uint64_t since;				  /* the last edge; 0 = up since the start */
	uint32_t successes, failures; /* in a row; one of them is 0; up to 16383 */
	uint64_t due;				  /* the next probe; 0 = nobody has asked yet */
};

/* 1 up, 0 down. One load. */
int callroute_health_is_up(const struct callroute_live *live, int slot);

/*
 * Reports one probe: `answered` non-zero when a reply came that shows life (the
 * caller decides which). Thresholds of 0 mean 1, those over 16383 mean 16383.
 * +1 it just went up, -1 it just went down, 0 neither: for exactly one caller
 * each, whoever reports at the same time.
 */
int callroute_health_probe(struct callroute_live *live, int slot, int answered,
		uint32_t down_after, uint32_t up_after, uint64_t now);

/*
 * Claims the probe that is due: 1 for one caller in each interval, else 0; also 0
 * without a slot or an interval. A claimant that dies costs that one probe.
 *
 * Each trunk has its place in the interval, drawn by its id when it is first asked
 * about, and keeps it, however late a claim comes: trunks that start together, or
 * were held up together, are not probed together. An interval that has become
 * less than half of what it was is drawn anew.
 */
int callroute_health_due(struct callroute_live *live, int slot,
		uint64_t interval_us, uint64_t now);

/* Takes over what was saved (live_state.h), but for `due`. No slot: nothing. */
void callroute_health_restore(struct callroute_live *live, int slot,
		const struct callroute_health *saved);

void callroute_health_read(const struct callroute_live *live, int slot,
		struct callroute_health *out);

#endif

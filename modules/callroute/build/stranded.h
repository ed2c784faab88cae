/*
 * Emergency numbers that a plan's accounts dial and that no emergency rule serves: found at each load, since nothing
 * else would tell before somebody dials.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_STRANDED_H
#define CALLROUTE_STRANDED_H

#include "callroute/callroute.h"

/* A plan whose accounts of one country dial emergency numbers that it has no
 * emergency rule for: such a call is refused (no_emergency_rule). */
struct callroute_stranded
{
	uint32_t account_id; /* the first of them */
	uint32_t plan_id;
	char country[3];
	char numbers[72]; /* "110,112" */
	char plan[CALLROUTE_NAME_MAX];
};

/* Fills each plan and country once, `max` at most; returns how many. Rules count
 * whose time holds at `now`. */
int callroute_find_stranded(const struct callroute_image *image, int64_t now,
		struct callroute_stranded *out, int max);

#endif

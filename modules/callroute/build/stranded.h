/*
 * Emergency numbers of a plan's accounts for which the plan has no emergency
 * rule. They are found at each load, before a user dials one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_STRANDED_H
#define CALLROUTE_STRANDED_H

#include "callroute/callroute.h"

/* A plan, a country of its accounts, and the country's emergency numbers for
 * which the plan has no emergency rule. A call to one is refused
 * (no_emergency_rule). */
struct callroute_stranded
{
	uint32_t account_id; /* the first such account */
	uint32_t plan_id;
	char country[3];
	char numbers[72]; /* "110,112" */
	char plan[CALLROUTE_NAME_MAX];
};

/* Fills one row for each such plan and country, at most `max`; returns how
 * many. Only rules whose time holds at `now` count. */
int callroute_find_stranded(const struct callroute_image *image, int64_t now,
		struct callroute_stranded *out, int max);

#endif

/*
 * Calls that are added to the quality of a trunk, and what is known of it then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_QUALITY_RIG_H
#define TESTS_UNIT_CALLROUTE_QUALITY_RIG_H

#include "unit/callroute/live_rig.h"

#include "callroute/live/quality.h"

static inline void add(struct rig *r, uint16_t group,
		enum callroute_outcome outcome, uint32_t pdd_ms, unsigned times,
		uint64_t now)
{
	struct callroute_sample s = {outcome, pdd_ms};

	while(times-- > 0)
		callroute_quality_add(r->live, r->slot, group, &s, now);
}

static inline struct callroute_quality look(
		struct rig *r, uint16_t group, uint64_t now)
{
	struct callroute_quality q;

	assert_int_equal(
			callroute_quality_read(r->live, r->slot, group, now, &q), 0);
	return q;
}

#endif

/*
 * The vendors of one decision: their prices, their eligibility, their order.
 * Internal to the policy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_VENDORS_H
#define CALLROUTE_VENDORS_H

#include "callroute/callroute.h"
#include "callroute/live/capacity.h"
#include "callroute/live/health.h"
#include "callroute/live/quality.h"
#include "lib/prefix/trie.h"

/* One decision under way. */
struct callroute_case
{
	const struct callroute_image *im;
	struct callroute_live *live;
	const struct callroute_question *q;
	struct callroute_work *work;
	const struct callroute_plan *plan;
	const struct callroute_rule *rule; /* route or emergency; NULL = none */
	int emergency;
	const char *number; /* that prices go by: the routing number, if any */
	size_t number_len;
	uint16_t src_country, dst_country; /* index + 1; 0 = of no country */
	int64_t sell_price;				   /* -1 = not known */
	int sell_blocked;
};

/* Lists the vendors (the rule's trunks, then the plan's entries) and finds
 * their prices and the selling price in one walk over the number. */
void callroute_price_vendors(struct callroute_case *c);

/* What an entry of the plan says of this call before prices count: SRC_COUNTRY,
 * DST_COUNTRY, TIME; RANK when nothing speaks against it. */
enum callroute_fate callroute_judge_entry(
		const struct callroute_case *c, const struct callroute_entry *e);

/* Gives every vendor its fate, CALLROUTE_FATE_RANK where nothing but its rank
 * and its capacity is left to ask. Returns the greatest fate below that. */
enum callroute_fate callroute_judge_vendors(struct callroute_case *c);

/* Chooses the best eligible ones that have a channel free; `best` is raised by
 * what stood in the way of the others. Returns how many. */
int callroute_rank_vendors(struct callroute_case *c, enum callroute_fate *best,
		struct callroute_candidate *out);

#endif

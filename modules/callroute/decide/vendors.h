/*
 * The vendors of one decision: their prices, their eligibility, their order.
 * Internal to the decision.
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

/* The state of one decision. */
struct callroute_case
{
	const struct callroute_image *im;
	struct callroute_live *live;
	const struct callroute_question *q;
	struct callroute_work *work;
	const struct callroute_plan *plan;
	const struct callroute_rule *rule; /* route or emergency; NULL = none */
	int emergency;
	const char *number; /* for prices: the routing number if ported */
	size_t number_len;
	uint16_t src_country, dst_country; /* index + 1; 0 = no country */
	int64_t sell_price;				   /* -1 = not known */
	int sell_blocked;
};

/* Lists the vendors (the rule's trunks, then the plan's entries). Finds their
 * prices and the selling price in one walk over the number. */
void callroute_price_vendors(struct callroute_case *c);

/* Whether an entry of the plan accepts this call, without its price:
 * SRC_COUNTRY, DST_COUNTRY or TIME when not, RANK when it does. */
enum callroute_fate callroute_judge_entry(
		const struct callroute_case *c, const struct callroute_entry *e);

/* Gives every vendor its fate: CALLROUTE_FATE_RANK when only its rank and its
 * capacity are still to be checked. Returns the greatest fate below that. */
enum callroute_fate callroute_judge_vendors(struct callroute_case *c);

/* Chooses the best eligible vendors with a free channel. `best` is raised to
 * the greatest fate of the vendors without capacity. Returns how many are
 * chosen. */
int callroute_rank_vendors(struct callroute_case *c, enum callroute_fate *best,
		struct callroute_candidate *out);

#endif

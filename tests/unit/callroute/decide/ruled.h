/*
 * Two plans that rules and block lists are added to, and a call of one of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_RULED_H
#define TESTS_UNIT_CALLROUTE_RULED_H

#include "unit/callroute/rows.h"

/* Trunks 1 to 3 at 100, 200, 300 for 49; plan 1, and plan 2 with trunk 3 only;
 * time 1 is always, time 2 never now. */
static inline struct callroute_builder *ruled(void)
{
	struct callroute_builder *b = rows_new();

	ADD(b, time, 1);
	ADD(b, time, 2, row.dtstart = "20230101T000000", row.duration = "PT1H");
	ADD(b, carrier, 1);
	for(int n = 1; n <= 3; n++)
		ADD(b, trunk, n);
	for(int n = 1; n <= 3; n++)
		ADD(b, deck, n);
	for(int n = 1; n <= 3; n++)
		rows_price(b, n, "49", n * 100);
	ADD(b, plan, 1);
	ADD(b, plan, 2);
	rows_enter(b, 3);
	ADD(b, entry, 4, row.plan_id = 2, row.trunk_id = 3, row.deck_id = 3);
	return b;
}

static const struct callroute_answer *ask(const struct callroute_image *im,
		const char *plan, const char *number, const char *src)
{
	struct callroute_question q = rows_question(plan, number);

	q.src = src;
	q.src_len = src ? strlen(src) : 0;
	return rows_decide(im, &q);
}

#endif

/*
 * What judging shares with an operator's word about the same key. Internal to this room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_DECIDE_JUDGE_H
#define FRAUDGUARD_DECIDE_JUDGE_H

#include "fraudguard/fraudguard.h"

/* The id under which the rule counts this text key. Counts survive a reload: the rule's name, not its place, is in it; and
 * its window, since a count kept in windows of one length means nothing in others. */
uint64_t fraudguard_count_id(const struct fraudguard_tables *t,
		const struct fraudguard_rule *r, const char *key);

#endif

/*
 * What judge.c shares with operator.c. Internal to this folder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_DECIDE_JUDGE_H
#define FRAUDGUARD_DECIDE_JUDGE_H

#include "fraudguard/fraudguard.h"

/* The rule's own key space: a hash of its name and its window. */
uint32_t fraudguard_rule_space(const struct fraudguard_rule *r);

/* The id under which the rule counts this text key. It has the rule's name, not
 * its position, so that counts survive a reload. It also has the window,
 * because a count of one window length is of no use for another. */
uint64_t fraudguard_count_id(const struct fraudguard_tables *t,
		const struct fraudguard_rule *r, const char *key);

#endif

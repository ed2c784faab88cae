/*
 * What the builder makes of its rows while it writes an image. Internal to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_DRAFT_H
#define CALLROUTE_BUILD_DRAFT_H

#include "callroute/build/rows.h"

/* A union of prefixes on its way into a trie. */
struct callroute_prefixes
{
	struct tg_trie_row *rows;
	char *symbols; /* TG_TRIE_MAX_DIGITS each */
	size_t count, total;
};

/* Everything that is made while writing; all zero at first. */
struct callroute_draft
{
	struct callroute_image im;
	struct callroute_prefixes rates, rules, block_dst, block_src;
	uint32_t *rate_groups, *account_names;
	struct callroute_span *rule_spans, *block_dst_spans, *block_src_spans;
};

/* Indexes by name; tells of accounts that match the same. 0, -ENOMEM. */
int callroute_draft_names(
		struct callroute_builder *b, struct callroute_draft *d);

/* Prefixes of rates, rules and blocks, whose rows it sorts (the rates are so
 * already), each with its span. 0, -ENOMEM. */
int callroute_draft_prefixes(
		struct callroute_builder *b, struct callroute_draft *d);

void callroute_free_draft(struct callroute_draft *d);

#endif

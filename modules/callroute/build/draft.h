/*
 * The intermediate data while the builder writes an image. Internal to the
 * builder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_DRAFT_H
#define CALLROUTE_BUILD_DRAFT_H

#include "callroute/build/rows.h"

/* A union of prefixes, from which a trie is built. */
struct callroute_prefixes
{
	struct tg_trie_row *rows;
	char *symbols; /* TG_TRIE_MAX_DIGITS each */
	size_t count, total;
};

/* All intermediate data of one write; all zero at first. */
struct callroute_draft
{
	struct callroute_image im;
	struct callroute_prefixes rates, rules, block_dst, block_src;
	uint32_t *rate_groups, *account_names;
	struct callroute_span *rule_spans, *block_dst_spans, *block_src_spans;
};

/* Makes the indexes by name; reports accounts that match the same. 0,
 * -ENOMEM. */
int callroute_draft_names(
		struct callroute_builder *b, struct callroute_draft *d);

/* Makes the prefixes of rates, rules and blocks, each with its span of rows.
 * Sorts the rules and blocks; the rates are sorted already. 0, -ENOMEM. */
int callroute_draft_prefixes(
		struct callroute_builder *b, struct callroute_draft *d);

void callroute_free_draft(struct callroute_draft *d);

#endif

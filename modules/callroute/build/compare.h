/*
 * Compares two images: for the loader, before it publishes one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_COMPARE_H
#define CALLROUTE_COMPARE_H

#include "callroute/decide/image.h"
#include "lib/prefix/trie.h"

#define CALLROUTE_MOVES 10

/* A price that changed. */
struct callroute_move
{
	int64_t from, to; /* micro-units a minute */
	uint32_t deck;	  /* id */
	char prefix[TG_TRIE_MAX_DIGITS + 1];
};

/* What differs between the rates of two images. A rate is the same one when
 * deck (by id), prefix, source prefix and start are the same. */
struct callroute_difference
{
	uint64_t added, removed, changed, same;
	uint64_t risen, fallen; /* of the changed rates, by price */
	int moves;
	struct callroute_move
			move[CALLROUTE_MOVES]; /* the biggest by ratio first */
};

/* Time linear in the rates of both. */
void callroute_compare(const struct callroute_image *before,
		const struct callroute_image *after, struct callroute_difference *out);

/* The first table that had at least CALLROUTE_SHRINK_ROWS rows and lost more
 * than `per_cent` of them; NULL when there is none. For rates one row is
 * enough. */
#define CALLROUTE_SHRINK_ROWS 10
const char *callroute_shrunk(const struct callroute_image *before,
		const struct callroute_image *after, int per_cent);

#endif

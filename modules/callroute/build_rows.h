/*
 * The builder's rows, shared by build.c (one row) and build_image.c (all).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_ROWS_H
#define CALLROUTE_BUILD_ROWS_H

#include "callroute/build.h"
#include "lib/trie.h"

struct callroute_table
{
	void *rows;
	size_t count, room;
};

struct callroute_carrier
{
	long long id;
	int enabled;
	char name[CALLROUTE_NAME_MAX];
};

struct callroute_deck
{
	long long id;
	int enabled;
	char name[CALLROUTE_NAME_MAX];
	char currency[4]; /* ISO 4217 */
};

struct callroute_build_trunk
{
	long long carrier_id;
	struct callroute_trunk out;
};

struct callroute_build_rate
{
	long long id, deck_id;
	struct callroute_rate out;
	uint8_t len;
	char prefix[TG_TRIE_MAX_DIGITS];
};

struct callroute_build_plan
{
	long long id;
	struct callroute_plan out;
};

struct callroute_build_entry
{
	long long id, plan_id, trunk_id, deck_id;
	struct callroute_entry out;
};

struct callroute_builder
{
	struct tg_rowcheck check;
	struct callroute_table carriers, decks, trunks, rates, plans, entries;
};

#define CALLROUTE_ROWS(b, type, table) ((type *)(b)->table.rows)

#endif

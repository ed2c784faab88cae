/*
 * Loading the tables: at start in the main process, afterwards in the keeper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_LOAD_H
#define CALLROUTE_KAMAILIO_LOAD_H

#include "callroute/build/compare.h"
#include "callroute/callroute.h"
#include "glue/load.h"

/* What a load is asked to do. */
enum callroute_scope
{
	CALLROUTE_LOAD_ALL,
	CALLROUTE_LOAD_DECK, /* the rates of one deck, and all small tables */
	CALLROUTE_LOAD_PLANS /* the small tables: rates stay */
};

struct callroute_order_of_load
{
	struct glue_order base;
	enum callroute_scope scope;
	char deck[CALLROUTE_NAME_MAX];
	uint8_t forced; /* may shrink the data */
	uint8_t dry;	/* tells what would change, publishes nothing */
};

/* Outcome of the last load, for callroute.status. */
struct callroute_load
{
	struct glue_load base;
	struct callroute_order_of_load order;
	uint32_t rates, trunks, plans;
	uint32_t rows_read; /* of callroute_rate */
	uint64_t bytes;
	struct callroute_difference difference; /* dry runs */
};

/* Loads the tables and publishes a snapshot, or keeps the old one and says why.
 * Main process at start, then the keeper. 0, -1. */
int callroute_load_tables(const struct callroute_order_of_load *order);

#endif

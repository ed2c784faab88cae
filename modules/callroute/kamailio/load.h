/*
 * Loading the tables: at start in the main process, afterwards in the keeper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_LOAD_H
#define CALLROUTE_KAMAILIO_LOAD_H

#include "callroute/build/compare.h"
#include "callroute/callroute.h"

/* What a load is asked to do. */
enum callroute_scope
{
	CALLROUTE_LOAD_ALL,
	CALLROUTE_LOAD_DECK, /* the rates of one deck, and all small tables */
	CALLROUTE_LOAD_PLANS /* the small tables: rates stay */
};

struct callroute_order_of_load
{
	uint64_t ticket; /* 0 = at start */
	enum callroute_scope scope;
	char deck[CALLROUTE_NAME_MAX];
	uint8_t forced; /* may shrink the data */
	uint8_t dry;	/* tells what would change, publishes nothing */
};

/* Outcome of the last load, for callroute.status. */
struct callroute_load
{
	struct callroute_order_of_load order;
	int64_t at;	 /* UTC seconds */
	uint32_t ok; /* 1 published (or dry and sound), 0 kept the old data */
	uint32_t rates, trunks, plans;
	uint32_t rows_read; /* of callroute_rate */
	uint64_t bytes, took_us, cpu_us;
	char message[512];						/* "ok", or the first reason */
	struct callroute_difference difference; /* dry runs */
};

/* Loads the tables and publishes a snapshot, or keeps the old one and says why.
 * Main process at start, then the keeper. 0, -1. */
int callroute_load_tables(const struct callroute_order_of_load *order);
/* The last load. 0, -ENOENT. */
int callroute_last_load(struct callroute_load *out);

#endif

/*
 * Loading the rules: at start in the main process, afterwards in the keeper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KAMAILIO_LOAD_H
#define FRAUDGUARD_KAMAILIO_LOAD_H

#include "fraudguard/kamailio/state.h"

/* Outcome of the last load, for fraudguard.status. */
struct fraudguard_load
{
	uint64_t ticket; /* of the request that it answers; 0 = at start */
	int64_t at;		 /* UTC seconds */
	uint32_t ok, rules, allowed;
	char message[512];
};

/* Loads the tables and publishes a snapshot, or keeps the old one and says why. 0, -1. */
int fraudguard_load_tables(uint64_t ticket);
/* The last load. 0, -ENOENT. */
int fraudguard_last_load(struct fraudguard_load *out);

#endif

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
	struct glue_load base;
	uint32_t rules, allowed;
};

/* Loads the tables and publishes a snapshot, or keeps the old one and says why.
 * 0, -1. */
int fraudguard_load_tables(const struct glue_order *order);

#endif

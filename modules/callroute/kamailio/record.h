/*
 * What one call keeps from one message to the next, in the shared stores: who
 * sends, what is left to try, what its present attempt has seen, and the
 * dialogs that it answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_RECORD_H
#define CALLROUTE_KAMAILIO_RECORD_H

#include "callroute/callroute.h"

#define CALLROUTE_CALLER_MAX 33 /* the caller's number, with the NUL */

/* Who sends, as callroute_account() found. */
struct callroute_sender
{
	uint32_t account; /* id, 0 = not asked or not found */
	uint32_t plan;	  /* id */
	struct callroute_limit limit;
	uint8_t cli;	 /* enum callroute_cli */
	uint8_t is_peer; /* known by address or trunk: its assertions hold */
	char country[3];
	char tenant[CALLROUTE_NAME_MAX];
};

/*
 * What one call has left to try, kept from callroute_select to its last
 * callroute_next, and what its present attempt has seen. Ids, not pointers: a
 * reload may come in between.
 */
struct callroute_attempt
{
	uint64_t generation; /* of the snapshot that decided */
	uint64_t call;		 /* its name in the live state's capacity: the id */
	uint64_t dialog;	 /* callroute_dialog_id of its answer; 0 = none yet */
	uint64_t over;		 /* the dialog that ended before that was noted */
	uint64_t started;	 /* of the present attempt, monotonic us */
	int64_t sell;		 /* micro-units a minute, -1 = unknown */
	struct callroute_sender sender;
	uint32_t trunk_id, carrier_id; /* the present attempt's; 0 = none */
	uint32_t slot;				   /* its place in the live state */
	uint32_t rule_id;
	uint32_t pdd_ms; /* CALLROUTE_NO_PDD until it rings */
	uint16_t src_country, dst_country;
	uint8_t emergency;
	uint8_t rang;
	uint8_t settled;	 /* the present attempt's outcome is reported */
	uint8_t followed;	 /* the callbacks of its transaction are there */
	uint8_t identity;	 /* ... and that of its branches' identity headers */
	uint8_t forged;		 /* it asserts an identity and is not believed */
	uint16_t branch;	 /* the present attempt's first in the transaction */
	uint8_t count, next; /* candidates, and how many were tried */
	uint8_t number_len, src_len, routing_len;
	char plan[CALLROUTE_NAME_MAX];
	char number[CALLROUTE_NUMBER_MAX];
	char src[CALLROUTE_NUMBER_MAX];
	char routing_number[16];
	struct callroute_candidate candidates[CALLROUTE_CANDIDATES];
};

/* The requests that one dialog answers: more than one where a call spirals
 * through this server. */
#define CALLROUTE_LEGS 4
struct callroute_legs
{
	uint64_t id[CALLROUTE_LEGS]; /* 0 = none */
};

/* In a record whose answer could not be noted in time: any dialog of the
 * request's. */
#define CALLROUTE_ANY_DIALOG UINT64_MAX

#endif

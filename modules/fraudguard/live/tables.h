/*
 * The live state in shared memory: counts, bans and present calls. It is keyed
 * by hashes of text keys, so it survives reloads of the rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_LIVE_TABLES_H
#define FRAUDGUARD_LIVE_TABLES_H

#include "lib/share/hash.h"
#include "lib/table/cells.h"
#include "lib/table/lease.h"
#include "lib/table/store.h"

#define FRAUDGUARD_NAME_MAX 65
#define FRAUDGUARD_MATCH_MAX 129
#define FRAUDGUARD_KEY_MAX 160 /* "account:" + FRAUDGUARD_MATCH_MAX */
#define FRAUDGUARD_CALLID_MAX 96
#define FRAUDGUARD_OWNERS 4 /* owners that count a call: account, trunk ... */

struct fraudguard_now
{
	uint64_t mono; /* monotonic microseconds */
	int64_t wall;  /* UTC seconds */
};

/* Handles of the shared tables. Sources and accounts have separate tables, so
 * that a spoofed flood cannot evict accounts. */
struct fraudguard_tables
{
	struct tg_hashkey key;
	struct tg_cells *sources, *accounts;
	struct tg_store *source_bans, *account_bans; /* struct fraudguard_ban */
	struct tg_store *calls; /* struct fraudguard_call_record by Call-ID */
	struct tg_leases *leases;
};

/* A ban with its reason; a record of the ban stores. */
struct fraudguard_ban
{
	char key[FRAUDGUARD_KEY_MAX];		/* "ip:192.0.2.1", "account:alice" */
	char rule[FRAUDGUARD_NAME_MAX];		/* or the operator's note */
	char callid[FRAUDGUARD_CALLID_MAX]; /* evidence */
	uint32_t observed, threshold, window_sec;
	uint16_t code;		  /* of the refusal; 0 = 403 */
	uint8_t metric;		  /* the rule's metric; see fraudguard_metric_name */
	int64_t since, until; /* UTC seconds */
};

struct fraudguard_call_record
{
	uint64_t owner[FRAUDGUARD_OWNERS]; /* owners of its leases; 0 = none */
};

#endif

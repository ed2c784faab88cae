/*
 * Rules and never-block list as one immutable image, read inside a snapshot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_DECIDE_IMAGE_H
#define FRAUDGUARD_DECIDE_IMAGE_H

#include "fraudguard/live/keys.h"

#include <stddef.h>
#include <stdint.h>

#define FRAUDGUARD_REASON_MAX 96
#define FRAUDGUARD_RULES_MAX 1024
#define FRAUDGUARD_ALLOW_MAX 4096

enum fraudguard_metric
{
	FRAUDGUARD_SOURCE_REQUESTS,	 /* requests of one source address */
	FRAUDGUARD_CALL_ATTEMPTS,	 /* call attempts of one account */
	FRAUDGUARD_CONCURRENT_CALLS, /* calls that one account has right now */
	FRAUDGUARD_METRICS
};

enum fraudguard_action
{
	FRAUDGUARD_LOG,	   /* only report it */
	FRAUDGUARD_REFUSE, /* answer with the rule's code and reason */
	FRAUDGUARD_DROP,   /* no answer at all */
	FRAUDGUARD_BAN,	   /* refuse, also all else of this key for ban_sec */
	FRAUDGUARD_ACTIONS
};

enum fraudguard_mode
{
	FRAUDGUARD_OFF,
	FRAUDGUARD_SHADOW, /* judged and logged, never enforced */
	FRAUDGUARD_ENFORCE,
	FRAUDGUARD_MODES
};

struct fraudguard_rule
{
	char name[FRAUDGUARD_NAME_MAX];
	/* account, or address as it is counted (IPv6: its /64); empty = all */
	char match[FRAUDGUARD_MATCH_MAX];
	char reason[FRAUDGUARD_REASON_MAX]; /* reason phrase of the refusal */
	uint32_t threshold;	 /* the most events in the window that pass */
	uint32_t window_sec; /* 0 for concurrent calls */
	uint32_t ban_sec;
	uint16_t code;				  /* SIP code of the refusal, 400 .. 699 */
	uint8_t metric, action, mode; /* enums above */
};

struct fraudguard_image
{
	uint64_t magic;
	int64_t loaded_at; /* UTC seconds */
	uint32_t rules, nets, accounts;
	/* Rules by metric: span [first[m], first[m + 1]). */
	uint32_t first[FRAUDGUARD_METRICS + 1];
	struct fraudguard_rule rule[FRAUDGUARD_RULES_MAX];
	struct fraudguard_net net[FRAUDGUARD_ALLOW_MAX];
	char account[FRAUDGUARD_ALLOW_MAX][FRAUDGUARD_MATCH_MAX]; /* sorted */
};

#define FRAUDGUARD_IMAGE_MAGIC 0x3167756172640000ULL

/* The never-block list. */
int fraudguard_source_is_allowed(
		const struct fraudguard_image *im, const uint8_t addr[16]);
int fraudguard_account_is_allowed(
		const struct fraudguard_image *im, const char *name);

/* The words of the tables, in the order of the enums; NULL ends them. */
extern const char *const fraudguard_metrics[];
extern const char *const fraudguard_actions[];
extern const char *const fraudguard_modes[];
const char *fraudguard_metric_name(int metric);
const char *fraudguard_action_name(int action);
const char *fraudguard_mode_name(int mode);

#endif

/*
 * The anti-fraud verdict: may this source or this account go on?
 * Pure: it takes tables in shared memory, rules, a question and `now`, and
 * gives a verdict with its reasons. No clock, no log, no allocation, no locks
 * except those of the tables.
 *
 * Order: never-block list, existing ban, rules by metric. The first enforced
 * refusal is the verdict. Shadow rules are judged even so, and a ban that is
 * due is written even after another refusal. In each metric the rules of one
 * account or address replace the '*' rules, so that an exception can be
 * stricter or looser. A shadow rule replaces shadow rules only, because it must
 * not change what is enforced.
 *
 * A rule that refuses counts only events that passed all rules, so that a
 * caller who redials is not blocked longer. Rules with other actions count all
 * events.
 *
 * When a table has no room, the event is not counted and the call passes: full
 * memory never refuses a call. Such events are counted as `untracked`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_H
#define FRAUDGUARD_H

#include "fraudguard/decide/image.h"
#include "fraudguard/live/tables.h"

#define FRAUDGUARD_EVENTS 4 /* events of one verdict at most */

/* Verdicts; the script gets these numbers. */
enum fraudguard_verdict
{
	FRAUDGUARD_PASS = 1,
	FRAUDGUARD_WATCHED = 2, /* passes; a shadow or log rule fired */
	FRAUDGUARD_BANNED = -1,
	FRAUDGUARD_RATE = -2,
	FRAUDGUARD_EXPOSURE = -3 /* too many calls at once */
};

/* One rule that fired. */
struct fraudguard_hit
{
	char rule[FRAUDGUARD_NAME_MAX];
	char key[FRAUDGUARD_KEY_MAX];
	char callid[FRAUDGUARD_CALLID_MAX];
	char reason[FRAUDGUARD_REASON_MAX];
	uint32_t observed, threshold, window_sec;
	int64_t until; /* UTC seconds of the ban's end, 0 = no ban */
	uint16_t code;
	uint8_t metric, action, mode;
	uint8_t is_new; /* log it: not logged in the last minute */
};

struct fraudguard_answer
{
	int verdict;			   /* enum fraudguard_verdict */
	struct fraudguard_hit hit; /* the cause of the verdict; rule "" = none */
	int events; /* hits to be logged; refusals before shadow rules */
	struct fraudguard_hit event[FRAUDGUARD_EVENTS];
	int untracked; /* counts that found no room */
};

struct fraudguard_source
{
	uint8_t addr[16];	/* IPv4 as ::ffff:a.b.c.d */
	int verified;		/* not forged: TCP, TLS, or it answered a challenge */
	const char *callid; /* evidence; may be cut, need not end in NUL */
	size_t callid_len;
};

/* Judges one request by its source. An unverified source is not banned, because
 * an attacker could then get any address banned. */
void fraudguard_judge_source(const struct fraudguard_tables *t,
		const struct fraudguard_image *rules,
		const struct fraudguard_source *source, struct fraudguard_now now,
		struct fraudguard_answer *out);

struct fraudguard_call
{
	const char *account; /* not NUL-terminated */
	size_t account_len;
	uint64_t call; /* fraudguard_call_id of the Call-ID */
	const char *callid;
	size_t callid_len;
	uint64_t lease_us; /* how long the lease lasts if not renewed */
};

/* Judges a new call. When it passes, the account holds one more call until
 * fraudguard_end_call or the end of the lease. A call may be judged for several
 * accounts (FRAUDGUARD_OWNERS). An account that holds the call already does not
 * count it twice. */
void fraudguard_judge_call(const struct fraudguard_tables *t,
		const struct fraudguard_image *rules,
		const struct fraudguard_call *call, struct fraudguard_now now,
		struct fraudguard_answer *out);

/* Ends a ban by its text key and forgets the counts that led to it. 0, -ENOENT,
 * -EBUSY. */
int fraudguard_release(const struct fraudguard_tables *t,
		const struct fraudguard_image *rules, const char *key,
		struct fraudguard_now now);

/* Bans a text key for an operator. It replaces an existing ban, longer or
 * shorter. An IPv6 address stands for its /64. 0, -EINVAL (no such kind of key,
 * a network,
 * no seconds), -ENOSPC, -EBUSY. */
int fraudguard_ban_key(const struct fraudguard_tables *t, const char *key,
		uint32_t seconds, const char *note, struct fraudguard_now now);

#endif

/*
 * The anti-fraud verdict: may this source, may this account go on?
 * Pure: tables in shared memory, rules, a question and `now` in; a verdict with
 * its reasons out. No clock, no log, no allocation, no lock but the tables'.
 *
 * Order: never-block list, existing ban, rules by metric. The first enforced
 * refusal is the verdict; shadow rules are judged all the same, and a ban that
 * is due is written whichever refusal came first. For one metric the rules of
 * the very account or address replace the '*' rules, so that an exception can
 * be narrower or wider; a shadow rule replaces shadow rules only, since it must
 * change nothing that is enforced.
 *
 * A rule that refuses counts what passed everything: who redials is not held
 * for longer. The other actions count all.
 *
 * When a table has no room the event goes uncounted and the call passes: memory
 * never refuses a call (counted as `untracked`).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_H
#define FRAUDGUARD_H

#include "fraudguard/decide/image.h"
#include "fraudguard/live/tables.h"

#define FRAUDGUARD_EVENTS 4 /* events of one verdict at most */

/* Verdicts; the script sees them as they are. */
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
	uint8_t is_new; /* worth a log line: not said in the last minute */
};

struct fraudguard_answer
{
	int verdict;			   /* enum fraudguard_verdict */
	struct fraudguard_hit hit; /* what made the verdict; rule "" = none */
	int events; /* what fired, to be logged; refusals before shadow rules */
	struct fraudguard_hit event[FRAUDGUARD_EVENTS];
	int untracked; /* counts that found no room */
};

struct fraudguard_source
{
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	int verified; /* the address is no forgery: TCP, TLS, or it answered us */
	const char *callid; /* evidence; may be cut, need not end in NUL */
	size_t callid_len;
};

/* Judges one request by its source. A ban of an unverified source is not
 * written: an attacker could ban whom he likes. */
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
	uint64_t lease_us; /* how long the lease lasts unless it is renewed */
};

/* Judges a new call. When it passes, the account holds one more call, until
 * fraudguard_end_call or the lease's end. The call may be judged for several
 * accounts (FRAUDGUARD_OWNERS); one that holds it already takes no second
 * place. */
void fraudguard_judge_call(const struct fraudguard_tables *t,
		const struct fraudguard_image *rules,
		const struct fraudguard_call *call, struct fraudguard_now now,
		struct fraudguard_answer *out);

/* Ends a ban by its text key and forgets what led to it. 0, -ENOENT, -EBUSY. */
int fraudguard_release(const struct fraudguard_tables *t,
		const struct fraudguard_image *rules, const char *key,
		struct fraudguard_now now);

/* Bans a text key by an operator's word, longer or shorter than a ban there is;
 * an IPv6 address means its /64. 0, -EINVAL (no such kind of key, a network,
 * no seconds), -ENOSPC, -EBUSY. */
int fraudguard_ban_key(const struct fraudguard_tables *t, const char *key,
		uint32_t seconds, const char *note, struct fraudguard_now now);

#endif

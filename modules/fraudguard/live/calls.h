/*
 * Calls and their leases: one lease for each owner (an account, a trunk ...)
 * that counts the call.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_LIVE_CALLS_H
#define FRAUDGUARD_LIVE_CALLS_H

#include "fraudguard/live/tables.h"

/* Whether the call is already counted for the owner, because it has passed
 * before. */
int fraudguard_call_holds(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint64_t now);

/*
 * Counts the call for the owner until `expires`, if the owner then has at most
 * `limit` calls (0 = no limit). *count: the owner's live calls after the step.
 * 0, -EDQUOT (over the limit), or another negative errno. On an error the call
 * is not counted, and no lease is left behind.
 */
int fraudguard_call_take(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint32_t limit, uint64_t expires, uint64_t now,
		uint32_t *count);

/* Ends the lease of this owner; other owners go on counting the call. */
void fraudguard_call_drop(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint64_t now);

/* The call was answered: prolongs its leases. 0, -ENOENT. */
int fraudguard_renew_call(const struct fraudguard_tables *t, uint64_t call,
		uint64_t lease_us, struct fraudguard_now now);
/* The call is over: ends its leases. It may be called more than once. 0,
 * -ENOENT. */
int fraudguard_end_call(const struct fraudguard_tables *t, uint64_t call,
		struct fraudguard_now now);

uint64_t fraudguard_call_id(
		const struct fraudguard_tables *t, const char *callid, size_t len);

#endif

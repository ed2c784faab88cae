/*
 * The record of a call: what it holds, and what an attempt under way is about to
 * take. Each step of an attempt (capacity.c) is one edit of it, whole or not at
 * all, also when the process is killed.
 *
 * Memory bound: live.h (four places a call). Process safety: as lib/table/store.h.
 * A record is put with rank 0 and raised to 1, so that no newcomer displaces it:
 * that would leave leases to nothing but their expiry. A newcomer without room
 * passes uncounted instead.
 * Internal to capacity.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_CAPACITY_RECORD_H
#define CALLROUTE_CAPACITY_RECORD_H

#include "callroute/live/capacity.h"
#include "callroute/live/live_slot.h"

struct callroute_attempt
{
	uint32_t next[CALLROUTE_OWNERS]; /* what is asked for, then what is held */
	uint32_t left[CALLROUTE_OWNERS]; /* could not be given back: named on */
	uint32_t step;					 /* the attempt's number */
	uint32_t until; /* take_out: only what is older than step */
	uint64_t expires;
	struct callroute_call before; /* out: the record as the edit found it */
	struct callroute_call
			overtaken; /* out: by another attempt, what that names */
};

/* All also -EBUSY, as tg_store_edit. */

/* Names `next`. 0, -EINPROGRESS (an unfinished attempt is named in `before`:
 * undo it first), -ENOSPC. */
int callroute_record_announce(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* The unfinished attempt of `before` is undone, its owners given back but for
 * `left`. Should it be under way after all, its settle finds another step.
 * 0, -ESTALE (the record has changed since). */
int callroute_record_undo(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* `next` is held, `left` still named; a record that names nobody is deleted.
 * 0, -ENOENT (released meanwhile), -ESTALE (overtaken). */
int callroute_record_settle(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Deletes the record into `before` and `expires`. 0, -ENOENT (none, or it is not
 * older than `until` wants). */
int callroute_record_take_out(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* After take_out: `left` is to be given back another time. 0, -EEXIST (the call
 * was taken anew), -ENOSPC. */
int callroute_record_put_back(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Moves the expiry to `expires`, the record into `before`. 0, -ENOENT. */
int callroute_record_extend(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

#endif

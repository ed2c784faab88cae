/*
 * The record of a call: which owners' channels the call holds, and which ones
 * an attempt under way is about to take. Each step of an attempt (capacity.c)
 * is one edit of the record, done completely or not at all, even if the process
 * is killed.
 *
 * Memory bound: live.h (four places a call). Process safety: as
 * lib/table/store.h. A record starts with rank 0 and is raised to 1, so that no
 * new record displaces it: its leases could then only end by their expiry. A
 * new call without room for a record passes uncounted instead.
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
	uint32_t next[CALLROUTE_OWNERS]; /* owners asked for, then owners held */
	uint32_t left[CALLROUTE_OWNERS]; /* not given back (busy), so still named */
	uint32_t step;					 /* the attempt's number */
	uint32_t until; /* non-zero: take_out only a record older than step */
	uint64_t expires;
	struct callroute_call before; /* out: the record as the edit found it */
	struct callroute_call
			overtaken; /* out, -ESTALE: the other attempt's record */
};

/* All functions may also return -EBUSY, as tg_store_edit. */

/* Names `next` in the record. 0, -EINPROGRESS (`before` names an unfinished
 * attempt: undo that first), -ENOSPC. */
int callroute_record_announce(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Removes the unfinished attempt of `before` from the record; its owners are
 * given back except `left`. If that attempt is still running, its settle finds
 * another step. 0, -ESTALE (the record has changed since). */
int callroute_record_undo(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Makes `next` the held owners; `left` stay named. A record that names no owner
 * is deleted. 0, -ENOENT (released meanwhile), -ESTALE (overtaken). */
int callroute_record_settle(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Deletes the record and copies it to `before` and `expires`. 0, -ENOENT (no
 * record, or with `until` one that is not older than `step`). */
int callroute_record_take_out(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* After take_out: makes a record that names `left`, to be given back later. 0,
 * -EEXIST (the call has a new record), -ENOSPC. */
int callroute_record_put_back(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

/* Moves the record's expiry to `expires` and copies the record to `before`. 0,
 * -ENOENT. */
int callroute_record_extend(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now);

#endif

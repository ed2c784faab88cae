/*
 * Live state of the trunks: what calls, probes and operators have reported
 * since the start, in shared memory mapped before the fork. It is keyed by
 * callroute_trunk.id, and reloads do not touch it: an image has the number of a
 * trunk's slot, and that number never changes.
 *
 * Health by probes (health.h), the breaker on live traffic (breaker.h), quality
 * (quality.h), capacity (capacity.h) and the operator's override (below) are
 * independent; nothing here combines them.
 *
 * Memory bound (callroute_live_size gives the exact bytes; all of it is
 * reserved at start; except for the locks, a page takes memory only when it is
 * first touched):
 *   trunks   about 600 B an id (room for twice the ids: hashing is uneven)
 *   quality  40 B a (trunk, destination group)
 *   calls    about 600 B a call: a record and three leases, with room to spare
 *   owners   about 230 B a carrier or account
 *   each number rounded up to a power of two.
 * Slots are NOT reused: an id that was loaded once keeps its slot until the
 * restart. So `trunks` bounds the different ids between two restarts, not the
 * ids of one image, and no check is needed whether an old slot is still in use.
 *
 * Process safety: every process or thread that shares the memory may call any
 * function, without blocking (capacity.h: about 20 ms for a lock whose holder
 * was stopped). A process killed inside loses at most its own event.
 * Failure mode: a trunk without a slot (any number that is no slot, such as a
 * negative errno) is up, its breaker closed, its quality unknown, and nothing
 * is counted for it: calls go on.
 * Time: `now` is the machine's monotonic clock in microseconds, below 2^48
 * (nine years); a `now` slightly behind that of another process is harmless
 * everywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_LIVE_H
#define CALLROUTE_LIVE_H

#include <stddef.h>
#include <stdint.h>

struct callroute_live;

struct callroute_live_config
{
	uint32_t trunks;	   /* different trunk ids until a restart; 1 .. 65536 */
	uint32_t calls;		   /* calls at a time; 16 .. 2^20 */
	uint32_t owners;	   /* carriers and accounts with calls at the same time;
	                          16 .. 131072 */
	uint32_t quality;	   /* (trunk, destination group) pairs; 8 .. 2^24 */
	uint64_t half_life_us; /* of the quality figures; 10 s .. 7 days */
};

/* Bytes that init needs; 0 when the configuration is out of range. */
size_t callroute_live_size(const struct callroute_live_config *cfg);

/* Lays the empty state into `mem` (64-byte aligned, zero-filled). The handle is
 * `mem` itself, valid in every process that shares the mapping. 0, -EINVAL, or
 * the error of making a lock. */
int callroute_live_init(void *mem, size_t size,
		const struct callroute_live_config *cfg, struct callroute_live **out);

/* ---- slots ---- */

/* The trunk's slot, made when it is new: up, closed, no override, no counts.
 * >= 0, -ENOSPC (`trunks` ids have a slot or are getting one), -EINVAL (id
 * 0). */
int callroute_live_slot(struct callroute_live *live, uint32_t trunk_id);

/* The trunk's slot. >= 0, -ENOENT. */
int callroute_live_find(const struct callroute_live *live, uint32_t trunk_id);

/* For listings: every slot number is below callroute_live_slots.
 * callroute_live_trunk is the trunk id of the slot, 0 = the slot is free. */
int callroute_live_slots(const struct callroute_live *live);
uint32_t callroute_live_trunk(const struct callroute_live *live, int slot);

/* How many slots are in use. */
uint32_t callroute_live_used(const struct callroute_live *live);

/* ---- the operator's override, by RPC: outlives reloads, not restarts ---- */

enum callroute_admin
{
	CALLROUTE_ADMIN_NONE,  /* the trunk's admin_state in the database holds */
	CALLROUTE_ADMIN_UP,	   /* takes calls whatever the database says */
	CALLROUTE_ADMIN_DRAIN, /* no new calls; present calls go on */
	CALLROUTE_ADMIN_DOWN,  /* no new calls, and no failover to it */
};

/* 0, -EINVAL (no such state), -ENOENT (no such slot). */
int callroute_live_set_admin(
		struct callroute_live *live, int slot, enum callroute_admin admin);
enum callroute_admin callroute_live_admin(
		const struct callroute_live *live, int slot);

/* ---- counters since the start ---- */

enum callroute_count
{
	CALLROUTE_ATTEMPTS,
	CALLROUTE_ANSWERED,
	CALLROUTE_CANCELLED, /* by the caller */
};

struct callroute_counters
{
	uint64_t attempts, answered, failed, cancelled;
	uint64_t last_failure; /* when; 0 = never */
	int last_code;		   /* its SIP code, 0 = no reply came */
};

void callroute_live_count(
		struct callroute_live *live, int slot, enum callroute_count what);

/* Counts a failed attempt and stores its time and code; `code` 0 .. 999. */
void callroute_live_fail(
		struct callroute_live *live, int slot, int code, uint64_t now);

/* The numbers are read one after another: an attempt under way may be in one
 * number and not yet in another. All 0 without a slot. */
void callroute_live_counters(const struct callroute_live *live, int slot,
		struct callroute_counters *out);

#endif

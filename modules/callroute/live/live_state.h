/*
 * What was learned of trunks, as bytes that outlive a restart: health, open
 * breakers, quality. Not saved: capacity, which belongs to calls; the
 * operator's override (use the table's admin_state for lasting changes); the
 * counters since the start.
 *
 * Keyed by callroute_trunk.id. Times are saved as ages, because the monotonic
 * clock may be another after a restart. The time between save and restore
 * counts as elapsed; quality fades by it.
 *
 * Memory: the caller's, of callroute_state_bytes: 24 B a trunk and 40 B a
 * (trunk, destination group). Process safety: any process, while others write;
 * a value that changes meanwhile is saved as it was before or after.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_LIVE_STATE_H
#define CALLROUTE_LIVE_STATE_H

#include "callroute/live/live.h"

/* Raised with every change of the layout (lib/share/statefile.h). */
#define CALLROUTE_STATE_VERSION 1

/* Bytes for what is known now, and a little more for what is learned
 * meanwhile. */
size_t callroute_state_bytes(const struct callroute_live *live);

/* Saves into at most `size` bytes and returns how many; trunks and pairs that
 * do not fit are left out. `wall`: UTC microseconds. 0 when not even the head
 * fits. */
size_t callroute_state_save(const struct callroute_live *live, uint64_t now,
		int64_t wall, void *out, size_t size);

/* Restores the trunks that have a slot; others are left out. Call it before
 * there are calls. Returns how many trunks, or -EINVAL (nothing restored). */
int callroute_state_restore(struct callroute_live *live, const void *data,
		size_t len, uint64_t now, int64_t wall);

#endif

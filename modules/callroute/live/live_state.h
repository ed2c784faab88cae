/*
 * What was learned of trunks, as bytes that outlive a restart: health, open
 * breakers, quality. Not what hangs on calls (capacity), on the operator's word
 * (the table's admin_state is for good) or on the start (counters).
 *
 * Keyed by callroute_trunk.id; times are ages, since a new start may have a new
 * clock, and the time between saving and restoring counts. Quality fades by it.
 *
 * Memory: the caller's; callroute_state_bytes says how much, 24 B a trunk and 40 B
 * a (trunk, destination group). Process safety: any process, beside all others;
 * what changes meanwhile is saved as it was or as it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_LIVE_STATE_H
#define CALLROUTE_LIVE_STATE_H

#include "callroute/live/live.h"

/* Counted up with every change of the layout (lib/share/statefile.h). */
#define CALLROUTE_STATE_VERSION 1

/* Room for what is known now, and a little for what is learned meanwhile. */
size_t callroute_state_bytes(const struct callroute_live *live);

/* Writes at most `size` bytes and returns how many; what does not fit is left
 * out. `wall`: UTC microseconds. 0 when not even the head fits. */
size_t callroute_state_save(const struct callroute_live *live, uint64_t now,
		int64_t wall, void *out, size_t size);

/* Takes over what is said of trunks that have a slot; of others it is left out. To
 * be called before there are calls. How many trunks, or -EINVAL (nothing taken). */
int callroute_state_restore(struct callroute_live *live, const void *data,
		size_t len, uint64_t now, int64_t wall);

#endif

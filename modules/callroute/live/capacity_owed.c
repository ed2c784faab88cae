/*
 * Owed channels; see capacity_owed.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/capacity_owed.h"

#include <errno.h>

int callroute_release_or_owe(struct callroute_live *live, struct tg_ring *owed,
		uint64_t call, uint64_t now)
{
	struct callroute_owed note = {
			.call = call, .mark = callroute_capacity_mark(live)};
	int rc = callroute_capacity_release(live, call, now);

	if(rc != -EBUSY)
		return rc;
	return tg_ring_push(owed, &note, now) < 0 ? -ENOBUFS : -EINPROGRESS;
}

uint32_t callroute_pay_owed(struct callroute_live *live, struct tg_ring *owed,
		uint32_t budget, uint64_t now)
{
	struct callroute_owed note;
	uint32_t done = 0;

	for(; budget > 0 && tg_ring_pop(owed, &note, now) == 0; budget--) {
		int rc = callroute_capacity_release_before(
				live, note.call, note.mark, now);

		if(rc != -EBUSY) {
			done++;
			continue;
		}
		/* If the ring is full again, it counts the loss, and the expiry ends
		 * the channels. */
		(void)tg_ring_push(owed, &note, now);
		/* The stopped process may block the other releases too. */
		break;
	}
	return done;
}

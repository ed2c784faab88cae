/*
 * Health by probes; see health.h.
 *
 *   word   63     62        61        48 47                  0
 *         | down | failing | in a row   | time of the edge    |
 *
 * All zero is a new trunk: up, nothing in a row, no change yet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/health.h"
#include "callroute/live/live_slot.h"

#include <string.h>

#define DOWN (UINT64_C(1) << 63)
#define FAILING (UINT64_C(1) << 62)
#define ROW_SHIFT 48
#define ROW (UINT64_C(1) << ROW_SHIFT)
#define ROW_MAX 16383u

static uint32_t row_of(uint64_t word)
{
	return (uint32_t)(word >> ROW_SHIFT) & ROW_MAX;
}

static uint32_t threshold(uint32_t n)
{
	return n == 0 ? 1 : n < ROW_MAX ? n : ROW_MAX;
}

int callroute_health_is_up(const struct callroute_live *live, int slot)
{
	const struct callroute_slot *s = callroute_slot_at(live, slot);

	return s == NULL || (callroute_load(&s->health) & DOWN) == 0;
}

int callroute_health_probe(struct callroute_live *live, int slot, int answered,
		uint32_t down_after, uint32_t up_after, uint64_t now)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t seen, kind = answered ? 0 : FAILING;
	int tries;

	if(s == NULL)
		return 0;
	seen = callroute_load(&s->health);
	for(tries = 0; tries < CALLROUTE_TRIES; tries++) {
		uint64_t state = seen & DOWN, since = seen & CALLROUTE_TIME;
		uint32_t row = (seen & FAILING) == kind ? row_of(seen) : 0;
		int edge = 0;

		row += row < ROW_MAX;
		if(answered && state && row >= threshold(up_after))
			edge = 1;
		if(!answered && !state && row >= threshold(down_after))
			edge = -1;
		if(edge != 0) {
			state ^= DOWN;
			since = now & CALLROUTE_TIME;
		}
		if(callroute_swap(&s->health, &seen, state | kind | row * ROW | since))
			return edge;
	}
	return 0; /* thousands of other reports came in between and decide */
}

/* Fibonacci hashing spreads consecutive ids evenly over the interval. */
static uint64_t place_in(uint64_t interval_us, uint32_t id)
{
	return (uint64_t)((double)(callroute_mix(id) >> 32) * 0x1p-32
					  * (double)interval_us);
}

int callroute_health_due(struct callroute_live *live, int slot,
		uint64_t interval_us, uint64_t now)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t due, missed;

	if(s == NULL || interval_us == 0)
		return 0;
	due = callroute_load(&s->due);
	if(due == 0 || due > now + 2 * interval_us) {
		uint32_t id = callroute_live_trunk(live, slot);

		/* If another process wins the swap, its place is the same. */
		callroute_swap(&s->due, &due, now + 1 + place_in(interval_us, id));
		return 0;
	}
	if(now < due)
		return 0;
	missed = (now - due) / interval_us;
	return callroute_swap(&s->due, &due, due + (missed + 1) * interval_us);
}

void callroute_health_restore(struct callroute_live *live, int slot,
		const struct callroute_health *saved)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint32_t row = saved->failures ? saved->failures : saved->successes;

	if(s != NULL)
		atomic_store(&s->health, (saved->up ? 0 : DOWN)
										 | (saved->failures ? FAILING : 0)
										 | (row < ROW_MAX ? row : ROW_MAX) * ROW
										 | (saved->since & CALLROUTE_TIME));
}

void callroute_health_read(const struct callroute_live *live, int slot,
		struct callroute_health *out)
{
	const struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word;

	memset(out, 0, sizeof *out);
	out->up = 1;
	if(s == NULL)
		return;
	word = callroute_load(&s->health);
	out->up = (word & DOWN) == 0;
	out->since = word & CALLROUTE_TIME;
	out->successes = word & FAILING ? 0 : row_of(word);
	out->failures = word & FAILING ? row_of(word) : 0;
	out->due = callroute_load(&s->due);
}

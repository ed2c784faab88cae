/*
 * What was learned of trunks, saved and restored; see live_state.h.
 *
 *   head | trunks, 24 B each | (trunk, destination group) pairs, 40 B each
 *
 * Byte order is the machine's: the file is for this machine only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/live_state.h"
#include "callroute/live/breaker.h"
#include "callroute/live/health.h"
#include "callroute/live/live_slot.h"
#include "callroute/live/quality.h"

#include <errno.h>
#include <string.h>

#define NEVER UINT64_MAX
#define SPARE 64 /* room for trunks and pairs that are new meanwhile */

struct head
{
	int64_t wall; /* when */
	uint32_t trunks, pairs;
};

struct saved_trunk
{
	uint32_t id;
	uint8_t down, open;
	uint16_t in_a_row;	   /* probes; negative = failures */
	uint64_t edge, opened; /* ages, us; NEVER */
};

struct saved_pair
{
	uint32_t id;
	uint16_t group, spare;
	struct callroute_quality_words words;
};

_Static_assert(sizeof(struct head) == 16, "no padding on disk");
_Static_assert(sizeof(struct saved_trunk) == 24, "no padding on disk");
_Static_assert(sizeof(struct saved_pair) == 40, "no padding on disk");

#define FAILURES 0x8000u

static uint64_t age_of(uint64_t since, uint64_t now)
{
	return since == 0 ? NEVER : now > since ? now - since : 0;
}

/* The time of an age on this clock; an age from before the start of the clock
 * gives its first time. */
static uint64_t time_of(uint64_t age, uint64_t gone, uint64_t now)
{
	if(age == NEVER)
		return 0;
	return age + gone < now ? now - age - gone : 1;
}

size_t callroute_state_bytes(const struct callroute_live *live)
{
	uint32_t i, places = callroute_quality_places(live);
	size_t pairs = SPARE;

	for(i = 0; i < places; i++)
		pairs += callroute_quality_at(live, i) >= 0;
	return sizeof(struct head)
		   + (callroute_live_used(live) + SPARE) * sizeof(struct saved_trunk)
		   + pairs * sizeof(struct saved_pair);
}

static void save_trunk(const struct callroute_live *live, int slot,
		uint64_t now, struct saved_trunk *out)
{
	struct callroute_health h;
	uint64_t opened = callroute_breaker_opened(live, slot);

	callroute_health_read(live, slot, &h);
	*out = (struct saved_trunk){.id = callroute_live_trunk(live, slot),
			.down = !h.up,
			.open = opened != 0,
			.in_a_row = (uint16_t)(h.failures ? h.failures | FAILURES
											  : h.successes),
			.edge = age_of(h.since, now),
			.opened = age_of(opened, now)};
}

size_t callroute_state_save(const struct callroute_live *live, uint64_t now,
		int64_t wall, void *out, size_t size)
{
	struct head head = {.wall = wall};
	char *at = (char *)out + sizeof head, *end = (char *)out + size;
	uint32_t i, places = callroute_quality_places(live);
	int slot;

	if(size < sizeof head)
		return 0;
	for(slot = 0; slot < callroute_live_slots(live); slot++) {
		struct saved_trunk t;

		if(callroute_live_trunk(live, slot) == 0
				|| (size_t)(end - at) < sizeof t)
			continue;
		save_trunk(live, slot, now, &t);
		memcpy(at, &t, sizeof t);
		at += sizeof t;
		head.trunks++;
	}
	for(i = 0; i < places && (size_t)(end - at) >= sizeof(struct saved_pair);
			i++) {
		struct saved_pair p = {0};

		slot = callroute_quality_save(live, i, now, &p.group, &p.words);
		if(slot < 0)
			continue;
		p.id = callroute_live_trunk(live, slot);
		memcpy(at, &p, sizeof p);
		at += sizeof p;
		head.pairs++;
	}
	memcpy(out, &head, sizeof head);
	return (size_t)(at - (char *)out);
}

static int restore_trunk(struct callroute_live *live,
		const struct saved_trunk *t, uint64_t gone, uint64_t now)
{
	int slot = callroute_live_find(live, t->id);
	uint32_t row = t->in_a_row & ~FAILURES;

	if(slot < 0)
		return 0;
	callroute_health_restore(live, slot,
			&(struct callroute_health){.up = !t->down,
					.since = time_of(t->edge, gone, now),
					.failures = t->in_a_row & FAILURES ? row : 0,
					.successes = t->in_a_row & FAILURES ? 0 : row});
	if(t->open)
		callroute_breaker_reopen(live, slot, time_of(t->opened, gone, now));
	return 1;
}

int callroute_state_restore(struct callroute_live *live, const void *data,
		size_t len, uint64_t now, int64_t wall)
{
	const char *at = (const char *)data + sizeof(struct head);
	struct head head;
	uint64_t gone;
	uint32_t i;
	int restored = 0;

	if(len < sizeof head)
		return -EINVAL;
	memcpy(&head, data, sizeof head);
	if(len
			!= sizeof head + (uint64_t)head.trunks * sizeof(struct saved_trunk)
					   + (uint64_t)head.pairs * sizeof(struct saved_pair))
		return -EINVAL;
	/* If the wall clock was set back meanwhile, no time has passed. */
	gone = wall > head.wall ? (uint64_t)(wall - head.wall) : 0;
	for(i = 0; i < head.trunks; i++) {
		struct saved_trunk t;

		memcpy(&t, at, sizeof t);
		at += sizeof t;
		restored += restore_trunk(live, &t, gone, now);
	}
	for(i = 0; i < head.pairs; i++) {
		struct saved_pair p;
		int slot;

		memcpy(&p, at, sizeof p);
		at += sizeof p;
		slot = callroute_live_find(live, p.id);
		if(slot >= 0)
			callroute_quality_restore(live, slot, p.group, &p.words, gone, now);
	}
	return restored;
}

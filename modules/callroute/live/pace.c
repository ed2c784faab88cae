/*
 * GCRA for several owners at once; see pace.h.
 *
 *   set of four   owner[4]   word[4]        word   63   48 47     0
 *                                                 | salt   | TAT    |
 *
 * The salt (a hash of the owner) tells whose TAT it is. An owner that has just
 * taken the place sees the word of the former owner as idle. A swap prepared
 * for the former owner fails once the new owner has counted. Before that, one
 * call of an idle owner can be lost, so that one call more passes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/live_slot.h"

#include <errno.h>

#define PLACES 4
#define MICROS UINT64_C(1000000)

struct pace_set
{
	_Alignas(64) _Atomic uint64_t owner[PLACES];
	_Atomic uint64_t word[PLACES];
};

struct callroute_pace
{
	_Alignas(64) uint32_t sets;
	struct pace_set set[];
};

_Static_assert(sizeof(struct pace_set) == 64, "a set is a line");

size_t callroute_pace_size(uint32_t owners)
{
	return sizeof(struct callroute_pace)
		   + (size_t)owners * sizeof(struct pace_set);
}

void callroute_pace_init(struct callroute_pace *p, uint32_t owners)
{
	p->sets = owners;
}

static struct pace_set *set_of(const struct callroute_pace *p, uint64_t owner)
{
	uint32_t h = (uint32_t)(callroute_mix(owner) >> 16);

	return (struct pace_set *)&p->set[(uint64_t)h * p->sets >> 32];
}

static unsigned find(const struct pace_set *s, uint64_t owner)
{
	unsigned i;

	for(i = 0; i < PLACES; i++)
		if(callroute_load(&s->owner[i]) == owner)
			break;
	return i;
}

static uint64_t salt_of(uint64_t owner)
{
	return callroute_mix(callroute_mix(owner)) >> 48 << 48;
}

/* How far the TAT is ahead of now; 0 when it has passed or belongs to another
 * owner. */
static uint64_t ahead_of(uint64_t word, uint64_t salt, uint64_t now)
{
	uint64_t tat = word & CALLROUTE_TIME;

	return (word & ~CALLROUTE_TIME) == salt && tat > now ? tat - now : 0;
}

static uint64_t interval(uint32_t per_second)
{
	return per_second < MICROS ? (MICROS + per_second - 1) / per_second : 1;
}

static uint64_t tolerance(uint32_t per_second)
{
	uint32_t burst = per_second / 4;

	return burst > 1 ? (burst - 1) * interval(per_second) : 0;
}

int callroute_pace_allows(const struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now)
{
	const struct pace_set *s = set_of(p, owner);
	unsigned i = find(s, owner);

	return i == PLACES
		   || ahead_of(callroute_load(&s->word[i]), salt_of(owner), now)
					  <= tolerance(per_second);
}

/* A place for the owner: its own, else a free or idle one, else PLACES. When
 * two processes enter the owner at once in two places, both use the first. */
static unsigned place_for(struct pace_set *s, uint64_t owner, uint64_t now)
{
	unsigned i = find(s, owner);

	if(i < PLACES)
		return i;
	for(i = 0; i < PLACES; i++) {
		uint64_t was = callroute_load(&s->owner[i]);

		if(was != 0 && ahead_of(callroute_load(&s->word[i]), salt_of(was), now))
			continue;
		if(callroute_swap(&s->owner[i], &was, owner))
			return find(s, owner);
	}
	return PLACES;
}

int callroute_pace_take(struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now)
{
	struct pace_set *s = set_of(p, owner);
	uint64_t salt = salt_of(owner);
	int tries;

	for(tries = 0; tries < CALLROUTE_TRIES; tries++) {
		unsigned i = place_for(s, owner, now);
		uint64_t seen, ahead;

		if(i == PLACES)
			return -ENOSPC;
		seen = callroute_load(&s->word[i]);
		if(callroute_load(&s->owner[i]) != owner)
			continue; /* another owner took the idle place */
		ahead = ahead_of(seen, salt, now);
		if(ahead > tolerance(per_second))
			return -EAGAIN;
		if(callroute_swap(&s->word[i], &seen,
				   salt
						   | ((now + ahead + interval(per_second))
								   & CALLROUTE_TIME)))
			return 0;
	}
	return -ENOSPC;
}

void callroute_pace_give_back(struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now)
{
	struct pace_set *s = set_of(p, owner);
	uint64_t salt = salt_of(owner), step = interval(per_second), seen;
	unsigned i = find(s, owner);
	int tries;

	if(i == PLACES)
		return;
	seen = callroute_load(&s->word[i]);
	for(tries = 0; tries < CALLROUTE_TRIES; tries++) {
		uint64_t ahead = ahead_of(seen, salt, now);

		if(ahead == 0 /* the TAT has passed meanwhile */
				|| callroute_swap(&s->word[i], &seen,
						salt | (now + (ahead > step ? ahead - step : 0))))
			return;
	}
}

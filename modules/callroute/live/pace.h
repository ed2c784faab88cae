/*
 * Calls per second by GCRA (ITU-T I.371, virtual scheduling): each owner has a
 * theoretical arrival time (TAT) that every call moves on by 1/rate; a call
 * conforms while the TAT is not too far ahead of now.
 *
 * Beside lib/cells, which shapes one key in one step, an attempt has three
 * owners at once: it must look without taking, and give back what it took when
 * another owner refuses. Since an owner whose TAT is past is the same as one
 * never seen, an entry is two words and eviction loses nothing.
 *
 * Burst: a quarter of a second's calls, at least one. So in any second at most
 * 1.25 times the rate and one, and over a longer time the rate.
 *
 * Memory bound: 64 B an owner of the configuration: four places, since hashing is
 * uneven (were all of them busy at once, one in 300 would find none).
 * At capacity: only idle owners give way; when all four places of a set are busy
 * the call passes uncounted. Process safety: any process or thread; no lock. A
 * process killed inside loses at most its own call.
 * Internal to capacity.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_PACE_H
#define CALLROUTE_PACE_H

#include <stddef.h>
#include <stdint.h>

struct callroute_pace;

size_t callroute_pace_size(uint32_t owners);
void callroute_pace_init(struct callroute_pace *p, uint32_t owners);

/* 1 = a call of `owner` (not 0) conforms at `per_second` (1 .. 10^6). */
int callroute_pace_allows(const struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now);

/* 0 taken, -EAGAIN refused (nothing changed), -ENOSPC passed uncounted. */
int callroute_pace_take(struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now);

/* Undoes one call taken (0) just now. */
void callroute_pace_give_back(struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now);

#endif

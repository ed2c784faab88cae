/*
 * Calls per second by GCRA (ITU-T I.371, virtual scheduling): each owner has a
 * theoretical arrival time (TAT), which every call moves ahead by 1/rate. A
 * call conforms while the TAT is not too far ahead of now.
 *
 * lib/table/cells.h shapes one key in one step. An attempt has three owners at
 * once: it must be able to look without taking, and to give back what it took
 * when another owner refuses. An owner whose TAT has passed is the same as one
 * never seen. So an entry is two words, and eviction loses nothing.
 *
 * Burst: the calls of a quarter of a second, at least one. So in any second at
 * most 1.25 times the rate plus one call pass, and over a longer time the rate.
 *
 * Memory bound: 64 B an owner of the configuration, for four places, because
 * hashing is uneven (with all owners busy at once, one in 300 would find no
 * place).
 * At capacity: only idle owners are evicted; when all four places of a set are
 * busy, the call passes uncounted.
 * Process safety: any process or thread; no lock. A process killed inside loses
 * at most its own call.
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

/* Undoes one call for which callroute_pace_take just returned 0. */
void callroute_pace_give_back(struct callroute_pace *p, uint64_t owner,
		uint32_t per_second, uint64_t now);

#endif

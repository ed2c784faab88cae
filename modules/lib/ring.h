/*
 * Event ring: many processes push small records, one reader drains them.
 * A full ring drops the new record and counts it; nobody ever waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_RING_H
#define TG_RING_H

#include <stddef.h>
#include <stdint.h>

struct tg_ring;

struct tg_ring_config
{
	uint32_t slots;	 /* 8 .. 2^20, rounded up to a power of two */
	uint32_t record; /* bytes a record; 1 .. 4096 */
};

size_t tg_ring_size(const struct tg_ring_config *cfg); /* 0 = out of range */
int tg_ring_init(void *mem, size_t size, const struct tg_ring_config *cfg,
		struct tg_ring **out);

/* Copies one record in. 0, -ENOBUFS (dropped and counted). `now` (monotonic us)
 * dates the slot, so that one left half-written by a killed process is skipped. */
int tg_ring_push(struct tg_ring *r, const void *record, uint64_t now);
/* Copies the oldest record out. 0, -EAGAIN (nothing there). One reader. */
int tg_ring_pop(struct tg_ring *r, void *record, uint64_t now);

uint64_t tg_ring_dropped(const struct tg_ring *r);

#endif

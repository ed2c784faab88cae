/*
 * Event ring: many processes push small records, one reader drains them.
 * A full ring drops the new record and counts it; no process ever waits.
 * Records of one writer arrive in the order of their pushes.
 * A writer that is killed or stopped in the middle of a push delays the reader
 * by a second at most. Its record is lost and counted. While it is stopped, the
 * ring has one slot less. A reader that is killed in the middle of a pop loses
 * one record.
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
/* `mem`: 64-byte aligned, zero-filled, shared by all. 0, -EINVAL. */
int tg_ring_init(void *mem, size_t size, const struct tg_ring_config *cfg,
		struct tg_ring **out);

/* Copies one record in. 0, -ENOBUFS (dropped and counted). `now` (monotonic us)
 * dates the slot: the reader skips a half-written slot after a second if its
 * process is stopped, at once if its process is dead. */
int tg_ring_push(struct tg_ring *r, const void *record, uint64_t now);
/* Copies the oldest record out. 0, -EAGAIN (nothing there). One reader. */
int tg_ring_pop(struct tg_ring *r, void *record, uint64_t now);

/* Records lost so far: ring full, or their writer died or stopped half-way. */
uint64_t tg_ring_dropped(const struct tg_ring *r);

#endif

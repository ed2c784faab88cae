/*
 * One anonymous shared mapping, made before Kamailio forks.
 *
 * Memory bound: exactly the size asked for, rounded up to pages; pages that are
 * never touched cost nothing (MAP_NORESERVE). Nothing in it ever grows. Where
 * the kernel grants huge pages to shared memory, "page" means 2 MiB.
 * Locking: none. Failure mode: the map fails at start, never later, except that
 * a machine without memory kills a process on first touch: size for the machine.
 * Every structure of this library lives in such a region or in plain heap
 * memory (unit tests), is addressed by index and holds no absolute pointer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_REGION_H
#define TG_REGION_H

#include <stddef.h>

struct tg_region
{
	void *base;	 /* page-aligned, zero-filled; NULL when not mapped */
	size_t size; /* bytes, a multiple of the page size */
};

/* Maps `size` bytes (> 0), shared with every later fork. 0, -EINVAL, -ENOMEM. */
int tg_region_map(struct tg_region *r, size_t size);

/* Gives the memory back in this process; safe on an unmapped region. */
void tg_region_unmap(struct tg_region *r);

#endif

/*
 * One anonymous shared mapping, made before Kamailio forks.
 *
 * Memory bound: the size asked for, rounded up to pages. A page that is never
 * touched takes no memory (MAP_NORESERVE). Where the kernel grants huge pages
 * to shared memory, "page" means 2 MiB. A region never grows.
 * Locking: none. Failure mode: the mapping fails at start, never later. But
 * when the machine has no memory left, the kernel kills a process at the first
 * touch of a page: choose sizes that the machine can hold.
 * Every structure of this library lives in such a region, or in heap memory in
 * unit tests. It is addressed by index and holds no absolute pointer.
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

/* Maps `size` bytes (> 0), shared with all processes forked later. 0, -EINVAL,
 * -ENOMEM. */
int tg_region_map(struct tg_region *r, size_t size);

/* Unmaps the region in this process; safe on an unmapped region. */
void tg_region_unmap(struct tg_region *r);

#endif

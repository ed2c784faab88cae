/*
 * The shared mapping behind every table; see region.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/region.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int tg_region_map(struct tg_region *r, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *base;

	r->base = NULL;
	r->size = 0;
	if(size == 0 || size > SIZE_MAX - (page - 1))
		return -EINVAL;
	size = (size + page - 1) & ~(page - 1);
	base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if(base == MAP_FAILED)
		return -ENOMEM;
	/* The tables are probed at random: 2 MiB pages save a TLB miss on most
	 * cold look-ups. This is advice: if the kernel refuses it, nothing else
	 * changes. */
	(void)madvise(base, size, MADV_HUGEPAGE);
	r->base = base;
	r->size = size;
	return 0;
}

void tg_region_unmap(struct tg_region *r)
{
	if(r->base != NULL)
		munmap(r->base, r->size);
	r->base = NULL;
	r->size = 0;
}

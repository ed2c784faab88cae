/*
 * Room in a process's private memory for blocks that come and go by the
 * thousand, as the rows of a page of a table do.
 *
 * Kamailio's default allocator (q_malloc) keeps free fragments by size, in
 * steps of 16 bytes up to 16 KiB, and joins what is freed with its neighbours.
 * Once a page is freed there is one big fragment again, and each block of the
 * next page walks past a thousand empty sizes to it: two thirds of the time of
 * a load. Fragments of the right sizes with small blocks between them are found
 * at once, and cannot be joined. With another allocator this does no harm.
 *
 * Memory: per row the row, its texts and 32 bytes and the allocator's own two
 * headers for each block, from reserve to release. Locking: none, private
 * memory. Failure mode: without memory there is less room, and loads are
 * slower.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_PKG_ROOM_H
#define GLUE_PKG_ROOM_H

#include <stddef.h>

struct glue_pkg_room
{
	void *spacers; /* a list through them; NULL = nothing reserved */
};

/* Fragments for `rows` rows, each a block of `size` bytes and `texts` short
 * ones. */
void glue_pkg_reserve(
		struct glue_pkg_room *room, int rows, size_t size, int texts);
/* Safe on an empty one. */
void glue_pkg_release(struct glue_pkg_room *room);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/pkg_room.h"
#include "glue/ksr.h"
#include "core/mem/mem.h"

#define SHORT_TEXT 16 /* bytes: a number of up to 15 digits */

/* A block onto a list that runs through the blocks themselves. 0, -1. */
static int take(void **list, size_t size)
{
	void **block = pkg_malloc(size < sizeof *block ? sizeof *block : size);

	if(block == NULL)
		return -1;
	*block = *list;
	*list = block;
	return 0;
}

static void give_back(void **list)
{
	while(*list != NULL) {
		void **block = *list;

		*list = *block;
		pkg_free(block);
	}
}

void glue_pkg_reserve(
		struct glue_pkg_room *room, int rows, size_t size, int texts)
{
	void *fragments = NULL;
	int rc = 0;

	for(int i = 0; i < rows && rc == 0; i++) {
		rc = take(&fragments, size);
		rc = rc ? rc : take(&room->spacers, 1);
		for(int j = 0; j < texts && rc == 0; j++) {
			rc = take(&fragments, SHORT_TEXT);
			rc = rc ? rc : take(&room->spacers, 1);
		}
	}
	give_back(&fragments);
}

void glue_pkg_release(struct glue_pkg_room *room)
{
	give_back(&room->spacers);
}

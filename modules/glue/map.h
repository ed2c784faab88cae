/*
 * Shared memory for the library's tables: each maps its region before the fork
 * and lays the empty table into it. 0 or a negative errno.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_MAP_H
#define GLUE_MAP_H

#include "lib/table/cells.h"
#include "lib/table/lease.h"
#include "lib/share/ring.h"
#include "lib/share/snapshot.h"
#include "lib/table/store.h"

int glue_map_cells(struct tg_cells **out, int cells, int admission);
int glue_map_store(struct tg_store **out, int records, size_t payload);
int glue_map_leases(struct tg_leases **out, int leases, int owners);
int glue_map_ring(struct tg_ring **out, int slots, size_t record);
/* Three slots; one reader for each of `processes`. */
int glue_map_snapshots(
		struct tg_snapshots **out, int processes, size_t slot_bytes);
/* Zeroed bytes. */
int glue_map_bytes(void **out, size_t bytes);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/map.h"
#include "lib/share/region.h"

/* The region is never unmapped: the process's end does that. */
#define MAP_TABLE(kind, cfg, out)                            \
	struct tg_region region;                                 \
	int rc = tg_region_map(&region, tg_##kind##_size(&cfg)); \
	return rc ? rc : tg_##kind##_init(region.base, region.size, &cfg, out)

int glue_map_cells(struct tg_cells **out, int cells, int admission)
{
	struct tg_cells_config cfg = {
			.cells = (uint32_t)cells, .admission = admission};

	MAP_TABLE(cells, cfg, out);
}

int glue_map_store(struct tg_store **out, int records, size_t payload)
{
	struct tg_store_config cfg = {
			.records = (uint32_t)records, .payload = (uint32_t)payload};

	MAP_TABLE(store, cfg, out);
}

int glue_map_leases(struct tg_leases **out, int leases, int owners)
{
	struct tg_lease_config cfg = {
			.leases = (uint32_t)leases, .owners = (uint32_t)owners};

	MAP_TABLE(lease, cfg, out);
}

int glue_map_ring(struct tg_ring **out, int slots, size_t record)
{
	struct tg_ring_config cfg = {
			.slots = (uint32_t)slots, .record = (uint32_t)record};

	MAP_TABLE(ring, cfg, out);
}

int glue_map_snapshots(
		struct tg_snapshots **out, int processes, size_t slot_bytes)
{
	struct tg_snapshot_config cfg = {.slots = 3,
			.readers = (uint32_t)processes,
			.slot_bytes = slot_bytes};

	MAP_TABLE(snapshot, cfg, out);
}

int glue_map_bytes(void **out, size_t bytes)
{
	struct tg_region region;
	int rc = tg_region_map(&region, bytes);

	*out = region.base;
	return rc;
}

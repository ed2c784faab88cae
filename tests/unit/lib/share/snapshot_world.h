/*
 * Snapshots in a mapping of their own, with notes that the test's processes
 * leave for each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_SNAPSHOT_WORLD_H
#define TESTS_UNIT_SNAPSHOT_WORLD_H

#include "unit/support.h"

#include <sched.h>
#include <stdatomic.h>

#include "lib/share/region.h"
#include "lib/share/snapshot.h"

#define READERS 4u
#define MANY_TRIES 100000000u /* of a loop that yields: minutes */

struct world
{
	struct tg_region region, shared;
	struct tg_snapshots *s;
	/* in memory shared with the children: */
	struct notes
	{
		atomic_int stop, inside, leave;
		atomic_uint seen[READERS];
	} * notes;
};

static inline void set_up(struct world *w, uint32_t slots, size_t slot_bytes)
{
	struct tg_snapshot_config cfg = {slots, READERS, slot_bytes};

	assert_int_equal(tg_region_map(&w->region, tg_snapshot_size(&cfg)), 0);
	assert_int_equal(tg_region_map(&w->shared, sizeof(*w->notes)), 0);
	assert_int_equal(
			tg_snapshot_init(w->region.base, w->region.size, &cfg, &w->s), 0);
	w->notes = w->shared.base;
}

static inline void tear_down(struct world *w)
{
	tg_region_unmap(&w->region);
	tg_region_unmap(&w->shared);
}

static inline int64_t publish_filled(struct tg_snapshots *s, size_t words)
{
	uint64_t next = tg_snapshot_generation(s) + 1, *data;
	size_t size;
	void *mem;
	int rc = tg_snapshot_begin(s, &mem, &size);

	if(rc != 0)
		return rc;
	assert_true(words * sizeof(*data) <= size);
	data = mem;
	for(size_t i = 0; i < words; i++)
		data[i] = next;
	return tg_snapshot_publish(s, words * sizeof(*data));
}

static inline void await(const atomic_int *flag)
{
	for(unsigned i = 0; !atomic_load(flag); i++) {
		assert_true(i < MANY_TRIES);
		sched_yield();
	}
}

#endif

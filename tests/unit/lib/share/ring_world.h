/*
 * Rings in a mapping of their own, records that show when they are mixed up,
 * and notes that the test's processes leave for each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RING_WORLD_H
#define TESTS_UNIT_RING_WORLD_H

#include "unit/support.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/share/region.h"
#include "lib/share/ring.h"

#define SECOND 1000000ull
#define NOW (100 * SECOND)
#define MANY_TRIES 100000000u /* of a loop that yields: minutes */

/* Every word of a record follows from the first two, so a mix of two records
 * is seen. */
struct record
{
	uint64_t writer, number, rest[23];
};

static inline void make_record(
		struct record *r, uint64_t writer, uint64_t number)
{
	r->writer = writer;
	r->number = number;
	for(unsigned i = 0; i < 23; i++)
		r->rest[i] = (writer << 40 ^ number) * (2 * i + 3);
}

static inline int is_whole(const struct record *r)
{
	struct record want;

	make_record(&want, r->writer, r->number);
	return memcmp(r, &want, sizeof(want)) == 0;
}

struct world
{
	struct tg_region region, shared;
	struct tg_ring *ring;
	struct notes
	{
		atomic_int faulted, result, leave;
		atomic_uint done;
		atomic_ullong pushed, refused;
	} * notes;
};

static inline void set_up(struct world *w, uint32_t slots, uint32_t record)
{
	struct tg_ring_config cfg = {slots, record};

	assert_int_equal(tg_region_map(&w->region, tg_ring_size(&cfg)), 0);
	assert_int_equal(tg_region_map(&w->shared, sizeof(*w->notes)), 0);
	assert_int_equal(
			tg_ring_init(w->region.base, w->region.size, &cfg, &w->ring), 0);
	w->notes = w->shared.base;
}

static inline void tear_down(struct world *w)
{
	tg_region_unmap(&w->region);
	tg_region_unmap(&w->shared);
}

static inline int push(
		struct world *w, uint64_t writer, uint64_t number, uint64_t now)
{
	struct record r;

	make_record(&r, writer, number);
	return tg_ring_push(w->ring, &r, now);
}

static inline void expect_pop(
		struct world *w, uint64_t writer, uint64_t number, uint64_t now)
{
	struct record r;

	assert_int_equal(tg_ring_pop(w->ring, &r, now), 0);
	assert_int_equal(r.writer, writer);
	assert_int_equal(r.number, number);
	assert_true(is_whole(&r));
}

static inline void expect_empty(struct world *w, uint64_t now)
{
	struct record r;

	assert_int_equal(tg_ring_pop(w->ring, &r, now), -EAGAIN);
}

static inline void await(const atomic_int *flag)
{
	for(unsigned i = 0; !atomic_load(flag); i++) {
		assert_true(i < MANY_TRIES);
		sched_yield();
	}
}

#endif

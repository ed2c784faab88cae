/*
 * A cell table for the tests, with the calls that cannot fail in short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CELLS_TABLE_H
#define TESTS_UNIT_CELLS_TABLE_H

#include "unit/support.h"

#include "lib/table/cells.h"
#include "lib/table/cells_set.h"
#include "lib/share/hash.h"

#define SECOND UINT64_C(1000000)
#define START (1000 * SECOND)

static const struct tg_hashkey key = {1, 2};

static inline uint64_t id_of(uint32_t n)
{
	return tg_hash_id(&key, 7, &n, sizeof(n));
}

static inline struct tg_cells *table(uint32_t cells, int admission)
{
	struct tg_cells_config cfg = {cells, admission};
	size_t size = tg_cells_size(&cfg);
	struct tg_cells *t = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_cells_init(support_memory(size), size, &cfg, &t), 0);
	return t;
}

static inline uint32_t add(struct tg_cells *t, uint64_t id, uint32_t n,
		uint64_t window, uint64_t now)
{
	uint32_t seen = 4711;

	assert_int_equal(tg_cells_add(t, id, n, window, now, &seen), 0);
	return seen;
}

static inline uint32_t peek(
		struct tg_cells *t, uint64_t id, uint64_t window, uint64_t now)
{
	uint32_t seen = 4711;

	(void)tg_cells_peek(t, id, window, now, &seen);
	return seen;
}

#endif

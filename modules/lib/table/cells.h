/*
 * Cell table: counts events per key in a sliding window, in bounded memory,
 * from many processes at once, without a lock.
 *
 * Memory bound: 40 B a cell, 44 B with admission, whatever the traffic.
 * At capacity: an expired cell of the key's set of four gives way first, then
 * the live one with the fewest (decayed) events; pinned cells never do.
 * Process safety: every function, at any time, from any process or thread that
 * shares the memory; one killed inside loses at most its own event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CELLS_H
#define TG_CELLS_H

#include <stddef.h>
#include <stdint.h>

struct tg_cells;

struct tg_cells_config
{
	uint32_t cells; /* capacity; 4 .. 2^28, rounded up to a power of two */
	int admission;	/* non-zero: before a newcomer displaces a live cell, it
	                  needs a count-min estimate of 2 and more events than
	                  that cell is still worth */
};

struct tg_cells_stats
{
	uint64_t tracked; /* live cells, an estimate read without locks */
	uint64_t evicted; /* live cells displaced by another key */
	uint64_t refused; /* newcomers not admitted */
};

/* Bytes that init needs, 0 when the configuration is out of range. */
size_t tg_cells_size(const struct tg_cells_config *cfg);

/* Lays an empty table into `mem` (64-byte aligned, `size` bytes, zero-filled).
 * The handle is `mem` itself: valid in every process that shares the mapping.
 * 0, -EINVAL. */
int tg_cells_init(void *mem, size_t size, const struct tg_cells_config *cfg,
		struct tg_cells **out);

/*
 * Adds `n` (>= 0) events to key `id` (from tg_hash_id, the rule number as its
 * space) and gives the number of events seen in the `window_us` (1000 .. 2^40)
 * before `now`, the new ones included, in *observed. A key must always be used
 * with one window length. `now`: monotonic microseconds; a `now` slightly
 * behind an earlier one (another process) counts into the newer window.
 * n = 0 reads and creates nothing. Counts saturate at 2^24 - 1 a window.
 * The new count is exact for a key's first window and after a pause; otherwise
 * it interpolates within the seventh of a window that is just leaving it (the
 * key decides where sevenths begin). tests/unit/lib/table/test_cells_window.c prints how
 * often that decides wrongly.
 * 0 tracked, -ENOSPC not tracked (*observed is then the count-min estimate, up
 * to 255, or n), -EINVAL.
 */
int tg_cells_add(struct tg_cells *t, uint64_t id, uint32_t n,
		uint64_t window_us, uint64_t now, uint32_t *observed);

/*
 * As tg_cells_add, but counts only what keeps the window within `limit`: looking
 * and counting are one step, whoever counts at the same time. For limits that
 * must not hold a caller longer the more often he tries.
 * 0 counted, -EDQUOT not counted (*observed: what the window holds, without
 * `n`), -ENOSPC, -EINVAL.
 */
int tg_cells_add_limited(struct tg_cells *t, uint64_t id, uint32_t n,
		uint32_t limit, uint64_t window_us, uint64_t now, uint32_t *observed);

/* Reads the window without counting. 0, -ENOENT (*observed = 0). */
int tg_cells_peek(const struct tg_cells *t, uint64_t id, uint64_t window_us,
		uint64_t now, uint32_t *observed);

/*
 * Shaping by GCRA (ITU-T I.371): one event each `interval_us` on average, with
 * bursts of up to `burst` (>= 1). A key used here is not used with add.
 * 0 conforming (taken), -EAGAIN not conforming (*retry_after_us > 0 says when
 * the next one is), -ENOSPC not tracked (taken), -EINVAL (interval 0 or over
 * 2^40, burst 0). Bursts that stand for more than 2^45 us (a year) are cut.
 */
int tg_cells_take(struct tg_cells *t, uint64_t id, uint64_t interval_us,
		uint32_t burst, uint64_t now, uint64_t *retry_after_us);

/* Pins the key until `until` (monotonic us; a later call replaces it): its cell
 * is then evicted by nobody; at most 2 of the 4 cells of a set are pinned. A key
 * without a cell can be pinned and is then admitted when it comes.
 * 0, -ENOSPC (two others are pinned). */
int tg_cells_pin(struct tg_cells *t, uint64_t id, uint64_t until, uint64_t now);
int tg_cells_unpin(struct tg_cells *t, uint64_t id); /* 0, -ENOENT */
/* Whether the key is pinned at `now`. 0 (*until filled when not NULL), -ENOENT. */
int tg_cells_pinned(
		const struct tg_cells *t, uint64_t id, uint64_t now, uint64_t *until);

/* Forgets the key and its pin. 0, -ENOENT. */
int tg_cells_forget(struct tg_cells *t, uint64_t id);

void tg_cells_read_stats(const struct tg_cells *t, struct tg_cells_stats *out);

#endif

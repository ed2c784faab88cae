/*
 * Cell table: counts events per key in a sliding window, in bounded memory,
 * from many processes at once, without a lock.
 *
 * Memory bound: 40 B a cell, 44 B with admission, whatever the traffic.
 * At capacity: a new key evicts an expired cell of its set of four, else the
 * live cell with the fewest (decayed) events, never a pinned cell.
 * Process safety: every process or thread that shares the memory may call any
 * function at any time. A process killed inside loses at most its own event.
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
	int admission;	/* non-zero: a newcomer displaces a live cell only if its
	                  count-min estimate is at least 2 and above what that cell
	                  is still worth */
};

struct tg_cells_stats
{
	uint64_t tracked; /* live cells, an estimate read without locks */
	uint64_t evicted; /* live cells displaced by another key */
	uint64_t refused; /* newcomers not admitted */
};

/* Bytes that init needs; 0 when the configuration is out of range. */
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
 * with the same window length. `now`: monotonic microseconds; a `now` slightly
 * behind that of another process counts into the newer window. n = 0 reads and
 * creates nothing. Counts saturate at 2^24 - 1 a window.
 * The new count is exact for a key's first window and after a pause. Otherwise
 * it is interpolated within the seventh of a window that is leaving the sliding
 * window; where the sevenths begin depends on the key. How often this leads to
 * a wrong decision is printed by
 * tests/unit/lib/table/test_cells_window.c.
 * 0 tracked, -ENOSPC not tracked (*observed is then the count-min estimate, up
 * to 255, or n), -EINVAL.
 */
int tg_cells_add(struct tg_cells *t, uint64_t id, uint32_t n,
		uint64_t window_us, uint64_t now, uint32_t *observed);

/*
 * As tg_cells_add, but counts the events only if the window then holds at most
 * `limit`. The check and the count are one atomic step. For limits where
 * refused attempts do not count, so that a caller who retries is not blocked
 * longer.
 * 0 counted, -EDQUOT not counted (*observed: events in the window without `n`),
 * -ENOSPC, -EINVAL.
 */
int tg_cells_add_limited(struct tg_cells *t, uint64_t id, uint32_t n,
		uint32_t limit, uint64_t window_us, uint64_t now, uint32_t *observed);

/* Reads the window without counting. 0, -ENOENT (*observed = 0). */
int tg_cells_peek(const struct tg_cells *t, uint64_t id, uint64_t window_us,
		uint64_t now, uint32_t *observed);

/*
 * Shaping by GCRA (ITU-T I.371): one event each `interval_us` on average, with
 * bursts of up to `burst` (>= 1). Do not use the same key with add.
 * 0 conforming (taken), -EAGAIN not conforming (try again after *retry_after_us
 * > 0), -ENOSPC not tracked (taken), -EINVAL (interval 0 or over 2^40, burst
 * 0). A burst is cut to what 2^45 us (a year) allow.
 */
int tg_cells_take(struct tg_cells *t, uint64_t id, uint64_t interval_us,
		uint32_t burst, uint64_t now, uint64_t *retry_after_us);

/* Pins the key until `until` (monotonic us; a later call replaces it): its cell
 * is not evicted until then. At most 2 of the 4 cells of a set can be pinned. A
 * key without a cell can be pinned too: it is then sure to get a cell.
 * 0, -ENOSPC (two other keys of the set are pinned). */
int tg_cells_pin(struct tg_cells *t, uint64_t id, uint64_t until, uint64_t now);
int tg_cells_unpin(struct tg_cells *t, uint64_t id); /* 0, -ENOENT */
/* Whether the key is pinned at `now`: 0 (*until is filled when `until` is not
 * NULL) or -ENOENT. */
int tg_cells_pinned(
		const struct tg_cells *t, uint64_t id, uint64_t now, uint64_t *until);

/* Forgets the key and its pin. 0, -ENOENT. */
int tg_cells_forget(struct tg_cells *t, uint64_t id);

void tg_cells_read_stats(const struct tg_cells *t, struct tg_cells_stats *out);

#endif

/*
 * Record store: fixed-size records by 64-bit key in bounded shared memory. It
 * is set associative; each set has a small lock that a dead process cannot
 * keep.
 *
 * Memory bound: 40 B a record and 9/8 of its payload.
 * Process safety: every process or thread that shares the memory may call any
 * function. A process killed inside leaves each record old or new, never torn.
 * Failure mode: -EBUSY after about 20 ms (setlock.h) when a living process was
 * stopped inside a set. Full sets evict by rank, then age.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_STORE_H
#define TG_STORE_H

#include <stddef.h>
#include <stdint.h>

struct tg_store;

struct tg_store_config
{
	uint32_t records; /* capacity; 8 .. 2^26, rounded up to a power of two */
	uint32_t payload; /* bytes a record; 1 .. 4096 */
};

struct tg_store_stats
{
	uint64_t used;		/* records, also expired ones not yet reused; sampled
	                       beyond 2^19 records */
	uint64_t evicted;	/* live records displaced */
	uint64_t refused;	/* puts refused: every way held a higher rank */
	uint64_t busy;		/* operations given up because a set stayed locked */
	uint64_t recovered; /* locks taken over from dead processes */
};

size_t tg_store_size(const struct tg_store_config *cfg); /* 0 = out of range */
/* As tg_cells_init. 0, -EINVAL. */
int tg_store_init(void *mem, size_t size, const struct tg_store_config *cfg,
		struct tg_store **out);

/* Copies the live record out. `payload` has the configured size.
 * 0, -ENOENT (absent or expired at `now`), -EBUSY. */
int tg_store_get(struct tg_store *s, uint64_t id, uint64_t now, void *payload);

/*
 * Inserts or replaces. `expires`: monotonic us, > now, capped at 2^52 - 1 (142
 * years: for ever). `rank`: 0 .. 255. In a set full of live records, the new
 * record evicts the one with the lowest rank (of several, the least recently
 * touched) if that rank is not above its own.
 * 0, -ENOSPC (refused), -EBUSY, -EINVAL.
 */
int tg_store_put(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, const void *payload);

/*
 * Read-modify-write as one step. `edit` gets a copy of the record's payload
 * (zeroed when the record is new: `fresh` = 1) and changes it in place. It
 * returns 1 to keep the record, 0 to delete it or not to create it, < 0 to
 * leave it untouched (tg_store_edit then returns that value). It may change
 * *expires and *rank (an *expires <= now deletes). For a fresh record both
 * start as given, else as stored. It must not block, allocate or call into the
 * store. It is also called when the record is then refused because the set has
 * no room.
 * 0, -ENOSPC, -EBUSY, or edit's negative value.
 */
typedef int (*tg_store_edit_f)(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg);
int tg_store_edit(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, tg_store_edit_f edit, void *arg);

/* Deletes the record, also an expired one. 0, -ENOENT, -EBUSY. */
int tg_store_del(struct tg_store *s, uint64_t id);

/*
 * Walks the live records: start with *cursor = 0, stop at -ENOENT. Fills the
 * payload and, when not NULL, id and expires. Other processes may write
 * meanwhile: a record put or deleted during the walk may or may not be seen,
 * every other record is seen once.
 * 0, -ENOENT, -EBUSY (the cursor stays: try again).
 */
int tg_store_next(struct tg_store *s, uint32_t *cursor, uint64_t now,
		uint64_t *id, uint64_t *expires, void *payload);

void tg_store_read_stats(const struct tg_store *s, struct tg_store_stats *out);

#endif

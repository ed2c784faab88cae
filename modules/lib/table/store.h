/*
 * Record store: fixed-size records by 64-bit key in bounded shared memory, set
 * associative, each set under a tiny lock that a dead process cannot keep.
 *
 * Memory bound: 40 B a record and 9/8 of its payload.
 * Process safety: every function, from any process or thread that shares the
 * memory. A process killed inside leaves each record old or new, never torn.
 * Failure mode: -EBUSY after about 20 ms (setlock.h) when a living process was
 * stopped inside a set; full sets evict by rank, then age.
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
	uint64_t used;		/* records, expired ones not yet reused included;
	                       sampled beyond 2^19 records */
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
 * Inserts or replaces. `expires`: monotonic us, > now, capped at 2^52 - 1
 * (142 years: for ever). `rank`: 0 .. 255; when
 * the set is full of live records, the one with the lowest rank, then the
 * least recently touched, gives way, if its rank is <= the new one's.
 * 0, -ENOSPC (refused), -EBUSY, -EINVAL.
 */
int tg_store_put(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, const void *payload);

/*
 * Read-modify-write as one step. `edit` sees the record's payload (zeroed when
 * the record is new: `fresh` = 1), changes it in place and returns 1 to keep
 * it, 0 to delete it (or not to create it), < 0 to leave it untouched (the
 * value is then returned). It must not block, allocate or call into the store.
 * It may change *expires and *rank (an *expires <= now deletes). For a fresh
 * record they start as given, for an old one as they are. It works on a copy,
 * also when the record is then refused for want of room.
 * 0, -ENOSPC, -EBUSY, or edit's negative value.
 */
typedef int (*tg_store_edit_f)(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg);
int tg_store_edit(struct tg_store *s, uint64_t id, uint8_t rank,
		uint64_t expires, uint64_t now, tg_store_edit_f edit, void *arg);

/* Deletes, also an expired record. 0, -ENOENT, -EBUSY. */
int tg_store_del(struct tg_store *s, uint64_t id);

/*
 * Walks the live records: start with *cursor = 0, stop at -ENOENT. Fills the
 * payload and, when not NULL, id and expires. Records put or deleted during the
 * walk may or may not be seen; every other one is seen once. Other processes
 * may write meanwhile. 0, -ENOENT, -EBUSY (the cursor stays: try again).
 */
int tg_store_next(struct tg_store *s, uint32_t *cursor, uint64_t now,
		uint64_t *id, uint64_t *expires, void *payload);

void tg_store_read_stats(const struct tg_store *s, struct tg_store_stats *out);

#endif

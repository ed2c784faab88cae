/*
 * Snapshots: immutable data that one writer (the keeper) replaces while many
 * processes read it. Readers never wait, the writer never waits for readers.
 * snapshot.c proves that no reader's data are overwritten.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_SNAPSHOT_H
#define TG_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tg_snapshots;

struct tg_snapshot_config
{
	uint32_t slots;	   /* 2 .. 8; with 3, one reader may lag a whole reload */
	uint32_t readers;  /* highest reader number + 1; 1 .. 65536 */
	size_t slot_bytes; /* room for one snapshot; rounded up to pages */
};

/* Bytes to map for header and slots. Only slots in use take real memory. */
size_t tg_snapshot_size(
		const struct tg_snapshot_config *cfg); /* 0 = out of range */
/* `mem` is page-aligned and zero-filled (tg_region_map). 0, -EINVAL. */
int tg_snapshot_init(void *mem, size_t size,
		const struct tg_snapshot_config *cfg, struct tg_snapshots **out);

/* --- writer, one process at a time ------------------------------------- */

/* Gives a free slot to build the next snapshot in; its content is undefined. If
 * an earlier writer died between begin and publish, its slot is given up first.
 * 0, -EBUSY (every other slot is still read: try again later; see
 * tg_snapshot_stuck). */
int tg_snapshot_begin(struct tg_snapshots *s, void **mem, size_t *size);
/* Makes the slot of tg_snapshot_begin the current one. Its first `used` bytes
 * hold the data; the pages behind them go back to the system.
 * Returns the new generation (> 0), -EINVAL (no slot begun, or `used` too
 * large: the slot stays begun), or -EOVERFLOW. */
int64_t tg_snapshot_publish(struct tg_snapshots *s, size_t used);
/* Drops the slot of tg_snapshot_begin; the current snapshot stays. */
void tg_snapshot_abort(struct tg_snapshots *s);
/* Gives the memory of old slots without a reader back to the system. Returns
 * how many old slots still have a reader. */
int tg_snapshot_reclaim(struct tg_snapshots *s);
/* The reader of the oldest slot that is not current: fills its reader number,
 * pid and generation. Dead readers are cleared first, as in begin and reclaim.
 * A zombie counts as alive until it is reaped. 0, -ENOENT. */
int tg_snapshot_stuck(struct tg_snapshots *s, uint32_t *reader, pid_t *pid,
		uint64_t *generation);

/* --- readers ------------------------------------------------------------ */

/*
 * Opens a read section for `reader`, the process's own number. Sections of one
 * process may be nested: the inner ones see the outer one's snapshot, which is
 * protected until each enter has had its leave. The data stay valid and unchanged until leave; nothing that points into them
 * outlives it. NULL when nothing was published yet, and for a programming error:
 * `reader` out of range, or the number is that of another process, which is
 * inside a section. Neither this enter nor its leave touches that section.
 * *used, *generation may be NULL. Wait-free: one re-check when a publish happens
 * at this very moment.
 */
const void *tg_snapshot_enter(struct tg_snapshots *s, uint32_t reader,
		size_t *used, uint64_t *generation);
void tg_snapshot_leave(struct tg_snapshots *s, uint32_t reader);

uint64_t tg_snapshot_generation(
		const struct tg_snapshots *s); /* 0 = none yet */

#endif

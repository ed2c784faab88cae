/*
 * Snapshots: immutable data that one writer (the keeper) replaces while many
 * processes read it. Readers never wait, the writer never waits for readers.
 * snapshot.c proves that nobody's data are taken away.
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
	uint32_t slots;	   /* 2 .. 8; 3 lets one reader lag a whole reload behind */
	uint32_t readers;  /* highest reader number + 1; 1 .. 65536 */
	size_t slot_bytes; /* room for one snapshot; rounded up to pages */
};

/* Bytes to map: header + slots; only slots in use take real memory. */
size_t tg_snapshot_size(
		const struct tg_snapshot_config *cfg); /* 0 = out of range */
/* `mem` is page-aligned and zero-filled (tg_region_map). 0, -EINVAL. */
int tg_snapshot_init(void *mem, size_t size,
		const struct tg_snapshot_config *cfg, struct tg_snapshots **out);

/* --- writer, one process at a time ------------------------------------- */

/* A free slot to build the next snapshot in; its content is undefined. A slot
 * begun before and neither published nor aborted (its writer died) is started
 * over. 0, -EBUSY (every other slot is still read: try again later; see
 * tg_snapshot_stuck). */
int tg_snapshot_begin(struct tg_snapshots *s, void **mem, size_t *size);
/* Makes the slot begun the current one; `used` bytes of it hold data, the pages
 * beyond go back to the system. Returns the new generation (> 0), or -EINVAL
 * (no slot begun, `used` too large: the slot stays begun), -EOVERFLOW. */
int64_t tg_snapshot_publish(struct tg_snapshots *s, size_t used);
/* Drops the slot begun; the current snapshot stays. */
void tg_snapshot_abort(struct tg_snapshots *s);
/* Gives the memory of slots that nobody reads any more back to the system.
 * Returns how many slots still wait for a reader. */
int tg_snapshot_reclaim(struct tg_snapshots *s);
/* The process that keeps an old slot alive longest: fills its reader number,
 * pid and generation; a dead one is cleared on the way (begin and reclaim clear
 * those too). A zombie counts as alive until it is reaped. 0, -ENOENT. */
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

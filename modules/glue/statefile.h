/*
 * The state file of a module: what it has learned, read at start and written by
 * the keeper: half a minute after the last time, a tick after
 * glue_state_touch(), and at the end.
 *
 * Memory: what the file holds, in the keeper, while it writes. No SIP worker
 * waits for the disk. Failure mode: a file that is missing, torn or of another
 * version is named in the log, and the module starts without it; one that
 * cannot be written is an error in the log, once until it can be written again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_STATEFILE_H
#define GLUE_STATEFILE_H

#include "glue/ksr.h"
#include "lib/share/statefile.h"

struct glue_statefile
{
	const str *path; /* empty: there is no state file */
	struct tg_statefile_format format;
	const char *what; /* "trunks": what restore() counts, for the log */
	/* The most that save() writes. */
	size_t (*bytes)(void);
	/* `now` monotonic, `wall` UTC, in microseconds. How much was written. */
	size_t (*save)(uint64_t now, int64_t wall, void *data, size_t size);
	/* How many were restored, or a negative errno. */
	int (*restore)(const void *data, size_t len, uint64_t now, int64_t wall);
	/* this process's own; zero at first */
	uint64_t saved_at;
	int changed, failing, begun;
};

/* Main process, once the data are loaded. */
void glue_state_load(struct glue_statefile *f);
/* Main process, when it has its children: only then is there an end to save at.
 * */
void glue_state_begin(struct glue_statefile *f);
/* The keeper: something happened that should not wait; and its tick. */
void glue_state_touch(struct glue_statefile *f);
void glue_state_tick(struct glue_statefile *f, uint64_t now);
/* Main process, when all others have ended. */
void glue_state_end(struct glue_statefile *f);

#endif

/*
 * State file: one blob of state that survives restarts. It is replaced as a
 * whole and refused as a whole: a reader finds the old state or the new one,
 * never a mix. Anything else is refused with its reason, and the caller starts
 * empty.
 *
 * The checksum finds damage by disks and accidents. It does not protect from
 * somebody who may write to the directory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_STATEFILE_H
#define TG_STATEFILE_H

#include <stddef.h>
#include <stdint.h>

#define TG_STATEFILE_NAME 16

/* What a file holds. A file is read only if both fields match. */
struct tg_statefile_format
{
	const char *name; /* 1 .. 15 bytes, such as "regguard" */
	uint32_t version; /* of the payload's layout */
};

/* Reasons for a refusal, returned negative. Every other negative result is an
 * errno of the system; the reasons lie above the range of errno. */
enum tg_statefile_reason
{
	TG_STATEFILE_TORN = 4096,	/* shorter or longer than it was written */
	TG_STATEFILE_DAMAGED,		/* a checksum does not match */
	TG_STATEFILE_FOREIGN,		/* not a state file at all */
	TG_STATEFILE_OTHER_FORMAT,	/* a state file of something else */
	TG_STATEFILE_OTHER_VERSION, /* written by another version of the program */
	TG_STATEFILE_TOO_LARGE,		/* more payload than the caller accepts */
	TG_STATEFILE_BUSY,			/* another process writes it at this moment */
	TG_STATEFILE_REASONS		/* one past the last reason */
};

/*
 * Replaces the file `path` by one that holds `data`, mode 0600. When it returns
 * 0, the new state is on the disk. On an error the old file is unchanged, with
 * one exception: if the directory cannot be synced, the new file is in place
 * but may not survive a power cut. The new file is written as `path`.new. A
 * crash may leave `path`.new behind; the next write reuses it. Waits for the
 * disk: not for call paths. Thread safe.
 * 0, -TG_STATEFILE_BUSY, -EINVAL (format), -ENAMETOOLONG, or the system's errno
 * (-ENOSPC, -EACCES, -ENOENT: no such directory ...).
 */
int tg_statefile_write(const char *path,
		const struct tg_statefile_format *format, const void *data, size_t len);

/*
 * Reads the payload into heap memory; the caller frees *data. `max`: the most
 * bytes of payload to accept and allocate. *data is NULL unless 0 is returned.
 * 0, -ENOENT (no file: the normal first start), a negative reason, -ENOMEM,
 * -EINVAL (format), or the system's errno (-ELOOP: a symbolic link, which is not
 * followed; a write puts a file in its place).
 */
int tg_statefile_read(const char *path,
		const struct tg_statefile_format *format, size_t max, void **data,
		size_t *len);

/* The same from memory that holds a whole file; *payload points into it. */
int tg_statefile_parse(const void *file, size_t size,
		const struct tg_statefile_format *format, size_t max,
		const void **payload, size_t *len);

/* One line for an operator, for every result of the functions above. */
const char *tg_statefile_text(int result);

#endif

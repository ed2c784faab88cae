/*
 * State file: see statefile.h for the contract.
 *
 *   header (56 bytes, little-endian): magic 8 | format name 16 | version 4 |
 *   zero 4 | payload length 8 | payload sum 8 | header sum 8, then the payload
 *
 * Sums are SipHash-2-4 under a fixed key. The header's sum covers all fields
 * before it, so the length is known to be sound before memory is allocated for
 * the payload.
 *
 * Replacing: write `path`.new, fsync, rename over `path`, fsync the directory.
 * The temporary file has one fixed name, so that crashes leave one file at
 * most. An advisory lock on it keeps two writers apart.
 *
 * Memory: reading allocates the payload length, at most `max`; writing
 * allocates nothing.
 * Failure mode: the file in place is untouched until the rename.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/statefile.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/share/hash.h"

static const char magic[8] = {'T', 'G', 'S', 'T', 'A', 'T', 'E', '\n'};
/* Any constant would do except zero: the sum of a zeroed file must not look
 * right. */
static const struct tg_hashkey sum_key = {
		0x746f6c6c67617465ull, 0x737461746566696cull};

struct header
{
	char magic[8];
	char name[TG_STATEFILE_NAME];
	uint32_t version;
	uint32_t zero;
	uint64_t length;
	uint64_t payload_sum;
	uint64_t header_sum;
};
_Static_assert(sizeof(struct header) == 56, "no padding on disk");

static uint64_t header_sum(const struct header *h)
{
	return tg_siphash24(&sum_key, h, offsetof(struct header, header_sum));
}

static int fill_header(struct header *h,
		const struct tg_statefile_format *format, const void *data, size_t len)
{
	size_t name = strlen(format->name);

	if(name == 0 || name >= sizeof(h->name))
		return -EINVAL;
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(magic));
	memcpy(h->name, format->name, name);
	h->version = htole32(format->version);
	h->length = htole64(len);
	h->payload_sum = htole64(tg_siphash24(&sum_key, data, len));
	h->header_sum = htole64(header_sum(h));
	return 0;
}

/* Judges `size` header bytes of a file of `file_size` bytes. */
static int check_header(const struct header *h, size_t size, uint64_t file_size,
		const struct tg_statefile_format *format, size_t max)
{
	struct header want;

	if(fill_header(&want, format, NULL, 0) != 0)
		return -EINVAL;
	if(memcmp(h->magic, magic, size < sizeof(magic) ? size : sizeof(magic))
			!= 0)
		return -TG_STATEFILE_FOREIGN;
	if(size < sizeof(*h))
		return -TG_STATEFILE_TORN;
	if(le64toh(h->header_sum) != header_sum(h))
		return -TG_STATEFILE_DAMAGED;
	if(memcmp(h->name, want.name, sizeof(h->name)) != 0)
		return -TG_STATEFILE_OTHER_FORMAT;
	if(h->version != want.version)
		return -TG_STATEFILE_OTHER_VERSION;
	if(le64toh(h->length) > max)
		return -TG_STATEFILE_TOO_LARGE;
	if(file_size - sizeof(*h) != le64toh(h->length))
		return -TG_STATEFILE_TORN;
	return 0;
}

static int check_payload(const struct header *h, const void *data, size_t len)
{
	return le64toh(h->payload_sum) == tg_siphash24(&sum_key, data, len)
				   ? 0
				   : -TG_STATEFILE_DAMAGED;
}

int tg_statefile_parse(const void *file, size_t size,
		const struct tg_statefile_format *format, size_t max,
		const void **payload, size_t *len)
{
	struct header h = {0};
	size_t got = size < sizeof(h) ? size : sizeof(h);
	int rc;

	if(got > 0)
		memcpy(&h, file, got);
	rc = check_header(&h, got, size, format, max);
	if(rc == 0)
		rc = check_payload(&h, (const char *)file + got, size - got);
	if(rc != 0)
		return rc;
	*payload = (const char *)file + got;
	*len = size - got;
	return 0;
}

/* --- reading ------------------------------------------------------------ */

/* The number of bytes read (fewer than `size` only at the end of the file), or
 * a negative errno. */
static ssize_t read_all(int fd, void *to, size_t size)
{
	size_t got = 0;

	while(got < size) {
		ssize_t n = read(fd, (char *)to + got, size - got);

		if(n == 0)
			break;
		if(n < 0 && errno != EINTR)
			return -errno;
		if(n > 0)
			got += (size_t)n;
	}
	return (ssize_t)got;
}

static int read_payload(int fd, const struct header *h, void **data)
{
	size_t size = (size_t)le64toh(h->length);
	void *mem = malloc(size > 0 ? size : 1);
	ssize_t got;
	int rc;

	if(mem == NULL)
		return -ENOMEM;
	got = read_all(fd, mem, size);
	if(got < 0)
		rc = (int)got;
	else if((size_t)got < size) /* truncated meanwhile */
		rc = -TG_STATEFILE_TORN;
	else
		rc = check_payload(h, mem, size);
	if(rc != 0)
		free(mem);
	else
		*data = mem;
	return rc;
}

int tg_statefile_read(const char *path,
		const struct tg_statefile_format *format, size_t max, void **data,
		size_t *len)
{
	struct header h = {0};
	struct stat st;
	ssize_t got;
	int rc, fd;

	*data = NULL;
	/* O_NONBLOCK: a FIFO in its place must not stop the server. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if(fd < 0)
		return -errno;
	if(fstat(fd, &st) != 0) {
		rc = -errno;
		goto out;
	}
	if(!S_ISREG(st.st_mode)) {
		rc = -TG_STATEFILE_FOREIGN;
		goto out;
	}
	got = read_all(fd, &h, sizeof(h));
	rc = got < 0 ? (int)got
				 : check_header(&h, (size_t)got, (uint64_t)st.st_size, format,
						 max < SSIZE_MAX ? max : SSIZE_MAX);
	if(rc == 0)
		rc = read_payload(fd, &h, data);
	if(rc == 0)
		*len = (size_t)le64toh(h.length);
out:
	close(fd);
	return rc;
}

/* --- writing ------------------------------------------------------------ */

static int write_all(int fd, const void *from, size_t size)
{
	size_t done = 0;

	while(done < size) {
		ssize_t n = write(fd, (const char *)from + done, size - done);

		if(n < 0 && errno != EINTR)
			return -errno;
		if(n > 0)
			done += (size_t)n;
	}
	return 0;
}

/*
 * Opens the temporary file, locks it and empties it. Another writer may rename
 * the file between open and lock: then the name stands for another file and is
 * opened again.
 */
static int open_locked(const char *temp)
{
	for(int tries = 0; tries < 8; tries++) {
		struct stat named, ours;
		int rc, fd = open(temp,
						O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
								| O_NOCTTY,
						0600);

		if(fd < 0)
			return -errno;
		rc = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
		if(rc == 0 && fstat(fd, &ours) != 0)
			rc = -errno;
		if(rc == 0 && lstat(temp, &named) == 0 && named.st_ino == ours.st_ino
				&& named.st_dev == ours.st_dev) {
			if(ftruncate(fd, 0) == 0 && fchmod(fd, 0600) == 0)
				return fd;
			rc = -errno;
		}
		close(fd);
		if(rc != 0)
			return rc == -EWOULDBLOCK ? -TG_STATEFILE_BUSY : rc;
	}
	return -TG_STATEFILE_BUSY;
}

/* Makes the rename last through a power cut. Some file systems cannot sync a
 * directory and say EINVAL: nothing more can be done there. */
static int sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	int fd, rc;

	if(slash == NULL) {
		strcpy(dir, ".");
	} else if(len == 0) {
		strcpy(dir, "/");
	} else {
		memcpy(dir, path, len); /* fits: the temporary name did */
		dir[len] = '\0';
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if(fd < 0)
		return -errno;
	rc = fsync(fd) == 0 || errno == EINVAL ? 0 : -errno;
	close(fd);
	return rc;
}

int tg_statefile_write(const char *path,
		const struct tg_statefile_format *format, const void *data, size_t len)
{
	char temp[PATH_MAX];
	struct header h;
	int fd, rc, n;

	rc = fill_header(&h, format, data, len);
	if(rc != 0)
		return rc;
	n = snprintf(temp, sizeof(temp), "%s.new", path);
	if(n < 0 || (size_t)n >= sizeof(temp))
		return -ENAMETOOLONG;
	fd = open_locked(temp);
	if(fd < 0)
		return fd;
	rc = write_all(fd, &h, sizeof(h));
	if(rc == 0)
		rc = write_all(fd, data, len);
	if(rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if(rc == 0 && rename(temp, path) != 0)
		rc = -errno;
	if(rc != 0)
		unlink(temp); /* the lock is held: no other writer uses it */
	close(fd);
	return rc != 0 ? rc : sync_directory(path);
}

/* ------------------------------------------------------------------------ */

const char *tg_statefile_text(int result)
{
	static const char *const reasons[] = {
			"cut short or followed by other data",
			"damaged: the checksum does not match",
			"not a state file",
			"a state file of another kind",
			"written by another version",
			"larger than accepted",
			"being written by another process",
	};
	const char *text;

	if(result <= -TG_STATEFILE_TORN && result > -TG_STATEFILE_REASONS)
		return reasons[-result - TG_STATEFILE_TORN];
	if(result == 0)
		return "read or written";
	if(result == -ENOENT)
		return "no such file or directory";
	text = strerrordesc_np(-result);
	return text != NULL ? text : "unknown error";
}

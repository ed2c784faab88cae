/*
 * Geography: files and lookups. The only source file that uses libmaxminddb,
 * which opens a file and walks its search tree; geo_record.c reads the records
 * of that tree.
 *
 * Why a sealed copy: libmaxminddb maps the file that it is given. When somebody
 * truncates a mapped file in place, the kernel kills the process that reads it
 * (SIGBUS). libmaxminddb opens files by name only, so the copy is a memfd with
 * a name in /proc.
 *
 * Memory bound: the sizes of both files, TG_GEO_MAX_FILE each; once, shared by
 * all processes forked later.
 * Locking: none, nothing is written after open.
 * Failure mode: a file that is missing or damaged leaves its facts unknown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/geo/geo_record.h"

struct tg_geo
{
	int open[TG_GEO_FILES];
	MMDB_s file[TG_GEO_FILES];
};

static int copy_bytes(int from, int to, uint8_t *buffer, size_t room)
{
	size_t all = 0;
	ssize_t n, done;

	while((n = read(from, buffer, room)) != 0) {
		if(n < 0 && errno == EINTR)
			continue;
		if(n < 0)
			return -errno;
		all += (size_t)n;
		if(all > TG_GEO_MAX_FILE)
			return -EFBIG;
		for(ssize_t at = 0; at < n; at += done) {
			done = write(to, buffer + at, (size_t)(n - at));
			if(done < 0 && errno == EINTR)
				done = 0;
			if(done < 0)
				return -errno;
		}
	}
	return all == 0 ? -EBADMSG : 0;
}

/* Makes a private, unchangeable copy of `path`; its descriptor in *copy. */
static int copy_file(const char *path, int *copy)
{
	const size_t room = 256 * 1024;
	struct stat st;
	uint8_t *buffer = NULL;
	int rc = 0, memory = -1;
	/* O_NONBLOCK: a named pipe at this path must not block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if(fd < 0)
		return -errno;
	if(fstat(fd, &st) != 0)
		rc = -errno;
	else if(!S_ISREG(st.st_mode))
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if((uintmax_t)st.st_size > TG_GEO_MAX_FILE)
		rc = -EFBIG;
	if(rc != 0)
		goto out;
	buffer = malloc(room);
	memory = memfd_create("tollgate-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if(buffer == NULL || memory < 0)
		rc = buffer == NULL ? -ENOMEM : -errno;
	else
		rc = copy_bytes(fd, memory, buffer, room);
	if(rc == 0
			&& fcntl(memory, F_ADD_SEALS,
					   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
					   != 0)
		rc = -errno;
out:
	free(buffer);
	close(fd);
	if(rc == 0)
		*copy = memory;
	else if(memory >= 0)
		close(memory);
	return rc;
}

static int check_copy(int copy, const char **why)
{
	struct geo_metadata metadata;
	struct stat st;
	void *bytes;
	int rc;

	/* The caller has opened it.
	 * NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions) */
	if(fstat(copy, &st) != 0)
		return -errno;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, copy, 0);
	if(bytes == MAP_FAILED)
		return -errno;
	rc = geo_check_file(bytes, (size_t)st.st_size, &metadata, why);
	munmap(bytes, (size_t)st.st_size);
	return rc;
}

/* 0, or a negative errno, with *why when the contents are at fault. */
static int open_file(const char *path, MMDB_s *file, const char **why)
{
	char name[32];
	int copy = -1, status;
	int rc = copy_file(path, &copy);

	if(rc == -EBADMSG)
		*why = "it is empty";
	if(rc != 0)
		return rc;
	rc = check_copy(copy, why);
	if(rc == 0) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", copy);
		status = MMDB_open(name, MMDB_MODE_MMAP, file);
		if(status == MMDB_OUT_OF_MEMORY_ERROR)
			rc = -ENOMEM;
		else if(status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
			rc = errno != 0 ? -errno : -EIO;
		else if(status != MMDB_SUCCESS) {
			rc = -EBADMSG;
			*why = MMDB_strerror(status);
		}
	}
	close(copy);
	return rc;
}

int tg_geo_open(const char *city_path, const char *asn_path,
		struct tg_geo **geo, struct tg_geo_status *status)
{
	const char *const path[TG_GEO_FILES] = {city_path, asn_path};
	struct tg_geo *g = calloc(1, sizeof(*g));

	memset(status, 0, sizeof(*status));
	*geo = NULL;
	for(int i = 0; g != NULL && i < TG_GEO_FILES; i++) {
		char *text = status->text[i];
		const size_t room = sizeof(status->text[i]);
		const char *why = NULL;
		int rc = -ENODATA;

		if(path[i] != NULL && path[i][0] != '\0')
			rc = open_file(path[i], &g->file[i], &why);
		status->result[i] = rc;
		if(rc == -ENOMEM) {
			tg_geo_close(g);
			return -ENOMEM;
		}
		if(rc == 0) {
			g->open[i] = 1;
			status->built[i] = g->file[i].metadata.build_epoch;
			snprintf(text, room, "%.60s", g->file[i].metadata.database_type);
		} else if(rc == -ENODATA)
			snprintf(text, room, "no file is named");
		else if(rc == -EFBIG)
			snprintf(text, room, "%.80s: larger than %zu MiB", path[i],
					TG_GEO_MAX_FILE >> 20);
		else
			snprintf(text, room, "%.80s: %.70s", path[i],
					why != NULL ? why : strerror(-rc));
		for(char *c = text; *c != '\0'; c++)
			if(*c < 0x20 || *c > 0x7e)
				*c = '?';
	}
	*geo = g;
	return g != NULL ? 0 : -ENOMEM;
}

void tg_geo_close(struct tg_geo *geo)
{
	if(geo == NULL)
		return;
	for(int i = 0; i < TG_GEO_FILES; i++)
		if(geo->open[i])
			MMDB_close(&geo->file[i]);
	free(geo);
}

uint32_t tg_geo_lookup(const struct tg_geo *geo, const uint8_t address[16],
		struct tg_geo_place *place)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
	union
	{
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = {.v6 = {.sin6_family = AF_INET6}};

	if(memcmp(address, mapped, sizeof(mapped)) == 0) {
		to.v4 = (struct sockaddr_in){.sin_family = AF_INET};
		memcpy(&to.v4.sin_addr, address + 12, 4);
	} else
		memcpy(&to.v6.sin6_addr, address, 16);
	memset(place, 0, sizeof(*place));
	for(int i = 0; i < TG_GEO_FILES; i++) {
		const MMDB_s *file = &geo->file[i];
		MMDB_lookup_result_s hit;
		int error = MMDB_SUCCESS;

		if(!geo->open[i])
			continue;
		hit = MMDB_lookup_sockaddr(file, &to.any, &error);
		if(error == MMDB_SUCCESS && hit.found_entry)
			(void)geo_read_record(file->data_section, file->data_section_size,
					hit.entry.offset, place);
	}
	return place->known;
}

double tg_geo_distance_km(double lat1, double lon1, double lat2, double lon2)
{
	const double radius = 6371.0088, rad = 3.14159265358979323846 / 180;
	double dlat = sin((lat2 - lat1) * rad / 2);
	double dlon = sin((lon2 - lon1) * rad / 2);
	double h = dlat * dlat + cos(lat1 * rad) * cos(lat2 * rad) * dlon * dlon;

	/* For antipodes, rounding may give more than 1. */
	return 2 * radius * asin(sqrt(h < 1 ? h : 1));
}

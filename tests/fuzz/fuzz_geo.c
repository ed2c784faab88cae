/*
 * Files in MaxMind's DB format: opened as a whole, then addresses in every part
 * of the tree; and records read from memory of exactly their size.
 *
 *   make fuzz F=geo
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/geo/geo.h"
#include "lib/geo/geo_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tg_geo_place *p)
{
	if(!(p->lat >= -90 && p->lat <= 90 && p->lon >= -180 && p->lon <= 180)
			|| p->radius_km > 65535 || p->known > 15
			|| !(p->known & TG_GEO_KNOWS_COUNTRY) != !p->country[0])
		abort();
}

static void look_up(const struct tg_geo *geo)
{
	/* 16 bytes each: a walk to the left, to the right, and two from the
	 * documentation prefixes of the seeds. */
	static const uint8_t addresses[][16] = {{0}, {0xff, 0xff, 0xff},
			{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1},
			{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 200},
			{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1},
			{0x20, 0x01, 0x0d, 0xb8}, {0x20, 0x01, 0x0d, 0xb8, 0, 1}};

	for(size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		struct tg_geo_place place;

		tg_geo_lookup(geo, addresses[i], &place);
		check(&place);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_geo_place place = {0};
	struct tg_geo_status status;
	struct geo_metadata metadata;
	const char *why;
	struct tg_geo *geo;
	char path[40];
	int fd;

	geo_check_file(data, size, &metadata, &why);
	if(size > 0) {
		geo_read_record(data, size, data[0], &place);
		check(&place);
	}

	fd = memfd_create("fuzz", 0);
	if(fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if(tg_geo_open(path, NULL, &geo, &status) == 0) {
		look_up(geo);
		tg_geo_close(geo);
	}
	close(fd);
	return 0;
}

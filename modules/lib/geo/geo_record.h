/*
 * Values of MaxMind's DB format, read step by step; private to geo*.c.
 * libmaxminddb's own readers recurse as deep and follow pointers as often as
 * the file says. The readers here do neither.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_GEO_RECORD_H
#define TG_GEO_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/geo/geo.h"

/* The most values read in one record. A city record with names in eight
 * languages has about 150. */
#define GEO_MAX_STEPS 4096

/* Reads the facts of the record at `offset` that *place does not know yet. 0,
 * -EBADMSG (damaged; *place may have a part of the facts). */
int geo_read_record(const uint8_t *data, size_t size, size_t offset,
		struct tg_geo_place *place);

/* The metadata of a file. */
struct geo_metadata
{
	uint64_t nodes, record_bits, ip_version, major, epoch;
};

/* Checks that libmaxminddb can read this metadata safely: no pointers, shallow,
 * short, and entries of the right type in the lists. 0, -EBADMSG. */
int geo_check_metadata(
		const uint8_t *data, size_t size, struct geo_metadata *metadata);

/* Checks a whole file: the metadata exist and are sound, the search tree lies
 * within the file. 0, or -EBADMSG with *why. */
int geo_check_file(const uint8_t *file, size_t size,
		struct geo_metadata *metadata, const char **why);

#endif

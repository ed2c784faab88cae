/*
 * Values of MaxMind's DB format, read step by step; private to geo*.c.
 * libmaxminddb's own readers recurse as deep as the file says and follow
 * pointers as often as it likes; these do neither.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_GEO_RECORD_H
#define TG_GEO_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/geo/geo.h"

/* Values looked at in one record. A city record with names in eight languages
 * has about 150. */
#define GEO_MAX_STEPS 4096

/* Reads the facts of the record at `offset` into what *place does not know yet.
 * 0, -EBADMSG (damaged: *place may know a part). */
int geo_read_record(const uint8_t *data, size_t size, size_t offset,
		struct tg_geo_place *place);

/* What stands in a file's metadata. */
struct geo_metadata
{
	uint64_t nodes, record_bits, ip_version, major, epoch;
};

/* Proves that libmaxminddb can take this metadata: no pointers, shallow, short,
 * the lists hold what they should. 0, -EBADMSG. */
int geo_check_metadata(
		const uint8_t *data, size_t size, struct geo_metadata *metadata);

/* Checks a whole file: metadata found and sound, the search tree inside. 0, or
 * -EBADMSG with *why. */
int geo_check_file(const uint8_t *file, size_t size,
		struct geo_metadata *metadata, const char **why);

#endif

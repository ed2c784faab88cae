/*
 * Checks a MaxMind DB file before libmaxminddb reads it. libmaxminddb's reader
 * of metadata recurses, follows pointers without end and leaks memory on wrong
 * types, and its product of nodes and record size overflows.
 *
 * Memory bound: none. Time bound: GEO_MAX_STEPS values; the last 128 KiB are
 * searched for the metadata, as the format says.
 * Locking: none. Failure mode: the file is refused, with the reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo/geo_record.h"

#include <errno.h>
#include <string.h>

#include "lib/geo/geo_value.h"

/* All entries are strings (in a map: keys, too). */
static int only_strings(struct geo_reader *r, const struct geo_value *list)
{
	size_t n = list->type == GEO_MAP ? list->size * 2 : list->size;
	size_t offset = list->next;
	struct geo_value v;

	for(size_t i = 0; i < n; i++) {
		if(geo_read_plain(r, offset, &v) != 0 || v.type != GEO_STRING)
			return -EBADMSG;
		offset = v.next;
	}
	return 0;
}

int geo_check_metadata(
		const uint8_t *data, size_t size, struct geo_metadata *metadata)
{
	static const char number[][32] = {"node_count", "record_size", "ip_version",
			"binary_format_major_version", "build_epoch"};
	uint64_t *const into[] = {&metadata->nodes, &metadata->record_bits,
			&metadata->ip_version, &metadata->major, &metadata->epoch};
	const unsigned numbers = sizeof(into) / sizeof(into[0]);
	struct geo_reader r = {data, size, GEO_MAX_STEPS, 0};
	unsigned seen = 0;
	struct geo_value map;
	struct geo_pair p;
	size_t offset;

	if(geo_read_plain(&r, 0, &map) != 0 || map.type != GEO_MAP)
		return -EBADMSG;
	offset = map.next;
	for(size_t i = 0; i < map.size; i++) {
		if(geo_read_pair(&r, offset, &p) != 0)
			return -EBADMSG;
		for(unsigned k = 0; k < numbers; k++)
			if(geo_is_key(&p, number[k])) {
				if((seen & 1u << k)
						|| geo_read_unsigned(&p.value, into[k]) != 0)
					return -EBADMSG;
				seen |= 1u << k;
			}
		/* The only lists that the format allows here. They are flat, so nothing
		 * recurses. */
		if(p.value.type == GEO_MAP && !geo_is_key(&p, "description"))
			return -EBADMSG;
		if(p.value.type == GEO_ARRAY && !geo_is_key(&p, "languages"))
			return -EBADMSG;
		if((p.value.type == GEO_MAP || p.value.type == GEO_ARRAY)
				&& only_strings(&r, &p.value) != 0)
			return -EBADMSG;
		if(geo_after_pair(&r, &p, &offset) != 0)
			return -EBADMSG;
	}
	return seen == (1u << numbers) - 1 ? 0 : -EBADMSG;
}

int geo_check_file(const uint8_t *file, size_t size,
		struct geo_metadata *metadata, const char **why)
{
	static const uint8_t marker[] = "\xab\xcd\xefMaxMind.com";
	const size_t marker_size = sizeof(marker) - 1, near = 128 * 1024;
	const uint8_t *end = file + size, *found = NULL;
	const uint8_t *from = size > near ? end - near : file, *hit;
	uint64_t tree;

	*why = "it is no MaxMind DB file, or cut short";
	while((hit = memmem(from, (size_t)(end - from), marker, marker_size))
			!= NULL)
		found = from = hit + marker_size;
	if(found == NULL)
		return -EBADMSG;
	*why = "its metadata is damaged";
	if(geo_check_metadata(found, (size_t)(end - found), metadata) != 0)
		return -EBADMSG;
	*why = "its format is not MaxMind DB 2.x";
	if(metadata->major != 2
			|| (metadata->ip_version != 4 && metadata->ip_version != 6)
			|| (metadata->record_bits != 24 && metadata->record_bits != 28
					&& metadata->record_bits != 32))
		return -EBADMSG;
	*why = "its search tree is cut short";
	/* node_count has 32 bits. The product is checked here, because
	 * libmaxminddb's overflows. 16 zero bytes follow the tree. */
	tree = metadata->nodes * (metadata->record_bits / 4) + 16;
	if(metadata->nodes == 0 || metadata->nodes > UINT32_MAX
			|| tree > (uint64_t)(found - marker_size - file))
		return -EBADMSG;
	return 0;
}

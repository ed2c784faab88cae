/*
 * Single values of MaxMind's DB format; private to geo*.c. See "MaxMind DB File
 * Format Specification" 2.0, "Output Data Section": a value is a control byte
 * (type, size), more size bytes, and the payload; a pointer stands for a value
 * elsewhere, never for another pointer.
 *
 * Each function: 0, or -EBADMSG when the bytes end too early, make no sense, or
 * the steps are used up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_GEO_VALUE_H
#define TG_GEO_VALUE_H

#include <stddef.h>
#include <stdint.h>

enum geo_type
{
	GEO_EXTENDED = 0,
	GEO_POINTER = 1,
	GEO_STRING = 2,
	GEO_DOUBLE = 3,
	GEO_BYTES = 4,
	GEO_UINT16 = 5,
	GEO_UINT32 = 6,
	GEO_MAP = 7,
	GEO_INT32 = 8,
	GEO_UINT64 = 9,
	GEO_UINT128 = 10,
	GEO_ARRAY = 11,
	GEO_CONTAINER = 12,
	GEO_END = 13,
	GEO_BOOLEAN = 14,
	GEO_FLOAT = 15
};

struct geo_reader
{
	const uint8_t *data;
	size_t size;
	unsigned steps; /* left */
	int pointers;	/* allowed */
};

struct geo_value
{
	enum geo_type type;
	size_t size; /* bytes; entries of a map or an array; a pointer's target */
	const uint8_t *at; /* payload */
	size_t next;	   /* offset of what follows */
};

struct geo_pair
{
	struct geo_value key, value;
	size_t next; /* behind the pair when not 0 */
};

uint64_t geo_big_endian(const uint8_t *p, size_t n);

/* The value at `offset`, a pointer as such. */
int geo_read_plain(struct geo_reader *r, size_t offset, struct geo_value *v);

/* The value meant at `offset`. *next is what follows a pointer there, else 0:
 * what follows the value. */
int geo_read_value(
		struct geo_reader *r, size_t offset, struct geo_value *v, size_t *next);

/* The pair at `offset` of a map, and the offset behind it and all it holds. */
int geo_read_pair(struct geo_reader *r, size_t offset, struct geo_pair *p);
int geo_after_pair(
		struct geo_reader *r, const struct geo_pair *p, size_t *offset);
int geo_is_key(const struct geo_pair *p, const char *name);

/* Up to 64 bits. */
int geo_read_unsigned(const struct geo_value *v, uint64_t *out);

#endif

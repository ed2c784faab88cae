/*
 * Single values of MaxMind's DB format; private to geo*.c. See "MaxMind DB File
 * Format Specification" 2.0, "Output Data Section": a value is a control byte
 * (type, size), more size bytes, and the payload; a pointer stands for a value
 * elsewhere, never for another pointer.
 *
 * Each function returns 0, or -EBADMSG when the bytes end too early, are
 * malformed, or the steps are used up.
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
	unsigned steps; /* values that may still be read */
	int pointers;	/* non-zero: pointers are allowed */
};

struct geo_value
{
	enum geo_type type;
	size_t size; /* bytes; entries of a map or an array; a pointer's target */
	const uint8_t *at; /* payload */
	size_t next;	   /* offset of the next value */
};

struct geo_pair
{
	struct geo_value key, value;
	size_t next; /* offset behind the pair when not 0 */
};

uint64_t geo_big_endian(const uint8_t *p, size_t n);

/* The value at `offset`. A pointer is not followed. */
int geo_read_plain(struct geo_reader *r, size_t offset, struct geo_value *v);

/* The value at `offset`; a pointer is followed. *next is then the offset behind
 * the pointer; else 0, and v->next is the offset behind the value. */
int geo_read_value(
		struct geo_reader *r, size_t offset, struct geo_value *v, size_t *next);

/* The pair of a map at `offset`, and the offset behind the pair. */
int geo_read_pair(struct geo_reader *r, size_t offset, struct geo_pair *p);
int geo_after_pair(
		struct geo_reader *r, const struct geo_pair *p, size_t *offset);
int geo_is_key(const struct geo_pair *p, const char *name);

/* An unsigned number of up to 64 bits. */
int geo_read_unsigned(const struct geo_value *v, uint64_t *out);

#endif

/*
 * MaxMind DB values; see geo_value.h. Nothing here recurses.
 *
 * Memory bound: none. Time bound: the reader's steps.
 * Locking: none. Failure mode: a value that cannot be read is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo/geo_value.h"

#include <errno.h>
#include <string.h>

uint64_t geo_big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while(n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static int has_payload(enum geo_type type)
{
	return type != GEO_MAP && type != GEO_ARRAY && type != GEO_BOOLEAN
		   && type != GEO_POINTER;
}

/* Sizes 29, 30, 31 mean that 1, 2, 3 more bytes follow, each with its own
 * base. */
static int read_size(struct geo_reader *r, size_t *offset, size_t *size)
{
	static const uint32_t base[] = {29, 285, 65821};
	size_t more = *size - 28;

	if(*size < 29)
		return 0;
	if(more > r->size - *offset)
		return -EBADMSG;
	*size = base[more - 1] + (size_t)geo_big_endian(r->data + *offset, more);
	*offset += more;
	return 0;
}

static int read_pointer(struct geo_reader *r, uint8_t control, size_t offset,
		struct geo_value *v)
{
	static const uint32_t base[] = {0, 2048, 526336, 0};
	size_t kind = control >> 3 & 3, bytes = kind + 1;

	if(!r->pointers || bytes > r->size - offset)
		return -EBADMSG;
	v->size = (size_t)geo_big_endian(r->data + offset, bytes);
	if(kind < 3)
		v->size += ((size_t)(control & 7) << 8 * bytes) + base[kind];
	v->next = offset + bytes;
	return 0;
}

int geo_read_plain(struct geo_reader *r, size_t offset, struct geo_value *v)
{
	uint8_t control;
	int rc;

	if(offset >= r->size || r->steps == 0)
		return -EBADMSG;
	r->steps--;
	control = r->data[offset++];
	v->type = (enum geo_type)(control >> 5);
	v->size = control & 31;
	if(v->type == GEO_POINTER)
		return read_pointer(r, control, offset, v);
	if(v->type == GEO_EXTENDED) {
		if(offset >= r->size || r->data[offset] == 0
				|| r->data[offset] > GEO_FLOAT - 7)
			return -EBADMSG;
		v->type = (enum geo_type)(r->data[offset++] + 7);
	}
	rc = read_size(r, &offset, &v->size);
	if(rc != 0)
		return rc;
	v->at = r->data + offset;
	if(has_payload(v->type)) {
		if(v->size > r->size - offset)
			return -EBADMSG;
		offset += v->size;
	}
	v->next = offset;
	return 0;
}

int geo_read_value(
		struct geo_reader *r, size_t offset, struct geo_value *v, size_t *next)
{
	int rc = geo_read_plain(r, offset, v);

	*next = 0;
	if(rc == 0 && v->type == GEO_POINTER) {
		*next = v->next;
		rc = geo_read_plain(r, v->size, v);
		if(rc == 0 && v->type == GEO_POINTER)
			return -EBADMSG;
	}
	return rc;
}

/* Gives the offset behind `v` and all that it contains. */
static int skip_value(
		struct geo_reader *r, const struct geo_value *v, size_t *offset)
{
	struct geo_value inner = *v;
	uint64_t left = 0;

	for(;;) {
		if(inner.type == GEO_MAP)
			left += (uint64_t)inner.size * 2;
		else if(inner.type == GEO_ARRAY)
			left += inner.size;
		*offset = inner.next;
		if(left == 0)
			return 0;
		left--;
		if(geo_read_plain(r, *offset, &inner) != 0)
			return -EBADMSG;
	}
}

int geo_read_pair(struct geo_reader *r, size_t offset, struct geo_pair *p)
{
	size_t next;
	int rc = geo_read_value(r, offset, &p->key, &next);

	if(rc == 0 && p->key.type != GEO_STRING)
		rc = -EBADMSG;
	if(rc == 0)
		rc = geo_read_value(
				r, next != 0 ? next : p->key.next, &p->value, &p->next);
	return rc;
}

int geo_after_pair(
		struct geo_reader *r, const struct geo_pair *p, size_t *offset)
{
	if(p->next == 0)
		return skip_value(r, &p->value, offset);
	*offset = p->next;
	return 0;
}

int geo_is_key(const struct geo_pair *p, const char *name)
{
	return p->key.size == strlen(name)
		   && memcmp(p->key.at, name, p->key.size) == 0;
}

int geo_read_unsigned(const struct geo_value *v, uint64_t *out)
{
	if((v->type != GEO_UINT16 && v->type != GEO_UINT32 && v->type != GEO_UINT64)
			|| v->size > 8)
		return -EBADMSG;
	*out = geo_big_endian(v->at, v->size);
	return 0;
}

/*
 * MaxMind DB values (see "MaxMind DB File Format Specification" 2.0, "Output
 * Data Section"). A value is a control byte (type, size), more size bytes, and
 * the payload; a pointer stands for a value elsewhere, never for a pointer.
 *
 * Memory bound: none. Time bound: GEO_MAX_STEPS values.
 * Locking: none. Failure mode: what cannot be read is not known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo_record.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum type
{
	EXTENDED = 0,
	POINTER = 1,
	STRING = 2,
	DOUBLE = 3,
	BYTES = 4,
	UINT16 = 5,
	UINT32 = 6,
	MAP = 7,
	INT32 = 8,
	UINT64 = 9,
	UINT128 = 10,
	ARRAY = 11,
	CONTAINER = 12,
	END = 13,
	BOOLEAN = 14,
	FLOAT = 15
};

struct reader
{
	const uint8_t *data;
	size_t size;
	unsigned steps; /* left */
	int pointers;	/* allowed */
};

struct value
{
	enum type type;
	size_t size; /* bytes; entries of a map or an array; a pointer's target */
	const uint8_t *at; /* payload */
	size_t next;	   /* offset of what follows */
};

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while(n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static int has_payload(enum type type)
{
	return type != MAP && type != ARRAY && type != BOOLEAN && type != POINTER;
}

/* Size bits 29, 30, 31 announce 1, 2, 3 more bytes, each with its own base. */
static int read_size(struct reader *r, size_t *offset, size_t *size)
{
	static const uint32_t base[] = {29, 285, 65821};
	size_t more = *size - 28;

	if(*size < 29)
		return 0;
	if(more > r->size - *offset)
		return -EBADMSG;
	*size = base[more - 1] + (size_t)big_endian(r->data + *offset, more);
	*offset += more;
	return 0;
}

static int read_pointer(
		struct reader *r, uint8_t control, size_t offset, struct value *v)
{
	static const uint32_t base[] = {0, 2048, 526336, 0};
	size_t kind = control >> 3 & 3, bytes = kind + 1;

	if(!r->pointers || bytes > r->size - offset)
		return -EBADMSG;
	v->size = (size_t)big_endian(r->data + offset, bytes);
	if(kind < 3)
		v->size += ((size_t)(control & 7) << 8 * bytes) + base[kind];
	v->next = offset + bytes;
	return 0;
}

/* The value at `offset`, a pointer as such. */
static int read_plain(struct reader *r, size_t offset, struct value *v)
{
	uint8_t control;
	int rc;

	if(offset >= r->size || r->steps == 0)
		return -EBADMSG;
	r->steps--;
	control = r->data[offset++];
	v->type = (enum type)(control >> 5);
	v->size = control & 31;
	if(v->type == POINTER)
		return read_pointer(r, control, offset, v);
	if(v->type == EXTENDED) {
		if(offset >= r->size || r->data[offset] == 0
				|| r->data[offset] > FLOAT - 7)
			return -EBADMSG;
		v->type = (enum type)(r->data[offset++] + 7);
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

/* The value meant at `offset`; *next is what follows where it stands, which for
 * a pointer is not what follows its target. 0 in *next: follow the value. */
static int read_value(
		struct reader *r, size_t offset, struct value *v, size_t *next)
{
	int rc = read_plain(r, offset, v);

	*next = 0;
	if(rc == 0 && v->type == POINTER) {
		*next = v->next;
		rc = read_plain(r, v->size, v);
		if(rc == 0 && v->type == POINTER)
			return -EBADMSG;
	}
	return rc;
}

/* Offset behind `v` and all that it holds. */
static int skip_value(struct reader *r, const struct value *v, size_t *offset)
{
	struct value inner = *v;
	uint64_t left = 0;

	for(;;) {
		if(inner.type == MAP)
			left += (uint64_t)inner.size * 2;
		else if(inner.type == ARRAY)
			left += inner.size;
		*offset = inner.next;
		if(left == 0)
			return 0;
		left--;
		if(read_plain(r, *offset, &inner) != 0)
			return -EBADMSG;
	}
}

struct pair
{
	struct value key, value;
	size_t next; /* behind the pair when not 0 */
};

/* The pair at *offset of a map; the caller then calls after_pair. */
static int read_pair(struct reader *r, size_t offset, struct pair *p)
{
	size_t next;
	int rc = read_value(r, offset, &p->key, &next);

	if(rc == 0 && p->key.type != STRING)
		rc = -EBADMSG;
	if(rc == 0)
		rc = read_value(r, next != 0 ? next : p->key.next, &p->value, &p->next);
	return rc;
}

static int after_pair(struct reader *r, const struct pair *p, size_t *offset)
{
	if(p->next == 0)
		return skip_value(r, &p->value, offset);
	*offset = p->next;
	return 0;
}

static int is_key(const struct pair *p, const char *name)
{
	return p->key.size == strlen(name)
		   && memcmp(p->key.at, name, p->key.size) == 0;
}

static int read_unsigned(const struct value *v, uint64_t *out)
{
	if((v->type != UINT16 && v->type != UINT32 && v->type != UINT64)
			|| v->size > 8)
		return -EBADMSG;
	*out = big_endian(v->at, v->size);
	return 0;
}

static int read_degrees(const struct value *v, double limit, double *out)
{
	double d;

	if(v->type == DOUBLE && v->size == 8) {
		uint64_t bits = big_endian(v->at, 8);

		memcpy(&d, &bits, sizeof(d));
	} else if(v->type == FLOAT && v->size == 4) {
		uint32_t bits = (uint32_t)big_endian(v->at, 4);
		float f;

		memcpy(&f, &bits, sizeof(f));
		d = (double)f;
	} else
		return -EBADMSG;
	if(!(fabs(d) <= limit)) /* not a number fails as well */
		return -EBADMSG;
	*out = d;
	return 0;
}

static int read_country(
		struct reader *r, const struct value *map, struct tg_geo_place *place)
{
	size_t offset = map->next;
	struct pair p;

	for(size_t i = 0; i < map->size; i++) {
		if(read_pair(r, offset, &p) != 0)
			return -EBADMSG;
		if(is_key(&p, "iso_code") && p.value.type == STRING
				&& p.value.size == 2) {
			const uint8_t *c = p.value.at;

			if(c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z')
				return -EBADMSG;
			memcpy(place->country, c, 2);
			place->known |= TG_GEO_KNOWS_COUNTRY;
			return 0;
		}
		if(after_pair(r, &p, &offset) != 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_location(
		struct reader *r, const struct value *map, struct tg_geo_place *place)
{
	size_t offset = map->next;
	int has_lat = 0, has_lon = 0;
	double lat = 0, lon = 0;
	uint64_t radius = 0;
	struct pair p;

	for(size_t i = 0; i < map->size; i++) {
		if(read_pair(r, offset, &p) != 0)
			return -EBADMSG;
		if(is_key(&p, "latitude"))
			has_lat = read_degrees(&p.value, 90, &lat) == 0;
		else if(is_key(&p, "longitude"))
			has_lon = read_degrees(&p.value, 180, &lon) == 0;
		else if(is_key(&p, "accuracy_radius")
				&& (read_unsigned(&p.value, &radius) != 0
						|| radius > UINT16_MAX))
			radius = 0;
		if(after_pair(r, &p, &offset) != 0)
			return -EBADMSG;
	}
	if(!has_lat || !has_lon)
		return 0;
	place->lat = lat;
	place->lon = lon;
	place->known |= TG_GEO_KNOWS_POSITION;
	if(radius > 0) {
		place->radius_km = (uint32_t)radius;
		place->known |= TG_GEO_KNOWS_RADIUS;
	}
	return 0;
}

int geo_read_record(const uint8_t *data, size_t size, size_t offset,
		struct tg_geo_place *place)
{
	struct reader r = {data, size, GEO_MAX_STEPS, 1};
	struct value map, registered = {.type = END};
	struct pair p;
	size_t next;
	int rc;

	if(read_value(&r, offset, &map, &next) != 0 || map.type != MAP)
		return -EBADMSG;
	offset = map.next;
	for(size_t i = 0; i < map.size; i++) {
		uint64_t asn;

		if(read_pair(&r, offset, &p) != 0)
			return -EBADMSG;
		rc = 0;
		if(is_key(&p, "country") && p.value.type == MAP
				&& !(place->known & TG_GEO_KNOWS_COUNTRY))
			rc = read_country(&r, &p.value, place);
		else if(is_key(&p, "registered_country") && p.value.type == MAP)
			registered = p.value;
		else if(is_key(&p, "location") && p.value.type == MAP
				&& !(place->known & TG_GEO_KNOWS_POSITION))
			rc = read_location(&r, &p.value, place);
		else if(is_key(&p, "autonomous_system_number")
				&& !(place->known & TG_GEO_KNOWS_ASN)
				&& read_unsigned(&p.value, &asn) == 0 && asn > 0
				&& asn <= UINT32_MAX) {
			place->asn = (uint32_t)asn;
			place->known |= TG_GEO_KNOWS_ASN;
		}
		if(rc != 0 || after_pair(&r, &p, &offset) != 0)
			return -EBADMSG;
	}
	/* Where the place is not known, the country that the network was given to:
	 * satellite links, anycast. */
	if(registered.type == MAP && !(place->known & TG_GEO_KNOWS_COUNTRY))
		return read_country(&r, &registered, place);
	return 0;
}

/* All entries are strings (in a map: keys, too). */
static int only_strings(struct reader *r, const struct value *list)
{
	size_t n = list->type == MAP ? list->size * 2 : list->size;
	size_t offset = list->next;
	struct value v;

	for(size_t i = 0; i < n; i++) {
		if(read_plain(r, offset, &v) != 0 || v.type != STRING)
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
	struct reader r = {data, size, GEO_MAX_STEPS, 0};
	unsigned seen = 0;
	struct value map;
	struct pair p;
	size_t offset;

	if(read_plain(&r, 0, &map) != 0 || map.type != MAP)
		return -EBADMSG;
	offset = map.next;
	for(size_t i = 0; i < map.size; i++) {
		if(read_pair(&r, offset, &p) != 0)
			return -EBADMSG;
		for(unsigned k = 0; k < numbers; k++)
			if(is_key(&p, number[k])) {
				if((seen & 1u << k) || read_unsigned(&p.value, into[k]) != 0)
					return -EBADMSG;
				seen |= 1u << k;
			}
		/* The only lists that the format knows here; flat, so that nothing
		 * recurses. */
		if(p.value.type == MAP && !is_key(&p, "description"))
			return -EBADMSG;
		if(p.value.type == ARRAY && !is_key(&p, "languages"))
			return -EBADMSG;
		if((p.value.type == MAP || p.value.type == ARRAY)
				&& only_strings(&r, &p.value) != 0)
			return -EBADMSG;
		if(after_pair(&r, &p, &offset) != 0)
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
	/* node_count is 32 bits wide, and checked so: libmaxminddb's product
	 * overflows. 16 zero bytes follow the tree. */
	tree = metadata->nodes * (metadata->record_bits / 4) + 16;
	if(metadata->nodes == 0 || metadata->nodes > UINT32_MAX
			|| tree > (uint64_t)(found - marker_size - file))
		return -EBADMSG;
	return 0;
}

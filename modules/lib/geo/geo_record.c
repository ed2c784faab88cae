/*
 * The facts in a record of a MaxMind DB file: a map such as
 *   {"country": {"iso_code": "DE"}, "location": {"latitude": 52.5 ...}}
 *   {"autonomous_system_number": 64496}
 *
 * Memory bound: none. Time bound: GEO_MAX_STEPS values.
 * Locking: none. Failure mode: a fact that cannot be read is not known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo/geo_record.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/geo/geo_value.h"

static int read_degrees(const struct geo_value *v, double limit, double *out)
{
	double d;

	if(v->type == GEO_DOUBLE && v->size == 8) {
		uint64_t bits = geo_big_endian(v->at, 8);

		memcpy(&d, &bits, sizeof(d));
	} else if(v->type == GEO_FLOAT && v->size == 4) {
		uint32_t bits = (uint32_t)geo_big_endian(v->at, 4);
		float f;

		memcpy(&f, &bits, sizeof(f));
		d = (double)f;
	} else
		return -EBADMSG;
	if(!(fabs(d) <= limit)) /* true for NaN as well */
		return -EBADMSG;
	*out = d;
	return 0;
}

static int read_country(struct geo_reader *r, const struct geo_value *map,
		struct tg_geo_place *place)
{
	size_t offset = map->next;
	struct geo_pair p;

	for(size_t i = 0; i < map->size; i++) {
		if(geo_read_pair(r, offset, &p) != 0)
			return -EBADMSG;
		if(geo_is_key(&p, "iso_code") && p.value.type == GEO_STRING
				&& p.value.size == 2) {
			const uint8_t *c = p.value.at;

			if(c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z')
				return -EBADMSG;
			memcpy(place->country, c, 2);
			place->known |= TG_GEO_KNOWS_COUNTRY;
			return 0;
		}
		if(geo_after_pair(r, &p, &offset) != 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_location(struct geo_reader *r, const struct geo_value *map,
		struct tg_geo_place *place)
{
	size_t offset = map->next;
	int has_lat = 0, has_lon = 0;
	double lat = 0, lon = 0;
	uint64_t radius = 0;
	struct geo_pair p;

	for(size_t i = 0; i < map->size; i++) {
		if(geo_read_pair(r, offset, &p) != 0)
			return -EBADMSG;
		if(geo_is_key(&p, "latitude"))
			has_lat = read_degrees(&p.value, 90, &lat) == 0;
		else if(geo_is_key(&p, "longitude"))
			has_lon = read_degrees(&p.value, 180, &lon) == 0;
		else if(geo_is_key(&p, "accuracy_radius")
				&& (geo_read_unsigned(&p.value, &radius) != 0
						|| radius > UINT16_MAX))
			radius = 0;
		if(geo_after_pair(r, &p, &offset) != 0)
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
	struct geo_reader r = {data, size, GEO_MAX_STEPS, 1};
	struct geo_value map, registered = {.type = GEO_END};
	struct geo_pair p;
	size_t next;
	int rc;

	if(geo_read_value(&r, offset, &map, &next) != 0 || map.type != GEO_MAP)
		return -EBADMSG;
	offset = map.next;
	for(size_t i = 0; i < map.size; i++) {
		uint64_t asn;

		if(geo_read_pair(&r, offset, &p) != 0)
			return -EBADMSG;
		rc = 0;
		if(geo_is_key(&p, "country") && p.value.type == GEO_MAP
				&& !(place->known & TG_GEO_KNOWS_COUNTRY))
			rc = read_country(&r, &p.value, place);
		else if(geo_is_key(&p, "registered_country") && p.value.type == GEO_MAP)
			registered = p.value;
		else if(geo_is_key(&p, "location") && p.value.type == GEO_MAP
				&& !(place->known & TG_GEO_KNOWS_POSITION))
			rc = read_location(&r, &p.value, place);
		else if(geo_is_key(&p, "autonomous_system_number")
				&& !(place->known & TG_GEO_KNOWS_ASN)
				&& geo_read_unsigned(&p.value, &asn) == 0 && asn > 0
				&& asn <= UINT32_MAX) {
			place->asn = (uint32_t)asn;
			place->known |= TG_GEO_KNOWS_ASN;
		}
		if(rc != 0 || geo_after_pair(&r, &p, &offset) != 0)
			return -EBADMSG;
	}
	/* Where the place is not known (satellite links, anycast): the country in
	 * which the network is registered. */
	if(registered.type == GEO_MAP && !(place->known & TG_GEO_KNOWS_COUNTRY))
		return read_country(&r, &registered, place);
	return 0;
}

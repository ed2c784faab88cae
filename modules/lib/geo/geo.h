/*
 * Where an address is: country, network (ASN) and position, from files in
 * MaxMind's DB format that the operator gives. No file, no fact: each fact is
 * known or not, and a file that cannot be used says why.
 *
 * A file is read into memory of our own and sealed there: whoever replaces or
 * truncates it later changes nothing here. To take a new one, open a new handle,
 * publish it, close the old one when no reader has it any more.
 *
 * Lookups: any number of threads and (after a fork) processes, wait-free, no
 * allocation, a bounded number of steps whatever the file holds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_GEO_H
#define TG_GEO_H

#include <stddef.h>
#include <stdint.h>

/* Larger files are refused: 1 GiB. */
#define TG_GEO_MAX_FILE ((size_t)1 << 30)

struct tg_geo;

enum tg_geo_file
{
	TG_GEO_CITY, /* a city or country file */
	TG_GEO_ASN,	 /* a network file */
	TG_GEO_FILES
};

/* What became of each file. */
struct tg_geo_status
{
	int result[TG_GEO_FILES];	  /* 0, -ENODATA (none was named), or why not:
								 -ENOENT ..., -EFBIG, -EBADMSG */
	char text[TG_GEO_FILES][160]; /* one line for an operator */
	uint64_t
			built[TG_GEO_FILES]; /* when its maker made it, UTC; 0 = not open */
};

/* Bits of tg_geo_place.known. */
enum tg_geo_known
{
	TG_GEO_KNOWS_COUNTRY = 1,
	TG_GEO_KNOWS_ASN = 2,
	TG_GEO_KNOWS_POSITION = 4,
	TG_GEO_KNOWS_RADIUS = 8
};

struct tg_geo_place
{
	uint32_t known;		/* only these fields mean anything; the others are 0 */
	uint32_t asn;		/* autonomous system number */
	double lat, lon;	/* degrees: -90 .. 90, -180 .. 180 */
	uint32_t radius_km; /* accuracy: the true place is probably inside */
	char country[2];	/* ISO 3166-1, upper case, no NUL */
};

/*
 * Opens what can be opened; NULL or "" names no file. For the process that
 * loads: reads whole files. A handle without any file is sound and knows
 * nothing.
 * 0, -ENOMEM (also for a file's bytes: nothing is open then). *status, which
 * is never NULL, tells of each file.
 */
int tg_geo_open(const char *city_path, const char *asn_path,
		struct tg_geo **geo, struct tg_geo_status *status);

/* NULL is allowed. */
void tg_geo_close(struct tg_geo *geo);

/* `address` in network order, IPv4 as ::ffff:a.b.c.d. Returns place->known; 0
 * for what the files do not hold, or hold damaged. */
uint32_t tg_geo_lookup(const struct tg_geo *geo, const uint8_t address[16],
		struct tg_geo_place *place);

/* Great-circle distance of two positions in degrees, by the haversine formula
 * on a sphere of 6371.0088 km: within 0.6 % of the ellipsoid's. */
double tg_geo_distance_km(double lat1, double lon1, double lat2, double lon2);

#endif

/*
 * Where an address is: country, network (ASN) and position, from files in
 * MaxMind's DB format that the operator provides. Each fact is known or not.
 * Without a file its facts are not known; for a file that cannot be used the
 * status says why.
 *
 * A file is copied into memory and sealed there: replacing or truncating it
 * later changes nothing here. To use a new file, open a new handle, publish it,
 * and close the old handle when no reader uses it any more.
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

/* The result for each file. */
struct tg_geo_status
{
	int result[TG_GEO_FILES];	  /* 0 open, -ENODATA (no file named), -ENOENT
								 ..., -EFBIG, -EBADMSG */
	char text[TG_GEO_FILES][160]; /* one line for an operator */
	uint64_t
			built[TG_GEO_FILES]; /* build time in the file, UTC; 0 = not open */
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
	uint32_t known;		/* only these facts are valid; other fields are 0 */
	uint32_t asn;		/* autonomous system number */
	double lat, lon;	/* degrees: -90 .. 90, -180 .. 180 */
	uint32_t radius_km; /* accuracy: the true place is probably inside */
	char country[2];	/* ISO 3166-1, upper case, no NUL */
};

/*
 * Opens the files that can be opened; NULL or "" names no file. For the loading
 * process: reads whole files. A handle without any file is valid and knows
 * nothing.
 * 0, -ENOMEM (also when a file does not fit in memory; nothing is open then).
 * *status (not NULL) has the result for each file.
 */
int tg_geo_open(const char *city_path, const char *asn_path,
		struct tg_geo **geo, struct tg_geo_status *status);

/* NULL is allowed. */
void tg_geo_close(struct tg_geo *geo);

/* `address` in network order, IPv4 as ::ffff:a.b.c.d. Returns place->known: 0
 * when the files do not contain the address or its record is damaged. */
uint32_t tg_geo_lookup(const struct tg_geo *geo, const uint8_t address[16],
		struct tg_geo_place *place);

/* Great-circle distance of two positions in degrees, by the haversine formula
 * on a sphere of 6371.0088 km: within 0.6 % of the ellipsoid's. */
double tg_geo_distance_km(double lat1, double lon1, double lat2, double lon2);

#endif

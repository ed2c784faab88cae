/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/geo/country.h"

#include "lib/geo/country_data.h"

#include <errno.h>
#include <string.h>

int tg_country_index_of(const char *digits, size_t len)
{
	uint16_t at = tg_country_root;

	for(size_t i = 0; i < len && at != 0 && !(at & TG_COUNTRY_DECIDED); i++) {
		unsigned d = (unsigned)(digits[i] - '0');

		if(d > 9)
			break;
		at = tg_country_nodes[at][1 + d];
	}
	if(at != 0 && !(at & TG_COUNTRY_DECIDED))
		at = tg_country_nodes[at][0];
	return at != 0 ? at & ~TG_COUNTRY_DECIDED : -ENOENT;
}

int tg_country_of(const char *digits, size_t len, char iso[3])
{
	int index = tg_country_index_of(digits, len);

	if(index < 0)
		return index;
	memcpy(iso, tg_country_table[index].iso, 3);
	return 0;
}

int tg_country_index(const char *iso)
{
	unsigned a = (unsigned)(iso[0] - 'A');
	unsigned b = a < 26 ? (unsigned)(iso[1] - 'A') : 26;

	if(b >= 26 || iso[2] != '\0' || tg_country_by_iso[a][b] == 0)
		return -ENOENT;
	return tg_country_by_iso[a][b] - 1;
}

const struct tg_country *tg_country_at(int index)
{
	return index >= 0 && index < TG_COUNTRIES ? &tg_country_table[index] : NULL;
}

const char *tg_country_iso(int index)
{
	const struct tg_country *country = tg_country_at(index);

	return country != NULL ? country->iso : NULL;
}

const struct tg_country *tg_country_find(const char *iso)
{
	return tg_country_at(tg_country_index(iso));
}

int tg_country_is_emergency(
		const struct tg_country *country, const char *number, size_t len)
{
	const char *at = country->emergency;

	while(*at != '\0') {
		size_t n = strcspn(at, ",");

		if(n == len && memcmp(at, number, len) == 0)
			return 1;
		at += n + (at[n] == ',');
	}
	return 0;
}

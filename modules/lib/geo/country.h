/*
 * Countries of the telephone network: whose an E.164 number is, and how one
 * dials there.
 *
 * Facts of libphonenumber, as tables in the program's text (country_data.c, see
 * modules/make/countries.py): no state, no allocation, no lock; every function
 * may be called from anywhere at any time.
 *
 * A country is named by its ISO 3166-1 alpha-2 code, with libphonenumber's AC
 * (Ascension), TA (Tristan da Cunha) and XK (Kosovo). Numbers of no country
 * carry codes that ISO leaves to its users:
 *   XG  global services: +800, +808, +878, +888, +979
 *   XS  satellites: +870, +881
 *   XN  networks of several countries: +882, +883
 * Places without a numbering plan of their own in libphonenumber (AQ, BV, GS,
 * HM, PN, TF, UM) are not known here; their numbers count as those of the
 * calling code's country.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_COUNTRY_H
#define TG_COUNTRY_H

#include <stddef.h>
#include <stdint.h>

/* Indices run from 0 to TG_COUNTRIES - 1. They hold for one build of the
 * program: keep or send the ISO code, never the index. */
#define TG_COUNTRIES 248

/* Lists are comma separated without spaces; in prefixes, an x is any digit. */
struct tg_country
{
	char iso[3];
	/* "1" .. "998"; "" for XG, XS and XN, which have several */
	char calling_code[4];
	/* What one dials before a foreign number: the preferred prefix, else all
	 * that there are; "" where none is known. */
	char intl_prefix[96];
	/* What one dials before a number of the country: the usual one first, then
	 * older ones and those with a carrier's selection code; "" where there is
	 * none (ES, DK; IT, whose 0 is part of the number). */
	char national_prefix[64];
	/* Fire, police, ambulance; "" where none is known (GN GQ IO TA TK). What
	 * mobiles call everywhere (112, 911) is here only where it is the
	 * country's own. */
	char emergency[72];
	/* Bit n: numbers of n digits exist, without calling code and prefix, of
	 * whatever kind; 0: not known (XG XS XN). */
	uint32_t national_lengths;
	/* Bit d: such numbers begin with digit d; 0: not known. */
	uint16_t national_first;
};

/*
 * The country of an E.164 number without '+', also of the beginning of one: as
 * many digits are looked at as it takes. Where countries share a calling code,
 * what is too short to tell, not assigned, or used by several of them alike
 * (+1 800; +44 7924, Isle of Man's and Great Britain's by the metadata) belongs
 * to the largest: US, GB, RU, IT, NO, AU ... Says nothing about whether the
 * number exists.
 * Its index, or -ENOENT (no country has that code; too short for a code; not a
 * digit where one is needed).
 */
int tg_country_index_of(const char *digits, size_t len);

/* The same as a code with its NUL. 0, -ENOENT (`iso` is untouched). */
int tg_country_of(const char *digits, size_t len, char iso[3]);

/* Index of a two-letter code, upper case, ended by NUL; -ENOENT when it is none.
 */
int tg_country_index(const char *iso);

/* The code of an index, static; NULL when out of range. */
const char *tg_country_iso(int index);

/* The row of an index or of a code, static; NULL when there is none. */
const struct tg_country *tg_country_at(int index);
const struct tg_country *tg_country_find(const char *iso);

/* 1 when `number`, as dialled, is one of the country's emergency numbers, else
 * 0. */
int tg_country_is_emergency(
		const struct tg_country *country, const char *number, size_t len);

#endif

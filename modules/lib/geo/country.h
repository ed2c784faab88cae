/*
 * Countries of the telephone network: to which country an E.164 number belongs,
 * and how numbers are dialled in that country.
 *
 * The facts are libphonenumber's, as constant tables (country_data.c, made by
 * modules/make/countries.py). No state, no allocation, no lock: any process may
 * call any function at any time.
 *
 * A country is named by its ISO 3166-1 alpha-2 code, with libphonenumber's AC
 * (Ascension), TA (Tristan da Cunha) and XK (Kosovo). Numbers that belong to no
 * country have codes that ISO leaves to its users:
 *   XG  global services: +800, +808, +878, +888, +979
 *   XS  satellites: +870, +881
 *   XN  networks of several countries: +882, +883
 * Places without their own numbering plan in libphonenumber (AQ, BV, GS, HM,
 * PN, TF, UM) are not known here. Their numbers count as numbers of the country
 * with that calling code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_COUNTRY_H
#define TG_COUNTRY_H

#include <stddef.h>
#include <stdint.h>

/* Indices run from 0 to TG_COUNTRIES - 1. They are valid for one build of the
 * program only: store or send the ISO code, never the index. */
#define TG_COUNTRIES 248

/* Lists are separated by commas, without spaces; an x in a prefix is any
 * digit. */
struct tg_country
{
	char iso[3];
	/* "1" .. "998"; "" for XG, XS and XN, which have several */
	char calling_code[4];
	/* The international prefix, dialled before a foreign number: the preferred
	 * one, else all that exist; "" where none is known. */
	char intl_prefix[96];
	/* The national prefix, dialled before a number of the country: the usual
	 * one first, then older ones and those with a carrier selection code; ""
	 * where there is none (ES, DK; IT, where the 0 is part of the number). */
	char national_prefix[64];
	/* Fire, police, ambulance; "" where none is known (GN GQ IO TA TK). The
	 * numbers that mobiles can call everywhere (112, 911) are listed only where
	 * they are the country's own. */
	char emergency[72];
	/* Bit n: numbers of any kind with n digits exist, without calling code and
	 * prefix; 0: not known (XG XS XN). */
	uint32_t national_lengths;
	/* Bit d: such numbers begin with digit d; 0: not known. */
	uint16_t national_first;
};

/*
 * The index of the country of an E.164 number without '+', also of the first
 * digits of a number. Where countries share a calling code, a number goes to
 * the largest of them (US, GB, RU, IT, NO, AU ...) if it is too short to tell,
 * not assigned, or used by several of them (+1 800; +44 7924, which the
 * metadata gives to Isle of Man and to Great Britain). The result does not say
 * whether the number exists.
 * Returns the index, or -ENOENT (no country has that code; too short for a
 * code; not a digit where one is needed).
 */
int tg_country_index_of(const char *digits, size_t len);

/* As tg_country_index_of, but gives the ISO code with its NUL. 0, -ENOENT
 * (`iso` is untouched). */
int tg_country_of(const char *digits, size_t len, char iso[3]);

/* Index of a two-letter code, upper case, with NUL; -ENOENT when it is no code.
 *
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

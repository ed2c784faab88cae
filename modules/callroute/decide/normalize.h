/*
 * What somebody dialled -> an E.164 number, by the dialling rules of the account.
 * Pure: no allocation, no state, time bounded by CALLROUTE_DIALLED_MAX.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_NORMALIZE_H
#define CALLROUTE_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

#define CALLROUTE_DIALLED_MAX \
	128							 /* characters looked at, parameters included */
#define CALLROUTE_E164_MAX 15	 /* digits */
#define CALLROUTE_SERVICE_MAX 32 /* symbols of a service code */

/*
 * The account's rules. Prefixes are lists, comma separated without spaces; an x
 * is any digit ("0,0xx": with and without a carrier's selection code). The
 * columns calling_code, intl_prefix and national_prefix of an account as they
 * are; or what a country has, by callroute_dialling_of.
 */
struct callroute_dialling
{
	/* "49"; "": the account dials E.164 without '+': whatever has no intl_prefix
	 * is taken as it is, and there is no national_prefix. */
	char calling_code[4];
	char intl_prefix[96];	  /* "00"; the first that fits is taken */
	char national_prefix[64]; /* "0"; "": the country has none */
	/* Bit n: national numbers of n digits exist, without prefix and calling
	 * code; 0: not known, every length will do. */
	uint32_t national_lengths;
	/* Bit d: they begin with digit d; 0: not known, with any. */
	uint16_t national_first;
};

/* The country's rules ("DE"). 0, -ENOENT (no such country, or one without
 * rules: satellites and the like; `d` is untouched). */
int callroute_dialling_of(const char *iso, struct callroute_dialling *d);

/* Whether prefix lists and calling code, as an operator wrote them, hold what
 * they may: 0, or -EINVAL with the bad text in *bad (NULL when all is well). To
 * be called before callroute_normalize, which takes it for granted. */
int callroute_dialling_check(
		const struct callroute_dialling *d, const char **bad);

/*
 * Writes the number's digits, without '+', and a NUL; returns how many. In this
 * order:
 *
 * 1. What follows a ';' is not the number's (RFC 3966: ext, isub, rn, ...), but
 *    see -ENOTSUP. The separators - . ( ) and space are dropped (5.1.1).
 * 2. Holds it a * or #: a service code, returned as it is. The caller tells it
 *    by its symbols; no country has it.
 * 3. '+', or one of intl_prefix: E.164 follows, nothing else is taken off (AU:
 *    0011 is no 0 and 011).
 * 4. One of national_prefix, the first that leaves a possible number (by
 *    national_lengths and national_first): taken off, calling_code goes before
 *    the rest. In BR, 0 11 23456789 has the prefix 0 and 0 15 11 23456789 has
 *    015, which selects carrier 15: the carrier is dropped, the trunks are ours.
 * 5. Possible as it is: a national number without its prefix. Therefore a number
 *    that might be both a national one and E.164 without '+' is the national one
 *    (DE: 4930123456 becomes +49 4930123456). Who sends E.164 without '+' needs
 *    calling_code "".
 * 6. Begins with calling_code and leaves a possible number: it is E.164 without
 *    '+' (RU: 74951234567 has 11 digits, national numbers have 10).
 * 7. Of a length between the shortest and the longest possible one, whatever it
 *    begins with (the country has new numbers, the metadata are old): as 4; as 5
 *    if it does not begin with a national prefix.
 *
 * In the country's own network a short number is none of E.164: emergency
 * numbers (tg_country_is_emergency), 118xx, and local numbers without area code
 * are refused where national_lengths says so; ask for emergencies first. No area
 * code, no caller's-number code (AU 1831) and no mobile code (AR 15) is put in or
 * taken out: a guess would ring at somebody else's.
 *
 * -EINVAL    not a number: letters, other characters, a '+' that is not first,
 *            no digit at all; a user part's %23 is for the caller to unescape
 * -EDOM      not a possible number here: too short, too long for the country,
 *            a calling code that begins with 0, a "(0)" in an international
 *            number (it is dialled in some countries and not in others)
 * -EMSGSIZE  too long for E.164, for a service code, or for looking at it
 * -ENOTSUP   a local number of another place: its phone-context is neither the
 *            account's calling code (+49, +4930 for "49") nor a domain
 * -ENOSPC    `size` is too small; CALLROUTE_SERVICE_MAX + 1 is always enough
 * In these cases `out` holds "", if `size` > 0.
 */
int callroute_normalize(const struct callroute_dialling *d, const char *dialled,
		size_t len, char *out, size_t size);

/* A word for a negative result, static: not_a_number, not_possible, too_long,
 * other_context, no_space; "unknown" for any other. */
const char *callroute_normalize_reason(int rc);

#endif

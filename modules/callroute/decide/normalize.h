/*
 * From a dialled number to an E.164 number, by the account's dialling rules.
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
 * The account's dialling rules. Prefixes are lists, separated by commas without
 * spaces; an x is any digit ("0,0xx": without and with a carrier selection
 * code). The rules are the columns calling_code, intl_prefix and
 * national_prefix of an account, or those of a country by
 * callroute_dialling_of.
 */
struct callroute_dialling
{
	/* "49". "" means that the account dials E.164 without '+': a number without
	 * intl_prefix is taken as it is, and there is no national_prefix. */
	char calling_code[4];
	char intl_prefix[96];	  /* "00"; the first that fits is used */
	char national_prefix[64]; /* "0"; "": the country has none */
	/* Bit n: national numbers of n digits exist, without prefix and calling
	 * code. 0: not known, every length is possible. */
	uint32_t national_lengths;
	/* Bit d: national numbers begin with digit d. 0: not known, any digit. */
	uint16_t national_first;
};

/* Gives the rules of a country ("DE"). 0, -ENOENT (no such country, or one
 * without rules, such as satellites; `d` is untouched). */
int callroute_dialling_of(const char *iso, struct callroute_dialling *d);

/* Checks the prefix lists and the calling code that an operator wrote. 0, or
 * -EINVAL with the bad text in *bad (NULL on 0). Call this before
 * callroute_normalize, which does not check them. */
int callroute_dialling_check(
		const struct callroute_dialling *d, const char **bad);

/*
 * Writes the number's digits, without '+', and a NUL; returns how many. The
 * steps, in this order:
 *
 * 1. Parameters after a ';' are dropped (RFC 3966: ext, isub, rn, ...), but see
 *    -ENOTSUP. The separators - . ( ) and space are dropped (5.1.1).
 * 2. A number with a * or # is a service code and returned as it is. The caller
 *    recognises it by these symbols; it belongs to no country.
 * 3. '+', or one of intl_prefix: the rest is E.164. Nothing else is taken off
 *    (AU: 0011 is not 0 and 011).
 * 4. One of national_prefix, the first that leaves a possible number (by
 *    national_lengths and national_first): it is replaced by calling_code. In
 *    BR, 0 11 23456789 has the prefix 0, and 0 15 11 23456789 has the prefix
 *    015, which selects carrier 15. The carrier code is dropped, because the
 *    trunk is chosen here.
 * 5. A possible national number as it is: calling_code is put before it. So a
 *    number that can be both a national number and E.164 without '+' is taken
 *    as the national one (DE: 4930123456 becomes +49 4930123456). An account
 *    that sends E.164 without '+' needs calling_code "".
 * 6. calling_code and a possible number after it: E.164 without '+' (RU:
 *    74951234567 has 11 digits, national numbers have 10).
 * 7. A number whose length lies between the shortest and the longest possible
 *    one, whatever its first digit (for new numbers that the metadata do not
 *    have yet): as step 4, or as step 5 if it has no national prefix.
 *
 * Short numbers within a country are not E.164: emergency numbers
 * (tg_country_is_emergency), 118xx, and local numbers without area code are
 * refused where national_lengths excludes them. So check for emergency numbers
 * first. No area code, CLI code (AU 1831) or mobile code (AR 15) is added or
 * removed: a wrong guess would reach another subscriber.
 *
 * -EINVAL    not a number: letters, other characters, a '+' that is not first,
 *            no digit at all; the caller must unescape a %23 of the user part
 * -EDOM      not a possible number here: too short, too long for the country,
 *            a calling code that begins with 0, a "(0)" in an international
 *            number (some countries dial this 0, others do not)
 * -EMSGSIZE  too long for E.164 or a service code, or above
 *            CALLROUTE_DIALLED_MAX
 * -ENOTSUP   a local number of another place: its phone-context is neither the
 *            account's calling code (+49, +4930 for "49") nor a domain
 * -ENOSPC    `size` is too small; CALLROUTE_SERVICE_MAX + 1 is always enough
 * On an error `out` is "", if `size` > 0.
 */
int callroute_normalize(const struct callroute_dialling *d, const char *dialled,
		size_t len, char *out, size_t size);

/* A static word for a negative result: not_a_number, not_possible, too_long,
 * other_context, no_space; "unknown" for any other result. */
const char *callroute_normalize_reason(int rc);

#endif

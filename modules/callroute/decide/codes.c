/*
 * Texts of the tables other than names: reply codes, packed digits, and the
 * request URI from a trunk's columns and a number.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int callroute_parse_codes(
		const char *text, struct callroute_codes *out, const char **bad)
{
	memset(out, 0, sizeof *out);
	for(;;) {
		int off = 0, lo, hi;

		while(*text == ' ' || *text == ',')
			text++;
		if(*text == '\0')
			return 0;
		if(bad)
			*bad = text;
		off = *text == '!';
		text += off;
		if(text[0] < '3' || text[0] > '6')
			return -EINVAL;
		lo = hi = (text[0] - '0') * 100;
		if(text[1] == 'x' && text[2] == 'x') {
			hi += 99;
		} else if(text[1] >= '0' && text[1] <= '9' && text[2] >= '0'
				  && text[2] <= '9') {
			lo = hi += (text[1] - '0') * 10 + text[2] - '0';
		} else {
			return -EINVAL;
		}
		text += 3;
		if(*text != '\0' && *text != ',' && *text != ' ')
			return -EINVAL;
		for(int code = lo - 300; code <= hi - 300; code++) {
			uint64_t bit = 1ULL << (code & 63);

			if(off)
				out->bits[code >> 6] &= ~bit;
			else
				out->bits[code >> 6] |= bit;
		}
	}
}

int callroute_has_code(const struct callroute_codes *codes, int reply)
{
	if(reply < 300 || reply > 699)
		return 0;
	reply -= 300;
	return (codes->bits[reply >> 6] >> (reply & 63)) & 1;
}

enum callroute_follow callroute_follows(
		const struct callroute_trunk *t, int reply)
{
	int listed = callroute_has_code(&t->failover, reply);

	if(t->failover_action == CALLROUTE_STOP)
		return listed ? CALLROUTE_FOLLOW_END : CALLROUTE_FOLLOW_NEXT;
	if(!listed)
		return CALLROUTE_FOLLOW_END;
	return t->failover_action == CALLROUTE_OTHER_CARRIER
				   ? CALLROUTE_FOLLOW_OTHER_CARRIER
				   : CALLROUTE_FOLLOW_NEXT;
}

uint64_t callroute_pack_digits(const char *digits, size_t len)
{
	uint64_t packed = len;

	if(len < 1 || len > 15)
		return 0;
	for(size_t i = 0; i < len; i++) {
		if(digits[i] < '0' || digits[i] > '9')
			return 0;
		packed |= (uint64_t)(digits[i] - '0') << (60 - 4 * i);
	}
	return packed;
}

size_t callroute_unpack_digits(uint64_t packed, char out[16])
{
	size_t len = packed & 15;

	for(size_t i = 0; i < len; i++)
		out[i] = (char)('0' + (packed >> (60 - 4 * i) & 15));
	out[len] = '\0';
	return len;
}

/* Adds symbols to a user part, in which '#' must be escaped (RFC 3261, 25.1).
 * Returns the new length, also when not all symbols fit. */
static size_t add_user(
		char *out, size_t size, size_t n, const char *s, size_t len)
{
	for(size_t i = 0; i < len; i++) {
		const char *symbol = s[i] == '#' ? "%23" : &s[i];
		size_t bytes = s[i] == '#' ? 3 : 1;

		if(n + bytes <= size)
			memcpy(out + n, symbol, bytes);
		n += bytes;
	}
	return n;
}

int callroute_make_uri(const struct callroute_trunk *t, const char *number,
		size_t len, char *out, size_t size)
{
	char rewritten[CALLROUTE_NUMBER_MAX + 17], user[CALLROUTE_REQUEST_URI_MAX];
	const char *host = strchr(t->uri, ':');
	int made = callroute_rewrite_apply(
			&t->dst_rewrite, number, len, rewritten, sizeof rewritten);
	size_t n, strip;

	if(host == NULL || made < 0)
		return -EINVAL;
	len = (size_t)made;
	strip = t->strip < len ? t->strip : len;
	n = add_user(user, sizeof user, 0, t->prefix, strlen(t->prefix));
	n = add_user(user, sizeof user, n, rewritten + strip, len - strip);
	if(n == 0)
		return -EINVAL;
	if(n > sizeof user)
		return -ENOSPC;
	made = snprintf(out, size, "%.*s:%.*s@%s", (int)(host - t->uri), t->uri,
			(int)n, user, host + 1);
	return made < 0 || (size_t)made >= size ? -ENOSPC : made;
}

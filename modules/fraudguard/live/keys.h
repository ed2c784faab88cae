/*
 * Text keys: the names under which sources and accounts are counted and banned.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_LIVE_KEYS_H
#define FRAUDGUARD_LIVE_KEYS_H

#include "fraudguard/live/tables.h"

/* A network; IPv4 as ::ffff:a.b.c.d. */
struct fraudguard_net
{
	uint8_t addr[16];
	uint8_t bits; /* 0 .. 128 */
};

/* "192.0.2.0/24", "2001:db8::1". 0, -EINVAL. */
int fraudguard_parse_net(const char *text, struct fraudguard_net *out);

/* Text keys: "ip:192.0.2.1" (IPv6 counts by its /64: "ip:2001:db8::/64"),
 * "account:alice". */
void fraudguard_source_key(
		const uint8_t addr[16], char out[FRAUDGUARD_KEY_MAX]);

/* Gives the key of an address, or of an IPv6 /64, that a person wrote. 0,
 * -EINVAL (no address, or another network than a /64). */
int fraudguard_address_key(const char *text, char out[FRAUDGUARD_KEY_MAX]);

/* Turns a key that a person wrote into the key under which requests are
 * counted. 0, -EINVAL (no such kind of key, or a key under which nothing is
 * counted). */
int fraudguard_normal_key(const char *key, char out[FRAUDGUARD_KEY_MAX]);

static inline int fraudguard_key_is_source(const char *key)
{
	return key[0] == 'i';
}

#endif

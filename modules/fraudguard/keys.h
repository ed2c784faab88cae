/*
 * Text keys: under which name a source or an account is counted and banned.
 * Internal to the policy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KEYS_H
#define FRAUDGUARD_KEYS_H

#include "fraudguard/fraudguard.h"

/* The key of an address, or of an IPv6 /64, as a person writes it.
 * 0, -EINVAL (no address, or another network than a /64). */
int fraudguard_address_key(const char *text, char out[FRAUDGUARD_KEY_MAX]);

/* The key that requests are counted under, from one that a person wrote.
 * 0, -EINVAL (no such kind of key, or nobody could be counted under it). */
int fraudguard_normal_key(const char *key, char out[FRAUDGUARD_KEY_MAX]);

static inline int fraudguard_key_is_source(const char *key)
{
	return key[0] == 'i';
}

#endif

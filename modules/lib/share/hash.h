/*
 * Keyed hashing. Attackers choose what the tables are indexed by (IP addresses,
 * user names, Call-IDs), so every table uses SipHash with a secret key drawn at
 * start.
 * Source: Aumasson, Bernstein: "SipHash: a fast short-input PRF" (2012);
 * SipHash-1-3 for tables, SipHash-2-4 for values that leave the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_HASH_H
#define TG_HASH_H

#include <stddef.h>
#include <stdint.h>

struct tg_hashkey
{
	uint64_t k0, k1;
};

/* Fills the key from the system's random source. 0 or a negative errno. */
int tg_hashkey_random(struct tg_hashkey *key);

/* 64-bit keyed hash of `len` bytes; `data` may be NULL when len is 0. */
uint64_t tg_siphash13(
		const struct tg_hashkey *key, const void *data, size_t len);
uint64_t tg_siphash24(
		const struct tg_hashkey *key, const void *data, size_t len);

/* Hash of (space, data). The space keeps several kinds of keys (rule numbers,
 * address prefixes, AoRs) apart in one table. Never returns 0, so that 0 can
 * mean "empty" in the tables. */
uint64_t tg_hash_id(const struct tg_hashkey *key, uint32_t space,
		const void *data, size_t len);

#endif

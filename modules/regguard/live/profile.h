/*
 * What is normal for one AoR: its devices and its networks, learned from
 * accepted and saved registrations. A record of the profile store.
 *
 * Memory: sizeof(struct regguard_profile) a known AoR (asserted <= 700 bytes);
 * an AoR that never registered has no record.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_PROFILE_H
#define REGGUARD_PROFILE_H

#include <stdint.h>

#define REGGUARD_DEVICES 8
#define REGGUARD_NETWORKS 8

/* Fingerprint of a user agent: hashes, 0 = absent. This is what an attacker
 * must copy. */
struct regguard_device
{
	uint32_t agent;	   /* User-Agent without its version */
	uint32_t headers;  /* order of the header fields */
	uint32_t caps;	   /* Allow, Supported */
	uint32_t shape;	   /* Via and Contact parameters, form of the Call-ID */
	uint64_t instance; /* +sip.instance (RFC 5626) */
};

/* /24 of IPv4 (as ::ffff:a.b.c.0, the first 15 bytes) or /64 of IPv6 (the first
 * 8 bytes). */
struct regguard_network
{
	uint8_t prefix[16];
};

struct regguard_known_device
{
	struct regguard_device device;
	uint32_t contact;	 /* folded hash of its binding, 0 = none */
	uint32_t callid;	 /* folded hash of the Call-ID that made the binding */
	uint64_t live_until; /* monotonic us: end of its binding */
	uint32_t last_seen;	 /* seconds of monotonic time */
};

struct regguard_known_network
{
	struct regguard_network network;
	uint32_t last_seen;
};

struct regguard_profile
{
	char aor[96];		 /* for the operator; may be cut */
	uint32_t first_seen; /* seconds of monotonic time */
	uint32_t accepted;	 /* registrations learned from */
	struct regguard_known_device devices[REGGUARD_DEVICES];
	struct regguard_known_network networks[REGGUARD_NETWORKS];
};

_Static_assert(sizeof(struct regguard_profile) <= 700, "budget of an AoR");

/* Folds a 64-bit hash to 32 bits, never 0. */
static inline uint32_t regguard_fold(uint64_t hash)
{
	uint32_t h = (uint32_t)(hash ^ hash >> 32);

	return h ? h : 1;
}

struct regguard_network regguard_network_of(const uint8_t addr[16]);

/* The known device that fits this fingerprint, NULL for a new device. Both have
 * the same program name, agree in most of the rest, and never have two
 * different instances. */
struct regguard_known_device *regguard_find_device(
		struct regguard_profile *p, const struct regguard_device *d);
struct regguard_known_network *regguard_find_network(
		struct regguard_profile *p, const struct regguard_network *n);

/* Whether any known device has a live binding. */
int regguard_owner_is_alive(const struct regguard_profile *p, uint64_t now);

/* Adds device and network, or refreshes them. In a full profile they replace
 * the ones not seen for longest. Returns the device's place. */
struct regguard_known_device *regguard_learn(struct regguard_profile *p,
		const struct regguard_device *d, const struct regguard_network *n,
		uint64_t now);

#endif

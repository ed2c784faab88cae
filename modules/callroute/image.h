/*
 * The routing data as one immutable, position-independent image: what the
 * keeper builds from the tables and the workers read inside a snapshot.
 *
 *   head | trunks (by id) | plans (by name) | entries (by plan) |
 *        | groups | rates (by prefix, deck) | trie
 *
 * The trie is the union of all decks: its value is a group, a group is the
 * span of rates of one prefix, sorted by deck. So one walk over the number
 * serves every vendor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_IMAGE_H
#define CALLROUTE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define CALLROUTE_NAME_MAX 65 /* names of trunks, plans, with the NUL */
#define CALLROUTE_URI_MAX 256
#define CALLROUTE_PREFIX_MAX 33 /* digits put in front of a number */

enum callroute_trunk_state
{
	CALLROUTE_UP,	 /* takes calls */
	CALLROUTE_DRAIN, /* takes no new calls, by the operator's will */
	CALLROUTE_DOWN
};

enum callroute_media
{
	CALLROUTE_RTP,
	CALLROUTE_SDES,
	CALLROUTE_DTLS
};

enum callroute_order
{
	CALLROUTE_BY_PRICE,
	CALLROUTE_BY_PRIORITY
};

/* Reply codes 300 .. 699 on which a trunk's call goes on to the next one. */
struct callroute_codes
{
	uint64_t bits[7];
};

struct callroute_trunk
{
	uint32_t id;   /* callroute_trunk.id: stable across reloads */
	uint8_t state; /* enum callroute_trunk_state, the carrier's included */
	uint8_t media; /* enum callroute_media */
	uint8_t strip; /* leading digits taken off the number */
	char name[CALLROUTE_NAME_MAX];
	char carrier[CALLROUTE_NAME_MAX]; /* empty when it has none */
	char uri[CALLROUTE_URI_MAX]; /* sip:host[:port][;params], no user part */
	char socket[CALLROUTE_NAME_MAX];   /* proto:host:port; empty = Kamailio's */
	char prefix[CALLROUTE_PREFIX_MAX]; /* put in front after the strip */
	uint32_t try_timeout_ms;  /* to a provisional reply; 0 = tm's own */
	uint32_t ring_timeout_ms; /* to the final reply; 0 = tm's own */
	struct callroute_codes failover;
};

struct callroute_plan
{
	char name[CALLROUTE_NAME_MAX];
	uint32_t first, count; /* span of entries */
	uint8_t order;		   /* enum callroute_order */
	uint8_t max_attempts;  /* 1 .. CALLROUTE_CANDIDATES */
};

/* One vendor of a plan: this trunk at the prices of this deck. */
struct callroute_entry
{
	uint32_t trunk; /* index into trunks */
	uint32_t deck;
	uint16_t priority; /* lower is tried first */
	uint16_t weight;   /* share among equals, 0 = only when the others fail */
};

struct callroute_rate
{
	int64_t price;					/* micro-units a minute */
	int64_t valid_from, valid_till; /* UTC seconds; [from, till) */
	uint32_t deck;
	uint8_t blocked; /* the vendor is not to be used for this prefix */
};

struct callroute_group
{
	uint32_t first, count; /* span of rates */
};

struct callroute_image
{
	uint64_t magic;
	uint64_t bytes;	   /* of the whole image */
	int64_t loaded_at; /* UTC seconds */
	uint32_t trunks, plans, entries, groups, rates;
	/* Offsets from the image's start; 8-byte aligned. */
	uint64_t trunks_at, plans_at, entries_at, groups_at, rates_at, trie_at;
};

#define CALLROUTE_IMAGE_MAGIC 0x3165747561726c63ULL

/* Address of a part: CALLROUTE_PART(image, struct callroute_trunk, trunks_at). */
#define CALLROUTE_PART(image, type, at) \
	((const type *)((const char *)(image) + (image)->at))

#endif

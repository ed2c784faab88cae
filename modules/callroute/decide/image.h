/*
 * The routing data as one immutable, position-independent image: what the
 * keeper builds from the tables and the workers read inside a snapshot.
 *
 *   head | tables, in sequence | rates | terms | tries | calendars | texts
 *
 * Rates: the trie `rate_trie` has the prefixes of all decks. Its value is a
 * group: the span of rates of one prefix, sorted by deck. So one walk over the
 * number finds the rates of every vendor and the selling price. Dates, fees and
 * source prefix, which many rates share, are stored once, in `terms`.
 * Memory: 12 B a rate, and for each distinct prefix 4 B and 7 to 10 B of the
 * trie.
 *
 * References between tables are indexes, resolved at load; CALLROUTE_NONE where
 * there is none. Database ids are kept where live state refers to them, because
 * ids stay the same after a reload. Texts are offsets into `texts`,
 * NUL-terminated; offset 0 is the empty text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_IMAGE_H
#define CALLROUTE_IMAGE_H

#include "callroute/live/breaker.h"
#include "callroute/decide/normalize.h"
#include "callroute/decide/rewrite.h"

#include <stddef.h>
#include <stdint.h>

#define CALLROUTE_NAME_MAX 65 /* names of trunks, plans, with the NUL */
#define CALLROUTE_URI_MAX 256
#define CALLROUTE_CODECS_MAX 129 /* a trunk's list of codecs */
#define CALLROUTE_PREFIX_MAX 33	 /* digits put before a number */
#define CALLROUTE_NONE UINT32_MAX
#define CALLROUTE_ALL_COUNTRIES 0 /* the first set: all countries */

enum callroute_trunk_state
{
	CALLROUTE_UP,	 /* takes calls */
	CALLROUTE_DRAIN, /* takes no new calls, set by the operator */
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
	CALLROUTE_BY_QUALITY,
	CALLROUTE_BY_PRIORITY
};

/* What happens to the identity headers (RFC 3325, RFC 3323). Of account and
 * trunk, the greater value is used. */
enum callroute_cli
{
	CALLROUTE_CLI_PASS,
	CALLROUTE_CLI_ASSERT,
	CALLROUTE_CLI_HIDE,
	CALLROUTE_CLI_STRIP
};

enum callroute_failover_action
{
	CALLROUTE_NEXT,			 /* after these codes try the next trunk */
	CALLROUTE_OTHER_CARRIER, /* ... the next of another carrier */
	CALLROUTE_STOP			 /* end after these codes, else try the next */
};

/* Reply codes 300 .. 699. */
struct callroute_codes
{
	uint64_t bits[7];
};

struct callroute_carrier
{
	uint32_t id;
	uint32_t max_channels, max_cps; /* 0 = no limit */
	uint8_t enabled;
	char name[CALLROUTE_NAME_MAX];
};

struct callroute_trunk
{
	uint32_t id;	  /* callroute_trunk.id: stable across reloads */
	uint32_t live;	  /* its slot in the live state */
	uint32_t carrier; /* index */
	uint8_t state;	  /* enum callroute_trunk_state, from the table */
	uint8_t media;	  /* enum callroute_media */
	uint8_t strip;	  /* leading digits taken off the number */
	uint8_t cli;	  /* enum callroute_cli */
	uint8_t failover_action;
	uint8_t has_breaker;
	uint8_t down_after, up_after;	/* probes in a row */
	uint32_t probe_interval;		/* seconds, 0 = not probed */
	uint32_t max_channels, max_cps; /* 0 = no limit */
	uint32_t try_timeout_ms;		/* to a provisional reply; 0 = tm's own */
	uint32_t ring_timeout_ms;		/* to the final reply; 0 = tm's own */
	uint32_t codecs;				/* text */
	struct callroute_codes failover;
	struct callroute_codes breaker_codes;
	struct callroute_breaker_config breaker;
	struct callroute_rewrite dst_rewrite, src_rewrite;
	char name[CALLROUTE_NAME_MAX];
	char uri[CALLROUTE_URI_MAX]; /* sip:host[:port][;params], no user part */
	char socket[CALLROUTE_NAME_MAX];   /* proto:host:port; empty = Kamailio's */
	char prefix[CALLROUTE_PREFIX_MAX]; /* put before the number after strip */
};

/* The addresses of trunks whose URI has one, sorted by (address, port, trunk).
 * IPv4 is mapped into ::ffff:0:0/96. */
struct callroute_addr
{
	uint8_t addr[16];
	uint32_t port; /* of the URI, else the transport's default */
	uint32_t trunk;
};

struct callroute_plan
{
	uint32_t id;
	uint32_t first, count;	/* span of entries */
	uint32_t sell_deck;		/* index of a deck */
	int64_t min_margin;		/* micro-units a minute */
	int32_t min_margin_pct; /* per cent of the selling price */
	uint32_t tenant;		/* text */
	uint8_t order;			/* enum callroute_order */
	uint8_t max_attempts;	/* 1 .. CALLROUTE_CANDIDATES */
	uint8_t use_lnp;
	uint8_t looks_at_margin; /* a trunk without a price is left out */
	char name[CALLROUTE_NAME_MAX];
};

/* One vendor of a plan: this trunk at the prices of this deck. A plan's entries
 * are sorted by deck. Entries with a disabled deck are left out and give no
 * vendor. */
struct callroute_entry
{
	uint32_t trunk, deck;				   /* indexes */
	uint32_t time;						   /* index of a calendar */
	uint32_t src_countries, dst_countries; /* indexes of sets */
	uint16_t priority;					   /* lower is tried first */
	uint16_t weight; /* share among equals; 0 = only after the others failed */
};

/* Bit n: the country with index n - 1 (lib/geo/country.h); bit 0: no
 * country. */
struct callroute_countries
{
	uint64_t bits[5];
};

struct callroute_deck
{
	int64_t fx; /* millionths; 0 = not converted */
	uint32_t id;
	uint8_t enabled; /* 0: its rates were not loaded */
	uint8_t sells;
	char currency[4];
	char name[CALLROUTE_NAME_MAX];
};

/* The price has 40 bits: up to a million of the currency's units a minute. A
 * price converted by the deck's fx is rounded to the nearest micro-unit, halves
 * up. */
struct callroute_rate
{
	uint32_t price_low; /* micro-units a minute, converted by the deck's fx */
	uint8_t price_high;
	uint8_t blocked; /* do not use the vendor for this prefix */
	uint16_t deck;	 /* index */
	uint32_t terms;	 /* index */
};

#define CALLROUTE_PRICE_MAX ((INT64_C(1) << 40) - 1)

static inline int64_t callroute_rate_price(const struct callroute_rate *r)
{
	return (int64_t)r->price_high << 32 | r->price_low;
}

struct callroute_terms
{
	int64_t valid_from, valid_till; /* UTC seconds; [from, till) */
	int64_t connect_fee;			/* micro-units */
	uint16_t first_sec, step_sec;
	uint8_t src_len;
	uint8_t spare[3];	 /* 0: terms are compared as bytes */
	char src_prefix[32]; /* digits; src_len of them */
};

enum callroute_match_type
{
	CALLROUTE_USER,
	CALLROUTE_IP,
	CALLROUTE_TRUNK,
	CALLROUTE_DOMAIN
};

/* account_names are sorted by (match_type, value). Accounts by address are in
 * nets too. */
struct callroute_account
{
	uint32_t id;
	uint32_t plan;
	uint32_t tenant, value; /* texts */
	uint32_t max_channels, max_cps;
	uint8_t match_type; /* enum callroute_match_type */
	uint8_t cli;		/* enum callroute_cli */
	uint8_t enabled;
	char country[3]; /* ISO 3166; empty = numbers are E.164 already */
	struct callroute_dialling dialling;
};

/* Networks of accounts, sorted by (bits descending, address): the first one
 * that contains an address is the longest. IPv4 is mapped into
 * ::ffff:0:0/96. */
struct callroute_net
{
	uint8_t addr[16];
	uint32_t bits;
	uint32_t account;
};

enum callroute_action
{
	CALLROUTE_ROUTE,
	CALLROUTE_BLOCK,
	CALLROUTE_REDIRECT,
	CALLROUTE_EMERGENCY
};

/* The rules of one prefix are a span, which rule_trie gives, sorted by (plan,
 * priority, src_prefix from long to short, id). */
struct callroute_rule
{
	uint32_t id, plan, time;
	uint32_t target; /* redirect: text; else index of the first target */
	uint16_t priority;
	uint8_t targets; /* how many */
	uint8_t action;	 /* enum callroute_action */
	uint8_t stop;
	uint8_t src_len;
	char src_prefix[32];
};

/* A barred number or prefix, for one plan or (CALLROUTE_NONE) all plans.
 * block_dst_trie and block_src_trie give spans of these. */
struct callroute_block
{
	uint32_t id, plan;
};

struct callroute_span
{
	uint32_t first, count;
};

/* 1 .. 15 digits packed into one integer, for fast comparison: 4 bits a digit
 * from the top, the length in the lowest 4 bits. */
struct callroute_ported
{
	uint64_t number, routing_number;
};

enum callroute_target_type
{
	CALLROUTE_TO_USER,
	CALLROUTE_TO_URI,
	CALLROUTE_TO_GROUP,
	CALLROUTE_TO_NUMBER,
	CALLROUTE_TO_REJECT
};

/* Sorted by (number, priority, id). */
struct callroute_did
{
	uint32_t id;
	uint32_t number, tenant, target; /* texts */
	uint32_t time;
	uint32_t group; /* index, if the target is a group */
	uint16_t priority;
	uint8_t type; /* enum callroute_target_type */
};

enum callroute_strategy
{
	CALLROUTE_PARALLEL,
	CALLROUTE_SERIAL,
	CALLROUTE_WEIGHTED
};

struct callroute_group
{
	uint32_t first, count; /* span of members, sorted by priority, id */
	uint32_t name, tenant; /* texts */
	uint8_t strategy;
};

struct callroute_member
{
	uint32_t id;
	uint32_t uri; /* text */
	uint32_t time;
	uint32_t ring_timeout_ms;
	uint16_t priority, weight;
};

struct callroute_table
{
	uint64_t at; /* offset from the image's start; 8-byte aligned */
	uint64_t count;
};

struct callroute_image
{
	uint64_t magic;
	uint64_t bytes;			/* of the whole image */
	int64_t loaded_at;		/* UTC seconds */
	int64_t calendars_till; /* end of the calendars' horizon */

	/* Rows by id; the *_names are their indexes (uint32_t) by name. */
	struct callroute_table carriers, trunks, trunk_names, addrs;
	struct callroute_table plans, plan_names;
	struct callroute_table entries, countries, decks;
	struct callroute_table accounts, account_names /* by what they match */,
			nets;
	struct callroute_table rules, rule_spans, targets; /* uint32_t trunks */
	struct callroute_table blocks, block_dst_spans, block_src_spans;
	struct callroute_table dids, groups, group_names, members;
	struct callroute_table ported;
	struct callroute_table rates, terms;
	/* uint32_t: the first rate of each distinct prefix, and the end of the
	 * last. */
	struct callroute_table rate_groups;
	struct callroute_table times; /* uint64_t: offset of each calendar */
	struct callroute_table texts; /* char */
	/* count = bytes */
	struct callroute_table rate_trie, rule_trie, block_dst_trie, block_src_trie;
};

#define CALLROUTE_IMAGE_MAGIC 0x3265747561726c63ULL

/* The rows of a table: CALLROUTE_ROWS(image, struct callroute_trunk,
 * trunks). */
#define CALLROUTE_ROWS(image, type, table) \
	((const type *)((const char *)(image) + (image)->table.at))

static inline const char *callroute_text(
		const struct callroute_image *im, uint32_t text)
{
	return CALLROUTE_ROWS(im, char, texts) + text;
}

#endif

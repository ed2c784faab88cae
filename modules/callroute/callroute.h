/*
 * The routing decision: which trunks may carry this call, in which order, and
 * what became of each of the others.
 *
 * Pure: an image, the live state and a question in, a verdict with its reason
 * out; no clock, no log, no allocation, nothing reserved. Called inside a
 * snapshot's read section; everything in the answer is copied out or a stable
 * id. Eligibility comes before ranking: a trunk that may not carry the call
 * never takes a place among the candidates.
 *
 * The order of things:
 *  1. an emergency rule of the plan whose prefix is the whole number and whose
 *     source prefix is the caller's; where none is, one for other callers;
 *  2. block lists, destination and source;
 *  3. the plan's other rules: lowest priority, then longest prefix, then
 *     longest source prefix, then lowest id, of those whose time holds;
 *  4. number portability, when the plan uses it;
 *  5. the selling price, when the plan has a selling deck;
 *  6. for each entry of the plan: the rate of its deck with the longest prefix
 *     that is valid now and for this caller; then its eligibility in the order
 *     of enum callroute_fate;
 *  7. order: a rule's trunks as its target names them, then the plan's by price,
 *     quality or priority; the best max_attempts that have a channel and a call
 *     per second free;
 *  8. the account's own calls per second and channels.
 *
 * A rule's trunk (route) costs what the plan would take it at: the cheapest of
 * the trunk's entries whose countries and time hold, of equal prices that of the
 * lowest deck id. An entry's countries and time do not keep the rule's trunk
 * from the call, they only leave it without a price; where the plan looks at the
 * margin, that is left out. A rate that blocks the prefix keeps it from the call
 * unless another entry prices it: whoever blocks a prefix in a deck does it
 * against fraud as a rule, and a rule is written for other reasons.
 *
 * An emergency call leaves out steps 2, 4, 5 and 8, and no margin, channel or
 * call per second is asked of anybody. Nothing keeps its rule's trunks from it:
 * those that an operator, a probe or a breaker holds for down are tried last,
 * behind the plan's own (stop = 0). It tries CALLROUTE_CANDIDATES trunks,
 * whatever max_attempts says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_H
#define CALLROUTE_H

#include "callroute/live/capacity.h"
#include "callroute/decide/image.h"
#include "callroute/live/live.h"

#define CALLROUTE_CANDIDATES 8	  /* attempts of one call at most */
#define CALLROUTE_NUMBER_MAX 32	  /* digits of a number */
#define CALLROUTE_ENTRIES_MAX 256 /* trunks of one plan at most */
/* Scores (of 1000) are compared as score / 20, cut off: 760 .. 779 are equal,
 * and the price decides between them; 779 and 780 are not. */
#define CALLROUTE_QUALITY_STEP 20
#define CALLROUTE_TARGETS_MAX 8	 /* trunks of one rule at most */
#define CALLROUTE_MEMBERS_MAX 64 /* members of one hunt group at most */
#define CALLROUTE_VENDORS_MAX (CALLROUTE_ENTRIES_MAX + CALLROUTE_TARGETS_MAX)

/* Verdicts; the script sees them as they are. */
enum callroute_verdict
{
	CALLROUTE_REDIRECTED = 2, /* answer.redirect says where to */
	CALLROUTE_OK = 1,
	CALLROUTE_NO_PREFIX = -1,
	CALLROUTE_ALL_DOWN = -2,
	CALLROUTE_NO_CAPACITY = -3,
	CALLROUTE_NO_MARGIN = -4,
	CALLROUTE_BLOCKED = -5,
	CALLROUTE_OUTSIDE_TIME = -6,
	CALLROUTE_EXHAUSTED = -7,
	CALLROUTE_NO_DATA = -8
};

/*
 * What became of one vendor. In the order in which they are looked at, so that
 * the greatest one among the vendors of a call is the one that came closest:
 * when nobody is left, it gives the verdict and the reason, as the comments say.
 */
enum callroute_fate
{
	/* NO_PREFIX "no_prefix" */
	CALLROUTE_FATE_RULE,	/* a rule sends the call elsewhere */
	CALLROUTE_FATE_NO_RATE, /* its deck has no valid rate here */
	/* BLOCKED "blocked" */
	CALLROUTE_FATE_RATE_BLOCKED, /* its deck blocks the prefix */
	/* BLOCKED "src_country", "dst_country" */
	CALLROUTE_FATE_SRC_COUNTRY, /* does not take callers from there */
	CALLROUTE_FATE_DST_COUNTRY, /* does not take calls to there */
	/* OUTSIDE_TIME "time" */
	CALLROUTE_FATE_TIME, /* not at this time */
	/* NO_MARGIN "margin", "price_unknown" */
	CALLROUTE_FATE_MARGIN,		  /* would earn less than min_margin(_pct) */
	CALLROUTE_FATE_PRICE_UNKNOWN, /* a rule's trunk without a price, and the
	                                 plan looks at the margin */
	/* ALL_DOWN "all_down" */
	CALLROUTE_FATE_ADMIN,	/* drain or down, by table or by RPC */
	CALLROUTE_FATE_CARRIER, /* its carrier is disabled */
	CALLROUTE_FATE_PROBES,	/* does not answer OPTIONS */
	CALLROUTE_FATE_BREAKER, /* fails too many live calls */
	/* NO_CAPACITY "no_capacity" */
	CALLROUTE_FATE_CPS,			/* the trunk's calls a second are used up */
	CALLROUTE_FATE_CHANNELS,	/* the trunk's channels are taken */
	CALLROUTE_FATE_CARRIER_CPS, /* the same of its carrier */
	CALLROUTE_FATE_CARRIER_CHANNELS,
	/* with these somebody is left */
	CALLROUTE_FATE_TWICE, /* the trunk is a candidate already, better placed */
	CALLROUTE_FATE_RANK,  /* eligible, but max_attempts were better */
	CALLROUTE_FATE_CHOSEN,
	CALLROUTE_FATES
};

/* "no_rate", "rate_blocked" ...: the words of explain and $callroute(reason). */
const char *callroute_fate_name(enum callroute_fate fate);

struct callroute_question
{
	const char *plan; /* not NUL-terminated; NULL: plan_id says it */
	size_t plan_len;
	uint32_t plan_id;	/* callroute_plan.id */
	const char *number; /* digits * #, no leading '+' */
	size_t number_len;
	const char *src; /* the caller's E.164 digits; may be empty */
	size_t src_len;
	uint32_t account; /* id of the caller's account, 0 = none */
	struct callroute_limit account_limit;
	int64_t now;	/* UTC seconds */
	uint64_t clock; /* monotonic us, for the live state */
	uint64_t seed;	/* for the shares of equals; any number, new per call */
};

struct callroute_candidate
{
	int64_t price;		 /* micro-units a minute; -1 = unknown */
	int64_t connect_fee; /* micro-units */
	uint32_t trunk_id;
	uint16_t first_sec, step_sec;
	uint16_t quality;	/* 0 .. 1000 */
	uint8_t prefix_len; /* how much of the number the rate matched */
	uint16_t place;		/* internal: the vendor it was made from */
};

struct callroute_answer
{
	int verdict;			   /* enum callroute_verdict */
	const char *reason;		   /* static text, never NULL: ok, no_prefix ... */
	int count;				   /* candidates, best first */
	int emergency;			   /* an emergency rule has the number */
	uint32_t plan_id, rule_id; /* 0 = none */
	int64_t sell;			   /* micro-units a minute; -1 = not known */
	/* index of lib/geo/country.h + 1; 0 = of no country, or not looked up (the
	 * verdict came before step 5) */
	uint16_t src_country, dst_country;
	uint8_t routing_len; /* digits of the routing number, 0 = not ported */
	char routing_number[16];
	char plan[CALLROUTE_NAME_MAX];
	char redirect[CALLROUTE_URI_MAX]; /* verdict CALLROUTE_REDIRECTED */
	struct callroute_candidate candidates[CALLROUTE_CANDIDATES];
};

/* One vendor of the plan, for explain. */
struct callroute_vendor
{
	int64_t price, connect_fee; /* -1 = unknown */
	int64_t first, second;		/* sort keys */
	double share;				/* random order among equals */
	uint32_t trunk;				/* index */
	uint32_t entry;				/* index; CALLROUTE_NONE: from a rule */
	uint16_t first_sec, step_sec;
	uint16_t quality;	/* 0 .. 1000, set where the order asks for it */
	uint8_t prefix_len; /* of the rate */
	uint8_t rated;
	uint8_t tier; /* 0 = a rule's, before all of the plan's */
	uint8_t fate; /* enum callroute_fate */
};

/* Room for one decision: 17 KB, one a process. Holds every vendor of the last
 * decision with its fate, in the plan's order; trunks are indexes and mean
 * nothing outside the read section. */
struct callroute_work
{
	int count;
	struct callroute_vendor vendors[CALLROUTE_VENDORS_MAX];
};

/* Fills answer and work; `image` may be NULL (nothing loaded). */
void callroute_decide(const struct callroute_image *image,
		struct callroute_live *live, const struct callroute_question *q,
		struct callroute_work *work, struct callroute_answer *a);

/* The trunk's state: what an operator set by RPC, else what the table says. */
enum callroute_trunk_state callroute_state_of(
		const struct callroute_live *live, const struct callroute_trunk *trunk);

/* What an attempt on this trunk takes of it and its carrier; the account's part
 * is empty. */
void callroute_claim_of(const struct callroute_image *image,
		const struct callroute_trunk *trunk, struct callroute_claim *claim);

/* Whether an emergency rule of the plan has this number, whoever calls it. */
int callroute_is_emergency_number(const struct callroute_image *image,
		const struct callroute_plan *plan, const char *number, size_t len,
		int64_t now);

/* --- looking things up; NULL where there is none -------------------------- */

const struct callroute_trunk *callroute_find_trunk(
		const struct callroute_image *image, uint32_t id);
const struct callroute_trunk *callroute_find_trunk_name(
		const struct callroute_image *image, const char *name, size_t len);
/* The trunk whose URI has this address (16 bytes, IPv4 mapped into
 * ::ffff:0:0/96): that of the port, else the first one there. Trunks behind a
 * name have no address here: nothing is resolved. */
const struct callroute_trunk *callroute_find_trunk_at(
		const struct callroute_image *image, const uint8_t *addr,
		uint32_t port);
const struct callroute_plan *callroute_find_plan(
		const struct callroute_image *image, const char *name, size_t len);
const struct callroute_plan *callroute_find_plan_id(
		const struct callroute_image *image, uint32_t id);
const struct callroute_group *callroute_find_group(
		const struct callroute_image *image, const char *name, size_t len);

/* Whether the calendar holds at `now`; CALLROUTE_NONE always does. A time
 * outside the calendars' horizon holds for nothing. */
int callroute_time_holds(
		const struct callroute_image *image, uint32_t time, int64_t now);

/* Who sends: what is not known is NULL or empty. */
struct callroute_caller
{
	const char *user, *domain; /* not NUL-terminated */
	size_t user_len, domain_len;
	const uint8_t *addr; /* 16 bytes, IPv4 mapped into ::ffff:0:0/96 */
	const char *trunk;	 /* name of the trunk that the address belongs to */
	size_t trunk_len;
};

/* The caller's account: user@domain, then user, the longest network, the trunk,
 * the domain. Also a disabled one, which stands in the way of the others. */
const struct callroute_account *callroute_find_account(
		const struct callroute_image *image,
		const struct callroute_caller *who);

/* The first row of this number whose time holds. *known (may be NULL): whether
 * the number has any row. */
const struct callroute_did *callroute_find_did(
		const struct callroute_image *image, const char *number, size_t len,
		int64_t now, int *known);

/* Members of a hunt group that ring now, in their order: by priority, drawn by
 * weight among equals of a weighted group. Fills indexes of members; returns
 * how many, at most `max`. */
int callroute_hunt(const struct callroute_image *image,
		const struct callroute_group *group, int64_t now, uint64_t seed,
		uint32_t *members, int max);

/* Where a ported number goes: its routing number's digits; 0 = not ported. */
size_t callroute_find_ported(const struct callroute_image *image,
		const char *number, size_t len, char out[16]);

/* --- texts of the tables -------------------------------------------------- */

/*
 * Parses a list of reply codes: "5xx,408,!486". Words are codes (300 .. 699),
 * classes (3xx .. 6xx) or either behind '!'; later words win. Blanks are free.
 * 0, -EINVAL (*bad, when not NULL, points to the word).
 */
int callroute_parse_codes(
		const char *text, struct callroute_codes *out, const char **bad);
int callroute_has_code(const struct callroute_codes *codes, int reply);

/* What follows a trunk's failure. */
enum callroute_follow
{
	CALLROUTE_FOLLOW_END, /* the reply is the call's */
	CALLROUTE_FOLLOW_NEXT,
	CALLROUTE_FOLLOW_OTHER_CARRIER
};
enum callroute_follow callroute_follows(
		const struct callroute_trunk *trunk, int reply);

/* 1 .. 15 digits packed as struct callroute_ported has them; 0 = they are none. */
uint64_t callroute_pack_digits(const char *digits, size_t len);
/* Returns how many digits. */
size_t callroute_unpack_digits(uint64_t packed, char out[16]);

/* What callroute_make_uri may need: each symbol of the user part escaped. */
#define CALLROUTE_REQUEST_URI_MAX \
	(CALLROUTE_URI_MAX            \
			+ 3 * (CALLROUTE_PREFIX_MAX + CALLROUTE_NUMBER_MAX + 16) + 2)

/*
 * The request's new URI: the trunk's, with the number translated (dst_rewrite,
 * then strip, then prefix) as its user part, '#' as %23. `out` is
 * NUL-terminated; CALLROUTE_REQUEST_URI_MAX bytes are enough for every trunk
 * and number. Returns its length, -ENOSPC, or -EINVAL (nothing is left of the
 * number, or the trunk's URI has no scheme).
 */
int callroute_make_uri(const struct callroute_trunk *trunk, const char *number,
		size_t len, char *out, size_t size);

#endif

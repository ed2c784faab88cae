/*
 * The routing decision: which trunks may carry this call, in which order, and
 * the fate of each of the others.
 *
 * Pure: it takes an image, the live state and a question, and gives a verdict
 * with its reason. No clock, no log, no allocation; it reserves nothing. Call
 * it inside a snapshot's read section; the answer holds only copies and stable
 * ids. Eligibility comes before ranking: a trunk that may not carry the call
 * never takes a place among the candidates.
 *
 * The order of the steps:
 *  1. an emergency rule of the plan whose prefix is the whole number and whose
 *     source prefix fits the caller; if there is none, one for other callers;
 *  2. block lists, destination and source;
 *  3. the plan's other rules: lowest priority, then longest prefix, then
 *     longest source prefix, then lowest id, of the rules whose time holds;
 *  4. number portability, when the plan uses it;
 *  5. the selling price, when the plan has a selling deck;
 *  6. for each entry of the plan: the rate of its deck with the longest prefix
 *     that is valid now and for this caller; then the eligibility, in the order
 *     of enum callroute_fate;
 *  7. order: a rule's trunks as its target names them, then the plan's trunks
 *     by price, quality or priority; of them the best max_attempts that have a
 *     channel and a call per second free;
 *  8. the account's own calls per second and channels.
 *
 * The price of a rule's trunk (route) is the cheapest of the trunk's entries in
 * the plan whose countries and time hold; of equal prices, that of the lowest
 * deck id. An entry whose countries or time do not hold does not exclude the
 * rule's trunk, it only gives no price. A plan that checks the margin leaves
 * out a trunk without a price. A rate that blocks the prefix excludes the trunk
 * unless another entry has a price: a prefix is mostly blocked in a deck
 * against fraud, and a rule is mostly written for other reasons.
 *
 * An emergency call leaves out steps 2, 4, 5 and 8, and needs no margin, no
 * free channel and no free call per second. Nothing excludes the trunks of its
 * rule: those that are down by an operator, a probe or a breaker are tried
 * last, after the plan's own trunks (stop = 0). It tries up to
 * CALLROUTE_CANDIDATES trunks, whatever max_attempts says.
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
/* Scores (of 1000) are compared as score / 20, rounded down: 760 .. 779 are
 * equal, so the price decides between them; 779 and 780 differ. */
#define CALLROUTE_QUALITY_STEP 20
#define CALLROUTE_TARGETS_MAX 8	 /* trunks of one rule at most */
#define CALLROUTE_MEMBERS_MAX 64 /* members of one hunt group at most */
#define CALLROUTE_VENDORS_MAX (CALLROUTE_ENTRIES_MAX + CALLROUTE_TARGETS_MAX)

/* Verdicts; the script gets these numbers. */
enum callroute_verdict
{
	CALLROUTE_REDIRECTED = 2, /* to answer.redirect */
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
 * The result for one vendor, in the order of the checks. So the greatest fate
 * among the vendors of a call is that of the vendor that came closest. When no
 * vendor is left, this fate gives the verdict and the reason, as in the
 * comments below.
 */
enum callroute_fate
{
	/* NO_PREFIX "no_prefix" */
	CALLROUTE_FATE_RULE,	/* a rule sends the call elsewhere */
	CALLROUTE_FATE_NO_RATE, /* its deck has no valid rate here */
	/* BLOCKED "blocked" */
	CALLROUTE_FATE_RATE_BLOCKED, /* its deck blocks the prefix */
	/* BLOCKED "src_country", "dst_country" */
	CALLROUTE_FATE_SRC_COUNTRY, /* takes no callers of that country */
	CALLROUTE_FATE_DST_COUNTRY, /* takes no calls to that country */
	/* OUTSIDE_TIME "time" */
	CALLROUTE_FATE_TIME, /* its time does not hold now */
	/* NO_MARGIN "margin", "price_unknown" */
	CALLROUTE_FATE_MARGIN,		  /* would earn less than min_margin(_pct) */
	CALLROUTE_FATE_PRICE_UNKNOWN, /* a rule's trunk without a price in a plan
	                                 that checks the margin */
	/* ALL_DOWN "all_down" */
	CALLROUTE_FATE_ADMIN,	/* drain or down, by table or by RPC */
	CALLROUTE_FATE_CARRIER, /* its carrier is disabled */
	CALLROUTE_FATE_PROBES,	/* does not answer OPTIONS */
	CALLROUTE_FATE_BREAKER, /* fails too many live calls */
	/* NO_CAPACITY "no_capacity" */
	CALLROUTE_FATE_CPS,			/* the trunk's calls a second are used up */
	CALLROUTE_FATE_CHANNELS,	/* the trunk's channels are taken */
	CALLROUTE_FATE_CARRIER_CPS, /* the same for its carrier */
	CALLROUTE_FATE_CARRIER_CHANNELS,
	/* with these fates a vendor is left */
	CALLROUTE_FATE_TWICE, /* the trunk is a candidate already, better placed */
	CALLROUTE_FATE_RANK,  /* eligible, but max_attempts were better */
	CALLROUTE_FATE_CHOSEN,
	CALLROUTE_FATES
};

/* "no_rate", "rate_blocked" ...: the words in explain and
 * $callroute(reason). */
const char *callroute_fate_name(enum callroute_fate fate);

struct callroute_question
{
	const char *plan; /* not NUL-terminated; NULL: use plan_id */
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
	uint64_t seed;	/* for the draw among equals; a new number for each call */
};

struct callroute_candidate
{
	int64_t price;		 /* micro-units a minute; -1 = unknown */
	int64_t connect_fee; /* micro-units */
	uint32_t trunk_id;
	uint16_t first_sec, step_sec;
	uint16_t quality;	/* 0 .. 1000 */
	uint8_t prefix_len; /* length of the rate's prefix */
	uint16_t place;		/* internal: index of its vendor */
};

struct callroute_answer
{
	int verdict;			   /* enum callroute_verdict */
	const char *reason;		   /* static text, never NULL: ok, no_prefix ... */
	int count;				   /* candidates, best first */
	int emergency;			   /* 1: an emergency rule has the number */
	uint32_t plan_id, rule_id; /* 0 = none */
	int64_t sell;			   /* micro-units a minute; -1 = not known */
	/* index of lib/geo/country.h + 1; 0 = no country, or not looked up because
	 * the verdict came before step 5 */
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
	uint16_t quality;	/* 0 .. 1000, set where the order needs it */
	uint8_t prefix_len; /* of the rate */
	uint8_t rated;
	uint8_t tier; /* 0 = a rule's trunk, before all of the plan's */
	uint8_t fate; /* enum callroute_fate */
};

/* Memory for one decision: 17 KB, one for each process. Holds every vendor of
 * the last decision with its fate, in the plan's order. The trunks are indexes,
 * which are not valid outside the read section. */
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

/* What an attempt on this trunk takes of the limits of trunk and carrier; the
 * account's part is empty. */
void callroute_claim_of(const struct callroute_image *image,
		const struct callroute_trunk *trunk, struct callroute_claim *claim);

/* Whether an emergency rule of the plan has this number, for any caller. */
int callroute_is_emergency_number(const struct callroute_image *image,
		const struct callroute_plan *plan, const char *number, size_t len,
		int64_t now);

/* --- looking things up; NULL where there is none -------------------------- */

const struct callroute_trunk *callroute_find_trunk(
		const struct callroute_image *image, uint32_t id);
const struct callroute_trunk *callroute_find_trunk_name(
		const struct callroute_image *image, const char *name, size_t len);
/* The trunk whose URI has this address (16 bytes, IPv4 mapped into
 * ::ffff:0:0/96): the one with this port, else the first one with this address.
 * A trunk whose URI has a host name is not found: names are not resolved
 * here. */
const struct callroute_trunk *callroute_find_trunk_at(
		const struct callroute_image *image, const uint8_t *addr,
		uint32_t port);
const struct callroute_plan *callroute_find_plan(
		const struct callroute_image *image, const char *name, size_t len);
const struct callroute_plan *callroute_find_plan_id(
		const struct callroute_image *image, uint32_t id);
const struct callroute_group *callroute_find_group(
		const struct callroute_image *image, const char *name, size_t len);

/* Whether the calendar holds at `now`; CALLROUTE_NONE always holds. Outside the
 * calendars' horizon no other calendar holds. */
int callroute_time_holds(
		const struct callroute_image *image, uint32_t time, int64_t now);

/* The sender of a request; what is not known is NULL or empty. */
struct callroute_caller
{
	const char *user, *domain; /* not NUL-terminated */
	size_t user_len, domain_len;
	const uint8_t *addr; /* 16 bytes, IPv4 mapped into ::ffff:0:0/96 */
	const char *trunk;	 /* name of the trunk that the address belongs to */
	size_t trunk_len;
};

/* The caller's account, found by user@domain, else user, else the longest
 * network, else the trunk, else the domain. It may be a disabled account: later
 * matches are then not tried. */
const struct callroute_account *callroute_find_account(
		const struct callroute_image *image,
		const struct callroute_caller *who);

/* The first row of this number whose time holds. *known (may be NULL): whether
 * the number has any row. */
const struct callroute_did *callroute_find_did(
		const struct callroute_image *image, const char *number, size_t len,
		int64_t now, int *known);

/* The members of a hunt group that ring now, by priority; in a weighted group,
 * members of the same priority are drawn by weight. Fills indexes of members;
 * returns how many, at most `max`. */
int callroute_hunt(const struct callroute_image *image,
		const struct callroute_group *group, int64_t now, uint64_t seed,
		uint32_t *members, int max);

/* Gives the digits of a ported number's routing number and returns how many; 0
 * = not ported. */
size_t callroute_find_ported(const struct callroute_image *image,
		const char *number, size_t len, char out[16]);

/* --- texts of the tables -------------------------------------------------- */

/*
 * Parses a list of reply codes: "5xx,408,!486". Words are codes (300 .. 699) or
 * classes (3xx .. 6xx); a '!' before a word takes it out. Later words win.
 * Blanks are allowed.
 * 0, -EINVAL (*bad, when not NULL, points to the word).
 */
int callroute_parse_codes(
		const char *text, struct callroute_codes *out, const char **bad);
int callroute_has_code(const struct callroute_codes *codes, int reply);

/* What to do after a trunk's failure. */
enum callroute_follow
{
	CALLROUTE_FOLLOW_END, /* the caller gets the reply */
	CALLROUTE_FOLLOW_NEXT,
	CALLROUTE_FOLLOW_OTHER_CARRIER
};
enum callroute_follow callroute_follows(
		const struct callroute_trunk *trunk, int reply);

/* Packs 1 .. 15 digits as in struct callroute_ported; 0 = not such digits. */
uint64_t callroute_pack_digits(const char *digits, size_t len);
/* Unpacks the digits; returns how many. */
size_t callroute_unpack_digits(uint64_t packed, char out[16]);

/* The most that callroute_make_uri needs: each symbol of the user part
 * escaped. */
#define CALLROUTE_REQUEST_URI_MAX \
	(CALLROUTE_URI_MAX            \
			+ 3 * (CALLROUTE_PREFIX_MAX + CALLROUTE_NUMBER_MAX + 16) + 2)

/*
 * The request's new URI: the trunk's URI with the translated number
 * (dst_rewrite, then strip, then prefix) as its user part, '#' as %23. `out` is
 * NUL-terminated; CALLROUTE_REQUEST_URI_MAX bytes are enough for every trunk
 * and number. Returns its length, -ENOSPC, or -EINVAL (nothing is left of the
 * number, or the trunk's URI has no scheme).
 */
int callroute_make_uri(const struct callroute_trunk *trunk, const char *number,
		size_t len, char *out, size_t size);

#endif

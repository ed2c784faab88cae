/*
 * The routing decision: which trunks may carry this call, in which order.
 * Pure: an image and a question in, a verdict with its reason out; no clock,
 * no log, no allocation. Called inside a snapshot's read section; everything
 * in the verdict is copied out or a stable id.
 *
 * Eligibility comes before ranking: a trunk that may not carry the call never
 * takes a place among the candidates.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_H
#define CALLROUTE_H

#include "callroute/image.h"

#define CALLROUTE_CANDIDATES 8	  /* attempts of one call at most */
#define CALLROUTE_NUMBER_MAX 32	  /* digits of a number */
#define CALLROUTE_ENTRIES_MAX 256 /* trunks of one plan at most */
/* What callroute_make_uri may need: each symbol of the user part escaped. */
#define CALLROUTE_REQUEST_URI_MAX \
	(CALLROUTE_URI_MAX + 3 * (CALLROUTE_PREFIX_MAX + CALLROUTE_NUMBER_MAX) + 2)

/* Verdicts; the script sees them as they are. */
enum callroute_verdict
{
	CALLROUTE_OK = 1,
	CALLROUTE_NO_PREFIX = -1,
	CALLROUTE_ALL_DOWN = -2,
	CALLROUTE_BLOCKED = -5,
	CALLROUTE_EXHAUSTED = -7,
	CALLROUTE_NO_DATA = -8
};

struct callroute_question
{
	const char *plan; /* not NUL-terminated */
	size_t plan_len;
	const char *number; /* digits * #, no leading '+' */
	size_t number_len;
	int64_t now;   /* UTC seconds */
	uint64_t seed; /* for the shares of equals; any number, new per call */
};

struct callroute_candidate
{
	int64_t price; /* micro-units a minute */
	uint32_t trunk_id;
	uint8_t prefix_len; /* how much of the number the rate matched */
};

struct callroute_answer
{
	int verdict;		/* enum callroute_verdict */
	const char *reason; /* static text, never NULL: ok, no_prefix ... */
	int count;			/* candidates, best first */
	struct callroute_candidate candidates[CALLROUTE_CANDIDATES];
};

/* Fills the answer; `image` may be NULL (nothing loaded). */
void callroute_decide(const struct callroute_image *image,
		const struct callroute_question *q, struct callroute_answer *a);

/* The trunk by its stable id, NULL when the image has none. */
const struct callroute_trunk *callroute_find_trunk(
		const struct callroute_image *image, uint32_t id);

/*
 * Parses a failover class list: "5xx,408,!486". Words are codes (300 .. 699),
 * classes (3xx .. 6xx) or either behind '!'; later words win. Blanks are free.
 * 0, -EINVAL (*bad, when not NULL, points to the word).
 */
int callroute_parse_codes(
		const char *text, struct callroute_codes *out, const char **bad);
/* Whether the reply code moves the call on. */
int callroute_fails_over(const struct callroute_codes *codes, int reply);

/*
 * The request's new URI: the trunk's, with the number translated (strip, then
 * prefix) as its user part, '#' as %23. `out` is NUL-terminated;
 * CALLROUTE_REQUEST_URI_MAX bytes are enough for every trunk and number.
 * Returns its length, -ENOSPC, or -EINVAL (nothing is left of the number, or
 * the trunk's URI has no scheme).
 */
int callroute_make_uri(const struct callroute_trunk *trunk, const char *number,
		size_t len, char *out, size_t size);

#endif

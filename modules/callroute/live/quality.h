/*
 * Quality of a trunk towards a destination group (a country's index + 1): how many
 * calls come through, how fast, how long people talk. Each figure forgets with
 * the half-life of the configuration, when it is touched: there is no sweeper.
 *
 *   ASR  answer-seizure ratio: answered / attempts (ITU-T E.411), cancelled
 *        attempts included
 *   NER  network effectiveness ratio: what the network did right, whether or not
 *        somebody answered (ITU-T E.425): (answered, busy, not answered, rejected
 *        by the user) / attempts without the cancelled, which are neither
 *   PDD  post-dial delay: INVITE to the first ringing or answer
 *   ACD  average call duration of the answered calls
 *
 * Memory bound: 40 B a (trunk, group). Up to 1023 (decayed) calls are kept; at
 * more, counts and sums are halved together, so a busy pair forgets sooner and
 * its ratios stay.
 * Full: a pair has eight places; a new one takes the place of the pair of these
 * that was touched longest ago.
 * Process safety, time and a slot that is none: live.h. Each ratio is one word
 * and never torn; ASR, NER, PDD and ACD are read one after another. When a place
 * changes its pair, an event of the old one that arrives at that instant may be
 * lost; a pair that two processes enter at once may have two places, of which
 * the first counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_QUALITY_H
#define CALLROUTE_QUALITY_H

#include "callroute/live/live.h"

enum callroute_outcome
{
	CALLROUTE_OUTCOME_ANSWERED,
	CALLROUTE_OUTCOME_BUSY,		 /* 486, 600 */
	CALLROUTE_OUTCOME_NO_ANSWER, /* 480; 408 after ringing */
	CALLROUTE_OUTCOME_REJECTED,	 /* 603, 607: by the called user */
	CALLROUTE_OUTCOME_CANCELLED, /* 487: by the caller */
	CALLROUTE_OUTCOME_FAILED,	 /* everything else: by the network */
};

/*
 * The outcome of an attempt by its final reply (0 = none came) and whether it
 * rang (a 180, or a 183 with media). 408 without ringing is the network's fault;
 * so is a number that does not exist (404, 484, 604): it is the same for every
 * vendor, unless one of them says so of numbers that do exist.
 */
enum callroute_outcome callroute_quality_classify(int reply, int rang);

#define CALLROUTE_NO_PDD UINT32_MAX

struct callroute_sample
{
	enum callroute_outcome outcome;
	uint32_t pdd_ms; /* up to 120000, more counts as that; CALLROUTE_NO_PDD */
};

struct callroute_quality
{
	uint32_t calls; /* attempts, decayed; <= 1023 */
	uint32_t asr;	/* per mille; 0 without calls, as all below */
	uint32_t ner;	/* per mille */
	uint32_t acd_s; /* seconds */
	uint32_t pdd_ms;
};

/* At the end of an attempt. */
void callroute_quality_add(struct callroute_live *live, int slot,
		uint16_t group, const struct callroute_sample *s, uint64_t now);

/* At the end of an answered call: how long it lasted; over a day counts as a
 * day. */
void callroute_quality_talked(struct callroute_live *live, int slot,
		uint16_t group, uint32_t seconds, uint64_t now);

/* 0, -ENOENT (nothing known: all 0). */
int callroute_quality_read(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now, struct callroute_quality *out);

/* A pair's figures without their dates, for live_state.h. */
struct callroute_quality_words
{
	uint64_t answers, network, delay, talk;
};

/* Places that may hold a pair, and whose pair is in one: its slot, or -ENOENT. */
uint32_t callroute_quality_places(const struct callroute_live *live);
int callroute_quality_at(const struct callroute_live *live, uint32_t place);
/* The same with the pair's group and its figures as of now. */
int callroute_quality_save(const struct callroute_live *live, uint32_t place,
		uint64_t now, uint16_t *group, struct callroute_quality_words *out);
/* Enters a pair whose figures are `age_us` old. */
void callroute_quality_restore(struct callroute_live *live, int slot,
		uint16_t group, const struct callroute_quality_words *saved,
		uint64_t age_us, uint64_t now);

/*
 * 0 .. 1000, higher is better; for up to 20 trunks a decision.
 *
 *   score = (5 NER' + 3 ASR' + 2 S') / 10
 *   NER'  = (effective + K * 0.900) / (counted + K)         in per mille
 *   ASR'  = (answered + K * 0.500) / (attempts + K)         in per mille
 *   S'    = 1000 - PDD'/10, at least 0;  PDD' = (sum + K * 2500) / (n + K)  in ms
 *   K     = 20 calls
 *
 * NER weighs most because it is the vendor's own doing; ASR depends on whom is
 * called as well, but only ASR sees a vendor that answers "busy" for everybody;
 * a delay annoys, a call that fails is lost. K calls of an ordinary vendor are
 * taken for granted (a Beta prior for each ratio), so one failed call does not
 * condemn and one answered call does not crown: after 20 calls of its own a
 * trunk's figures weigh half. An unknown trunk scores CALLROUTE_SCORE_UNKNOWN:
 * behind a proven good one, before a proven bad one, so it gets its chance. As a
 * trunk is left alone its figures fade, and it comes back to that score.
 */
#define CALLROUTE_SCORE_UNKNOWN 750

int callroute_quality_score(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now);

#endif

/*
 * Quality of a trunk towards a destination group (a country's index + 1): how
 * many calls succeed, how fast, how long they last. Each figure decays with the
 * half-life of the configuration, when it is next changed or read: there is no
 * sweeper.
 *
 *   ASR  answer-seizure ratio: answered / attempts (ITU-T E.411), cancelled
 *        attempts included
 *   NER  network effectiveness ratio (ITU-T E.425): the attempts in which the
 *        network worked, answered or not: (answered, busy, not answered,
 *        rejected by the user) / attempts without the cancelled ones
 *   PDD  post-dial delay: INVITE to the first ringing or answer
 *   ACD  average call duration of the answered calls
 *
 * Memory bound: 40 B a (trunk, group). Up to 1023 (decayed) calls are kept.
 * Above that, counts and sums are halved together: the ratios stay, and a busy
 * pair decays faster.
 * At capacity: a pair can be in eight places; a new pair replaces the one of
 * these eight that was touched longest ago.
 * Process safety, time, invalid slots: live.h. Each ratio is one word and never
 * torn; ASR, NER, PDD and ACD are read one after another. When a place gets
 * another pair, an event of the old pair at that instant may be lost. A pair
 * that two processes enter at once may have two places; the first is used.
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
 * rang (a 180, or a 183 with media). 408 without ringing is a failure of the
 * network. So is a number that does not exist (404, 484, 604): this affects all
 * vendors alike, except a vendor that gives these replies for numbers that
 * exist.
 */
enum callroute_outcome callroute_quality_classify(int reply, int rang);

#define CALLROUTE_NO_PDD UINT32_MAX

struct callroute_sample
{
	enum callroute_outcome outcome;
	uint32_t pdd_ms; /* above 120000 counts as 120000; CALLROUTE_NO_PDD */
};

struct callroute_quality
{
	uint32_t calls; /* attempts, decayed; 0 .. 1023 */
	uint32_t asr;	/* per mille; without calls this and all below are 0 */
	uint32_t ner;	/* per mille */
	uint32_t acd_s; /* seconds */
	uint32_t pdd_ms;
};

/* Call this at the end of an attempt. */
void callroute_quality_add(struct callroute_live *live, int slot,
		uint16_t group, const struct callroute_sample *s, uint64_t now);

/* Call this at the end of an answered call, with its duration; over a day
 * counts as a day. */
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

/* How many places there are; the slot of the pair in a place, or -ENOENT. */
uint32_t callroute_quality_places(const struct callroute_live *live);
int callroute_quality_at(const struct callroute_live *live, uint32_t place);
/* As callroute_quality_at, also with the pair's group and its figures as of
 * now. */
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
 *   S'    = 1000 - PDD'/10, at least 0; PDD' = (sum + K * 2500) / (n + K) in ms
 *   K     = 20 calls
 *
 * NER has the largest weight because it depends on the vendor alone. ASR also
 * depends on the called users, but only ASR finds a vendor that replies "busy"
 * to every call. PDD has the smallest weight: a delay is better than a lost
 * call. Each ratio starts with K calls of an average vendor (a Beta prior), so
 * one failed or one answered call changes little: after 20 calls a trunk's own
 * figures have half the weight. An unknown trunk scores
 * CALLROUTE_SCORE_UNKNOWN, between a proven good and a proven bad one, so that
 * it gets calls. The figures of a trunk without calls decay, and its score
 * returns to that value.
 */
#define CALLROUTE_SCORE_UNKNOWN 750

int callroute_quality_score(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now);

#endif

/*
 * Quality by trunk and destination group; see quality.h.
 *
 *   set   key[8] | pair[8]: answers, network, delay, talk
 *
 *   key      63            34 33     16 15     0
 *           | touched, ~1 s  | slot + 1 | group  |      slot 0 = no pair
 *
 *   word     63     44 43            22 21             0
 *           | stamp   | part           | whole          |   ratios, 2^-12 calls
 *           | stamp   | sum  (28 bits) | count (16 bits)|   sums, 2^-6 calls
 *
 * Each word has its own stamp (in units of a 32nd of the half-life). The
 * process that changes a word decays it to now in the same swap, so a ratio is
 * always of one moment.
 *
 * A pair takes a place in three steps: the key is set to a value that no
 * look-up finds, the words are cleared, the key is set to the pair's. A process
 * killed in between leaves a place that no look-up finds. Once it is the one
 * touched longest ago, it is replaced like any other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/quality.h"
#include "callroute/live/live_slot.h"

#include <errno.h>
#include <string.h>

#define KEY_MASK ((UINT64_C(1) << 34) - 1)
#define TOUCHED_SHIFT 34
#define STAMP_SHIFT 44
#define STAMP_MASK ((1u << 20) - 1)
#define STAMP_BACK 8 /* stamps of clocks read a little earlier */
#define ENTRIES 64	 /* tries, if other new pairs take the places */
#define CALLS_MAX 1023u
#define PDD_MAX 120000u
#define TALK_MAX 86400u

/* How the 44 bits of a word are used: the low bits count calls in units of
 * 2^-fraction; the bits above count a part of these calls (same unit) or a sum
 * (unit 1). */
struct form
{
	unsigned count_bits, fraction;
};

static const struct form RATIO = {22, 12};
static const struct form SUM = {16, 6};

struct counts
{
	uint64_t whole; /* calls, in the form's fraction */
	uint64_t above; /* part or sum */
};

/* ---- words ---- */

static uint32_t stamp_of(const struct callroute_live *live, uint64_t now)
{
	return (uint32_t)(now / live->quality_unit) & STAMP_MASK;
}

/* x * 2^(-units/32), rounded. */
static uint64_t decay(uint64_t x, uint32_t units)
{
	/* 2^(-i/32) * 65536 */
	static const uint32_t part[32] = {65536, 64132, 62757, 61413, 60097, 58809,
			57549, 56316, 55109, 53928, 52773, 51642, 50535, 49452, 48393,
			47356, 46341, 45348, 44376, 43425, 42495, 41584, 40693, 39821,
			38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486};

	if(units >= 32 * 40)
		return 0;
	x >>= units / 32;
	return (x * part[units % 32] + 32768) >> 16;
}

static struct counts counts_of(
		uint64_t word, const struct form *f, uint32_t stamp)
{
	uint32_t age = (stamp - (uint32_t)(word >> STAMP_SHIFT)) & STAMP_MASK;
	struct counts c = {word & ((UINT64_C(1) << f->count_bits) - 1),
			(word & ((UINT64_C(1) << STAMP_SHIFT) - 1)) >> f->count_bits};

	if(age != 0 && age <= STAMP_MASK - STAMP_BACK) {
		c.whole = decay(c.whole, age);
		c.above = decay(c.above, age);
	}
	return c;
}

/* Adds one call. `above` is already in the word's unit. */
static void add(_Atomic uint64_t *at, const struct form *f, uint32_t stamp,
		uint64_t above)
{
	uint64_t seen = callroute_load(at), one = UINT64_C(1) << f->fraction;
	int tries;

	for(tries = 0; tries < CALLROUTE_TRIES; tries++) {
		struct counts c = counts_of(seen, f, stamp);
		uint32_t was = (uint32_t)(seen >> STAMP_SHIFT), mine = stamp;

		if(((was - stamp) & STAMP_MASK) <= STAMP_BACK)
			mine = was; /* a stamp never goes back */
		if(c.whole + one > CALLS_MAX * one) {
			c.above = c.above * (c.whole / 2) / c.whole; /* the same ratio */
			c.whole /= 2;
		}
		c.whole += one;
		c.above += above;
		if(callroute_swap(at, &seen,
				   (uint64_t)mine << STAMP_SHIFT | c.above << f->count_bits
						   | c.whole))
			return;
	}
}

static void add_ratio(_Atomic uint64_t *at, uint32_t stamp, int counts)
{
	add(at, &RATIO, stamp, counts ? UINT64_C(1) << RATIO.fraction : 0);
}

/* ---- places ---- */

static uint64_t key_make(int slot, uint16_t group)
{
	return (uint64_t)(slot + 1) << 16 | group;
}

static uint64_t touched_now(uint64_t now)
{
	return now >> 20 << TOUCHED_SHIFT;
}

static struct callroute_pairs *set_of(
		const struct callroute_live *live, uint64_t key)
{
	struct callroute_pairs *sets = callroute_part(live, live->quality_at);

	return &sets[(callroute_mix(key) >> 16) & (live->quality_sets - 1)];
}

static struct callroute_pair *find(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now, int touch)
{
	uint64_t key = key_make(slot, group);
	struct callroute_pairs *set;
	unsigned i;

	if((uint32_t)slot >= live->slots)
		return NULL;
	set = set_of(live, key);
	for(i = 0; i < CALLROUTE_PAIRS; i++) {
		uint64_t seen = callroute_load(&set->key[i]);

		if((seen & KEY_MASK) != key)
			continue;
		/* If another process touched it first, that is as good. */
		if(touch && seen >> TOUCHED_SHIFT < now >> 20
				&& !callroute_swap(&set->key[i], &seen, touched_now(now) | key)
				&& (seen & KEY_MASK) != key)
			return NULL; /* a new pair took the place */
		return &set->pair[i];
	}
	return NULL;
}

/* An empty key has the touch time 0, so free places are taken first. */
static struct callroute_pair *enter(
		struct callroute_live *live, int slot, uint16_t group, uint64_t now)
{
	uint64_t key = key_make(slot, group);
	struct callroute_pairs *set = set_of(live, key);
	struct callroute_pair *pair;
	unsigned i, oldest = 0;
	uint64_t was = callroute_load(&set->key[0]), nobody = touched_now(now);

	for(i = 1; i < CALLROUTE_PAIRS; i++) {
		uint64_t seen = callroute_load(&set->key[i]);

		if(seen >> TOUCHED_SHIFT < was >> TOUCHED_SHIFT
				|| (seen == 0 && was != 0)) {
			was = seen;
			oldest = i;
		}
	}
	if(!callroute_swap(&set->key[oldest], &was, nobody))
		return NULL;
	pair = &set->pair[oldest];
	atomic_store(&pair->answers, 0);
	atomic_store(&pair->network, 0);
	atomic_store(&pair->delay, 0);
	atomic_store(&pair->talk, 0);
	/* This fails only if this process slept until its claim was the oldest of
	 * the set and another pair took the place. */
	return callroute_swap(&set->key[oldest], &nobody, nobody | key) ? pair
																	: NULL;
}

static struct callroute_pair *find_or_enter(
		struct callroute_live *live, int slot, uint16_t group, uint64_t now)
{
	struct callroute_pair *pair = NULL;
	int tries;

	if((uint32_t)slot >= live->slots)
		return NULL;
	for(tries = 0; tries < ENTRIES && pair == NULL; tries++) {
		pair = find(live, slot, group, now, 1);
		if(pair == NULL)
			pair = enter(live, slot, group, now);
	}
	return pair;
}

/* ---- the interface ---- */

enum callroute_outcome callroute_quality_classify(int reply, int rang)
{
	if(reply >= 200 && reply < 300)
		return CALLROUTE_OUTCOME_ANSWERED;
	switch(reply) {
		case 486:
		case 600:
			return CALLROUTE_OUTCOME_BUSY;
		case 480:
			return CALLROUTE_OUTCOME_NO_ANSWER;
		case 408:
			return rang ? CALLROUTE_OUTCOME_NO_ANSWER
						: CALLROUTE_OUTCOME_FAILED;
		case 603:
		case 607:
			return CALLROUTE_OUTCOME_REJECTED;
		case 487:
			return CALLROUTE_OUTCOME_CANCELLED;
		default:
			return CALLROUTE_OUTCOME_FAILED;
	}
}

void callroute_quality_add(struct callroute_live *live, int slot,
		uint16_t group, const struct callroute_sample *s, uint64_t now)
{
	struct callroute_pair *pair = find_or_enter(live, slot, group, now);
	uint32_t stamp = stamp_of(live, now);

	if(pair == NULL)
		return;
	add_ratio(&pair->answers, stamp, s->outcome == CALLROUTE_OUTCOME_ANSWERED);
	if(s->outcome != CALLROUTE_OUTCOME_CANCELLED)
		add_ratio(
				&pair->network, stamp, s->outcome != CALLROUTE_OUTCOME_FAILED);
	if(s->pdd_ms != CALLROUTE_NO_PDD)
		add(&pair->delay, &SUM, stamp,
				s->pdd_ms < PDD_MAX ? s->pdd_ms : PDD_MAX);
}

void callroute_quality_talked(struct callroute_live *live, int slot,
		uint16_t group, uint32_t seconds, uint64_t now)
{
	struct callroute_pair *pair = find_or_enter(live, slot, group, now);

	if(pair != NULL)
		add(&pair->talk, &SUM, stamp_of(live, now),
				seconds < TALK_MAX ? seconds : TALK_MAX);
}

static uint32_t ratio(struct counts c)
{
	return c.whole == 0 ? 0 : (uint32_t)(c.above * 1000 / c.whole);
}

static uint32_t mean(struct counts c)
{
	return c.whole == 0 ? 0
						: (uint32_t)(((c.above << SUM.fraction) + c.whole / 2)
									 / c.whole);
}

int callroute_quality_read(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now, struct callroute_quality *out)
{
	const struct callroute_pair *pair = find(live, slot, group, now, 0);
	uint32_t stamp = stamp_of(live, now);
	struct counts answers;

	memset(out, 0, sizeof *out);
	if(pair == NULL)
		return -ENOENT;
	answers = counts_of(callroute_load(&pair->answers), &RATIO, stamp);
	out->calls = (uint32_t)((answers.whole + (1u << RATIO.fraction) / 2)
							>> RATIO.fraction);
	out->asr = ratio(answers);
	out->ner = ratio(counts_of(callroute_load(&pair->network), &RATIO, stamp));
	out->acd_s = mean(counts_of(callroute_load(&pair->talk), &SUM, stamp));
	out->pdd_ms = mean(counts_of(callroute_load(&pair->delay), &SUM, stamp));
	return 0;
}

/* (above + K * prior) / (whole + K), prior in thousandths of a call. */
static uint32_t shrunk(struct counts c, const struct form *f, uint32_t prior)
{
	uint64_t k = UINT64_C(20) << f->fraction;
	uint64_t above = f == &RATIO ? c.above * 1000 : c.above << f->fraction;

	return (uint32_t)((above + k * prior) / (c.whole + k));
}

int callroute_quality_score(const struct callroute_live *live, int slot,
		uint16_t group, uint64_t now)
{
	const struct callroute_pair *pair = find(live, slot, group, now, 0);
	uint32_t stamp, ner, asr, pdd;

	if(pair == NULL)
		return CALLROUTE_SCORE_UNKNOWN;
	stamp = stamp_of(live, now);
	ner = shrunk(counts_of(callroute_load(&pair->network), &RATIO, stamp),
			&RATIO, 900);
	asr = shrunk(counts_of(callroute_load(&pair->answers), &RATIO, stamp),
			&RATIO, 500);
	pdd = shrunk(
			counts_of(callroute_load(&pair->delay), &SUM, stamp), &SUM, 2500);
	return (int)((5 * ner + 3 * asr + 2 * (pdd < 10000 ? 1000 - pdd / 10 : 0))
				 / 10);
}

/* ---- over a restart ---- */

uint32_t callroute_quality_places(const struct callroute_live *live)
{
	return live->quality_sets * CALLROUTE_PAIRS;
}

static const struct callroute_pairs *set_at(
		const struct callroute_live *live, uint32_t place)
{
	const struct callroute_pairs *sets = callroute_part(live, live->quality_at);

	return &sets[place / CALLROUTE_PAIRS];
}

int callroute_quality_at(const struct callroute_live *live, uint32_t place)
{
	uint64_t key =
			callroute_load(&set_at(live, place)->key[place % CALLROUTE_PAIRS]);
	uint32_t slot = (uint32_t)((key & KEY_MASK) >> 16);

	return slot == 0 ? -ENOENT : (int)slot - 1;
}

static uint64_t undated(
		const _Atomic uint64_t *at, const struct form *f, uint32_t stamp)
{
	struct counts c = counts_of(callroute_load(at), f, stamp);

	return c.above << f->count_bits | c.whole;
}

int callroute_quality_save(const struct callroute_live *live, uint32_t place,
		uint64_t now, uint16_t *group, struct callroute_quality_words *out)
{
	const struct callroute_pairs *set = set_at(live, place);
	const struct callroute_pair *p = &set->pair[place % CALLROUTE_PAIRS];
	int slot = callroute_quality_at(live, place);
	uint32_t stamp = stamp_of(live, now);

	*group = (uint16_t)callroute_load(&set->key[place % CALLROUTE_PAIRS]);
	*out = (struct callroute_quality_words){undated(&p->answers, &RATIO, stamp),
			undated(&p->network, &RATIO, stamp),
			undated(&p->delay, &SUM, stamp), undated(&p->talk, &SUM, stamp)};
	return slot;
}

void callroute_quality_restore(struct callroute_live *live, int slot,
		uint16_t group, const struct callroute_quality_words *saved,
		uint64_t age_us, uint64_t now)
{
	uint64_t age = age_us / live->quality_unit, stamp, word;
	struct callroute_pair *pair;

	/* After 40 half-lives nothing is left, and the circular stamps would be
	 * ambiguous. */
	if(age >= 32 * 40)
		return;
	pair = find_or_enter(live, slot, group, now);
	if(pair == NULL)
		return;
	stamp = (uint64_t)((stamp_of(live, now) - (uint32_t)age) & STAMP_MASK)
			<< STAMP_SHIFT;
	word = (UINT64_C(1) << STAMP_SHIFT) - 1;
	atomic_store(&pair->answers, stamp | (saved->answers & word));
	atomic_store(&pair->network, stamp | (saved->network & word));
	atomic_store(&pair->delay, stamp | (saved->delay & word));
	atomic_store(&pair->talk, stamp | (saved->talk & word));
}

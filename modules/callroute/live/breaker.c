/*
 * Breaker on live traffic; see breaker.h.
 *
 *   state    63     62 61                                0
 *           | state   | date: of the edge, or of the trial |
 *
 *   window   63         44 43     32 31        16 15        0     each of eight
 *           | number      | episode | failures   | calls     |
 *
 * Half-open without a trial is not stored: it is OPEN or TRIAL whose time is
 * over. So no timer has to change the state.
 *
 * A sub-window counts only if its number and its episode (a hash of the date
 * when the breaker closed) fit. After a trial has closed the breaker, the
 * failures that opened it belong to another episode, so the eight words need
 * not be cleared. Two episodes within one window have the same 12 bits once in
 * 4096. Numbers are circular: an old sub-window could count again only for a
 * trunk without a call for exactly 2^20 sub-windows (91 days with a window of a
 * minute).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/breaker.h"
#include "callroute/live/live_slot.h"

#include <errno.h>
#include <string.h>

enum
{
	CLOSED,
	OPEN,
	TRIAL
};

#define STATE_SHIFT 62
#define DATE ((UINT64_C(1) << STATE_SHIFT) - 1)
#define COUNT_MAX 65535u
#define NUMBER_SHIFT 44
#define NUMBER_MASK ((1u << 20) - 1)

static uint64_t word_make(uint64_t state, uint64_t date)
{
	return state << STATE_SHIFT | (date & DATE);
}

static unsigned state_of(uint64_t word)
{
	return (unsigned)(word >> STATE_SHIFT);
}

static uint64_t date_of(uint64_t word)
{
	return word & DATE;
}

static int is_off(const struct callroute_breaker_config *cfg)
{
	return cfg == NULL || cfg->min_calls == 0 || cfg->open_at == 0;
}

/* For an open breaker or one on trial: whether the next trial is free. */
static int trial_is_free(
		uint64_t word, const struct callroute_breaker_config *cfg, uint64_t now)
{
	uint64_t wait = cfg->half_open_after_us != 0 ? cfg->half_open_after_us : 1;

	return now > date_of(word) && now - date_of(word) >= wait;
}

int callroute_breaker_allows(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now)
{
	const struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word;

	if(s == NULL || is_off(cfg))
		return 1;
	word = callroute_load(&s->breaker);
	return state_of(word) == CLOSED || trial_is_free(word, cfg, now);
}

int callroute_breaker_take(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word;

	if(s == NULL || is_off(cfg))
		return 0;
	word = callroute_load(&s->breaker);
	if(state_of(word) == CLOSED)
		return 0;
	if(!trial_is_free(word, cfg, now))
		return -EAGAIN;
	/* The call that wins the swap is the trial; a call that loses it sees the
	 * trial of another. */
	if(callroute_swap(&s->breaker, &word, word_make(TRIAL, now)))
		return 0;
	return state_of(word) == CLOSED ? 0 : -EAGAIN;
}

/* ---- the window ---- */

struct sub
{
	uint32_t number;  /* of the sub-window of `now`, 20 bits, circular */
	uint32_t episode; /* 12 bits */
};

static struct sub sub_of(const struct callroute_breaker_config *cfg,
		uint64_t closed, uint64_t now)
{
	uint64_t length = cfg->window_us / CALLROUTE_SUBS;

	if(length < 1000)
		length = 1000;
	return (struct sub){(uint32_t)(now / length) & NUMBER_MASK,
			(uint32_t)(callroute_mix(closed) >> 20) & 0xfff};
}

static uint64_t sub_make(const struct sub *k, uint32_t calls, uint32_t failures)
{
	return (uint64_t)k->number << NUMBER_SHIFT | (uint64_t)k->episode << 32
		   | (uint64_t)failures << 16 | calls;
}

static uint32_t calls_of(uint64_t word)
{
	return (uint32_t)word & COUNT_MAX;
}

static uint32_t failures_of(uint64_t word)
{
	return (uint32_t)(word >> 16) & COUNT_MAX;
}

/* How many sub-windows ago; CALLROUTE_SUBS when it is outside this window. A
 * sub-window slightly ahead (this clock was read earlier) counts as now. */
static uint32_t age_of(uint64_t word, const struct sub *k)
{
	uint32_t age = (k->number - (uint32_t)(word >> NUMBER_SHIFT)) & NUMBER_MASK;

	if(((uint32_t)(word >> 32) & 0xfff) != k->episode)
		return CALLROUTE_SUBS;
	if(age > NUMBER_MASK - CALLROUTE_SUBS)
		return 0;
	return age < CALLROUTE_SUBS ? age : CALLROUTE_SUBS;
}

static void window_add(
		struct callroute_slot *s, const struct sub *k, int failed)
{
	_Atomic uint64_t *at = &s->window[k->number % CALLROUTE_SUBS];
	uint64_t seen = callroute_load(at);
	int tries;

	for(tries = 0; tries < CALLROUTE_TRIES; tries++) {
		uint32_t calls = calls_of(seen), failures = failures_of(seen);
		uint64_t next;

		if(calls == COUNT_MAX) {
			calls /= 2;
			failures /= 2;
		}
		/* The place holds this sub-window or one of another round. A later one
		 * (this clock is a whole window behind) is left as it is. */
		if(age_of(seen, k) == CALLROUTE_SUBS)
			next = sub_make(k, 1, failed != 0);
		else if((uint32_t)(seen >> NUMBER_SHIFT) == k->number)
			next = sub_make(k, calls + 1, failures + (failed != 0));
		else
			return;
		if(callroute_swap(at, &seen, next))
			return;
	}
}

static void window_sum(const struct callroute_slot *s, const struct sub *k,
		uint32_t *calls, uint32_t *failures)
{
	unsigned i;

	*calls = *failures = 0;
	for(i = 0; i < CALLROUTE_SUBS; i++) {
		uint64_t word = callroute_load(&s->window[i]);

		if(age_of(word, k) == CALLROUTE_SUBS)
			continue;
		*calls += calls_of(word);
		*failures += failures_of(word);
	}
}

/* ---- outcomes ---- */

static int report_trial(
		struct callroute_slot *s, uint64_t word, int failed, uint64_t now)
{
	uint64_t next = failed ? word_make(OPEN, now) : word_make(CLOSED, now);

	return callroute_swap(&s->breaker, &word, next) && !failed;
}

int callroute_breaker_report(struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t started,
		int failed, uint64_t now)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word;
	uint32_t calls, failures;
	struct sub k;

	if(s == NULL || is_off(cfg))
		return 0;
	word = callroute_load(&s->breaker);
	if(state_of(word) == TRIAL)
		return date_of(word) == started ? report_trial(s, word, failed, now)
										: 0;
	if(state_of(word) != CLOSED || started < date_of(word))
		return 0;
	k = sub_of(cfg, date_of(word), now);
	window_add(s, &k, failed);
	window_sum(s, &k, &calls, &failures);
	if(calls < cfg->min_calls
			|| (uint64_t)failures * 100 < (uint64_t)cfg->open_at * calls)
		return 0;
	return callroute_swap(&s->breaker, &word, word_make(OPEN, now)) ? -1 : 0;
}

uint64_t callroute_breaker_opened(const struct callroute_live *live, int slot)
{
	const struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word = s != NULL ? callroute_load(&s->breaker) : 0;

	return state_of(word) == CLOSED ? 0 : date_of(word);
}

void callroute_breaker_reopen(
		struct callroute_live *live, int slot, uint64_t since)
{
	struct callroute_slot *s = callroute_slot_at(live, slot);

	if(s != NULL)
		atomic_store(&s->breaker, word_make(OPEN, since));
}

void callroute_breaker_read(const struct callroute_live *live, int slot,
		const struct callroute_breaker_config *cfg, uint64_t now,
		struct callroute_breaker *out)
{
	const struct callroute_slot *s = callroute_slot_at(live, slot);
	uint64_t word;
	struct sub k;

	memset(out, 0, sizeof *out);
	if(s == NULL || is_off(cfg))
		return;
	word = callroute_load(&s->breaker);
	out->since = date_of(word);
	if(state_of(word) == CLOSED) {
		k = sub_of(cfg, date_of(word), now);
		window_sum(s, &k, &out->calls, &out->failures);
		return;
	}
	out->state = state_of(word) == TRIAL || trial_is_free(word, cfg, now)
						 ? CALLROUTE_BREAKER_HALF_OPEN
						 : CALLROUTE_BREAKER_OPEN;
}

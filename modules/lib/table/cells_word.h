/*
 * The arithmetic of one cell, as pure functions on 64-bit words. A whole change
 * of state is one compare-and-swap, so a process killed at any instruction
 * leaves nothing half done.
 *
 * Window word    63       48 47      24 23       0
 *               | window no | previous | current  |
 *
 * The sliding count is current + previous * (share of the previous bucket's
 * events that the sliding window still covers); cells_shape.h gives the share.
 * Window numbers are circular and salted by the key. So two keys that follow
 * one another in a cell practically never produce the same word, and a
 * compare-and-swap prepared for the first key fails on the second. Each key has
 * its own phase of the windows: a sender cannot know when its buckets turn, and
 * the cells do not all turn at once.
 *
 * GCRA word      63       48 47                  0
 *               | salt      | TAT, microseconds   |   (circular)
 *
 * Life word      63                 16 15 14     0
 *               | end of life, 1024 us | kind | L |   L: length, float 6+9 bits
 *
 * The life word says until when the first word is valid. It is raised *before*
 * the first word changes, and an expired first word is cleared before the life
 * is raised. So in a cell that has not expired the circular numbers are
 * unambiguous, even if they would have wrapped while the cell lay idle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CELLS_WORD_H
#define TG_CELLS_WORD_H

#include "lib/table/cells_shape.h"

#include <stdint.h>

#define TG_COUNT_MAX UINT32_C(0xffffff) /* counts saturate here */
#define TG_COUNT_BITS 24
#define TG_LIFE_SHIFT 10 /* the unit of life is 1024 us */
#define TG_KIND_GCRA UINT64_C(0x8000)
#define TG_TAT_MASK ((UINT64_C(1) << 48) - 1)
/* The TAT must stay well below half its circle; a year is enough. */
#define TG_SHAPE_MAX_US (UINT64_C(1) << 45)

/* A moment in the windows of one key. */
struct tg_tick
{
	uint64_t now;	 /* us */
	uint64_t length; /* window, or GCRA interval, us */
	unsigned pos;	 /* in the current window, 1/256 of a part of the shape */
	uint64_t life;	 /* life word of a cell written now */
	uint16_t number; /* salted number of the current window */
	uint16_t salt;
};

static inline uint64_t tg_mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 32);
}

static inline uint64_t tg_length_code(uint64_t us)
{
	int top = 63 - __builtin_clzll(us | 1);

	return ((uint64_t)top << 9) | (((us << (63 - top)) >> 54) & 0x1ff);
}

static inline uint64_t tg_length_decode(uint64_t life)
{
	int top = (int)((life >> 9) & 0x3f);
	uint64_t mantissa = 0x200 | (life & 0x1ff);

	return top >= 9 ? mantissa << (top - 9) : mantissa >> (9 - top);
}

static inline uint64_t tg_life(uint64_t end_us, uint64_t kind, uint64_t length)
{
	uint64_t unit = UINT64_C(1) << TG_LIFE_SHIFT;

	return ((end_us + unit - 1) >> TG_LIFE_SHIFT) << 16 | kind
		   | tg_length_code(length);
}

static inline int tg_expired(uint64_t life, uint64_t now)
{
	return (now >> TG_LIFE_SHIFT) >= (life >> 16);
}

static inline void tg_tick_window(
		struct tg_tick *k, uint64_t tag, uint64_t window, uint64_t now)
{
	uint64_t mix = tg_mix(tag);
	uint64_t phase = ((mix & 0xffffff) * window) >> 24;
	uint64_t number = (now + phase) / window;
	uint64_t end = (number + 1) * window - phase;

	k->now = now;
	k->length = window;
	k->pos = (unsigned)((now + window - end) * (TG_PARTS * 256) / window);
	k->salt = (uint16_t)(mix >> 24);
	k->number = (uint16_t)(number + k->salt);
	k->life = tg_life(end + window, 0, window);
}

static inline uint64_t tg_word(uint16_t number, uint32_t cur, uint32_t prev)
{
	return (uint64_t)number << 48 | (uint64_t)prev << TG_COUNT_BITS | cur;
}

static inline uint32_t tg_cur(uint64_t word)
{
	return (uint32_t)(word & TG_COUNT_MAX);
}

static inline uint32_t tg_prev(uint64_t word)
{
	return (uint32_t)((word >> TG_COUNT_BITS) & TG_COUNT_MAX);
}

/* The word as of this tick. A tick behind the word (of a process that read the
 * clock earlier) counts into the newer window. */
static inline uint64_t tg_word_turn(uint64_t word, const struct tg_tick *k)
{
	int16_t ahead = (int16_t)(uint16_t)(k->number - (uint16_t)(word >> 48));

	if(ahead <= 0)
		return word;
	return tg_word(k->number, 0, ahead == 1 ? tg_cur(word) : 0);
}

static inline uint64_t tg_word_add(uint64_t turned, uint32_t n)
{
	uint32_t room = TG_COUNT_MAX - tg_cur(turned);

	return turned + (n < room ? n : room);
}

/* Events in the sliding window; `turned` comes from tg_word_turn, `shape` from
 * tg_shape_turn. */
static inline uint32_t tg_word_sum(
		uint64_t turned, uint64_t shape, const struct tg_tick *k)
{
	unsigned pos = (uint16_t)(turned >> 48) == k->number ? k->pos : 0;
	uint32_t share, all;

	tg_shape_after(shape, pos, &share, &all);
	if(all == 0) { /* assume they are evenly spread */
		all = TG_PARTS * 256;
		share = all - pos;
	}
	return tg_cur(turned)
		   + (uint32_t)(((uint64_t)tg_prev(turned) * share + all / 2) / all);
}

/* Theoretical arrival time, never before now. */
static inline uint64_t tg_tat(uint64_t word, uint64_t now)
{
	uint64_t ahead = (word - now) & TG_TAT_MASK;

	return ahead < TG_SHAPE_MAX_US * 2 ? now + ahead : now;
}

static inline uint64_t tg_tat_word(uint16_t salt, uint64_t tat)
{
	return (uint64_t)salt << 48 | (tat & TG_TAT_MASK);
}

/* The worth of the cell at `now`, in 1/16 events, decayed. The cell with the
 * lowest worth is evicted. */
static inline uint64_t tg_worth(uint64_t word, uint64_t life, uint64_t now)
{
	uint64_t end = (life >> 16) << TG_LIFE_SHIFT;
	uint64_t length = tg_length_decode(life);
	uint64_t left = end > now ? end - now : 0;

	if(left == 0 || length == 0)
		return 0;
	if(life & TG_KIND_GCRA)
		return left * 16 / length;
	if(left <= length)
		return (uint64_t)tg_cur(word) * 16 * (left * 1024 / length) / 1024;
	left = left - length < length ? left - length : length;
	return (uint64_t)tg_cur(word) * 16
		   + (uint64_t)tg_prev(word) * 16 * (left * 1024 / length) / 1024;
}

#endif

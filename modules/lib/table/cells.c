/*
 * Counting and shaping in the cell table: find or claim the cell, change it by
 * one compare-and-swap; see cells.h, and cells_set.h for the layout.
 *
 * Memory bound: 40 B a cell, 4 B more with admission, 1.2 KiB in all.
 * Locking: none. Every loop is bounded. A bound is reached only while other
 * processes make progress; the call then returns "not tracked".
 * Failure mode: a process killed at any instruction loses at most its own
 * event, or leaves a claim that is taken over after a second.
 *
 * Why a process cannot add its event to another key that has just displaced its
 * own: it reads the word, then the tag, then swaps the word. If the new key
 * changed the tag before that read, the process sees it. If not, the new key
 * changes the word later, and the swap fails, because the new word has another
 * salt.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/cells_set.h"

#include <errno.h>

#define TRIES 4096 /* swaps lost to other processes */


static int lay_out(
		const struct tg_cells_config *cfg, struct tg_cells *head, size_t *size)
{
	uint32_t n = 1;
	uint64_t bytes;

	if(cfg == NULL || cfg->cells < TG_WAYS || cfg->cells > UINT32_C(1) << 28)
		return -EINVAL;
	while((uint64_t)n * TG_WAYS < cfg->cells)
		n <<= 1;
	head->sets = n;
	head->admission = cfg->admission != 0;
	head->pins_at =
			sizeof(struct tg_cells) + (uint64_t)n * sizeof(struct tg_set);
	bytes = head->pins_at + (uint64_t)n * sizeof(struct tg_pins);
	head->sketch_at = bytes = (bytes + 63) & ~UINT64_C(63);
	if(head->admission)
		bytes += ((uint64_t)n * TG_WAYS + TG_SKETCH_CELLS - 1) / TG_SKETCH_CELLS
				 * sizeof(struct tg_sketch_line);
	if(bytes > SIZE_MAX)
		return -EINVAL;
	*size = (size_t)bytes;
	return 0;
}

size_t tg_cells_size(const struct tg_cells_config *cfg)
{
	struct tg_cells head;
	size_t size;

	return lay_out(cfg, &head, &size) == 0 ? size : 0;
}

int tg_cells_init(void *mem, size_t size, const struct tg_cells_config *cfg,
		struct tg_cells **out)
{
	struct tg_cells head, *t = mem;
	size_t need;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| lay_out(cfg, &head, &need) != 0 || size < need)
		return -EINVAL;
	t->sets = head.sets;
	t->admission = head.admission;
	t->pins_at = head.pins_at;
	t->sketch_at = head.sketch_at;
	*out = t;
	return 0;
}

/* For read_stats, which has no clock and needs to know which cells have
 * expired. */
static inline void keep_clock(struct tg_cells *t, uint64_t now)
{
	uint64_t seen = atomic_load_explicit(&t->clock, memory_order_relaxed);

	if((int64_t)(now - seen) > 1000000 || seen == 0)
		atomic_store_explicit(&t->clock, now, memory_order_relaxed);
}

/* ---- the sliding window ---- */

/* Raises the end of life. 0 when another process has changed the life word. */
static inline int keep_alive(_Atomic uint64_t *life, uint64_t seen, uint64_t to)
{
	return seen >= to || tg_swap(life, seen, to);
}

/* The shape follows the count. It is a hint: a lost race is not repeated. */
static void shape_add(struct tg_set *s, unsigned way, const struct tg_tick *k,
		uint64_t seen, uint32_t before, uint32_t n)
{
	uint64_t turned = tg_shape_turn(seen, k->number);
	uint64_t next = tg_shape_add(turned, k->pos >> 8, before, n);

	if(next != seen)
		tg_swap(&s->shape[way], seen, next);
}

static int window_add(struct tg_set *s, unsigned way, uint64_t tag,
		const struct tg_tick *k, uint32_t n, uint32_t limit, uint32_t *observed)
{
	int tries;

	for(tries = 0; tries < TRIES; tries++) {
		uint64_t word = tg_load(&s->word[way]);
		uint64_t life = tg_load(&s->life[way]);
		uint64_t shape = tg_load(&s->shape[way]);
		uint64_t turned, next, form;

		if(tg_load(&s->tag[way]) != tag)
			return TG_MOVED;
		if(tg_expired(life, k->now)) {
			uint64_t clean = tg_word(k->number, 0, 0);
			uint64_t plain = tg_shape(k->number, 0, 0);

			if(word != clean && !tg_swap(&s->word[way], word, clean))
				continue;
			if(shape != plain && !tg_swap(&s->shape[way], shape, plain))
				continue;
			word = clean;
			shape = plain;
		}
		turned = tg_word_turn(word, k);
		next = tg_word_add(turned, n);
		form = tg_shape_turn(shape, k->number);
		if(tg_word_sum(next, form, k) > limit) {
			*observed = tg_word_sum(turned, form, k);
			return -EDQUOT;
		}
		if(!keep_alive(&s->life[way], life, k->life))
			continue;
		if(next == word || tg_swap(&s->word[way], word, next)) {
			shape_add(s, way, k, shape, tg_cur(turned), n);
			*observed = tg_word_sum(next, form, k);
			return 0;
		}
	}
	return TG_MOVED;
}

static uint32_t window_read(const struct tg_set *s, unsigned way, uint64_t tag,
		const struct tg_tick *k)
{
	uint64_t word = tg_load(&s->word[way]);
	uint64_t life = tg_load(&s->life[way]);
	uint64_t shape = tg_load(&s->shape[way]);

	if(tg_load(&s->tag[way]) != tag || tg_expired(life, k->now))
		return 0;
	return tg_word_sum(
			tg_word_turn(word, k), tg_shape_turn(shape, k->number), k);
}

static uint32_t window_sum(const struct tg_set *s, unsigned ways, uint64_t tag,
		const struct tg_tick *k)
{
	uint32_t sum = 0;

	for(; ways != 0; ways &= ways - 1)
		sum += window_read(s, (unsigned)__builtin_ctz(ways), tag, k);
	return sum;
}

static int window_is_valid(uint64_t window_us)
{
	return window_us >= 1000 && window_us <= UINT64_C(1) << 40;
}

int tg_cells_peek(const struct tg_cells *t, uint64_t id, uint64_t window_us,
		uint64_t now, uint32_t *observed)
{
	uint64_t tag = tg_tag(id);
	const struct tg_set *s = &t->set[tg_set_index(t, tag)];
	unsigned ways = tg_find(s, tag);
	struct tg_tick k;

	*observed = 0;
	if(ways == 0 || !window_is_valid(window_us))
		return -ENOENT;
	tg_tick_window(&k, tag, window_us, now);
	*observed = window_sum(s, ways, tag, &k);
	return 0;
}

int tg_cells_add_limited(struct tg_cells *t, uint64_t id, uint32_t n,
		uint32_t limit, uint64_t window_us, uint64_t now, uint32_t *observed)
{
	uint64_t tag = tg_tag(id);
	uint32_t index = tg_set_index(t, tag);
	struct tg_set *s = &t->set[index];
	struct tg_newcomer c = {.tag = tag, .now = now, .n = n};
	struct tg_tick k;
	int tries, rc = TG_MOVED;

	*observed = 0;
	if(!window_is_valid(window_us))
		return -EINVAL;
	__builtin_prefetch(&s->life[0], 1);
	if(n == 0) { /* do not displace a key when there is nothing to count */
		tg_cells_peek(t, id, window_us, now, observed);
		return 0;
	}
	if(n > limit) {
		tg_cells_peek(t, id, window_us, now, observed);
		return -EDQUOT;
	}
	keep_clock(t, now);
	tg_tick_window(&k, tag, window_us, now);
	for(tries = 0; tries < TRIES && rc == TG_MOVED; tries++) {
		unsigned ways = tg_find(s, tag);
		unsigned first = (unsigned)__builtin_ctz(ways | 1u << TG_WAYS);

		if(ways != 0) {
			rc = window_add(s, first, tag, &k, n, limit, observed);
			if(rc == 0)
				*observed += window_sum(s, ways & (ways - 1), tag, &k);
			continue;
		}
		c.word = tg_word_add(tg_word(k.number, 0, 0), n);
		c.life = k.life;
		c.shape = tg_shape_add(tg_shape(k.number, 0, 0), k.pos >> 8, 0, n);
		rc = tg_claim(t, index, &c);
		*observed = rc == 0 ? tg_cur(c.word) : c.estimate;
	}
	return rc == TG_MOVED ? -ENOSPC : rc;
}

int tg_cells_add(struct tg_cells *t, uint64_t id, uint32_t n,
		uint64_t window_us, uint64_t now, uint32_t *observed)
{
	return tg_cells_add_limited(t, id, n, UINT32_MAX, window_us, now, observed);
}

/* ---- shaping ---- */

static int gcra_take(struct tg_set *s, unsigned way, uint64_t tag,
		const struct tg_tick *k, uint64_t tolerance, uint64_t *retry_after_us)
{
	int tries;

	for(tries = 0; tries < TRIES; tries++) {
		uint64_t word = tg_load(&s->word[way]);
		uint64_t life = tg_load(&s->life[way]);
		uint64_t tat;

		if(tg_load(&s->tag[way]) != tag)
			return TG_MOVED;
		tat = tg_expired(life, k->now) ? k->now : tg_tat(word, k->now);
		if(tat - k->now > tolerance) {
			*retry_after_us = tat - k->now - tolerance;
			return -EAGAIN;
		}
		tat += k->length;
		if(!keep_alive(
				   &s->life[way], life, tg_life(tat, TG_KIND_GCRA, k->length)))
			continue;
		if(tg_swap(&s->word[way], word, tg_tat_word(k->salt, tat)))
			return 0;
	}
	return TG_MOVED;
}

int tg_cells_take(struct tg_cells *t, uint64_t id, uint64_t interval_us,
		uint32_t burst, uint64_t now, uint64_t *retry_after_us)
{
	uint64_t tag = tg_tag(id);
	uint32_t index = tg_set_index(t, tag);
	struct tg_set *s = &t->set[index];
	struct tg_newcomer c = {.tag = tag, .now = now, .n = 1};
	struct tg_tick k = {.now = now, .length = interval_us};
	uint64_t tolerance;
	int tries, rc = TG_MOVED;

	*retry_after_us = 0;
	if(interval_us == 0 || interval_us > UINT64_C(1) << 40 || burst == 0)
		return -EINVAL;
	tolerance = (uint64_t)(burst - 1) < TG_SHAPE_MAX_US / interval_us
						? (burst - 1) * interval_us
						: TG_SHAPE_MAX_US;
	__builtin_prefetch(&s->life[0], 1);
	keep_clock(t, now);
	k.salt = (uint16_t)(tg_mix(tag) >> 24);
	for(tries = 0; tries < TRIES && rc == TG_MOVED; tries++) {
		unsigned ways = tg_find(s, tag);

		if(ways != 0) {
			rc = gcra_take(s, (unsigned)__builtin_ctz(ways), tag, &k, tolerance,
					retry_after_us);
			continue;
		}
		c.word = tg_tat_word(k.salt, now + interval_us);
		c.life = tg_life(now + interval_us, TG_KIND_GCRA, interval_us);
		rc = tg_claim(t, index, &c);
	}
	return rc == TG_MOVED ? -ENOSPC : rc;
}

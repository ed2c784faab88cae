/*
 * Counting and shaping in the cell table: find or claim the cell, change it by
 * one compare-and-swap; see cells.h, and cells_set.h for the layout.
 *
 * Memory bound: 32 B a cell, 4 B more with admission, 1.2 KiB in all.
 * Locking: none. Every loop is bounded; a bound is reached only when other
 * processes succeed meanwhile, and the call then answers "not tracked".
 * Failure mode: a process killed at any instruction loses at most its own
 * event, or leaves a claim that is taken over after a second.
 *
 * Why a finder cannot add to a key that has displaced its own: it reads the
 * word, then the tag, then swaps the word. A new owner has either changed the
 * tag before (seen), or must change the word after (the swap fails, since its
 * word carries another salt).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/cells_set.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define TRIES 4096		/* swaps lost against others */
#define CLAIM_SPINS 64	/* looks at another's claim of the same key ... */
#define CLAIM_YIELDS 64 /* ... and then with the processor given away */

#define MOVED 1 /* the cell has another key now: look again */

static int lay_out(const struct tg_cells_config *cfg, uint32_t *sets,
		size_t *sketch_at, size_t *size)
{
	uint32_t n = 1;

	if(cfg == NULL || cfg->cells < TG_WAYS || cfg->cells > UINT32_C(1) << 28)
		return -EINVAL;
	while((uint64_t)n * TG_WAYS < cfg->cells)
		n <<= 1;
	*sets = n;
	*sketch_at = sizeof(struct tg_cells) + (size_t)n * sizeof(struct tg_set);
	*size = *sketch_at;
	if(cfg->admission)
		*size += ((size_t)n * TG_WAYS + TG_SKETCH_CELLS - 1) / TG_SKETCH_CELLS
				 * sizeof(struct tg_sketch_line);
	return 0;
}

size_t tg_cells_size(const struct tg_cells_config *cfg)
{
	uint32_t sets;
	size_t sketch_at, size;

	return lay_out(cfg, &sets, &sketch_at, &size) == 0 ? size : 0;
}

int tg_cells_init(void *mem, size_t size, const struct tg_cells_config *cfg,
		struct tg_cells **out)
{
	struct tg_cells *t = mem;
	uint32_t sets;
	size_t sketch_at, need;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| lay_out(cfg, &sets, &sketch_at, &need) != 0 || size < need)
		return -EINVAL;
	t->sets = sets;
	t->admission = cfg->admission != 0;
	t->sketch_at = t->admission ? sketch_at : 0;
	*out = t;
	return 0;
}

/* Lets read_stats, which has no clock, tell live cells from expired ones. */
static inline void keep_clock(struct tg_cells *t, uint64_t now)
{
	uint64_t seen = atomic_load_explicit(&t->clock, memory_order_relaxed);

	if((int64_t)(now - seen) > 1000000 || seen == 0)
		atomic_store_explicit(&t->clock, now, memory_order_relaxed);
}

static inline void relax(unsigned turn)
{
	if(turn >= CLAIM_SPINS) {
		sched_yield();
		return;
	}
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* ---- claiming a cell for a newcomer ---- */

struct newcomer
{
	uint64_t tag, now;
	uint64_t word, life; /* what the cell starts with */
	uint32_t n;			 /* events, for the admission sketch */
	uint32_t estimate;	 /* out: of the sketch, else n */
};

struct victim
{
	int way;	  /* -1 none */
	int live;	  /* a live cell would be displaced */
	int same_key; /* somebody is claiming a cell for this very key */
	uint64_t tag, worth, life;
};

/* Empty, else abandoned or expired, else the live cell worth least. */
static void choose_victim(
		const struct tg_set *s, uint64_t mark, uint64_t now, struct victim *v)
{
	int way;

	*v = (struct victim){.way = -1, .live = 1};
	for(way = 0; way < TG_WAYS; way++) {
		uint64_t tag = tg_load(&s->tag[way]);
		uint64_t life = tg_load(&s->life[way]);
		uint64_t worth = 0;
		int live = 0;

		if(tag & TG_CLAIM) {
			if(!tg_claim_is_stale(tag, now)) {
				v->same_key |= (tag ^ mark) >> 32 == 0;
				continue;
			}
		} else if(tag != 0) {
			if(tg_set_pinned(s, tag, now, NULL))
				continue;
			live = !tg_expired(life, now);
			if(live)
				worth = tg_worth(tg_load(&s->word[way]), life, now);
		}
		if(tag == 0)
			life = 0;
		if(v->way >= 0
				&& (live > v->live
						|| (live == v->live
								&& (worth > v->worth
										|| (worth == v->worth
												&& life >= v->life)))))
			continue;
		v->way = way;
		v->live = live;
		v->tag = tag;
		v->worth = worth;
		v->life = life;
	}
}

/* Fills the claimed cell; fails when the claim was taken over from us. */
static int fill_and_publish(
		struct tg_set *s, int way, uint64_t mark, const struct newcomer *c)
{
	int tries;

	/* Swaps, not stores: if this process sleeps here for longer than a claim
	 * lasts, the next owner's words differ and stay untouched. */
	for(tries = 0; tries < TRIES; tries++) {
		uint64_t word = tg_load(&s->word[way]);

		if(tg_load(&s->tag[way]) != mark)
			return MOVED;
		if(tg_swap(&s->word[way], word, c->word))
			break;
	}
	for(; tries < TRIES; tries++) {
		uint64_t life = tg_load(&s->life[way]);

		if(tg_load(&s->tag[way]) != mark)
			return MOVED;
		if(tg_swap(&s->life[way], life, c->life))
			return tg_swap(&s->tag[way], mark, c->tag) ? 0 : MOVED;
	}
	tg_swap(&s->tag[way], mark, 0);
	return MOVED;
}

static int admitted(struct tg_cells *t, uint32_t index, struct newcomer *c,
		const struct victim *v)
{
	struct tg_sketch_line *line =
			(struct tg_sketch_line *)((char *)t + t->sketch_at)
			+ index / (TG_SKETCH_CELLS / TG_WAYS);

	/* Counted once, however often the claim has to be retried. */
	if(c->estimate == 0)
		c->estimate = tg_sketch_add(
				line, tg_mix(c->tag + 1), c->n != 0 ? c->n : 1, c->now);
	return c->estimate >= 2
		   && (c->estimate == TG_SKETCH_MAX
				   || (uint64_t)c->estimate * 16 > v->worth);
}

/* 0 = the newcomer has its cell; MOVED = look for the key again; -ENOSPC. */
static int claim(struct tg_cells *t, uint32_t index, struct newcomer *c)
{
	struct tg_set *s = &t->set[index];
	struct tg_cells_stripe *count = &t->stripe[index % TG_STRIPES];
	uint64_t mark = tg_claim_mark(c->tag, c->now);
	unsigned turn;
	struct victim v;

	for(turn = 0; turn < CLAIM_SPINS + CLAIM_YIELDS; turn++) {
		choose_victim(s, mark, c->now, &v);
		if(v.same_key || v.way < 0) {
			relax(turn);
			if(tg_find(s, c->tag) != 0)
				return MOVED;
			/* Waiting only saves a second cell for the same key: both would
			 * be summed. So it ends, and before anybody is held up. */
			if(v.way < 0 || turn < CLAIM_SPINS + CLAIM_YIELDS / 2)
				continue;
		}
		if(v.live && t->admission && !tg_set_pinned(s, c->tag, c->now, NULL)
				&& !admitted(t, index, c, &v))
			break;
		if(!tg_swap(&s->tag[v.way], v.tag, mark)) {
			if(tg_find(s, c->tag) != 0)
				return MOVED;
			continue;
		}
		if(v.live)
			atomic_fetch_add_explicit(&count->evicted, 1, memory_order_relaxed);
		return fill_and_publish(s, v.way, mark, c);
	}
	atomic_fetch_add_explicit(&count->refused, 1, memory_order_relaxed);
	if(c->estimate == 0)
		c->estimate = c->n;
	return -ENOSPC;
}

/* ---- the sliding window ---- */

/* Raises the end of life. 0 when the life word has changed under us. */
static inline int keep_alive(_Atomic uint64_t *life, uint64_t seen, uint64_t to)
{
	return seen >= to || tg_swap(life, seen, to);
}

static int window_add(struct tg_set *s, unsigned way, uint64_t tag,
		const struct tg_tick *k, uint32_t n, uint32_t limit, uint32_t *observed)
{
	int tries;

	for(tries = 0; tries < TRIES; tries++) {
		uint64_t word = tg_load(&s->word[way]);
		uint64_t life = tg_load(&s->life[way]);
		uint64_t next;

		if(tg_load(&s->tag[way]) != tag)
			return MOVED;
		if(tg_expired(life, k->now)) {
			uint64_t clean = tg_word(k->number, 0, 0);

			if(word != clean && !tg_swap(&s->word[way], word, clean))
				continue;
			word = clean;
		}
		if(!keep_alive(&s->life[way], life, k->life))
			continue;
		next = tg_word_add(tg_word_turn(word, k), n);
		if(tg_word_sum(next, k) > limit) {
			*observed = tg_word_sum(tg_word_turn(word, k), k);
			return -EDQUOT;
		}
		if(next == word || tg_swap(&s->word[way], word, next)) {
			*observed = tg_word_sum(next, k);
			return 0;
		}
	}
	return MOVED;
}

static uint32_t window_read(const struct tg_set *s, unsigned way, uint64_t tag,
		const struct tg_tick *k)
{
	uint64_t word = tg_load(&s->word[way]);
	uint64_t life = tg_load(&s->life[way]);

	if(tg_load(&s->tag[way]) != tag || tg_expired(life, k->now))
		return 0;
	return tg_word_sum(tg_word_turn(word, k), k);
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
	struct newcomer c = {.tag = tag, .now = now, .n = n};
	struct tg_tick k;
	int tries, rc = MOVED;

	*observed = 0;
	if(!window_is_valid(window_us))
		return -EINVAL;
	__builtin_prefetch(&s->life[0], 1);
	if(n == 0) { /* nothing to count is no reason to displace anybody */
		tg_cells_peek(t, id, window_us, now, observed);
		return 0;
	}
	if(n > limit) {
		tg_cells_peek(t, id, window_us, now, observed);
		return -EDQUOT;
	}
	keep_clock(t, now);
	tg_tick_window(&k, tag, window_us, now);
	for(tries = 0; tries < TRIES && rc == MOVED; tries++) {
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
		rc = claim(t, index, &c);
		*observed = rc == 0 ? tg_cur(c.word) : c.estimate;
	}
	return rc == MOVED ? -ENOSPC : rc;
}

int tg_cells_add(struct tg_cells *t, uint64_t id, uint32_t n,
		uint64_t window_us, uint64_t now, uint32_t *observed)
{
	return tg_cells_add_limited(
			t, id, n, UINT32_MAX, window_us, now, observed);
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
			return MOVED;
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
	return MOVED;
}

int tg_cells_take(struct tg_cells *t, uint64_t id, uint64_t interval_us,
		uint32_t burst, uint64_t now, uint64_t *retry_after_us)
{
	uint64_t tag = tg_tag(id);
	uint32_t index = tg_set_index(t, tag);
	struct tg_set *s = &t->set[index];
	struct newcomer c = {.tag = tag, .now = now, .n = 1};
	struct tg_tick k = {.now = now, .length = interval_us};
	uint64_t tolerance;
	int tries, rc = MOVED;

	*retry_after_us = 0;
	if(interval_us == 0 || interval_us > UINT64_C(1) << 40 || burst == 0)
		return -EINVAL;
	tolerance = (uint64_t)(burst - 1) < TG_SHAPE_MAX_US / interval_us
						? (burst - 1) * interval_us
						: TG_SHAPE_MAX_US;
	__builtin_prefetch(&s->life[0], 1);
	keep_clock(t, now);
	k.salt = (uint16_t)(tg_mix(tag) >> 24);
	for(tries = 0; tries < TRIES && rc == MOVED; tries++) {
		unsigned ways = tg_find(s, tag);

		if(ways != 0) {
			rc = gcra_take(s, (unsigned)__builtin_ctz(ways), tag, &k, tolerance,
					retry_after_us);
			continue;
		}
		c.word = tg_tat_word(k.salt, now + interval_us);
		c.life = tg_life(now + interval_us, TG_KIND_GCRA, interval_us);
		rc = claim(t, index, &c);
	}
	return rc == MOVED ? -ENOSPC : rc;
}

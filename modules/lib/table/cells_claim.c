/*
 * Finds a cell for a newcomer: which key it displaces, whether it is admitted,
 * and the hand-over. See cells.h, and cells_set.h for the layout and the claim
 * mark.
 *
 * The claimer writes only by compare-and-swap and checks its mark before each
 * swap. If it sleeps for longer than a claim lasts, another process may take
 * the cell over. The words of that process differ from those the claimer has
 * read, so its swaps fail.
 *
 * When two processes enter the same key at once, the second usually sees the
 * mark of the first and waits for it. If the wait ends too early, the key gets
 * two cells. All readers add them up, so nothing is lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/cells_set.h"

#include <errno.h>
#include <sched.h>

#define TRIES 64		/* swaps lost to other processes */
#define CLAIM_SPINS 64	/* waits for another's claim of the same key ... */
#define CLAIM_YIELDS 64 /* ... and then waits that yield the processor */

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

struct victim
{
	int way;	  /* -1 none */
	int live;	  /* a live cell would be displaced */
	int same_key; /* another process is claiming a cell for this key */
	uint64_t tag, worth, life;
};

/* An empty cell, else an abandoned or expired one, else the live cell with the
 * lowest worth. */
static void choose_victim(const struct tg_set *s, const struct tg_pins *pins,
		uint64_t mark, uint64_t now, struct victim *v)
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
			if(tg_is_pinned(pins, tag, now, NULL))
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

/* Fills the claimed cell. TG_MOVED when another process took the claim over. */
static int fill_and_publish(
		struct tg_set *s, int way, uint64_t mark, const struct tg_newcomer *c)
{
	int tries;

	/* Swaps, not stores: if this process sleeps here for longer than a claim
	 * lasts, the next owner's words differ and are not overwritten. */
	for(tries = 0; tries < TRIES; tries++) {
		uint64_t word = tg_load(&s->word[way]);

		if(tg_load(&s->tag[way]) != mark)
			return TG_MOVED;
		if(tg_swap(&s->word[way], word, c->word))
			break;
	}
	for(; tries < TRIES; tries++) {
		uint64_t life = tg_load(&s->life[way]);
		uint64_t shape = tg_load(&s->shape[way]);

		if(tg_load(&s->tag[way]) != mark)
			return TG_MOVED;
		if(tg_swap(&s->shape[way], shape, c->shape)
				&& tg_swap(&s->life[way], life, c->life))
			return tg_swap(&s->tag[way], mark, c->tag) ? 0 : TG_MOVED;
	}
	tg_swap(&s->tag[way], mark, 0);
	return TG_MOVED;
}

static int admitted(struct tg_cells *t, uint32_t index, struct tg_newcomer *c,
		const struct victim *v)
{
	struct tg_sketch_line *line =
			(struct tg_sketch_line *)((char *)t + t->sketch_at)
			+ index / (TG_SKETCH_CELLS / TG_WAYS);

	/* Counted once, however often the claim is retried. */
	if(c->estimate == 0)
		c->estimate = tg_sketch_add(
				line, tg_mix(c->tag + 1), c->n != 0 ? c->n : 1, c->now);
	return c->estimate >= 2
		   && (c->estimate == TG_SKETCH_MAX
				   || (uint64_t)c->estimate * 16 > v->worth);
}

int tg_claim(struct tg_cells *t, uint32_t index, struct tg_newcomer *c)
{
	struct tg_set *s = &t->set[index];
	const struct tg_pins *pins = tg_pins_of(t, index);
	struct tg_cells_stripe *count = &t->stripe[index % TG_STRIPES];
	uint64_t mark = tg_claim_mark(c->tag, c->now);
	unsigned turn;
	struct victim v;

	for(turn = 0; turn < CLAIM_SPINS + CLAIM_YIELDS; turn++) {
		choose_victim(s, pins, mark, c->now, &v);
		if(v.same_key || v.way < 0) {
			relax(turn);
			if(tg_find(s, c->tag) != 0)
				return TG_MOVED;
			/* Waiting only avoids a second cell for the same key, and a second
			 * cell does no harm. So the wait is short. */
			if(v.way < 0 || turn < CLAIM_SPINS + CLAIM_YIELDS / 2)
				continue;
		}
		if(v.live && t->admission && !tg_is_pinned(pins, c->tag, c->now, NULL)
				&& !admitted(t, index, c, &v))
			break;
		if(!tg_swap(&s->tag[v.way], v.tag, mark)) {
			if(tg_find(s, c->tag) != 0)
				return TG_MOVED;
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

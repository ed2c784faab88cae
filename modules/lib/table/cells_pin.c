/*
 * Pins (keys that must not be evicted), forgetting and statistics of the cell
 * table; see cells.h, and cells_set.h for the layout.
 *
 * A pin is a slot {until, key} of the set. A process claims a free or expired
 * slot by swapping `until` for a claim mark with a time stamp. It then changes
 * the key, and sets `until` by another swap. A process killed in between leaves
 * a claim that pins no key and is taken over after about a second.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/cells_set.h"

#include <errno.h>
#include <string.h>

#define TRIES 64
#define SAMPLED_SETS 4096 /* the most that read_stats looks at */

static struct tg_pins *pins_of(const struct tg_cells *t, uint64_t tag)
{
	return tg_pins_of(t, tg_set_index(t, tag));
}

static int slot_is_free(uint64_t until, uint64_t now)
{
	return until & TG_CLAIM ? tg_claim_is_stale(until, now) : until <= now;
}

/* Gives slot `p` to the key; the slot was free when its `until` was `seen`. */
static int take_slot(struct tg_pins *pins, unsigned p, uint64_t seen,
		uint64_t tag, uint64_t until, uint64_t now)
{
	uint64_t mark = tg_claim_mark(tag, now);
	int tries;

	if(!tg_swap(&pins->until[p], seen, mark))
		return 0;
	for(tries = 0; tries < TRIES; tries++) {
		uint64_t owner = tg_load(&pins->tag[p]);

		if(tg_load(&pins->until[p]) != mark)
			return 0; /* slept too long: another process took the slot */
		if(tg_swap(&pins->tag[p], owner, tag))
			return tg_swap(&pins->until[p], mark, until);
	}
	return 0;
}

int tg_cells_pin(struct tg_cells *t, uint64_t id, uint64_t until, uint64_t now)
{
	uint64_t tag = tg_tag(id);
	struct tg_pins *pins = pins_of(t, tag);
	int tries;

	if(until >= TG_CLAIM)
		until = TG_CLAIM - 1;
	for(tries = 0; tries < TRIES; tries++) {
		uint64_t seen[TG_PINS];
		unsigned p, free_slot = TG_PINS, busy = 0;

		for(p = 0; p < TG_PINS; p++) {
			seen[p] = tg_load(&pins->until[p]);
			busy |= (seen[p] & TG_CLAIM) != 0;
			if(slot_is_free(seen[p], now))
				free_slot = p;
			else if(!(seen[p] & TG_CLAIM) && tg_load(&pins->tag[p]) == tag)
				break;
		}
		if(p < TG_PINS) {
			/* `until` changes only for the same key, or through a claim. */
			if(tg_swap(&pins->until[p], seen[p], until))
				return 0;
		} else if(free_slot < TG_PINS) {
			if(take_slot(pins, free_slot, seen[free_slot], tag, until, now))
				return 0;
		} else if(!busy) {
			return -ENOSPC;
		}
	}
	return -ENOSPC;
}

int tg_cells_unpin(struct tg_cells *t, uint64_t id)
{
	uint64_t tag = tg_tag(id);
	struct tg_pins *pins = pins_of(t, tag);
	int rc = -ENOENT;
	unsigned p;

	/* Both slots: two processes may have pinned the key at once. */
	for(p = 0; p < TG_PINS; p++) {
		uint64_t end = tg_load(&pins->until[p]);

		if(end != 0 && !(end & TG_CLAIM) && tg_load(&pins->tag[p]) == tag
				&& tg_swap(&pins->until[p], end, 0))
			rc = 0;
	}
	return rc;
}

int tg_cells_pinned(
		const struct tg_cells *t, uint64_t id, uint64_t now, uint64_t *until)
{
	uint64_t tag = tg_tag(id);

	return tg_is_pinned(pins_of(t, tag), tag, now, until) ? 0 : -ENOENT;
}

int tg_cells_forget(struct tg_cells *t, uint64_t id)
{
	uint64_t tag = tg_tag(id);
	struct tg_set *s = &t->set[tg_set_index(t, tag)];
	int rc = tg_cells_unpin(t, id);
	unsigned ways;

	for(ways = tg_find(s, tag); ways != 0; ways &= ways - 1)
		if(tg_swap(&s->tag[__builtin_ctz(ways)], tag, 0))
			rc = 0;
	return rc;
}

void tg_cells_read_stats(const struct tg_cells *t, struct tg_cells_stats *out)
{
	uint64_t now = tg_load(&t->clock), live = 0, seen = 0, index;
	uint32_t step = t->sets > SAMPLED_SETS ? t->sets / SAMPLED_SETS : 1;
	unsigned i;

	memset(out, 0, sizeof(*out));
	for(i = 0; i < TG_STRIPES; i++) {
		out->evicted += tg_load(&t->stripe[i].evicted);
		out->refused += tg_load(&t->stripe[i].refused);
	}
	for(index = 0; index < t->sets; index += step, seen++) {
		const struct tg_set *s = &t->set[index];

		for(i = 0; i < TG_WAYS; i++) {
			uint64_t tag = tg_load(&s->tag[i]);

			live += tag != 0 && !(tag & TG_CLAIM)
					&& (!tg_expired(tg_load(&s->life[i]), now)
							|| tg_is_pinned(tg_pins_of(t, (uint32_t)index), tag,
									now, NULL));
		}
	}
	out->tracked = live * t->sets / seen;
}

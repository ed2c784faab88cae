/*
 * Count-min whose lines are aged when they are used; see countmin.h.
 *
 *   header | row 0: lines of (epoch, 56 counters) | row 1 | row 2 | row 3 |
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/countmin.h"

#include <errno.h>
#include <stdatomic.h>

#define ROWS 4
#define WORDS 7
#define LINE_COUNTERS (WORDS * 8)
#define TRIES 8

struct line
{
	_Alignas(64) _Atomic uint32_t epoch; /* half-life of its counters */
	_Atomic uint64_t counters[WORDS];	 /* 8 of 8 bits each */
};

struct tg_countmin
{
	_Alignas(64) uint64_t half_us;
	uint32_t lines; /* a row */
	struct line line[];
};

/* One counter of one row. */
struct place
{
	struct line *line;
	_Atomic uint64_t *word;
	unsigned shift;
};

static uint32_t lines_of(const struct tg_countmin_config *cfg)
{
	if(cfg == NULL || cfg->counters < LINE_COUNTERS
			|| cfg->counters > UINT32_C(1) << 28 || cfg->half_us < 1000000
			|| cfg->half_us > UINT64_C(1) << 40)
		return 0;
	return (cfg->counters + LINE_COUNTERS - 1) / LINE_COUNTERS;
}

size_t tg_countmin_size(const struct tg_countmin_config *cfg)
{
	uint64_t lines = lines_of(cfg), bytes;

	if(lines == 0)
		return 0;
	bytes = sizeof(struct tg_countmin) + lines * ROWS * sizeof(struct line);
	return bytes <= SIZE_MAX ? (size_t)bytes : 0;
}

int tg_countmin_init(void *mem, size_t size,
		const struct tg_countmin_config *cfg, struct tg_countmin **out)
{
	size_t need = tg_countmin_size(cfg);
	struct tg_countmin *t = mem;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0 || need == 0
			|| size < need)
		return -EINVAL;
	t->half_us = cfg->half_us;
	t->lines = lines_of(cfg);
	*out = t;
	return 0;
}

/* The two independent halves of the hash give one hash for each row (Kirsch,
 * Mitzenmacher 2006). */
static struct place place_of(
		const struct tg_countmin *t, uint64_t id, unsigned row)
{
	uint32_t mixed = (uint32_t)id + row * ((uint32_t)(id >> 32) | 1);
	uint32_t slot =
			(uint32_t)((uint64_t)mixed * t->lines * LINE_COUNTERS >> 32);
	struct line *line =
			(struct line *)&t
					->line[(uint64_t)row * t->lines + slot / LINE_COUNTERS];

	slot %= LINE_COUNTERS;
	return (struct place){line, &line->counters[slot / 8], slot % 8 * 8};
}

/* Half-lives since the line was last used, 0 .. 8; eight halvings empty it. */
static unsigned halvings(const struct line *line, uint32_t epoch)
{
	int32_t passed =
			(int32_t)(epoch
					  - atomic_load_explicit((_Atomic uint32_t *)&line->epoch,
							  memory_order_relaxed));

	return passed <= 0 ? 0 : passed < 8 ? (unsigned)passed : 8;
}

static void halve(_Atomic uint64_t *word, unsigned times)
{
	uint64_t keep = UINT64_C(0x0101010101010101) * (0xffu >> times);
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	int tries;

	for(tries = 0; tries < TRIES && old != 0; tries++)
		if(atomic_compare_exchange_weak_explicit(word, &old,
				   (old >> times) & keep, memory_order_relaxed,
				   memory_order_relaxed))
			return;
}

static void grow_older(struct line *line, uint32_t epoch)
{
	unsigned times = halvings(line, epoch), i;
	uint32_t old;

	if(times == 0)
		return;
	old = atomic_load_explicit(&line->epoch, memory_order_relaxed);
	/* Checked again, since another process may have aged the line. Of several
	 * processes the one that wins the swap halves the counters. */
	if((int32_t)(epoch - old) > 0
			&& atomic_compare_exchange_strong_explicit(&line->epoch, &old,
					epoch, memory_order_relaxed, memory_order_relaxed))
		for(i = 0; i < WORDS; i++)
			halve(&line->counters[i], times);
}

static uint32_t count_at(const struct place *p)
{
	return atomic_load_explicit(p->word, memory_order_relaxed) >> p->shift
		   & 0xff;
}

static void raise_count(const struct place *p, uint32_t to)
{
	uint64_t old = atomic_load_explicit(p->word, memory_order_relaxed);
	int tries;

	for(tries = 0; tries < TRIES; tries++) {
		if((old >> p->shift & 0xff) >= to)
			return;
		if(atomic_compare_exchange_weak_explicit(p->word, &old,
				   (old & ~(UINT64_C(0xff) << p->shift))
						   | (uint64_t)to << p->shift,
				   memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

uint32_t tg_countmin_add(
		struct tg_countmin *t, uint64_t id, uint32_t n, uint64_t now)
{
	uint32_t epoch = (uint32_t)(now / t->half_us), least = TG_COUNTMIN_MAX;
	struct place place[ROWS];
	unsigned row;

	if(n == 0)
		return tg_countmin_read(t, id, now);
	for(row = 0; row < ROWS; row++) {
		place[row] = place_of(t, id, row);
		__builtin_prefetch(place[row].line, 1);
	}
	for(row = 0; row < ROWS; row++) {
		uint32_t count;

		grow_older(place[row].line, epoch);
		count = count_at(&place[row]);
		least = count < least ? count : least;
	}
	least = n < TG_COUNTMIN_MAX - least ? least + n : TG_COUNTMIN_MAX;
	for(row = 0; row < ROWS; row++)
		raise_count(&place[row], least);
	return least;
}

uint32_t tg_countmin_read(
		const struct tg_countmin *t, uint64_t id, uint64_t now)
{
	uint32_t epoch = (uint32_t)(now / t->half_us), least = TG_COUNTMIN_MAX;
	struct place place[ROWS];
	unsigned row;

	for(row = 0; row < ROWS; row++) {
		place[row] = place_of(t, id, row);
		__builtin_prefetch(place[row].line);
	}
	for(row = 0; row < ROWS; row++) {
		uint32_t count =
				count_at(&place[row]) >> halvings(place[row].line, epoch);

		least = count < least ? count : least;
	}
	return least;
}

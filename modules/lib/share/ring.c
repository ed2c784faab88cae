/*
 * Event ring: see ring.h for the contract.
 *
 * Each slot has one atomic word {lap, claim time, pid, state}. Positions only
 * count up: position p uses slot p mod slots in lap p / slots.
 *
 *            claim (writer)       done (writer)
 *   FREE(lap) ---------> CLAIMED(lap) ------> READY(lap)
 *      ^                     |  reader: too old  |
 *      |                     v                   |  reader: copied out
 *      |                 ABANDONED --> RETURNED  |  -> FREE(lap + 1)
 *      |  reader, on its      |  writer  |       |
 *      +--next pass-----------+----------+-------+
 *                          (writer dead)
 *
 * A claim takes the slot and writes the pid into it in one compare-and-swap, so
 * a slot never belongs to an unknown process. The tail moves after the claim,
 * and any process may move it: a writer killed at any instruction holds up no
 * other writer. The reader abandons a claim when its process is dead or when it
 * is older than a second. An abandoned slot still belongs to its writer, which
 * may wake at any time and go on copying. The slot is then a hole: writers and
 * the reader step over it until its writer says that it is done (RETURNED) or
 * is dead. Hence two processes never write the same bytes, and no late writer
 * can tear a record.
 *
 * Only the reader makes slots FREE, and only when its head passes them, so a
 * slot is a hole for a whole lap or not at all. A writer takes a slot for a
 * hole only after it saw the head past the slot's previous lap. The reader
 * frees a hole only when the tail has passed it. So no writer can claim a slot
 * that another writer steps over.
 *
 * Memory bound: tg_ring_size(). Locking: none; push is lock-free with a bounded
 * number of tries (then the record is dropped), pop is for one process only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/share/process.h"

#define LINE 64u
#define MIN_SLOTS 8u
#define MAX_SLOTS (1u << 20)
#define MAX_RECORD 4096u
/* A try fails only because another writer made progress or because the slot is
 * a hole. After so many failures the record is dropped. */
#define MAX_TRIES 4096u

/* Word: lap 27 | claim time 12 | pid 22 | state 3. Linux keeps process numbers
 * below 2^22. Times are in units of 2^18 us (a quarter of a second), modulo 18
 * minutes; laps modulo 2^27 (a thousand million pushes with 8 slots). */
enum state
{
	FREE, /* 0: zero-filled memory is an empty ring */
	CLAIMED,
	READY,
	ABANDONED,
	RETURNED
};
#define STATE_BITS 3u
#define PID_BITS 22u
#define TIME_BITS 12u
#define LAP_BITS 27u
#define TIME_UNIT 18u
#define TIME_MASK ((1u << TIME_BITS) - 1)
/* Four units and a bit are at least one second. */
#define TOO_OLD 4u
/* Clocks of two processors may differ: a time up to this far ahead of `now` is
 * not taken for one 18 minutes ago. */
#define AHEAD 4u

struct slot
{
	_Alignas(LINE) _Atomic uint64_t word;
	unsigned char record[];
};

struct tg_ring
{
	_Alignas(LINE) uint32_t shift; /* slots = 1 << shift; constant */
	uint32_t record;
	uint32_t stride;
	_Alignas(LINE) _Atomic uint64_t tail;	 /* next position to claim */
	_Alignas(LINE) _Atomic uint64_t head;	 /* next position to read */
	_Alignas(LINE) _Atomic uint64_t dropped; /* since init */
};

static uint64_t make_word(
		uint32_t lap, uint32_t when, pid_t pid, enum state state)
{
	return (uint64_t)lap << (TIME_BITS + PID_BITS + STATE_BITS)
		   | (uint64_t)when << (PID_BITS + STATE_BITS)
		   | (uint64_t)pid << STATE_BITS | state;
}

static uint32_t lap_of(uint64_t word)
{
	return (uint32_t)(word >> (TIME_BITS + PID_BITS + STATE_BITS));
}

static uint32_t when_of(uint64_t word)
{
	return (uint32_t)(word >> (PID_BITS + STATE_BITS)) & TIME_MASK;
}

static pid_t pid_of(uint64_t word)
{
	return (pid_t)(word >> STATE_BITS & ((1u << PID_BITS) - 1));
}

static enum state state_of(uint64_t word)
{
	return (enum state)(word & ((1u << STATE_BITS) - 1));
}

static uint64_t with_state(uint64_t word, enum state state)
{
	return (word & ~(uint64_t)((1u << STATE_BITS) - 1)) | state;
}

static uint32_t lap_at(const struct tg_ring *r, uint64_t position)
{
	return (uint32_t)(position >> r->shift) & ((1u << LAP_BITS) - 1);
}

/* Laps from `a` to `b`, negative when b lies behind. */
static int32_t laps_ahead(uint32_t a, uint32_t b)
{
	return (int32_t)((b - a) << (32 - LAP_BITS)) >> (32 - LAP_BITS);
}

static struct slot *slot_at(const struct tg_ring *r, uint64_t position)
{
	uint64_t i = position & ((1ull << r->shift) - 1);

	return (struct slot *)((char *)(r + 1) + i * r->stride);
}

static uint32_t time_of(uint64_t now)
{
	return (uint32_t)(now >> TIME_UNIT) & TIME_MASK;
}

static int lay_out(const struct tg_ring_config *cfg, struct tg_ring *r)
{
	uint32_t shift = 0;

	if(cfg->slots < MIN_SLOTS || cfg->slots > MAX_SLOTS || cfg->record < 1
			|| cfg->record > MAX_RECORD)
		return -EINVAL;
	while(1u << shift < cfg->slots)
		shift++;
	r->shift = shift;
	r->record = cfg->record;
	r->stride =
			(uint32_t)(offsetof(struct slot, record) + cfg->record + LINE - 1)
			/ LINE * LINE;
	return 0;
}

size_t tg_ring_size(const struct tg_ring_config *cfg)
{
	struct tg_ring r;

	return lay_out(cfg, &r) == 0 ? sizeof(r) + ((size_t)r.stride << r.shift)
								 : 0;
}

int tg_ring_init(void *mem, size_t size, const struct tg_ring_config *cfg,
		struct tg_ring **out)
{
	size_t need = tg_ring_size(cfg);

	if(need == 0 || size < need || (uintptr_t)mem % LINE != 0)
		return -EINVAL;
	*out = mem;
	return lay_out(cfg, *out);
}

/* --- writers ------------------------------------------------------------ */

/* Moves the tail past `position` if no other process has done so. */
static void pass_tail(struct tg_ring *r, uint64_t position)
{
	atomic_compare_exchange_strong(&r->tail, &position, position + 1);
}

static int drop(struct tg_ring *r)
{
	atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
	return -ENOBUFS;
}

/* Claims a slot for this process. NULL: the ring is full. */
static struct slot *claim(struct tg_ring *r, uint64_t now, uint64_t *mine)
{
	pid_t self = tg_process_self();

	for(unsigned tries = 0; tries < MAX_TRIES; tries++) {
		uint64_t tail = atomic_load(&r->tail);
		uint64_t head = atomic_load(&r->head);
		struct slot *slot = slot_at(r, tail);
		uint64_t word = atomic_load(&slot->word);
		enum state state = state_of(word);
		int32_t ahead = laps_ahead(lap_at(r, tail), lap_of(word));

		if(state == ABANDONED || state == RETURNED) {
			if((tail - head) >> r->shift != 0 && tail == atomic_load(&r->tail))
				return NULL;
			pass_tail(r, tail);
		} else if(ahead < 0) {
			return NULL; /* the last lap's record was not read yet */
		} else if(ahead > 0 || state != FREE) {
			pass_tail(r, tail); /* another writer took it */
		} else {
			*mine = make_word(lap_at(r, tail), time_of(now), self, CLAIMED);
			if(atomic_compare_exchange_strong(&slot->word, &word, *mine)) {
				pass_tail(r, tail);
				return slot;
			}
		}
	}
	return NULL;
}

int tg_ring_push(struct tg_ring *r, const void *record, uint64_t now)
{
	uint64_t mine, word;
	struct slot *slot = claim(r, now, &mine);

	if(slot == NULL)
		return drop(r);
	memcpy(slot->record, record, r->record);
	word = mine;
	if(atomic_compare_exchange_strong(
			   &slot->word, &word, with_state(mine, READY)))
		return 0;
	/* The reader has given this push up and counted it as lost. Tell it that
	 * this process no longer touches the slot. */
	atomic_compare_exchange_strong(
			&slot->word, &word, with_state(word, RETURNED));
	return -ENOBUFS;
}

/* --- the reader --------------------------------------------------------- */

/* Frees the slot for its next lap, then moves the head. The order matters: the
 * successor of a reader killed in between sees that the slot was read. */
static void pass_head(struct tg_ring *r, struct slot *slot, uint64_t head)
{
	atomic_store(&slot->word,
			make_word(lap_at(r, head + (1ull << r->shift)), 0, 0, FREE));
	atomic_store(&r->head, head + 1);
}

/* Whether the reader abandons the claim: its process is dead or took too
 * long. */
static int given_up(uint64_t word, uint64_t now)
{
	uint32_t age = (time_of(now) - when_of(word)) & TIME_MASK;

	return tg_process_gone(pid_of(word))
		   || (age > TOO_OLD && age < TIME_MASK - AHEAD);
}

int tg_ring_pop(struct tg_ring *r, void *record, uint64_t now)
{
	uint64_t steps = 2ull << r->shift;

	while(steps-- > 0) {
		uint64_t head = atomic_load(&r->head);
		struct slot *slot = slot_at(r, head);
		uint64_t word = atomic_load(&slot->word);

		/* A reader before this one freed the slot and was killed before it
		 * moved the head; a writer may have taken the slot since. */
		if(laps_ahead(lap_at(r, head), lap_of(word)) > 0) {
			atomic_store(&r->head, head + 1);
			continue;
		}
		switch(state_of(word)) {
			case FREE:
				return -EAGAIN;
			case READY:
				pass_tail(r, head);
				memcpy(record, slot->record, r->record);
				pass_head(r, slot, head);
				return 0;
			case CLAIMED:
				if(!given_up(word, now))
					return -EAGAIN;
				/* fails when the writer has finished: look again */
				if(atomic_compare_exchange_strong(
						   &slot->word, &word, with_state(word, ABANDONED)))
					drop(r);
				break;
			case ABANDONED:
			case RETURNED:
				pass_tail(r, head);
				if(state_of(word) == RETURNED || tg_process_gone(pid_of(word)))
					pass_head(r, slot, head);
				else
					atomic_store(&r->head, head + 1);
				break;
		}
	}
	return -EAGAIN;
}

uint64_t tg_ring_dropped(const struct tg_ring *r)
{
	return atomic_load_explicit(&r->dropped, memory_order_relaxed);
}

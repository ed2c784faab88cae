/*
 * Snapshots: see snapshot.h for the contract.
 *
 *   header (one atomic `current` = {generation, slot}) | readers, a cache line
 *   each | slots, page-aligned
 *
 * Why the writer never reuses a slot that a reader is in
 *
 * A reader's word is {generation, exact or from, pid}. "exact" protects the
 * slot of that generation, "from" every slot of that generation or a later one.
 * All steps marked * are sequentially consistent, hence in one total order.
 *
 *   reader   R1  c1 = current                writer  W1* current = next
 *            R2* word = exact(c1)                    W2* scan all words
 *            R3* c2 = current                        W3  reuse the slot if
 *            R4  use c2 when c2 == c1                    no word protects it
 *
 * The writer reuses the slot of generation g only after a scan (W2) that began
 * after g was replaced (W1). A reader that uses g read it in R3, hence before
 * that W1. Its R2 is earlier still, so W2 sees the word of R2 or a later word
 * of the same reader. A later word means that the reader has left g: the
 * release of that store orders its reads before the writer's writes.
 *
 * When c2 != c1, a publish came in between. The reader then stores from(c1),
 * reads c3 = current, and narrows the word to exact(c3) before use. Since c3 >=
 * c1, both words protect c3, and the proof above holds with from(c1) as R2. No
 * third round is needed: enter is wait-free.
 *
 * Pid and generation share one word. So a dead reader is cleared by one
 * compare-and-swap, which cannot hit the section of another process.
 *
 * Memory bound: tg_snapshot_size(); real memory only for slots in use.
 * Failure mode: a reader that never leaves keeps one slot; with 3 slots reloads
 * go on in the other two. A reader stopped in its (rare) second round, between
 * from(c1) and exact(c3), keeps all newer slots too until it goes on or dies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/snapshot.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/share/process.h"

#define MAX_SLOTS 8u
#define MAX_READERS 65536u
#define LINE 64u

/* Reader's word: generation << 23 | from << 22 | pid. Linux keeps process
 * numbers below 2^22. 0 = outside. */
#define PID_BITS 22u
#define PID_MASK ((1u << PID_BITS) - 1)
#define WORD_FROM (1ull << PID_BITS)
#define WORD_SHIFT (PID_BITS + 1)
/* `current`: generation << 8 | slot. 0 = nothing published. */
#define SLOT_BITS 8u
#define MAX_GENERATION ((1ull << (64 - WORD_SHIFT)) - 1)

struct reader
{
	_Alignas(LINE) _Atomic uint64_t word;
	/* Only the reader's own process looks at these, inside a section. */
	uint32_t slot;	/* that its word protects */
	uint32_t depth; /* sections within each other */
};

struct slot
{
	uint64_t generation; /* 0 = holds nothing; only the writer reads it */
	uint64_t used;
};

struct tg_snapshots
{
	_Alignas(LINE) _Atomic uint64_t current;
	_Alignas(LINE) uint32_t slots; /* constant from here ... */
	uint32_t readers;
	uint64_t slot_bytes;
	uint64_t slots_at; /* ... to here */
	struct slot slot[MAX_SLOTS];
	uint64_t last;	/* newest generation given out */
	uint32_t begun; /* slot + 1 being built, 0 = none */
	_Alignas(LINE) struct reader reader[];
};

struct layout
{
	size_t slots_at, slot_bytes, total;
};

static int lay_out(const struct tg_snapshot_config *cfg, struct layout *l)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all;

	if(cfg->slots < 2 || cfg->slots > MAX_SLOTS || cfg->readers < 1
			|| cfg->readers > MAX_READERS || cfg->slot_bytes == 0
			|| cfg->slot_bytes > SIZE_MAX - page)
		return -EINVAL;
	l->slot_bytes = (cfg->slot_bytes + page - 1) / page * page;
	l->slots_at =
			sizeof(struct tg_snapshots) + cfg->readers * sizeof(struct reader);
	l->slots_at = (l->slots_at + page - 1) / page * page;
	if(__builtin_mul_overflow(l->slot_bytes, cfg->slots, &all)
			|| __builtin_add_overflow(all, l->slots_at, &l->total))
		return -EINVAL;
	return 0;
}

static uint64_t generation_of(uint64_t current)
{
	return current >> SLOT_BITS;
}

static uint32_t slot_of(uint64_t current)
{
	return (uint32_t)(current & ((1u << SLOT_BITS) - 1));
}

static char *slot_mem(const struct tg_snapshots *s, uint32_t slot)
{
	return (char *)s + s->slots_at + slot * s->slot_bytes;
}

/* Fails on memory that is locked (mlockall) or not a shared mapping. The memory
 * is then kept and reused. */
static void give_back(struct tg_snapshots *s, uint32_t slot, size_t from)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	from = (from + page - 1) / page * page;
	if(from < s->slot_bytes)
		(void)madvise(
				slot_mem(s, slot) + from, s->slot_bytes - from, MADV_REMOVE);
}

size_t tg_snapshot_size(const struct tg_snapshot_config *cfg)
{
	struct layout l;

	return lay_out(cfg, &l) == 0 ? l.total : 0;
}

int tg_snapshot_init(void *mem, size_t size,
		const struct tg_snapshot_config *cfg, struct tg_snapshots **out)
{
	struct tg_snapshots *s = mem;
	struct layout l;

	if(lay_out(cfg, &l) != 0 || size < l.total
			|| (uintptr_t)mem % (size_t)sysconf(_SC_PAGESIZE) != 0)
		return -EINVAL;
	s->slots = cfg->slots;
	s->readers = cfg->readers;
	s->slot_bytes = l.slot_bytes;
	s->slots_at = l.slots_at;
	*out = s;
	return 0;
}

/* --- writer ------------------------------------------------------------- */

/* The reader's word, after clearing it if its process is dead. */
static uint64_t live_word(struct reader *r)
{
	uint64_t word = atomic_load(&r->word);

	if(word != 0 && tg_process_gone((pid_t)(word & PID_MASK))) {
		/* When this fails, another process has entered: return its word. */
		if(atomic_compare_exchange_strong(&r->word, &word, 0))
			return 0;
	}
	return word;
}

static int protects(uint64_t word, uint64_t generation)
{
	uint64_t announced = word >> WORD_SHIFT;

	if(word == 0)
		return 0;
	return word & WORD_FROM ? generation >= announced : generation == announced;
}

static int still_read(struct tg_snapshots *s, uint32_t slot)
{
	uint64_t generation = s->slot[slot].generation;

	for(uint32_t i = 0; i < s->readers; i++)
		if(protects(atomic_load(&s->reader[i].word), generation)
				&& protects(live_word(&s->reader[i]), generation))
			return 1;
	return 0;
}

/* Whether the slot is not the current one. A slot being built has generation 0
 * and needs no check here. */
static int is_spare(const struct tg_snapshots *s, uint32_t slot)
{
	uint64_t current = atomic_load(&s->current);

	return current == 0 || slot_of(current) != slot;
}

int tg_snapshot_begin(struct tg_snapshots *s, void **mem, size_t *size)
{
	uint32_t i, found = s->slots;

	/* A writer that died while it built a snapshot left its slot begun. */
	if(s->begun != 0)
		tg_snapshot_abort(s);
	for(i = 0; i < s->slots && found == s->slots; i++)
		if(is_spare(s, i) && s->slot[i].generation == 0)
			found = i;
	for(i = 0; i < s->slots && found == s->slots; i++)
		if(is_spare(s, i) && !still_read(s, i))
			found = i;
	if(found == s->slots)
		return -EBUSY;
	s->slot[found].generation = 0;
	s->begun = found + 1;
	*mem = slot_mem(s, found);
	*size = s->slot_bytes;
	return 0;
}

int64_t tg_snapshot_publish(struct tg_snapshots *s, size_t used)
{
	uint32_t slot = s->begun - 1;

	if(s->begun == 0 || used > s->slot_bytes)
		return -EINVAL;
	if(s->last == MAX_GENERATION)
		return -EOVERFLOW;
	give_back(s, slot, used);
	s->slot[slot].used = used;
	s->slot[slot].generation = ++s->last;
	s->begun = 0;
	atomic_store(&s->current, s->last << SLOT_BITS | slot);
	return (int64_t)s->last;
}

void tg_snapshot_abort(struct tg_snapshots *s)
{
	if(s->begun != 0)
		give_back(s, s->begun - 1, 0);
	s->begun = 0;
}

int tg_snapshot_reclaim(struct tg_snapshots *s)
{
	int waiting = 0;

	for(uint32_t i = 0; i < s->slots; i++) {
		if(!is_spare(s, i) || s->slot[i].generation == 0)
			continue;
		if(still_read(s, i)) {
			waiting++;
			continue;
		}
		give_back(s, i, 0);
		s->slot[i].generation = 0;
	}
	return waiting;
}

int tg_snapshot_stuck(struct tg_snapshots *s, uint32_t *reader, pid_t *pid,
		uint64_t *generation)
{
	uint64_t oldest = tg_snapshot_generation(s);
	int rc = -ENOENT;

	for(uint32_t i = 0; i < s->readers; i++) {
		uint64_t word = live_word(&s->reader[i]);

		if(word == 0 || word >> WORD_SHIFT >= oldest)
			continue;
		oldest = word >> WORD_SHIFT;
		*reader = i;
		*pid = (pid_t)(word & PID_MASK);
		*generation = oldest;
		rc = 0;
	}
	return rc;
}

/* --- readers ------------------------------------------------------------ */

static uint64_t own_word(const struct reader *r)
{
	return atomic_load_explicit(&r->word, memory_order_relaxed);
}

static pid_t pid_of(uint64_t word)
{
	return (pid_t)(word & PID_MASK);
}

/* What a section sees: the slot that its reader's word protects. */
static const void *show(const struct tg_snapshots *s, const struct reader *r,
		size_t *used, uint64_t *generation)
{
	if(used != NULL)
		*used = s->slot[r->slot].used;
	if(generation != NULL)
		*generation = own_word(r) >> WORD_SHIFT;
	return slot_mem(s, r->slot);
}

const void *tg_snapshot_enter(struct tg_snapshots *s, uint32_t reader,
		size_t *used, uint64_t *generation)
{
	pid_t self = tg_process_self();
	struct reader *r;
	uint64_t current, again, word;

	if(reader >= s->readers)
		return NULL;
	r = &s->reader[reader];
	word = own_word(r);
	if(word != 0 && pid_of(word) == self) {
		/* Within a section of its own: the same snapshot once more. */
		r->depth++;
		return show(s, r, used, generation);
	}
	if(word != 0 && !tg_process_gone(pid_of(word)))
		return NULL;
	current = atomic_load(&s->current);
	if(current == 0)
		return NULL;
	word = generation_of(current) << WORD_SHIFT | (uint64_t)self;
	atomic_store(&r->word, word);
	again = atomic_load(&s->current);
	if(again != current) {
		atomic_store(&r->word, word | WORD_FROM);
		current = atomic_load(&s->current);
		atomic_store(&r->word,
				generation_of(current) << WORD_SHIFT | (uint64_t)self);
	}
	r->slot = slot_of(current);
	r->depth = 1;
	return show(s, r, used, generation);
}

void tg_snapshot_leave(struct tg_snapshots *s, uint32_t reader)
{
	struct reader *r;

	if(reader >= s->readers)
		return;
	r = &s->reader[reader];
	/* Not for a section of another process, and not where enter gave NULL. */
	if(pid_of(own_word(r)) == tg_process_self() && --r->depth == 0)
		atomic_store_explicit(&r->word, 0, memory_order_release);
}

uint64_t tg_snapshot_generation(const struct tg_snapshots *s)
{
	return generation_of(atomic_load(&s->current));
}

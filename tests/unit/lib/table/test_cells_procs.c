/*
 * The cell table between processes: exact totals, limits that hold, and a table
 * that stays usable whoever is killed in the middle of a write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/procs.h"

#include "lib/table/cells.h"
#include "lib/table/cells_set.h"
#include "lib/share/hash.h"
#include "lib/share/region.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define NOW (1000 * SECOND)

static const struct tg_hashkey key = {5, 6};

static uint64_t id_of(uint32_t n)
{
	return tg_hash_id(&key, 7, &n, sizeof(n));
}

static struct tg_cells *shared(
		struct tg_region *r, uint32_t cells, int admission)
{
	struct tg_cells_config cfg = {cells, admission};
	struct tg_cells *t = NULL;

	assert_int_equal(tg_region_map(r, tg_cells_size(&cfg)), 0);
	assert_int_equal(tg_cells_init(r->base, r->size, &cfg, &t), 0);
	return t;
}

enum
{
	WORKERS = 16,
	KEYS = 50,
	TURNS = 200
};

/* Every process enters every key, so claims of the same key meet as well. */
static int count_all(void *table, unsigned self)
{
	unsigned turn, k;
	uint32_t seen;

	for(turn = 0; turn < TURNS; turn++)
		for(k = 0; k < KEYS; k++)
			if(tg_cells_add(table, id_of((k + self) % KEYS), 1, 60 * SECOND,
					   NOW, &seen)
					!= 0)
				return 1;
	return 0;
}

static void assert_all_counted(struct tg_cells *t)
{
	unsigned k;
	uint32_t seen;

	for(k = 0; k < KEYS; k++) {
		assert_int_equal(
				tg_cells_peek(t, id_of(k), 60 * SECOND, NOW, &seen), 0);
		assert_int_equal(seen, WORKERS * TURNS);
	}
}

static void sixteen_processes_lose_no_event(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4096, 0);

	(void)state;
	assert_int_equal(procs_run(WORKERS, count_all, t), 0);
	assert_all_counted(t);
	tg_region_unmap(&r);
}

static void *count_all_thread(void *table)
{
	return count_all(table, 0) == 0 ? table : NULL;
}

/* The same among threads: what ThreadSanitizer can see. */
static void sixteen_threads_lose_no_event(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4096, 0);
	pthread_t thread[WORKERS];
	void *result;
	unsigned i;

	(void)state;
	for(i = 0; i < WORKERS; i++)
		assert_int_equal(
				pthread_create(&thread[i], NULL, count_all_thread, t), 0);
	for(i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(thread[i], &result), 0);
		assert_ptr_equal(result, t);
	}
	assert_all_counted(t);
	tg_region_unmap(&r);
}

/* How many of 1000 attempts pass a limit of 100; the exit status tells. */
static int count_up_to_100(void *table, unsigned self)
{
	uint32_t seen;
	int i, passed = 0;

	(void)self;
	for(i = 0; i < 1000; i++)
		passed += tg_cells_add_limited(
						  table, id_of(1), 1, 100, 60 * SECOND, NOW, &seen)
				  == 0;
	(void)tg_cells_add(
			table, id_of(2), (uint32_t)passed + 1, 60 * SECOND, NOW, &seen);
	return 0;
}

static void a_limit_holds_among_processes(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4096, 0);
	uint32_t seen;

	(void)state;
	/* the cell exists: its first claim is another test */
	assert_int_equal(tg_cells_add(t, id_of(1), 1, 60 * SECOND, NOW, &seen), 0);
	assert_int_equal(procs_run(WORKERS, count_up_to_100, t), 0);
	tg_cells_peek(t, id_of(1), 60 * SECOND, NOW, &seen);
	assert_int_equal(seen, 100);
	tg_cells_peek(t, id_of(2), 60 * SECOND, NOW, &seen);
	assert_int_equal(seen, 99 + WORKERS);
	tg_region_unmap(&r);
}

/* Takes as often as it can within one moment; reports through a cell. */
static int take_all(void *table, unsigned self)
{
	uint64_t retry;
	uint32_t seen;
	int i;

	(void)self;
	for(i = 0; i < 500; i++)
		if(tg_cells_take(table, id_of(1), 1000, 300, NOW, &retry) == 0)
			(void)tg_cells_add(table, id_of(2), 1, 60 * SECOND, NOW, &seen);
	return 0;
}

static void a_burst_is_shared_among_processes(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4096, 0);
	uint64_t retry;
	uint32_t seen;

	(void)state;
	assert_int_equal(tg_cells_take(t, id_of(1), 1000, 300, NOW, &retry), 0);
	assert_int_equal(procs_run(WORKERS, take_all, t), 0);
	tg_cells_peek(t, id_of(2), 60 * SECOND, NOW, &seen);
	assert_int_equal(seen, 299);
	tg_region_unmap(&r);
}

/* Each process has keys of its own, a new one every third event, in a table of
 * four cells: they displace one another all the time. Only the owner counts, so
 * it must see one more than the last time or, displaced, one; anything else is
 * somebody else's count. */
static int count_own(void *table, unsigned self)
{
	uint32_t last = 0, seen = 0;
	int i, rc;

	for(i = 0; i < 20000; i++) {
		uint32_t own = self * 1000000 + (uint32_t)i / 3;

		if(i % 3 == 0)
			last = 0;
		rc = tg_cells_add(table, id_of(own), 1, 60 * SECOND, NOW, &seen);
		if(rc == -ENOSPC)
			continue;
		if(rc != 0 || (seen != last + 1 && seen != 1))
			return 1;
		last = seen;
	}
	return 0;
}

static void a_displaced_key_never_counts_for_its_successor(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4, 0);
	struct tg_cells_stats st;

	(void)state;
	assert_int_equal(procs_run(WORKERS, count_own, t), 0);
	tg_cells_read_stats(t, &st);
	print_message("%lu displacements\n", (unsigned long)st.evicted);
	assert_true(st.evicted > 10000);
	tg_region_unmap(&r);
}

/* Everything at once on a table far too small, until killed. Whatever it reads
 * must be plausible: no key ever gets more than one event per call. */
static int churn(void *table, unsigned self)
{
	uint64_t seed = self * 7919 + 1, now = NOW, retry, until;
	uint32_t seen;

	for(;;) {
		uint32_t n;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		n = (uint32_t)(seed >> 33) % 300;
		now += (seed >> 20) % 50;
		switch(seed >> 61) {
			case 0:
				(void)tg_cells_take(
						table, id_of(1000 + n), 1000, 5, now, &retry);
				break;
			case 1:
				if(n < 40)
					(void)tg_cells_pin(table, id_of(n), now + 3000, now);
				break;
			case 2:
				if(n < 20)
					(void)tg_cells_forget(table, id_of(n));
				if(tg_cells_pinned(table, id_of(n), now, &until) == 0
						&& n >= 40)
					return 3; /* was never pinned by anybody */
				break;
			default:
				(void)tg_cells_add(table, id_of(n), 1, SECOND, now, &seen);
		}
	}
}

/* A key lies in its own set only. */
static void assert_sound(struct tg_cells *t)
{
	uint32_t i;
	unsigned way;

	for(i = 0; i < t->sets; i++)
		for(way = 0; way < TG_WAYS; way++) {
			uint64_t tag = tg_load(&t->set[i].tag[way]);

			if(tag != 0 && !(tag & TG_CLAIM))
				assert_int_equal(tg_set_index(t, tag), i);
		}
}

static void killed_writers_leave_a_usable_table(void **state)
{
	enum
	{
		ROUNDS = 400
	};
	struct tg_region r;
	struct tg_cells *t = shared(&r, 64, 1);
	struct tg_cells_stats st;
	struct procs p;
	uint64_t later = NOW + 1000000 * SECOND;
	uint32_t seen, claims = 0;
	unsigned round, n, way;

	(void)state;
	procs_start(&p, 4, churn, t);
	for(round = 0; round < ROUNDS; round++) {
		procs_kill_one(&p, round % 4);
		assert_sound(t);
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	for(n = 0; n < t->sets; n++)
		for(way = 0; way < TG_WAYS; way++)
			claims += (tg_load(&t->set[n].tag[way]) & TG_CLAIM) != 0;
	print_message(
			"%u writers killed, %u claims left behind\n", ROUNDS + 4, claims);
	/* later, every cell of every set can be had again, and counts exactly */
	for(n = 0; n < 64 * 40; n++) {
		later += 10 * SECOND;
		assert_int_equal(tg_cells_add(t, id_of(n), 2, SECOND, later, &seen), 0);
		assert_int_equal(seen, 2);
		assert_int_equal(tg_cells_add(t, id_of(n), 2, SECOND, later, &seen), 0);
		assert_int_equal(seen, 4);
	}
	tg_cells_read_stats(t, &st);
	assert_true(st.tracked >= 1);
	tg_region_unmap(&r);
}

/* What a process killed in the middle of a claim leaves, made by hand: nobody
 * else gets the cell for a second, then anybody does. */
static void an_abandoned_claim_is_taken_over(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4, 0);
	struct tg_set *s = &t->set[0];
	uint64_t mark = tg_claim_mark(tg_tag(id_of(99)), NOW);
	uint32_t seen, i;

	(void)state;
	for(i = 0; i < TG_WAYS; i++)
		atomic_store(&s->tag[i], mark + (i << 1));
	assert_int_equal(
			tg_cells_add(t, id_of(1), 1, SECOND, NOW + 1000, &seen), -ENOSPC);
	assert_int_equal(seen, 1);
	for(i = 1; i <= TG_WAYS; i++) {
		assert_int_equal(
				tg_cells_add(t, id_of(i), 3, SECOND, NOW + 2 * SECOND, &seen),
				0);
		assert_int_equal(seen, 3);
	}
	for(i = 1; i <= TG_WAYS; i++) {
		tg_cells_peek(t, id_of(i), SECOND, NOW + 2 * SECOND, &seen);
		assert_int_equal(seen, 3);
	}
	tg_region_unmap(&r);
}

/* The same for a pin: nobody is banned by half a pin, and the slot is not lost. */
static void an_abandoned_pin_is_taken_over(void **state)
{
	struct tg_region r;
	struct tg_cells *t = shared(&r, 4, 0);
	struct tg_pins *pins = tg_pins_of(t, 0);
	uint64_t tag = tg_tag(id_of(99));
	unsigned p;

	(void)state;
	for(p = 0; p < TG_PINS; p++) {
		atomic_store(&pins->tag[p], tag);
		atomic_store(&pins->until[p], tg_claim_mark(tag, NOW));
	}
	assert_int_equal(tg_cells_pinned(t, id_of(99), NOW, NULL), -ENOENT);
	assert_int_equal(tg_cells_unpin(t, id_of(99)), -ENOENT);
	assert_int_equal(
			tg_cells_pin(t, id_of(1), NOW + 9 * SECOND, NOW + 1), -ENOSPC);
	for(p = 1; p <= TG_PINS; p++)
		assert_int_equal(
				tg_cells_pin(t, id_of(p), NOW + 9 * SECOND, NOW + 2 * SECOND),
				0);
	assert_int_equal(tg_cells_pinned(t, id_of(1), NOW + 2 * SECOND, NULL), 0);
	assert_int_equal(
			tg_cells_pinned(t, id_of(99), NOW + 2 * SECOND, NULL), -ENOENT);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(sixteen_processes_lose_no_event),
			cmocka_unit_test(sixteen_threads_lose_no_event),
			cmocka_unit_test(a_limit_holds_among_processes),
			cmocka_unit_test(a_burst_is_shared_among_processes),
			cmocka_unit_test(a_displaced_key_never_counts_for_its_successor),
			cmocka_unit_test(killed_writers_leave_a_usable_table),
			cmocka_unit_test(an_abandoned_claim_is_taken_over),
			cmocka_unit_test(an_abandoned_pin_is_taken_over),
	};

	return cmocka_run_group_tests_name("cells_procs", tests, NULL, NULL);
}

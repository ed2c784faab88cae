/*
 * The record store between processes: no lost update, no torn record, whoever is
 * killed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/procs.h"

#include "lib/share/region.h"
#include "lib/table/store.h"

#include <errno.h>

#define NOW UINT64_C(1000000000)
#define FOREVER UINT64_MAX

enum
{
	WIDE = 500,
	KEYS = 40
};

/* All words equal, or the record is torn. */
struct wide
{
	uint64_t word[WIDE];
};

static struct tg_store *shared_store(struct tg_region *r, uint32_t records)
{
	struct tg_store_config cfg = {records, sizeof(struct wide)};
	struct tg_store *s = NULL;

	assert_int_equal(tg_region_map(r, tg_store_size(&cfg)), 0);
	assert_int_equal(tg_store_init(r->base, r->size, &cfg, &s), 0);
	return s;
}

static int count_up(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct wide *w = payload;
	int i;

	(void)fresh, (void)expires, (void)rank, (void)arg;
	for(i = 0; i < WIDE; i++)
		w->word[i]++;
	return 1;
}

static int edit_stubbornly(struct tg_store *s, uint64_t id)
{
	int rc, tries;

	for(tries = 0; tries < 1000; tries++) {
		rc = tg_store_edit(s, id, 0, FOREVER, NOW, count_up, NULL);
		if(rc != -EBUSY)
			break;
	}
	return rc;
}

static int increment(void *table, unsigned self)
{
	int i;

	(void)self;
	for(i = 0; i < 5000; i++)
		if(edit_stubbornly(table, 1 + (unsigned)i % 4) != 0)
			return 1;
	return 0;
}

static void sixteen_processes_lose_no_update(void **state)
{
	struct tg_region r;
	struct tg_store *s = shared_store(&r, 8);
	struct wide w;
	uint64_t id;

	(void)state;
	assert_int_equal(procs_run(16, increment, s), 0);
	for(id = 1; id <= 4; id++) {
		assert_int_equal(tg_store_get(s, id, NOW, &w), 0);
		assert_int_equal(w.word[0], 16 * 5000 / 4);
		assert_int_equal(w.word[WIDE - 1], 16 * 5000 / 4);
	}
	tg_region_unmap(&r);
}

static int churn(void *table, unsigned self)
{
	uint64_t seed = self * 7919 + 1, expires = FOREVER;
	struct wide w;

	for(;;) { /* until it is killed */
		uint64_t id;
		int i;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		id = 1 + (seed >> 33) % KEYS;
		for(i = 0; i < WIDE; i++)
			w.word[i] = seed;
		if((seed >> 60) < 8)
			(void)tg_store_edit(table, id, 0, expires, NOW, count_up, NULL);
		else if((seed >> 60) < 15)
			(void)tg_store_put(table, id, 0, expires, NOW, &w);
		else
			(void)tg_store_del(table, id);
	}
	return 0;
}

static void killed_writers_tear_nothing(void **state)
{
	enum
	{
		ROUNDS = 200
	};
	struct tg_region r;
	/* two sets for forty keys: evictions all the time */
	struct tg_store *s = shared_store(&r, 16);
	struct tg_store_stats st;
	struct procs p;
	unsigned round;

	(void)state;
	procs_start(&p, 4, churn, s);
	for(round = 0; round < ROUNDS; round++) {
		uint32_t cursor = 0, live = 0;
		uint64_t id;
		struct wide w;
		int rc, i, busy = 0;

		procs_kill_one(&p, round % 4);
		while((rc = tg_store_next(s, &cursor, NOW, &id, NULL, &w)) != -ENOENT) {
			if(rc == -EBUSY) {
				assert_true(++busy < 1000);
				continue;
			}
			assert_in_range(id, 1, KEYS);
			for(i = 1; i < WIDE; i++)
				assert_int_equal(w.word[i], w.word[0]);
			assert_true(++live <= 16);
		}
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	/* every set still works */
	for(round = 1; round <= KEYS; round++)
		assert_int_equal(edit_stubbornly(s, round), 0);
	tg_store_read_stats(s, &st);
	print_message("%u writers killed, %lu of them inside a set\n", ROUNDS + 4,
			(unsigned long)st.recovered);
	assert_int_equal(st.used, 16);
	assert_true(st.recovered > 0);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(sixteen_processes_lose_no_update),
			cmocka_unit_test(killed_writers_tear_nothing),
	};

	return cmocka_run_group_tests_name("store_procs", tests, NULL, NULL);
}

/*
 * The record store with time handed in, in one process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/table/store.h"

#include <errno.h>
#include <string.h>

#define NOW UINT64_C(1000000000)
#define FOREVER UINT64_MAX

struct rec
{
	uint64_t n;
	char pad[92];
};

static struct tg_store *store(uint32_t records, uint32_t payload)
{
	struct tg_store_config cfg = {records, payload};
	size_t size = tg_store_size(&cfg);
	struct tg_store *s = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_store_init(support_memory(size), size, &cfg, &s), 0);
	return s;
}

static void put(struct tg_store *s, uint64_t id, uint8_t rank, uint64_t n,
		uint64_t expires, uint64_t now)
{
	struct rec r = {.n = n};

	assert_int_equal(tg_store_put(s, id, rank, expires, now, &r), 0);
}

/* The value, or 0 when there is none. */
static uint64_t get(struct tg_store *s, uint64_t id, uint64_t now)
{
	struct rec r;
	int rc = tg_store_get(s, id, now, &r);

	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0 ? r.n : 0;
}

static void refuses_bad_arguments(void **state)
{
	struct tg_store_config cfg = {7, 8};
	struct tg_store *s;
	char *mem = support_memory(65536);
	struct rec r = {0};

	(void)state;
	assert_int_equal(tg_store_size(&cfg), 0);
	cfg.records = 8;
	cfg.payload = 4097;
	assert_int_equal(tg_store_size(&cfg), 0);
	cfg.payload = 0;
	assert_int_equal(tg_store_size(&cfg), 0);
	cfg.payload = sizeof(r);
	assert_int_equal(tg_store_init(mem + 8, 60000, &cfg, &s), -EINVAL);
	assert_int_equal(
			tg_store_init(mem, tg_store_size(&cfg) - 1, &cfg, &s), -EINVAL);
	assert_int_equal(tg_store_init(mem, 65536, &cfg, &s), 0);
	assert_int_equal(tg_store_put(s, 1, 0, NOW, NOW, &r), -EINVAL);
	support_free(mem);
}

static void puts_gets_replaces_deletes(void **state)
{
	struct tg_store *s = store(64, sizeof(struct rec));
	struct tg_store_stats st;

	(void)state;
	assert_int_equal(get(s, 1, NOW), 0);
	put(s, 1, 0, 11, NOW + 10, NOW);
	put(s, 2, 0, 22, FOREVER, NOW);
	assert_int_equal(get(s, 1, NOW + 9), 11);
	put(s, 1, 0, 12, NOW + 20, NOW + 9);
	assert_int_equal(get(s, 1, NOW + 19), 12);
	assert_int_equal(get(s, 1, NOW + 20), 0); /* expired to the microsecond */
	assert_int_equal(get(s, 2, NOW + (UINT64_C(1) << 50)), 22);
	/* an expired record comes back as the only one of its key */
	put(s, 1, 0, 13, NOW + 40, NOW + 30);
	tg_store_read_stats(s, &st);
	assert_int_equal(st.used, 2);
	assert_int_equal(tg_store_del(s, 1), 0);
	assert_int_equal(tg_store_del(s, 1), -ENOENT);
	assert_int_equal(get(s, 1, NOW + 31), 0);
	tg_store_read_stats(s, &st);
	assert_int_equal(st.used, 1);
	assert_int_equal(st.evicted + st.refused + st.busy + st.recovered, 0);
	support_free(s);
}

static void evicts_by_rank_then_age(void **state)
{
	struct tg_store *s = store(8, sizeof(struct rec)); /* one set */
	struct tg_store_stats st;
	struct rec r = {.n = 99};
	uint64_t id;

	(void)state;
	for(id = 1; id <= 8; id++)
		put(s, id, id <= 4 ? 5 : 7, id * 10, FOREVER, NOW + id);
	/* touching 1 makes 2 the oldest of the lowest rank */
	assert_int_equal(get(s, 1, NOW + 100), 10);
	put(s, 20, 5, 200, FOREVER, NOW + 101);
	assert_int_equal(get(s, 2, NOW + 102), 0);
	assert_int_equal(get(s, 20, NOW + 102), 200);
	/* a lower rank displaces nobody */
	assert_int_equal(tg_store_put(s, 21, 4, FOREVER, NOW + 103, &r), -ENOSPC);
	/* a higher one takes 3, though 5 has been left alone for longer */
	for(id = 1; id <= 8; id++)
		if(id != 5 && id != 2 && id != 3)
			assert_int_equal(get(s, id, NOW + 104), id * 10);
	put(s, 22, 9, 220, FOREVER, NOW + 105);
	assert_int_equal(get(s, 3, NOW + 106), 0);
	assert_int_equal(get(s, 5, NOW + 106), 50);
	tg_store_read_stats(s, &st);
	assert_int_equal(st.evicted, 2);
	assert_int_equal(st.refused, 1);
	assert_int_equal(st.used, 8);
	/* an expired record gives way first, whatever its rank, and uncounted */
	put(s, 5, 255, 51, NOW + 200, NOW + 107);
	put(s, 23, 0, 230, FOREVER, NOW + 200);
	assert_int_equal(get(s, 23, NOW + 201), 230);
	assert_int_equal(get(s, 5, NOW + 201), 0);
	tg_store_read_stats(s, &st);
	assert_int_equal(st.evicted, 2);
	support_free(s);
}

struct edit
{
	int answer, fresh;
	uint64_t saw, set, saw_expires, set_expires;
	uint8_t saw_rank, set_rank;
};

static int edit_it(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct edit *e = arg;
	struct rec *r = payload;

	e->fresh = fresh;
	e->saw = r->n;
	e->saw_expires = *expires;
	e->saw_rank = *rank;
	r->n = e->set;
	if(e->set_expires != 0)
		*expires = e->set_expires;
	*rank = e->set_rank;
	return e->answer;
}

static void edits_as_one_step(void **state)
{
	struct tg_store *s = store(8, sizeof(struct rec));
	struct edit e = {.answer = 1, .set = 5, .set_rank = 3};
	struct edit undo = {.answer = -EPERM, .set = 77};
	struct edit drop = {.answer = 0};
	struct edit end = {.answer = 1, .set = 8, .set_expires = NOW};
	struct tg_store_stats st;

	(void)state;
	/* not created */
	assert_int_equal(tg_store_edit(s, 1, 1, NOW + 50, NOW, edit_it, &drop), 0);
	assert_int_equal(drop.fresh, 1);
	assert_int_equal(get(s, 1, NOW), 0);
	assert_int_equal(
			tg_store_edit(s, 1, 1, NOW + 50, NOW, edit_it, &undo), -EPERM);
	assert_int_equal(get(s, 1, NOW), 0);
	/* created, from zeros, although the slot was written before */
	assert_int_equal(tg_store_edit(s, 1, 1, NOW + 50, NOW, edit_it, &e), 0);
	assert_int_equal(e.fresh, 1);
	assert_int_equal(e.saw, 0);
	assert_int_equal(e.saw_rank, 1);
	assert_int_equal(e.saw_expires, NOW + 50);
	/* changed: sees what is stored, not what the call offers */
	e.set = 6;
	e.set_expires = NOW + 60;
	assert_int_equal(tg_store_edit(s, 1, 9, NOW + 99, NOW, edit_it, &e), 0);
	assert_int_equal(e.fresh, 0);
	assert_int_equal(e.saw, 5);
	assert_int_equal(e.saw_rank, 3);
	assert_int_equal(e.saw_expires, NOW + 50);
	assert_int_equal(get(s, 1, NOW + 59), 6);
	assert_int_equal(get(s, 1, NOW + 60), 0);
	/* left untouched */
	assert_int_equal(
			tg_store_edit(s, 1, 0, FOREVER, NOW, edit_it, &undo), -EPERM);
	assert_int_equal(undo.saw, 6);
	assert_int_equal(get(s, 1, NOW), 6);
	/* deleted, once by its answer and once by its expiry */
	assert_int_equal(tg_store_edit(s, 1, 0, FOREVER, NOW, edit_it, &drop), 0);
	assert_int_equal(get(s, 1, NOW), 0);
	put(s, 1, 0, 7, FOREVER, NOW);
	assert_int_equal(tg_store_edit(s, 1, 0, FOREVER, NOW, edit_it, &end), 0);
	assert_int_equal(get(s, 1, NOW), 0);
	tg_store_read_stats(s, &st);
	assert_int_equal(st.used, 0);
	support_free(s);
}

static void walks_every_live_record_once(void **state)
{
	enum
	{
		RECORDS = 3000
	};
	struct tg_store *s = store(16384, sizeof(struct rec));
	static uint8_t seen[RECORDS];
	uint32_t cursor = 0, live = 0;
	uint64_t id, expires;
	struct rec r;
	int rc;

	(void)state;
	for(id = 0; id < RECORDS; id++)
		put(s, id * 77777, 0, id, id % 3 ? FOREVER : NOW + 5, NOW);
	memset(seen, 0, sizeof(seen));
	while((rc = tg_store_next(s, &cursor, NOW + 5, &id, &expires, &r)) == 0) {
		assert_int_equal(id, r.n * 77777);
		assert_true(expires > NOW + 5);
		seen[r.n]++;
		live++;
		if(r.n % 2) /* deleting what it has just seen disturbs nothing */
			assert_int_equal(tg_store_del(s, id), 0);
		assert_true(live <= RECORDS);
	}
	assert_int_equal(rc, -ENOENT);
	assert_int_equal(live, RECORDS - RECORDS / 3);
	for(id = 0; id < RECORDS; id++)
		assert_int_equal(seen[id], id % 3 != 0);
	support_free(s);
}

/* Every payload size is kept apart from its neighbours' bytes. */
static void keeps_any_payload_size(void **state)
{
	static const uint32_t sizes[] = {1, 7, 8, 15, 17, 512, 4096};
	unsigned char in[4096], out[4096];
	size_t i;
	uint64_t id;

	(void)state;
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tg_store *s = store(8, sizes[i]);

		for(id = 1; id <= 8; id++) {
			memset(in, (int)id, sizes[i]);
			assert_int_equal(tg_store_put(s, id, 0, FOREVER, NOW, in), 0);
		}
		for(id = 1; id <= 8; id++) {
			memset(in, (int)id, sizes[i]);
			assert_int_equal(tg_store_get(s, id, NOW, out), 0);
			assert_memory_equal(in, out, sizes[i]);
		}
		support_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(puts_gets_replaces_deletes),
			cmocka_unit_test(evicts_by_rank_then_age),
			cmocka_unit_test(edits_as_one_step),
			cmocka_unit_test(walks_every_live_record_once),
			cmocka_unit_test(keeps_any_payload_size),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}

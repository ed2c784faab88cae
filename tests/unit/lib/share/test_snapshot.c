/*
 * Snapshots: what the writer and the readers promise each other, step by step,
 * with processes that stay inside or die there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "unit/procs.h"
#include "unit/lib/share/snapshot_world.h"

/* --- one process -------------------------------------------------------- */

static void test_config(void **state)
{
	static const struct tg_snapshot_config bad[] = {{1, 1, 1}, {9, 1, 1},
			{2, 0, 1}, {2, 65537, 1}, {2, 1, 0}, {2, 1, SIZE_MAX},
			{8, 1, SIZE_MAX / 4}};
	struct tg_snapshot_config good = {2, 65536, 1};
	struct tg_snapshots *s;
	struct tg_region r;
	size_t size = tg_snapshot_size(&good);

	(void)state;
	for(unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(tg_snapshot_size(&bad[i]), 0);
	assert_true(size > 0);
	assert_int_equal(tg_region_map(&r, size), 0);
	assert_int_equal(tg_snapshot_init(r.base, size - 1, &good, &s), -EINVAL);
	assert_int_equal(
			tg_snapshot_init((char *)r.base + 64, size, &good, &s), -EINVAL);
	assert_int_equal(tg_snapshot_init(r.base, size, &bad[0], &s), -EINVAL);
	assert_int_equal(tg_snapshot_init(r.base, size, &good, &s), 0);
	tg_region_unmap(&r);
}

static void test_publish_and_read(void **state)
{
	struct world w;
	uint64_t generation = 77;
	const uint64_t *data;
	size_t used = 77, size;
	void *mem;

	(void)state;
	set_up(&w, 2, 10000);
	assert_null(tg_snapshot_enter(w.s, 0, &used, &generation));
	assert_int_equal(tg_snapshot_generation(w.s), 0);
	assert_int_equal(tg_snapshot_publish(w.s, 0), -EINVAL);

	assert_int_equal(tg_snapshot_begin(w.s, &mem, &size), 0);
	assert_true(size >= 10000);
	assert_int_equal(tg_snapshot_publish(w.s, size + 1), -EINVAL);
	memset(mem, 0x11, size);
	assert_int_equal(tg_snapshot_publish(w.s, 10000), 1);
	assert_int_equal(tg_snapshot_publish(w.s, 10000), -EINVAL);

	data = tg_snapshot_enter(w.s, 3, &used, &generation);
	assert_ptr_equal(data, mem);
	assert_int_equal(used, 10000);
	assert_int_equal(generation, 1);
	assert_int_equal(data[0], 0x1111111111111111);
	tg_snapshot_leave(w.s, 3);

	assert_int_equal(publish_filled(w.s, 10), 2);
	data = tg_snapshot_enter(w.s, 3, NULL, NULL);
	assert_int_equal(data[9], 2);
	tg_snapshot_leave(w.s, 3);
	assert_int_equal(tg_snapshot_generation(w.s), 2);
	tear_down(&w);
}

static void test_reader_errors(void **state)
{
	struct world w;
	const void *data;

	(void)state;
	set_up(&w, 2, 4096);
	assert_int_equal(publish_filled(w.s, 1), 1);
	assert_null(tg_snapshot_enter(w.s, READERS, NULL, NULL));
	tg_snapshot_leave(w.s, READERS); /* out of range: no effect */

	/* A leave without an enter that gave something: no effect, then or later. */
	tg_snapshot_leave(w.s, 1);
	data = tg_snapshot_enter(w.s, 1, NULL, NULL);
	assert_non_null(data);
	tg_snapshot_leave(w.s, 1);
	tear_down(&w);
}

/* The inner section's leave opens nothing to the writer, and both see one state. */
static void test_nested_sections(void **state)
{
	struct world w;
	const uint64_t *outer, *inner;
	uint64_t generation;
	size_t used;

	(void)state;
	set_up(&w, 2, 4096);
	assert_int_equal(publish_filled(w.s, 1), 1);
	outer = tg_snapshot_enter(w.s, 1, NULL, NULL);
	assert_int_equal(publish_filled(w.s, 1), 2);
	inner = tg_snapshot_enter(w.s, 1, &used, &generation);
	assert_ptr_equal(inner, outer);
	assert_int_equal(generation, 1);
	assert_true(used > 0);
	tg_snapshot_leave(w.s, 1);
	assert_int_equal(publish_filled(w.s, 1), -EBUSY);
	assert_int_equal(*outer, 1);
	tg_snapshot_leave(w.s, 1);
	assert_int_equal(publish_filled(w.s, 1), 3);
	inner = tg_snapshot_enter(w.s, 1, NULL, &generation);
	assert_int_equal(*inner, 3);
	assert_int_equal(generation, 3);
	tg_snapshot_leave(w.s, 1);
	tear_down(&w);
}

static void test_abort(void **state)
{
	struct world w;
	const uint64_t *data;
	size_t size;
	void *mem;

	(void)state;
	set_up(&w, 2, 4096);
	assert_int_equal(publish_filled(w.s, 1), 1);
	assert_int_equal(tg_snapshot_begin(w.s, &mem, &size), 0);
	memset(mem, 0xff, size);
	tg_snapshot_abort(w.s);
	assert_int_equal(tg_snapshot_publish(w.s, 1), -EINVAL);
	data = tg_snapshot_enter(w.s, 0, NULL, NULL);
	assert_int_equal(*data, 1);
	tg_snapshot_leave(w.s, 0);
	tg_snapshot_abort(w.s); /* nothing begun: no effect */

	/* A writer that died while building: its successor just begins. */
	assert_int_equal(tg_snapshot_begin(w.s, &mem, &size), 0);
	assert_int_equal(publish_filled(w.s, 1), 2);
	tear_down(&w);
}

static size_t resident(const void *from, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	size_t pages = (size + page - 1) / page;
	unsigned char *map = support_memory(pages);

	assert_int_equal(mincore((void *)from, size, map), 0);
	for(size_t i = 0; i < pages; i++)
		n += map[i] & 1;
	support_free(map);
	return n * page;
}

static void test_memory_is_given_back(void **state)
{
	const size_t big = 32u << 20;
	struct world w;
	const void *first, *data;
	size_t size;
	void *mem;

	(void)state;
	set_up(&w, 3, big);
	assert_true(resident(w.region.base, w.region.size) < big / 8);
	assert_int_equal(publish_filled(w.s, big / 8), 1);
	first = tg_snapshot_enter(w.s, 0, NULL, NULL);
	assert_int_equal(resident(first, big), big);
	assert_int_equal(publish_filled(w.s, 1000), 2);

	/* still read: kept whole */
	assert_int_equal(tg_snapshot_reclaim(w.s), 1);
	assert_int_equal(resident(first, big), big);
	tg_snapshot_leave(w.s, 0);
	assert_int_equal(tg_snapshot_reclaim(w.s), 0);
	assert_int_equal(resident(first, big), 0);
	assert_true(resident(w.region.base, w.region.size) < big / 8);

	/* scratch pages behind the data of a new snapshot, and an aborted one */
	assert_int_equal(tg_snapshot_begin(w.s, &mem, &size), 0);
	memset(mem, 1, size);
	assert_int_equal(tg_snapshot_publish(w.s, 5000), 3);
	assert_true(resident(mem, size) <= 16384);
	data = tg_snapshot_enter(w.s, 0, NULL, NULL);
	assert_ptr_equal(data, mem);
	assert_int_equal(((const char *)data)[4999], 1);
	tg_snapshot_leave(w.s, 0);
	assert_int_equal(tg_snapshot_begin(w.s, &mem, &size), 0);
	memset(mem, 1, size);
	tg_snapshot_abort(w.s);
	assert_int_equal(resident(mem, size), 0);
	tear_down(&w);
}

/* --- several processes -------------------------------------------------- */

/* Enters, says so, and stays inside until told to leave. */
static int lingering_reader(void *arg, unsigned self)
{
	struct world *w = arg;

	(void)self;
	if(tg_snapshot_enter(w->s, 2, NULL, NULL) == NULL)
		return 1;
	atomic_store(&w->notes->inside, 1);
	await(&w->notes->leave);
	tg_snapshot_leave(w->s, 2);
	return 0;
}

/* One process stays in generation 1 for ever. With three slots, reloads go on
 * in the other two, and the operator learns who it is. */
static void test_stuck_reader(void **state)
{
	struct procs p;
	struct world w;
	uint64_t generation;
	uint32_t reader;
	pid_t pid;
	int status;

	(void)state;
	set_up(&w, 3, 4096);
	assert_int_equal(publish_filled(w.s, 1), 1);
	procs_start(&p, 1, lingering_reader, &w);
	await(&w.notes->inside);
	assert_int_equal(
			tg_snapshot_stuck(w.s, &reader, &pid, &generation), -ENOENT);
	for(int i = 2; i <= 100; i++)
		assert_int_equal(publish_filled(w.s, 1), i);
	assert_int_equal(tg_snapshot_reclaim(w.s), 1);
	assert_int_equal(tg_snapshot_stuck(w.s, &reader, &pid, &generation), 0);
	assert_int_equal(reader, 2);
	assert_int_equal(pid, p.pid[0]);
	assert_int_equal(generation, 1);

	atomic_store(&w.notes->leave, 1);
	assert_int_equal(waitpid(p.pid[0], &status, 0), p.pid[0]);
	assert_int_equal(status, 0);
	assert_int_equal(
			tg_snapshot_stuck(w.s, &reader, &pid, &generation), -ENOENT);
	assert_int_equal(tg_snapshot_reclaim(w.s), 0);
	tear_down(&w);
}

/* Killed inside: each of begin, reclaim and stuck finds out by itself, and a
 * new process may take over the reader number. */
static void test_dead_reader(void **state)
{
	(void)state;
	for(int way = 0; way < 4; way++) {
		struct procs p;
		struct world w;
		uint64_t generation;
		uint32_t reader;
		pid_t pid;

		set_up(&w, 2, 4096);
		assert_int_equal(publish_filled(w.s, 1), 1);
		procs_start(&p, 1, lingering_reader, &w);
		await(&w.notes->inside);
		assert_int_equal(publish_filled(w.s, 1), 2);
		assert_int_equal(publish_filled(w.s, 1), -EBUSY);
		assert_int_equal(tg_snapshot_reclaim(w.s), 1);
		/* a number in use by a living process is not handed out twice, and
		 * whoever did not get in does not open it by leaving */
		assert_null(tg_snapshot_enter(w.s, 2, NULL, NULL));
		tg_snapshot_leave(w.s, 2);
		assert_int_equal(publish_filled(w.s, 1), -EBUSY);
		procs_kill_one(&p, 0);
		if(way == 0) {
			assert_int_equal(publish_filled(w.s, 1), 3);
		} else if(way == 1) {
			assert_int_equal(tg_snapshot_reclaim(w.s), 0);
		} else if(way == 2) {
			assert_int_equal(tg_snapshot_stuck(w.s, &reader, &pid, &generation),
					-ENOENT);
			assert_int_equal(publish_filled(w.s, 1), 3);
		} else {
			assert_non_null(tg_snapshot_enter(w.s, 2, NULL, &generation));
			assert_int_equal(generation, 2);
			assert_int_equal(publish_filled(w.s, 1), 3);
			assert_int_equal(publish_filled(w.s, 1), -EBUSY);
			tg_snapshot_leave(w.s, 2);
		}
		tear_down(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_config),
			cmocka_unit_test(test_publish_and_read),
			cmocka_unit_test(test_reader_errors),
			cmocka_unit_test(test_nested_sections),
			cmocka_unit_test(test_abort),
			cmocka_unit_test(test_memory_is_given_back),
			cmocka_unit_test(test_stuck_reader),
			cmocka_unit_test(test_dead_reader),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}

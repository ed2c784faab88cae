/*
 * Event ring under load: eight writers at once, as processes and as threads,
 * and writers killed anywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <pthread.h>

#include "unit/procs.h"
#include "unit/lib/share/ring_world.h"

#define WRITERS 8u
#define EACH 30000u

static int counting_writer(void *arg, unsigned self)
{
	struct world *w = arg;

	for(uint64_t i = 0; i < EACH; i++) {
		int rc = push(w, self, i, NOW);

		if(rc != 0 && rc != -ENOBUFS)
			return 1;
		atomic_fetch_add(rc == 0 ? &w->notes->pushed : &w->notes->refused, 1);
		if(rc != 0)
			sched_yield();
	}
	atomic_fetch_add(&w->notes->done, 1);
	return 0;
}

/* Pops until `writers` are done and the ring is empty. Each record is whole,
 * and those of one writer come in order, hence at most once. */
static uint64_t drain(struct world *w, unsigned writers)
{
	uint64_t next[64] = {0}, popped = 0;
	struct record r;

	for(unsigned i = 0;; i++) {
		unsigned done = atomic_load(&w->notes->done);

		if(tg_ring_pop(w->ring, &r, NOW) == 0) {
			assert_true(is_whole(&r));
			assert_true(r.writer < 64 && r.number >= next[r.writer]);
			next[r.writer] = r.number + 1;
			popped++;
			i = 0;
		} else if(done == writers) {
			return popped;
		} else {
			assert_true(i < MANY_TRIES);
			sched_yield();
		}
	}
}

static void assert_all_accounted(struct world *w, uint64_t popped)
{
	assert_int_equal(popped, atomic_load(&w->notes->pushed));
	assert_int_equal(tg_ring_dropped(w->ring), atomic_load(&w->notes->refused));
	assert_int_equal(popped + tg_ring_dropped(w->ring), WRITERS * EACH);
	assert_true(popped >= EACH / 10);
}

static void test_many_processes(void **state)
{
	(void)state;
	for(uint32_t slots = 8; slots <= 1024; slots *= 128) {
		struct procs p;
		struct world w;
		int status;

		set_up(&w, slots, sizeof(struct record));
		procs_start(&p, WRITERS, counting_writer, &w);
		assert_all_accounted(&w, drain(&w, WRITERS));
		for(unsigned i = 0; i < WRITERS; i++) {
			assert_int_equal(waitpid(p.pid[i], &status, 0), p.pid[i]);
			assert_int_equal(status, 0);
		}
		tear_down(&w);
	}
}

struct thread_arg
{
	struct world *w;
	unsigned self;
};

static void *writing_thread(void *arg)
{
	struct thread_arg *t = arg;

	return (void *)(intptr_t)counting_writer(t->w, t->self);
}

/* The same with threads, for the thread sanitizer's eyes. */
static void test_many_threads(void **state)
{
	struct thread_arg arg[WRITERS];
	pthread_t thread[WRITERS];
	struct world w;
	void *bad;

	(void)state;
	set_up(&w, 64, sizeof(struct record));
	for(unsigned i = 0; i < WRITERS; i++) {
		arg[i] = (struct thread_arg){&w, i};
		assert_int_equal(
				pthread_create(&thread[i], NULL, writing_thread, &arg[i]), 0);
	}
	assert_all_accounted(&w, drain(&w, WRITERS));
	for(unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	tear_down(&w);
}

static int endless_writer(void *arg, unsigned self)
{
	struct world *w = arg;

	for(uint64_t i = 0; !atomic_load(&w->notes->done); i++)
		if(push(w, self % 64, (uint64_t)self << 32 | i, NOW) != 0)
			sched_yield();
	return 0;
}

/* Writers killed anywhere, again and again: after each death the reader gets
 * on at once, nothing is mixed up, and in the end all slots are there. */
static void test_random_deaths(void **state)
{
	struct record r;
	struct procs p;
	struct world w;
	uint64_t dropped;
	int status;

	(void)state;
	set_up(&w, 8, sizeof(struct record));
	procs_start(&p, WRITERS, endless_writer, &w);
	for(unsigned round = 0; round < 300; round++) {
		uint64_t got = 0;

		procs_kill_one(&p, round % WRITERS);
		procs_restart_one(&p, round % WRITERS);
		for(unsigned i = 0; got < 20; i++) {
			assert_true(i < MANY_TRIES);
			if(tg_ring_pop(w.ring, &r, NOW) != 0) {
				sched_yield();
				continue;
			}
			assert_true(is_whole(&r));
			got++;
		}
	}
	for(unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(kill(p.pid[i], SIGKILL), 0);
	for(unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(waitpid(p.pid[i], &status, 0), p.pid[i]);
	for(unsigned left = 0; tg_ring_pop(w.ring, &r, NOW) == 0; left++) {
		assert_true(left < 8);
		assert_true(is_whole(&r));
	}
	/* two laps heal every slot */
	for(unsigned i = 0; i < 16; i++) {
		assert_int_equal(push(&w, 1, i, NOW), 0);
		expect_pop(&w, 1, i, NOW);
	}
	dropped = tg_ring_dropped(w.ring);
	for(unsigned i = 0; i < 8; i++)
		assert_int_equal(push(&w, 1, i, NOW), 0);
	assert_int_equal(tg_ring_dropped(w.ring), dropped);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_many_processes),
			cmocka_unit_test(test_many_threads),
			cmocka_unit_test(test_random_deaths),
	};

	return cmocka_run_group_tests_name("ring_stress", tests, NULL, NULL);
}

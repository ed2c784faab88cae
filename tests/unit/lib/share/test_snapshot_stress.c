/*
 * Snapshots under load: readers verify every word of each section while another
 * process publishes tens of thousands of times, and while readers are killed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <pthread.h>

#include "unit/procs.h"
#include "unit/lib/share/snapshot_world.h"

#define WORDS 512u
#define PUBLISHES 100000u

/* One section: every word must say the section's generation, from the first
 * look to the last, and generations never go back. */
static int read_once(
		struct world *w, unsigned self, uint32_t reader, uint64_t *newest)
{
	uint64_t generation;
	size_t used;
	const uint64_t *data = tg_snapshot_enter(w->s, reader, &used, &generation);
	int bad;

	if(data == NULL)
		return 1;
	bad = used != WORDS * sizeof(*data) || generation < *newest;
	for(unsigned i = 0; i < WORDS; i++)
		bad |= data[i] != generation;
	if(generation % 64 == self)
		sched_yield(); /* inside, so that publishes happen meanwhile */
	bad |= data[0] != generation || data[WORDS - 1] != generation;
	tg_snapshot_leave(w->s, reader);
	if(generation != *newest)
		atomic_fetch_add(&w->notes->seen[reader], 1);
	*newest = generation;
	sched_yield(); /* rather here than inside, or every slot is always read */
	return bad;
}

static int reading_process(void *arg, unsigned self)
{
	struct world *w = arg;
	uint64_t newest = 0;
	int bad = 0;

	while(!atomic_load(&w->notes->stop))
		bad |= read_once(w, self % READERS, self % READERS, &newest);
	return bad;
}

static void publish_for_sure(struct tg_snapshots *s)
{
	int64_t rc = -EBUSY;

	for(unsigned i = 0; rc == -EBUSY; i++) {
		assert_true(i < MANY_TRIES);
		rc = publish_filled(s, WORDS);
		if(rc == -EBUSY)
			sched_yield();
	}
	assert_true(rc > 0);
}

static int everybody_saw(const struct world *w, unsigned generations)
{
	for(unsigned i = 0; i < READERS; i++)
		if(atomic_load(&w->notes->seen[i]) < generations)
			return 0;
	return 1;
}

/* At least `publishes` times, and on until every reader has seen `generations`
 * different ones. */
static void publish_many(
		struct world *w, unsigned publishes, unsigned generations)
{
	for(unsigned i = 0; i < publishes || !everybody_saw(w, generations); i++) {
		assert_true(i < MANY_TRIES);
		publish_for_sure(w->s);
		if(i % 64 == 0)
			tg_snapshot_reclaim(w->s);
	}
}

static void stop_all(struct world *w, struct procs *p)
{
	int status;

	atomic_store(&w->notes->stop, 1);
	for(unsigned i = 0; i < READERS; i++) {
		assert_int_equal(waitpid(p->pid[i], &status, 0), p->pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(tg_snapshot_reclaim(w->s), 0);
}

static void stress(uint32_t slots, unsigned publishes)
{
	struct procs p;
	struct world w;

	set_up(&w, slots, WORDS * sizeof(uint64_t));
	publish_for_sure(w.s);
	procs_start(&p, READERS, reading_process, &w);
	publish_many(&w, publishes, 300);
	stop_all(&w, &p);
	tear_down(&w);
}

static void test_two_slots(void **state)
{
	(void)state;
	stress(2, PUBLISHES / 10);
}

static void test_three_slots(void **state)
{
	(void)state;
	stress(3, PUBLISHES);
}

/* Readers are killed anywhere, mostly inside a section, and replaced under the
 * same number, while publishing goes on. */
static void test_deaths(void **state)
{
	struct procs p;
	struct world w;

	(void)state;
	set_up(&w, 3, WORDS * sizeof(uint64_t));
	publish_for_sure(w.s);
	procs_start(&p, READERS, reading_process, &w);
	for(unsigned round = 0; round < 300; round++) {
		publish_many(&w, 10, 0);
		procs_kill_one(&p, round % READERS);
		publish_many(&w, 10, 0);
		procs_restart_one(&p, round % READERS);
	}
	publish_many(&w, 10, 100);
	stop_all(&w, &p);
	tear_down(&w);
}

struct thread_arg
{
	struct world *w;
	unsigned self;
};

static void *reading_thread(void *arg)
{
	struct thread_arg *t = arg;

	return (void *)(intptr_t)reading_process(t->w, t->self);
}

/* The same with threads, for the thread sanitizer's eyes. */
static void test_threads(void **state)
{
	struct thread_arg arg[READERS];
	pthread_t thread[READERS];
	struct world w;
	void *bad;

	(void)state;
	set_up(&w, 3, WORDS * sizeof(uint64_t));
	publish_for_sure(w.s);
	for(unsigned i = 0; i < READERS; i++) {
		arg[i] = (struct thread_arg){&w, i};
		assert_int_equal(
				pthread_create(&thread[i], NULL, reading_thread, &arg[i]), 0);
	}
	publish_many(&w, 3000, 100);
	atomic_store(&w.notes->stop, 1);
	for(unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_two_slots),
			cmocka_unit_test(test_three_slots),
			cmocka_unit_test(test_deaths),
			cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("snapshot_stress", tests, NULL, NULL);
}

/*
 * Event ring: order, full, dropped; then writers that stop or die in the middle
 * of a push.
 *
 * How a push is stopped half-way at will: the record it copies from lies in
 * memory that may not be read, so the copy faults after the slot was claimed,
 * and the fault's handler stops the process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "unit/procs.h"
#include "unit/lib/share/ring_world.h"

/* --- one process -------------------------------------------------------- */

static void test_config(void **state)
{
	static const struct tg_ring_config bad[] = {
			{7, 1}, {(1u << 20) + 1, 1}, {8, 0}, {8, 4097}};
	struct tg_ring_config good = {9, 1}, sixteen = {16, 1};
	struct tg_ring *r;
	size_t size = tg_ring_size(&good);
	char *mem = support_memory(size + 64);

	(void)state;
	for(unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(tg_ring_size(&bad[i]), 0);
		assert_int_equal(tg_ring_init(mem, size, &bad[i], &r), -EINVAL);
	}
	assert_int_equal(size, tg_ring_size(&sixteen));
	assert_int_equal(tg_ring_init(mem, size - 1, &good, &r), -EINVAL);
	assert_int_equal(tg_ring_init(mem + 8, size, &good, &r), -EINVAL);
	assert_int_equal(tg_ring_init(mem, size, &good, &r), 0);
	support_free(mem);
}

static void test_order_and_full(void **state)
{
	struct world w;
	uint64_t next = 0, read = 0;

	(void)state;
	set_up(&w, 8, sizeof(struct record));
	expect_empty(&w, NOW);
	/* through many laps, at every fill level */
	for(unsigned round = 0; round < 1000; round++) {
		unsigned n = round % 9;

		for(unsigned i = 0; i < n; i++)
			assert_int_equal(push(&w, 1, next++, NOW), 0);
		if(n == 8)
			assert_int_equal(push(&w, 1, 0, NOW), -ENOBUFS);
		for(unsigned i = 0; i < n; i++)
			expect_pop(&w, 1, read++, NOW);
		expect_empty(&w, NOW);
	}
	assert_int_equal(tg_ring_dropped(w.ring), 1000 / 9);
	tear_down(&w);
}

/* Records of each odd size come back; nothing beyond is written. */
static void test_record_sizes(void **state)
{
	(void)state;
	for(uint32_t size = 1; size <= 4096; size += size < 70 ? 1 : 671) {
		unsigned char in[4096], out[4097];
		struct world w;

		set_up(&w, 8, size);
		for(unsigned k = 0; k < 20; k++) {
			for(uint32_t i = 0; i < size; i++)
				in[i] = (unsigned char)(i + k);
			memset(out, 0xee, sizeof(out));
			assert_int_equal(tg_ring_push(w.ring, in, NOW), 0);
			assert_int_equal(tg_ring_pop(w.ring, out, NOW), 0);
			assert_memory_equal(in, out, size);
			assert_int_equal(out[size], 0xee);
		}
		tear_down(&w);
	}
}

/* --- stopped and killed in the middle ------------------------------------ */

static struct record *unreadable;
static atomic_int *faulted;

/* Says that the push is half-way, waits as a stopped process, and lets the
 * copy go on when it is continued. */
static void on_fault(int sig)
{
	(void)sig;
	atomic_store(faulted, 1);
	raise(SIGSTOP);
	mprotect(unreadable, sizeof(*unreadable), PROT_READ | PROT_WRITE);
}

static int stopping_writer(void *arg, unsigned self)
{
	struct sigaction action = {.sa_handler = on_fault};
	struct world *w = arg;
	int rc;

	unreadable = mmap(NULL, sizeof(*unreadable), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	make_record(unreadable, 100 + self, 0);
	faulted = &w->notes->faulted;
	if(mprotect(unreadable, sizeof(*unreadable), PROT_NONE) != 0
			|| sigaction(SIGSEGV, &action, NULL) != 0)
		return 1;
	rc = tg_ring_push(w->ring, unreadable, NOW);
	atomic_store(&w->notes->result, rc == 0 ? 1 : rc == -ENOBUFS ? 2 : 3);
	await(&w->notes->leave);
	return 0;
}

static void start_stopped(struct world *w, struct procs *p)
{
	int status;

	procs_start(p, 1, stopping_writer, w);
	assert_int_equal(waitpid(p->pid[0], &status, WUNTRACED), p->pid[0]);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(atomic_load(&w->notes->faulted), 1);
}

/* Lets the push end, not the process: 1 = pushed, 2 = refused. */
static int resume(struct world *w, struct procs *p)
{
	assert_int_equal(kill(p->pid[0], SIGCONT), 0);
	await(&w->notes->result);
	return atomic_load(&w->notes->result);
}

static void dismiss(struct world *w, struct procs *p)
{
	int status;

	atomic_store(&w->notes->leave, 1);
	assert_int_equal(waitpid(p->pid[0], &status, 0), p->pid[0]);
	assert_int_equal(status, 0);
}

/* Stopped for less than a second: the reader waits, order is kept. */
static void test_short_stop(void **state)
{
	struct procs p;
	struct world w;

	(void)state;
	set_up(&w, 8, sizeof(struct record));
	start_stopped(&w, &p);
	assert_int_equal(push(&w, 1, 1, NOW), 0);
	expect_empty(&w, NOW + SECOND * 9 / 10);
	/* another processor's clock lies a little behind */
	expect_empty(&w, NOW - SECOND / 2);
	assert_int_equal(resume(&w, &p), 1);
	expect_pop(&w, 100, 0, NOW);
	expect_pop(&w, 1, 1, NOW);
	assert_int_equal(tg_ring_dropped(w.ring), 0);
	dismiss(&w, &p);
	tear_down(&w);
}

/* Stopped for longer: skipped and counted; the slot stays its own for as many
 * laps as it sleeps, and its late bytes hit nobody. `turns` records pass while it
 * does, so that the hole lies anywhere between head and tail, and at both. */
static void long_stop(unsigned turns)
{
	const uint64_t late = NOW + 3 * SECOND / 2;
	struct procs p;
	struct world w;
	uint64_t next = 0, read = 0;

	set_up(&w, 8, sizeof(struct record));
	for(unsigned i = 0; i < 3; i++) {
		assert_int_equal(push(&w, 1, 0, NOW), 0);
		expect_pop(&w, 1, 0, NOW);
	}
	start_stopped(&w, &p);
	assert_int_equal(push(&w, 1, next++, NOW), 0);
	expect_pop(&w, 1, read++, late);
	assert_int_equal(tg_ring_dropped(w.ring), 1);
	for(unsigned i = 0; i < turns; i++) {
		assert_int_equal(push(&w, 1, next++, late), 0);
		expect_pop(&w, 1, read++, late);
		if(turns % 3 == 0)
			expect_empty(&w, late);
	}
	/* fill the ring around the hole, then let it wake */
	while(push(&w, 1, next, late) == 0)
		assert_in_range(++next - read, 1, 8);
	assert_in_range(next - read, 7, 8);
	assert_int_equal(tg_ring_dropped(w.ring), 2);
	assert_int_equal(resume(&w, &p), 2);
	while(read < next)
		expect_pop(&w, 1, read++, late);
	expect_empty(&w, late);

	/* the slot is back after two laps at most: eight fit again */
	for(unsigned i = 0; i < 16; i++) {
		assert_int_equal(push(&w, 1, next++, late), 0);
		expect_pop(&w, 1, read++, late);
	}
	for(unsigned i = 0; i < 8; i++)
		assert_int_equal(push(&w, 1, next++, late), 0);
	while(read < next)
		expect_pop(&w, 1, read++, late);
	assert_int_equal(tg_ring_dropped(w.ring), 2);
	dismiss(&w, &p);
	tear_down(&w);
}

static void test_long_stop(void **state)
{
	(void)state;
	for(unsigned turns = 0; turns < 50; turns++)
		long_stop(turns);
}

/* Killed in the middle: gone at once, whatever the clock says. Until it is
 * reaped it looks alive, and is skipped for its age. */
static void test_killed(void **state)
{
	(void)state;
	for(int reaped = 0; reaped < 2; reaped++) {
		struct procs p;
		struct world w;
		siginfo_t info;
		uint64_t now = reaped ? NOW : NOW + 3 * SECOND / 2;

		set_up(&w, 8, sizeof(struct record));
		start_stopped(&w, &p);
		for(unsigned i = 0; i < 7; i++)
			assert_int_equal(push(&w, 1, i, NOW), 0);
		assert_int_equal(push(&w, 1, 7, NOW), -ENOBUFS);
		expect_empty(&w, NOW);
		assert_int_equal(kill(p.pid[0], SIGKILL), 0);
		assert_int_equal(waitid(P_PID, (id_t)p.pid[0], &info,
								 WEXITED | (reaped ? 0 : WNOWAIT)),
				0);
		for(unsigned i = 0; i < 7; i++)
			expect_pop(&w, 1, i, now);
		expect_empty(&w, now);
		assert_int_equal(tg_ring_dropped(w.ring), 2);
		if(!reaped)
			assert_int_equal(waitpid(p.pid[0], NULL, 0), p.pid[0]);
		for(unsigned i = 0; i < 16; i++) {
			assert_int_equal(push(&w, 1, i, now), 0);
			expect_pop(&w, 1, i, now);
		}
		for(unsigned i = 0; i < 8; i++)
			assert_int_equal(push(&w, 1, i, now), 0);
		assert_int_equal(tg_ring_dropped(w.ring), 2);
		tear_down(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_config),
			cmocka_unit_test(test_order_and_full),
			cmocka_unit_test(test_record_sizes),
			cmocka_unit_test(test_short_stop),
			cmocka_unit_test(test_long_stop),
			cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

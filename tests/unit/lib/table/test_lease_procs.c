/*
 * Leases between processes: exact under a limit, and after holders that are
 * stopped or killed in the middle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/procs.h"

#include "lib/table/lease.h"
#include "lib/table/lease_set.h"
#include "lib/share/region.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1000000000)
#define SECOND UINT64_C(1000000)

static struct tg_leases *shared_leases(struct tg_region *r, uint32_t n)
{
	struct tg_lease_config cfg = {n, 16};
	struct tg_leases *l = NULL;

	assert_int_equal(tg_region_map(r, tg_lease_size(&cfg)), 0);
	assert_int_equal(tg_lease_init(r->base, r->size, &cfg, &l), 0);
	return l;
}

static int stubbornly(int rc, int *tries)
{
	return rc == -EBUSY && ++*tries < 1000;
}

static int hold_and_give_back(void *table, unsigned self)
{
	unsigned i;
	int rc, tries = 0;
	uint32_t n;

	for(i = 0; i < 3000; i++) {
		uint64_t call = self * 100000 + i + 1;

		do
			rc = tg_lease_acquire(
					table, call, 1 + i % 3, 50, NOW + SECOND, NOW, &n);
		while(stubbornly(rc, &tries));
		if((rc != 0 && rc != -EDQUOT) || n > 50)
			return 1;
		if(rc == -EDQUOT || i >= 2990)
			continue;
		do
			rc = tg_lease_release(table, call, 1 + i % 3);
		while(stubbornly(rc, &tries));
		if(rc != 0)
			return 2;
	}
	return 0;
}

static void sixteen_processes_stay_exact_under_a_limit(void **state)
{
	struct tg_region r;
	struct tg_leases *l = shared_leases(&r, 4096);
	struct tg_lease_stats st;
	uint32_t sum = 0;
	uint64_t owner;

	(void)state;
	assert_int_equal(procs_run(16, hold_and_give_back, l), 0);
	for(owner = 1; owner <= 3; owner++) {
		uint32_t n = tg_lease_count(l, owner, NOW);

		assert_true(n <= 50);
		sum += n;
	}
	tg_lease_read_stats(l, &st);
	assert_true(sum > 0);
	assert_int_equal(st.live, sum);
	assert_int_equal(st.acquired - st.released, sum);
	tg_region_unmap(&r);
}

static int churn(void *table, unsigned self)
{
	uint64_t seed = self * 7919 + 1;

	for(;;) { /* until it is killed */
		uint64_t call, owner;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		call = 1 + (seed >> 33) % 3000;
		owner = 1 + (seed >> 20) % 5;
		if(seed >> 62 == 0)
			(void)tg_lease_release(table, call, owner);
		else if(seed >> 62 == 1)
			(void)tg_lease_renew(
					table, call, owner, NOW + 1 + (seed >> 40) % SECOND, NOW);
		else
			(void)tg_lease_acquire(table, call, owner, 0,
					NOW + 1 + (seed >> 40) % SECOND, NOW, NULL);
	}
	return 0;
}

/* Whoever was killed wherever: the count of an owner is the number of calls
 * that can be given back, found by trying them all. */
static void killed_holders_leave_an_exact_gauge(void **state)
{
	enum
	{
		ROUNDS = 300
	};
	struct tg_region r;
	struct tg_leases *l = shared_leases(&r, 16384);
	struct tg_lease_stats st;
	struct procs p;
	unsigned round;
	uint64_t call, owner;

	(void)state;
	procs_start(&p, 4, churn, l);
	for(round = 0; round < ROUNDS; round++) {
		procs_kill_one(&p, round % 4);
		assert_true(tg_lease_count(l, 1 + round % 5, NOW) <= 3000);
		procs_restart_one(&p, round % 4);
	}
	procs_kill_all(&p);
	for(owner = 1; owner <= 5; owner++) {
		uint32_t count = tg_lease_count(l, owner, NOW), held = 0;
		uint32_t later = tg_lease_count(l, owner, NOW + SECOND / 2);

		assert_true(count > 100);
		assert_true(later < count);
		for(call = 1; call <= 3000; call++) {
			held += tg_lease_release(l, call, owner) == 0;
			assert_int_equal(tg_lease_release(l, call, owner), -ENOENT);
		}
		assert_int_equal(held, count);
		assert_int_equal(tg_lease_count(l, owner, NOW), 0);
	}
	tg_lease_read_stats(l, &st);
	assert_int_equal(st.live, 0);
	/* no slot leaked: the full capacity is there again */
	tg_lease_sweep(l, NOW, UINT32_MAX);
	for(call = 1; call <= 16384; call++)
		assert_int_equal(
				tg_lease_acquire(l, call, 1, 0, NOW + 1, NOW, NULL), 0);
	tg_region_unmap(&r);
}

/* Dies between claiming a slot and making it a lease, holding the lock. */
static int die_in_a_claim(void *table, unsigned self)
{
	struct tg_held h;
	uint32_t n;

	(void)self;
	if(tg_lease_hold(table, 7, &h) != 0)
		return 1;
	for(n = 0; tg_lease_load(&h.slots[n].owner) != 0; n++)
		if(n + 1 == tg_lease_slot_count(table))
			return 2;
	tg_lease_store(&h.slots[n].owner, 7);
	return 0;
}

static void half_a_lease_is_no_lease(void **state)
{
	struct tg_region r;
	struct tg_leases *l = shared_leases(&r, 64);
	uint32_t n, taken = 0;

	(void)state;
	assert_int_equal(tg_lease_acquire(l, 1, 7, 0, NOW + 9, NOW, NULL), 0);
	assert_int_equal(procs_run(1, die_in_a_claim, l), 0);
	assert_int_equal(tg_lease_count(l, 7, NOW), 1);
	assert_int_equal(tg_lease_release(l, 1, 7), 0);
	/* and its slot is free again */
	for(n = 0; n < tg_lease_slot_count(l); n++)
		taken += tg_lease_load(&tg_lease_slots_of(l)[n].owner) != 0;
	assert_int_equal(taken, 0);
	tg_region_unmap(&r);
}

/* A living holder that stops inside the lock is not robbed, only not waited
 * for; the count then errs to the safe side. */
static int stop_inside(void *table, unsigned self)
{
	struct tg_held h;

	(void)self;
	if(tg_lease_hold(table, 7, &h) != 0)
		return 1;
	raise(SIGSTOP);
	return tg_lease_let_go(&h, 0);
}

static void a_stopped_holder_makes_it_busy(void **state)
{
	struct tg_region r;
	struct tg_leases *l = shared_leases(&r, 64);
	struct procs p;
	int status;

	(void)state;
	assert_int_equal(tg_lease_acquire(l, 1, 7, 0, NOW + 9, NOW, NULL), 0);
	procs_start(&p, 1, stop_inside, l);
	assert_int_equal(waitpid(p.pid[0], &status, WUNTRACED), p.pid[0]);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(tg_lease_acquire(l, 2, 7, 0, NOW + 9, NOW, NULL), -EBUSY);
	assert_int_equal(tg_lease_release(l, 1, 7), -EBUSY);
	assert_int_equal(tg_lease_count(l, 7, NOW), 1);
	assert_int_equal(kill(p.pid[0], SIGCONT), 0);
	assert_int_equal(waitpid(p.pid[0], &status, 0), p.pid[0]);
	assert_int_equal(status, 0);
	assert_int_equal(tg_lease_release(l, 1, 7), 0);
	tg_region_unmap(&r);
}

/* ---- a holder that lost its processor ---- */

static int take_one(void *table, unsigned self)
{
	int rc, tries = 0;

	(void)self;
	do
		rc = tg_lease_acquire(table, 2, 7, 0, NOW + SECOND, NOW, NULL);
	while(stubbornly(rc, &tries));
	return rc != 0;
}

/* 'R' runs, 'S' sleeps, 'Z' has ended, ... (proc(5)) */
static char state_of(pid_t pid)
{
	char path[32], state = '?';
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if(f != NULL) {
		assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
		fclose(f);
	}
	return state;
}

/* A waiter that polls keeps the processor that the holder needs. It gives up
 * before the holder is back, and its call goes uncounted. */
static void a_waiter_sleeps_until_the_holder_is_back(void **state)
{
	struct tg_region r;
	struct tg_leases *l = shared_leases(&r, 64);
	struct procs holder, waiter;
	int status, looks;
	char seen = '?';

	(void)state;
	procs_start(&holder, 1, stop_inside, l);
	assert_int_equal(waitpid(holder.pid[0], &status, WUNTRACED), holder.pid[0]);
	assert_true(WIFSTOPPED(status));
	procs_start(&waiter, 1, take_one, l);
	for(looks = 0; looks < 1000000 && seen != 'S' && seen != 'Z'; looks++)
		seen = state_of(waiter.pid[0]);
	assert_int_equal(kill(holder.pid[0], SIGCONT), 0);
	assert_int_equal(waitpid(waiter.pid[0], &status, 0), waiter.pid[0]);
	assert_int_equal(seen, 'S');
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(holder.pid[0], &status, 0), holder.pid[0]);
	assert_int_equal(status, 0);
	assert_int_equal(tg_lease_count(l, 7, NOW), 1);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_waiter_sleeps_until_the_holder_is_back),
			cmocka_unit_test(sixteen_processes_stay_exact_under_a_limit),
			cmocka_unit_test(half_a_lease_is_no_lease),
			cmocka_unit_test(a_stopped_holder_makes_it_busy),
			cmocka_unit_test(killed_holders_leave_an_exact_gauge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

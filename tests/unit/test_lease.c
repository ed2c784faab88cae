/*
 * Leases: the gauge against a plain list of leases, and between processes that
 * are killed in the middle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "support.h"
#include "procs.h"

#include "lib/lease.h"
#include "lib/lease_set.h"
#include "lib/region.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1000000000)
#define SECOND UINT64_C(1000000)

static struct tg_leases *leases(uint32_t n, uint32_t owners)
{
	struct tg_lease_config cfg = {n, owners};
	size_t size = tg_lease_size(&cfg);
	struct tg_leases *l = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_lease_init(support_memory(size), size, &cfg, &l), 0);
	return l;
}

static void refuses_bad_arguments(void **state)
{
	struct tg_lease_config cfg = {15, 16};
	struct tg_leases *l;
	char *mem = support_memory(65536);

	(void)state;
	assert_int_equal(tg_lease_size(&cfg), 0);
	cfg = (struct tg_lease_config){16, (1 << 24) + 1};
	assert_int_equal(tg_lease_size(&cfg), 0);
	cfg.owners = 16;
	assert_int_equal(tg_lease_init(mem + 8, 60000, &cfg, &l), -EINVAL);
	assert_int_equal(
			tg_lease_init(mem, tg_lease_size(&cfg) - 1, &cfg, &l), -EINVAL);
	assert_int_equal(tg_lease_init(mem, 65536, &cfg, &l), 0);
	assert_int_equal(tg_lease_acquire(l, 1, 0, 0, NOW + 1, NOW, NULL), -EINVAL);
	assert_int_equal(tg_lease_acquire(l, 1, 1, 0, NOW, NOW, NULL), -EINVAL);
	support_free(mem);
}

static void counts_what_is_held(void **state)
{
	struct tg_leases *l = leases(64, 16);
	struct tg_lease_stats st;
	uint32_t n;

	(void)state;
	assert_int_equal(tg_lease_count(l, 7, NOW), 0);
	assert_int_equal(tg_lease_acquire(l, 1, 7, 2, NOW + 10, NOW, &n), 0);
	assert_int_equal(n, 1);
	/* a retransmission is not a second call; it only lengthens the lease */
	assert_int_equal(tg_lease_acquire(l, 1, 7, 2, NOW + 20, NOW, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tg_lease_acquire(l, 1, 7, 2, NOW + 5, NOW, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(tg_lease_count(l, 7, NOW + 19), 1);
	assert_int_equal(tg_lease_count(l, 7, NOW + 20), 0);
	assert_int_equal(tg_lease_acquire(l, 2, 7, 2, NOW + 10, NOW, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(tg_lease_acquire(l, 3, 7, 2, NOW + 10, NOW, &n), -EDQUOT);
	assert_int_equal(n, 2);
	/* ... but the one who holds a lease is not over the limit */
	assert_int_equal(tg_lease_acquire(l, 2, 7, 1, NOW + 10, NOW, &n), 0);
	assert_int_equal(n, 2);
	/* the same call counts for each of its owners */
	assert_int_equal(tg_lease_acquire(l, 1, 8, 1, NOW + 10, NOW, &n), 0);
	assert_int_equal(n, 1);
	/* an expired lease frees its place, unswept */
	assert_int_equal(tg_lease_acquire(l, 3, 7, 2, NOW + 30, NOW + 10, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(tg_lease_release(l, 3, 7), 0);
	assert_int_equal(tg_lease_release(l, 3, 7), -ENOENT);
	assert_int_equal(tg_lease_release(l, 99, 7), -ENOENT);
	assert_int_equal(tg_lease_release(l, 1, 99), -ENOENT);
	assert_int_equal(tg_lease_count(l, 7, NOW + 10), 1);
	tg_lease_read_stats(l, &st);
	assert_int_equal(st.acquired, 4);
	assert_int_equal(st.released, 1);
	assert_int_equal(st.expired, 1);
	assert_int_equal(st.refused, 1);
	assert_int_equal(st.live, 2);
	support_free(l);
}

static void renews_the_living_only(void **state)
{
	struct tg_leases *l = leases(64, 16);

	(void)state;
	assert_int_equal(tg_lease_acquire(l, 1, 7, 0, NOW + 10, NOW, NULL), 0);
	assert_int_equal(tg_lease_renew(l, 1, 7, NOW + 100, NOW + 9), 0);
	assert_int_equal(tg_lease_count(l, 7, NOW + 99), 1);
	assert_int_equal(tg_lease_renew(l, 1, 7, NOW + 50, NOW + 20), 0);
	assert_int_equal(tg_lease_count(l, 7, NOW + 50), 0);
	assert_int_equal(tg_lease_renew(l, 1, 7, NOW + 90, NOW + 50), -ENOENT);
	assert_int_equal(tg_lease_renew(l, 2, 7, NOW + 90, NOW), -ENOENT);
	assert_int_equal(tg_lease_renew(l, 1, 8, NOW + 90, NOW), -ENOENT);
	support_free(l);
}

static void sweeps_within_its_budget(void **state)
{
	struct tg_leases *l = leases(1024, 64);
	struct tg_lease_stats st;
	uint32_t i, freed = 0, rounds = 0;

	(void)state;
	for(i = 1; i <= 1000; i++)
		assert_int_equal(tg_lease_acquire(l, i, 1 + i % 50, 0,
								 NOW + (i % 2 ? 10 : 1000), NOW, NULL),
				0);
	assert_int_equal(tg_lease_sweep(l, NOW + 9, UINT32_MAX), 0);
	while(freed < 500) {
		uint32_t n = tg_lease_sweep(l, NOW + 10, 64);

		assert_true(n <= 64);
		freed += n;
		assert_true(++rounds <= 2048 / 64);
	}
	assert_int_equal(tg_lease_sweep(l, NOW + 10, UINT32_MAX), 0);
	tg_lease_read_stats(l, &st);
	assert_int_equal(st.live, 500);
	assert_int_equal(st.expired, 500);
	for(i = 1; i <= 1000; i++)
		assert_int_equal(
				tg_lease_release(l, i, 1 + i % 50), i % 2 ? -ENOENT : 0);
	tg_lease_read_stats(l, &st);
	assert_int_equal(st.live, 0);
	support_free(l);
}

/* The whole configured capacity can be used, and beyond it the table says so
 * instead of forgetting somebody; expired leases do not take up room. */
static void holds_its_capacity_and_recovers_from_overflow(void **state)
{
	enum
	{
		N = 16384
	};
	struct tg_leases *l = leases(N, N);
	struct tg_lease_stats st;
	uint32_t i, refused = 0;

	(void)state;
	for(i = 1; i <= N; i++)
		assert_int_equal(
				tg_lease_acquire(l, i, i * 31, 1, NOW + 10, NOW, NULL), 0);
	for(i = N + 1; i <= 4 * N; i++)
		refused +=
				tg_lease_acquire(l, i, 17, 0, NOW + 10, NOW, NULL) == -ENOSPC;
	assert_true(refused >= 2 * N);
	tg_lease_read_stats(l, &st);
	assert_int_equal(st.untracked, refused);
	assert_int_equal(st.live, 4 * N - refused);
	assert_int_equal(tg_lease_count(l, 17, NOW), 3 * N - refused);
	/* everything has expired, nobody has swept */
	for(i = 1; i <= N; i++)
		assert_int_equal(tg_lease_acquire(l, 5 * N + i, i * 31, 1, NOW + 99,
								 NOW + 10, NULL),
				0);
	assert_int_equal(tg_lease_count(l, 17, NOW + 10), 0);
	support_free(l);
}

/* ---- against a plain list ---- */

struct held_lease
{
	uint64_t call, owner, expires; /* owner 0 = none */
};

enum
{
	CALLS = 60,
	OWNERS = 9
};

static struct held_lease list[CALLS * OWNERS];

static struct held_lease *listed(uint64_t call, uint64_t owner)
{
	return &list[(call - 1) * OWNERS + owner - 1];
}

static uint32_t count_listed(uint64_t owner, uint64_t now)
{
	uint32_t n = 0;
	size_t i;

	for(i = 0; i < CALLS * OWNERS; i++)
		n += list[i].owner == owner && list[i].expires > now;
	return n;
}

static void random_operations_match_a_list(void **state)
{
	struct tg_leases *l = leases(1024, 16);
	uint64_t now = NOW;
	uint32_t i, refusals = 0;

	(void)state;
	srandom(4711);
	memset(list, 0, sizeof(list));
	for(i = 0; i < 300000; i++) {
		uint64_t call = 1 + (uint64_t)random() % CALLS;
		uint64_t owner = 1 + (uint64_t)random() % OWNERS;
		uint64_t expires = now + 1 + (uint64_t)random() % 400;
		struct held_lease *h = listed(call, owner);
		int is_live = h->owner != 0 && h->expires > now, rc;
		uint32_t before = count_listed(owner, now), n = 0;

		switch(random() % 8) {
			case 0:
			case 1:
			case 2:
				rc = tg_lease_acquire(l, call, owner, 20, expires, now, &n);
				if(is_live) {
					assert_int_equal(rc, 0);
					if(h->expires < expires)
						h->expires = expires;
				} else if(before >= 20) {
					assert_int_equal(rc, -EDQUOT);
					refusals++;
				} else {
					assert_int_equal(rc, 0);
					*h = (struct held_lease){call, owner, expires};
				}
				assert_int_equal(n, count_listed(owner, now));
				break;
			case 3:
				rc = tg_lease_renew(l, call, owner, expires, now);
				assert_int_equal(rc, is_live ? 0 : -ENOENT);
				if(is_live)
					h->expires = expires;
				break;
			case 4:
				rc = tg_lease_release(l, call, owner);
				/* an expired one may or may not have been cleared away */
				if(h->owner == 0 || is_live)
					assert_int_equal(rc, is_live ? 0 : -ENOENT);
				h->owner = 0;
				break;
			case 5:
				tg_lease_sweep(l, now, 50);
				break;
			default:
				now += (uint64_t)random() % 6;
		}
		assert_int_equal(
				tg_lease_count(l, owner, now), count_listed(owner, now));
	}
	assert_true(refusals > 100);
	support_free(l);
}

/* ---- between processes ---- */

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
		;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(counts_what_is_held),
			cmocka_unit_test(renews_the_living_only),
			cmocka_unit_test(sweeps_within_its_budget),
			cmocka_unit_test(holds_its_capacity_and_recovers_from_overflow),
			cmocka_unit_test(random_operations_match_a_list),
			cmocka_unit_test(sixteen_processes_stay_exact_under_a_limit),
			cmocka_unit_test(half_a_lease_is_no_lease),
			cmocka_unit_test(a_stopped_holder_makes_it_busy),
			cmocka_unit_test(killed_holders_leave_an_exact_gauge),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}

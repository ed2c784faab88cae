/*
 * Leases: the gauge against a plain list of leases. Between processes:
 * lib/table/test_lease_procs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/table/lease.h"
#include "lib/table/lease_set.h"
#include "lib/share/region.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(counts_what_is_held),
			cmocka_unit_test(renews_the_living_only),
			cmocka_unit_test(sweeps_within_its_budget),
			cmocka_unit_test(holds_its_capacity_and_recovers_from_overflow),
			cmocka_unit_test(random_operations_match_a_list),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}

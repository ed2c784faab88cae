/*
 * Leases: what may become of a slot between the look of whoever reaps it and the
 * lock. A window of a few instructions: the other process does its work here in
 * the middle of the reaper's, where the lock is taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/table/lease_set.h"

static int hold_after_others(
		struct tg_leases *l, uint64_t owner, struct tg_held *h);

/* The same names are linked in from the library: these are the reaper's own. */
#define tg_lease_size reaper_size
#define tg_lease_init reaper_init
#define tg_lease_acquire reaper_acquire
#define tg_lease_renew reaper_renew
#define tg_lease_release reaper_release
#define tg_lease_count reaper_count
#define tg_lease_sweep reaper_sweep
#define tg_lease_read_stats reaper_read_stats
#define tg_lease_hold hold_after_others
#include "lib/table/lease.c"
#undef tg_lease_size
#undef tg_lease_init
#undef tg_lease_acquire
#undef tg_lease_renew
#undef tg_lease_release
#undef tg_lease_count
#undef tg_lease_sweep
#undef tg_lease_read_stats
#undef tg_lease_hold

#define NOW UINT64_C(1000000000)
#define CALL 1
#define OWNER 7
#define OTHER 8 /* in another set, so under another lock */

static struct tg_leases *l;
static uint32_t place; /* the slot of the lease to be reaped */
static void (*meanwhile)(void);
static unsigned locks;

static int hold_after_others(
		struct tg_leases *leases, uint64_t owner, struct tg_held *h)
{
	void (*others)(void) = meanwhile;

	locks++;
	meanwhile = NULL;
	if(others != NULL)
		others();
	return tg_lease_hold(leases, owner, h);
}

static struct tg_lease_slot *slot(void)
{
	return &tg_lease_slots_of(l)[place];
}

/* The owner's only lease; it expires at NOW. */
static int one_expired_lease(void **state)
{
	struct tg_lease_config cfg = {16, 16};
	size_t size = tg_lease_size(&cfg);

	(void)state;
	assert_int_equal(tg_lease_init(support_memory(size), size, &cfg, &l), 0);
	assert_int_not_equal(tg_lease_set_of(l, OWNER), tg_lease_set_of(l, OTHER));
	assert_int_equal(
			tg_lease_acquire(l, CALL, OWNER, 0, NOW, NOW - 1, NULL), 0);
	for(place = 0; tg_lease_load(&slot()->owner) != OWNER; place++)
		assert_true(place < tg_lease_slot_count(l));
	return 0;
}

static int drop_leases(void **state)
{
	(void)state;
	support_free(l);
	return 0;
}

/* How many the sweep of all slots frees, while the others do theirs. */
static uint32_t sweep_while(void (*others)(void))
{
	uint32_t freed;

	meanwhile = others;
	locks = 0;
	freed = reaper_sweep(l, NOW, UINT32_MAX);
	assert_int_equal(
			locks, 1); /* the sweep took this slot for an expired one */
	return freed;
}

static uint64_t expired(void)
{
	struct tg_lease_stats st;

	tg_lease_read_stats(l, &st);
	return st.expired;
}

static void expect_free(void)
{
	assert_int_equal(tg_lease_load(&slot()->owner), 0);
	assert_int_equal(tg_lease_load(&slot()->expires), 0);
}

static void what_nobody_touches_is_freed(void **state)
{
	(void)state;
	assert_int_equal(sweep_while(NULL), 1);
	assert_int_equal(expired(), 1);
	expect_free();
}

/* Its clock is a little behind the reaper's. */
static void renew(void)
{
	assert_int_equal(tg_lease_renew(l, CALL, OWNER, NOW + 9, NOW - 1), 0);
}

static void a_renewed_lease_stays(void **state)
{
	(void)state;
	assert_int_equal(sweep_while(renew), 0);
	assert_int_equal(expired(), 0);
	assert_int_equal(tg_lease_count(l, OWNER, NOW), 1);
	assert_int_equal(tg_lease_release(l, CALL, OWNER), 0);
}

static void finish_the_claim(void)
{
	tg_lease_store(&slot()->owner, 0);
	assert_int_equal(
			tg_lease_acquire(l, CALL, OWNER, 0, NOW + 9, NOW, NULL), 0);
	assert_int_equal(tg_lease_load(&slot()->owner), OWNER);
}

/* Claimed at the look, a lease under the lock. */
static void a_claim_that_became_a_lease_stays(void **state)
{
	(void)state;
	assert_int_equal(tg_lease_release(l, CALL, OWNER), 0);
	tg_lease_store(&slot()->owner, OWNER);
	assert_int_equal(sweep_while(finish_the_claim), 0);
	assert_int_equal(expired(), 0);
	assert_int_equal(tg_lease_count(l, OWNER, NOW), 1);
	assert_int_equal(tg_lease_release(l, CALL, OWNER), 0);
}

static void let_other_claim(void)
{
	assert_int_equal(tg_lease_release(l, CALL, OWNER), 0);
	tg_lease_store(&slot()->owner, OTHER);
}

/* The lock that the reaper has says nothing about it. */
static void anothers_claim_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(sweep_while(let_other_claim), 0);
	assert_int_equal(tg_lease_load(&slot()->owner), OTHER);
	assert_int_equal(expired(), 0);
}

static void let_other_have_it(void)
{
	uint64_t call = 0;

	assert_int_equal(tg_lease_release(l, CALL, OWNER), 0);
	while(tg_lease_load(&slot()->owner) != OTHER) {
		(void)tg_lease_release(l, call, OTHER);
		assert_true(++call < 10000);
		assert_int_equal(
				tg_lease_acquire(l, call, OTHER, 0, NOW, NOW - 1, NULL), 0);
	}
}

/* It has expired as well, but in a tree under another lock. */
static void anothers_expired_lease_is_left_to_its_own_lock(void **state)
{
	(void)state;
	assert_int_equal(sweep_while(let_other_have_it), 0);
	assert_int_equal(tg_lease_load(&slot()->owner), OTHER);
	assert_int_equal(expired(), 0);
	assert_int_equal(sweep_while(NULL), 1);
	assert_int_equal(expired(), 1);
	expect_free();
}

#define on_one_lease(f) \
	cmocka_unit_test_setup_teardown(f, one_expired_lease, drop_leases)

int main(void)
{
	const struct CMUnitTest tests[] = {
			on_one_lease(what_nobody_touches_is_freed),
			on_one_lease(a_renewed_lease_stays),
			on_one_lease(a_claim_that_became_a_lease_stays),
			on_one_lease(anothers_claim_is_left_alone),
			on_one_lease(anothers_expired_lease_is_left_to_its_own_lock),
	};

	return cmocka_run_group_tests_name("lease_reap", tests, NULL, NULL);
}

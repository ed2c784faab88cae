/*
 * A release that finds a process stopped inside a lock is not lost: it is noted,
 * and done as soon as the lock is free. The neighbour is stopped for good here,
 * until the test lets it go on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/capacity_owed.h"
#include "callroute/live/live_slot.h"
#include "lib/table/lease_set.h"

#define END (NOW + 100 * SEC)
#define CALL 77
#define SLOTS 8

static const struct callroute_claim CLAIM = {
		.trunk = 1, .carrier = 2, .account = 3};
static const struct callroute_claim OTHER = {
		.trunk = 4, .carrier = 2, .account = 3};

static uint32_t held(struct rig *r, enum callroute_owner kind, uint32_t id)
{
	return callroute_capacity_channels(r->live, kind, id, NOW);
}

static uint64_t total(struct rig *r, uint64_t now)
{
	struct callroute_capacity_stats st;

	callroute_capacity_read_stats(r->live, now, &st);
	return st.channels;
}

static void ring_up(struct tg_region *region, struct tg_ring **ring)
{
	struct tg_ring_config cfg = {SLOTS, sizeof(struct callroute_owed)};

	assert_int_equal(tg_region_map(region, tg_ring_size(&cfg)), 0);
	assert_int_equal(tg_ring_init(region->base, region->size, &cfg, ring), 0);
}

/* ---- somebody who stops inside ---- */

static int stop_in_trunk(void *live, unsigned self)
{
	struct callroute_live *l = live;
	struct tg_held h;

	(void)self;
	if(tg_lease_hold(callroute_part(l, l->leases_at), UINT64_C(1) << 32 | 1, &h)
			!= 0)
		return 1;
	raise(SIGSTOP);
	return tg_lease_let_go(&h, 0);
}

static int stop_here(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	(void)payload;
	(void)expires;
	(void)rank;
	(void)arg;
	raise(SIGSTOP);
	return fresh ? -ENOENT : 1;
}

static int stop_in_record(void *live, unsigned self)
{
	struct callroute_live *l = live;

	(void)self;
	return tg_store_edit(
			callroute_part(l, l->calls_at), CALL, 0, END, NOW, stop_here, NULL);
}

static void stop(struct procs *p, procs_f where, struct rig *r)
{
	int status;

	procs_start(p, 1, where, r->live);
	assert_int_equal(waitpid(p->pid[0], &status, WUNTRACED), p->pid[0]);
	assert_true(WIFSTOPPED(status));
}

static void go_on(struct procs *p)
{
	int status;

	assert_int_equal(kill(p->pid[0], SIGCONT), 0);
	assert_int_equal(waitpid(p->pid[0], &status, 0), p->pid[0]);
	assert_int_equal(status, 0);
}

static void take(struct rig *r, const struct callroute_claim *claim)
{
	assert_int_equal(
			callroute_capacity_take(r->live, CALL, claim, END, NOW), 0);
}

/* ---- tests ---- */

static void a_channel_that_was_busy_is_given_back_later(void **state)
{
	struct rig *r = *state;
	struct tg_region region;
	struct tg_ring *owed;
	struct procs p;

	ring_up(&region, &owed);
	take(r, &CLAIM);
	stop(&p, stop_in_trunk, r);
	assert_int_equal(
			callroute_release_or_owe(r->live, owed, CALL, NOW), -EINPROGRESS);
	/* what could be given back was */
	assert_int_equal(held(r, CALLROUTE_OWNER_CARRIER, 2), 0);
	assert_int_equal(held(r, CALLROUTE_OWNER_ACCOUNT, 3), 0);
	assert_int_equal(callroute_pay_owed(r->live, owed, SLOTS, NOW), 0);
	go_on(&p);
	assert_int_equal(held(r, CALLROUTE_OWNER_TRUNK, 1), 1);
	assert_int_equal(callroute_pay_owed(r->live, owed, SLOTS, NOW), 1);
	assert_int_equal(total(r, NOW), 0);
	assert_int_equal(callroute_pay_owed(r->live, owed, SLOTS, NOW), 0);
	assert_int_equal(
			callroute_release_or_owe(r->live, owed, CALL, NOW), -ENOENT);
	tg_region_unmap(&region);
}

static void a_record_that_was_busy_too(void **state)
{
	struct rig *r = *state;
	struct tg_region region;
	struct tg_ring *owed;
	struct procs p;

	ring_up(&region, &owed);
	take(r, &CLAIM);
	stop(&p, stop_in_record, r);
	assert_int_equal(
			callroute_release_or_owe(r->live, owed, CALL, NOW), -EINPROGRESS);
	assert_int_equal(total(r, NOW), 3);
	go_on(&p);
	assert_int_equal(callroute_pay_owed(r->live, owed, SLOTS, NOW), 1);
	assert_int_equal(total(r, NOW), 0);
	tg_region_unmap(&region);
}

/* The script chooses another trunk before the keeper comes: that one is not the
 * keeper's to give back, and the old one is not left behind. */
static void what_was_taken_since_stays(void **state)
{
	struct rig *r = *state;
	procs_f where[] = {stop_in_trunk, stop_in_record};
	struct tg_region region;
	struct tg_ring *owed;
	struct procs p;
	unsigned i;

	ring_up(&region, &owed);
	for(i = 0; i < 2; i++) {
		take(r, &CLAIM);
		stop(&p, where[i], r);
		assert_int_equal(callroute_release_or_owe(r->live, owed, CALL, NOW),
				-EINPROGRESS);
		go_on(&p);
		take(r, &OTHER);
		assert_int_equal(callroute_pay_owed(r->live, owed, SLOTS, NOW), 1);
		assert_int_equal(held(r, CALLROUTE_OWNER_TRUNK, 1), 0);
		assert_int_equal(held(r, CALLROUTE_OWNER_TRUNK, 4), 1);
		assert_int_equal(total(r, NOW), 3);
		assert_int_equal(callroute_release_or_owe(r->live, owed, CALL, NOW), 0);
		assert_int_equal(total(r, NOW), 0);
	}
	tg_region_unmap(&region);
}

static void the_order_of_attempts_is_circular(void **state)
{
	struct rig *r = *state;
	uint32_t mark;

	atomic_store(&r->live->attempts, UINT32_MAX);
	take(r, &CLAIM);
	mark = callroute_capacity_mark(r->live);
	assert_int_equal(mark, 0);
	assert_int_equal(
			callroute_capacity_release_before(r->live, CALL, mark, NOW), 0);
	take(r, &CLAIM);
	assert_int_equal(
			callroute_capacity_release_before(r->live, CALL, mark, NOW),
			-ENOENT);
	assert_int_equal(callroute_capacity_release(r->live, CALL, NOW), 0);
	assert_int_equal(total(r, NOW), 0);
}

/* A full ring is told, and the expiry is what is left. */
static void a_full_ring_leaves_it_to_the_expiry(void **state)
{
	struct rig *r = *state;
	struct callroute_owed note = {.call = 1};
	struct tg_region region;
	struct tg_ring *owed;
	struct procs p;
	unsigned i;

	ring_up(&region, &owed);
	for(i = 0; i < SLOTS; i++)
		assert_int_equal(tg_ring_push(owed, &note, NOW), 0);
	take(r, &CLAIM);
	stop(&p, stop_in_record, r);
	assert_int_equal(
			callroute_release_or_owe(r->live, owed, CALL, NOW), -ENOBUFS);
	go_on(&p);
	assert_int_equal(total(r, NOW), 3);
	assert_int_equal(total(r, END), 0);
	tg_region_unmap(&region);
}

static void the_expiry_of_a_busy_call_moves_when_asked_again(void **state)
{
	struct rig *r = *state;
	procs_f where[] = {stop_in_trunk, stop_in_record};
	struct procs p;
	unsigned i;

	for(i = 0; i < 2; i++) {
		take(r, &CLAIM);
		stop(&p, where[i], r);
		assert_int_equal(
				callroute_capacity_renew(r->live, CALL, END + SEC, NOW),
				-EBUSY);
		go_on(&p);
		assert_int_equal(
				callroute_capacity_renew(r->live, CALL, END + SEC, NOW), 0);
		assert_int_equal(total(r, END), 3);
		assert_int_equal(callroute_capacity_release(r->live, CALL, NOW), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(a_channel_that_was_busy_is_given_back_later),
			rig_test(a_record_that_was_busy_too),
			rig_test(what_was_taken_since_stays),
			rig_test(the_order_of_attempts_is_circular),
			rig_test(a_full_ring_leaves_it_to_the_expiry),
			rig_test(the_expiry_of_a_busy_call_moves_when_asked_again),
	};

	return cmocka_run_group_tests_name(
			"callroute_capacity_owed", tests, NULL, NULL);
}

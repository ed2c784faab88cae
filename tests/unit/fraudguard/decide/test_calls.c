/*
 * Calls at once: the gauge is the number of live calls at any moment, whatever
 * begins, repeats, ends twice or never.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/fraudguard/rig.h"

#include <pthread.h>
#include <stdatomic.h>

static struct rig r;

#define AT_ONCE "concurrent_calls"

/* The account's limit is two, in force. */
static void open_with_limit(int limit)
{
	rig_open(&r);
	rig_rule(&r, "at-once", AT_ONCE, "*", limit, 0, "refuse", "enforce");
	rig_use(&r);
}

static void the_call_too_many_is_refused_and_holds_nothing(void **state)
{
	(void)state;
	open_with_limit(2);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_PASS);
	for(int i = 0; i < 5; i++) {
		assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_EXPOSURE);
		assert_string_equal(r.a.hit.rule, "at-once");
		assert_int_equal(r.a.hit.observed, 3);
		assert_int_equal(r.a.hit.threshold, 2);
		assert_int_equal(r.a.hit.window_sec, 0);
		assert_int_equal(rig_leases(&r), 2);
	}
	assert_int_equal(rig_end(&r, "3"), -ENOENT);
	assert_int_equal(rig_call(&r, "bob", "4"), FRAUDGUARD_PASS);
	assert_int_equal(rig_end(&r, "1"), 0);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "5"), FRAUDGUARD_EXPOSURE);
	rig_close(&r);
}

/* fraud_detection #949: one end too many, and the gauge was 4294967295. */
static void an_end_counts_once(void **state)
{
	(void)state;
	open_with_limit(2);
	assert_int_equal(rig_end(&r, "never"), -ENOENT);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_PASS);
	assert_int_equal(rig_end(&r, "1"), 0);
	for(int i = 0; i < 5; i++)
		assert_int_equal(rig_end(&r, "1"), -ENOENT);
	assert_int_equal(rig_leases(&r), 1);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "4"), FRAUDGUARD_EXPOSURE);
	rig_close(&r);
}

static void a_retransmission_is_the_same_call(void **state)
{
	(void)state;
	open_with_limit(1);
	for(int i = 0; i < 5; i++) {
		assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
		assert_int_equal(rig_leases(&r), 1);
		rig_wait(&r, SEC / 2);
	}
	assert_int_equal(rig_end(&r, "1"), 0);
	assert_int_equal(rig_leases(&r), 0);
	rig_close(&r);
}

/* Whoever repeats a call prolongs it, and its end is still found. */
static void a_repeated_call_ends_with_its_end(void **state)
{
	(void)state;
	open_with_limit(1);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	rig_wait(&r, 170 * SEC);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	rig_wait(&r, 100 * SEC);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_end(&r, "1"), 0);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_PASS);
	rig_close(&r);
}

/* A lower limit is for new calls: the ones that live stay counted. */
static void a_lowered_limit_forgets_no_call(void **state)
{
	static const int limits[] = {1, 0};

	(void)state;
	for(int i = 0; i < 2; i++) {
		open_with_limit(3);
		for(int n = 1; n <= 3; n++) {
			char callid[16];

			snprintf(callid, sizeof callid, "%d", n);
			assert_int_equal(rig_call(&r, "alice", callid), FRAUDGUARD_PASS);
		}
		rig_rules(&r);
		rig_rule(
				&r, "at-once", AT_ONCE, "*", limits[i], 0, "refuse", "enforce");
		rig_use(&r);
		/* a retransmission of one that was let in */
		assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_PASS);
		assert_int_equal(rig_leases(&r), 3);
		assert_int_equal(rig_call(&r, "alice", "4"), FRAUDGUARD_EXPOSURE);
		assert_int_equal(r.a.hit.observed, 4);
		assert_int_equal(rig_leases(&r), 3);
		rig_close(&r);
	}
}

static void a_lease_ends_by_itself_unless_renewed(void **state)
{
	(void)state;
	open_with_limit(2);
	assert_int_equal(rig_call(&r, "alice", "lost"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "long"), FRAUDGUARD_PASS);
	rig_wait(&r, 100 * SEC);
	assert_int_equal(rig_answer(&r, "long", 3600 * SEC), 0);
	rig_wait(&r, 80 * SEC - 1);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_EXPOSURE);
	rig_wait(&r, 1);
	assert_int_equal(rig_answer(&r, "lost", 3600 * SEC), -ENOENT);
	assert_int_equal(rig_answer(&r, "never", 3600 * SEC), -ENOENT);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "4"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_end(&r, "3"), 0);
	rig_wait(&r, 3519 * SEC); /* a second before the hour of the long one */
	assert_int_equal(rig_call(&r, "alice", "5"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "6"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_end(&r, "long"), 0);
	assert_int_equal(rig_call(&r, "alice", "6"), FRAUDGUARD_PASS);
	rig_close(&r);
}

/* A script may count one call for its account and for its trunk. */
static void one_call_may_be_held_by_several(void **state)
{
	(void)state;
	open_with_limit(1);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "trunk", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_leases(&r), 2);
	assert_int_equal(rig_answer(&r, "1", 3600 * SEC), 0);
	rig_wait(&r, 1800 * SEC);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_call(&r, "trunk", "2"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_leases(&r), 2);
	assert_int_equal(rig_end(&r, "1"), 0);
	assert_int_equal(rig_leases(&r), 0);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "trunk", "2"), FRAUDGUARD_PASS);
	/* one owner too many goes uncounted and leaves nothing behind */
	for(int i = 3; i <= 6; i++) {
		char who[32];

		snprintf(who, sizeof who, "owner-%d", i);
		assert_int_equal(rig_call(&r, who, "2"), FRAUDGUARD_PASS);
		assert_int_equal(r.a.untracked, i > FRAUDGUARD_OWNERS);
	}
	assert_int_equal(rig_leases(&r), FRAUDGUARD_OWNERS);
	assert_int_equal(rig_end(&r, "2"), 0);
	assert_int_equal(rig_leases(&r), 0);
	rig_close(&r);
}

/* A refusal of one holder is no end of the call for the others: they may have
 * let it in before, and an attacker may have taken its Call-ID. */
static void a_refusal_ends_no_call_of_another(void **state)
{
	(void)state;
	open_with_limit(1);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "mallory", "2"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "mallory", "1"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_leases(&r), 2);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_EXPOSURE);
	rig_close(&r);
}

static void allowed_accounts_are_counted_all_the_same(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "at-once", AT_ONCE, "*", 1, 0, "refuse", "enforce");
	fraudguard_build_allow(&r.b, 1, "account", "pbx");
	rig_use(&r);
	for(int i = 0; i < 5; i++) {
		char callid[16];

		snprintf(callid, sizeof callid, "%d", i);
		assert_int_equal(rig_call(&r, "pbx", callid), FRAUDGUARD_PASS);
		assert_int_equal(rig_leases(&r), i + 1);
		assert_int_equal(r.a.events, 0);
	}
	assert_int_equal(rig_end(&r, "3"), 0);
	assert_int_equal(rig_leases(&r), 4);
	rig_close(&r);
}

static void shadow_and_ban_see_the_same_gauge(void **state)
{
	struct fraudguard_hit h;

	(void)state;
	rig_open(&r);
	rig_rule(&r, "low", AT_ONCE, "*", 1, 0, "refuse", "shadow");
	rig_rule(&r, "high", AT_ONCE, "*", 2, 0, "ban", "enforce");
	rig_use(&r);
	assert_int_equal(rig_call(&r, "alice", "1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "2"), FRAUDGUARD_WATCHED);
	assert_true(rig_fired(&r, "low", &h));
	assert_int_equal(h.observed, 2);
	assert_int_equal(rig_call(&r, "alice", "3"), FRAUDGUARD_BANNED);
	assert_true(rig_fired(&r, "low", &h));
	assert_int_equal(h.observed, 3);
	assert_true(rig_fired(&r, "high", &h));
	assert_int_equal(h.until, WALL + 60);
	assert_int_equal(rig_leases(&r), 2);
	rig_close(&r);
}

/* Random calls begin, repeat, are answered, end and are forgotten, against a
 * plain list: verdict and gauge are exact at every step. */
static void the_gauge_is_exact_over_a_long_day(void **state)
{
	enum
	{
		CALLS = 12,
		LIMIT = 4
	};
	uint64_t until[CALLS] = {0}, seed = 42;
	int refused = 0, expired = 0;

	(void)state;
	open_with_limit(LIMIT);
	for(int step = 0; step < 100000; step++) {
		char callid[16];
		int c, what, live = 0;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		c = (int)(seed >> 33) % CALLS;
		what = (int)(seed >> 40) % 8;
		rig_wait(&r, (seed >> 20) % (60 * SEC));
		snprintf(callid, sizeof callid, "%d", c);
		for(int i = 0; i < CALLS; i++) {
			expired += until[i] != 0 && until[i] <= r.now.mono;
			until[i] = until[i] > r.now.mono ? until[i] : 0;
			live += until[i] != 0;
		}
		if(what < 4) {
			int passes = until[c] != 0 || live < LIMIT;

			assert_int_equal(rig_call(&r, "alice", callid),
					passes ? FRAUDGUARD_PASS : FRAUDGUARD_EXPOSURE);
			if(passes && until[c] < r.now.mono + 180 * SEC)
				until[c] = r.now.mono + 180 * SEC;
			refused += !passes;
			if(!passes)
				assert_int_equal(r.a.hit.observed, LIMIT + 1);
		} else if(what < 6) {
			assert_int_equal(rig_end(&r, callid), until[c] ? 0 : -ENOENT);
			until[c] = 0;
		} else {
			assert_int_equal(
					rig_answer(&r, callid, 400 * SEC), until[c] ? 0 : -ENOENT);
			until[c] = until[c] ? r.now.mono + 400 * SEC : 0;
		}
	}
	assert_true(refused > 1000);
	assert_true(expired > 1000);
	rig_close(&r);
}

/* --- several at once -------------------------------------------------------- */

#define CALLERS 4
#define ACCOUNTS 3000
#define ATTEMPTS 3 /* of each account in a window */

static _Atomic int arrived[ACCOUNTS], passed[ACCOUNTS];
/* Of those that passed: what found another process stopped inside a lock, and so
 * went uncounted (fraudguard.h). */
static _Atomic int untracked[ACCOUNTS];

/* Two calls for each account, begun together with the other callers. */
static void *call_all(void *number)
{
	struct rig mine = r;

	for(int i = 0; i < ACCOUNTS; i++) {
		atomic_fetch_add(&arrived[i], 1);
		for(int spins = 0; spins < 20000; spins++) {
			if(atomic_load(&arrived[i]) == CALLERS)
				break;
		}
		for(int n = 0; n < 2; n++) {
			char account[32], callid[64];

			snprintf(account, sizeof account, "account-%d", i);
			snprintf(callid, sizeof callid, "%d-%d-%d", i, *(int *)number, n);
			if(rig_call(&mine, account, callid) > 0) {
				atomic_fetch_add(&passed[i], 1);
				atomic_fetch_add(&untracked[i], mine.a.untracked);
			}
		}
	}
	return NULL;
}

/* Between the look and the count another process may have been faster: the
 * limit holds to the call, and whoever is refused last leaves no lease. The
 * exception needs a process that the system stops while it makes an account's
 * cell: another then makes a second one (cells_claim.c), and two calls may pass
 * at once, each on a cell of its own. On a crowded machine some of 3000 do. */
static void no_race_passes_a_limit_or_leaves_a_lease(void **state)
{
	pthread_t caller[CALLERS];
	int number[CALLERS], all = 0, lost = 0, twice = 0;

	(void)state;
	rig_open_sized(&r, 65536, 65536);
	rig_rule(
			&r, "few", "call_attempts", "*", ATTEMPTS, 60, "refuse", "enforce");
	rig_rule(&r, "at-once", AT_ONCE, "*", 100, 0, "refuse", "enforce");
	rig_use(&r);
	for(int i = 0; i < CALLERS; i++) {
		number[i] = i;
		assert_int_equal(
				pthread_create(&caller[i], NULL, call_all, &number[i]), 0);
	}
	for(int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_join(caller[i], NULL), 0);
	for(int i = 0; i < ACCOUNTS; i++) {
		assert_in_range(
				passed[i], ATTEMPTS, ATTEMPTS + untracked[i] + CALLERS - 1);
		all += passed[i];
		lost += untracked[i];
		twice += passed[i] > ATTEMPTS + untracked[i];
	}
	assert_in_range(twice, 0, ACCOUNTS / 300);
	assert_in_range(lost, 0, all / 100);
	assert_in_range(rig_leases(&r), all - lost, all);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(the_call_too_many_is_refused_and_holds_nothing),
			cmocka_unit_test(an_end_counts_once),
			cmocka_unit_test(a_retransmission_is_the_same_call),
			cmocka_unit_test(a_repeated_call_ends_with_its_end),
			cmocka_unit_test(a_lowered_limit_forgets_no_call),
			cmocka_unit_test(a_lease_ends_by_itself_unless_renewed),
			cmocka_unit_test(one_call_may_be_held_by_several),
			cmocka_unit_test(a_refusal_ends_no_call_of_another),
			cmocka_unit_test(allowed_accounts_are_counted_all_the_same),
			cmocka_unit_test(shadow_and_ban_see_the_same_gauge),
			cmocka_unit_test(the_gauge_is_exact_over_a_long_day),
			cmocka_unit_test(no_race_passes_a_limit_or_leaves_a_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

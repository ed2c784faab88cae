/*
 * Judging by rate: what counts, for whom, in which order, and what a shadow
 * rule may never change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/fraudguard/rig.h"

static struct rig r;

#define ATTEMPTS "call_attempts"
#define REQUESTS "source_requests"

static void call_n_passes_and_the_next_is_refused(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "few", ATTEMPTS, "*", 5, 10, "refuse", "enforce");
	rig_use(&r);
	for(int i = 1; i <= 5; i++) {
		assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
		assert_int_equal(r.a.events, 0);
		assert_string_equal(r.a.hit.rule, "");
	}
	assert_int_equal(rig_call(&r, "alice", "the-sixth"), FRAUDGUARD_RATE);
	assert_int_equal(r.a.events, 1);
	assert_string_equal(r.a.hit.rule, "few");
	assert_string_equal(r.a.hit.key, "account:alice");
	assert_string_equal(r.a.hit.callid, "the-sixth");
	assert_string_equal(r.a.hit.reason, "Too Much");
	assert_int_equal(r.a.hit.observed, 6);
	assert_int_equal(r.a.hit.threshold, 5);
	assert_int_equal(r.a.hit.window_sec, 10);
	assert_int_equal(r.a.hit.code, 488);
	assert_int_equal(r.a.hit.until, 0);
	assert_int_equal(r.a.hit.metric, FRAUDGUARD_CALL_ATTEMPTS);
	assert_int_equal(r.a.hit.action, FRAUDGUARD_REFUSE);
	assert_int_equal(r.a.hit.mode, FRAUDGUARD_ENFORCE);
	assert_memory_equal(&r.a.hit, &r.a.event[0], sizeof r.a.hit);
	/* others are not held for it */
	assert_int_equal(rig_call(&r, "bob", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_source(&r, "192.0.2.1"), FRAUDGUARD_PASS);
	/* and two windows later it is all over */
	rig_wait(&r, 20 * SEC);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	rig_close(&r);
}

/* Ten attempts a second for 100 s against 5 in 10 s. */
static int passes_of_a_redialler(const char *action)
{
	int passes = 0;

	rig_open(&r);
	rig_rule(&r, "few", ATTEMPTS, "*", 5, 10, action, "enforce");
	rig_use(&r);
	for(int i = 0; i < 1000; i++) {
		passes += rig_call(&r, "alice", "c") > 0;
		rig_wait(&r, SEC / 10);
	}
	rig_close(&r);
	return passes;
}

/* OpenSIPS #2900: refused calls were counted, and who redialled starved. */
static void a_refusal_holds_nobody_longer_the_more_he_tries(void **state)
{
	int passes = passes_of_a_redialler("refuse");

	(void)state;
	/* 50 by the rule; the first window and the interpolation give 5 each way */
	assert_in_range(passes, 45, 60);
	/* what is dropped goes on being counted: a flood ends when it ends */
	assert_int_equal(passes_of_a_redialler("drop"), 5);
}

/* The hour's limit counts what the minute's let pass, whichever is judged
 * first: it is not used up by attempts that nobody answered. */
static void what_one_rule_refuses_another_does_not_count(void **state)
{
	static const char *const names[][2] = {
			{"a-hour", "b-minute"}, {"b-hour", "a-minute"}};

	(void)state;
	for(int order = 0; order < 2; order++) {
		int passes = 0;

		rig_open(&r);
		rig_rule(&r, names[order][0], ATTEMPTS, "*", 100, 3600, "refuse",
				"enforce");
		rig_rule(&r, names[order][1], ATTEMPTS, "*", 10, 60, "refuse",
				"enforce");
		rig_use(&r);
		for(int i = 0; i < 300; i++) { /* five minutes, one a second */
			passes += rig_call(&r, "alice", "c") > 0;
			assert_false(rig_fired(&r, names[order][0], NULL));
			rig_wait(&r, SEC);
		}
		assert_in_range(passes, 45, 60);
		rig_close(&r);
	}
}

/* Nor what the calls at once refuse. */
static void a_call_refused_for_exposure_is_no_attempt(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "rate", ATTEMPTS, "*", 5, 60, "refuse", "enforce");
	rig_rule(&r, "at-once", "concurrent_calls", "*", 1, 0, "refuse", "enforce");
	rig_use(&r);
	assert_int_equal(rig_call(&r, "alice", "first"), FRAUDGUARD_PASS);
	for(int i = 0; i < 20; i++)
		assert_int_equal(rig_call(&r, "alice", "more"), FRAUDGUARD_EXPOSURE);
	assert_int_equal(rig_end(&r, "first"), 0);
	for(int i = 0; i < 4; i++) {
		assert_int_equal(rig_call(&r, "alice", "next"), FRAUDGUARD_PASS);
		assert_int_equal(rig_end(&r, "next"), 0);
	}
	assert_int_equal(rig_call(&r, "alice", "next"), FRAUDGUARD_RATE);
	assert_int_equal(rig_leases(&r), 0);
	rig_close(&r);
}

static void threshold_zero_lets_nobody_pass(void **state)
{
	static const char *const actions[] = {"refuse", "drop", "ban"};

	(void)state;
	for(int i = 0; i < 3; i++) {
		rig_open(&r);
		rig_rule(&r, "none", ATTEMPTS, "*", 0, 10, actions[i], "enforce");
		rig_rule(&r, "none-s", REQUESTS, "*", 0, 10, actions[i], "enforce");
		rig_use(&r);
		assert_true(rig_call(&r, "alice", "c") < 0);
		assert_int_equal(r.a.hit.observed, 1);
		assert_true(rig_source(&r, "192.0.2.1") < 0);
		assert_int_equal(r.a.hit.observed, 1);
		rig_close(&r);
	}
}

static void a_shadow_rule_reports_and_refuses_nobody(void **state)
{
	static const char *const actions[] = {"refuse", "drop", "ban", "log"};

	(void)state;
	for(int i = 0; i < 4; i++) {
		struct fraudguard_hit h;

		rig_open(&r);
		rig_rule(&r, "trial", ATTEMPTS, "*", 2, 10, actions[i], "shadow");
		rig_rule(&r, "off", ATTEMPTS, "*", 0, 10, actions[i], "off");
		rig_use(&r);
		for(int n = 1; n <= 10; n++) {
			assert_int_equal(rig_call(&r, "alice", "c"),
					n <= 2 ? FRAUDGUARD_PASS : FRAUDGUARD_WATCHED);
			assert_int_equal(rig_fired(&r, "trial", &h), n > 2);
			assert_int_equal(r.a.events, n > 2);
			if(n <= 2)
				continue;
			assert_int_equal(h.observed, n); /* how far over, too */
			assert_int_equal(h.mode, FRAUDGUARD_SHADOW);
			assert_int_equal(h.until, 0);
			assert_string_equal(r.a.hit.rule, "");
		}
		rig_close(&r);
	}
	/* An enforced rule whose action is to log is as harmless. */
	rig_open(&r);
	rig_rule(&r, "note", ATTEMPTS, "*", 2, 10, "log", "enforce");
	rig_use(&r);
	for(int n = 1; n <= 10; n++)
		assert_int_equal(rig_call(&r, "alice", "c"),
				n <= 2 ? FRAUDGUARD_PASS : FRAUDGUARD_WATCHED);
	rig_close(&r);
}

/* More rules fire than an answer can tell of: the one that refuses is not
 * among those left out, wherever its name puts it. */
static void shadow_rules_hide_no_refusal(void **state)
{
	(void)state;
	for(int ban = 0; ban < 2; ban++) {
		struct fraudguard_hit h;

		rig_open(&r);
		for(int i = 0; i < FRAUDGUARD_EVENTS + 3; i++) {
			char name[32];

			snprintf(name, sizeof name, "a%d", i);
			rig_rule(&r, name, REQUESTS, "*", 0, 10, "drop", "shadow");
		}
		rig_rule(&r, "real", REQUESTS, "*", 0, 10, ban ? "ban" : "drop",
				"enforce");
		rig_use(&r);
		assert_int_equal(rig_source(&r, "192.0.2.1"),
				ban ? FRAUDGUARD_BANNED : FRAUDGUARD_RATE);
		assert_string_equal(r.a.hit.rule, "real");
		assert_int_equal(r.a.events, FRAUDGUARD_EVENTS);
		assert_true(rig_fired(&r, "real", &h));
		assert_int_equal(h.until, ban ? WALL + 60 : 0);
		rig_close(&r);
	}
}

static void the_first_enforced_refusal_is_the_verdict(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "1-trial", ATTEMPTS, "*", 0, 10, "refuse", "shadow");
	rig_rule(&r, "2-soft", ATTEMPTS, "*", 1, 10, "refuse", "enforce");
	rig_rule(&r, "3-hard", ATTEMPTS, "*", 1, 10, "drop", "enforce");
	rig_rule(&r, "4-trial", ATTEMPTS, "*", 1, 10, "drop", "shadow");
	rig_use(&r);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_WATCHED);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_RATE);
	assert_string_equal(r.a.hit.rule, "2-soft");
	assert_true(rig_fired(&r, "1-trial", NULL));
	assert_true(rig_fired(&r, "3-hard", NULL));
	assert_true(rig_fired(&r, "4-trial", NULL));
	rig_close(&r);
}

static void the_never_block_list_comes_before_everything(void **state)
{
	static const char *const allowed[] = {"192.0.2.255", "198.51.100.7",
			"2001:db8:0:1::9", "203.0.113.128", "203.0.113.191"},
							 *const others[] = {"192.0.3.0", "198.51.100.8",
									 "2001:db8:0:2::9", "203.0.113.127",
									 "203.0.113.192", "::1"};

	(void)state;
	rig_open(&r);
	rig_rule(&r, "none", REQUESTS, "*", 0, 10, "drop", "enforce");
	rig_rule(&r, "no-calls", ATTEMPTS, "*", 0, 10, "ban", "enforce");
	fraudguard_build_allow(&r.b, 1, "ip", "192.0.2.0/24");
	fraudguard_build_allow(&r.b, 2, "ip", "198.51.100.7");
	fraudguard_build_allow(&r.b, 3, "ip", "2001:db8:0:1::/64");
	fraudguard_build_allow(&r.b, 4, "ip", "203.0.113.128/26");
	fraudguard_build_allow(&r.b, 5, "account", "zoe");
	fraudguard_build_allow(&r.b, 6, "account", "alice");
	rig_use(&r);
	for(int i = 0; i < 5; i++) {
		char key[FRAUDGUARD_KEY_MAX];
		uint8_t addr[16];

		rig_address(allowed[i], addr);
		fraudguard_source_key(addr, key);
		assert_int_equal(
				fraudguard_ban_key(&r.t, key, 60, "by hand", r.now), 0);
		assert_int_equal(rig_source(&r, allowed[i]), FRAUDGUARD_PASS);
		assert_int_equal(r.a.events, 0);
	}
	for(int i = 0; i < 6; i++)
		assert_int_equal(rig_source(&r, others[i]), FRAUDGUARD_RATE);
	assert_int_equal(
			fraudguard_ban_key(&r.t, "account:alice", 60, "by hand", r.now), 0);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "zoe", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alic", "c"), FRAUDGUARD_BANNED);
	assert_int_equal(rig_call(&r, "alice2", "c"), FRAUDGUARD_BANNED);
	rig_close(&r);
}

/* A name that is cut to fit is not the name on the list. */
static void a_longer_name_is_nobody_on_the_list(void **state)
{
	char listed[FRAUDGUARD_MATCH_MAX], longer[FRAUDGUARD_MATCH_MAX + 20];

	(void)state;
	memset(listed, 'a', sizeof listed);
	listed[sizeof listed - 1] = '\0';
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	rig_open(&r);
	rig_rule(&r, "none", ATTEMPTS, "*", 0, 10, "refuse", "enforce");
	fraudguard_build_allow(&r.b, 1, "account", listed);
	rig_use(&r);
	assert_int_equal(rig_call(&r, listed, "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, longer, "c"), FRAUDGUARD_RATE);
	rig_close(&r);
}

static void all_of_ipv6_does_not_mean_ipv4(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "none", REQUESTS, "*", 0, 10, "drop", "enforce");
	fraudguard_build_allow(&r.b, 1, "ip", "::/0");
	rig_use(&r);
	assert_int_equal(rig_source(&r, "2001:db8::1"), FRAUDGUARD_PASS);
	assert_int_equal(rig_source(&r, "192.0.2.1"), FRAUDGUARD_RATE);
	rig_close(&r);
	rig_open(&r);
	rig_rule(&r, "none", REQUESTS, "*", 0, 10, "drop", "enforce");
	fraudguard_build_allow(&r.b, 1, "ip", "0.0.0.0/0");
	rig_use(&r);
	assert_int_equal(rig_source(&r, "2001:db8::1"), FRAUDGUARD_RATE);
	assert_int_equal(rig_source(&r, "192.0.2.1"), FRAUDGUARD_PASS);
	rig_close(&r);
}

/* pike: packets that rotated inside one /64 were never blocked. */
static void ipv6_is_counted_by_its_64(void **state)
{
	char address[64];

	(void)state;
	rig_open(&r);
	rig_rule(&r, "flood", REQUESTS, "*", 30, 2, "drop", "enforce");
	rig_use(&r);
	for(int i = 1; i <= 30; i++) {
		snprintf(address, sizeof address, "2001:db8::%x:%x", i * 7, i);
		assert_int_equal(rig_source(&r, address), FRAUDGUARD_PASS);
	}
	assert_int_equal(rig_source(&r, "2001:db8::ffff"), FRAUDGUARD_RATE);
	assert_string_equal(r.a.hit.key, "ip:2001:db8::/64");
	assert_int_equal(r.a.hit.observed, 31);
	assert_int_equal(rig_source(&r, "2001:db8:0:1::1"), FRAUDGUARD_PASS);
	for(int i = 1; i <= 30; i++) {
		snprintf(address, sizeof address, "192.0.2.%d", i);
		assert_int_equal(rig_source(&r, address), FRAUDGUARD_PASS);
	}
	assert_int_equal(rig_source(&r, "192.0.2.31"), FRAUDGUARD_PASS);
	rig_close(&r);
}

static void before_any_rules_everything_passes(void **state)
{
	(void)state;
	rig_open(&r);
	assert_null(r.im);
	assert_int_equal(rig_source(&r, "192.0.2.1"), FRAUDGUARD_PASS);
	assert_int_equal(r.a.events + r.a.untracked, 0);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(r.a.events + r.a.untracked, 0);
	assert_string_equal(r.a.hit.rule, "");
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(call_n_passes_and_the_next_is_refused),
			cmocka_unit_test(a_refusal_holds_nobody_longer_the_more_he_tries),
			cmocka_unit_test(what_one_rule_refuses_another_does_not_count),
			cmocka_unit_test(a_call_refused_for_exposure_is_no_attempt),
			cmocka_unit_test(threshold_zero_lets_nobody_pass),
			cmocka_unit_test(a_shadow_rule_reports_and_refuses_nobody),
			cmocka_unit_test(shadow_rules_hide_no_refusal),
			cmocka_unit_test(the_first_enforced_refusal_is_the_verdict),
			cmocka_unit_test(the_never_block_list_comes_before_everything),
			cmocka_unit_test(a_longer_name_is_nobody_on_the_list),
			cmocka_unit_test(all_of_ipv6_does_not_mean_ipv4),
			cmocka_unit_test(ipv6_is_counted_by_its_64),
			cmocka_unit_test(before_any_rules_everything_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Bans: whom, how long, why, and how they end; rules for one subject against
 * rules for all; how often a thing is said; tables that are full.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/fraudguard/rig.h"

static struct rig r;

#define ATTEMPTS "call_attempts"
#define REQUESTS "source_requests"

/* Calls of alice until one is not let pass. */
static int call_until_refused(const char *account, const char *callid)
{
	for(int n = 1; n <= 1000; n++) {
		if(rig_call(&r, account, callid) < 0)
			return n;
	}
	return 0;
}

static int release(const char *key)
{
	return fraudguard_release(&r.t, r.im, key, r.now);
}

static int ban(const char *key, uint32_t seconds)
{
	return fraudguard_ban_key(&r.t, key, seconds, "by hand", r.now);
}

static void a_ban_says_why_and_ends_at_its_second(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "burst", ATTEMPTS, "*", 3, 10, "ban", "enforce");
	rig_use(&r);
	for(int i = 0; i < 3; i++)
		assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "evidence"), FRAUDGUARD_BANNED);
	assert_int_equal(r.a.hit.until, WALL + 60);
	assert_int_equal(r.a.event[0].until, WALL + 60);
	rig_wait(&r, 60 * SEC - 1);
	assert_int_equal(rig_call(&r, "alice", "later"), FRAUDGUARD_BANNED);
	assert_int_equal(r.a.events, 0); /* nothing new happened */
	assert_string_equal(r.a.hit.key, "account:alice");
	assert_string_equal(r.a.hit.rule, "burst");
	assert_string_equal(r.a.hit.callid, "evidence");
	assert_string_equal(r.a.hit.reason, "Banned");
	assert_int_equal(r.a.hit.observed, 4);
	assert_int_equal(r.a.hit.threshold, 3);
	assert_int_equal(r.a.hit.window_sec, 10);
	assert_int_equal(r.a.hit.until, WALL + 60);
	assert_int_equal(r.a.hit.code, 488);
	assert_int_equal(r.a.hit.metric, FRAUDGUARD_CALL_ATTEMPTS);
	assert_int_equal(r.a.hit.action, FRAUDGUARD_BAN);
	assert_int_equal(rig_call(&r, "bob", "c"), FRAUDGUARD_PASS);
	rig_wait(&r, 1);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	rig_close(&r);
}

/* A stricter refusal in front of it must not keep a ban from ever coming. */
static void a_ban_comes_also_behind_a_refusal(void **state)
{
	static const char *const names[][2] = {{"a", "b"}, {"b", "a"}};

	(void)state;
	for(int i = 0; i < 2; i++) {
		struct fraudguard_hit h;

		rig_open(&r);
		rig_rule(&r, names[i][0], ATTEMPTS, "*", 2, 10, "refuse", "enforce");
		rig_rule(&r, names[i][1], ATTEMPTS, "*", 5, 10, "ban", "enforce");
		rig_use(&r);
		for(int n = 1; n <= 5; n++)
			assert_int_equal(rig_call(&r, "alice", "c"),
					n <= 2 ? FRAUDGUARD_PASS : FRAUDGUARD_RATE);
		assert_true(rig_call(&r, "alice", "c") < 0);
		assert_true(rig_fired(&r, names[i][1], &h));
		assert_int_equal(h.until, WALL + 60);
		assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_BANNED);
		assert_string_equal(r.a.hit.rule, names[i][1]);
		rig_close(&r);
	}
}

static void release_forgets_what_led_to_the_ban(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "burst", ATTEMPTS, "*", 3, 600, "ban", "enforce");
	rig_rule(&r, "flood", REQUESTS, "*", 3, 600, "ban", "enforce");
	rig_use(&r);
	assert_int_equal(call_until_refused("alice", "c"), 4);
	assert_int_equal(call_until_refused("bob", "c"), 4);
	assert_int_equal(release("account:alice"), 0);
	assert_int_equal(call_until_refused("alice", "c"), 4);
	assert_int_equal(rig_call(&r, "bob", "c"), FRAUDGUARD_BANNED);
	for(int i = 0; i < 4; i++)
		rig_source(&r, "2001:db8::1");
	assert_int_equal(r.a.verdict, FRAUDGUARD_BANNED);
	assert_int_equal(release("ip:2001:db8::/64"), 0);
	assert_int_equal(rig_source(&r, "2001:db8::1"), FRAUDGUARD_PASS);
	assert_int_equal(release("ip:2001:db8::/64"), -ENOENT);
	assert_int_equal(release("account:nobody"), -ENOENT);
	assert_int_equal(release("nonsense"), -ENOENT);
	assert_int_equal(release("ip:nonsense"), -ENOENT);
	/* an ended ban is none either */
	rig_wait(&r, 60 * SEC);
	assert_int_equal(release("account:bob"), -ENOENT);
	rig_close(&r);
}

static void an_unverified_source_is_never_banned(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "flood", REQUESTS, "*", 3, 10, "ban", "enforce");
	rig_use(&r);
	r.verified = 0;
	for(int i = 1; i <= 10; i++)
		assert_int_equal(rig_source(&r, "192.0.2.1"),
				i <= 3 ? FRAUDGUARD_PASS : FRAUDGUARD_RATE);
	assert_int_equal(r.a.hit.until, 0);
	rig_wait(&r, 20 * SEC); /* the flood over, the victim of it is served */
	assert_int_equal(rig_source(&r, "192.0.2.1"), FRAUDGUARD_PASS);
	r.verified = 1;
	for(int i = 2; i <= 4; i++)
		rig_source(&r, "192.0.2.1");
	assert_int_equal(r.a.verdict, FRAUDGUARD_BANNED);
	rig_close(&r);
}

static void an_operator_bans_whom_a_request_would_be_counted_under(void **state)
{
	static const struct
	{
		const char *key, *address;
	} same[] = {{"ip:192.0.2.1", "192.0.2.1"}, {"ip:192.0.2.1/32", "192.0.2.1"},
			{"ip:::ffff:192.0.2.1", "192.0.2.1"},
			{"ip:2001:db8::/64", "2001:db8::77"},
			{"ip:2001:DB8:0:0::1", "2001:db8::77"},
			{"ip:2001:db8::5/64", "2001:db8::77"}};
	static const char *const bad[] = {"", "alice", "ip:", "ip:192.0.2.0/24",
			"ip:2001:db8::/32", "ip:2001:db8::/65", "ip:192.0.2.256",
			"ip:host.example.com", "account:", "user:alice", "IP:192.0.2.1"};
	char longest[8 + FRAUDGUARD_MATCH_MAX + 1] = "account:";
	struct fraudguard_ban record;
	uint32_t cursor = 0;

	(void)state;
	rig_open(&r);
	rig_rule(&r, "any", ATTEMPTS, "*", 100, 10, "refuse", "enforce");
	rig_use(&r);
	for(size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_int_equal(rig_source(&r, same[i].address), FRAUDGUARD_PASS);
		assert_int_equal(ban(same[i].key, 60), 0);
		assert_int_equal(rig_source(&r, same[i].address), FRAUDGUARD_BANNED);
		assert_string_equal(r.a.hit.rule, "by hand");
		assert_int_equal(r.a.hit.code, 403);
		assert_int_equal(release(same[i].key), 0);
	}
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(ban(bad[i], 60), -EINVAL);
	assert_int_equal(ban("account:alice", 0), -EINVAL);
	assert_int_equal(ban("account:alice", 60), 0);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_BANNED);
	assert_int_equal(tg_store_next(r.t.account_bans, &cursor, r.now.mono, NULL,
							 NULL, &record),
			0);
	assert_string_equal(record.key, "account:alice");
	assert_int_equal(record.since, WALL);
	assert_int_equal(record.until, WALL + 60);
	/* a later word replaces it, longer or shorter */
	assert_int_equal(ban("account:alice", 10), 0);
	rig_wait(&r, 10 * SEC);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	/* a name that no request could be counted under */
	memset(longest + 8, 'a', FRAUDGUARD_MATCH_MAX);
	assert_int_equal(ban(longest, 60), -EINVAL);
	longest[8 + FRAUDGUARD_MATCH_MAX - 1] = '\0';
	assert_int_equal(ban(longest, 60), 0);
	assert_int_equal(rig_call(&r, longest + 8, "c"), FRAUDGUARD_BANNED);
	rig_close(&r);
}

/* --- rules for one subject ------------------------------------------------ */

static void an_exact_rule_replaces_those_for_all_of_its_metric(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "all", ATTEMPTS, "*", 3, 10, "refuse", "enforce");
	rig_rule(&r, "big", ATTEMPTS, "pbx", 20, 10, "refuse", "enforce");
	rig_rule(&r, "small", ATTEMPTS, "lobby", 1, 10, "refuse", "enforce");
	rig_rule(
			&r, "at-once", "concurrent_calls", "*", 10, 0, "refuse", "enforce");
	rig_rule(&r, "flood", REQUESTS, "*", 3, 10, "drop", "enforce");
	rig_rule(&r, "gate4", REQUESTS, "192.0.2.9", 5, 10, "drop", "enforce");
	rig_rule(&r, "gate6", REQUESTS, "2001:db8::9", 6, 10, "drop", "enforce");
	rig_use(&r);
	assert_int_equal(call_until_refused("alice", "c"), 4);
	assert_int_equal(call_until_refused("pbx", "c"), 21);
	assert_int_equal(call_until_refused("lobby", "c"), 2);
	/* the other metric is the same for all */
	rig_wait(&r, 600 * SEC);
	for(int i = 1; i <= 11; i++) {
		char callid[16];

		snprintf(callid, sizeof callid, "pbx-%d", i);
		assert_int_equal(rig_call(&r, "pbx", callid),
				i <= 10 ? FRAUDGUARD_PASS : FRAUDGUARD_EXPOSURE);
	}
	for(int i = 1; i <= 7; i++) {
		assert_int_equal(rig_source(&r, "192.0.2.1") > 0, i <= 3);
		assert_int_equal(rig_source(&r, "192.0.2.9") > 0, i <= 5);
		assert_int_equal(rig_source(&r, "2001:db8::77") > 0, i <= 6);
	}
	rig_close(&r);
}

/* An exception that is only tried out must not switch off what is enforced. */
static void an_exact_shadow_rule_replaces_nothing_enforced(void **state)
{
	struct fraudguard_hit h;

	(void)state;
	rig_open(&r);
	rig_rule(&r, "all", ATTEMPTS, "*", 3, 10, "refuse", "enforce");
	rig_rule(&r, "all-trial", ATTEMPTS, "*", 1, 10, "refuse", "shadow");
	rig_rule(&r, "mine", ATTEMPTS, "alice", 2, 10, "refuse", "shadow");
	rig_use(&r);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_WATCHED);
	assert_true(rig_fired(&r, "mine", &h));
	assert_int_equal(h.observed, 3);
	assert_false(rig_fired(&r, "all-trial", NULL));
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_RATE);
	assert_string_equal(r.a.hit.rule, "all");
	rig_close(&r);
}

/* --- telling, reloading, running full ------------------------------------- */

static void a_rule_says_so_once_a_minute_for_each_key(void **state)
{
	int told = 0, fired = 0;

	(void)state;
	rig_open(&r);
	rig_rule(&r, "flood", REQUESTS, "*", 0, 10, "drop", "enforce");
	rig_use(&r);
	for(int i = 0; i < 5 * 60 * 4; i++) { /* 5 minutes, 4 requests a second */
		struct fraudguard_hit h = {.is_new = 0};

		rig_source(&r, "192.0.2.1");
		fired += rig_fired(&r, "flood", &h);
		told += h.is_new;
		rig_wait(&r, SEC / 4);
	}
	assert_int_equal(fired, 5 * 60 * 4);
	assert_int_equal(told, 5);
	rig_source(&r, "192.0.2.2");
	assert_int_equal(r.a.event[0].is_new, 1);
	rig_source(&r, "192.0.2.2");
	assert_int_equal(r.a.event[0].is_new, 0);
	rig_close(&r);
}

static void counts_survive_a_reload(void **state)
{
	(void)state;
	rig_open(&r);
	rig_rule(&r, "few", ATTEMPTS, "*", 5, 10, "refuse", "enforce");
	rig_use(&r);
	for(int i = 0; i < 4; i++)
		assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	rig_rules(&r);
	rig_rule(&r, "another", ATTEMPTS, "*", 100, 10, "refuse", "enforce");
	rig_rule(&r, "few", ATTEMPTS, "*", 5, 10, "refuse", "enforce");
	rig_use(&r);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_RATE);
	rig_close(&r);
}

/* Counts of one window length read with another are nonsense: the numbers of
 * their windows do not meet for days, and an account that does next to nothing
 * would go over any limit and stay there. */
static void a_changed_window_starts_a_count_of_its_own(void **state)
{
	static const int windows[] = {2, 60, 600, 10, 86400, 3600};

	(void)state;
	for(int moment = 0; moment < 8; moment++) {
		rig_open(&r);
		rig_wait(&r, (uint64_t)moment * 12345 * SEC);
		for(int w = 0; w < 6; w++) {
			rig_rules(&r);
			rig_rule(&r, "burst", ATTEMPTS, "*", 8, windows[w], "ban",
					"enforce");
			rig_use(&r);
			for(int i = 0; i < 40; i++) { /* four in a window */
				assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
				rig_wait(&r, (uint64_t)windows[w] * SEC / 4);
			}
		}
		rig_close(&r);
	}
}

static void full_tables_count_less_and_refuse_nobody(void **state)
{
	int untracked = 0;
	char who[32];

	(void)state;
	rig_open_sized(&r, 64, 16);
	rig_rule(&r, "flood", REQUESTS, "*", 2, 60, "drop", "enforce");
	rig_rule(&r, "at-once", "concurrent_calls", "*", 1, 0, "refuse", "enforce");
	rig_rule(&r, "burst", ATTEMPTS, "*", 2, 60, "ban", "enforce");
	rig_use(&r);
	for(int i = 0; i < 20000; i++) {
		snprintf(who, sizeof who, "10.%d.%d.%d", i >> 14, i >> 7 & 127,
				1 + (i & 127));
		assert_int_equal(rig_source(&r, who), FRAUDGUARD_PASS);
		untracked += r.a.untracked;
	}
	assert_true(untracked > 10000);
	untracked = 0;
	for(int i = 0; i < 2000; i++) {
		snprintf(who, sizeof who, "user%d", i);
		assert_int_equal(rig_call(&r, who, who), FRAUDGUARD_PASS);
		untracked += r.a.untracked;
	}
	assert_true(untracked > 1000);
	rig_close(&r);
}

/* Spoofed sources by the thousand push out no account's count and no ban. */
static void a_spoofed_flood_forgets_no_account(void **state)
{
	char who[32];

	(void)state;
	rig_open_sized(&r, 256, 64);
	rig_rule(&r, "flood", REQUESTS, "*", 0, 60, "ban", "enforce");
	rig_rule(&r, "burst", ATTEMPTS, "*", 3, 60, "refuse", "enforce");
	rig_use(&r);
	assert_int_equal(ban("account:mallory", 3600), 0);
	for(int i = 0; i < 3; i++)
		assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_PASS);
	for(int i = 0; i < 20000; i++) {
		snprintf(who, sizeof who, "10.%d.%d.1", i >> 8, i & 255);
		rig_source(&r, who);
	}
	assert_int_equal(rig_call(&r, "alice", "c"), FRAUDGUARD_RATE);
	assert_int_equal(rig_call(&r, "mallory", "c"), FRAUDGUARD_BANNED);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_ban_says_why_and_ends_at_its_second),
			cmocka_unit_test(a_ban_comes_also_behind_a_refusal),
			cmocka_unit_test(release_forgets_what_led_to_the_ban),
			cmocka_unit_test(an_unverified_source_is_never_banned),
			cmocka_unit_test(
					an_operator_bans_whom_a_request_would_be_counted_under),
			cmocka_unit_test(
					an_exact_rule_replaces_those_for_all_of_its_metric),
			cmocka_unit_test(an_exact_shadow_rule_replaces_nothing_enforced),
			cmocka_unit_test(a_rule_says_so_once_a_minute_for_each_key),
			cmocka_unit_test(counts_survive_a_reload),
			cmocka_unit_test(a_changed_window_starts_a_count_of_its_own),
			cmocka_unit_test(full_tables_count_less_and_refuse_nobody),
			cmocka_unit_test(a_spoofed_flood_forgets_no_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Is it the owner's registration: what is new, who is alive, who may erase.
 * Replays are in regguard/decide/test_replay.c, telling devices apart in
 * regguard/live/test_profile.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/regguard/rig.h"

static void the_unknown_and_the_known_are_allowed(void **state)
{
	(void)state;
	ask(OFFICE, &desk);
	expect(REGGUARD_ALLOW, ""); /* never seen: nothing to compare with */
	assert_int_equal(a.score, 0);
	learn_alice();
	for(int i = 0; i < 100; i++) { /* refreshes */
		ask(OFFICE, &desk);
		expect(REGGUARD_ALLOW, "");
		save(OFFICE, &desk);
		now += HOUR / 2;
	}
	ask("192.0.2.200", &desk); /* the same /24 */
	expect(REGGUARD_ALLOW, "");
	assert_true(a.known_device && a.known_network && a.learned);
}

static void a_stranger_in_both_is_put_aside_while_the_owner_lives(void **state)
{
	(void)state;
	learn_alice();
	ask(FOREIGN, &tool);
	expect(REGGUARD_QUARANTINE, "new_device,new_network,owner_alive");
	assert_int_equal(a.score, 80);
	assert_false(a.deterministic);
	assert_false(a.known_device);
	assert_false(a.known_network);
	assert_true(a.learned);
	/* judged as often as he likes: he becomes no acquaintance by that */
	for(int i = 0; i < 50; i++)
		assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
}

static void novelty_in_one_alone_never_refuses(void **state)
{
	(void)state;
	learn_alice();
	ask(FOREIGN, &desk);
	expect(REGGUARD_ALLOW, "new_network,owner_alive");
	ask(OFFICE, &tool);
	expect(REGGUARD_NOTIFY, "new_device,owner_alive");
	now += HOUR; /* the binding has ended */
	ask(FOREIGN, &desk);
	expect(REGGUARD_ALLOW, "new_network");
	ask(OFFICE, &tool);
	expect(REGGUARD_NOTIFY, "new_device");
}

static void without_a_living_owner_it_is_only_told(void **state)
{
	(void)state;
	learn_alice();
	now += HOUR - 1;
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
	now += 1;
	ask(FOREIGN, &tool);
	expect(REGGUARD_NOTIFY, "new_device,new_network");
	save(OFFICE, &desk);
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
	assert_int_equal(gone(&soft), -ENOENT); /* not a binding of hers */
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
	assert_int_equal(gone(&desk), 0); /* she unregistered */
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_NOTIFY);
	assert_int_equal(gone(&desk), -ENOENT);
	assert_int_equal(regguard_binding_gone(&t, &settings, 12345, 1, now),
			-ENOENT); /* nobody */
}

static void while_it_learns_it_only_tells(void **state)
{
	(void)state;
	/* enough registrations, too few days */
	for(int i = 0; i < 20; i++) {
		save(OFFICE, &desk);
		now += HOUR / 2;
	}
	ask(FOREIGN, &tool);
	expect(REGGUARD_NOTIFY, "new_device,new_network,owner_alive,learning");
	assert_int_equal(a.score, 60);
	now += 7 * DAY - 10 * HOUR - 1; /* a moment before the seventh day */
	save(OFFICE, &desk);
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_NOTIFY);
	now += 1;
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
	/* enough days, one registration too few */
	close_tables(NULL);
	open_tables(NULL);
	for(int i = 0; i < 9; i++) {
		save(OFFICE, &desk);
		now += DAY;
	}
	now -= DAY;
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_NOTIFY);
	save(OFFICE, &desk);
	assert_int_equal(ask(FOREIGN, &tool), REGGUARD_QUARANTINE);
}

static void judging_teaches_nothing(void **state)
{
	struct regguard_profile before, after;

	(void)state;
	assert_int_equal(ask(OFFICE, &desk), REGGUARD_ALLOW);
	assert_false(has_profile(&before));
	learn_alice();
	assert_true(has_profile(&before));
	ask(FOREIGN, &tool);
	ask(HOME, &desk);
	ask(OFFICE, &soft);
	assert_true(has_profile(&after));
	assert_memory_equal(&before, &after, sizeof before);
	/* What was saved is learned, and is normal from then on. */
	save(HOME, &soft);
	ask(HOME, &soft);
	expect(REGGUARD_ALLOW, "");
	assert_true(has_profile(&after));
	assert_int_equal(after.accepted, before.accepted + 1);
	assert_string_equal(after.aor, "alice@example.com");
}

static void a_stranger_may_not_erase_the_owner(void **state)
{
	struct regguard_request r;

	(void)state;
	save(OFFICE, &desk); /* also while learning */
	r = request(FOREIGN, &tool);
	r.removes = 1;
	judge(&r);
	expect(REGGUARD_DENY, "foreign_removal,new_device,new_network,owner_alive,"
						  "learning");
	assert_true(a.deterministic);
	assert_int_equal(a.score, 160);
	r = request(OFFICE, &desk); /* her own right */
	r.removes = 1;
	assert_int_equal(judge(&r), REGGUARD_ALLOW);
	r = request(FOREIGN, &desk); /* from elsewhere too */
	r.removes = 1;
	assert_int_equal(judge(&r), REGGUARD_ALLOW);
	r = request(OFFICE, &soft); /* a new phone beside hers */
	r.removes = 1;
	assert_int_equal(judge(&r), REGGUARD_NOTIFY);
	now += HOUR; /* nothing is left to be erased */
	r = request(FOREIGN, &tool);
	r.removes = 1;
	assert_int_equal(judge(&r), REGGUARD_NOTIFY);
}

static void ipv6_is_known_by_its_64(void **state)
{
	(void)state;
	for(int i = 0; i < 18; i++) {
		save("2001:db8:0:7::1", &desk);
		now += DAY / 2;
	}
	save("2001:db8:0:7::1", &desk);
	ask("2001:db8:0:7:aaaa:bbbb:cccc:dddd", &desk);
	expect(REGGUARD_ALLOW, "");
	ask("2001:db8:0:8::1", &desk);
	expect(REGGUARD_ALLOW, "new_network,owner_alive");
	assert_int_equal(ask("2001:db8:0:8::1", &tool), REGGUARD_QUARANTINE);
	assert_int_equal(ask("2001:db8:0:7::2", &tool), REGGUARD_NOTIFY);
}

static void a_profile_ends_when_nobody_registers(void **state)
{
	struct regguard_profile p;

	(void)state;
	learn_alice();
	now += 30 * DAY - 1;
	assert_true(has_profile(&p));
	ask(FOREIGN, &tool);
	expect(REGGUARD_NOTIFY, "new_device,new_network");
	gone(&desk); /* prolongs nothing */
	now += 1;
	assert_false(has_profile(&p));
	ask(FOREIGN, &tool);
	expect(REGGUARD_ALLOW, "");
	save(OFFICE, &desk); /* and learning starts over */
	ask(FOREIGN, &tool);
	expect(REGGUARD_NOTIFY, "new_device,new_network,owner_alive,learning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(the_unknown_and_the_known_are_allowed),
			TEST(a_stranger_in_both_is_put_aside_while_the_owner_lives),
			TEST(novelty_in_one_alone_never_refuses),
			TEST(without_a_living_owner_it_is_only_told),
			TEST(while_it_learns_it_only_tells),
			TEST(judging_teaches_nothing),
			TEST(a_stranger_may_not_erase_the_owner),
			TEST(ipv6_is_known_by_its_64),
			TEST(a_profile_ends_when_nobody_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

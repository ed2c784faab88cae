/*
 * Prefix escalation against traffic that is made to defeat it, or that must not
 * suffer from it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/table/escalate_world.h"

/* What pike never blocked: a million packets, each from another address of one
 * /64. Here the 8th is enough, the neighbours in the /48 are left alone, and all
 * of it takes two records. */
static void rotating_inside_a_64_stops_at_the_64(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	struct tg_store_stats st;
	uint32_t i, rises = 0;

	(void)state;
	for(i = 0; i < MILLION; i++) {
		struct tg_escalation got = report(e, v6(1, 5, i), NOW + i * MS / 10);

		rises += got.rose != 0;
		assert_int_equal(got.reached, i < 7 ? 0 : 1 << V6);
		assert_int_equal(got.children[V48], 1);
	}
	assert_int_equal(rises, 1);
	assert_int_equal(peek(e, v6(1, 6, 1), NOW + 100000 * MS).reached, 0);
	tg_escalate_read_stats(e, &st);
	assert_int_equal(st.used, 2);
	support_free(e);
}

static void rotating_through_a_48_reaches_the_48(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	uint32_t i;

	(void)state;
	for(i = 0; i < 65536; i++) {
		struct tg_escalation got = report(e, v6(1, (uint16_t)i, i), NOW + i);

		assert_int_equal(got.reached, i < 15 ? 0 : 1 << V48);
	}
	assert_int_equal(peek(e, v6(2, 1, 1), NOW + 65536).reached, 0);
	support_free(e);
}

static void a_busy_nat_is_one_child(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	uint32_t i;

	(void)state;
	for(i = 0; i < MILLION; i++) {
		struct tg_escalation got = report(e, v4(0x64400001), NOW + i * MS);

		assert_int_equal(got.children[V4], 1);
		assert_int_equal(got.reached, 0);
	}
	support_free(e);
}

/* One tenant of a /24 has 7 bad machines that never rest: the other tenant is
 * not touched. The prefix is what is judged, so an 8th in either half counts. */
static void two_tenants_share_a_24(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	uint64_t seed = 8;
	uint32_t i;

	(void)state;
	for(i = 0; i < 100000; i++) {
		uint32_t host = random_below(&seed, 7);

		assert_int_equal(
				report(e, v4(0xc6336400 + host), NOW + i * MS).reached, 0);
	}
	assert_int_equal(report(e, v4(0xc63364f0), NOW + i * MS).rose, 1);
	support_free(e);
}

/* Children that come as far apart as an eighth of the window make eight of
 * them; a seventh apart, they never do. */
static void low_and_slow_is_a_matter_of_the_window(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	uint32_t i;

	(void)state;
	for(i = 0; i < 200; i++) {
		uint64_t fast = NOW + i * (WINDOW / 8),
				 slow = NOW + i * (WINDOW / 7 + MS);

		assert_int_equal(report(e, v4(0x0d000000 + i), fast).reached, i >= 7);
		assert_int_equal(report(e, v4(0x0d000100 + i), slow).reached, 0);
	}
	support_free(e);
}

/* A million sources in a million /24s, 244 times what the table holds, around an
 * attacker whose eight machines come one by one between them. */
static void a_flood_of_singles_hides_nobody(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	struct tg_store_stats st;
	struct tg_escalation got = {0};
	uint32_t i, bad = 0;

	(void)state;
	for(i = 0; i < MILLION; i++) {
		uint64_t now = NOW + i * MS / 10;

		assert_int_equal(report(e, v4(0x20000000 + i * 256), now).reached, 0);
		/* the second follows at once: singles displace each other */
		if(i % 150000 == 0 || i == 1) {
			got = report(e, v4(0x0e000000 + bad++), now);
			assert_int_equal(got.children[V4], bad);
		}
	}
	assert_int_equal(bad, 8);
	assert_int_equal(got.rose, 1);
	tg_escalate_read_stats(e, &st);
	print_message("a million sources: %lu records, %lu displaced\n",
			(unsigned long)st.used, (unsigned long)st.evicted);
	assert_int_equal(st.used, plain.records);
	assert_int_equal(st.refused, 0);
	support_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(rotating_inside_a_64_stops_at_the_64),
			cmocka_unit_test(rotating_through_a_48_reaches_the_48),
			cmocka_unit_test(a_busy_nat_is_one_child),
			cmocka_unit_test(two_tenants_share_a_24),
			cmocka_unit_test(low_and_slow_is_a_matter_of_the_window),
			cmocka_unit_test(a_flood_of_singles_hides_nobody),
	};

	return cmocka_run_group_tests_name("escalate_attacks", tests, NULL, NULL);
}

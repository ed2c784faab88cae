/*
 * Prefix escalation against an exact oracle, and between processes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/table/escalate_world.h"
#include "unit/procs.h"

#include "lib/share/region.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static void refuses_bad_arguments(void **state)
{
	struct tg_escalate_config cfg = plain;
	struct tg_escalate *e;
	size_t size = tg_escalate_size(&cfg);
	char *mem = support_memory(size);

	(void)state;
	assert_int_equal(tg_escalate_init(mem + 8, size - 8, &cfg, &e), -EINVAL);
	assert_int_equal(tg_escalate_init(mem, size - 1, &cfg, &e), -EINVAL);
	cfg.records = 7;
	assert_int_equal(tg_escalate_size(&cfg), 0);
	cfg.records = (UINT32_C(1) << 24) + 1;
	assert_int_equal(tg_escalate_size(&cfg), 0);
	cfg = plain;
	cfg.threshold[V6] = 1;
	assert_int_equal(tg_escalate_size(&cfg), 0);
	cfg.threshold[V6] = 65;
	assert_int_equal(tg_escalate_init(mem, size, &cfg, &e), -EINVAL);
	cfg = plain;
	cfg.window_us = 999999;
	assert_int_equal(tg_escalate_size(&cfg), 0);
	cfg.window_us = UINT64_C(7) * 24 * 3600 * 1000000 + 1;
	assert_int_equal(tg_escalate_size(&cfg), 0);
	support_free(mem);
}

static void names_prefixes(void **state)
{
	uint8_t prefix[16], want[16];
	unsigned bits;

	(void)state;
	memcpy(want, v4(0xc0000200), 16);
	assert_int_equal(tg_escalate_prefix(v4(0xc00002fe), V4, prefix, &bits), 0);
	assert_memory_equal(prefix, want, 16);
	assert_int_equal(bits, 24);
	memcpy(want, v6(7, 9, 1), 8);
	memset(want + 8, 0, 8);
	assert_int_equal(tg_escalate_prefix(v6(7, 9, 5), V6, prefix, &bits), 0);
	assert_memory_equal(prefix, want, 16);
	assert_int_equal(bits, 64);
	memset(want + 6, 0, 2);
	assert_int_equal(tg_escalate_prefix(v6(7, 9, 5), V48, prefix, NULL), 0);
	assert_memory_equal(prefix, want, 16);
	assert_int_equal(tg_escalate_prefix(v4(1), V6, prefix, &bits), -EINVAL);
	assert_int_equal(
			tg_escalate_prefix(v6(1, 1, 1), V4, prefix, &bits), -EINVAL);
	assert_int_equal(
			tg_escalate_prefix(v4(1), TG_ESCALATE_LEVELS, prefix, &bits),
			-EINVAL);
}

static void rises_once_falls_and_is_released(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	struct tg_escalation got;
	uint32_t i;

	(void)state;
	for(i = 0; i < 8; i++) {
		got = report(e, v4(0x0a000000 + i), NOW + i * 1000 * MS);
		assert_int_equal(got.children[V4], i + 1);
		assert_int_equal(got.reached, i == 7);
		assert_int_equal(got.rose, i == 7);
	}
	got = report(e, v4(0x0a0000ff), NOW + 8000 * MS);
	assert_int_equal(got.reached, 1 << V4);
	assert_int_equal(got.rose, 0);
	assert_int_equal(got.children[V4], 9);
	assert_int_equal(peek(e, v4(0x0a000080), NOW + 8000 * MS).reached, 1);
	assert_int_equal(peek(e, v4(0x0a000180), NOW + 8000 * MS).reached, 0);
	/* each child leaves one window after it was last seen, to the ms */
	got = peek(e, v4(0x0a000000), NOW + WINDOW + 1000 * MS - MS);
	assert_int_equal(got.children[V4], 8);
	assert_int_equal(got.reached, 1);
	got = peek(e, v4(0x0a000000), NOW + WINDOW + 1000 * MS);
	assert_int_equal(got.children[V4], 7);
	assert_int_equal(got.reached, 0);
	/* and one new child makes it rise again */
	got = report(e, v4(0x0a000033), NOW + WINDOW + 1000 * MS);
	assert_int_equal(got.rose, 1);
	assert_int_equal(tg_escalate_forget(e, v4(0x0a000001), V6), -ENOENT);
	assert_int_equal(tg_escalate_forget(e, v4(0x0a000001), V4), 0);
	assert_int_equal(tg_escalate_forget(e, v4(0x0a000001), V4), -ENOENT);
	got = report(e, v4(0x0a000034), NOW + WINDOW + 1000 * MS);
	assert_int_equal(got.children[V4], 1);
	support_free(e);
}

static void a_level_can_be_off(void **state)
{
	struct tg_escalate_config cfg = plain;
	struct tg_escalate *e;
	struct tg_store_stats st;
	uint16_t i;

	(void)state;
	cfg.threshold[V48] = cfg.threshold[V4] = 0;
	e = escalate(&cfg);
	for(i = 0; i < 100; i++) {
		assert_int_equal(report(e, v4(i), NOW).reached, 0);
		assert_int_equal(report(e, v6(1, i, 0), NOW).reached, 0);
	}
	tg_escalate_read_stats(e, &st);
	assert_int_equal(st.used, 100);
	support_free(e);
}

/* ---- the oracle: when each child of each prefix was last seen ---- */

enum
{
	NETS = 30, /* of 256 addresses */
	SITES = 3, /* of SUBNETS /64s, of HOSTS addresses each */
	SUBNETS = 25,
	HOSTS = 30,
	PREFIXES = NETS > SITES *SUBNETS ? NETS : SITES *SUBNETS
};

struct oracle
{
	uint64_t seen[TG_ESCALATE_LEVELS][PREFIXES][256]; /* ms, 0 = never */
	uint8_t reached[TG_ESCALATE_LEVELS][PREFIXES];
};

static unsigned oracle_count(const uint64_t *seen, uint64_t now_ms)
{
	unsigned i, count = 0;

	for(i = 0; i < 256; i++)
		count += seen[i] != 0 && now_ms - seen[i] < WINDOW / MS;
	return count;
}

static void oracle_check(struct oracle *o, const struct tg_escalation *got,
		unsigned level, unsigned prefix, unsigned child, uint64_t now_ms)
{
	uint64_t *seen = o->seen[level][prefix];
	uint8_t *reached = &o->reached[level][prefix];
	unsigned threshold = plain.threshold[level], count, before;

	before = oracle_count(seen, now_ms);
	seen[child] = now_ms;
	count = oracle_count(seen, now_ms);
	assert_int_equal(got->children[level], count < 16 ? count : 16);
	assert_int_equal(got->reached >> level & 1, count >= threshold);
	assert_int_equal(got->rose >> level & 1,
			count >= threshold && !(*reached && before >= threshold));
	*reached = count >= threshold;
}

static void agrees_with_the_oracle(void **state)
{
	struct tg_escalate *e = escalate(&plain);
	struct oracle *o = calloc(1, sizeof(*o));
	struct tg_store_stats st;
	uint64_t seed = 3, now = NOW;
	uint32_t i, rises = 0, reached = 0;

	(void)state;
	assert_non_null(o);
	for(i = 0; i < 300000; i++) {
		struct tg_escalation got;

		/* from many a second to pauses that let everything go */
		now += random_below(&seed, 3000) * MS;
		if(random_below(&seed, 5000) == 0)
			now += random_below(&seed, 1200000) * MS;
		if(random_below(&seed, 2) == 0) {
			uint32_t net = random_below(&seed, NETS);
			/* few hosts in the first nets, all 256 in the last */
			uint32_t host = random_below(&seed, 1 + net * 255 / (NETS - 1));

			got = report(e, v4(0x0b000000 + net * 256 + host), now);
			oracle_check(o, &got, V4, net, host, now / MS);
			assert_int_equal(got.children[V6] + got.children[V48], 0);
		} else {
			uint32_t site = random_below(&seed, SITES);
			uint32_t net = random_below(&seed, 1 + site * (SUBNETS - 1) / 2);
			uint32_t host = random_below(&seed, HOSTS);

			got = report(e, v6((uint16_t)site, (uint16_t)net, host), now);
			oracle_check(o, &got, V6, site * SUBNETS + net, host, now / MS);
			oracle_check(o, &got, V48, site, net, now / MS);
			assert_int_equal(got.children[V4], 0);
		}
		rises += got.rose != 0;
		reached += got.reached != 0;
	}
	tg_escalate_read_stats(e, &st);
	print_message(
			"300,000 offences: %u of escalated prefixes, %u rises, all as "
			"the oracle's\n",
			reached, rises);
	assert_int_equal(st.evicted + st.refused, 0);
	assert_true(rises > 100 && reached > 1000 && reached < 299000);
	free(o);
	support_free(e);
}

/* Full of prefixes with more children, it says that a newcomer has no room, and
 * finds room when their window is over. */
static void says_when_it_is_full(void **state)
{
	struct tg_escalate_config cfg = plain;
	struct tg_escalation got;
	struct tg_escalate *e;
	uint32_t i;

	(void)state;
	cfg.records = 8;
	e = escalate(&cfg);
	for(i = 0; i < 16; i++)
		(void)report(e, v4(0x0f000000 + i % 2 + (i / 2 << 8)), NOW);
	assert_int_equal(tg_escalate_report(e, v4(0x0f00ff00), NOW, &got), -ENOSPC);
	assert_int_equal(got.children[V4] + got.reached, 0);
	assert_int_equal(report(e, v4(0x0f00ff00), NOW + WINDOW).children[V4], 1);
	support_free(e);
}

/* ---- between processes ---- */

struct shared
{
	_Atomic uint32_t rises[TG_ESCALATE_LEVELS];
	_Alignas(64) char table[];
};

static int report_all(void *table, unsigned self)
{
	struct shared *s = table;
	struct tg_escalate *e = (struct tg_escalate *)s->table;
	struct tg_escalation got;
	uint32_t i, tries, level;

	for(i = 0; i < 20000; i++) {
		const uint8_t *a = i % 2 ? v4(0x10000000 + (i + self) % 256)
								 : v6(1, (uint16_t)(i % 60), i * 8 + self);
		int rc = -EBUSY;

		for(tries = 0; tries < 1000 && rc == -EBUSY; tries++) {
			rc = tg_escalate_report(e, a, NOW + i, &got);
			for(level = 0; level < TG_ESCALATE_LEVELS; level++)
				s->rises[level] += got.rose >> level & 1;
		}
		if(rc != 0)
			return 1;
	}
	return 0;
}

static void one_process_sees_each_rise(void **state)
{
	struct tg_region r;
	struct tg_escalate *e;
	struct shared *s;
	size_t size = tg_escalate_size(&plain);

	(void)state;
	assert_int_equal(tg_region_map(&r, sizeof(*s) + size), 0);
	s = r.base;
	assert_int_equal(tg_escalate_init(s->table, size, &plain, &e), 0);
	assert_int_equal(procs_run(8, report_all, s), 0);
	assert_int_equal(s->rises[V4], 1);
	assert_int_equal(s->rises[V6], 30);
	assert_int_equal(s->rises[V48], 1);
	assert_int_equal(peek(e, v4(0x10000000), NOW).children[V4], 16);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(names_prefixes),
			cmocka_unit_test(rises_once_falls_and_is_released),
			cmocka_unit_test(a_level_can_be_off),
			cmocka_unit_test(agrees_with_the_oracle),
			cmocka_unit_test(says_when_it_is_full),
			cmocka_unit_test(one_process_sees_each_rise),
	};

	return cmocka_run_group_tests_name("escalate", tests, NULL, NULL);
}

/*
 * Snapshots under every schedule of a reader and a writer with a few switches,
 * the reader dying at any point and a successor taking its number.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/share/interleave_hooks.h"

#define tg_snapshot_size model_snapshot_size
#define tg_snapshot_init model_snapshot_init
#define tg_snapshot_begin model_snapshot_begin
#define tg_snapshot_publish model_snapshot_publish
#define tg_snapshot_abort model_snapshot_abort
#define tg_snapshot_reclaim model_snapshot_reclaim
#define tg_snapshot_stuck model_snapshot_stuck
#define tg_snapshot_enter model_snapshot_enter
#define tg_snapshot_leave model_snapshot_leave
#define tg_snapshot_generation model_snapshot_generation
#include "lib/share/snapshot.c"

#include "lib/share/region.h"

static struct tg_region region;
static struct tg_snapshots *s;
static struct tg_snapshot_config config;
static unsigned published, sections;

static int publish(void)
{
	uint64_t *data, next = s->last + 1;
	size_t size;
	void *mem;

	if(tg_snapshot_begin(s, &mem, &size) != 0)
		return 0;
	data = mem;
	data[0] = next;
	interleave_step();
	data[1] = next;
	assert_int_equal(tg_snapshot_publish(s, 16), next);
	return 1;
}

static void read_section(void)
{
	uint64_t generation;
	const uint64_t *data = tg_snapshot_enter(s, 0, NULL, &generation);

	if(data == NULL)
		return; /* the number is still taken */
	assert_int_equal(data[0], generation);
	interleave_step();
	assert_int_equal(data[0], generation);
	assert_int_equal(data[1], generation);
	sections++;
	tg_snapshot_leave(s, 0);
}

static void writer(void)
{
	for(unsigned i = 0; i < 3; i++)
		published += (unsigned)publish();
}

static void reader(void)
{
	read_section();
	read_section();
}

/* Enters after the first one with the same number is dead. */
static void successor(void)
{
	if(model_process_gone(101))
		read_section();
}

static void before(void)
{
	memset(region.base, 0, region.size);
	assert_int_equal(
			tg_snapshot_init(region.base, region.size, &config, &s), 0);
	assert_int_equal(publish(), 1);
	published = sections = 0;
}

/* With three slots a writer is refused only while a reader is between two
 * steps; when all is quiet nothing is left of anybody. */
static void after(void)
{
	uint64_t generation;
	uint32_t number;
	pid_t pid;

	assert_int_equal(tg_snapshot_generation(s), 1 + published);
	assert_int_equal(tg_snapshot_stuck(s, &number, &pid, &generation), -ENOENT);
	assert_int_equal(tg_snapshot_reclaim(s), 0);
	assert_int_equal(publish(), 1);
	assert_true(model.killed[1] || sections >= 2);
}

static void explore(uint32_t slots, unsigned actors, unsigned switches,
		unsigned kills, unsigned long at_least)
{
	config = (struct tg_snapshot_config){slots, 1, 16};
	assert_int_equal(tg_region_map(&region, tg_snapshot_size(&config)), 0);
	model = (struct interleave){.actors = actors,
			.act = {writer, reader, successor},
			.killable = {0, 1, 0},
			.max_switches = switches,
			.max_kills = kills};
	assert_true(interleave_all(before, after) >= at_least);
	print_message("%lu schedules\n", model.runs);
	tg_region_unmap(&region);
}

static void test_two_slots(void **state)
{
	(void)state;
	explore(2, 2, 4, 0, 1000);
}

static void test_three_slots(void **state)
{
	(void)state;
	explore(3, 2, 4, 0, 1000);
}

static void test_death(void **state)
{
	(void)state;
	explore(2, 3, 2, 1, 1000);
	explore(3, 3, 2, 1, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_two_slots),
			cmocka_unit_test(test_three_slots),
			cmocka_unit_test(test_death),
	};

	return cmocka_run_group_tests_name(
			"interleave_snapshot", tests, NULL, NULL);
}

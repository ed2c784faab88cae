/*
 * The ring under every schedule of two writers and the reader with a few
 * switches, each of them dying at any point; and once more with a reader that
 * gives up every push it finds unfinished.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/share/interleave_hooks.h"

#define tg_ring_size model_ring_size
#define tg_ring_init model_ring_init
#define tg_ring_push model_ring_push
#define tg_ring_pop model_ring_pop
#define tg_ring_dropped model_ring_dropped
#define memcpy interleave_copy
#include "lib/share/ring.c"
#undef memcpy

#define NOW 100000000ull
#define SLOTS 8u
#define PUSHES 2u

struct record
{
	uint64_t writer, number, same;
};

static void *memory;
static size_t memory_size;
static struct tg_ring *ring;
static uint64_t pop_now;	/* the reader's clock */
static unsigned prefill;	/* records of writer 9 in the ring at the start */
static unsigned start_at;	/* position of the first one */
static unsigned pushed[10]; /* calls that returned 0, by writer */
static unsigned popped[10], next[10], refused;

static int push(uint64_t writer, uint64_t number)
{
	struct record r = {writer, number, writer ^ number << 8};
	int rc = tg_ring_push(ring, &r, NOW);

	if(rc == 0)
		pushed[writer]++;
	else
		refused++;
	return rc;
}

static int pop(uint64_t now)
{
	struct record r;
	int rc = tg_ring_pop(ring, &r, now);

	if(rc != 0)
		return rc;
	assert_true(r.writer < 10);
	assert_int_equal(r.same, r.writer ^ r.number << 8);
	assert_true(r.number >= next[r.writer]); /* in order, none twice */
	next[r.writer] = (unsigned)r.number + 1;
	popped[r.writer]++;
	return 0;
}

static void first_writer(void)
{
	for(unsigned i = 0; i < PUSHES; i++)
		push(1, i);
}

static void second_writer(void)
{
	for(unsigned i = 0; i < PUSHES; i++)
		push(2, i);
}

static void reader(void)
{
	for(unsigned i = 0; i < 3; i++)
		pop(pop_now);
}

static void before(void)
{
	struct tg_ring_config config = {SLOTS, sizeof(struct record)};

	memset(memory, 0, memory_size);
	assert_int_equal(tg_ring_init(memory, memory_size, &config, &ring), 0);
	memset(next, 0, sizeof(next));
	for(unsigned i = 0; i < start_at; i++) {
		assert_int_equal(push(9, i), 0);
		assert_int_equal(pop(NOW), 0);
	}
	for(unsigned i = 0; i < prefill; i++)
		assert_int_equal(push(9, start_at + i), 0);
	memset(pushed, 0, sizeof(pushed));
	memset(popped, 0, sizeof(popped));
	pushed[9] = prefill;
	refused = 0;
}

/* All actors have ended, some of them dead. Whoever comes next finds all that
 * was pushed, and after two laps every slot in order. */
static void after(void)
{
	unsigned lost = 0, reader_died = model.killed[0];

	while(pop(NOW) == 0)
		;
	for(unsigned w = 1; w < 10; w++) {
		/* a writer killed behind its last step leaves one more than it knew */
		assert_true(popped[w] <= pushed[w] + (w < 3 && model.killed[w]));
		if(pushed[w] > popped[w])
			lost += pushed[w] - popped[w];
	}
	assert_true(lost <= reader_died);
	/* room for all: nothing may have been refused */
	if(prefill + 2 * PUSHES <= SLOTS && pop_now == NOW)
		assert_int_equal(refused, 0);
	if(model.kills == 0)
		assert_int_equal(tg_ring_dropped(ring), refused);
	assert_true(tg_ring_dropped(ring) <= refused + model.kills);
	for(unsigned i = 0; i < 2 * SLOTS; i++) {
		assert_int_equal(push(9, 1000 + i), 0);
		assert_int_equal(pop(NOW), 0);
	}
	for(unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(push(9, 2000 + i), 0);
	assert_int_equal(push(9, 3000), -ENOBUFS);
	for(unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(pop(NOW), 0);
	assert_int_equal(pop(NOW), -EAGAIN);
}

static void explore(uint64_t clock, unsigned switches, unsigned kills)
{
	struct tg_ring_config config = {SLOTS, sizeof(struct record)};

	memory_size = tg_ring_size(&config);
	memory = support_memory(memory_size);
	pop_now = clock;
	model = (struct interleave){.actors = 3,
			.act = {reader, first_writer, second_writer},
			.killable = {1, 1, 1},
			.max_switches = switches,
			.max_kills = kills};
	assert_true(interleave_all(before, after) >= 1000);
	print_message("%lu schedules\n", model.runs);
	support_free(memory);
}

static void explore_fill_levels(
		uint64_t clock, unsigned switches, unsigned kills)
{
	static const unsigned levels[] = {0, 2, 6, 8};

	for(unsigned i = 0; i < 4; i++) {
		prefill = levels[i];
		start_at = 5 * i;
		explore(clock, switches, kills);
	}
}

static void test_all_live(void **state)
{
	(void)state;
	explore_fill_levels(NOW, 2, 0);
}

static void test_deaths(void **state)
{
	(void)state;
	explore_fill_levels(NOW, 1, 1);
}

/* The reader's clock says that every unfinished push is old. */
static void test_given_up(void **state)
{
	(void)state;
	explore_fill_levels(NOW + 2000000, 2, 0);
	explore_fill_levels(NOW + 2000000, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_all_live),
			cmocka_unit_test(test_deaths),
			cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests_name("interleave_ring", tests, NULL, NULL);
}

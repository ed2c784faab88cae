/*
 * What the cells of modules/lib cost, in nanoseconds a call: one process, and
 * two at once on the same table. Prints `name value unit` lines.
 *
 *   make build/bench/lib_cells && build/bench/lib_cells
 *
 * With a number it only makes so many hot adds, for an instruction counter.
 * hot: 64 keys in turn. cold: 1 M keys of a table of 1 M cells (half of them in
 * use) in random order: each call misses the caches. new: keys never seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/cells.h"
#include "lib/share/hash.h"
#include "lib/share/region.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MILLION 1000000
#define SECOND UINT64_C(1000000)
#define WINDOW (60 * SECOND)
#define START (1000 * SECOND)

static const struct tg_hashkey key = {1, 2};
static uint64_t *ids;

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void report(const char *name, uint64_t ns, uint64_t calls)
{
	printf("%-28s %8.1f ns\n", name, (double)ns / (double)calls);
}

static void *map(size_t size, size_t *mapped)
{
	struct tg_region r;

	if(tg_region_map(&r, size) != 0)
		exit(1);
	*mapped = r.size;
	return r.base;
}

static struct tg_cells *cells(uint32_t n, int admission)
{
	struct tg_cells_config cfg = {n, admission};
	size_t size;
	void *mem = map(tg_cells_size(&cfg), &size);
	struct tg_cells *t;

	if(tg_cells_init(mem, size, &cfg, &t) != 0)
		exit(1);
	return t;
}

/* `calls` adds over the first `keys` ids, from the place of `seed` on. */
static uint64_t add_all(
		struct tg_cells *t, uint32_t keys, uint32_t calls, uint32_t seed)
{
	uint64_t begin = clock_ns();
	uint32_t i, seen;

	for(i = 0; i < calls; i++)
		(void)tg_cells_add(
				t, ids[(i + seed) % keys], 1, WINDOW, START + i, &seen);
	return clock_ns() - begin;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The tail of single cold calls, the clock's own cost included. */
static void tail(struct tg_cells *t)
{
	static uint64_t took[MILLION];
	uint32_t i, seen;

	for(i = 0; i < MILLION; i++) {
		uint64_t begin = clock_ns();

		(void)tg_cells_add(t, ids[i], 1, WINDOW, START + i, &seen);
		took[i] = clock_ns() - begin;
	}
	qsort(took, MILLION, sizeof(took[0]), by_value);
	report("cells_add_cold_p50", took[MILLION / 2], 1);
	report("cells_add_cold_p99.9", took[MILLION / 1000 * 999], 1);
}

/* The slower of two processes at once. */
static void pair(const char *name, struct tg_cells *t, uint32_t keys)
{
	int status;
	pid_t child = fork();
	uint64_t ns;

	if(child == 0) {
		add_all(t, keys, 10 * MILLION, 17);
		_exit(0);
	}
	ns = add_all(t, keys, 10 * MILLION, 0);
	waitpid(child, &status, 0);
	report(name, ns, 10 * MILLION);
}

static void bench_cells(void)
{
	struct tg_cells *t = cells(MILLION, 1), *full = cells(65536, 1);
	uint64_t begin, retry;
	uint32_t i, seen;

	add_all(t, MILLION / 2, MILLION / 2, 0);
	report("cells_add_hot", add_all(t, 64, 20 * MILLION, 0), 20 * MILLION);
	report("cells_add_cold", add_all(t, MILLION / 2, 5 * MILLION, 0),
			5 * MILLION);
	tail(t);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		(void)tg_cells_peek(t, ids[MILLION + i], WINDOW, START, &seen);
	report("cells_peek_absent_cold", clock_ns() - begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		(void)tg_cells_pinned(t, ids[i], START, NULL);
	report("cells_pinned_cold", clock_ns() - begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < 10 * MILLION; i++)
		(void)tg_cells_take(
				t, ids[MILLION + i % 64], 100, 10, START + i, &retry);
	report("cells_take_hot", clock_ns() - begin, 10 * MILLION);
	pair("cells_add_2_procs_64_keys", t, 64);
	pair("cells_add_2_procs_1_key", t, 1);
	/* a table 30 times too small, under a flood of new keys */
	report("cells_add_new_full_table",
			add_all(full, 2 * MILLION, 2 * MILLION, 0), 2 * MILLION);
}

int main(int argc, char **argv)
{
	uint32_t i;

	ids = calloc(2 * MILLION, sizeof(*ids));
	if(ids == NULL)
		return 1;
	for(i = 0; i < 2 * MILLION; i++)
		ids[i] = tg_hash_id(&key, 1, &i, sizeof(i));
	if(argc > 1) {
		add_all(cells(65536, 1), 64, (uint32_t)atoi(argv[1]), 0);
	} else {
		bench_cells();
	}
	free(ids);
	return 0;
}

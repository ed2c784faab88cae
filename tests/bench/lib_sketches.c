/*
 * What the estimators of modules/lib cost, in nanoseconds a call, in one
 * process. Prints `name value unit` lines.
 *
 *   make build/bench/lib_sketches && build/bench/lib_sketches
 *
 * hot: what is used lies in the caches. cold: 1 M keys, or 512 MiB of profiles,
 * in an order that misses them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/sketch/baseline.h"
#include "lib/sketch/countmin.h"
#include "lib/sketch/cusum.h"
#include "lib/table/escalate.h"
#include "lib/share/hash.h"
#include "lib/sketch/hll.h"
#include "lib/share/region.h"
#include "lib/sketch/sketch.h"
#include "lib/sketch/topk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MILLION 1000000
#define SECOND UINT64_C(1000000)
#define START (1000000 * SECOND)

/* As it lies in memory: one account's profile. */
struct profile
{
	struct tg_hll destinations;
	struct tg_baseline calls;
	struct tg_cusum rise;
	char rest[512 - 168 - 184 - 24];
};

static const struct tg_hashkey key = {1, 2};
static uint64_t *ids;
static volatile uint64_t sink; /* results go here, so that none is left out */

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void report(const char *name, uint64_t begin, uint64_t calls)
{
	printf("%-28s %8.1f ns\n", name,
			(double)(clock_ns() - begin) / (double)calls);
}

static void *map(size_t size)
{
	struct tg_region r;

	if(tg_region_map(&r, size) != 0)
		exit(1);
	return r.base;
}

static void bench_hll(struct profile *profiles)
{
	struct tg_hll h = {0}, other = {0};
	uint64_t begin = clock_ns();
	uint32_t i;

	for(i = 0; i < 10 * MILLION; i++) {
		if(i % 16 == 0)
			h.kept = 0;
		sink += (uint64_t)tg_hll_add(&h, ids[i % 16]);
	}
	report("hll_add_exact", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < 10 * MILLION; i++)
		sink += (uint64_t)tg_hll_add(&h, ids[i % MILLION]);
	report("hll_add_dense", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += tg_hll_estimate(&h);
	report("hll_estimate_dense", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++) {
		other.kept = TG_HLL_DENSE;
		tg_hll_merge(&other, &h);
	}
	sink += other.as.dense[3];
	report("hll_merge_dense", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += (uint64_t)tg_hll_add(
				&profiles[ids[i] % MILLION].destinations, ids[i]);
	report("hll_add_cold_profile", begin, MILLION);
}

static void bench_countmin(void)
{
	struct tg_countmin_config cfg = {1 << 22, 60 * SECOND};
	size_t size = tg_countmin_size(&cfg);
	struct tg_countmin *t;
	uint64_t begin;
	uint32_t i;

	if(tg_countmin_init(map(size), size, &cfg, &t) != 0)
		exit(1);
	for(i = 0; i < MILLION; i++)
		(void)tg_countmin_add(t, ids[i], 1, START);
	begin = clock_ns();
	for(i = 0; i < 10 * MILLION; i++)
		sink += tg_countmin_add(t, ids[i % 64], 1, START);
	report("countmin_add_hot", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += tg_countmin_add(t, ids[i], 1, START);
	report("countmin_add_cold", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += tg_countmin_read(t, ids[i], START);
	report("countmin_read_cold", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION / 4; i++)
		sink += tg_countmin_add(t, ids[i], 1, START + 60 * SECOND);
	report("countmin_add_halving_cold", begin, MILLION / 4);
}

/* The cells' admission, as it lies beside 1 M of them. */
static void bench_sketch(void)
{
	const uint32_t lines = MILLION / TG_SKETCH_CELLS;
	struct tg_sketch_line *line = map(lines * sizeof(*line));
	uint64_t begin = clock_ns();
	uint32_t i;

	for(i = 0; i < 10 * MILLION; i++)
		sink += tg_sketch_add(&line[i % 64], ids[i % 64], 1, START);
	report("sketch_add_hot", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += tg_sketch_add(&line[ids[i] % lines], ids[i], 1, START);
	report("sketch_add_cold", begin, MILLION);
}

static void bench_topk(void)
{
	static struct tg_topk_item items[20];
	struct tg_topk_config cfg = {1000, {1, 2}};
	size_t size = tg_topk_size(&cfg);
	struct tg_topk *t;
	uint64_t begin;
	uint32_t i;

	if(tg_topk_init(map(size), size, &cfg, &t) != 0)
		exit(1);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		(void)tg_topk_add(t, &ids[i], 8, 1);
	report("topk_add_new_k1000", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		(void)tg_topk_add(t, &ids[ids[i] % 500], 8, 1);
	report("topk_add_listed_k1000", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < 1000; i++) {
		(void)tg_topk_add(t, &ids[i], 8, i);
		sink += tg_topk_list(t, items, 20);
	}
	report("topk_list_20_k1000", begin, 1000);
}

static void bench_baseline(struct profile *profiles)
{
	struct tg_baseline b = {0};
	struct tg_deviation d;
	uint64_t begin = clock_ns();
	uint32_t i;

	for(i = 0; i < 10 * MILLION; i++)
		(void)tg_baseline_add(&b, 1 + i / 100, 1, 0);
	report("baseline_add", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < 10 * MILLION; i++) {
		(void)tg_baseline_compare(&b, i, i % 64, &d);
		sink += (uint64_t)d.ratio;
	}
	report("baseline_compare", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < 100000; i++)
		(void)tg_baseline_add(&b, 200000 + i * 2000, 1, 0);
	report("baseline_add_after_12_weeks", begin, 100000);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		(void)tg_baseline_add(&profiles[ids[i] % MILLION].calls, 400000, 1, 0);
	report("baseline_add_cold_profile", begin, MILLION);
}

static void bench_cusum(void)
{
	static const struct tg_cusum_limits limits = {0.5, 6};
	struct tg_cusum c = {0};
	uint64_t begin = clock_ns();
	uint32_t i;

	for(i = 0; i < 10 * MILLION; i++)
		sink += (uint64_t)tg_cusum_add(&c, &limits, 1 + i / 20, 1, 20);
	report("cusum_add", begin, 10 * MILLION);
	begin = clock_ns();
	for(i = 0; i < 10 * MILLION; i++)
		sink += (uint64_t)tg_cusum_add(
				&c, &limits, MILLION + i, 20, TG_CUSUM_LEARNED);
	report("cusum_add_new_interval", begin, 10 * MILLION);
}

static void bench_escalate(void)
{
	struct tg_escalate_config cfg = {65536, {8, 8, 16}, 600 * SECOND, {1, 2}};
	size_t size = tg_escalate_size(&cfg);
	struct tg_escalate *e;
	struct tg_escalation got;
	uint8_t a[16] = {[10] = 0xff, [11] = 0xff};
	uint64_t begin;
	uint32_t i;

	if(tg_escalate_init(map(size), size, &cfg, &e) != 0)
		exit(1);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++) {
		a[15] = (uint8_t)i;
		sink += (uint64_t)tg_escalate_report(e, a, START + i, &got);
	}
	report("escalate_report_v4_hot", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++) {
		memcpy(a + 12, &ids[i], 4);
		sink += (uint64_t)tg_escalate_report(e, a, START + i, &got);
	}
	report("escalate_report_v4_flood", begin, MILLION);
	a[0] = 0x20;
	begin = clock_ns();
	for(i = 0; i < MILLION; i++) {
		memcpy(a + 8, &ids[i], 8);
		sink += (uint64_t)tg_escalate_report(e, a, START + i, &got);
	}
	report("escalate_report_v6_rotating", begin, MILLION);
	begin = clock_ns();
	for(i = 0; i < MILLION; i++)
		sink += (uint64_t)tg_escalate_peek(e, a, START + i, &got);
	report("escalate_peek_v6_hot", begin, MILLION);
}

int main(void)
{
	struct profile *profiles = map(sizeof(struct profile) * MILLION);
	uint32_t i;

	ids = calloc(MILLION, sizeof(*ids));
	if(ids == NULL)
		return 1;
	for(i = 0; i < MILLION; i++)
		ids[i] = tg_hash_id(&key, 1, &i, sizeof(i));
	/* every page is there, and the last ones written fill the caches */
	memset(profiles, 0, sizeof(*profiles) * MILLION);
	bench_hll(profiles);
	bench_countmin();
	bench_sketch();
	bench_topk();
	bench_baseline(profiles);
	bench_cusum();
	bench_escalate();
	free(ids);
	return 0;
}

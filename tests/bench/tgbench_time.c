/*
 * How time is taken.
 *
 * mean: the processor time of this process is read before and after a loop over
 * all queries, so that others on the machine do not count; the loop over an
 * empty case, measured the same way, is taken off. Repeats go round all cases,
 * each runs once unmeasured before, and the median counts.
 * pair: the same with the clock on the wall, since waiting for one another is
 * what two processes are measured for.
 * p50, p99, p99.9: the clock is read around each call; the median cost of
 * reading it around nothing is taken off. Of calls that need something undone in
 * between, all figures are of single calls; rounds go over all cases there too,
 * and the median of each figure counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES 200000

static uint32_t sink; /* keeps the results alive */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

uint64_t tgbench_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint32_t tgbench_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

uint32_t *tgbench_shuffled(uint32_t n)
{
	uint32_t *order = malloc(n * sizeof *order);

	for(uint32_t i = 0; order != NULL && i < n; i++) {
		uint32_t j = tgbench_random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

uint32_t *tgbench_in_turn(uint32_t n)
{
	uint32_t *order = malloc(n * sizeof *order);

	for(uint32_t i = 0; order != NULL && i < n; i++)
		order[i] = i;
	return order;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

static uint32_t nothing(uint32_t i)
{
	return i;
}

static uint64_t own_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double loop(uint64_t (*clock)(void), tgbench_call_f call,
		const uint32_t *order, uint32_t n)
{
	uint64_t begin = clock();
	uint32_t sum = 0;

	for(uint32_t i = 0; i < n; i++)
		sum += call(order[i]);
	sink += sum;
	return (double)(clock() - begin) / n;
}

double tgbench_loop(tgbench_call_f call, const uint32_t *order, uint32_t n)
{
	return loop(own_ns, call, order, n);
}

static int by_ticks(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double less(double value, double cost)
{
	return value > cost ? value - cost : 0;
}

static void take(uint32_t *took, tgbench_call_f call, void (*reset)(void),
		const uint32_t *order, uint32_t n)
{
	for(uint32_t i = 0; i < n; i++) {
		uint64_t begin = tgbench_ns(), ns;

		sink += call(order[i]);
		ns = tgbench_ns() - begin;
		took[i] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
		if(reset != NULL)
			reset();
	}
	qsort(took, n, sizeof *took, by_ticks);
}

void tgbench_sample(tgbench_call_f call, void (*reset)(void),
		const uint32_t *order, uint32_t n, struct tgbench_result *out)
{
	static uint32_t took[SAMPLES];
	double cost, sum = 0;

	n = n < SAMPLES ? n : SAMPLES;
	take(took, nothing, NULL, order, n);
	cost = took[n / 2];
	take(took, call, reset, order, n);
	for(uint32_t i = 0; i < n; i++)
		sum += took[i];
	out->mean = less(sum / n, cost);
	out->p50 = less(took[n / 2], cost);
	out->p99 = less(took[(uint64_t)n * 99 / 100], cost);
	out->p999 = less(took[(uint64_t)n * 999 / 1000], cost);
}

void tgbench_sample_all(const struct tgbench_case *cases, const int *which,
		int count, void (*reset)(void), const uint32_t *order, uint32_t n,
		struct tgbench_result *out)
{
	struct tgbench_result runs[TGBENCH_REPEATS][TGBENCH_CASES];
	double of[TGBENCH_REPEATS];

#define MEDIAN(figure)                               \
	do {                                             \
		for(int r = 0; r < TGBENCH_REPEATS; r++)     \
			of[r] = runs[r][c].figure;               \
		out[c].figure = median(of, TGBENCH_REPEATS); \
	} while(0)
	for(int r = 0; r < TGBENCH_REPEATS; r++)
		for(int c = 0; c < count; c++)
			tgbench_sample(cases[which[c]].call, reset, order, n, &runs[r][c]);
	for(int c = 0; c < count; c++) {
		MEDIAN(mean);
		MEDIAN(p50);
		MEDIAN(p99);
		MEDIAN(p999);
	}
#undef MEDIAN
}

void tgbench_measure(const struct tgbench_case *cases, int count,
		const uint32_t *order, uint32_t n, struct tgbench_result *out)
{
	double runs[TGBENCH_CASES][TGBENCH_REPEATS];

	for(int r = 0; r < TGBENCH_REPEATS; r++) {
		double empty = tgbench_loop(nothing, order, n);

		for(int c = 0; c < count; c++) {
			if(cases[c].call == NULL)
				continue;
			/* The case before has filled the caches with its own data. */
			(void)tgbench_loop(cases[c].call, order, n);
			runs[c][r] = less(tgbench_loop(cases[c].call, order, n), empty);
		}
	}
	for(int c = 0; c < count; c++) {
		if(cases[c].call == NULL)
			continue;
		tgbench_sample(cases[c].call, NULL, order, n, &out[c]);
		out[c].mean = median(runs[c], TGBENCH_REPEATS);
	}
}

double tgbench_pair(tgbench_call_f call, const uint32_t *order, uint32_t n)
{
	double best = 0;

	for(int r = 0; r < TGBENCH_REPEATS; r++) {
		double mine, other = 0;
		int up[2];
		pid_t child;

		if(pipe(up) < 0)
			return 0;
		child = fork();
		if(child == 0) {
			mine = loop(tgbench_ns, call, order + n / 2, n / 2);
			_exit(write(up[1], &mine, sizeof mine) != sizeof mine);
		}
		close(up[1]);
		mine = loop(tgbench_ns, call, order, n / 2);
		if(child < 0 || read(up[0], &other, sizeof other) != sizeof other)
			mine = 0;
		close(up[0]);
		if(child > 0)
			waitpid(child, NULL, 0);
		if(mine == 0)
			return 0;
		mine = mine > other ? mine : other;
		best = best == 0 || mine < best ? mine : best;
	}
	return best;
}

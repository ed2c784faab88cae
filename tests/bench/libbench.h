/*
 * How lib_stores.c and lib_data.c measure: processor time of this process, so
 * that other work on the machine does not count; one round unmeasured, then
 * five, of which the median is told. A wrong answer ends the program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_LIBBENCH_H
#define TG_LIBBENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/share/region.h"

#define ROUNDS 5

/* A round: makes `calls` calls and returns the nanoseconds that they took. */
typedef uint64_t (*bench_round_f)(uint32_t calls);

static inline uint64_t bench_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t cpu_ns(void)
{
	return bench_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void require(int right, const char *what)
{
	if(right)
		return;
	printf("wrong: %s\n", what);
	exit(1);
}

static inline int bench_by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline void measure(const char *name, bench_round_f f, uint32_t calls)
{
	uint64_t took[ROUNDS];
	int i;

	(void)f(calls);
	for(i = 0; i < ROUNDS; i++)
		took[i] = f(calls);
	qsort(took, ROUNDS, sizeof(took[0]), bench_by_value);
	printf("%-28s %8.1f ns\n", name, (double)took[ROUNDS / 2] / calls);
	(void)fflush(stdout); /* a crash shows what came before it */
}

/* Shared memory, as the modules have it. */
static inline void *bench_map(size_t size, size_t *mapped)
{
	struct tg_region r;

	require(tg_region_map(&r, size) == 0, "no memory");
	*mapped = r.size;
	return r.base;
}

#endif

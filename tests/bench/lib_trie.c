/*
 * The trie on 10,000 and all real prefixes and on a million: bytes a prefix,
 * build time, and time a look-up. Prints lines of `name value unit`.
 *
 * Build and run, from the top of the tree (needs Debian's python3-phonenumbers):
 * mkdir -p build && cc -O2 -D_GNU_SOURCE -Imodules -Itests/unit tests/bench/lib_trie.c modules/lib/trie*.c -o build/bench_trie && build/bench_trie tests/unit
 *
 * A number is a random stored prefix with random digits up to 15: every prefix
 * is equally likely, so the processor's caches help less than live traffic
 * would let them. A look-up is timed in batches of 100, because reading the
 * clock costs as much as the look-up; median and p99 are over the batches, with
 * all numbers looked up several times.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prefixes.h"

#define NUMBERS 1000000u
#define DIGITS 15u
#define BATCH 100u
#define ROUNDS 5u
#define BATCHES (NUMBERS / BATCH * ROUNDS)

static char numbers[NUMBERS][DIGITS];
static double batch_ns[BATCHES];

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void make_numbers(const struct prefixes *p, uint64_t seed)
{
	for(size_t i = 0; i < NUMBERS; i++) {
		const struct tg_trie_row *row =
				&p->rows[prefixes_below(&seed, (uint32_t)p->n)];

		for(unsigned k = 0; k < DIGITS; k++)
			numbers[i][k] = k < row->len
									? row->prefix[k]
									: (char)('0' + prefixes_below(&seed, 10));
	}
}

static void report(
		const char *set, const char *what, double value, const char *unit)
{
	printf("trie_%s_%s %.2f %s\n", set, what, value, unit);
}

/* Times one kind of look-up; every number must be found, or the times would be
 * those of failures. */
static void time_lookups(const char *set, const void *image, int all)
{
	struct tg_trie_match m[TG_TRIE_MAX_DIGITS + 1];
	char name[32];
	size_t found = 0;
	double sum = 0;

	for(size_t b = 0; b < BATCHES; b++) {
		size_t from = b * BATCH % NUMBERS;
		double start = now_ns();

		for(size_t i = from; i < from + BATCH; i++)
			if(all)
				found += tg_trie_walk(image, numbers[i], DIGITS, m,
								 TG_TRIE_MAX_DIGITS + 1)
						 > 0;
			else
				found += tg_trie_longest(image, numbers[i], DIGITS, m) == 0;
		batch_ns[b] = (now_ns() - start) / BATCH;
		sum += batch_ns[b];
	}
	if(found != (size_t)BATCHES * BATCH) {
		fprintf(stderr, "%s: only %zu numbers found\n", set, found);
		exit(1);
	}
	qsort(batch_ns, BATCHES, sizeof(*batch_ns), by_time);
	snprintf(name, sizeof(name), "%s_median", all ? "walk" : "longest");
	report(set, name, batch_ns[BATCHES / 2], "ns");
	snprintf(name, sizeof(name), "%s_p99", all ? "walk" : "longest");
	report(set, name, batch_ns[BATCHES / 100 * 99], "ns");
	snprintf(name, sizeof(name), "%s_mean", all ? "walk" : "longest");
	report(set, name, sum / BATCHES, "ns");
}

static void bench(const char *set, const struct prefixes *p)
{
	size_t bound = tg_trie_bound(p->n, p->symbols), used;
	void *image = malloc(bound);
	double start = now_ns(), built, checked;

	if(image == NULL
			|| tg_trie_build(p->rows, p->n, image, bound, &used, NULL) != 0) {
		fprintf(stderr, "%s: not built\n", set);
		exit(1);
	}
	built = now_ns();
	if(tg_trie_check(image, used) != 0)
		exit(1);
	checked = now_ns();
	make_numbers(p, 3);
	report(set, "prefixes", (double)p->n, "rows");
	report(set, "size", (double)used / (double)p->n, "B/prefix");
	report(set, "build", (built - start) / 1e6, "ms");
	report(set, "check", (checked - built) / 1e6, "ms");
	time_lookups(set, image, 1);
	time_lookups(set, image, 0);
	free(image);
}

/* Keeps `count` rows, chosen at random. */
static void thin_out(struct prefixes *p, size_t count, uint64_t seed)
{
	while(p->n > count) {
		size_t i = prefixes_below(&seed, (uint32_t)p->n);

		free((char *)p->rows[i].prefix);
		p->rows[i] = p->rows[--p->n];
	}
	prefixes_sort(p);
}

int main(int argc, char **argv)
{
	struct prefixes real = {0}, few = {0};
	uint64_t seed = 1;

	if(argc != 2) {
		fprintf(stderr, "usage: %s <directory of real_prefixes.py>\n", argv[0]);
		return 2;
	}
	if(prefixes_real(&real, argv[1]) != 0)
		return 1;
	/* The script's order is random; the bench's is not. */
	prefixes_sort(&real);
	for(size_t i = 0; i < real.n; i++) {
		real.rows[i].value = (uint32_t)i;
		prefixes_add(&few, real.rows[i].prefix, real.rows[i].len);
	}
	thin_out(&few, 10000, 2);
	bench("10k", &few);
	bench("real", &real);
	prefixes_grow(&real, 1000000, &seed);
	bench("1m", &real);
	prefixes_free(&few);
	prefixes_free(&real);
	return 0;
}

/*
 * What a lookup of the trie costs, the library alone: lib_trie FILE [LOOKUPS].
 * FILE holds a prefix a line. Prints the mean of a loop, then p50, p99, p99.9
 * of single calls with the clock's own cost taken off, and how many answers a
 * plain search over shortened numbers does not confirm.
 * With LOOKUPS it only makes so many calls, for an instruction counter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/prefix/trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUERIES 200000
#define REPEATS 5
#define WHOLE 15

struct number
{
	uint8_t len;
	char digits[WHOLE + 1];
};

static struct tg_trie_row *rows;
static size_t count, symbols;
static void *image;
static struct number numbers[QUERIES];
static uint32_t took[QUERIES];
static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static int load(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[64];
	size_t room = 0, size, used;

	if(in == NULL)
		return -1;
	while(fgets(line, sizeof line, in) != NULL) {
		size_t len = strcspn(line, "\r\n");

		if(count == room) {
			room = room ? 2 * room : 1024;
			rows = realloc(rows, room * sizeof *rows);
			if(rows == NULL)
				exit(1);
		}
		rows[count] = (struct tg_trie_row){.prefix = strndup(line, len),
				.len = (uint8_t)len,
				.value = (uint32_t)count + 1};
		count++;
		symbols += len;
	}
	fclose(in);
	qsort(rows, count, sizeof *rows, tg_trie_compare);
	size = tg_trie_bound(count, symbols);
	image = aligned_alloc(64, (size + 63) / 64 * 64);
	return count > 0 && image != NULL
						   && tg_trie_build(
									  rows, count, image, size, &used, NULL)
									  == 0
				   ? 0
				   : -1;
}

static void ask(void)
{
	for(uint32_t i = 0; i < QUERIES; i++) {
		const struct tg_trie_row *row = &rows[chance() % count];
		struct number *n = &numbers[i];

		n->len = row->len < WHOLE ? row->len : WHOLE;
		memcpy(n->digits, row->prefix, n->len);
		while(i % 2 && n->len < WHOLE)
			n->digits[n->len++] = (char)('0' + chance() % 10);
	}
}

static uint32_t look(const struct number *n)
{
	struct tg_trie_match match;

	return tg_trie_longest(image, n->digits, n->len, &match) == 0 ? match.value
																  : 0;
}

/* The value by binary search for ever shorter prefixes. */
static uint32_t search(const struct number *n)
{
	struct tg_trie_row wanted = {.prefix = n->digits, .len = n->len};

	for(; wanted.len > 0; wanted.len--) {
		const struct tg_trie_row *found =
				bsearch(&wanted, rows, count, sizeof *rows, tg_trie_compare);

		if(found != NULL)
			return found->value;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t sum;

static double loop(void)
{
	uint64_t begin = clock_ns();

	for(uint32_t i = 0; i < QUERIES; i++)
		sum += look(&numbers[i]);
	return (double)(clock_ns() - begin) / QUERIES;
}

/* Sorted times of single calls; `empty` measures the clock itself. */
static void singles(int empty)
{
	for(uint32_t i = 0; i < QUERIES; i++) {
		uint64_t begin = clock_ns();

		sum += empty ? i : look(&numbers[i]);
		took[i] = (uint32_t)(clock_ns() - begin);
	}
	qsort(took, QUERIES, sizeof *took, by_value);
}

int main(int argc, char **argv)
{
	double best = 0, clock_cost;
	uint32_t wrong = 0;

	if(argc < 2 || load(argv[1]) < 0) {
		fprintf(stderr, "lib_trie FILE [LOOKUPS]: no prefixes to read\n");
		return 1;
	}
	ask();
	if(argc > 2) {
		for(int i = 0; i < atoi(argv[2]); i++)
			sum += look(&numbers[i % QUERIES]);
		return sum == 0;
	}
	for(uint32_t i = 0; i < QUERIES; i++)
		wrong += look(&numbers[i]) != search(&numbers[i]);
	for(int r = 0; r < REPEATS; r++) {
		double ns = loop();

		best = r == 0 || ns < best ? ns : best;
	}
	singles(1);
	clock_cost = took[QUERIES / 2];
	singles(0);
	printf("trie_longest %.1f %.1f %.1f %.1f ns, wrong %u\n", best,
			took[QUERIES / 2] - clock_cost,
			took[QUERIES / 100 * 99] - clock_cost,
			took[QUERIES / 1000 * 999] - clock_cost, wrong);
	return wrong != 0;
}

/*
 * Writes the seed files of fuzz_trie and fuzz_statefile; run again after either
 * format has changed, from the top of the tree:
 * mkdir -p build && cc -D_GNU_SOURCE -Imodules tests/fuzz/seeds.c modules/lib/prefix/trie*.c modules/lib/share/statefile.c modules/lib/share/hash.c -o build/fuzz_seeds && build/fuzz_seeds tests/fuzz/corpus
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/share/statefile.h"
#include "lib/prefix/trie.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void save(const char *dir, const char *fuzzer, const char *name,
		const void *data, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, fuzzer);
	if(mkdir(path, 0755) != 0 && errno != EEXIST)
		fail(path);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, fuzzer, name);
	f = fopen(path, "w");
	if(f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		fail(path);
}

/* Head of a fuzz_trie input. */
static size_t start_input(uint8_t *to, uint8_t mode, const char *number)
{
	to[0] = mode;
	to[1] = (uint8_t)strlen(number);
	memcpy(to + 2, number, to[1]);
	return 2u + to[1];
}

static void trie_seeds(const char *dir)
{
	static const char *const few[] = {
			"", "1", "12", "4930", "4930123456789012345", "49*#", "7"};
	struct tg_trie_row rows[1000];
	static char text[1000][8];
	static uint8_t input[65536] __attribute__((aligned(4)));
	static uint32_t image[16384];
	size_t used, at, n = sizeof(few) / sizeof(*few);

	for(size_t i = 0; i < n; i++)
		rows[i] = (struct tg_trie_row){
				few[i], (uint8_t)strlen(few[i]), (uint32_t)(i * 300)};
	qsort(rows, n, sizeof(*rows), tg_trie_compare);
	if(tg_trie_build(rows, n, image, sizeof(image), &used, NULL) != 0)
		fail("building the small image");
	at = start_input(input, 0, "4930123456789012345");
	memcpy(input + at, image, used);
	save(dir, "trie", "image-small", input, at + used);

	/* the same as rows, in order and not */
	for(uint8_t mode = 1; mode <= 2; mode++) {
		at = start_input(input, mode, "49301");
		for(size_t i = 0; i < n; i++) {
			input[at++] = rows[i].len;
			memcpy(input + at, rows[i].prefix, rows[i].len);
			at += rows[i].len;
			input[at++] = (uint8_t)i;
		}
		save(dir, "trie", mode == 1 ? "rows-any-order" : "rows-sorted", input,
				at);
	}

	/* enough rows for a root of several levels */
	for(size_t i = 0; i < 1000; i++)
		rows[i] = (struct tg_trie_row){text[i],
				(uint8_t)snprintf(text[i], sizeof(text[i]), "%04zu", i * 9),
				(uint32_t)i};
	if(tg_trie_build(rows, 1000, image, sizeof(image), &used, NULL) != 0)
		fail("building the larger image");
	at = start_input(input, 0, "0009");
	memcpy(input + at, image, used);
	save(dir, "trie", "image-root", input, at + used);
}

static void statefile_seeds(const char *dir)
{
	static const struct tg_statefile_format format = {"fuzz", 1};
	uint8_t input[512] = {0};
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sound", dir);
	if(tg_statefile_write(path, &format, "some state", 10) != 0)
		fail(path);
	f = fopen(path, "r");
	if(f == NULL)
		fail(path);
	n = fread(input + 1, 1, sizeof(input) - 1, f);
	fclose(f);
	remove(path);
	save(dir, "statefile", "file", input, n + 1);
	save(dir, "statefile", "file-torn", input, n - 3);
	save(dir, "statefile", "damage", "\1\2\11\1\70\200some state", 16);
	save(dir, "statefile", "no-damage", "\1\0some state", 12);
}

int main(int argc, char **argv)
{
	if(argc != 2) {
		fprintf(stderr, "usage: %s <corpus directory>\n", argv[0]);
		return 2;
	}
	trie_seeds(argv[1]);
	statefile_seeds(argv[1]);
	return 0;
}

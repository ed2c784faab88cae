/*
 * Sets of prefixes for the trie's test and bench: real ones, random ones, and
 * the generator of random numbers they use (the same sequence everywhere).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_PREFIXES_H
#define TESTS_UNIT_PREFIXES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prefix/trie.h"

#define PREFIXES_SYMBOLS "0123456789*#"

struct prefixes
{
	struct tg_trie_row *rows;
	size_t n, room, symbols;
};

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled" (2016). */
static inline uint64_t prefixes_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

static inline uint32_t prefixes_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((prefixes_random(state) >> 32) * limit >> 32);
}

/* Copies the prefix; its value is its ordinal number. */
static inline void prefixes_add(
		struct prefixes *p, const char *prefix, size_t len)
{
	char *copy = malloc(len + 1);

	if(p->n == p->room) {
		p->room = p->room ? p->room * 2 : 1024;
		p->rows = realloc(p->rows, p->room * sizeof(*p->rows));
	}
	if(copy == NULL || p->rows == NULL)
		abort();
	memcpy(copy, prefix, len);
	copy[len] = '\0';
	p->rows[p->n] = (struct tg_trie_row){copy, (uint8_t)len, (uint32_t)p->n};
	p->n++;
	p->symbols += len;
}

/* Sorts and drops the doubles. */
static inline void prefixes_sort(struct prefixes *p)
{
	size_t kept = 0;

	if(p->n > 0)
		qsort(p->rows, p->n, sizeof(*p->rows), tg_trie_compare);
	p->symbols = 0;
	for(size_t i = 0; i < p->n; i++) {
		if(kept > 0 && tg_trie_compare(&p->rows[kept - 1], &p->rows[i]) == 0) {
			free((char *)p->rows[i].prefix);
			continue;
		}
		p->symbols += p->rows[i].len;
		p->rows[kept++] = p->rows[i];
	}
	p->n = kept;
}

static inline void prefixes_free(struct prefixes *p)
{
	for(size_t i = 0; i < p->n; i++)
		free((char *)p->rows[i].prefix);
	free(p->rows);
	*p = (struct prefixes){0};
}

/* From the file that TOLLGATE_PREFIXES names (one a line), else from the script
 * `dir`/real_prefixes.py. 0, or -1 with the reason printed. */
static inline int prefixes_real(struct prefixes *p, const char *dir)
{
	const char *path = getenv("TOLLGATE_PREFIXES");
	char line[256];
	FILE *f;
	int rc;

	if(path != NULL) {
		f = fopen(path, "r");
	} else {
		snprintf(line, sizeof(line),
				"timeout 120 /usr/bin/python3 '%s/real_prefixes.py'", dir);
		f = popen(line, "r");
	}
	if(f == NULL) {
		perror(path != NULL ? path : line);
		return -1;
	}
	while(fgets(line, sizeof(line), f) != NULL)
		prefixes_add(p, line, strcspn(line, "\n"));
	rc = path != NULL ? fclose(f) : pclose(f);
	if(rc == 0 && p->n >= 100000)
		return 0;
	fprintf(stderr,
			"%zu real prefixes, expected over 100,000: is the Debian package "
			"python3-phonenumbers installed?\n",
			p->n);
	return -1;
}

/* `count` distinct prefixes in all, sorted: random extensions, by one or two
 * digits, of those in `p`, as vendors split their destinations. */
static inline void prefixes_grow(
		struct prefixes *p, size_t count, uint64_t *seed)
{
	while(p->n < count) {
		size_t old = p->n, missing = count - p->n;
		char text[64];

		for(size_t i = 0; i < missing; i++) {
			const struct tg_trie_row *row =
					&p->rows[prefixes_below(seed, (uint32_t)old)];
			size_t len = row->len;

			if(len + 2 > TG_TRIE_MAX_DIGITS)
				continue;
			memcpy(text, row->prefix, len);
			text[len++] = (char)('0' + prefixes_below(seed, 10));
			if(prefixes_below(seed, 3) == 0)
				text[len++] = (char)('0' + prefixes_below(seed, 10));
			prefixes_add(p, text, len);
		}
		prefixes_sort(p);
	}
}

/* About `count` prefixes, sorted: all lengths and symbols, half of them extensions of others, so that values
 * stand on inner nodes as well as on leaves; the empty one too. */
static inline void prefixes_make(
		struct prefixes *p, size_t count, uint64_t seed)
{
	char text[TG_TRIE_MAX_DIGITS];

	while(p->n < count) {
		size_t len = prefixes_below(&seed, TG_TRIE_MAX_DIGITS + 1), from = 0;

		if(p->n > 0 && prefixes_below(&seed, 2) == 0) {
			const struct tg_trie_row *row =
					&p->rows[prefixes_below(&seed, (uint32_t)p->n)];

			from = prefixes_below(&seed, row->len + 1u);
			memcpy(text, row->prefix, from);
			len = from + prefixes_below(&seed, 12);
			if(len > TG_TRIE_MAX_DIGITS)
				len = TG_TRIE_MAX_DIGITS;
		}
		for(size_t i = from; i < len; i++)
			text[i] = PREFIXES_SYMBOLS[prefixes_below(&seed, 12)];
		prefixes_add(p, text, len);
	}
	prefixes_add(p, "", 0);
	prefixes_sort(p);
}

#endif

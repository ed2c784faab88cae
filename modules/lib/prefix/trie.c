/*
 * Prefix trie: look-up. trie_image.h describes the image, trie_build.c makes
 * it.
 *
 * Memory: none. Locking: none. An image never changes once built, so any number
 * of processes may walk it.
 * Failure mode: none. An image from elsewhere (a file) is walked only after
 * tg_trie_check().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/prefix/trie.h"

#include <errno.h>

#include "lib/prefix/trie_image.h"

/* Whether `number` begins with the run's symbols. */
static int run_matches(uint32_t bits, const uint8_t *number)
{
	for(unsigned i = trie_run_length(bits); i > 0; i--, number++, bits >>= 4)
		if(symbol_of[*number] != (bits & 15) + 1)
			return 0;
	return 1;
}

/* Bits set in each half of `x`, at most 12. The build does not assume a CPU
 * with a popcount instruction; without it the compiler's popcount is a library
 * call. */
static inline uint32_t count_halves(uint32_t x)
{
	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return (x + (x >> 8)) & 0x001f001fu;
}

/* Where in a branch's block the child of symbol bit `bit` is: behind the
 * children of lower symbols. */
static inline uint32_t child_offset(uint32_t bits, uint32_t bit)
{
	return TRIE_NODE_WORDS * count_halves(bits & (bit - 1));
}

/* Where the value is: behind all children and the values of lower symbols. */
static inline uint32_t value_offset(uint32_t bits, uint32_t bit)
{
	uint32_t lower = (bit - 1) << TRIE_VALUES_SHIFT;
	uint32_t n = count_halves(bits & (lower | TRIE_CHILDREN));

	return TRIE_NODE_WORDS * (n & 31) + (n >> 16);
}

/* A value on the path. Values are read after the walk: their loads do not
 * depend on each other, unlike the steps of the walk. */
struct hit
{
	const uint32_t *value;
	uint32_t len;
};

/* Collects the values on the path, shortest first; at most
 * TG_TRIE_MAX_DIGITS + 1. */
static inline int collect(const struct trie_view *t, const uint8_t *number,
		unsigned len, struct hit *hits)
{
	const struct trie_root *root;
	const struct trie_node *node;
	unsigned depth = t->head->root_depth, i, place = 0;
	int n = 0;

	for(i = 0; i < depth; i++) {
		unsigned s;

		if(t->shorts[place] != 0)
			hits[n++] = (struct hit){&t->words[t->shorts[place] - 1], i};
		if(i == len || (s = symbol_of[number[i]]) == 0)
			return n;
		place = trie_descend(place, s - 1);
	}
	root = &t->root[place - trie_level[depth]];
	if(root->value != 0)
		hits[n++] = (struct hit){&t->words[root->value - 1], i};

	for(node = &root->node; i < len;) {
		uint32_t bits = node->bits, bit;
		unsigned s;

		if(bits & TRIE_RUN) {
			if(trie_run_length(bits) > len - i
					|| !run_matches(bits, number + i))
				return n;
			i += trie_run_length(bits);
			if(bits & TRIE_ENDS) {
				hits[n++] = (struct hit){&node->base, i};
				return n;
			}
			node = trie_node_at(t, node->base);
			continue;
		}
		s = symbol_of[number[i]];
		if(s == 0)
			return n;
		i++;
		bit = 1u << (s - 1);
		if(bits & bit << TRIE_VALUES_SHIFT)
			hits[n++] = (struct hit){
					&t->words[node->base + value_offset(bits, bit)], i};
		if(!(bits & bit))
			return n;
		node = trie_node_at(t, node->base + child_offset(bits, bit));
	}
	return n;
}

static int find(const struct trie_view *t, const char *number, size_t len,
		struct hit *hits)
{
	return collect(t, (const uint8_t *)number,
			len < TG_TRIE_MAX_DIGITS ? (unsigned)len : TG_TRIE_MAX_DIGITS,
			hits);
}

int tg_trie_walk(const void *image, const char *number, size_t len,
		struct tg_trie_match *out, int max)
{
	struct trie_view t = trie_open(image);
	struct hit hits[TG_TRIE_MAX_DIGITS + 1];
	int n = find(&t, number, len, hits);
	int skip = n > max ? n - max : 0;

	if(max <= 0)
		return 0;
	for(int i = skip; i < n; i++) {
		out[i - skip].value = *hits[i].value;
		out[i - skip].len = hits[i].len;
	}
	return n - skip;
}

int tg_trie_longest(const void *image, const char *number, size_t len,
		struct tg_trie_match *out)
{
	struct trie_view t = trie_open(image);
	struct hit hits[TG_TRIE_MAX_DIGITS + 1];
	int n = find(&t, number, len, hits);

	if(n == 0)
		return -ENOENT;
	out->value = *hits[n - 1].value;
	out->len = hits[n - 1].len;
	return 0;
}

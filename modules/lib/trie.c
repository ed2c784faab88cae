/*
 * Prefix trie: look-up. trie_image.h draws the image, trie_build.c makes it.
 *
 * Memory: none. Locking: none; an image never changes once built, any number
 * of processes may walk it.
 * Failure mode: none; but an image that comes from elsewhere (a file) is
 * walked only after tg_trie_check().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "trie.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "trie_image.h"

struct hit
{
	uint32_t at; /* index of the value */
	uint32_t len;
};

static uint32_t read_value(const struct trie_view *t, uint32_t at)
{
	unsigned width = t->head->value_width;
	uint32_t le;

	/* The section is padded, so that four bytes can always be read. */
	memcpy(&le, t->values + (size_t)at * width, sizeof(le));
	return le32toh(le) & (UINT32_MAX >> (32 - 8 * width));
}

/* Whether `count` packed symbols stand at `number`. */
static int run_matches(uint32_t packed, unsigned count, const uint8_t *number)
{
	for(unsigned i = 0; i < count; i++)
		if(symbol_of[number[i]] != (packed >> (4 * i) & 15) + 1)
			return 0;
	return 1;
}

/* Bits below a symbol in both bitmaps, children << 16 | values, counted in one
 * go: the build does not assume a CPU with a popcount instruction. */
static inline uint32_t count_both(const struct trie_node *node, uint32_t mask)
{
	uint32_t x =
			(uint32_t)(node->children & mask) << 16 | (node->values & mask);

	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return (x + (x >> 8)) & 0x001f001fu;
}

/*
 * Collects where the values on the path are, shortest first; at most
 * TG_TRIE_MAX_DIGITS + 1 hits. Reading the values is left to the caller: those
 * loads do not depend on each other, unlike the steps of the walk.
 */
static inline int collect(const struct trie_view *t, const uint8_t *number,
		unsigned len, struct hit *hits)
{
	const struct trie_root *root;
	unsigned depth = t->head->root_depth, i, place = 0;
	uint32_t at;
	int n = 0;

	for(i = 0; i < depth; i++) {
		unsigned s;

		if(t->shorts[place] != 0)
			hits[n++] = (struct hit){t->shorts[place] - 1, i};
		if(i == len || (s = symbol_of[number[i]]) == 0)
			return n;
		place = trie_descend(place, s - 1);
	}
	root = &t->root[place - trie_level[depth]];
	if(root->value != 0)
		hits[n++] = (struct hit){root->value - 1, i};
	if(root->node == 0)
		return n;

	for(at = root->node - 1; i < len;) {
		const struct trie_node *node = &t->nodes[at];
		unsigned s, bit, below;

		if(node->children & TRIE_RUN) {
			unsigned run = node->children & TRIE_RUN_LENGTH;
			int tail = (node->children & TRIE_TAIL) == TRIE_TAIL;

			if(run > len - i
					|| !run_matches(
							tail ? node->child : node->value, run, number + i))
				return n;
			i += run;
			if(tail) {
				hits[n++] = (struct hit){node->value, i};
				return n;
			}
			at = node->child;
			continue;
		}
		s = symbol_of[number[i]];
		if(s == 0)
			return n;
		i++;
		bit = 1u << (s - 1);
		below = count_both(node, bit - 1);
		if(node->values & bit)
			hits[n++] = (struct hit){node->value + (below & 31), i};
		if(!(node->children & bit))
			return n;
		at = node->child + (below >> 16);
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
		out[i - skip].value = read_value(&t, hits[i].at);
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
	out->value = read_value(&t, hits[n - 1].at);
	out->len = hits[n - 1].len;
	return 0;
}

/*
 * Layout of a trie image; private to trie.c, trie_build.c, trie_check.c and
 * trie_each.c.
 *
 *   header | shorts | root | words
 *
 *   shorts  for each string of 0 .. depth-1 symbols: the index of its value in
 *           `words`, + 1; 0 = none
 *   root    for each string of `depth` symbols: the same, and its node. So the
 *           first digits cost one load, however many prefixes there are.
 *   words   32 bits each: blocks of nodes and values
 *
 *   node    {bits, base}, two words
 *
 *     branch  bits = 0000 VVVV VVVV VVVV 0000 CCCC CCCC CCCC
 *             C bit s: longer prefixes go on with symbol s
 *             V bit s: a prefix ends with s
 *             base: its block in `words`: the child nodes, ascending by symbol,
 *             then the values, ascending by symbol. A value lies beside the
 *             last nodes on the path to it, mostly in the same cache line.
 *             A prefix without extensions takes one bit and one word.
 *     skip    bits = 1000 0RRR SSSS SSSS SSSS SSSS SSSS SSSS
 *             the next R symbols are those in S, the first one lowest; then
 *             comes the node at `base`
 *     tail    bits = 1100 0RRR SSSS ...: as a skip, but a prefix ends after the
 *             symbols and `base` is its value. So a long prefix that is alone
 *             in its subtree takes one node, not one node a digit.
 *
 * Byte order is the machine's: an image is for this machine only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_TRIE_IMAGE_H
#define TG_TRIE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define TRIE_MAGIC 0x32525454u /* TTR2 */
#define TRIE_ALIGN 4u
#define TRIE_SYMBOLS 12u
#define TRIE_MAX_ROOT 4u

#define TRIE_CHILDREN 0x00000fffu
#define TRIE_VALUES 0x0fff0000u
#define TRIE_VALUES_SHIFT 16u
#define TRIE_RUN 0x80000000u  /* skip or tail */
#define TRIE_ENDS 0x40000000u /* tail */
#define TRIE_RUN_SPARE 0x38000000u
#define TRIE_RUN_SHIFT 24u
#define TRIE_MAX_RUN 6u
#define TRIE_NODE_WORDS 2u

/* Symbol + 1 of each byte; 0 = no symbol. */
static const uint8_t symbol_of[256] = {['0'] = 1,
		['1'] = 2,
		['2'] = 3,
		['3'] = 4,
		['4'] = 5,
		['5'] = 6,
		['6'] = 7,
		['7'] = 8,
		['8'] = 9,
		['9'] = 10,
		['*'] = 11,
		['#'] = 12};

struct trie_header
{
	uint32_t magic;
	uint32_t root_depth; /* 0 .. TRIE_MAX_ROOT */
	uint32_t words;
};

struct trie_node
{
	uint32_t bits; /* 0: no longer prefixes */
	uint32_t base;
};

struct trie_root
{
	uint32_t value; /* index in words + 1, 0 = none */
	struct trie_node node;
};

struct trie_view
{
	const struct trie_header *head;
	const uint32_t *shorts;
	const struct trie_root *root;
	const uint32_t *words;
};

/* Strings of exactly k symbols, and of fewer than k. */
static const uint32_t trie_level_size[TRIE_MAX_ROOT + 1] = {
		1, 12, 144, 1728, 20736};
static const uint32_t trie_level[TRIE_MAX_ROOT + 1] = {0, 1, 13, 157, 1885};

/* All strings by length, then by symbols, numbered from 0 (the empty one): the
 * numbering of a 12-ary heap. */
static inline uint32_t trie_descend(uint32_t place, unsigned symbol)
{
	return place * TRIE_SYMBOLS + 1 + symbol;
}

static inline unsigned trie_run_length(uint32_t bits)
{
	return bits >> TRIE_RUN_SHIFT & 7;
}

/* Nodes lie among other words: their address is a multiple of 4 only. */
static inline const struct trie_node *trie_node_at(
		const struct trie_view *t, uint32_t at)
{
	return (const struct trie_node *)(t->words + at);
}

static inline struct trie_view trie_open(const void *mem)
{
	struct trie_view t = {.head = mem};

	t.shorts = (const uint32_t *)(t.head + 1);
	t.root = (const struct trie_root *)(t.shorts
										+ trie_level[t.head->root_depth]);
	t.words = (const uint32_t *)(t.root + trie_level_size[t.head->root_depth]);
	return t;
}

/* Cannot overflow 64 bits: at most 2^32 words. */
static inline uint64_t trie_image_size(const struct trie_header *h)
{
	return sizeof(*h) + trie_level[h->root_depth] * sizeof(uint32_t)
		   + trie_level_size[h->root_depth] * sizeof(struct trie_root)
		   + (uint64_t)h->words * sizeof(uint32_t);
}

#endif

/*
 * Layout of a trie image; private to trie.c, trie_build.c and trie_check.c.
 *
 *   header | shorts | root | nodes | values
 *
 *   shorts   u32 for each string of 0 .. depth-1 symbols: value index + 1
 *   root     {value + 1, node + 1} for each string of `depth` symbols: the
 *            first digits cost one load, however many prefixes there are
 *   nodes    12 bytes each, for what comes after the root's digits:
 *
 *     branch   children = 0000 .... .... .... (bit s: longer prefixes go on
 *                         with symbol s)
 *              values   = 0000 .... .... .... (bit s: a prefix ends with s)
 *              child    = first of its child nodes, ascending by symbol
 *              value    = first of its values, ascending by symbol
 *              A prefix that nothing extends is one bit and one value.
 *     skip     children = 1000 0000 0000 run: the next `run` symbols are
 *              those packed in `value`, then comes node `child`
 *     tail     children = 1100 0000 0000 run: the same with the symbols in
 *              `child`; there the prefix of value `value` ends, and nothing
 *              goes on. Long lonely prefixes cost one node, not one a digit.
 *
 *   values   1 .. 4 bytes each, as many as the largest needs; little-endian
 *
 * Byte order of everything else is the machine's: an image does not travel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_TRIE_IMAGE_H
#define TG_TRIE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define TRIE_MAGIC 0x31525454u /* TTR1 */
#define TRIE_ALIGN 4u
#define TRIE_SYMBOLS 12u
#define TRIE_MAX_ROOT 4u
#define TRIE_MAX_RUN 8u /* 4-bit symbols in 32 bits */
#define TRIE_RUN 0x8000u
#define TRIE_SKIP 0x8000u
#define TRIE_TAIL 0xc000u
#define TRIE_RUN_LENGTH 0x000fu

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
	uint32_t root_depth;  /* 0 .. TRIE_MAX_ROOT */
	uint32_t value_width; /* 1 .. 4 */
	uint32_t nodes;
	uint32_t values;
};

struct trie_root
{
	uint32_t value; /* index + 1, 0 = none */
	uint32_t node;	/* index + 1, 0 = none */
};

struct trie_node
{
	uint16_t children;
	uint16_t values;
	uint32_t child;
	uint32_t value;
};
_Static_assert(sizeof(struct trie_node) == 12, "nodes are packed");

struct trie_view
{
	const struct trie_header *head;
	const uint32_t *shorts;
	const struct trie_root *root;
	const struct trie_node *nodes;
	const uint8_t *values;
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

static inline struct trie_view trie_open(const void *mem)
{
	struct trie_view t = {.head = mem};

	t.shorts = (const uint32_t *)(t.head + 1);
	t.root = (const struct trie_root *)(t.shorts
										+ trie_level[t.head->root_depth]);
	t.nodes = (const struct trie_node *)(t.root
										 + trie_level_size[t.head->root_depth]);
	t.values = (const uint8_t *)(t.nodes + t.head->nodes);
	return t;
}

/* Cannot overflow 64 bits: at most 2^32 nodes and values. */
static inline uint64_t trie_image_size(const struct trie_header *h)
{
	uint64_t values = (uint64_t)h->values * h->value_width + sizeof(uint32_t)
					  - h->value_width;

	return sizeof(*h) + trie_level[h->root_depth] * sizeof(uint32_t)
		   + trie_level_size[h->root_depth] * sizeof(struct trie_root)
		   + (uint64_t)h->nodes * sizeof(struct trie_node)
		   + (values + TRIE_ALIGN - 1) / TRIE_ALIGN * TRIE_ALIGN;
}

#endif

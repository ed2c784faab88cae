/*
 * Prefix trie: build. trie_image.h draws the image, trie.c walks it.
 *
 * Memory bound: the image, at most tg_trie_bound() bytes; no heap, and a stack
 * of at most TG_TRIE_MAX_DIGITS small frames.
 * Locking: none; the caller owns `mem` until it is built.
 * Failure mode: all rows are checked before the first byte is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "trie.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "trie_image.h"

static unsigned symbol_at(const struct tg_trie_row *row, unsigned i)
{
	return symbol_of[(uint8_t)row->prefix[i]] - 1u;
}

int tg_trie_compare(const void *a, const void *b)
{
	const struct tg_trie_row *ra = a, *rb = b;
	unsigned n = ra->len < rb->len ? ra->len : rb->len;

	for(unsigned i = 0; i < n; i++) {
		int d = (int)symbol_at(ra, i) - (int)symbol_at(rb, i);

		if(d != 0)
			return d;
	}
	return (int)ra->len - (int)rb->len;
}

/* The same recursion runs twice: without an image it only counts, so that the
 * sections can be laid out exactly, then it fills them. */
struct builder
{
	const struct tg_trie_row *rows;
	const struct trie_view *image; /* NULL: count only */
	uint64_t nodes, values;		   /* handed out so far */
};

/* Root levels: a table of 12^depth entries must earn its place, so it gets at
 * most two bytes a row; small decks stay small. */
static unsigned root_depth(size_t rows)
{
	unsigned depth = 0;

	while(depth < TRIE_MAX_ROOT && rows / 4 >= trie_level_size[depth + 1])
		depth++;
	return depth;
}

static unsigned value_width(const struct tg_trie_row *rows, size_t n)
{
	uint32_t all = 0;

	for(size_t i = 0; i < n; i++)
		all |= rows[i].value;
	return all < 1u << 8 ? 1 : all < 1u << 16 ? 2 : all < 1u << 24 ? 3 : 4;
}

static int check_rows(const struct tg_trie_row *rows, size_t n, size_t *bad_row)
{
	size_t i;
	int rc = 0;

	for(i = 0; i < n; i++) {
		if(rows[i].len > TG_TRIE_MAX_DIGITS)
			rc = -EINVAL;
		for(unsigned k = 0; rc == 0 && k < rows[i].len; k++)
			if(symbol_of[(uint8_t)rows[i].prefix[k]] == 0)
				rc = -EINVAL;
		if(rc == 0 && i > 0) {
			int order = tg_trie_compare(&rows[i - 1], &rows[i]);

			rc = order < 0 ? 0 : order == 0 ? -EEXIST : -EDOM;
		}
		if(rc != 0) {
			if(bad_row != NULL)
				*bad_row = i;
			return rc;
		}
	}
	return 0;
}

static uint32_t put_value(struct builder *b, size_t row)
{
	uint32_t at = (uint32_t)b->values++;

	if(b->image != NULL) {
		uint32_t le = htole32(b->rows[row].value);
		unsigned width = b->image->head->value_width;

		memcpy((uint8_t *)b->image->values + (size_t)at * width, &le, width);
	}
	return at;
}

static void put_node(struct builder *b, uint32_t at, struct trie_node node)
{
	if(b->image != NULL)
		((struct trie_node *)b->image->nodes)[at] = node;
}

static uint32_t pack_symbols(
		const struct tg_trie_row *row, unsigned from, unsigned count)
{
	uint32_t packed = 0;

	for(unsigned i = 0; i < count; i++)
		packed |= (uint32_t)symbol_at(row, from + i) << (4 * i);
	return packed;
}

static unsigned common_length(
		const struct tg_trie_row *a, const struct tg_trie_row *b, unsigned from)
{
	unsigned n = a->len < b->len ? a->len : b->len;

	while(from < n && a->prefix[from] == b->prefix[from])
		from++;
	return from;
}

/*
 * Writes node `at` and all below it. Rows lo .. hi-1 share their first `depth`
 * symbols and are longer than that. Each call consumes a symbol at least.
 */
static void put_subtree(
		struct builder *b, size_t lo, size_t hi, unsigned depth, uint32_t at)
{
	const struct tg_trie_row *rows = b->rows, *first = &rows[lo];
	struct trie_node node = {0};
	size_t start[TRIE_SYMBOLS + 1], end[TRIE_SYMBOLS];
	unsigned common = common_length(first, &rows[hi - 1], depth);
	unsigned run = common - depth;

	if(hi - lo == 1 && run >= 2 && run <= TRIE_MAX_RUN) {
		node.children = (uint16_t)(TRIE_TAIL | run);
		node.child = pack_symbols(first, depth, run);
		node.value = put_value(b, lo);
		put_node(b, at, node);
		return;
	}
	if(first->len == common)
		run--; /* its value hangs on the branch before its last symbol */
	if(run >= 2) {
		run = run < TRIE_MAX_RUN ? run : TRIE_MAX_RUN;
		node.children = (uint16_t)(TRIE_SKIP | run);
		node.value = pack_symbols(first, depth, run);
		node.child = (uint32_t)b->nodes++;
		put_node(b, at, node);
		put_subtree(b, lo, hi, depth + run, node.child);
		return;
	}

	node.value = (uint32_t)b->values;
	for(size_t i = lo; i < hi;) {
		unsigned s = symbol_at(&rows[i], depth);

		if(rows[i].len == depth + 1) {
			node.values |= (uint16_t)(1u << s);
			put_value(b, i++);
		}
		start[s] = i;
		while(i < hi && symbol_at(&rows[i], depth) == s)
			i++;
		end[s] = i;
		if(end[s] > start[s])
			node.children |= (uint16_t)(1u << s);
	}
	node.child = (uint32_t)b->nodes;
	b->nodes += (unsigned)__builtin_popcount(node.children);
	put_node(b, at, node);

	for(unsigned s = 0, child = node.child; s < TRIE_SYMBOLS; s++)
		if(node.children & 1u << s)
			put_subtree(b, start[s], end[s], depth + 1, child++);
}

static void put_all(struct builder *b, size_t n, unsigned depth)
{
	for(size_t i = 0; i < n;) {
		const struct tg_trie_row *row = &b->rows[i];
		unsigned direct = row->len < depth ? row->len : depth;
		uint32_t place = 0, ref;
		size_t end = i + 1;

		for(unsigned k = 0; k < direct; k++)
			place = trie_descend(place, symbol_at(row, k));
		if(row->len <= depth) {
			ref = put_value(b, i) + 1;
			if(b->image != NULL && row->len < depth)
				((uint32_t *)b->image->shorts)[place] = ref;
			else if(b->image != NULL)
				((struct trie_root *)b->image->root)[place - trie_level[depth]]
						.value = ref;
			i = end;
			continue;
		}
		while(end < n && common_length(row, &b->rows[end], 0) >= depth)
			end++;
		ref = (uint32_t)++b->nodes;
		if(b->image != NULL)
			((struct trie_root *)b->image->root)[place - trie_level[depth]]
					.node = ref;
		put_subtree(b, i, end, depth, ref - 1);
		i = end;
	}
}

size_t tg_trie_bound(size_t rows, size_t symbols)
{
	/* width 1 has the longest padding behind the values */
	struct trie_header head = {
			.root_depth = root_depth(rows), .value_width = 1};
	size_t fixed = (size_t)trie_image_size(&head), nodes, values;

	if(__builtin_mul_overflow(symbols, sizeof(struct trie_node), &nodes)
			|| __builtin_mul_overflow(rows, sizeof(uint32_t), &values)
			|| __builtin_add_overflow(fixed, nodes, &fixed)
			|| __builtin_add_overflow(fixed, values, &fixed))
		return SIZE_MAX;
	return fixed;
}

int tg_trie_build(const struct tg_trie_row *rows, size_t n, void *mem,
		size_t size, size_t *used, size_t *bad_row)
{
	struct builder b = {.rows = rows};
	struct trie_header head = {.magic = TRIE_MAGIC};
	struct trie_view image;
	uint64_t need;
	int rc = check_rows(rows, n, bad_row);

	if(rc != 0)
		return rc;
	head.root_depth = root_depth(n);
	head.value_width = value_width(rows, n);
	put_all(&b, n, head.root_depth);
	/* References are kept + 1 in 32 bits. */
	if(b.nodes >= UINT32_MAX || b.values >= UINT32_MAX)
		return -ENOSPC;
	head.nodes = (uint32_t)b.nodes;
	head.values = (uint32_t)b.values;
	need = trie_image_size(&head);
	if(need > size || (uintptr_t)mem % TRIE_ALIGN != 0)
		return -ENOSPC;

	memset(mem, 0, need);
	memcpy(mem, &head, sizeof(head));
	image = trie_open(mem);
	b = (struct builder){.rows = rows, .image = &image};
	put_all(&b, n, head.root_depth);
	*used = (size_t)need;
	return 0;
}

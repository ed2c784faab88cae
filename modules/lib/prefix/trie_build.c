/*
 * Prefix trie: build. trie_image.h describes the image, trie.c walks it.
 *
 * Memory bound: the image, at most tg_trie_bound() bytes; no heap; a stack of
 * at most TG_TRIE_MAX_DIGITS small frames.
 * Locking: none; only the caller uses `mem` until the image is built.
 * Failure mode: all rows are checked before the first byte is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/prefix/trie.h"

#include <errno.h>
#include <string.h>

#include "lib/prefix/trie_image.h"

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

/* The same recursion runs twice. The first run has no image and only counts the
 * words, so that the image gets its exact size. The second run fills the
 * image. */
struct builder
{
	const struct tg_trie_row *rows;
	uint32_t *shorts, *out; /* NULL: count only */
	struct trie_root *root;
	uint64_t words; /* handed out so far */
};

/* Root levels. The table of 12^depth entries may take at most three bytes a
 * row, so that the images of small decks stay small. */
static unsigned root_depth(size_t rows)
{
	unsigned depth = 0;

	while(depth < TRIE_MAX_ROOT && rows / 4 >= trie_level_size[depth + 1])
		depth++;
	return depth;
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

static void put_word(struct builder *b, uint64_t at, uint32_t word)
{
	if(b->out != NULL)
		b->out[at] = word;
}

static void put_node(struct builder *b, uint64_t at, struct trie_node node)
{
	put_word(b, at, node.bits);
	put_word(b, at + 1, node.base);
}

static unsigned popcount(uint32_t bits)
{
	return (unsigned)__builtin_popcount(bits);
}

/* Room for `n` words in a row. */
static uint64_t take_words(struct builder *b, unsigned n)
{
	uint64_t at = b->words;

	b->words += n;
	return at;
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

/* The run of `count` symbols from `depth` on, as a node's bits. */
static uint32_t run_bits(
		const struct tg_trie_row *row, unsigned depth, unsigned count)
{
	return TRIE_RUN | count << TRIE_RUN_SHIFT | pack_symbols(row, depth, count);
}

/*
 * Makes the node for rows lo .. hi-1 and all nodes below it. These rows share
 * their first `depth` symbols and are longer than that. The caller stores the
 * node. Each level of the recursion consumes at least one symbol.
 */
static struct trie_node put_subtree(
		struct builder *b, size_t lo, size_t hi, unsigned depth)
{
	const struct tg_trie_row *rows = b->rows, *first = &rows[lo];
	size_t start[TRIE_SYMBOLS], end[TRIE_SYMBOLS];
	unsigned common = common_length(first, &rows[hi - 1], depth);
	unsigned run = common - depth;
	struct trie_node node = {0};
	uint64_t at, value;

	if(hi - lo == 1 && run >= 2 && run <= TRIE_MAX_RUN)
		return (struct trie_node){
				run_bits(first, depth, run) | TRIE_ENDS, first->value};
	if(first->len == common)
		run--; /* its value belongs to the branch before its last symbol */
	if(run >= 2) {
		run = run < TRIE_MAX_RUN ? run : TRIE_MAX_RUN;
		at = take_words(b, TRIE_NODE_WORDS);
		put_node(b, at, put_subtree(b, lo, hi, depth + run));
		return (struct trie_node){run_bits(first, depth, run), (uint32_t)at};
	}

	for(size_t i = lo; i < hi;) {
		unsigned s = symbol_at(&rows[i], depth);

		if(rows[i].len == depth + 1) {
			node.bits |= 1u << (s + TRIE_VALUES_SHIFT);
			i++;
		}
		start[s] = i;
		while(i < hi && symbol_at(&rows[i], depth) == s)
			i++;
		end[s] = i;
		if(end[s] > start[s])
			node.bits |= 1u << s;
	}
	at = take_words(b, TRIE_NODE_WORDS * popcount(node.bits & TRIE_CHILDREN)
							   + popcount(node.bits & TRIE_VALUES));
	value = at + TRIE_NODE_WORDS * popcount(node.bits & TRIE_CHILDREN);
	node.base = (uint32_t)at;
	for(unsigned s = 0; s < TRIE_SYMBOLS; s++) {
		/* a prefix comes right before its extensions */
		if(node.bits & 1u << (s + TRIE_VALUES_SHIFT))
			put_word(b, value++, rows[start[s] - 1].value);
		if(node.bits & 1u << s) {
			put_node(b, at, put_subtree(b, start[s], end[s], depth + 1));
			at += TRIE_NODE_WORDS;
		}
	}
	return node;
}

/* Stores the rows that end in shorts or root, and passes the others to
 * put_subtree, grouped by their common prefix. */
static void put_all(struct builder *b, size_t n, unsigned depth)
{
	for(size_t i = 0; i < n;) {
		const struct tg_trie_row *row = &b->rows[i];
		unsigned direct = row->len < depth ? row->len : depth;
		struct trie_root *root = NULL;
		uint32_t place = 0;
		size_t end = i + 1;

		for(unsigned k = 0; k < direct; k++)
			place = trie_descend(place, symbol_at(row, k));
		if(b->out != NULL && direct == depth)
			root = &b->root[place - trie_level[depth]];
		if(row->len <= depth) {
			uint64_t at = take_words(b, 1);

			put_word(b, at, row->value);
			if(root != NULL)
				root->value = (uint32_t)at + 1;
			else if(b->out != NULL)
				b->shorts[place] = (uint32_t)at + 1;
		} else {
			struct trie_node node;

			while(end < n && common_length(row, &b->rows[end], 0) >= depth)
				end++;
			node = put_subtree(b, i, end, depth);
			if(root != NULL)
				root->node = node;
		}
		i = end;
	}
}

size_t tg_trie_bound(size_t rows, size_t symbols)
{
	struct trie_header head = {.root_depth = root_depth(rows)};
	size_t fixed = (size_t)trie_image_size(&head), nodes, values;

	/* at most a node for each symbol and a word for each value */
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
	struct trie_header head = {
			.magic = TRIE_MAGIC, .root_depth = root_depth(n)};
	struct trie_view image;
	uint64_t need;
	int rc = check_rows(rows, n, bad_row);

	if(rc != 0)
		return rc;
	put_all(&b, n, head.root_depth);
	if(b.words >= UINT32_MAX) /* references are stored + 1 in 32 bits */
		return -ENOSPC;
	head.words = (uint32_t)b.words;
	need = trie_image_size(&head);
	if(need > size || (uintptr_t)mem % TRIE_ALIGN != 0)
		return -ENOSPC;

	memset(mem, 0, need);
	memcpy(mem, &head, sizeof(head));
	image = trie_open(mem);
	b = (struct builder){.rows = rows,
			.shorts = (uint32_t *)image.shorts,
			.root = (struct trie_root *)image.root,
			.out = (uint32_t *)image.words};
	put_all(&b, n, head.root_depth);
	*used = (size_t)need;
	return 0;
}

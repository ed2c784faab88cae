/*
 * Prefix trie: all prefixes of an image, in the order of tg_trie_compare.
 * trie_image.h describes the image.
 *
 * Two walks, one inside the other. The outer walk visits the strings of shorts
 * and root, each before its extensions. The inner walk goes down from a root
 * entry and keeps the branches that it has begun on a stack. The state of a
 * branch is the set of symbols still to come, its next child and its next
 * value; children and values both lie in the order of the symbols. Skips and
 * tails need no stack entry of their own.
 *
 * Memory bound: the caller's cursor. Each branch on the stack is at least one
 * symbol deeper than the one before it, so TG_TRIE_MAX_DIGITS entries are
 * enough.
 * Locking: none; an image never changes once built.
 * Failure mode: none. An image from elsewhere is read only after
 * tg_trie_check(). The walk here reads the nodes that the check has read, and
 * none of them more often, so the budget of the check bounds the time here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/prefix/trie.h"

#include <errno.h>

#include "lib/prefix/trie_image.h"

#define NO_PLACE UINT32_MAX

static const char symbols[] = "0123456789*#";

/* Writes a run's symbols. 0 when no number can match the run: it is longer than
 * the `room` left, or (in a forged image) contains an invalid symbol. */
static int put_run(char *to, uint32_t bits, unsigned room)
{
	unsigned run = trie_run_length(bits);

	if(run > room)
		return 0;
	for(unsigned i = 0; i < run; i++, bits >>= 4) {
		if((bits & 15) >= TRIE_SYMBOLS)
			return 0;
		to[i] = symbols[bits & 15];
	}
	return 1;
}

/* Follows skips from `node`, which is `len` symbols deep, to the next branch or
 * tail and puts that on the stack. A tail is put there as a branch before its
 * last symbol, with one value and no child. */
static void enter(struct tg_trie_cursor *c, const struct trie_view *t,
		const struct trie_node *node, unsigned len)
{
	while(len < TG_TRIE_MAX_DIGITS && node->bits & TRIE_RUN) {
		uint32_t bits = node->bits;

		if(!put_run(c->prefix + len, bits, TG_TRIE_MAX_DIGITS - len))
			return;
		len += trie_run_length(bits);
		if(bits & TRIE_ENDS) {
			/* A run has one symbol at least (trie_check.c).
			 * NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift) */
			unsigned last = bits >> 4 * (trie_run_length(bits) - 1) & 15;

			c->branch[c->depth++] =
					(struct tg_trie_branch){.value = &node->base,
							.bits = 1u << (last + TRIE_VALUES_SHIFT),
							.len = len - 1};
			return;
		}
		node = trie_node_at(t, node->base);
	}
	if(len < TG_TRIE_MAX_DIGITS && node->bits != 0) {
		const struct trie_node *child = trie_node_at(t, node->base);
		int children = __builtin_popcount(node->bits & TRIE_CHILDREN);

		c->branch[c->depth++] = (struct tg_trie_branch){.child = child,
				.value = (const uint32_t *)(child + children),
				.bits = node->bits,
				.len = len};
	}
}

/* The string after `place` in the order of prefixes. */
static void advance(struct tg_trie_cursor *c, unsigned root_depth)
{
	uint32_t place = c->place;

	if(c->place_len < root_depth) {
		c->place = trie_descend(place, 0);
		c->place_len++;
		return;
	}
	while(place != 0
			&& place % TRIE_SYMBOLS == 0) { /* it ended with the last symbol */
		place = (place - 1) / TRIE_SYMBOLS;
		c->place_len--;
	}
	c->place = place != 0 ? place + 1 : NO_PLACE;
}

/* Visits the next short string and enters what is below it. Returns its value,
 * or NULL. */
static const uint32_t *visit_place(
		struct tg_trie_cursor *c, const struct trie_view *t)
{
	unsigned root_depth = t->head->root_depth;
	uint32_t place = c->place, value;

	/* the symbols before it are still there from shorter strings */
	if(c->place_len > 0)
		c->prefix[c->place_len - 1] = symbols[(place - 1) % TRIE_SYMBOLS];
	if(c->place_len < root_depth) {
		value = t->shorts[place];
	} else {
		const struct trie_root *root = &t->root[place - trie_level[root_depth]];

		value = root->value;
		enter(c, t, &root->node, root_depth);
	}
	return value != 0 ? &t->words[value - 1] : NULL;
}

/* Takes the next step of the innermost branch: returns a value, or NULL after
 * it entered a child. A value comes before the child of the same symbol,
 * because a prefix comes before its extensions. */
static const uint32_t *step(
		struct tg_trie_cursor *c, const struct trie_view *t, unsigned *len)
{
	struct tg_trie_branch *b = &c->branch[c->depth - 1];
	uint32_t both = b->bits >> TRIE_VALUES_SHIFT | (b->bits & TRIE_CHILDREN);
	unsigned s = (unsigned)__builtin_ctz(both);
	uint32_t as_child = 1u << s, as_value = as_child << TRIE_VALUES_SHIFT;
	const uint32_t *value = NULL;
	const struct trie_node *child = NULL;

	c->prefix[b->len] = symbols[s];
	*len = b->len + 1;
	if(b->bits & as_value) {
		b->bits &= ~as_value;
		value = b->value++;
	} else {
		b->bits &= ~as_child;
		child = b->child++;
	}
	if(b->bits == 0)
		c->depth--;
	if(child != NULL)
		enter(c, t, child, *len);
	return value;
}

void tg_trie_first(const void *image, struct tg_trie_cursor *c)
{
	c->image = image;
	c->place = 0;
	c->place_len = 0;
	c->depth = 0;
}

int tg_trie_next(struct tg_trie_cursor *c, struct tg_trie_row *row)
{
	struct trie_view t = trie_open(c->image);
	const uint32_t *value;
	unsigned len;

	do {
		if(c->depth > 0) {
			value = step(c, &t, &len);
		} else if(c->place != NO_PLACE) {
			len = c->place_len;
			value = visit_place(c, &t);
			advance(c, t.head->root_depth);
		} else {
			return -ENOENT;
		}
	} while(value == NULL);
	row->prefix = c->prefix;
	row->len = (uint8_t)len;
	row->value = *value;
	return 0;
}

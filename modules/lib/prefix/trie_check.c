/*
 * Proves that an image is safe to walk, whatever its bytes are.
 *
 * A walk indexes shorts and root by the digits; their sizes follow from
 * root_depth. What they refer to is followed here along every path that a walk
 * can take. A walk ends because each node consumes at least one of at most
 * TG_TRIE_MAX_DIGITS symbols, so deeper nodes are never read. In a sound image
 * each node is reached once. A forged image may share nodes or have loops: it
 * is stopped by a budget of as many visits as there is room for nodes. Whether
 * the values are the right ones is not checked.
 *
 * Locking: none. Memory: a stack of at most TG_TRIE_MAX_DIGITS small frames.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/prefix/trie.h"

#include <errno.h>
#include <string.h>

#include "lib/prefix/trie_image.h"

struct check
{
	struct trie_view t;
	uint32_t visits; /* left in the budget */
};

/* Words base .. base + count - 1 are in the image. */
static int inside(const struct check *c, uint32_t base, unsigned count)
{
	return count <= c->t.head->words && base <= c->t.head->words - count;
}

/* Checks `node`, which a walk reads after `depth` symbols. */
static int sound(struct check *c, const struct trie_node *node, unsigned depth)
{
	uint32_t bits = node->bits;
	unsigned run = trie_run_length(bits), children, values;

	if(bits & TRIE_RUN) {
		if(run == 0 || run > TRIE_MAX_RUN || bits & TRIE_RUN_SPARE)
			return 0;
		if(bits & TRIE_ENDS)
			return 1;
		children = 1;
		values = 0;
	} else {
		if(bits & ~(TRIE_CHILDREN | TRIE_VALUES))
			return 0;
		run = 1;
		children = (unsigned)__builtin_popcount(bits & TRIE_CHILDREN);
		values = (unsigned)__builtin_popcount(bits & TRIE_VALUES);
	}
	if(!inside(c, node->base, children * TRIE_NODE_WORDS + values))
		return 0;
	if(depth + run >= TG_TRIE_MAX_DIGITS)
		return 1;
	if(c->visits < children)
		return 0;
	c->visits -= children;
	for(unsigned i = 0; i < children; i++)
		if(!sound(c, trie_node_at(&c->t, node->base + i * TRIE_NODE_WORDS),
				   depth + run))
			return 0;
	return 1;
}

int tg_trie_check(const void *mem, size_t size)
{
	struct trie_header head;
	struct check c;

	if((uintptr_t)mem % TRIE_ALIGN != 0 || size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, mem, sizeof(head));
	if(head.magic != TRIE_MAGIC || head.root_depth > TRIE_MAX_ROOT
			|| trie_image_size(&head) > size)
		return -EBADMSG;

	c.t = trie_open(mem);
	c.visits = head.words / TRIE_NODE_WORDS;
	for(uint32_t i = 0; i < trie_level[head.root_depth]; i++)
		if(c.t.shorts[i] > head.words)
			return -EBADMSG;
	for(uint32_t i = 0; i < trie_level_size[head.root_depth]; i++)
		if(c.t.root[i].value > head.words
				|| !sound(&c, &c.t.root[i].node, head.root_depth))
			return -EBADMSG;
	return 0;
}

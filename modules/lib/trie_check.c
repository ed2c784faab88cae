/*
 * Proves that an image is safe to walk, whatever its bytes are.
 *
 * Why these checks are enough: the walk reads shorts and root by the digits
 * (their sizes follow from root_depth), and nodes and values by indices that
 * are all looked at here. It ends because each node consumes at least one of
 * at most TG_TRIE_MAX_DIGITS symbols, so even a cycle of nodes is harmless.
 * Whether the values are the right ones is not this function's question.
 *
 * Locking: none. Memory: none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "trie.h"

#include <errno.h>
#include <string.h>

#include "trie_image.h"

/* Indices base .. base + count - 1 lie below `limit`. */
static int inside(uint32_t base, unsigned count, uint32_t limit)
{
	return count <= limit && base <= limit - count;
}

static int sound_node(
		const struct trie_header *head, const struct trie_node *node)
{
	unsigned run = node->children & TRIE_RUN_LENGTH;

	if(node->children & TRIE_RUN) {
		unsigned kind = node->children & ~TRIE_RUN_LENGTH;

		if(run == 0 || run > TRIE_MAX_RUN || node->values != 0)
			return 0;
		if(kind == TRIE_SKIP)
			return inside(node->child, 1, head->nodes);
		return kind == TRIE_TAIL && inside(node->value, 1, head->values);
	}
	if((node->children | node->values) >> TRIE_SYMBOLS != 0)
		return 0;
	return inside(node->child, (unsigned)__builtin_popcount(node->children),
				   head->nodes)
		   && inside(node->value, (unsigned)__builtin_popcount(node->values),
				   head->values);
}

int tg_trie_check(const void *mem, size_t size)
{
	struct trie_header head;
	struct trie_view t;

	if((uintptr_t)mem % TRIE_ALIGN != 0 || size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, mem, sizeof(head));
	if(head.magic != TRIE_MAGIC || head.root_depth > TRIE_MAX_ROOT
			|| head.value_width < 1 || head.value_width > sizeof(uint32_t)
			|| trie_image_size(&head) > size)
		return -EBADMSG;

	t = trie_open(mem);
	for(uint32_t i = 0; i < trie_level[head.root_depth]; i++)
		if(t.shorts[i] > head.values)
			return -EBADMSG;
	for(uint32_t i = 0; i < trie_level_size[head.root_depth]; i++)
		if(t.root[i].value > head.values || t.root[i].node > head.nodes)
			return -EBADMSG;
	for(uint32_t i = 0; i < head.nodes; i++)
		if(!sound_node(&head, &t.nodes[i]))
			return -EBADMSG;
	return 0;
}

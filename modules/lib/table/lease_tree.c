/*
 * Treaps of leases; see lease_tree.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/lease_tree.h"

static inline struct tg_lease_slot *at(
		const struct tg_lease_slot *slots, uint32_t node)
{
	return (struct tg_lease_slot *)&slots[node - 1];
}

static uint32_t size_of(const struct tg_lease_slot *slots, uint32_t node)
{
	return node != 0 ? at(slots, node)->size : 0;
}

static void resize(struct tg_lease_slot *slots, uint32_t node)
{
	struct tg_lease_slot *n = at(slots, node);

	n->size = 1 + size_of(slots, n->left) + size_of(slots, n->right);
}

/* A permutation of 32 bits: no two nodes have the same priority. */
static uint32_t priority(uint32_t node)
{
	node *= UINT32_C(0x9e3779b1);
	node ^= node >> 15;
	node *= UINT32_C(0x85ebca77);
	return node ^ node >> 13;
}

static int before(const struct tg_lease_slot *slots, uint32_t a, uint32_t b)
{
	uint64_t ea = tg_lease_load(&at(slots, a)->expires);
	uint64_t eb = tg_lease_load(&at(slots, b)->expires);

	return ea != eb ? ea < eb : a < b;
}

/* Splits the tree into the nodes before `node` and those after it. */
static void split(struct tg_lease_slot *slots, uint32_t root, uint32_t node,
		uint32_t *left, uint32_t *right)
{
	if(root == 0) {
		*left = *right = 0;
		return;
	}
	if(before(slots, root, node)) {
		split(slots, at(slots, root)->right, node, &at(slots, root)->right,
				right);
		*left = root;
	} else {
		split(slots, at(slots, root)->left, node, left, &at(slots, root)->left);
		*right = root;
	}
	resize(slots, root);
}

/* Joins two trees, all of `left` before all of `right`. */
static uint32_t join(struct tg_lease_slot *slots, uint32_t left, uint32_t right)
{
	if(left == 0 || right == 0)
		return left | right;
	if(priority(left) > priority(right)) {
		at(slots, left)->right = join(slots, at(slots, left)->right, right);
		resize(slots, left);
		return left;
	}
	at(slots, right)->left = join(slots, left, at(slots, right)->left);
	resize(slots, right);
	return right;
}

uint32_t tg_lease_insert(
		struct tg_lease_slot *slots, uint32_t root, uint32_t node)
{
	struct tg_lease_slot *n = at(slots, node);
	uint32_t *link = &root;

	while(*link != 0 && priority(*link) > priority(node)) {
		struct tg_lease_slot *up = at(slots, *link);

		up->size++;
		link = before(slots, *link, node) ? &up->right : &up->left;
	}
	split(slots, *link, node, &n->left, &n->right);
	resize(slots, node);
	*link = node;
	return root;
}

uint32_t tg_lease_remove(
		struct tg_lease_slot *slots, uint32_t root, uint32_t node)
{
	uint32_t *link = &root;

	while(*link != node) {
		struct tg_lease_slot *up = at(slots, *link);

		up->size--;
		link = before(slots, *link, node) ? &up->right : &up->left;
	}
	*link = join(slots, at(slots, node)->left, at(slots, node)->right);
	return root;
}

uint32_t tg_lease_first(const struct tg_lease_slot *slots, uint32_t root)
{
	while(at(slots, root)->left != 0)
		root = at(slots, root)->left;
	return root;
}

uint32_t tg_lease_after(
		const struct tg_lease_slot *slots, uint32_t root, uint64_t now)
{
	uint32_t count = 0;

	while(root != 0) {
		const struct tg_lease_slot *n = at(slots, root);

		if(tg_lease_load(&n->expires) > now) {
			count += 1 + size_of(slots, n->right);
			root = n->left;
		} else {
			root = n->right;
		}
	}
	return count;
}

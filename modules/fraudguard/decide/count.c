/*
 * The id under which a rule counts a key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/decide/judge.h"

#include <string.h>

#define SPACE_COUNT 0x100 /* apart from the other key spaces of the hash */

/* FNV-1a without a key is enough: rules come from the operator, not from
 * attackers. */
static uint32_t mix(uint32_t h, const void *data, size_t len)
{
	for(size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
	return h;
}

uint32_t fraudguard_rule_space(const struct fraudguard_rule *r)
{
	uint32_t h = mix(2166136261u, r->name, strlen(r->name));

	return mix(h, &r->window_sec, sizeof r->window_sec) | SPACE_COUNT;
}

uint64_t fraudguard_count_id(const struct fraudguard_tables *t,
		const struct fraudguard_rule *r, const char *key)
{
	return tg_hash_id(&t->key, fraudguard_rule_space(r), key, strlen(key));
}

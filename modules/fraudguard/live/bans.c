/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/live/bans.h"

#include <errno.h>
#include <string.h>

#define SPACE_BAN 4

static uint64_t ban_id(const struct tg_hashkey *key, const char *text)
{
	return tg_hash_id(key, SPACE_BAN, text, strlen(text));
}

int fraudguard_write_ban(struct tg_store *bans, const struct tg_hashkey *key,
		struct fraudguard_ban *ban, uint32_t seconds, struct fraudguard_now now)
{
	ban->since = now.wall;
	ban->until = now.wall + seconds;
	return tg_store_put(bans, ban_id(key, ban->key), 0,
			now.mono + (uint64_t)seconds * 1000000, now.mono, ban);
}

int fraudguard_find_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now, struct fraudguard_ban *out)
{
	return tg_store_get(bans, ban_id(key, text), now.mono, out) < 0 ? -ENOENT
																	: 0;
}

int fraudguard_erase_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now)
{
	struct fraudguard_ban ban;
	uint64_t id = ban_id(key, text);
	int rc = tg_store_get(bans, id, now.mono, &ban);

	return rc < 0 ? rc : tg_store_del(bans, id);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/bans.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPACE_BAN 4

static uint64_t ban_id(const struct tg_hashkey *key, const char *text)
{
	return tg_hash_id(key, SPACE_BAN, text, strlen(text));
}

int fraudguard_write_ban(struct tg_store *bans, const struct tg_hashkey *key,
		struct fraudguard_hit *hit, uint32_t seconds, struct fraudguard_now now)
{
	struct fraudguard_ban ban = {.observed = hit->observed,
			.threshold = hit->threshold,
			.window_sec = hit->window_sec,
			.code = hit->code,
			.metric = hit->metric,
			.since = now.wall,
			.until = now.wall + seconds};
	int rc;

	memcpy(ban.key, hit->key, sizeof ban.key);
	memcpy(ban.rule, hit->rule, sizeof ban.rule);
	memcpy(ban.callid, hit->callid, sizeof ban.callid);
	rc = tg_store_put(bans, ban_id(key, hit->key), 0,
			now.mono + (uint64_t)seconds * 1000000, now.mono, &ban);
	if(rc == 0)
		hit->until = ban.until;
	return rc;
}

int fraudguard_find_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now,
		struct fraudguard_answer *out)
{
	struct fraudguard_ban ban;
	struct fraudguard_hit *h = &out->hit;

	/* A busy set reads as "not banned": an answer late is worse than a request
	 * too many. */
	if(tg_store_get(bans, ban_id(key, text), now.mono, &ban) < 0)
		return -ENOENT;
	out->verdict = FRAUDGUARD_BANNED;
	memset(h, 0, sizeof *h);
	memcpy(h->rule, ban.rule, sizeof h->rule);
	memcpy(h->key, ban.key, sizeof h->key);
	memcpy(h->callid, ban.callid, sizeof h->callid);
	snprintf(h->reason, sizeof h->reason, "Banned");
	h->observed = ban.observed;
	h->threshold = ban.threshold;
	h->window_sec = ban.window_sec;
	h->until = ban.until;
	h->metric = ban.metric;
	h->code = ban.code ? ban.code : 403;
	h->action = FRAUDGUARD_BAN;
	h->mode = FRAUDGUARD_ENFORCE;
	return 0;
}

int fraudguard_erase_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now)
{
	struct fraudguard_ban ban;
	uint64_t id = ban_id(key, text);
	int rc = tg_store_get(bans, id, now.mono, &ban);

	return rc < 0 ? rc : tg_store_del(bans, id);
}

/*
 * Ban records: a block with its reason, by text key. Internal to the policy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_BANS_H
#define FRAUDGUARD_BANS_H

#include "fraudguard/fraudguard.h"

/* Writes or prolongs a ban; sets hit->until. 0, -ENOSPC, -EBUSY. */
int fraudguard_write_ban(struct tg_store *bans, const struct tg_hashkey *key,
		struct fraudguard_hit *hit, uint32_t seconds,
		struct fraudguard_now now);

/* Whether the key is banned: fills the verdict with the reason. 0, -ENOENT. */
int fraudguard_find_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now,
		struct fraudguard_answer *out);

/* 0, -ENOENT, -EBUSY. */
int fraudguard_erase_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now);

#endif

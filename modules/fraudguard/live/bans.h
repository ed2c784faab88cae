/*
 * Bans with their reasons, by text key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_LIVE_BANS_H
#define FRAUDGUARD_LIVE_BANS_H

#include "fraudguard/live/tables.h"

/* Writes the ban, or prolongs the existing one: it lasts `seconds` from now.
 * Sets its since and until. 0, -ENOSPC, -EBUSY. */
int fraudguard_write_ban(struct tg_store *bans, const struct tg_hashkey *key,
		struct fraudguard_ban *ban, uint32_t seconds,
		struct fraudguard_now now);

/* Gives the key's ban. 0, or -ENOENT when the key is not banned or the table is
 * busy (to let one request pass is better than to wait). */
int fraudguard_find_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now,
		struct fraudguard_ban *out);

/* Ends the key's ban. 0, -ENOENT, -EBUSY. */
int fraudguard_erase_ban(struct tg_store *bans, const struct tg_hashkey *key,
		const char *text, struct fraudguard_now now);

#endif

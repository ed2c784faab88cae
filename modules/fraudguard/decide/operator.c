/*
 * Bans set and lifted by an operator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/decide/judge.h"
#include "fraudguard/live/bans.h"
#include "fraudguard/live/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Forgets the counts of the key in the rules of this metric. */
static void forget_counts(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const char *key, int is_source)
{
	for(uint32_t i = 0; im != NULL && i < im->rules; i++) {
		uint64_t id = fraudguard_count_id(t, &im->rule[i], key);

		tg_cells_forget(is_source ? t->sources : t->accounts, id);
	}
}

int fraudguard_release(const struct fraudguard_tables *t,
		const struct fraudguard_image *im, const char *text,
		struct fraudguard_now now)
{
	char key[FRAUDGUARD_KEY_MAX];
	int is_source, rc;

	if(fraudguard_normal_key(text, key) < 0)
		return -ENOENT;
	is_source = fraudguard_key_is_source(key);
	rc = fraudguard_erase_ban(
			is_source ? t->source_bans : t->account_bans, &t->key, key, now);
	/* Otherwise the next request would trigger the rule again. */
	if(rc == 0)
		forget_counts(t, im, key, is_source);
	return rc;
}

int fraudguard_ban_key(const struct fraudguard_tables *t, const char *key,
		uint32_t seconds, const char *note, struct fraudguard_now now)
{
	struct fraudguard_ban b = {.code = 0};

	if(seconds == 0 || fraudguard_normal_key(key, b.key) < 0)
		return -EINVAL;
	snprintf(b.rule, sizeof b.rule, "%s", note);
	return fraudguard_write_ban(
			fraudguard_key_is_source(b.key) ? t->source_bans : t->account_bans,
			&t->key, &b, seconds, now);
}

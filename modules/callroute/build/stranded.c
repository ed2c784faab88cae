/*
 * Emergency numbers without a rule: an account's country has the number, and
 * the account's plan has no emergency rule for it. They are reported when the
 * tables are loaded, before a call fails.
 *
 * Memory bound: a little stack. Time: each account is read once, the rules once
 * for each plan and country.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/stranded.h"
#include "lib/geo/country.h"

#include <string.h>

#define SEEN 256

/* Lists the numbers of the country without a rule, separated by commas. */
static void list_missing(const struct callroute_image *im,
		const struct callroute_plan *plan, const struct tg_country *country,
		int64_t now, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for(const char *p = country->emergency; *p != '\0';) {
		size_t len = strcspn(p, ",");

		if(!callroute_is_emergency_number(im, plan, p, len, now)
				&& at + len + 2 <= size) {
			if(at > 0)
				out[at++] = ',';
			memcpy(out + at, p, len);
			at += len;
			out[at] = '\0';
		}
		p += len + (p[len] == ',');
	}
}

static int is_told(const struct callroute_stranded *told, int count,
		uint32_t plan, const char *country)
{
	for(int i = 0; i < count; i++) {
		if(told[i].plan_id == plan && strcmp(told[i].country, country) == 0)
			return 1;
	}
	return 0;
}

int callroute_find_stranded(const struct callroute_image *im, int64_t now,
		struct callroute_stranded *out, int max)
{
	const struct callroute_account *accounts =
			CALLROUTE_ROWS(im, struct callroute_account, accounts);
	const struct callroute_plan *plans =
			CALLROUTE_ROWS(im, struct callroute_plan, plans);
	uint64_t seen[SEEN] = {0}; /* plan and country looked at last */
	int n = 0;

	for(uint64_t i = 0; i < im->accounts.count && n < max; i++) {
		const struct callroute_account *a = &accounts[i];
		const struct callroute_plan *plan = &plans[a->plan];
		const struct tg_country *country = tg_country_find(a->country);
		uint64_t key = (uint64_t)plan->id << 16
					   | (uint64_t)(unsigned char)a->country[0] << 8
					   | (unsigned char)a->country[1];
		struct callroute_stranded *s = &out[n];

		if(!a->enabled || country == NULL
				|| seen[(key ^ key >> 16) % SEEN] == key)
			continue;
		seen[(key ^ key >> 16) % SEEN] = key;
		list_missing(im, plan, country, now, s->numbers, sizeof s->numbers);
		if(s->numbers[0] == '\0' || is_told(out, n, plan->id, a->country))
			continue;
		s->account_id = a->id;
		s->plan_id = plan->id;
		memcpy(s->country, a->country, sizeof s->country);
		memcpy(s->plan, plan->name, sizeof s->plan);
		n++;
	}
	return n;
}

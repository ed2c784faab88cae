/*
 * See lookups.h; lookups.py says what each field means.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lookups.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *or_null(const char *s)
{
	return *s == '\0' ? NULL : s;
}

static void find_caller(const struct callroute_image *im, const struct line *l)
{
	struct callroute_caller who = {.user = or_null(text(l, 1)),
			.domain = or_null(text(l, 2)),
			.user_len = strlen(text(l, 1)),
			.domain_len = strlen(text(l, 2)),
			.trunk = or_null(text(l, 4)),
			.trunk_len = strlen(text(l, 4))};
	const struct callroute_account *a;
	uint8_t addr[16] = {0};

	if(*text(l, 3) != '\0') {
		who.addr = addr;
		if(inet_pton(AF_INET, text(l, 3), addr + 12) == 1)
			addr[10] = addr[11] = 0xff;
		else if(inet_pton(AF_INET6, text(l, 3), addr) != 1)
			die("no address", text(l, 3));
	}
	a = callroute_find_account(im, &who);
	printf("who\t%u\n", a ? a->id : 0);
}

static void find_did(const struct callroute_image *im, const struct line *l)
{
	int known;
	const struct callroute_did *d = callroute_find_did(
			im, text(l, 1), strlen(text(l, 1)), number(l, 2), &known);

	printf("where\t%u\t%d\n", d ? d->id : 0, known);
}

static void find_members(const struct callroute_image *im, const struct line *l)
{
	const struct callroute_group *g =
			callroute_find_group(im, text(l, 1), strlen(text(l, 1)));
	const struct callroute_member *members =
			CALLROUTE_ROWS(im, struct callroute_member, members);
	uint32_t out[CALLROUTE_MEMBERS_MAX];
	int n = 0;

	if(g != NULL)
		n = callroute_hunt(im, g, number(l, 2), (uint64_t)number(l, 3), out,
				(int)number(l, 4));
	printf("rings\t");
	for(int i = 0; i < n; i++)
		printf("%s%u", i ? " " : "", members[out[i]].id);
	printf("%s\n", g ? "" : "none");
}

int look_up(const struct callroute_image *im, const struct line *l)
{
	static const struct
	{
		const char *name;
		void (*answer)(const struct callroute_image *im, const struct line *l);
	} lookups[] = {
			{"who", find_caller}, {"where", find_did}, {"rings", find_members}};

	for(size_t i = 0; i < sizeof lookups / sizeof lookups[0]; i++) {
		if(strcmp(l->field[0], lookups[i].name) != 0)
			continue;
		if(im == NULL)
			die("nothing is loaded", l->field[0]);
		lookups[i].answer(im, l);
		return 1;
	}
	return 0;
}

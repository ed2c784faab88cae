/*
 * Checks the rows of plans against each other and puts them in the order of the
 * image. Entries of disabled decks are checked and then left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_plan(const void *a, const void *b)
{
	const struct callroute_build_entry *x = a, *y = b;

	if(x->plan != y->plan)
		return x->plan < y->plan ? -1 : 1;
	if(x->out.deck != y->out.deck)
		return x->out.deck < y->out.deck ? -1 : 1;
	if(x->out.trunk != y->out.trunk)
		return x->out.trunk < y->out.trunk ? -1 : 1;
	if(x->out.time != y->out.time)
		return x->out.time < y->out.time ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int is_twice(const struct callroute_build_entry *a,
		const struct callroute_build_entry *b)
{
	return a->plan == b->plan && a->out.deck == b->out.deck
		   && a->out.trunk == b->out.trunk && a->out.time == b->out.time;
}

static void drop_disabled(struct callroute_builder *b)
{
	const struct callroute_build_deck *decks = b->decks.rows;
	struct callroute_build_entry *e = b->entries.rows;
	size_t kept = 0;

	for(size_t i = 0; i < b->entries.count; i++) {
		uint32_t deck = e[i].out.deck;

		if(deck != CALLROUTE_NONE && decks[deck].out.enabled
				&& e[i].plan != CALLROUTE_NONE)
			e[kept++] = e[i];
	}
	b->entries.count = kept;
}

/* Gives every plan its span of entries. */
void callroute_finish_entries(struct callroute_builder *b)
{
	struct callroute_build_entry *e = b->entries.rows;
	struct callroute_build_plan *p = b->plans.rows;

	drop_disabled(b);
	if(b->entries.count > 1)
		qsort(e, b->entries.count, sizeof *e, by_plan);
	/* A write that had too little room is tried again: reset first. */
	for(size_t i = 0; i < b->plans.count; i++)
		p[i].out.first = p[i].out.count = 0;
	for(size_t i = 0; i < b->entries.count; i++) {
		struct callroute_build_plan *plan = &p[e[i].plan];

		if(i > 0 && is_twice(&e[i - 1], &e[i]))
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: the same trunk, deck and "
					"time stand in plan %u twice (id %lld)",
					e[i].id, plan->out.id, e[i - 1].id);
		if(plan->out.count++ == 0)
			plan->out.first = (uint32_t)i;
		if(plan->out.count == CALLROUTE_ENTRIES_MAX + 1)
			tg_row_bad(&b->check, "callroute_plan id %lld: more than %d trunks",
					plan->id, CALLROUTE_ENTRIES_MAX);
	}
}

/* --- accounts ------------------------------------------------------------- */

static _Thread_local const char *sorted_texts;

static _Thread_local const struct callroute_build_account *sorted_accounts;

static int by_match(const void *a, const void *b)
{
	const struct callroute_account *x =
			&sorted_accounts[*(const uint32_t *)a].out;
	const struct callroute_account *y =
			&sorted_accounts[*(const uint32_t *)b].out;
	int d = (int)x->match_type - (int)y->match_type;

	return d != 0 ? d
				  : strcmp(sorted_texts + x->value, sorted_texts + y->value);
}

static int by_length(const void *a, const void *b)
{
	const struct callroute_net *x = a, *y = b;

	if(x->bits != y->bits)
		return x->bits > y->bits ? -1 : 1;
	return memcmp(x->addr, y->addr, sizeof x->addr);
}

static int by_addr(const void *a, const void *b)
{
	const struct callroute_addr *x = a, *y = b;
	int d = memcmp(x->addr, y->addr, sizeof x->addr);

	if(d == 0)
		d = x->port < y->port ? -1 : x->port > y->port;
	return d != 0 ? d : x->trunk < y->trunk ? -1 : x->trunk > y->trunk;
}

int callroute_finish_accounts(struct callroute_builder *b, uint32_t **names)
{
	const struct callroute_build_account *a = b->accounts.rows;
	struct callroute_net *nets = b->nets.rows;
	uint32_t *n = *names = malloc((b->accounts.count + 1) * sizeof *n);

	if(n == NULL)
		return -ENOMEM;
	for(size_t i = 0; i < b->accounts.count; i++)
		n[i] = (uint32_t)i;
	sorted_texts = b->texts.rows;
	sorted_accounts = a;
	if(b->accounts.count > 1)
		qsort(n, b->accounts.count, sizeof *n, by_match);
	for(size_t i = 1; i < b->accounts.count; i++) {
		if(by_match(&n[i - 1], &n[i]) == 0)
			tg_row_bad(&b->check,
					"callroute_account id %lld: match_value '%s' stands there "
					"twice (id %lld)",
					a[n[i]].id, sorted_texts + a[n[i]].out.value,
					a[n[i - 1]].id);
	}
	if(b->addrs.count > 1)
		qsort(b->addrs.rows, b->addrs.count, sizeof(struct callroute_addr),
				by_addr);
	if(b->nets.count > 1)
		qsort(nets, b->nets.count, sizeof *nets, by_length);
	for(size_t i = 1; i < b->nets.count; i++) {
		if(by_length(&nets[i - 1], &nets[i]) == 0)
			tg_row_bad(&b->check,
					"callroute_account id %lld: its network is that of id %lld",
					a[nets[i].account].id, a[nets[i - 1].account].id);
	}
	sorted_texts = NULL;
	sorted_accounts = NULL;
	return 0;
}

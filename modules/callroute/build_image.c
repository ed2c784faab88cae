/*
 * All rows: sorts them, checks what they say of each other, writes the image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build_rows.h"
#include "callroute/callroute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int cmp_id(long long a, long long b)
{
	return a < b ? -1 : a > b;
}

/* Carriers, decks and plans start with their id; trunks carry it inside. */
static int by_id(const void *a, const void *b)
{
	return cmp_id(*(const long long *)a, *(const long long *)b);
}

static int by_trunk(const void *a, const void *b)
{
	const struct callroute_build_trunk *x = a, *y = b;

	return cmp_id(x->out.id, y->out.id);
}

static int by_plan_name(const void *a, const void *b)
{
	const struct callroute_build_plan *x = a, *y = b;

	return strcmp(x->out.name, y->out.name);
}

static int by_plan(const void *a, const void *b)
{
	const struct callroute_build_entry *x = a, *y = b;
	int d = cmp_id(x->plan_id, y->plan_id);

	if(d == 0)
		d = cmp_id(x->trunk_id, y->trunk_id);
	if(d == 0)
		d = cmp_id(x->deck_id, y->deck_id);
	return d ? d : cmp_id(x->id, y->id);
}

static int same_prefix(const struct callroute_build_rate *x,
		const struct callroute_build_rate *y)
{
	return x->len == y->len && memcmp(x->prefix, y->prefix, x->len) == 0;
}

static int by_prefix(const void *a, const void *b)
{
	const struct callroute_build_rate *x = a, *y = b;
	struct tg_trie_row p = {x->prefix, x->len, 0}, q = {y->prefix, y->len, 0};
	int d = tg_trie_compare(&p, &q);

	if(d == 0)
		d = cmp_id(x->deck_id, y->deck_id);
	if(d == 0)
		d = cmp_id(x->out.valid_from, y->out.valid_from);
	return d ? d : cmp_id(x->id, y->id);
}

static void sort(struct callroute_table *t, size_t size,
		int (*cmp)(const void *, const void *))
{
	if(t->count > 1)
		qsort(t->rows, t->count, size, cmp);
}

static void *find(const struct callroute_table *t, size_t size, long long id)
{
	return t->count ? bsearch(&id, t->rows, t->count, size, by_id) : NULL;
}

static struct callroute_build_trunk *find_trunk(
		const struct callroute_builder *b, long long id)
{
	struct callroute_build_trunk key = {.out.id = (uint32_t)id};

	if(b->trunks.count == 0 || id < 1 || id > UINT32_MAX)
		return NULL;
	return bsearch(&key, b->trunks.rows, b->trunks.count, sizeof key, by_trunk);
}

/* For the tables whose rows start with their id. */
static void sort_by_id(struct callroute_builder *b, struct callroute_table *t,
		size_t size, const char *name)
{
	sort(t, size, by_id);
	for(size_t i = 1; i < t->count; i++) {
		const char *row = (const char *)t->rows + i * size;

		if(by_id(row, row - size) == 0)
			tg_row_bad(&b->check, "%s id %lld stands there twice", name,
					*(const long long *)row);
	}
}

static void check_trunks(struct callroute_builder *b)
{
	struct callroute_build_trunk *t =
			CALLROUTE_ROWS(b, struct callroute_build_trunk, trunks);

	sort(&b->trunks, sizeof *t, by_trunk);
	for(size_t i = 0; i < b->trunks.count; i++) {
		struct callroute_carrier *c;

		if(i > 0 && t[i].out.id == t[i - 1].out.id)
			tg_row_bad(&b->check, "callroute_trunk id %u stands there twice",
					t[i].out.id);
		if(t[i].carrier_id == 0)
			continue;
		c = find(&b->carriers, sizeof *c, t[i].carrier_id);
		if(c == NULL) {
			tg_row_bad(&b->check,
					"callroute_trunk id %u: carrier_id = %lld is no carrier",
					t[i].out.id, t[i].carrier_id);
			continue;
		}
		memcpy(t[i].out.carrier, c->name, sizeof c->name);
		if(!c->enabled)
			t[i].out.state = CALLROUTE_DOWN;
	}
}

/* Complains about rates that hold at the same time as another one of the same
 * prefix and deck. They are sorted; `longest` is the one that ends last. */
static void check_overlaps(struct callroute_builder *b)
{
	const struct callroute_build_rate *r =
			CALLROUTE_ROWS(b, struct callroute_build_rate, rates);
	size_t longest = 0;

	for(size_t i = 1; i < b->rates.count; i++) {
		if(!same_prefix(&r[i], &r[longest])
				|| r[i].deck_id != r[longest].deck_id) {
			longest = i;
			continue;
		}
		if(r[i].out.valid_from < r[longest].out.valid_till)
			tg_row_bad(&b->check,
					"callroute_rate id %lld: prefix '%.*s' of deck %lld is "
					"already priced by id %lld at that time",
					r[i].id, r[i].len, r[i].prefix, r[i].deck_id,
					r[longest].id);
		if(r[i].out.valid_till > r[longest].out.valid_till)
			longest = i;
	}
}

/* Rates of disabled decks are checked and then left out. */
static void check_rates(struct callroute_builder *b)
{
	struct callroute_build_rate *r =
			CALLROUTE_ROWS(b, struct callroute_build_rate, rates);
	size_t kept = 0;

	sort(&b->rates, sizeof *r, by_prefix);
	check_overlaps(b);
	for(size_t i = 0; i < b->rates.count; i++) {
		const struct callroute_deck *deck =
				find(&b->decks, sizeof *deck, r[i].deck_id);

		if(deck == NULL)
			tg_row_bad(&b->check,
					"callroute_rate id %lld: deck_id = %lld is no deck",
					r[i].id, r[i].deck_id);
		if(deck == NULL || !deck->enabled)
			continue;
		r[i].out.deck = (uint32_t)r[i].deck_id;
		r[kept++] = r[i];
	}
	b->rates.count = kept;
}

/* Entries of unknown decks are gone by the time this is asked. */
static const char *currency_of(const struct callroute_builder *b,
		const struct callroute_build_entry *e)
{
	const struct callroute_deck *deck =
			find(&b->decks, sizeof *deck, e->deck_id);

	return deck ? deck->currency : "";
}

/* Gives every plan its span of entries; entries of disabled decks stay out. */
static void check_plans(struct callroute_builder *b)
{
	struct callroute_build_plan *p =
			CALLROUTE_ROWS(b, struct callroute_build_plan, plans);
	struct callroute_build_entry *e =
			CALLROUTE_ROWS(b, struct callroute_build_entry, entries);
	const struct callroute_build_trunk *t =
			CALLROUTE_ROWS(b, struct callroute_build_trunk, trunks);
	size_t kept = 0;

	sort_by_id(b, &b->plans, sizeof *p, "callroute_plan");
	/* A write that found no room is tried again with more: start over. */
	for(size_t i = 0; i < b->plans.count; i++)
		p[i].out.first = p[i].out.count = 0;
	for(size_t i = 0; i < b->entries.count; i++) {
		struct callroute_build_trunk *trunk = find_trunk(b, e[i].trunk_id);
		struct callroute_deck *deck =
				find(&b->decks, sizeof *deck, e[i].deck_id);

		if(find(&b->plans, sizeof *p, e[i].plan_id) == NULL)
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: plan_id = %lld is no plan",
					e[i].id, e[i].plan_id);
		if(trunk == NULL)
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: trunk_id = %lld is no trunk",
					e[i].id, e[i].trunk_id);
		if(deck == NULL)
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: deck_id = %lld is no deck",
					e[i].id, e[i].deck_id);
		if(trunk == NULL || deck == NULL || !deck->enabled)
			continue;
		e[i].out.trunk = (uint32_t)(trunk - t);
		e[i].out.deck = (uint32_t)e[i].deck_id;
		e[kept++] = e[i];
	}
	b->entries.count = kept;
	sort(&b->entries, sizeof *e, by_plan);
	for(size_t i = 0; i < kept; i++) {
		struct callroute_build_plan *plan =
				find(&b->plans, sizeof *p, e[i].plan_id);

		if(plan == NULL)
			continue;
		if(i > 0 && e[i].plan_id == e[i - 1].plan_id
				&& e[i].trunk_id == e[i - 1].trunk_id
				&& e[i].deck_id == e[i - 1].deck_id)
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: trunk %lld with deck %lld "
					"stands in plan %lld twice",
					e[i].id, e[i].trunk_id, e[i].deck_id, e[i].plan_id);
		/* Prices in two currencies have no order. */
		if(i > 0 && e[i].plan_id == e[i - 1].plan_id
				&& strcmp(currency_of(b, &e[i]), currency_of(b, &e[i - 1]))
						   != 0)
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: deck %lld is in %s, the "
					"plan's "
					"others in %s",
					e[i].id, e[i].deck_id, currency_of(b, &e[i]),
					currency_of(b, &e[i - 1]));
		if(plan->out.count++ == 0)
			plan->out.first = (uint32_t)i;
		if(plan->out.count == CALLROUTE_ENTRIES_MAX + 1)
			tg_row_bad(&b->check, "callroute_plan id %lld: more than %d trunks",
					plan->id, CALLROUTE_ENTRIES_MAX);
	}
	sort(&b->plans, sizeof *p, by_plan_name);
	for(size_t i = 1; i < b->plans.count; i++) {
		if(strcmp(p[i].out.name, p[i - 1].out.name) == 0)
			tg_row_bad(&b->check,
					"callroute_plan id %lld: name '%s' stands there twice",
					p[i].id, p[i].out.name);
	}
}

/* One trie row and one group for each distinct prefix. */
static size_t make_groups(const struct callroute_builder *b,
		struct callroute_group *groups, struct tg_trie_row *rows,
		size_t *symbols)
{
	const struct callroute_build_rate *r =
			CALLROUTE_ROWS(b, struct callroute_build_rate, rates);
	size_t n = 0;

	*symbols = 0;
	for(size_t i = 0; i < b->rates.count; i++) {
		if(i == 0 || !same_prefix(&r[i], &r[i - 1])) {
			groups[n].first = (uint32_t)i;
			groups[n].count = 0;
			rows[n] = (struct tg_trie_row){r[i].prefix, r[i].len, (uint32_t)n};
			*symbols += r[i].len;
			n++;
		}
		groups[n - 1].count++;
	}
	return n;
}

/* Lays the parts out one behind the other; returns where the trie starts. */
static size_t lay_out(const struct callroute_builder *b, size_t groups,
		struct callroute_image *im)
{
	size_t at = (sizeof *im + 7) & ~(size_t)7;

#define PART(field, at_field, n, type) \
	im->field = (uint32_t)(n);         \
	im->at_field = at;                 \
	at = (at + (n) * sizeof(type) + 7) & ~(size_t)7
	PART(trunks, trunks_at, b->trunks.count, struct callroute_trunk);
	PART(plans, plans_at, b->plans.count, struct callroute_plan);
	PART(entries, entries_at, b->entries.count, struct callroute_entry);
	PART(groups, groups_at, groups, struct callroute_group);
	PART(rates, rates_at, b->rates.count, struct callroute_rate);
#undef PART
	im->trie_at = at = (at + 63) & ~(size_t)63;
	return at;
}

/* Copies the `out` member of each row: dst is an array of that member's type. */
#define COPY_OUT(dst, b, type, table)                    \
	for(size_t i = 0; i < (b)->table.count; i++)         \
	memcpy((char *)(dst) + i * sizeof(((type *)0)->out), \
			&CALLROUTE_ROWS(b, type, table)[i].out, sizeof(((type *)0)->out))

static int write_image(const struct callroute_builder *b,
		const struct callroute_group *groups, size_t ngroups,
		const struct tg_trie_row *rows, size_t symbols, int64_t now, char *mem,
		size_t size, size_t *used)
{
	struct callroute_image im = {
			.magic = CALLROUTE_IMAGE_MAGIC, .loaded_at = now};
	size_t trie_at = lay_out(b, ngroups, &im), trie_bytes;
	int rc;

	*used = trie_at + tg_trie_bound(ngroups, symbols);
	if(trie_at >= size)
		return -ENOSPC;
	COPY_OUT(mem + im.trunks_at, b, struct callroute_build_trunk, trunks);
	COPY_OUT(mem + im.plans_at, b, struct callroute_build_plan, plans);
	COPY_OUT(mem + im.entries_at, b, struct callroute_build_entry, entries);
	COPY_OUT(mem + im.rates_at, b, struct callroute_build_rate, rates);
	memcpy(mem + im.groups_at, groups, ngroups * sizeof *groups);
	rc = tg_trie_build(
			rows, ngroups, mem + trie_at, size - trie_at, &trie_bytes, NULL);
	if(rc < 0)
		return rc;
	im.bytes = *used = trie_at + trie_bytes;
	memcpy(mem, &im, sizeof im);
	return 0;
}

int callroute_builder_write(struct callroute_builder *b, int64_t now, void *mem,
		size_t size, size_t *used)
{
	struct callroute_group *groups;
	struct tg_trie_row *rows;
	size_t n, symbols;
	int rc = -ENOMEM;

	*used = 0;
	sort_by_id(b, &b->carriers, sizeof(struct callroute_carrier),
			"callroute_carrier");
	sort_by_id(b, &b->decks, sizeof(struct callroute_deck), "callroute_deck");
	check_trunks(b);
	check_rates(b);
	check_plans(b);
	if(b->check.bad > 0)
		return -EBADMSG;
	if(b->plans.count == 0 || b->rates.count == 0 || b->entries.count == 0)
		return -ENODATA;
	groups = malloc(b->rates.count * sizeof *groups);
	rows = malloc(b->rates.count * sizeof *rows);
	if(groups != NULL && rows != NULL) {
		n = make_groups(b, groups, rows, &symbols);
		rc = write_image(b, groups, n, rows, symbols, now, mem, size, used);
	}
	free(groups);
	free(rows);
	return rc;
}

/*
 * The image: checks what rows of different tables say of each other, lays the
 * parts out and writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A union of prefixes on its way into a trie. */
struct prefixes
{
	struct tg_trie_row *rows;
	char *symbols; /* TG_TRIE_MAX_DIGITS each */
	size_t count, total;
};

/* Everything that is made while writing, freed at its end. */
struct draft
{
	struct callroute_image im;
	struct prefixes rates, rules, block_dst, block_src;
	uint32_t *rate_groups, *plan_names, *group_names, *account_names;
	struct callroute_span *rule_spans, *block_dst_spans, *block_src_spans;
};

static int new_prefixes(struct prefixes *p, size_t most)
{
	p->rows = malloc((most + 1) * sizeof *p->rows);
	p->symbols = malloc((most + 1) * TG_TRIE_MAX_DIGITS);
	p->count = p->total = 0;
	return p->rows != NULL && p->symbols != NULL ? 0 : -ENOMEM;
}

static void free_draft(struct draft *d)
{
	struct prefixes *all[] = {
			&d->rates, &d->rules, &d->block_dst, &d->block_src};

	for(size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		free(all[i]->rows);
		free(all[i]->symbols);
	}
	free(d->rate_groups);
	free(d->plan_names);
	free(d->group_names);
	free(d->account_names);
	free(d->rule_spans);
	free(d->block_dst_spans);
	free(d->block_src_spans);
}

static void add_prefix(
		struct prefixes *p, const struct callroute_packed *packed)
{
	char *to = p->symbols + p->total;
	size_t len = callroute_unpack_prefix(packed, to);

	p->rows[p->count] =
			(struct tg_trie_row){to, (uint8_t)len, (uint32_t)p->count};
	p->count++;
	p->total += len;
}

/* --- what is drafted -------------------------------------------------------- */

static int draft_rates(const struct callroute_builder *b, struct draft *d)
{
	const struct callroute_build_rate *r = b->rates.rows;
	const struct callroute_packed *last = NULL;

	d->rate_groups = malloc((b->rates.count + 1) * sizeof *d->rate_groups);
	if(d->rate_groups == NULL || new_prefixes(&d->rates, b->rates.count) < 0)
		return -ENOMEM;
	for(size_t i = 0; i < b->rates.count; i++) {
		if(last != NULL && callroute_compare_packed(last, &r[i].prefix) == 0)
			continue;
		last = &r[i].prefix;
		d->rate_groups[d->rates.count] = (uint32_t)i;
		add_prefix(&d->rates, last);
	}
	d->rate_groups[d->rates.count] = (uint32_t)b->rates.count;
	return 0;
}

static int by_rule(const void *a, const void *b)
{
	const struct callroute_build_rule *x = a, *y = b;
	int d = callroute_compare_packed(&x->prefix, &y->prefix);

	if(d == 0)
		d = x->out.plan < y->out.plan ? -1 : x->out.plan > y->out.plan;
	if(d == 0)
		d = (int)x->out.priority - (int)y->out.priority;
	if(d == 0)
		d = (int)y->out.src_len - (int)x->out.src_len;
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

static int by_block(const void *a, const void *b)
{
	const struct callroute_build_block *x = a, *y = b;
	int d = (int)x->is_src - (int)y->is_src;

	if(d == 0)
		d = callroute_compare_packed(&x->prefix, &y->prefix);
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

/* Spans of equal prefixes among sorted rows; `prefix_at` is where a row has its
 * own. */
static int draft_spans(const char *rows, size_t size, size_t first,
		size_t count, size_t prefix_at, struct prefixes *p,
		struct callroute_span **spans)
{
	const struct callroute_packed *last = NULL;

	*spans = malloc((count + 1) * sizeof **spans);
	if(*spans == NULL || new_prefixes(p, count) < 0)
		return -ENOMEM;
	for(size_t i = 0; i < count; i++) {
		const struct callroute_packed *here =
				(const struct callroute_packed *)(rows + (first + i) * size
												  + prefix_at);

		if(last == NULL || callroute_compare_packed(last, here) != 0) {
			(*spans)[p->count] =
					(struct callroute_span){.first = (uint32_t)(first + i)};
			add_prefix(p, here);
			last = here;
		}
		(*spans)[p->count - 1].count++;
	}
	return 0;
}

static int draft_rules(struct callroute_builder *b, struct draft *d)
{
	if(b->rules.count > 1)
		qsort(b->rules.rows, b->rules.count,
				sizeof(struct callroute_build_rule), by_rule);
	return draft_spans(b->rules.rows, sizeof(struct callroute_build_rule), 0,
			b->rules.count, offsetof(struct callroute_build_rule, prefix),
			&d->rules, &d->rule_spans);
}

static int draft_blocks(struct callroute_builder *b, struct draft *d)
{
	const struct callroute_build_block *r = b->blocks.rows;
	size_t dst = 0;
	int rc;

	if(b->blocks.count > 1)
		qsort(b->blocks.rows, b->blocks.count, sizeof *r, by_block);
	while(dst < b->blocks.count && !r[dst].is_src)
		dst++;
	rc = draft_spans(b->blocks.rows, sizeof *r, 0, dst,
			offsetof(struct callroute_build_block, prefix), &d->block_dst,
			&d->block_dst_spans);
	return rc < 0 ? rc
				  : draft_spans(b->blocks.rows, sizeof *r, dst,
						  b->blocks.count - dst,
						  offsetof(struct callroute_build_block, prefix),
						  &d->block_src, &d->block_src_spans);
}

/* --- names ------------------------------------------------------------------ */

static _Thread_local const struct callroute_builder *sorted;

static const char *name_of_plan(uint32_t i)
{
	return CALLROUTE_BUILD(sorted, struct callroute_build_plan, plans)[i]
			.out.name;
}

static const char *name_of_group(uint32_t i)
{
	return (const char *)sorted->texts.rows
		   + CALLROUTE_BUILD(sorted, struct callroute_build_group, groups)[i]
					 .out.name;
}

static int by_plan_name(const void *a, const void *b)
{
	return strcmp(name_of_plan(*(const uint32_t *)a),
			name_of_plan(*(const uint32_t *)b));
}

static int by_group_name(const void *a, const void *b)
{
	return strcmp(name_of_group(*(const uint32_t *)a),
			name_of_group(*(const uint32_t *)b));
}

static int draft_names(struct callroute_builder *b, const char *table,
		size_t count, int (*cmp)(const void *, const void *),
		const char *(*name)(uint32_t), uint32_t **names)
{
	uint32_t *n = *names = malloc((count + 1) * sizeof *n);

	if(n == NULL)
		return -ENOMEM;
	for(size_t i = 0; i < count; i++)
		n[i] = (uint32_t)i;
	sorted = b;
	if(count > 1)
		qsort(n, count, sizeof *n, cmp);
	for(size_t i = 1; i < count; i++) {
		if(cmp(&n[i - 1], &n[i]) == 0)
			tg_row_bad(&b->check, "%s: name '%s' stands there twice", table,
					name(n[i]));
	}
	return 0;
}

/* --- layout ----------------------------------------------------------------- */

/* Parts one behind the other; without memory it only counts. */
struct layout
{
	char *mem;
	size_t size, at;
};

static void *place(
		struct layout *l, struct callroute_table *t, size_t count, size_t bytes)
{
	char *to = NULL;

	l->at = (l->at + 7) & ~(size_t)7;
	t->at = l->at;
	t->count = count;
	if(bytes <= l->size && l->at <= l->size - bytes)
		to = l->mem + l->at;
	l->at += bytes;
	return to;
}

static void put(struct layout *l, struct callroute_table *t, const void *rows,
		size_t count, size_t size)
{
	void *to = place(l, t, count, count * size);

	if(to != NULL && count > 0)
		memcpy(to, rows, count * size);
}

/* The `out` member of each row. */
static void put_out(struct layout *l, struct callroute_table *t,
		const struct callroute_rows *rows, size_t row_size, size_t out_at,
		size_t out_size)
{
	char *to = place(l, t, rows->count, rows->count * out_size);

	for(size_t i = 0; to != NULL && i < rows->count; i++)
		memcpy(to + i * out_size,
				(const char *)rows->rows + i * row_size + out_at, out_size);
}

#define PUT_OUT(field, type)                                             \
	put_out(l, &im->field, &b->field, sizeof(type), offsetof(type, out), \
			sizeof(((type *)0)->out))

static void put_times(struct layout *l, struct callroute_image *im,
		const struct callroute_builder *b)
{
	const struct callroute_build_time *times = b->times.rows;
	uint64_t *index = place(
			l, &im->times, b->times.count, b->times.count * sizeof *index);

	for(size_t i = 0; i < b->times.count; i++) {
		struct callroute_table part;

		put(l, &part, times[i].calendar, times[i].bytes, 1);
		if(index != NULL)
			index[i] = part.at;
	}
}

static int put_trie(
		struct layout *l, struct callroute_table *t, const struct prefixes *p)
{
	size_t used = 0;
	int rc;

	l->at = (l->at + 63) & ~(size_t)63;
	if(l->at >= l->size) {
		l->at += tg_trie_bound(p->count, p->total);
		return 0;
	}
	rc = tg_trie_build(
			p->rows, p->count, l->mem + l->at, l->size - l->at, &used, NULL);
	if(rc == -ENOSPC) {
		l->at += tg_trie_bound(p->count, p->total);
		return 0;
	}
	t->at = l->at;
	t->count = used;
	l->at += used;
	return rc;
}

static int write_parts(
		const struct callroute_builder *b, struct draft *d, struct layout *l)
{
	struct callroute_image *im = &d->im;
	int rc = 0;

	l->at = sizeof *im;
	PUT_OUT(carriers, struct callroute_build_carrier);
	PUT_OUT(trunks, struct callroute_build_trunk);
	put(l, &im->trunk_names, b->trunk_names.rows, b->trunk_names.count,
			sizeof(uint32_t));
	PUT_OUT(plans, struct callroute_build_plan);
	put(l, &im->plan_names, d->plan_names, b->plans.count, sizeof(uint32_t));
	PUT_OUT(entries, struct callroute_build_entry);
	put(l, &im->countries, b->countries.rows, b->countries.count,
			sizeof(struct callroute_countries));
	PUT_OUT(decks, struct callroute_build_deck);
	PUT_OUT(accounts, struct callroute_build_account);
	put(l, &im->account_names, d->account_names, b->accounts.count,
			sizeof(uint32_t));
	put(l, &im->nets, b->nets.rows, b->nets.count,
			sizeof(struct callroute_net));
	PUT_OUT(rules, struct callroute_build_rule);
	put(l, &im->rule_spans, d->rule_spans, d->rules.count,
			sizeof *d->rule_spans);
	put(l, &im->targets, b->targets.rows, b->targets.count, sizeof(uint32_t));
	PUT_OUT(blocks, struct callroute_build_block);
	put(l, &im->block_dst_spans, d->block_dst_spans, d->block_dst.count,
			sizeof *d->block_dst_spans);
	put(l, &im->block_src_spans, d->block_src_spans, d->block_src.count,
			sizeof *d->block_src_spans);
	PUT_OUT(dids, struct callroute_build_did);
	PUT_OUT(groups, struct callroute_build_group);
	put(l, &im->group_names, d->group_names, b->groups.count, sizeof(uint32_t));
	PUT_OUT(members, struct callroute_build_member);
	PUT_OUT(ported, struct callroute_build_ported);
	PUT_OUT(rates, struct callroute_build_rate);
	put(l, &im->terms, b->terms.rows, b->terms.count,
			sizeof(struct callroute_terms));
	put(l, &im->rate_groups, d->rate_groups, d->rates.count + 1,
			sizeof(uint32_t));
	put(l, &im->texts, b->texts.rows, b->texts.count, 1);
	put_times(l, im, b);
	rc = rc < 0 ? rc : put_trie(l, &im->rate_trie, &d->rates);
	rc = rc < 0 ? rc : put_trie(l, &im->rule_trie, &d->rules);
	rc = rc < 0 ? rc : put_trie(l, &im->block_dst_trie, &d->block_dst);
	return rc < 0 ? rc : put_trie(l, &im->block_src_trie, &d->block_src);
}

static int write_image(struct callroute_builder *b, struct draft *d, void *mem,
		size_t size, size_t *used)
{
	struct layout l = {mem, size, 0};
	int rc;

	d->im.magic = CALLROUTE_IMAGE_MAGIC;
	d->im.loaded_at = b->now;
	d->im.calendars_till = b->now + CALLROUTE_CALENDAR_DAYS * INT64_C(86400);
	rc = write_parts(b, d, &l);
	if(rc < 0)
		return rc;
	*used = l.at;
	if(l.at > size)
		return -ENOSPC;
	d->im.bytes = l.at;
	memcpy(mem, &d->im, sizeof d->im);
	return 0;
}

int callroute_builder_write(
		struct callroute_builder *b, void *mem, size_t size, size_t *used)
{
	struct draft d;
	int rc;

	*used = 0;
	memset(&d, 0, sizeof d);
	callroute_finish_rates(b);
	callroute_finish_inbound(b);
	rc = draft_names(b, "callroute_plan", b->plans.count, by_plan_name,
			name_of_plan, &d.plan_names);
	rc = rc < 0 ? rc
				: draft_names(b, "callroute_group", b->groups.count,
						by_group_name, name_of_group, &d.group_names);
	rc = rc < 0 ? rc : callroute_finish_accounts(b, &d.account_names);
	callroute_finish_entries(b);
	if(rc == 0 && b->check.bad > 0)
		rc = -EBADMSG;
	if(rc == 0
			&& (b->plans.count == 0 || b->rates.count == 0
					|| b->entries.count == 0))
		rc = -ENODATA;
	rc = rc < 0 ? rc : draft_rates(b, &d);
	rc = rc < 0 ? rc : draft_rules(b, &d);
	rc = rc < 0 ? rc : draft_blocks(b, &d);
	rc = rc < 0 ? rc : write_image(b, &d, mem, size, used);
	free_draft(&d);
	return rc;
}

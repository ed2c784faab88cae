/*
 * The intermediate data between rows and image: unions of prefixes, each with
 * its span of rows, and indexes by name.
 *
 * Memory: 48 B a distinct prefix and 4 B a name, while an image is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int new_prefixes(struct callroute_prefixes *p, size_t most)
{
	p->rows = malloc((most + 1) * sizeof *p->rows);
	p->symbols = malloc((most + 1) * TG_TRIE_MAX_DIGITS);
	p->count = p->total = 0;
	return p->rows != NULL && p->symbols != NULL ? 0 : -ENOMEM;
}

void callroute_free_draft(struct callroute_draft *d)
{
	struct callroute_prefixes *all[] = {
			&d->rates, &d->rules, &d->block_dst, &d->block_src};

	for(size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		free(all[i]->rows);
		free(all[i]->symbols);
	}
	free(d->rate_groups);
	free(d->account_names);
	free(d->rule_spans);
	free(d->block_dst_spans);
	free(d->block_src_spans);
}

static void add_prefix(
		struct callroute_prefixes *p, const struct callroute_packed *packed)
{
	char *to = p->symbols + p->total;
	size_t len = callroute_unpack_prefix(packed, to);

	p->rows[p->count] =
			(struct tg_trie_row){to, (uint8_t)len, (uint32_t)p->count};
	p->count++;
	p->total += len;
}

/* --- what is drafted ------------------------------------------------------ */

static int draft_rates(
		const struct callroute_builder *b, struct callroute_draft *d)
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

/* Makes the spans of equal prefixes in sorted rows; `prefix_at` is the offset
 * of the prefix in a row. */
static int draft_spans(const char *rows, size_t size, size_t first,
		size_t count, size_t prefix_at, struct callroute_prefixes *p,
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

static int draft_rules(struct callroute_builder *b, struct callroute_draft *d)
{
	if(b->rules.count > 1)
		qsort(b->rules.rows, b->rules.count,
				sizeof(struct callroute_build_rule), by_rule);
	return draft_spans(b->rules.rows, sizeof(struct callroute_build_rule), 0,
			b->rules.count, offsetof(struct callroute_build_rule, prefix),
			&d->rules, &d->rule_spans);
}

static int draft_blocks(
		const struct callroute_builder *b, struct callroute_draft *d)
{
	const struct callroute_build_block *r = b->blocks.rows;
	size_t dst = 0;
	int rc;

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

/* --- names ---------------------------------------------------------------- */

int callroute_draft_names(
		struct callroute_builder *b, struct callroute_draft *d)
{
	for(int kind = 0; kind < CALLROUTE_NAMED_KINDS; kind++) {
		if(callroute_names(b, (enum callroute_named)kind) == NULL)
			return -ENOMEM;
	}
	return callroute_finish_accounts(b, &d->account_names);
}

int callroute_draft_prefixes(
		struct callroute_builder *b, struct callroute_draft *d)
{
	int rc = draft_rates(b, d);

	rc = rc < 0 ? rc : draft_rules(b, d);
	return rc < 0 ? rc : draft_blocks(b, d);
}

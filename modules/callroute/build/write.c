/*
 * Lays out the parts of the image and writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/draft.h"

#include <errno.h>
#include <string.h>

/* Parts in sequence; without memory only the size is counted. */
struct layout
{
	char *mem;
	size_t size, at;
};

/* The gap between two parts is zero, so that equal rows give equal bytes. */
static void align(struct layout *l, size_t to)
{
	size_t at = (l->at + to - 1) & ~(to - 1);

	if(at <= l->size)
		memset(l->mem + l->at, 0, at - l->at);
	l->at = at;
}

static void *place(
		struct layout *l, struct callroute_table *t, size_t count, size_t bytes)
{
	char *to = NULL;

	align(l, 8);
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

/* Writes the `out` member of each row. */
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

static int put_trie(struct layout *l, struct callroute_table *t,
		const struct callroute_prefixes *p)
{
	size_t used = 0;
	int rc;

	align(l, 64);
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

static int write_parts(const struct callroute_builder *b,
		struct callroute_draft *d, struct layout *l)
{
	struct callroute_image *im = &d->im;
	int rc = 0;

	l->at = sizeof *im;
	PUT_OUT(carriers, struct callroute_build_carrier);
	PUT_OUT(trunks, struct callroute_build_trunk);
	put(l, &im->trunk_names, b->by_name[CALLROUTE_NAMED_TRUNK].rows,
			b->trunks.count, sizeof(uint32_t));
	put(l, &im->addrs, b->addrs.rows, b->addrs.count,
			sizeof(struct callroute_addr));
	PUT_OUT(plans, struct callroute_build_plan);
	put(l, &im->plan_names, b->by_name[CALLROUTE_NAMED_PLAN].rows,
			b->plans.count, sizeof(uint32_t));
	PUT_OUT(entries, struct callroute_build_entry);
	put(l, &im->countries, b->countries.rows.rows, b->countries.rows.count,
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
	put(l, &im->group_names, b->by_name[CALLROUTE_NAMED_GROUP].rows,
			b->groups.count, sizeof(uint32_t));
	PUT_OUT(members, struct callroute_build_member);
	PUT_OUT(ported, struct callroute_build_ported);
	PUT_OUT(rates, struct callroute_build_rate);
	put(l, &im->terms, b->terms.rows.rows, b->terms.rows.count,
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

static int write_image(struct callroute_builder *b, struct callroute_draft *d,
		void *mem, size_t size, size_t *used)
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
	struct callroute_draft d;
	int rc;

	*used = 0;
	memset(&d, 0, sizeof d);
	rc = callroute_finish_rates(b);
	callroute_finish_inbound(b);
	rc = rc < 0 ? rc : callroute_draft_names(b, &d);
	callroute_check_names(b);
	callroute_finish_entries(b);
	if(rc == 0 && b->check.bad > 0)
		rc = -EBADMSG;
	if(rc == 0
			&& (b->plans.count == 0 || b->rates.count == 0
					|| b->entries.count == 0))
		rc = -ENODATA;
	rc = rc < 0 ? rc : callroute_draft_prefixes(b, &d);
	rc = rc < 0 ? rc : write_image(b, &d, mem, size, used);
	callroute_free_draft(&d);
	return rc;
}

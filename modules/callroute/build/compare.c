/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/build/compare.h"

#include <string.h>

/* Reads the rates of one image in the order of prefixes. */
struct reader
{
	const struct callroute_image *im;
	const struct callroute_rate *rates;
	const struct callroute_terms *terms;
	const struct callroute_deck *decks;
	const uint32_t *groups;
	struct tg_trie_cursor cursor;
	struct tg_trie_row prefix;
	int more;
};

static void next_prefix(struct reader *r)
{
	r->more = tg_trie_next(&r->cursor, &r->prefix) == 0;
}

static void open_image(struct reader *r, const struct callroute_image *im)
{
	r->im = im;
	r->rates = CALLROUTE_ROWS(im, struct callroute_rate, rates);
	r->terms = CALLROUTE_ROWS(im, struct callroute_terms, terms);
	r->decks = CALLROUTE_ROWS(im, struct callroute_deck, decks);
	r->groups = CALLROUTE_ROWS(im, uint32_t, rate_groups);
	tg_trie_first((const char *)im + im->rate_trie.at, &r->cursor);
	next_prefix(r);
}

static int compare_rates(const struct reader *a, const struct callroute_rate *x,
		const struct reader *b, const struct callroute_rate *y)
{
	const struct callroute_terms *s = &a->terms[x->terms];
	const struct callroute_terms *t = &b->terms[y->terms];
	uint32_t d = a->decks[x->deck].id, e = b->decks[y->deck].id;
	int c;

	if(d != e)
		return d < e ? -1 : 1;
	if(s->src_len != t->src_len)
		return s->src_len > t->src_len ? -1 : 1;
	c = memcmp(s->src_prefix, t->src_prefix, s->src_len);
	if(c != 0)
		return c;
	return s->valid_from < t->valid_from ? -1 : s->valid_from > t->valid_from;
}

/* The smaller of two prices in ten-thousandths of the larger. */
static int64_t closeness(int64_t from, int64_t to)
{
	int64_t lo = from < to ? from : to, hi = from < to ? to : from;

	return hi == 0 ? 10000 : lo * 10000 / hi; /* 40 bits: no overflow */
}

static void keep_move(
		struct callroute_difference *out, const struct callroute_move *m)
{
	int at = out->moves;

	if(at == CALLROUTE_MOVES) {
		at--;
		if(closeness(m->from, m->to)
				>= closeness(out->move[at].from, out->move[at].to))
			return;
	} else {
		out->moves++;
	}
	for(; at > 0
			&& closeness(m->from, m->to) < closeness(
					   out->move[at - 1].from, out->move[at - 1].to);
			at--)
		out->move[at] = out->move[at - 1];
	out->move[at] = *m;
}

static void compare_one(const struct reader *a, const struct callroute_rate *x,
		const struct reader *b, const struct callroute_rate *y,
		struct callroute_difference *out)
{
	const struct callroute_terms *s = &a->terms[x->terms];
	const struct callroute_terms *t = &b->terms[y->terms];
	struct callroute_move m = {.from = callroute_rate_price(x),
			.to = callroute_rate_price(y),
			.deck = a->decks[x->deck].id};

	if(m.from == m.to && x->blocked == y->blocked
			&& memcmp(s, t, sizeof *s) == 0) {
		out->same++;
		return;
	}
	out->changed++;
	if(m.from == m.to)
		return;
	out->risen += m.to > m.from;
	out->fallen += m.to < m.from;
	memcpy(m.prefix, a->prefix.prefix, a->prefix.len);
	keep_move(out, &m);
}

/* Compares the rates of one prefix that both images have. */
static void compare_group(const struct reader *a, const struct reader *b,
		struct callroute_difference *out)
{
	uint32_t i = a->groups[a->prefix.value],
			 iend = a->groups[a->prefix.value + 1];
	uint32_t j = b->groups[b->prefix.value],
			 jend = b->groups[b->prefix.value + 1];

	while(i < iend && j < jend) {
		int c = compare_rates(a, &a->rates[i], b, &b->rates[j]);

		if(c == 0)
			compare_one(a, &a->rates[i++], b, &b->rates[j++], out);
		else if(c < 0)
			i++, out->removed++;
		else
			j++, out->added++;
	}
	out->removed += iend - i;
	out->added += jend - j;
}

static uint64_t group_size(const struct reader *r)
{
	return r->groups[r->prefix.value + 1] - r->groups[r->prefix.value];
}

void callroute_compare(const struct callroute_image *before,
		const struct callroute_image *after, struct callroute_difference *out)
{
	struct reader a, b;

	memset(out, 0, sizeof *out);
	open_image(&a, before);
	open_image(&b, after);
	while(a.more || b.more) {
		int c = !a.more	  ? 1
				: !b.more ? -1
						  : tg_trie_compare(&a.prefix, &b.prefix);

		if(c < 0)
			out->removed += group_size(&a);
		else if(c > 0)
			out->added += group_size(&b);
		else
			compare_group(&a, &b, out);
		if(c <= 0)
			next_prefix(&a);
		if(c >= 0)
			next_prefix(&b);
	}
}

const char *callroute_shrunk(const struct callroute_image *old,
		const struct callroute_image *new, int per_cent)
{
	const struct
	{
		const char *table;
		uint64_t from, to, least;
	} all[] = {
			{"callroute_rate", old->rates.count, new->rates.count, 1},
			{"callroute_trunk", old->trunks.count, new->trunks.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_plan_trunk", old->entries.count, new->entries.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_account", old->accounts.count, new->accounts.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_rule", old->rules.count, new->rules.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_block", old->blocks.count, new->blocks.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_did", old->dids.count, new->dids.count,
					CALLROUTE_SHRINK_ROWS},
			{"callroute_lnp", old->ported.count, new->ported.count,
					CALLROUTE_SHRINK_ROWS},
	};

	for(size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if(all[i].from >= all[i].least
				&& all[i].to * 100 < all[i].from * (uint64_t)(100 - per_cent))
			return all[i].table;
	}
	return NULL;
}

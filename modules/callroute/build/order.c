/*
 * Sorts the rates in the order of the image: by prefix in the order of the
 * trie, then by deck, caller and date. Reports rates that hold at the same
 * time, which are neighbours in this order.
 *
 * Memory: sorting needs none beyond the rows; the terms are copied once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RATE "callroute_rate"

/* The terms, for the comparison while qsort runs. One builder at a time sorts
 * in a thread. */
static _Thread_local const struct callroute_terms *sorted_terms;

static int by_terms(uint32_t a, uint32_t b)
{
	const struct callroute_terms *x = &sorted_terms[a], *y = &sorted_terms[b];
	int d;

	if(a == b)
		return 0;
	if(x->src_len != y->src_len)
		return (int)y->src_len - (int)x->src_len;
	d = memcmp(x->src_prefix, y->src_prefix, x->src_len);
	if(d != 0)
		return d;
	return x->valid_from < y->valid_from ? -1 : x->valid_from > y->valid_from;
}

static int by_prefix(const void *a, const void *b)
{
	const struct callroute_build_rate *x = a, *y = b;
	int d = callroute_compare_packed(&x->prefix, &y->prefix);

	if(d == 0)
		d = (int)x->out.deck - (int)y->out.deck;
	if(d == 0)
		d = by_terms(x->out.terms, y->out.terms);
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

/* --- sorting -------------------------------------------------------------- */

#define FEW 32 /* so many rows are sorted by insertion */
#define KEY_BYTES 16

static unsigned byte_at(const struct callroute_packed *p, unsigned depth)
{
	uint64_t word = depth < 8 ? p->high : p->low;

	return word >> (56 - 8 * (depth & 7)) & 0xff;
}

static void sort_few(struct callroute_build_rate *r, size_t n)
{
	for(size_t i = 1; i < n; i++) {
		struct callroute_build_rate row = r[i];
		size_t at = i;

		for(; at > 0 && by_prefix(&r[at - 1], &row) > 0; at--)
			r[at] = r[at - 1];
		r[at] = row;
	}
}

/* Moves each row, by swapping, into the part of its byte; `end` has the end of
 * each part. */
static void part(
		struct callroute_build_rate *r, unsigned depth, const size_t end[256])
{
	size_t next[256], first = 0;

	for(unsigned i = 0; i < 256; i++) {
		next[i] = first;
		first = end[i];
	}
	for(unsigned i = 0; i < 256; i++) {
		while(next[i] < end[i]) {
			struct callroute_build_rate row = r[next[i]];
			unsigned to = byte_at(&row.prefix, depth);

			if(to == i) {
				next[i]++;
				continue;
			}
			r[next[i]] = r[next[to]];
			r[next[to]++] = row;
		}
	}
}

/* Sorts rows whose prefixes have the same first `depth` bytes. It sorts in
 * place, because qsort would need as much memory again as the rows. Each level
 * of the recursion is two symbols deeper: 16 levels at most. */
static void sort_from(struct callroute_build_rate *r, size_t n, unsigned depth)
{
	size_t end[256] = {0}, first = 0;

	if(n <= FEW) {
		sort_few(r, n);
		return;
	}
	if(depth == KEY_BYTES) {
		qsort(r, n, sizeof *r, by_prefix);
		return;
	}
	for(size_t i = 0; i < n; i++)
		end[byte_at(&r[i].prefix, depth)]++;
	for(unsigned i = 1; i < 256; i++)
		end[i] += end[i - 1];
	part(r, depth, end);
	for(unsigned i = 0; i < 256; i++) {
		if(end[i] > first)
			sort_from(r + first, end[i] - first, depth + 1);
		first = end[i];
	}
}

/* --- what the order shows ------------------------------------------------- */

static int same_place(const struct callroute_build_rate *x,
		const struct callroute_build_rate *y)
{
	const struct callroute_terms *a = &sorted_terms[x->out.terms];
	const struct callroute_terms *b = &sorted_terms[y->out.terms];

	return x->prefix.high == y->prefix.high && x->prefix.low == y->prefix.low
		   && x->out.deck == y->out.deck && a->src_len == b->src_len
		   && memcmp(a->src_prefix, b->src_prefix, a->src_len) == 0;
}

/* Reports rates that hold at the same time as another rate of the same prefix,
 * caller and deck. The rates are sorted; `longest` is the one so far that ends
 * last. */
static void check_overlaps(struct callroute_builder *b)
{
	const struct callroute_build_rate *r = b->rates.rows;
	const struct callroute_build_deck *decks = b->decks.rows;
	size_t longest = 0;

	for(size_t i = 1; i < b->rates.count; i++) {
		const struct callroute_terms *t = &sorted_terms[r[i].out.terms];
		char prefix[TG_TRIE_MAX_DIGITS];

		if(!same_place(&r[i], &r[longest])) {
			longest = i;
			continue;
		}
		if(t->valid_from < sorted_terms[r[longest].out.terms].valid_till)
			tg_row_bad(&b->check,
					RATE
					" id %u: prefix '%.*s' of deck %u is already priced by "
					"id %u at that time",
					r[i].id, (int)callroute_unpack_prefix(&r[i].prefix, prefix),
					prefix, decks[r[i].out.deck].out.id, r[longest].id);
		if(t->valid_till > sorted_terms[r[longest].out.terms].valid_till)
			longest = i;
	}
}

/* Sorts the terms in the order of the rates and drops terms without a rate. So
 * the image does not depend on the order in which the rates came. */
static int order_terms(struct callroute_builder *b)
{
	struct callroute_build_rate *r = b->rates.rows;
	const struct callroute_terms *old = b->terms.rows.rows;
	size_t room = b->terms.rows.count + 1, n = 0;
	struct callroute_terms *terms = malloc(room * sizeof *terms);
	uint32_t *place = calloc(room, sizeof *place); /* index + 1 */

	if(terms == NULL || place == NULL) {
		free(terms);
		free(place);
		return -ENOMEM;
	}
	for(size_t i = 0; i < b->rates.count; i++) {
		uint32_t *at = &place[r[i].out.terms];

		if(*at == 0) {
			terms[n++] = old[r[i].out.terms];
			*at = (uint32_t)n;
		}
		r[i].out.terms = *at - 1;
	}
	free(place);
	free(b->terms.rows.rows);
	b->terms.rows = (struct callroute_rows){terms, n, room};
	return 0;
}

int callroute_finish_rates(struct callroute_builder *b)
{
	sorted_terms = b->terms.rows.rows;
	sort_from(b->rates.rows, b->rates.count, 0);
	check_overlaps(b);
	sorted_terms = NULL;
	return order_terms(b);
}

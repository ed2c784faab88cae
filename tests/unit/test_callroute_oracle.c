/*
 * The routing decision against a slow and plain one: no trie, no groups, no
 * bounded ranking; just all rows looked through, on tens of thousands of random
 * questions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_rows.h"

#include <stdlib.h>

#define TABLES 3000
#define NUMBERS 20
#define DECKS 4
#define TRUNKS 12
#define PLANS 2
#define RATES 60
#define ENTRIES 24

struct rate
{
	int deck;
	char prefix[8];
	int64_t price, from, till;
	int blocked;
};

struct entry
{
	int plan, trunk, deck, priority, weight;
};

/* One random world; index 0 of trunks and decks is not used. */
struct world
{
	const char *trunk_state[TRUNKS + 1];
	struct rate rates[RATES];
	int nrates;
	struct entry entries[ENTRIES];
	int nentries;
	int order[PLANS], attempts[PLANS];
};

static uint64_t seed = 20240229;

/* xorshift64 (Marsaglia 2003): the same tables in each run. */
static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static void draw_symbols(char *out, unsigned len)
{
	static const char symbols[] = "0019*#";

	for(unsigned i = 0; i < len; i++)
		out[i] = symbols[below(6)];
	out[len] = '\0';
}

static int is_priced_already(const struct world *w, const struct rate *r)
{
	for(int i = 0; i < w->nrates; i++) {
		const struct rate *other = &w->rates[i];

		if(other->deck == r->deck && strcmp(other->prefix, r->prefix) == 0
				&& other->from < r->till && r->from < other->till)
			return 1;
	}
	return 0;
}

static int is_listed_already(const struct world *w, const struct entry *e)
{
	for(int i = 0; i < w->nentries; i++) {
		if(w->entries[i].plan == e->plan && w->entries[i].trunk == e->trunk
				&& w->entries[i].deck == e->deck)
			return 1;
	}
	return 0;
}

static void draw_world(struct world *w)
{
	static const char *const states[] = {"up", "up", "up", "drain", "down"};

	memset(w, 0, sizeof *w);
	for(int i = 1; i <= TRUNKS; i++)
		w->trunk_state[i] = states[below(5)];
	for(int i = 0; i < PLANS; i++) {
		w->order[i] = (int)below(2);
		w->attempts[i] = 1 + (int)below(CALLROUTE_CANDIDATES);
	}
	for(int i = 0; i < RATES; i++) {
		struct rate r = {.deck = 1 + (int)below(DECKS),
				.price = 100 * below(5),
				.from = NOW - 1 + (int)below(3),
				.blocked = below(8) == 0};

		r.from = below(3) ? 0 : r.from;
		r.till = below(3) ? INT64_MAX : r.from + 1 + (int)below(2);
		draw_symbols(r.prefix, below(5));
		if(!is_priced_already(w, &r))
			w->rates[w->nrates++] = r;
	}
	for(int i = 0; i < ENTRIES; i++) {
		struct entry e = {.plan = (int)below(PLANS),
				.trunk = 1 + (int)below(TRUNKS),
				.deck = 1 + (int)below(DECKS),
				.priority = (int)below(3),
				.weight = (int)below(3)};

		if(!is_listed_already(w, &e))
			w->entries[w->nentries++] = e;
	}
}

static struct callroute_image *build(const struct world *w)
{
	static const char *const orders[] = {"price", "priority"},
							 *const plans[] = {"p0", "p1"};
	static struct complaints said;
	struct callroute_builder *b = rows_new(&said);

	for(int i = 1; i <= DECKS; i++)
		rows_deck(b, i);
	for(int i = TRUNKS; i >= 1; i--)
		rows_trunk(b, i, w->trunk_state[i]);
	for(int i = 0; i < PLANS; i++)
		rows_plan(b, 1 + i, plans[i], orders[w->order[i]], w->attempts[i]);
	for(int i = 0; i < w->nrates; i++) {
		const struct rate *r = &w->rates[i];
		struct callroute_rate_row row = {.id = 1 + i,
				.deck_id = r->deck,
				.price = r->price,
				.valid_from = r->from,
				.valid_till = r->till == INT64_MAX ? 0 : r->till,
				.prefix = r->prefix,
				.blocked = r->blocked,
				.is_default = 1};

		assert_int_equal(callroute_add_rate(b, &row), 0);
	}
	for(int i = 0; i < w->nentries; i++)
		rows_entry(b, 1 + i, 1 + w->entries[i].plan, w->entries[i].trunk,
				w->entries[i].deck, w->entries[i].priority,
				w->entries[i].weight);
	return rows_image(b);
}

/* The vendor's own longest valid prefix, NULL when it has none. */
static const struct rate *find_rate(
		const struct world *w, int deck, const char *number)
{
	const struct rate *best = NULL;

	for(int i = 0; i < w->nrates; i++) {
		const struct rate *r = &w->rates[i];
		size_t len = strlen(r->prefix);

		if(r->deck == deck && r->from <= NOW && NOW < r->till
				&& strncmp(r->prefix, number, len) == 0
				&& (best == NULL || len > strlen(best->prefix)))
			best = r;
	}
	return best;
}

struct choice
{
	int64_t first, second;
	int has_no_weight;
	int trunk, prefix_len;
	int64_t price;
};

static int by_keys(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if(x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if(x->second != y->second)
		return x->second < y->second ? -1 : 1;
	return x->has_no_weight - y->has_no_weight;
}

/* All vendors that may carry the call, in order; *verdict as decided. */
static int choose(const struct world *w, int plan, const char *number,
		struct choice *out, int *verdict)
{
	int n = 0, down = 0, blocked = 0;

	for(int i = 0; i < w->nentries; i++) {
		const struct entry *e = &w->entries[i];
		const struct rate *r =
				e->plan == plan ? find_rate(w, e->deck, number) : NULL;

		if(r == NULL)
			continue;
		blocked += r->blocked;
		if(r->blocked)
			continue;
		if(strcmp(w->trunk_state[e->trunk], "up") != 0) {
			down++;
			continue;
		}
		out[n++] = (struct choice){
				.first = w->order[plan] == 0 ? r->price : e->priority,
				.second = w->order[plan] == 0 ? e->priority : r->price,
				.has_no_weight = e->weight == 0,
				.trunk = e->trunk,
				.prefix_len = (int)strlen(r->prefix),
				.price = r->price};
	}
	*verdict = n		 ? CALLROUTE_OK
			   : down	 ? CALLROUTE_ALL_DOWN
			   : blocked ? CALLROUTE_BLOCKED
						 : CALLROUTE_NO_PREFIX;
	if(n > 1)
		qsort(out, (size_t)n, sizeof *out, by_keys);
	return n;
}

/* Each trunk once, at its best. */
static int drop_repeated(const struct choice *all, int n, struct choice *out)
{
	int kept = 0;

	for(int i = 0; i < n; i++) {
		int again = 0;

		for(int j = 0; j < kept; j++)
			again |= out[j].trunk == all[i].trunk;
		if(!again)
			out[kept++] = all[i];
	}
	return kept;
}

/* The candidate stands among the choices with just these keys. Equals may come
 * in any order, so the place is known only by its keys. */
static void expect_among(const struct choice *all, int n,
		const struct choice *place, const struct callroute_candidate *c)
{
	for(int i = 0; i < n; i++) {
		if(by_keys(&all[i], place) == 0 && all[i].trunk == (int)c->trunk_id
				&& all[i].price == c->price
				&& all[i].prefix_len == c->prefix_len)
			return;
	}
	fail_msg("trunk %u at %lld, prefix of %d: not the right one", c->trunk_id,
			(long long)c->price, c->prefix_len);
}

static void ask_and_compare(const struct world *w,
		const struct callroute_image *im, int plan, const char *number)
{
	struct choice all[ENTRIES], once[ENTRIES];
	int verdict, n = choose(w, plan, number, all, &verdict);
	int trunks = drop_repeated(all, n, once);
	struct callroute_answer a =
			rows_ask(im, plan ? "p1" : "p0", number, below(1u << 30));
	int wanted = trunks < w->attempts[plan] ? trunks : w->attempts[plan];

	assert_int_equal(a.verdict, verdict);
	assert_int_equal(a.count, wanted);
	for(int i = 0; i < wanted; i++) {
		expect_among(all, n, &once[i], &a.candidates[i]);
		for(int j = 0; j < i; j++)
			assert_int_not_equal(
					a.candidates[i].trunk_id, a.candidates[j].trunk_id);
	}
}

static void decides_as_the_plain_decision_does(void **state)
{
	int verdicts = 0, ok = 0;

	(void)state;
	for(int t = 0; t < TABLES; t++) {
		struct callroute_image *im;
		struct world w;

		do {
			draw_world(&w);
		} while(w.nrates == 0 || w.nentries == 0);
		im = build(&w);
		for(int i = 0; i < NUMBERS; i++) {
			struct choice all[ENTRIES];
			char number[16];
			int plan = (int)below(PLANS), verdict;

			draw_symbols(number, 1 + below(7));
			ask_and_compare(&w, im, plan, number);
			ok += choose(&w, plan, number, all, &verdict) > 1;
			verdicts |= 1 << -(verdict < 0 ? verdict : 0);
		}
		support_free(im);
	}
	/* The random tables are worth something: each verdict came, and in a fair
	 * part of the questions there was an order to get right. */
	assert_int_equal(verdicts, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5);
	assert_true(ok > TABLES * NUMBERS / 4);
	print_message("%d questions, %d with an order\n", TABLES * NUMBERS, ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(decides_as_the_plain_decision_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

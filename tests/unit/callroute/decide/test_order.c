/*
 * The rates of an image lie in the order of their prefixes, decks, callers and
 * dates, in whatever order their rows came: against qsort and a plain comparison
 * of texts. Many rows share long beginnings, and more share a whole prefix than
 * are sorted by insertion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include "lib/prefix/trie.h"
#include "unit/random.h"

#include <stdlib.h>

enum
{
	DECKS = 40,
	ROWS = 20000
};

struct row
{
	char prefix[TG_TRIE_MAX_DIGITS + 1], src[4];
	int deck;
	long long from;
	int number; /* its price, which tells it apart */
};

static struct row rows[ROWS];

/* The trie's symbols by their own order. */
static int compare_symbols(const char *a, const char *b)
{
	static const char symbols[] = "0123456789*#";

	while(*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if(*a == '\0' || *b == '\0')
		return (*a != '\0') - (*b != '\0');
	return strchr(symbols, *a) < strchr(symbols, *b) ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int d = compare_symbols(x->prefix, y->prefix);

	if(d == 0)
		d = x->deck - y->deck;
	if(d == 0)
		d = (int)strlen(y->src) - (int)strlen(x->src);
	if(d == 0)
		d = strcmp(x->src, y->src);
	return d != 0 ? d : x->from < y->from ? -1 : x->from > y->from;
}

static int by_number(const void *a, const void *b)
{
	return ((const struct row *)a)->number - ((const struct row *)b)->number;
}

/* Some prefixes are as good as unique, many are one of a few, long and short. */
static void make_rows(uint64_t seed)
{
	static const char *const stems[] = {"49", "4930", "49301234567890123456789",
			"*#", "1", "00000000000000000", "7777777777777777"};

	for(int i = 0; i < ROWS; i++) {
		uint64_t chance = random_next(&seed);
		struct row *r = &rows[i];

		r->deck = (int)(chance % DECKS) + 1;
		r->from = (long long)(chance >> 8 & 3) * 86400;
		snprintf(r->src, sizeof r->src, "%.*s", (int)(chance >> 12 & 3), "431");
		snprintf(r->prefix, sizeof r->prefix, "%s", stems[(chance >> 16) % 7]);
		if(i % 3 != 0)
			snprintf(r->prefix, sizeof r->prefix, "%s%s%d",
					stems[(chance >> 16) % 7], chance >> 40 & 1 ? "#" : "",
					(int)(chance >> 41) & 0x3fff);
	}
	/* One row a place: two would hold at once. */
	qsort(rows, ROWS, sizeof *rows, by_place);
	for(int i = 0; i < ROWS; i++)
		rows[i].number = i > 0 && by_place(&rows[i - 1], &rows[i]) == 0
								 ? -1
								 : (int)(random_next(&seed) >> 34);
	qsort(rows, ROWS, sizeof *rows, by_number);
}

static struct callroute_image *image(void)
{
	struct callroute_builder *b = rows_new();
	int number = 0;

	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	for(int n = 1; n <= DECKS; n++)
		ADD(b, deck, n);
	for(int i = 0; i < ROWS; i++) {
		if(rows[i].number < 0)
			continue;
		rows[i].number = ++number;
		ADD(b, rate, number, row.deck_id = rows[i].deck,
				row.prefix = rows[i].prefix, row.src_prefix = rows[i].src,
				row.price = number, row.valid_from = rows[i].from,
				row.valid_till = rows[i].from + 86400);
	}
	ADD(b, plan, 1);
	for(int n = 1; n <= DECKS; n++)
		ADD(b, entry, n, row.deck_id = n);
	return rows_image(b);
}

static void rates_lie_in_order(void **state)
{
	(void)state;
	for(uint64_t seed = 1; seed <= 5; seed++) {
		const struct callroute_rate *rates;
		struct callroute_image *im;
		uint64_t at = 0;

		make_rows(seed);
		im = image();
		rates = CALLROUTE_ROWS(im, struct callroute_rate, rates);
		qsort(rows, ROWS, sizeof *rows, by_place);
		for(int i = 0; i < ROWS; i++) {
			if(rows[i].number < 0)
				continue;
			assert_true(at < im->rates.count);
			assert_int_equal(
					callroute_rate_price(&rates[at++]), rows[i].number);
		}
		assert_int_equal(at, im->rates.count);
		assert_true(at > ROWS / 4);
		support_free(im);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(rates_lie_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What a whole decision costs, the policy alone: policy_decide FILE [DECKS
 * [ROWS]]. FILE holds a prefix a line; each of DECKS (20) vendors prices ROWS
 * (65000) of them, all the short ones among them, so that every vendor is a
 * candidate for nearly every number. Plain: a plan by price, and nothing else. Full: also
 * a selling deck with a margin, an opening time and a country list for each
 * vendor, a rule that nobody meets, block lists, channel limits and breakers.
 *
 * Prints bytes a rate row, then for both the mean of a loop (processor time) and p50, p99, p99.9
 * of single calls with the clock's own cost taken off, and how many answers a
 * second decision for the same question contradicts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/builder.h"
#include "callroute/callroute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUERIES 200000
#define WHOLE 15
#define SHORT 4					/* digits of a prefix that every deck has */
#define NOW INT64_C(1767225600) /* 2026-01-01 */

struct number
{
	uint8_t len;
	char digits[WHOLE + 1];
};

static char (*prefixes)[34];
static size_t count;
static struct number numbers[QUERIES];
static uint32_t took[QUERIES];
static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
static uint64_t sum;
static struct callroute_live *live;
static struct callroute_work work;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static void must(int rc, const char *what)
{
	if(rc >= 0)
		return;
	fprintf(stderr, "policy_decide: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void complain(void *arg, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void load(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[64];
	size_t room = 0;

	must(in == NULL ? -2 : 0, path);
	while(fgets(line, sizeof line, in) != NULL) {
		size_t len = strcspn(line, "\r\n");

		if(len == 0 || len > 32)
			continue;
		if(count == room) {
			room = room ? 2 * room : 1024;
			prefixes = realloc(prefixes, room * sizeof *prefixes);
			must(prefixes == NULL ? -12 : 0, "prefixes");
		}
		memcpy(prefixes[count], line, len);
		prefixes[count++][len] = '\0';
	}
	fclose(in);
	must(count == 0 ? -2 : 0, "no prefixes");
}

static void make_live(void)
{
	struct callroute_live_config cfg = {.trunks = 1024,
			.calls = 1024,
			.owners = 1024,
			.quality = 4096,
			.half_life_us = 1800000000};
	size_t size = (callroute_live_size(&cfg) + 63) / 64 * 64;
	void *mem = aligned_alloc(64, size);

	must(mem == NULL ? -12 : 0, "live");
	memset(mem, 0, size);
	must(callroute_live_init(mem, size, &cfg, &live), "live");
}

/* Each prefix at most once a deck: all short ones, as every vendor sells every
 * country, and of the others every nth from a random start. */
static void add_rates(struct callroute_builder *b, long long deck, size_t rows,
		long long *id, long long price)
{
	size_t left = rows, n, at;

	for(size_t i = 0; i < count; i++)
		left -= left > 0 && strlen(prefixes[i]) <= SHORT;
	n = left > 0 && count > rows ? (count - (rows - left)) / left : 1;
	at = chance() % n;
	for(size_t i = 0; i < count && rows > 0; i++) {
		struct callroute_rate_row r = {.id = *id + 1,
				.deck_id = deck,
				.price = price + chance() % 1000,
				.first_sec = 1,
				.step_sec = 1,
				.prefix = prefixes[i],
				.src_prefix = ""};

		if(strlen(prefixes[i]) > SHORT && (left == 0 || at++ % n != 0))
			continue;
		must(callroute_add_rate(b, &r), "rate");
		left -= strlen(prefixes[i]) > SHORT;
		rows--;
		++*id;
	}
}

static void add_trunks(struct callroute_builder *b, int decks, int full)
{
	struct callroute_carrier_row c = {
			.id = 1, .name = "carrier", .enabled = 1, .max_channels = 0};
	struct callroute_breaker_row breaker = {.id = 1,
			.name = "breaker",
			.codes = "5xx",
			.window_sec = 60,
			.min_calls = 10,
			.open_at = 50,
			.half_open_after = 30};
	char name[32], uri[64];

	must(callroute_add_breaker(b, &breaker), "breaker");
	must(callroute_add_carrier(b, &c), "carrier");
	for(int i = 1; i <= decks; i++) {
		struct callroute_trunk_row t = {.id = i,
				.carrier_id = 1,
				.max_channels = full ? 1000 : 0,
				.breaker_id = full,
				.down_after = 3,
				.up_after = 2,
				.try_timeout_ms = 3000,
				.ring_timeout_ms = 60000,
				.name = name,
				.uri = uri,
				.socket = "",
				.transport = "",
				.prefix = "",
				.dst_rewrite = "",
				.src_rewrite = "",
				.cli_policy = "pass",
				.codecs = "",
				.media = "rtp",
				.admin_state = "up"};

		snprintf(name, sizeof name, "trunk-%d", i);
		snprintf(uri, sizeof uri, "sip:192.0.2.%d", i);
		must(callroute_add_trunk(b, &t), "trunk");
	}
}

static void add_plan(struct callroute_builder *b, int decks, int full)
{
	struct callroute_plan_row p = {.id = 1,
			.sell_deck_id = full ? decks + 1 : 0,
			.min_margin = 0,
			.max_attempts = 3,
			.tenant = "",
			.name = "plan",
			.order_by = "price"};
	struct callroute_rule_row rule = {.id = 1,
			.plan_id = 1,
			.priority = 1,
			.prefix = "999999",
			.src_prefix = "",
			.action = "block",
			.target = ""};

	must(callroute_add_plan(b, &p), "plan");
	for(int i = 1; i <= decks; i++) {
		struct callroute_entry_row e = {.id = i,
				.plan_id = 1,
				.trunk_id = i,
				.deck_id = i,
				.priority = 10,
				.weight = 1,
				.time_id = full,
				.src_countries = "",
				.dst_countries = full ? "!KP" : ""};

		must(callroute_add_entry(b, &e), "plan_trunk");
	}
	if(!full)
		return;
	must(callroute_add_rule(b, &rule), "rule");
	must(callroute_add_block(b, 1, "*", "dst", "88299"), "block");
	must(callroute_add_block(b, 2, "*", "src", "88299"), "block");
}

static void *make_image(int decks, size_t rows, int full, double *bytes_a_row)
{
	struct callroute_builder *b =
			callroute_builder_new(NOW, live, complain, NULL);
	struct callroute_time_row always = {.id = 1,
			.tz = "Europe/Berlin",
			.dtstart = "20250101T000000",
			.duration = "PT20H",
			.rrule = "FREQ=DAILY",
			.exdate = ""};
	long long id = 0;
	size_t size = (size_t)512 << 20, used;
	void *mem = aligned_alloc(64, size);
	char name[32];

	must(b == NULL || mem == NULL ? -12 : 0, "image");
	must(callroute_add_time(b, &always), "time");
	add_trunks(b, decks, full);
	for(int i = 1; i <= decks + 1; i++) {
		struct callroute_deck_row d = {.id = i,
				.name = name,
				.side = i > decks ? "sell" : "buy",
				.currency = "EUR",
				.enabled = 1};

		snprintf(name, sizeof name, "deck-%d", i);
		must(callroute_add_deck(b, &d), "deck");
	}
	for(int i = 1; i <= decks; i++)
		add_rates(b, i, rows, &id, 1000);
	if(full)
		add_rates(b, decks + 1, rows, &id, 2000);
	add_plan(b, decks, full);
	must(callroute_builder_write(b, mem, size, &used), "write");
	callroute_builder_free(b);
	*bytes_a_row = (double)used / (double)id;
	return mem;
}

/* Half of the numbers are a stored prefix, half go on to 15 digits. */
static void ask(void)
{
	for(uint32_t i = 0; i < QUERIES; i++) {
		const char *prefix = prefixes[chance() % count];
		struct number *n = &numbers[i];
		size_t len = strlen(prefix);

		n->len = (uint8_t)(len < WHOLE ? len : WHOLE);
		memcpy(n->digits, prefix, n->len);
		while(i % 2 && n->len < WHOLE)
			n->digits[n->len++] = (char)('0' + chance() % 10);
	}
}

static void decide(
		const void *image, const struct number *n, struct callroute_answer *a)
{
	struct callroute_question q = {.plan = "plan",
			.plan_len = 4,
			.number = n->digits,
			.number_len = n->len,
			.src = "4930123456",
			.src_len = 10,
			.now = NOW + 3600 * 12,
			.clock = 1000000,
			.seed = 1};

	callroute_decide(image, live, &q, &work, a);
	sum += (uint64_t)a->count;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void singles(const void *image)
{
	struct callroute_answer a;

	for(uint32_t i = 0; i < QUERIES; i++) {
		uint64_t begin = clock_ns(CLOCK_MONOTONIC);

		if(image != NULL)
			decide(image, &numbers[i], &a);
		took[i] = (uint32_t)(clock_ns(CLOCK_MONOTONIC) - begin);
	}
	qsort(took, QUERIES, sizeof *took, by_value);
}

static uint32_t measure(const char *what, const void *image, double bytes)
{
	struct callroute_answer a, again;
	uint32_t clock_cost, wrong = 0, chosen = 0;
	double best = 0;

	for(int r = 0; r < 3; r++) {
		uint64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		double ns;

		for(uint32_t i = 0; i < QUERIES; i++)
			decide(image, &numbers[i], &a);
		ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / QUERIES;
		best = r == 0 || ns < best ? ns : best;
	}
	singles(NULL);
	clock_cost = took[QUERIES / 2];
	singles(image);
	for(uint32_t i = 0; i < QUERIES; i++) {
		decide(image, &numbers[i], &a);
		decide(image, &numbers[i], &again);
		chosen += a.count > 0;
		wrong += a.verdict != again.verdict || a.count != again.count
				 || (a.count > 0
						 && a.candidates[0].trunk_id
									!= again.candidates[0].trunk_id);
	}
	printf("decide_%s %.1f %.1f %.1f %.1f ns, %.1f bytes a row, chosen %u, "
		   "wrong %u\n",
			what, best, (double)took[QUERIES / 2] - clock_cost,
			(double)took[QUERIES / 100 * 99] - clock_cost,
			(double)took[QUERIES / 1000 * 999] - clock_cost, bytes, chosen,
			wrong);
	return wrong + (chosen == 0);
}

int main(int argc, char **argv)
{
	int decks = argc > 2 ? atoi(argv[2]) : 20;
	size_t rows = argc > 3 ? (size_t)atol(argv[3]) : 65000;
	double bytes;
	void *image;
	uint32_t wrong;

	if(argc < 2 || decks < 1 || decks > 200 || rows < 1) {
		fprintf(stderr, "policy_decide FILE [DECKS [ROWS]]\n");
		return 1;
	}
	load(argv[1]);
	ask();
	make_live();
	image = make_image(decks, rows, 0, &bytes);
	wrong = measure("plain", image, bytes);
	free(image);
	image = make_image(decks, rows, 1, &bytes);
	wrong += measure("full", image, bytes);
	return wrong != 0;
}

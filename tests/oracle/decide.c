/*
 * The routing decision as a program, for the oracle to be compared with: rows,
 * what befalls the trunks, and questions come as lines; every line but a row is
 * answered by one line. oracle.py has the same protocol and says what each
 * field means.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lookups.h"

#include "callroute/live/breaker.h"
#include "callroute/callroute.h"
#include "callroute/live/capacity.h"
#include "callroute/live/health.h"
#include "callroute/live/quality.h"
#include "lib/geo/country.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES 64

/* One data set. */
static struct
{
	int64_t now;
	void *live_memory;
	struct callroute_live *live;
	struct callroute_builder *builder;
	struct callroute_image *image; /* NULL: not loaded */
	long long time_ids[TIMES];	   /* by index */
	int times;
} set;

static void complain(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "decide: %s\n", line);
}

static void end_set(void)
{
	callroute_builder_free(set.builder);
	free(set.image);
	free(set.live_memory);
	memset(&set, 0, sizeof set);
}

static void new_set(const struct line *l)
{
	struct callroute_live_config cfg = {.trunks = 64,
			.calls = 1024,
			.owners = 64,
			.quality = 4096,
			.half_life_us = UINT64_C(7) * 86400 * 1000000};
	size_t size = callroute_live_size(&cfg);

	end_set();
	set.now = number(l, 1);
	size = (size + 63) & ~(size_t)63;
	set.live_memory = aligned_alloc(64, size);
	if(size == 0 || set.live_memory == NULL)
		die("no live state", "configuration or memory");
	memset(set.live_memory, 0, size);
	if(callroute_live_init(set.live_memory, size, &cfg, &set.live) < 0)
		die("no live state", "init");
	set.builder = callroute_builder_new(set.now, set.live, complain, NULL);
	if(set.builder == NULL)
		die("no memory", "builder");
	puts("new");
}

/* A second load of the same data set: the image and the live state stay. */
static void load_again(const struct line *l)
{
	set.now = number(l, 1);
	set.times = 0;
	callroute_builder_free(set.builder);
	set.builder = callroute_builder_new(set.now, set.live, complain, NULL);
	if(set.builder == NULL)
		die("no memory", "builder");
	puts("again");
}

/* The rates of the image in use instead of rows, but for those of one deck. */
static void keep(const struct line *l)
{
	uint32_t except = (uint32_t)number(l, 1);
	int can;

	if(set.image == NULL || set.builder == NULL)
		die("nothing to keep rates from", text(l, 1));
	can = callroute_can_keep_rates(set.builder, set.image, except);
	if(can && callroute_keep_rates(set.builder, set.image, except) < 0)
		die("no memory", "rates");
	printf("keep\t%d\n", can);
}

static void build(void)
{
	size_t size = 4096, used = 0;
	void *mem = malloc(size);
	int rc = callroute_builder_write(set.builder, mem, size, &used);

	for(int tries = 0; rc == -ENOSPC && tries < 3; tries++) {
		free(mem);
		size = used;
		mem = malloc(size);
		if(mem == NULL)
			die("no memory", "image");
		rc = callroute_builder_write(set.builder, mem, size, &used);
	}
	callroute_builder_free(set.builder);
	set.builder = NULL;
	if(rc < 0) {
		free(mem);
		printf("refused\t%d\n", rc);
		return;
	}
	free(set.image);
	set.image = mem;
	puts("built");
}

/* --- what befalls the trunks ------------------------------------------------ */

static const struct callroute_trunk *trunk(const struct line *l)
{
	const struct callroute_trunk *t =
			set.image == NULL
					? NULL
					: callroute_find_trunk(set.image, (uint32_t)number(l, 1));

	if(t == NULL)
		die("no such trunk", text(l, 1));
	return t;
}

static void set_admin(const struct line *l)
{
	static const char *const states[] = {"none", "up", "drain", "down"};

	for(int i = 0; i < 4; i++) {
		if(strcmp(states[i], text(l, 2)) == 0)
			printf("admin\t%d\n",
					callroute_live_set_admin(set.live, (int)trunk(l)->live,
							(enum callroute_admin)i));
	}
}

static void probe(const struct line *l)
{
	const struct callroute_trunk *t = trunk(l);

	printf("probe\t%d\n",
			callroute_health_probe(set.live, (int)t->live, (int)number(l, 2),
					t->down_after, t->up_after, (uint64_t)number(l, 3)));
}

/* One attempt with its outcome: what the breaker says to both. */
static void attempt(const struct line *l)
{
	const struct callroute_trunk *t = trunk(l);
	uint64_t started = (uint64_t)number(l, 2);
	int rc = callroute_breaker_take(
			set.live, (int)t->live, &t->breaker, started);
	int edge = 0;

	if(rc == 0 && strcmp(text(l, 3), "lost") != 0)
		edge = callroute_breaker_report(set.live, (int)t->live, &t->breaker,
				started, (int)number(l, 3), (uint64_t)number(l, 4));
	printf("attempt\t%d\t%d\n", rc == 0, edge);
}

static void take(const struct line *l)
{
	struct callroute_claim claim;

	callroute_claim_of(set.image, trunk(l), &claim);
	claim.account = (uint32_t)number(l, 3);
	claim.limit[CALLROUTE_OWNER_ACCOUNT] = (struct callroute_limit){
			(uint32_t)number(l, 4), (uint32_t)number(l, 5)};
	printf("take\t%d\n",
			callroute_capacity_take(set.live, (uint64_t)number(l, 2), &claim,
					(uint64_t)number(l, 7), (uint64_t)number(l, 6)));
}

static void sample(const struct line *l)
{
	struct callroute_sample s = {
			.outcome = (enum callroute_outcome)number(l, 3),
			.pdd_ms = number(l, 4) < 0 ? CALLROUTE_NO_PDD
									   : (uint32_t)number(l, 4)};
	int country = tg_country_index(text(l, 2));

	/* The group is what the answer calls the country: its index + 1. */
	if(country < 0)
		die("no such country", text(l, 2));
	for(long long n = number(l, 5); n > 0; n--)
		callroute_quality_add(set.live, (int)trunk(l)->live,
				(uint16_t)(country + 1), &s, (uint64_t)number(l, 6));
	puts("sample");
}

/* --- questions ---------------------------------------------------------------- */

static const char *iso(uint16_t country)
{
	const char *code = country == 0 ? "" : tg_country_iso(country - 1);

	return code == NULL ? "?" : code;
}

/* A vendor by its ids: trunk/deck/time, or trunk/rule/place among the targets. */
static void print_vendor(const struct callroute_vendor *v, int place)
{
	const struct callroute_trunk *t = &CALLROUTE_ROWS(
			set.image, struct callroute_trunk, trunks)[v->trunk];
	const struct callroute_entry *e;

	if(v->entry == CALLROUTE_NONE) {
		printf("%u/rule/%d", t->id, place);
		return;
	}
	e = &CALLROUTE_ROWS(set.image, struct callroute_entry, entries)[v->entry];
	printf("%u/%u/%lld", t->id,
			CALLROUTE_ROWS(set.image, struct callroute_deck, decks)[e->deck].id,
			e->time == CALLROUTE_NONE ? 0 : set.time_ids[e->time]);
}

static void print_answer(
		const struct callroute_answer *a, const struct callroute_work *work)
{
	printf("%d\t%s\t%d\t%u\t%s\t%u\t%lld\t%s\t%s\t%.*s\t%s\t", a->verdict,
			a->reason, a->emergency, a->plan_id, a->plan, a->rule_id,
			(long long)a->sell, iso(a->src_country), iso(a->dst_country),
			a->routing_len, a->routing_number, a->redirect);
	for(int i = 0; i < a->count; i++) {
		const struct callroute_candidate *c = &a->candidates[i];
		const struct callroute_vendor *v = &work->vendors[c->place];

		if(i > 0)
			putchar(' ');
		print_vendor(v, c->place);
		printf(":%u:%lld:%lld:%u:%u:%u:%u", c->trunk_id, (long long)c->price,
				(long long)c->connect_fee, c->first_sec, c->step_sec,
				c->prefix_len, c->quality);
	}
	putchar('\t');
	for(int i = 0; i < work->count; i++) {
		const struct callroute_vendor *v = &work->vendors[i];

		if(i > 0)
			putchar(' ');
		print_vendor(v, i);
		printf(":%s:%lld", callroute_fate_name((enum callroute_fate)v->fate),
				(long long)v->price);
	}
	putchar('\n');
}

static void ask(const struct line *l)
{
	static struct callroute_work work;
	struct callroute_answer a;
	struct callroute_question q = {.plan = text(l, 1),
			.plan_len = strlen(text(l, 1)),
			.number = text(l, 2),
			.number_len = strlen(text(l, 2)),
			.src = text(l, 3),
			.src_len = strlen(text(l, 3)),
			.account = (uint32_t)number(l, 4),
			.account_limit = {(uint32_t)number(l, 5), (uint32_t)number(l, 6)},
			.now = number(l, 7),
			.clock = (uint64_t)number(l, 8),
			.seed = (uint64_t)number(l, 9)};

	callroute_decide(set.image, set.live, &q, &work, &a);
	print_answer(&a, &work);
}

/* --- lines -------------------------------------------------------------------- */

static void split(char *s, struct line *l)
{
	l->count = 0;
	for(;;) {
		char *tab = strchr(s, '\t');

		if(l->count == LINE_FIELDS)
			die("too many fields", l->field[0]);
		l->field[l->count++] = s;
		if(tab == NULL)
			return;
		*tab = '\0';
		s = tab + 1;
	}
}

static void obey(const struct line *l)
{
	const char *command = l->field[0];

	if(add_row(set.builder, l)) {
		if(strcmp(command, "time") != 0)
			return;
		if(set.times == TIMES)
			die("too many times", text(l, 1));
		set.time_ids[set.times++] = number(l, 1);
	} else if(look_up(set.image, l))
		return;
	else if(strcmp(command, "new") == 0)
		new_set(l);
	else if(strcmp(command, "again") == 0)
		load_again(l);
	else if(strcmp(command, "keep") == 0)
		keep(l);
	else if(strcmp(command, "build") == 0)
		build();
	else if(strcmp(command, "ask") == 0)
		ask(l);
	else if(strcmp(command, "admin") == 0)
		set_admin(l);
	else if(strcmp(command, "probe") == 0)
		probe(l);
	else if(strcmp(command, "attempt") == 0)
		attempt(l);
	else if(strcmp(command, "take") == 0)
		take(l);
	else if(strcmp(command, "release") == 0)
		printf("release\t%d\n",
				callroute_capacity_release(set.live, (uint64_t)number(l, 1),
						(uint64_t)number(l, 2)));
	else if(strcmp(command, "sample") == 0)
		sample(l);
	else
		die("no such command", command);
}

int main(void)
{
	char *s = NULL;
	size_t room = 0;
	ssize_t len;
	struct line l;

	while((len = getline(&s, &room, stdin)) > 0) {
		if(s[len - 1] == '\n')
			s[len - 1] = '\0';
		split(s, &l);
		obey(&l);
		/* A finished data set is seen at once by who waits for it. */
		if(strcmp(l.field[0], "new") == 0)
			fflush(stdout);
	}
	end_set();
	free(s);
	return 0;
}

/*
 * A load of callroute with everything at once: policy_load TRUNKS. Every other
 * table grows with them: plans with as many trunks, rules with as many targets
 * and hunt groups with as many members as the builder allows; accounts of every
 * kind, block lists of single plans, DIDs that lead to groups, sets of
 * countries. Names and prefixes come in no order.
 *
 * Prints the rows and the processor time of each table, of the write and of all,
 * then the bytes of the image. A row that the builder refuses, an image that has
 * not all rows or a call that finds no trunk in it ends the program with 1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "libbench.h"
#include "policy_load_rows.h"

#define NOW INT64_C(1767225600) /* 2026-01-01 */
#define ROOM_PER_TRUNK \
	16384 /* bytes of the image; what is not touched is not real */

static struct callroute_live *live;
static uint64_t total;

static void complain(void *arg, const char *line)
{
	static uint32_t told;

	if(told++ < 10)
		printf("%s\n", line);
}

static void tell(const char *what, uint32_t rows, uint64_t ns)
{
	total += ns;
	printf("load_%s %u %.6f s\n", what, rows, (double)ns / 1e9);
	(void)fflush(stdout);
}

static void fill(const char *table, uint32_t rows, int (*add)(uint32_t))
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < rows; i++)
		require(add(i) == 0, table);
	tell(table, rows, cpu_ns() - begin);
}

static void make_live(void)
{
	struct callroute_live_config cfg = {.trunks = trunks,
			.calls = 1024,
			.owners = 1024,
			.quality = 4096,
			.half_life_us = 1800000000};
	size_t size = callroute_live_size(&cfg), mapped;

	require(callroute_live_init(bench_map(size, &mapped), size, &cfg, &live)
					== 0,
			"live");
}

static void fill_all(void)
{
	fill("time", trunks / FEW, add_time);
	fill("failover", trunks / FEW, add_failover);
	fill("breaker", trunks / FEW, add_breaker);
	fill("carrier", trunks / 4, add_carrier);
	fill("trunk", trunks, add_trunk);
	fill("deck", trunks / FEW, add_deck);
	fill("rate", 16 * trunks, add_rate);
	fill("plan", trunks / 16, add_plan);
	fill("plan_trunk", 16 * trunks, add_entry);
	fill("account", 4 * trunks, add_account);
	fill("rule", 4 * trunks, add_rule);
	fill("block", 4 * trunks, add_block);
	fill("group", trunks / 16, add_group);
	fill("member", 4 * trunks, add_member);
	fill("did", 4 * trunks, add_did);
	fill("lnp", 4 * trunks, add_ported);
}

/* The image has it all, and a call finds a trunk in it. */
static void check(const struct callroute_image *im)
{
	static struct callroute_work work;
	struct callroute_answer a;
	char plan[64];
	struct callroute_question q = {.plan = plan,
			.number = "490001123456",
			.number_len = 12,
			.src = "4930123456",
			.src_len = 10,
			.now = NOW + 3600 * 12,
			.clock = 1000000,
			.seed = 1};

	name_of(plan, "plan", trunks / 16 - 1);
	q.plan_len = strlen(plan);
	require(im->trunks.count == trunks && im->plans.count == trunks / 16
					&& im->entries.count == 16 * trunks
					&& im->accounts.count == 4 * trunks
					&& im->rules.count == 4 * trunks
					&& im->targets.count == 32 * trunks
					&& im->groups.count == trunks / 16
					&& im->members.count == 4 * trunks,
			"the image has not all rows");
	callroute_decide(im, live, &q, &work, &a);
	require(a.count > 0, "no trunk for a call");
}

int main(int argc, char **argv)
{
	size_t size, used;
	uint64_t begin;
	void *mem;

	trunks = argc == 2 ? (uint32_t)atol(argv[1]) : 0;
	if(trunks < 1024 || trunks > MOST || (trunks & (trunks - 1)) != 0) {
		fprintf(stderr, "policy_load TRUNKS (a power of two, 1024 to %d)\n",
				MOST);
		return 1;
	}
	make_live();
	mem = bench_map((size_t)ROOM_PER_TRUNK * trunks, &size);
	b = callroute_builder_new(NOW, live, complain, NULL);
	require(b != NULL, "no memory");
	fill_all();
	begin = cpu_ns();
	require(callroute_builder_write(b, mem, size, &used) == 0, "write");
	tell("write", 1, cpu_ns() - begin);
	begin = cpu_ns();
	callroute_builder_free(b);
	tell("free", 1, cpu_ns() - begin);
	check(mem);
	printf("load_all %u %.6f s\nimage %zu bytes\n", trunks, (double)total / 1e9,
			used);
	return 0;
}

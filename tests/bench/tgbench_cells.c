/*
 * Counting by key: our cells, pipelimit, htable and pike, on the same IPv4
 * addresses. Each takes its key as its users give it: text for cells, pipelimit
 * and htable (the hash of the text is part of the time), an address for pike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "lib/table/cells.h"
#include "lib/share/hash.h"
#include "lib/share/region.h"

#include "core/mem/shm.h"
#include "modules/htable/ht_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 1000000
#define CELLS (1 << 21)
#define WINDOW UINT64_C(60000000)
#define HOT 64
#define LOOP_NS 60e6  /* one repeat of a loop takes about so long */
#define LIMIT 1000000 /* never reached */

struct address
{
	uint32_t ip;
	uint8_t len;
	char text[19];
};

static struct address *keys;
static struct tg_cells *table;
static const struct tg_hashkey hash_key = {1, 2};
static uint64_t now = UINT64_C(1000000000);

static inline uint64_t id_of(uint32_t i)
{
	return tg_hash_id(&hash_key, 1, keys[i].text, keys[i].len);
}

static uint32_t count_cells(uint32_t i)
{
	uint32_t seen;

	(void)tg_cells_add(table, id_of(i), 1, WINDOW, now++, &seen);
	return seen;
}

static uint32_t count_cells_clock(uint32_t i)
{
	uint32_t seen;

	(void)tg_cells_add(table, id_of(i), 1, WINDOW, glue_now(), &seen);
	return seen;
}

static uint32_t count_pipelimit(uint32_t i)
{
	static int (*check)(sip_msg_t *, str *, str *, int);
	str name = {keys[i].text, keys[i].len}, algorithm = str_init("TAILDROP");

	if(check == NULL)
		check = tgbench_kemi("pipelimit", "pl_check_limit");
	return (uint32_t)check(tgbench_message(), &name, &algorithm, LIMIT);
}

static uint32_t count_htable(str *name, uint32_t i)
{
	static ht_cell_t *(*add)(ht_t *, str *, int, ht_cell_t *);
	static ht_t *(*find)(str *);
	static ht_cell_t *copy; /* reused, as the module's own callers do */
	str key = {keys[i].text, keys[i].len};
	ht_cell_t *got;

	if(add == NULL) {
		add = tgbench_symbol("htable", "ht_cell_value_add");
		find = tgbench_symbol("htable", "ht_get_table");
	}
	got = add(find(name), &key, 1, copy);
	if(got != copy) {
		if(copy != NULL)
			pkg_free(copy);
		copy = got;
	}
	return got != NULL ? (uint32_t)got->value.n : 0;
}

static uint32_t count_htable_default(uint32_t i)
{
	str name = str_init("small");

	return count_htable(&name, i);
}

static uint32_t count_htable_best(uint32_t i)
{
	str name = str_init("large");

	return count_htable(&name, i);
}

static uint32_t count_pike(uint32_t i)
{
	static int (*check)(sip_msg_t *, ip_addr_t *);
	ip_addr_t ip = {.af = AF_INET, .len = 4};

	if(check == NULL)
		check = tgbench_symbol("pike", "pike_check_ipaddr");
	ip.u.addr32[0] = keys[i].ip;
	return (uint32_t)check(tgbench_message(), &ip);
}

/* The whole script function: ban look-up, text key, all rules, clock. */
static uint32_t count_fraudguard(uint32_t i)
{
	static int (*source)(sip_msg_t *);

	if(source == NULL)
		source = tgbench_kemi("fraudguard", "source");
	tgbench_message()->rcv.src_ip.u.addr32[0] = keys[i].ip;
	return (uint32_t)source(tgbench_message());
}

static const struct tgbench_case counters[] = {
		{"cells", count_cells, "tg_hash_id, tg_cells_add"},
		{"cells, clock", count_cells_clock, "the same and clock_gettime"},
		{"pipelimit", count_pipelimit, "pl_check_limit"},
		{"htable default", count_htable_default, "ht_cell_value_add"},
		{"htable best", count_htable_best, "ht_cell_value_add"},
		{"pike", count_pike, "pike_check_ipaddr"},
		{"fraudguard", count_fraudguard, "fraudguard_source, all of it"},
};

static int prepare(void)
{
	struct tg_cells_config cfg = {.cells = CELLS, .admission = 1};
	struct tg_region region;

	if(keys != NULL)
		return 0;
	keys = calloc(KEYS, sizeof *keys);
	if(keys == NULL || tg_region_map(&region, tg_cells_size(&cfg)) < 0
			|| tg_cells_init(region.base, region.size, &cfg, &table) < 0)
		return -1;
	for(uint32_t i = 0; i < KEYS; i++) {
		/* Odd multiplier: 2^32 numbers in an order without repetition. */
		uint32_t ip = (i + 1) * UINT32_C(2654435761);
		const uint8_t *b = (const uint8_t *)&ip;

		keys[i].ip = ip;
		keys[i].len = (uint8_t)snprintf(keys[i].text, sizeof keys[i].text,
				"%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	}
	return 0;
}

/* `n` keys out of the first `range`, at random. */
static uint32_t *pick(uint32_t range, uint32_t n)
{
	uint32_t *order = malloc(n * sizeof *order);

	for(uint32_t i = 0; order != NULL && i < n; i++)
		order[i] = tgbench_random() % range;
	return order;
}

static int among(rpc_t *rpc, void *h, const struct tgbench_case *c,
		uint32_t range, const char *const names[5])
{
	uint32_t n = 2000, *order = pick(range, KEYS);
	struct tgbench_result r;
	double ns, pair;

	if(order == NULL)
		return -1;
	ns = tgbench_loop(c->call, order, n);
	ns = LOOP_NS / (ns > 10 ? ns : 10);
	n = ns > KEYS ? KEYS : ns < n ? n : (uint32_t)ns;
	tgbench_measure(c, 1, order, n, &r);
	pair = tgbench_pair(c->call, order, n);
	free(order);
	return rpc->struct_add(h, "fffff", names[0], r.mean, names[1], r.p50,
			names[2], r.p99, names[3], r.p999, names[4], pair);
}

/* tgbench.cells case from to: adds keys [from, to) to those it knows, then
 * counts on. -> ns for new keys, few hot ones, all; shared memory used. */
void tgbench_rpc_cells(rpc_t *rpc, void *ctx)
{
	static const char *const hot[] = {
			"hot", "hot_p50", "hot_p99", "hot_p999", "hot_pair"};
	static const char *const cold[] = {
			"cold", "cold_p50", "cold_p99", "cold_p999", "cold_pair"};
	const struct tgbench_case *c = NULL;
	struct mem_info before, after;
	uint32_t *order;
	str name;
	int from, to;
	double fresh;
	void *h;

	if(rpc->scan(ctx, "Sdd", &name, &from, &to) < 3 || from < 0 || from >= to
			|| to > KEYS || prepare() < 0) {
		rpc->fault(ctx, 400, "tgbench.cells case from to");
		return;
	}
	for(size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		if(strlen(counters[i].name) == (size_t)name.len
				&& memcmp(counters[i].name, name.s, (size_t)name.len) == 0)
			c = &counters[i];
	}
	order = c != NULL ? tgbench_shuffled((uint32_t)(to - from)) : NULL;
	if(order == NULL) {
		rpc->fault(ctx, 404, "no such case");
		return;
	}
	for(int i = 0; i < to - from; i++)
		order[i] += (uint32_t)from;
	shm_info(&before);
	fresh = tgbench_loop(c->call, order, (uint32_t)(to - from));
	shm_info(&after);
	free(order);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ssff", "name", c->name, "how", c->how, "new", fresh,
			"bytes",
			((double)after.real_used - (double)before.real_used) / (to - from));
	among(rpc, h, c, HOT, hot);
	among(rpc, h, c, (uint32_t)to, cold);
}

/*
 * Longest-prefix lookups: ours, and those of drouting, mtree, pdt and lcr as
 * their modules do them, on the trees that their own loaders built from the
 * database. The functions are found by name in the loaded modules, so nothing
 * of a script's or a message's cost is in these figures. No reader's lock is
 * taken for them either, which spares them what they pay on a call.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "lib/prefix/trie.h"

#include "lib/srdb1/db.h"
#include "modules/drouting/routing.h"
#include "modules/mtree/mtree.h"
#include "modules/pdt/pdtree.h"

#include <stdlib.h>
#include <string.h>

/* Gateways that lcr's rules are spread over: it answers with gateways only. */
#define LCR_GATEWAYS 100
#define LCR_ANSWERS 129 /* its MAX_NO_OF_GWS, and one */

static rt_info_t *(*dr_get_prefix)(ptree_t *, str *, unsigned int);
static rt_data_t *dr_data;
static is_t *(*mt_value)(m_tree_t *, str *, int *);
static m_tree_t *mt_tree;
static str *(*pdt_domain)(pdt_tree_t *, str *, str *, int *);
static pdt_tree_t *pdt_tree;
static int (*lcr_gws)(int, str *, str *, str *, unsigned int *);
static uint32_t lcr_gateway[LCR_GATEWAYS + 1]; /* id by index */

static inline str number_of(uint32_t i)
{
	struct tgbench_query *q = &tgbench_queries[i];

	return (str){TGBENCH_NUMBER(q), q->len};
}

static uint32_t look_trie(uint32_t i)
{
	const struct tgbench_query *q = &tgbench_queries[i];
	struct tg_trie_match match;

	return tg_trie_longest(tgbench_trie, TGBENCH_NUMBER(q), q->len, &match) == 0
				   ? match.value
				   : 0;
}

/* What a decision for several vendors needs: all prefixes of the number. */
static uint32_t look_trie_all(uint32_t i)
{
	const struct tgbench_query *q = &tgbench_queries[i];
	struct tg_trie_match match[TG_TRIE_MAX_DIGITS];
	int n = tg_trie_walk(
			tgbench_trie, TGBENCH_NUMBER(q), q->len, match, TG_TRIE_MAX_DIGITS);

	return n > 0 ? match[n - 1].value : 0;
}

static uint32_t look_drouting(uint32_t i)
{
	str number = number_of(i);
	rt_info_t *rt = dr_get_prefix(dr_data->pt, &number, 0);

	return rt != NULL ? rt->priority : 0;
}

static uint32_t look_mtree(uint32_t i)
{
	str number = number_of(i);
	int len;
	is_t *value = mt_value(mt_tree, &number, &len);

	return value != NULL ? (uint32_t)value->n : 0;
}

static uint32_t look_pdt(uint32_t i)
{
	str number = number_of(i), all = str_init("*");
	int len;
	str *domain = pdt_domain(pdt_tree, &all, &number, &len);

	return domain != NULL ? (uint32_t)(uintptr_t)domain : 0;
}

static uint32_t pdt_answer(uint32_t i)
{
	str number = number_of(i), all = str_init("*");
	int len;
	str *domain = pdt_domain(pdt_tree, &all, &number, &len);

	return domain != NULL ? (uint32_t)atoi(domain->s) : 0;
}

static uint32_t look_lcr(uint32_t i)
{
	unsigned int gateways[LCR_ANSWERS];
	str number = number_of(i), none = str_init("");

	return lcr_gws(1, &number, &none, &none, gateways) > 0 ? gateways[0] : 0;
}

static uint32_t lcr_answer(uint32_t i)
{
	uint32_t index = look_lcr(i);

	return index <= LCR_GATEWAYS ? lcr_gateway[index] : 0;
}

static const struct tgbench_case lookups[] = {
		{"trie", look_trie, "tg_trie_longest"},
		{"trie, all prefixes", look_trie_all, "tg_trie_walk"},
		{"drouting", look_drouting, "its get_prefix, without its lock"},
		{"mtree", look_mtree, "its mt_get_tvalue, without its lock"},
		{"pdt", look_pdt, "its pdt_get_domain, without its lock"},
		{"lcr", look_lcr, "its load_gws_dummy: gateways, without AVPs"},
};

#define LOOKUPS ((int)(sizeof lookups / sizeof lookups[0]))

/* How to read each one's answer, and what it must be. */
static const struct
{
	tgbench_call_f answer;
	int gateway;
} answers[LOOKUPS] = {{look_trie, 0}, {look_trie_all, 0}, {look_drouting, 0},
		{look_mtree, 0}, {pdt_answer, 0}, {lcr_answer, 1}};

/* lcr sorts its gateways: asks it where each of ours is. 0, -1. */
static int find_gateways(void)
{
	int (*index_of)(void *, unsigned int, unsigned short *) =
			tgbench_symbol("lcr", "get_gw_index");
	void ***tables = tgbench_symbol("lcr", "gw_pt");
	unsigned short index;

	if(index_of == NULL || tables == NULL)
		return -1;
	for(uint32_t id = 1; id <= LCR_GATEWAYS; id++) {
		if(!index_of((*tables)[1], id, &index) || index > LCR_GATEWAYS)
			return -1;
		lcr_gateway[index] = id;
	}
	return 0;
}

/* Finds functions and data; the trees may be new after a reload. 0, -1. */
static int find_all(void)
{
	static m_tree_t *(*mt_tree_of)(str *);
	static pdt_tree_t **(*pdt_trees)(void);
	str name = str_init("t");

	if(dr_get_prefix == NULL) {
		dr_get_prefix = tgbench_symbol("drouting", "get_prefix");
		mt_value = tgbench_symbol("mtree", "mt_get_tvalue");
		mt_tree_of = tgbench_symbol("mtree", "mt_get_tree");
		pdt_domain = tgbench_symbol("pdt", "pdt_get_domain");
		pdt_trees = tgbench_symbol("pdt", "pdt_get_ptree");
		lcr_gws = tgbench_symbol("lcr", "load_gws_dummy");
	}
	if(dr_get_prefix == NULL || mt_value == NULL || mt_tree_of == NULL
			|| pdt_domain == NULL || pdt_trees == NULL || lcr_gws == NULL
			|| find_gateways() < 0)
		return -1;
	mt_tree = mt_tree_of(&name);
	pdt_tree = *pdt_trees();
	return dr_data != NULL && mt_tree != NULL && pdt_tree != NULL ? 0 : -1;
}

/* tgbench.load_drouting db_url: its loader, called as its reload does; its own
 * copy of the data is out of our reach. */
void tgbench_rpc_drouting(rpc_t *rpc, void *ctx)
{
	str gateways = str_init("dr_gateways"), lists = str_init("dr_gw_lists");
	str rules = str_init("dr_rules"), url;
	rt_data_t *(*load)(const db_func_t *, db1_con_t *, str *, str *, str *) =
			tgbench_symbol("drouting", "dr_load_routing_info");
	db_func_t f;
	db1_con_t *con;

	if(rpc->scan(ctx, "S", &url) < 1 || load == NULL
			|| db_bind_mod(&url, &f) < 0 || (con = f.init(&url)) == NULL) {
		rpc->fault(ctx, 500, "tgbench.load_drouting db_url");
		return;
	}
	dr_data = load(&f, con, &gateways, &lists, &rules);
	f.close(con);
	if(dr_data == NULL)
		rpc->fault(ctx, 500, "drouting could not load");
}

/* tgbench.agree -> for each one how many answers are not the trie's */
void tgbench_rpc_agree(rpc_t *rpc, void *ctx)
{
	if(find_all() < 0) {
		rpc->fault(ctx, 500, "not all modules have data: see the log");
		return;
	}
	for(int c = 0; c < LOOKUPS; c++) {
		int wrong = 0;
		void *h;

		for(uint32_t i = 0; i < tgbench_query_count; i++) {
			uint32_t want = tgbench_queries[i].want;

			if(answers[c].gateway && want != 0)
				want = want % LCR_GATEWAYS + 1;
			wrong += answers[c].answer(i) != want;
		}
		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "sdd", "name", lookups[c].name, "wrong", wrong,
				"queries", (int)tgbench_query_count);
	}
}

/* tgbench.lookups -> times of all, over all queries */
void tgbench_rpc_lookups(rpc_t *rpc, void *ctx)
{
	struct tgbench_result results[LOOKUPS];
	uint32_t *order = tgbench_in_turn(tgbench_query_count);

	if(order == NULL || find_all() < 0) {
		free(order);
		rpc->fault(ctx, 500, "not all modules have data: see the log");
		return;
	}
	tgbench_measure(lookups, LOOKUPS, order, tgbench_query_count, results);
	free(order);
	for(int c = 0; c < LOOKUPS; c++)
		tgbench_answer(rpc, ctx, &lookups[c], &results[c]);
}

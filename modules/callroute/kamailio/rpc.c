/*
 * RPC: callroute.status, callroute.reload, callroute.stats, and the table of
 * all commands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/rpc.h"
#include "callroute/kamailio/load.h"
#include "callroute/kamailio/record.h"
#include "callroute/kamailio/state.h"
#include "glue/rpc.h"

#include <stdio.h>
#include <string.h>

/* --- reload
 * -------------------------------------------------------------------- */

static int is_word(const str *s, const char *word)
{
	return (size_t)s->len == strlen(word)
		   && strncmp(s->s, word, (size_t)s->len) == 0;
}

/* [deck NAME | plan [NAME]] [dry] [force], in any order. 0, -1 answered. */
static int read_order(
		rpc_t *rpc, void *ctx, struct callroute_order_of_load *order)
{
	str word;

	while(rpc->scan(ctx, "*.S", &word) == 1) {
		if(is_word(&word, "dry")) {
			order->dry = 1;
		} else if(is_word(&word, "force")) {
			order->forced = 1;
		} else if(is_word(&word, "plan") || is_word(&word, "plans")) {
			order->scope = CALLROUTE_LOAD_PLANS;
		} else if(is_word(&word, "deck")) {
			if(rpc->scan(ctx, "*.S", &word) != 1 || word.len < 1
					|| word.len >= (int)sizeof order->deck) {
				rpc->fault(ctx, 400, "deck needs the name of a deck");
				return -1;
			}
			order->scope = CALLROUTE_LOAD_DECK;
			memcpy(order->deck, word.s, (size_t)word.len);
		} else {
			rpc->fault(ctx, 400,
					"callroute.reload takes [deck NAME | plan] [dry] [force]");
			return -1;
		}
	}
	return 0;
}

static void rpc_reload(rpc_t *rpc, void *ctx)
{
	struct callroute_order_of_load order = {0};

	if(read_order(rpc, ctx, &order) < 0)
		return;
	glue_load_ask(rpc, ctx, &callroute.loads, &callroute.keeper, &order.base);
}

/* --- status
 * ----------------------------------------------------------------------- */

static void add_difference(
		rpc_t *rpc, void *l, const struct callroute_load *load)
{
	const struct callroute_difference *d = &load->difference;
	void *h, *list, *row;

	if(rpc->struct_add(l, "{", "difference", &h) < 0)
		return;
	rpc->struct_add(h, "dddddd", "added", (int)d->added, "removed",
			(int)d->removed, "changed", (int)d->changed, "same", (int)d->same,
			"risen", (int)d->risen, "fallen", (int)d->fallen);
	if(rpc->struct_add(h, "[", "biggest_moves", &list) < 0)
		return;
	for(int i = 0; i < d->moves; i++) {
		const struct callroute_move *m = &d->move[i];
		char from[24], to[24];

		snprintf(from, sizeof from, "%lld", (long long)m->from);
		snprintf(to, sizeof to, "%lld", (long long)m->to);
		if(rpc->array_add(list, "{", &row) < 0)
			return;
		rpc->struct_add(row, "dsss", "deck", (int)m->deck, "prefix", m->prefix,
				"from", from, "to", to);
	}
}

static void rpc_status(rpc_t *rpc, void *ctx)
{
	static const char *const scopes[] = {"all", "deck", "plan"};
	struct callroute_load load;
	struct tg_store_stats attempts;
	const struct callroute_image *im;
	uint64_t generation = 0, bytes = 0;
	uint32_t rates = 0, trunks = 0, plans = 0, accounts = 0, rules = 0;
	uint32_t dids = 0, ported = 0, blocks = 0;
	int64_t till = 0;
	void *h, *l;

	im = tg_snapshot_enter(
			callroute.loads.snapshots, process_no, NULL, &generation);
	if(im != NULL) {
		rates = (uint32_t)im->rates.count;
		trunks = (uint32_t)im->trunks.count;
		plans = (uint32_t)im->plans.count;
		accounts = (uint32_t)im->accounts.count;
		rules = (uint32_t)im->rules.count;
		dids = (uint32_t)im->dids.count;
		ported = (uint32_t)im->ported.count;
		blocks = (uint32_t)im->blocks.count;
		bytes = im->bytes;
		till = im->calendars_till;
	}
	callroute_leave();
	glue_load_last(&callroute.loads, &load.base);
	tg_store_read_stats(callroute.attempt_store, &attempts);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ddddddddddd", "generation", (int)generation, "rates",
			(int)rates, "trunks", (int)trunks, "plans", (int)plans, "accounts",
			(int)accounts, "rules", (int)rules, "blocks", (int)blocks, "dids",
			(int)dids, "ported", (int)ported, "kilobytes", (int)(bytes >> 10),
			"calendars_till", (int)till);
	rpc->struct_add(h, "dd{", "attempts_used", (int)attempts.used,
			"pending_reclaim", glue_loads_waiting(&callroute.loads),
			"last_load", &l);
	glue_load_add(rpc, l, &load.base, load.order.dry);
	rpc->struct_add(l, "ssd", "scope", scopes[load.order.scope], "deck",
			load.order.deck, "rows_read", (int)load.rows_read);
	if(load.order.dry && load.base.ok)
		add_difference(rpc, l, &load);
}

/* --- the table
 * ---------------------------------------------------------------------- */

#define DOC(name, text) static const char *const name[] = {text, 0}

DOC(reload_doc,
		"Load the tables again: callroute.reload [deck NAME | plan] [dry] "
		"[force]. Answers with a ticket; callroute.status shows its outcome");
DOC(status_doc, "Data in use and the outcome of the last load");
DOC(stats_doc, "Calls that hold channels, the channels of trunks, carriers and "
			   "accounts, and the outcomes by trunk: callroute.stats [first "
			   "[rows]]");
DOC(list_quality_doc,
		"Calls, ASR and NER (per mille), ACD, PDD and score of trunks by "
		"country of the called: callroute.list_quality [TRUNK|* [first "
		"[rows]]]");
DOC(list_trunks_doc, "Trunks in use: callroute.list_trunks [first [rows]]");
DOC(set_trunk_doc, "An operator's word over the table's: callroute.set_trunk "
				   "NAME up|drain|down|table");
DOC(explain_doc, "What would become of a call, vendor by vendor: "
				 "callroute.explain NUMBER PLAN [SRC [AT [FIRST [ROWS]]]]");

/* clang-format off */
const rpc_export_t callroute_rpcs[] = {
	{"callroute.reload", rpc_reload, (const char **)reload_doc, 0},
	{"callroute.status", rpc_status, (const char **)status_doc, 0},
	{"callroute.stats", callroute_rpc_stats, (const char **)stats_doc, 0},
	{"callroute.list_trunks", callroute_rpc_list_trunks, (const char **)list_trunks_doc, RET_ARRAY},
	{"callroute.list_quality", callroute_rpc_list_quality, (const char **)list_quality_doc, RET_ARRAY},
	{"callroute.set_trunk", callroute_rpc_set_trunk, (const char **)set_trunk_doc, 0},
	{"callroute.explain", callroute_rpc_explain, (const char **)explain_doc, 0},
	{0, 0, 0, 0},
};
/* clang-format on */

/*
 * RPC: callroute.status, callroute.reload, callroute.list_trunks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"

#include <string.h>

static const char *const reload_doc[] = {
		"Load the tables again: callroute.reload [force]. Answers with a "
		"ticket; "
		"callroute.status shows its outcome",
		0};
static const char *const status_doc[] = {
		"Data in use and the outcome of the last load", 0};
static const char *const list_trunks_doc[] = {
		"Trunks in use: callroute.list_trunks [first [rows]]", 0};

static void rpc_reload(rpc_t *rpc, void *ctx)
{
	uint64_t ticket;
	str how = STR_NULL;
	void *h;

	if(rpc->scan(ctx, "*S", &how) == 1) {
		if(how.len != 5 || strncmp(how.s, "force", 5) != 0) {
			rpc->fault(ctx, 400, "callroute.reload takes nothing or: force");
			return;
		}
		atomic_store(&callroute.shared->forced, 1);
	}
	ticket = atomic_fetch_add(&callroute.shared->ticket, 1) + 1;
	glue_keeper_wake(&callroute.keeper);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "d", "ticket", (int)ticket);
}

static void rpc_status(rpc_t *rpc, void *ctx)
{
	struct callroute_load load = {.message = "busy"};
	struct tg_store_stats attempts;
	const struct callroute_image *im;
	uint64_t generation = 0, bytes = 0;
	uint32_t rates = 0, trunks = 0, plans = 0;
	void *h, *l;

	im = tg_snapshot_enter(callroute.snapshots, process_no, NULL, &generation);
	if(im != NULL) {
		rates = im->rates;
		trunks = im->trunks;
		plans = im->plans;
		bytes = im->bytes;
	}
	tg_snapshot_leave(callroute.snapshots, process_no);
	callroute_last_load(&load);
	tg_store_read_stats(callroute.attempt_store, &attempts);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dddddd{", "generation", (int)generation, "rates",
			(int)rates, "trunks", (int)trunks, "plans", (int)plans, "kilobytes",
			(int)(bytes >> 10), "attempts_used", (int)attempts.used,
			"last_load", &l);
	rpc->struct_add(l, "dsdds", "ticket", (int)load.ticket, "result",
			load.ok ? "published" : "refused", "at", (int)load.at, "took_ms",
			(int)(load.took_us / 1000), "message", load.message);
}

static void rpc_list_trunks(rpc_t *rpc, void *ctx)
{
	static const char *const states[] = {"up", "drain", "down"};
	struct callroute_trunk page_rows[GLUE_RPC_PAGE];
	const struct callroute_image *im;
	struct glue_page page;
	int n = 0;

	if(glue_rpc_page(rpc, ctx, &page) < 0)
		return;
	/* Copied out first: answering may take its time. */
	im = tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	for(uint32_t i = 0; im != NULL && i < im->trunks; i++) {
		if(glue_rpc_row(&page))
			page_rows[n++] =
					CALLROUTE_PART(im, struct callroute_trunk, trunks_at)[i];
	}
	tg_snapshot_leave(callroute.snapshots, process_no);
	for(int i = 0; i < n; i++) {
		struct callroute_trunk *t = &page_rows[i];
		void *h;

		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "dssss", "id", (int)t->id, "trunk", t->name,
				"carrier", t->carrier, "uri", t->uri, "state",
				states[t->state]);
	}
}

/* clang-format off */
const rpc_export_t callroute_rpcs[] = {
	{"callroute.reload", rpc_reload, (const char **)reload_doc, 0},
	{"callroute.status", rpc_status, (const char **)status_doc, 0},
	{"callroute.list_trunks", rpc_list_trunks, (const char **)list_trunks_doc, RET_ARRAY},
	{0, 0, 0, 0},
};
/* clang-format on */

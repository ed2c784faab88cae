/*
 * RPC: rules, bans and their release, tables' state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/functions.h"
#include "fraudguard/kamailio/load.h"
#include "fraudguard/kamailio/state.h"
#include "glue/rpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const reload_doc[] = {"Load the rules again. Answers with a "
										 "ticket; fraudguard.status shows its "
										 "outcome",
		0};
static const char *const status_doc[] = {
		"Rules in use and the outcome of the last load", 0};
static const char *const list_rules_doc[] = {
		"Rules in use: fraudguard.list_rules [first [rows]]", 0};
static const char *const list_bans_doc[] = {
		"Bans with their reasons: fraudguard.list_bans [first [rows]]", 0};
static const char *const ban_doc[] = {
		"Ban a key: fraudguard.ban ip:192.0.2.1|account:alice seconds [note]",
		0};
static const char *const release_doc[] = {
		"End a ban and forget what led to it: fraudguard.release key", 0};
static const char *const stats_doc[] = {"State of the tables", 0};

static void rpc_reload(rpc_t *rpc, void *ctx)
{
	struct glue_order order;

	glue_load_ask(rpc, ctx, &fraudguard.loads, &fraudguard.keeper, &order);
}

static void rpc_status(rpc_t *rpc, void *ctx)
{
	struct fraudguard_load load;
	void *h, *l;

	glue_load_last(&fraudguard.loads, &load.base);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dd{", "generation",
			(int)tg_snapshot_generation(fraudguard.loads.snapshots),
			"pending_reclaim", glue_loads_waiting(&fraudguard.loads),
			"last_load", &l);
	rpc->struct_add(
			l, "dd", "rules", (int)load.rules, "allowed", (int)load.allowed);
	glue_load_add(rpc, l, &load.base, 0);
}

static void rpc_list_rules(rpc_t *rpc, void *ctx)
{
	static struct fraudguard_rule rows[GLUE_RPC_PAGE];
	const struct fraudguard_image *im;
	struct glue_page page;
	int n = 0;

	if(glue_rpc_page(rpc, ctx, &page) < 0)
		return;
	/* Copied out first: answering may take its time. */
	im = fraudguard_rules();
	for(uint32_t i = 0; im != NULL && i < im->rules; i++) {
		if(glue_rpc_row(&page))
			rows[n++] = im->rule[i];
	}
	fraudguard_rules_done();
	for(int i = 0; i < n; i++) {
		const struct fraudguard_rule *r = &rows[i];
		void *h;

		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "sssddss", "rule", r->name, "metric",
				fraudguard_metric_name(r->metric), "match",
				r->match[0] ? r->match : "*", "threshold", (int)r->threshold,
				"window", (int)r->window_sec, "action",
				fraudguard_action_name(r->action), "mode",
				fraudguard_mode_name(r->mode));
	}
}

static int add_ban(rpc_t *rpc, void *ctx, const void *payload)
{
	const struct fraudguard_ban *b = payload;
	void *h;

	if(rpc->add(ctx, "{", &h) < 0)
		return -1;
	rpc->struct_add(h, "ssdddsdd", "key", b->key, "rule", b->rule, "observed",
			(int)b->observed, "threshold", (int)b->threshold, "window",
			(int)b->window_sec, "callid", b->callid, "since", (int)b->since,
			"until", (int)b->until);
	return 0;
}

static void rpc_list_bans(rpc_t *rpc, void *ctx)
{
	struct fraudguard_ban room;
	struct glue_page page;

	if(glue_rpc_page(rpc, ctx, &page) < 0)
		return;
	if(glue_rpc_store(rpc, ctx, fraudguard.tables.source_bans, &page, &room,
			   "bans", add_ban)
			== 0)
		glue_rpc_store(rpc, ctx, fraudguard.tables.account_bans, &page, &room,
				"bans", add_ban);
}

/* The next parameter as a key. 0, or -1 after a fault; `usage` when there is
 * none. */
static int take_key(
		rpc_t *rpc, void *ctx, char key[FRAUDGUARD_KEY_MAX], const char *usage)
{
	enum glue_given given = glue_rpc_text(rpc, ctx, 0, key, FRAUDGUARD_KEY_MAX);

	if(given == GLUE_GIVEN && key[0] != '\0')
		return 0;
	rpc->fault(ctx, 400, "%s",
			given == GLUE_NOT_GIVEN ? usage
									: "a key is ip:ADDRESS or account:NAME");
	return -1;
}

static void rpc_ban(rpc_t *rpc, void *ctx)
{
	static const char usage[] = "fraudguard.ban key seconds [note]";
	char key[FRAUDGUARD_KEY_MAX], note[FRAUDGUARD_NAME_MAX];
	int seconds = -1, rc;

	if(take_key(rpc, ctx, key, usage) < 0)
		return;
	if(glue_rpc_number(rpc, ctx, &seconds) < 0 || seconds < 0) {
		rpc->fault(ctx, 400, "%s", usage);
		return;
	}
	switch(glue_rpc_text(rpc, ctx, 0, note, sizeof note)) {
		case GLUE_TOO_LONG:
			rpc->fault(ctx, 400, "a note has %d characters at most",
					FRAUDGUARD_NAME_MAX - 1);
			return;
		case GLUE_GIVEN:
			break;
		default:
			strcpy(note, "operator");
	}
	rc = fraudguard_ban_key(&fraudguard.tables, key, (uint32_t)seconds, note,
			fraudguard_clock());
	if(rc == -EINVAL)
		rpc->fault(ctx, 400,
				"a key is ip:ADDRESS or account:NAME; seconds is above 0");
	else if(rc < 0)
		rpc->fault(ctx, 500, "no room for another ban: raise modparam bans");
	else
		LM_WARN("ban key=%s rule=%s by=operator seconds=%d\n", key, note,
				seconds);
}

static void rpc_release(rpc_t *rpc, void *ctx)
{
	char key[FRAUDGUARD_KEY_MAX];
	int rc;

	if(take_key(rpc, ctx, key, "fraudguard.release key") < 0)
		return;
	rc = fraudguard_release(
			&fraudguard.tables, fraudguard_rules(), key, fraudguard_clock());
	fraudguard_rules_done();
	if(rc == -ENOENT)
		rpc->fault(ctx, 404, "%s is not banned", key);
	else if(rc < 0)
		rpc->fault(ctx, 500, "busy, try again");
	else
		LM_WARN("release key=%s by=operator\n", key);
}

static void rpc_stats(rpc_t *rpc, void *ctx)
{
	struct tg_cells_stats sources, accounts;
	struct tg_store_stats source_bans, account_bans;
	struct tg_lease_stats leases;
	void *h;

	tg_cells_read_stats(fraudguard.tables.sources, &sources);
	tg_cells_read_stats(fraudguard.tables.accounts, &accounts);
	tg_store_read_stats(fraudguard.tables.source_bans, &source_bans);
	tg_store_read_stats(fraudguard.tables.account_bans, &account_bans);
	tg_lease_read_stats(fraudguard.tables.leases, &leases);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dddddddddd", "sources", (int)sources.tracked,
			"sources_evicted", (int)sources.evicted, "sources_refused",
			(int)sources.refused, "accounts", (int)accounts.tracked,
			"accounts_evicted", (int)accounts.evicted, "source_bans",
			(int)source_bans.used, "account_bans", (int)account_bans.used,
			"calls", (int)leases.live, "calls_expired", (int)leases.expired,
			"events_dropped", (int)tg_ring_dropped(fraudguard.ring));
}

/* clang-format off */
const rpc_export_t fraudguard_rpcs[] = {
	{"fraudguard.reload", rpc_reload, (const char **)reload_doc, 0},
	{"fraudguard.status", rpc_status, (const char **)status_doc, 0},
	{"fraudguard.list_rules", rpc_list_rules, (const char **)list_rules_doc, RET_ARRAY},
	{"fraudguard.list_bans", rpc_list_bans, (const char **)list_bans_doc, RET_ARRAY},
	{"fraudguard.ban", rpc_ban, (const char **)ban_doc, 0},
	{"fraudguard.release", rpc_release, (const char **)release_doc, 0},
	{"fraudguard.stats", rpc_stats, (const char **)stats_doc, 0},
	{0, 0, 0, 0},
};
/* clang-format on */

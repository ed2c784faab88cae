/*
 * RPC: events, profiles, state of the stores.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/functions.h"
#include "regguard/kamailio/request.h"
#include "regguard/kamailio/state.h"
#include "glue/rpc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const list_doc[] = {
		"Events, the newest first: regguard.list [first [rows]]", 0};
static const char *const show_doc[] = {
		"Profile of an AoR: regguard.show aor", 0};
static const char *const forget_doc[] = {
		"Drop the profile of an AoR, to be learned anew: regguard.forget aor",
		0};
static const char *const stats_doc[] = {"State of the stores", 0};

static void rpc_list(rpc_t *rpc, void *ctx)
{
	uint64_t newest = atomic_load(&regguard.shared->events);
	struct glue_page page;

	if(glue_rpc_page(rpc, ctx, &page) < 0)
		return;
	for(int i = page.first; i < page.first + page.rows; i++) {
		uint64_t number = newest - (uint64_t)i;
		struct regguard_event e;
		char reasons[128];
		void *h;

		if((uint64_t)i >= newest)
			return;
		/* The oldest events of a set give way first: there may be gaps. */
		if(tg_store_get(regguard.event_store,
				   tg_hash_id(&regguard.tables.key, 0, &number, sizeof number),
				   glue_now(), &e)
				< 0)
			continue;
		regguard_reason_text(e.reasons, reasons, sizeof reasons);
		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "ddsssdsds", "event", (int)e.number, "at", (int)e.at,
				"verdict", regguard_verdict_name(e.verdict), "aor", e.aor,
				"source", e.source, "score", e.score, "reasons", reasons,
				"enforced", e.enforced, "callid", e.callid);
	}
}

/* Takes the AoR parameter. 0, -1 after a fault. */
static int take_aor(
		rpc_t *rpc, void *ctx, char aor[REGGUARD_AOR_MAX], uint64_t *id)
{
	str text;

	if(rpc->scan(ctx, "S", &text) != 1 || text.len == 0) {
		rpc->fault(ctx, 400, "an AoR is wanted, as usrloc shows it");
		return -1;
	}
	*id = regguard_fold_aor(text.s, (size_t)text.len, aor);
	return 0;
}

/* "192.0.2.0/24", "2001:db8::/64" */
static void network_text(
		const struct regguard_network *n, char *out, size_t size)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	int is_v4 = memcmp(n->prefix, mapped, 12) == 0;
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(is_v4 ? AF_INET : AF_INET6, n->prefix + (is_v4 ? 12 : 0), addr,
			sizeof addr);
	snprintf(out, size, "%s/%d", addr, is_v4 ? 24 : 64);
}

static void show_profile(
		rpc_t *rpc, void *ctx, const struct regguard_profile *p, uint64_t now)
{
	uint32_t at = (uint32_t)(now / 1000000);
	void *h, *devices, *networks, *row;

	/* One nested value a call: ctl stops at the first. */
	if(rpc->add(ctx, "{", &h) < 0
			|| rpc->struct_add(h, "sddd[", "aor", p->aor, "accepted",
					   (int)p->accepted, "age_sec", (int)(at - p->first_seen),
					   "owner_alive", regguard_owner_is_alive(p, now),
					   "devices", &devices)
					   < 0)
		return;
	for(int i = 0; i < REGGUARD_DEVICES; i++) {
		const struct regguard_known_device *d = &p->devices[i];

		if(d->last_seen != 0 && rpc->array_add(devices, "{", &row) == 0)
			rpc->struct_add(row, "ddd", "place", i, "seen_ago_sec",
					(int)(at - d->last_seen), "bound", d->live_until > now);
	}
	if(rpc->struct_add(h, "[", "networks", &networks) < 0)
		return;
	for(int i = 0; i < REGGUARD_NETWORKS; i++) {
		const struct regguard_known_network *n = &p->networks[i];
		char text[INET6_ADDRSTRLEN + 4];

		network_text(&n->network, text, sizeof text);
		if(n->last_seen != 0 && rpc->array_add(networks, "{", &row) == 0)
			rpc->struct_add(row, "sd", "network", text, "seen_ago_sec",
					(int)(at - n->last_seen));
	}
}

static void rpc_show(rpc_t *rpc, void *ctx)
{
	char aor[REGGUARD_AOR_MAX];
	struct regguard_profile p;
	uint64_t id, now = glue_now();

	if(take_aor(rpc, ctx, aor, &id) < 0)
		return;
	if(tg_store_get(regguard.tables.profiles, id, now, &p) < 0)
		rpc->fault(ctx, 404, "no profile of %s", aor);
	else
		show_profile(rpc, ctx, &p, now);
}

static void rpc_forget(rpc_t *rpc, void *ctx)
{
	char aor[REGGUARD_AOR_MAX];
	uint64_t id;

	if(take_aor(rpc, ctx, aor, &id) < 0)
		return;
	if(tg_store_del(regguard.tables.profiles, id) < 0)
		rpc->fault(ctx, 404, "no profile of %s", aor);
	else
		LM_WARN("forget aor=%s by=operator\n", aor);
}

static void rpc_stats(rpc_t *rpc, void *ctx)
{
	struct tg_store_stats profiles, answered;
	void *h;

	tg_store_read_stats(regguard.tables.profiles, &profiles);
	tg_store_read_stats(regguard.tables.answered, &answered);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dddddd", "profiles", (int)profiles.used,
			"profiles_evicted", (int)profiles.evicted, "answered",
			(int)answered.used, "answered_evicted", (int)answered.evicted,
			"events", (int)atomic_load(&regguard.shared->events),
			"events_dropped", (int)tg_ring_dropped(regguard.ring));
}

/* clang-format off */
const rpc_export_t regguard_rpcs[] = {
	{"regguard.list", rpc_list, (const char **)list_doc, RET_ARRAY},
	{"regguard.show", rpc_show, (const char **)show_doc, 0},
	{"regguard.forget", rpc_forget, (const char **)forget_doc, 0},
	{"regguard.stats", rpc_stats, (const char **)stats_doc, 0},
	{0, 0, 0, 0},
};
/* clang-format on */

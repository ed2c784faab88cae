/*
 * RPC: callroute.list_trunks, callroute.set_trunk, callroute.stats,
 * callroute.list_quality. The table's state, the operator's word, health and
 * breaker are shown apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/rpc.h"
#include "callroute/kamailio/state.h"
#include "callroute/callroute.h"
#include "callroute/live/breaker.h"
#include "callroute/live/health.h"
#include "callroute/live/quality.h"
#include "glue/rpc.h"
#include "lib/geo/country.h"

#include <string.h>

/* What a page shows, copied out of the snapshot: answering may take its time.
 * */
struct row
{
	uint32_t id, slot, max_channels;
	uint8_t state, has_breaker, carrier_enabled;
	uint32_t probe_interval;
	struct callroute_breaker_config breaker;
	char name[CALLROUTE_NAME_MAX], carrier[CALLROUTE_NAME_MAX];
	char uri[CALLROUTE_URI_MAX];
};

/* The next parameter as the name of a trunk; 0049 as 49 would be another
 * trunk's. 1, 0 not given, -1 answered with a fault. */
static int read_name(rpc_t *rpc, void *ctx, char name[CALLROUTE_NAME_MAX])
{
	switch(glue_rpc_text(rpc, ctx, 1, name, CALLROUTE_NAME_MAX)) {
		case GLUE_GIVEN:
			return 1;
		case GLUE_NOT_GIVEN:
			return 0;
		case GLUE_TOO_LONG:
			rpc->fault(ctx, 404, "there is no trunk of so long a name");
			return -1;
		case GLUE_A_NUMBER:
			break;
	}
	rpc->fault(ctx, 400, "names are texts: with kamcmd s:NAME");
	return -1;
}

/* Fills a page of trunks; returns how many. -1: answered with a fault. */
static int read_page(rpc_t *rpc, void *ctx, struct row *rows)
{
	const struct callroute_image *im;
	struct glue_page page;
	int n = 0;

	if(glue_rpc_page(rpc, ctx, &page) < 0)
		return -1;
	im = callroute_enter();
	for(uint64_t i = 0; im != NULL && i < im->trunks.count; i++) {
		const struct callroute_trunk *t =
				&CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[i];
		const struct callroute_carrier *c = &CALLROUTE_ROWS(
				im, struct callroute_carrier, carriers)[t->carrier];
		struct row *r;

		if(!glue_rpc_row(&page))
			continue;
		r = &rows[n++];
		*r = (struct row){.id = t->id,
				.slot = t->live,
				.max_channels = t->max_channels,
				.state = t->state,
				.has_breaker = t->has_breaker,
				.carrier_enabled = c->enabled,
				.probe_interval = t->probe_interval,
				.breaker = t->breaker};
		memcpy(r->name, t->name, sizeof r->name);
		memcpy(r->carrier, c->name, sizeof r->carrier);
		memcpy(r->uri, t->uri, sizeof r->uri);
	}
	callroute_leave();
	return n;
}

void callroute_rpc_list_trunks(rpc_t *rpc, void *ctx)
{
	static const char *const states[] = {"up", "drain", "down"};
	static const char *const admins[] = {"table", "up", "drain", "down"};
	static const char *const breakers[] = {"closed", "open", "half_open"};
	static struct row rows[GLUE_RPC_PAGE];
	int n = read_page(rpc, ctx, rows);

	for(int i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		uint64_t now = glue_now();
		struct callroute_breaker b = {0};
		void *h;

		if(r->has_breaker)
			callroute_breaker_read(
					callroute.live, (int)r->slot, &r->breaker, now, &b);
		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "dsssssss", "id", (int)r->id, "trunk", r->name,
				"carrier", r->carrier, "uri", r->uri, "state", states[r->state],
				"carrier_state", r->carrier_enabled ? "enabled" : "disabled",
				"operator",
				admins[callroute_live_admin(callroute.live, (int)r->slot)],
				"health",
				r->probe_interval == 0 ? "not_probed"
				: callroute_health_is_up(callroute.live, (int)r->slot)
						? "up"
						: "down");
		rpc->struct_add(h, "sdd", "breaker",
				r->has_breaker ? breakers[b.state] : "none", "channels",
				(int)callroute_capacity_channels(
						callroute.live, CALLROUTE_OWNER_TRUNK, r->id, now),
				"max_channels", (int)r->max_channels);
	}
}

void callroute_rpc_set_trunk(rpc_t *rpc, void *ctx)
{
	static const char *const words[] = {"table", "up", "drain", "down"};
	const struct callroute_image *im;
	const struct callroute_trunk *t;
	char name[CALLROUTE_NAME_MAX], word[16], more[2];
	int admin = -1, slot = -1, given = read_name(rpc, ctx, name);
	enum glue_given state;

	if(given < 0)
		return;
	state = glue_rpc_text(rpc, ctx, 1, word, sizeof word);
	if(given == 0 || state == GLUE_NOT_GIVEN || state == GLUE_A_NUMBER
			|| glue_rpc_text(rpc, ctx, 0, more, sizeof more)
					   != GLUE_NOT_GIVEN) {
		rpc->fault(ctx, 400, "callroute.set_trunk NAME up|drain|down|table");
		return;
	}
	for(int i = 0; i < 4; i++) {
		if(strcmp(word, words[i]) == 0)
			admin = i;
	}
	if(admin < 0) {
		rpc->fault(ctx, 400, "the state is up, drain, down or table");
		return;
	}
	im = callroute_enter();
	t = im ? callroute_find_trunk_name(im, name, strlen(name)) : NULL;
	if(t != NULL)
		slot = (int)t->live;
	callroute_leave();
	if(slot < 0
			|| callroute_live_set_admin(
					   callroute.live, slot, (enum callroute_admin)admin)
					   < 0) {
		rpc->fault(ctx, 404, "there is no trunk %s", name);
		return;
	}
	LM_NOTICE("trunk-set trunk=%s operator=%s\n", name, words[admin]);
}

/* -1 = never. A failure may come in while the answer is made. */
static int seconds_since(uint64_t when, uint64_t now)
{
	if(when == 0)
		return -1;
	return when < now ? (int)((now - when) / 1000000) : 0;
}

void callroute_rpc_stats(rpc_t *rpc, void *ctx)
{
	static struct row rows[GLUE_RPC_PAGE];
	struct callroute_capacity_stats c;
	int n = read_page(rpc, ctx, rows);
	uint64_t now = glue_now();
	void *h, *list, *row;

	if(n < 0)
		return;
	callroute_capacity_read_stats(callroute.live, now, &c);
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ddd[", "calls", (int)c.calls, "channels",
			(int)c.channels, "untracked", (int)c.untracked, "trunks", &list);
	for(int i = 0; i < n; i++) {
		struct callroute_counters k;

		callroute_live_counters(callroute.live, (int)rows[i].slot, &k);
		if(rpc->array_add(list, "{", &row) < 0)
			return;
		rpc->struct_add(row, "sddddddd", "trunk", rows[i].name, "attempts",
				(int)k.attempts, "answered", (int)k.answered, "failed",
				(int)k.failed, "cancelled", (int)k.cancelled, "last_code",
				k.last_code, "last_failure_ago_sec",
				seconds_since(k.last_failure, now), "channels",
				(int)callroute_capacity_channels(callroute.live,
						CALLROUTE_OWNER_TRUNK, rows[i].id, now));
	}
}

/* --- quality -----------------------------------------------------------------
 * */

struct quality_row
{
	struct callroute_quality q;
	int score;
	uint16_t group; /* country index + 1, 0 = of no country */
	char name[CALLROUTE_NAME_MAX];
};

/* All of them without a name, or by "*". */
static int is_asked_for(const struct callroute_trunk *t, const char *name)
{
	return name == NULL || strcmp(name, "*") == 0 || strcmp(name, t->name) == 0;
}

/* One trunk's countries that something is known of. */
static int read_quality(const struct callroute_trunk *t, struct glue_page *page,
		struct quality_row *rows, int n, uint64_t now)
{
	for(int g = 0; g <= TG_COUNTRIES; g++) {
		struct callroute_quality q;

		if(callroute_quality_read(callroute.live, (int)t->live, (uint16_t)g,
				   now,
				   &q) < 0
				|| !glue_rpc_row(page))
			continue;
		rows[n].q = q;
		rows[n].group = (uint16_t)g;
		rows[n].score = callroute_quality_score(
				callroute.live, (int)t->live, (uint16_t)g, now);
		memcpy(rows[n++].name, t->name, sizeof t->name);
	}
	return n;
}

void callroute_rpc_list_quality(rpc_t *rpc, void *ctx)
{
	static struct quality_row rows[GLUE_RPC_PAGE];
	const struct callroute_image *im;
	struct glue_page page;
	uint64_t now = glue_now();
	char text[CALLROUTE_NAME_MAX];
	const char *name;
	int n = 0, found = 0, given = read_name(rpc, ctx, text);
	void *h;

	if(given < 0 || glue_rpc_page(rpc, ctx, &page) < 0)
		return;
	name = given ? text : NULL;
	im = callroute_enter();
	for(uint64_t i = 0; im != NULL && i < im->trunks.count; i++) {
		const struct callroute_trunk *t =
				&CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[i];

		if(!is_asked_for(t, name))
			continue;
		found = 1;
		n = read_quality(t, &page, rows, n, now);
	}
	callroute_leave();
	if(!found && name != NULL && strcmp(name, "*") != 0) {
		rpc->fault(ctx, 404, "there is no trunk %s", name);
		return;
	}
	for(int i = 0; i < n; i++) {
		const struct callroute_quality *q = &rows[i].q;
		const char *iso =
				rows[i].group ? tg_country_iso(rows[i].group - 1) : NULL;

		if(rpc->add(ctx, "{", &h) < 0)
			return;
		rpc->struct_add(h, "ssdddddd", "trunk", rows[i].name, "country",
				iso ? iso : "", "calls", (int)q->calls, "asr", (int)q->asr,
				"ner", (int)q->ner, "acd_sec", (int)q->acd_s, "pdd_ms",
				(int)q->pdd_ms, "score", rows[i].score);
	}
}

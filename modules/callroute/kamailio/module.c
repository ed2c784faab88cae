/*
 * callroute: exports and lifecycle.
 *
 * Memory: three snapshot slots of snapshot_mb (only what is used is real), one
 * record a call under way and the live state of trunks and calls; nothing
 * grows. Failure mode: without a first good load Kamailio refuses to start;
 * afterwards a bad load keeps the old data.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/event_routes.h"
#include "callroute/kamailio/follow.h"
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/hunt.h"
#include "callroute/kamailio/load.h"
#include "callroute/kamailio/probe.h"
#include "callroute/kamailio/record.h"
#include "callroute/kamailio/rpc.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/statefile.h"
#include "callroute/live/capacity_owed.h"
#include "glue/map.h"
#include "glue/module.h"

#include <string.h>
#include <time.h>

static int mod_init(void);
static int child_init(int rank);
static void mod_destroy(void);

static void keeper_wake(void);
static void keeper_tick(uint64_t now);

static const struct glue_param params[] = {
		GLUE_PARAM_TEXT("db_url", &callroute.db_url),
		GLUE_PARAM_TEXT("default_plan", &callroute.default_plan),
		GLUE_PARAM_TEXT("probe_from", &callroute.probe_from),
		GLUE_PARAM_TEXT("event_callback", &callroute.event_callback),
		GLUE_PARAM_TEXT("state_file", &callroute.state_file),
		GLUE_PARAM_INT(
				"snapshot_mb", &callroute.snapshot_mb, 1, 65536, "megabytes"),
		GLUE_PARAM_INT("attempts", &callroute.attempts, 8, 1 << 24, "calls"),
		GLUE_PARAM_INT(
				"attempt_ttl", &callroute.attempt_ttl, 10, 3600, "seconds"),
		GLUE_PARAM_INT("max_shrink", &callroute.max_shrink, 0, 100,
				"per cent of the rows"),
		GLUE_PARAM_INT("max_trunks", &callroute.max_trunks, 1, 65536, "trunks"),
		GLUE_PARAM_INT("max_calls", &callroute.max_calls, 16, 1 << 20, "calls"),
		GLUE_PARAM_INT("max_owners", &callroute.max_owners, 16, 1 << 17,
				"carriers and accounts"),
		GLUE_PARAM_INT(
				"max_call_sec", &callroute.max_call_sec, 60, 604800, "seconds"),
		GLUE_PARAM_INT("quality_pairs", &callroute.quality_pairs, 8, 1 << 24,
				"trunks by countries"),
		GLUE_PARAM_INT("quality_half_life", &callroute.quality_half_life, 10,
				604800, "seconds"),
};
#define PARAMS ((int)(sizeof params / sizeof params[0]))
static param_export_t param_exports[PARAMS + 1];

/* Gauges, read when they are asked for. */
static counter_val_t get_channels(counter_handle_t h, void *param)
{
	struct callroute_capacity_stats st;

	callroute_capacity_read_stats(callroute.live, glue_now(), &st);
	return (counter_val_t)(param != NULL ? st.untracked : st.channels);
}

static counter_def_t counters[] = {
		{&callroute.selected, "selected", 0, 0, 0,
				"calls that got a first trunk"},
		{&callroute.failed, "failed", 0, 0, 0, "calls that got no trunk"},
		{&callroute.refused_blocked, "refused_blocked", 0, 0, 0,
				"of these: blocked by list, rule, rate or country (-5)"},
		{&callroute.refused_capacity, "refused_capacity", 0, 0, 0,
				"of these: no channel or call per second left (-3)"},
		{&callroute.refused_down, "refused_down", 0, 0, 0,
				"of these: every trunk down (-2)"},
		{&callroute.refused_margin, "refused_margin", 0, 0, 0,
				"of these: too little or unknown margin (-4)"},
		{&callroute.redirected, "redirected", 0, 0, 0,
				"calls that a redirect rule sends elsewhere"},
		{&callroute.emergency, "emergency", 0, 0, 0,
				"emergency calls that got a first trunk"},
		{&callroute.failovers, "failovers", 0, 0, 0,
				"further trunks tried after a failure"},
		{&callroute.exhausted, "exhausted", 0, 0, 0,
				"calls for which no further trunk was left"},
		{&callroute.state_lost, "state_lost", 0, 0, 0,
				"calls whose further trunks were displaced (raise attempts)"},
		{&callroute.loads.published, "loads", 0, 0, 0,
				"loads that were published"},
		{&callroute.loads.refused, "loads_failed", 0, 0, 0,
				"loads that were refused; the old data stayed"},
		{&callroute.events_lost, "events_lost", 0, 0, 0,
				"events that found the ring full"},
		{0, "channels", 0, get_channels, NULL,
				"channels of trunks, carriers and accounts that are in use: up "
				"to "
				"three for a call"},
		{0, "untracked", 0, get_channels, &callroute,
				"attempts that went uncounted: no room for them"},
		{&callroute.released_late, "released_late", 0, 0, 0,
				"calls whose channels the keeper gave back, a second late: a "
				"process was stopped inside a lock"},
		{0, 0, 0, 0, 0, 0},
};

static const struct glue_module module = {.name = "callroute",
		.params = params,
		.param_count = PARAMS,
		.param_exports = param_exports,
		.kemi = callroute_kemi,
		.counters = counters,
		.key = &callroute.key,
		.keeper = &callroute.keeper};

/* What Kamailio's loader looks up. */
#pragma GCC visibility push(default)
/* clang-format off */
struct module_exports exports = {
	.name = "callroute",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = (cmd_export_t *)callroute_cmds,
	.params = param_exports,
	.rpc_methods = (rpc_export_t *)callroute_rpcs,
	.pv_items = (pv_export_t *)callroute_pvs,
	.init_mod_f = mod_init,
	.init_child_f = child_init,
	.destroy_mod_f = mod_destroy,
};
/* clang-format on */

MODULE_VERSION

int mod_register(char *path, int *dlflags, void *p1, void *p2);
int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	return glue_module_register(&module);
}
#pragma GCC visibility pop

static int map_live(void)
{
	struct callroute_live_config cfg = {
			.trunks = (uint32_t)callroute.max_trunks,
			.calls = (uint32_t)callroute.max_calls,
			.owners = (uint32_t)callroute.max_owners,
			.quality = (uint32_t)callroute.quality_pairs,
			.half_life_us = (uint64_t)callroute.quality_half_life * 1000000};
	size_t size = callroute_live_size(&cfg);
	void *mem;
	int rc = glue_map_bytes(&mem, size);

	return rc ? rc : callroute_live_init(mem, size, &cfg, &callroute.live);
}

/* Everything that workers and keeper share. */
static int map_memory(void)
{
	int rc = glue_map_store(&callroute.attempt_store, callroute.attempts,
			sizeof(struct callroute_attempt));

	rc = rc ? rc
			: glue_map_store(&callroute.hunt_store, callroute.attempts,
					sizeof(struct callroute_hunting));
	rc = rc ? rc
			: glue_map_store(&callroute.answered_store, callroute.max_calls,
					sizeof(struct callroute_legs));
	rc = rc ? rc
			: glue_loads_map(
					&callroute.loads, (size_t)callroute.snapshot_mb << 20);
	rc = rc ? rc
			: glue_map_ring(
					&callroute.events, 1024, sizeof(struct callroute_event));
	rc = rc ? rc
			: glue_map_ring(&callroute.owed, callroute.max_calls,
					sizeof(struct callroute_owed));
	rc = rc ? rc : map_live();
	if(rc != 0) {
		LM_ERR("cannot map shared memory (snapshot_mb=%d, attempts=%d, "
			   "max_calls=%d, max_trunks=%d): %s\n",
				callroute.snapshot_mb, callroute.attempts, callroute.max_calls,
				callroute.max_trunks, strerror(-rc));
		return -1;
	}
	return 0;
}

static int mod_init(void)
{
	static const struct callroute_order_of_load at_start;

	if(glue_module_init(&module) < 0)
		return -1;
	if(callroute.db_url.len == 0) {
		LM_ERR("modparam db_url is not set: callroute has no routes without "
			   "its tables, for example "
			   "modparam(\"callroute\", \"db_url\", "
			   "\"sqlite:////etc/kamailio/tollgate.sqlite\")\n");
		return -1;
	}
	if(load_tm_api(&callroute.tm) < 0) {
		LM_ERR("callroute needs the tm module: put loadmodule \"tm.so\" before "
			   "it\n");
		return -1;
	}
	if(map_memory() < 0 || callroute_load_tables(&at_start) < 0
			|| callroute_follow_init() < 0 || callroute_probe_init() < 0)
		return -1;
	glue_state_load(&callroute_statefile);
	callroute_events_init();
	callroute.keeper = (struct glue_keeper){.name = "callroute keeper",
			.tick_ms = 1000,
			.wake = keeper_wake,
			.tick = keeper_tick};
	return glue_keeper_init(&callroute.keeper);
}

static int child_init(int rank)
{
	if(rank == PROC_MAIN && callroute_probe_start() < 0) {
		LM_ERR("cannot fork the process that probes trunks\n");
		return -1;
	}
	if(rank == PROC_MAIN)
		glue_state_begin(&callroute_statefile);
	return glue_module_child(&module, rank);
}

static void mod_destroy(void)
{
	glue_state_end(&callroute_statefile);
}

/* In the keeper: somebody asked for a reload, or something happened. Full loads
 * that wait for the same thing are served together. */
static void keeper_wake(void)
{
	struct callroute_order_of_load order, next;
	int has = glue_load_next(&callroute.loads, &order) == 0;

	while(has) {
		has = glue_load_next(&callroute.loads, &next) == 0;
		if(!has || order.scope != CALLROUTE_LOAD_ALL
				|| next.scope != CALLROUTE_LOAD_ALL || next.dry != order.dry
				|| next.forced != order.forced)
			callroute_load_tables(&order);
		order = next;
	}
	callroute_events_run();
}

/* Calendars end: said a month before, once a day. */
static void report_calendars(void)
{
	static int64_t said;
	int64_t now = time(NULL), till = INT64_MAX;
	const struct callroute_image *im = callroute_enter();

	if(im != NULL && im->times.count > 0)
		till = im->calendars_till;
	callroute_leave();
	if(till - now > 30 * 86400 || now - said < 86400)
		return;
	said = now;
	LM_WARN("calendars-end at=%lld: callroute.reload expands them anew\n",
			(long long)till);
}

static void keeper_tick(uint64_t now)
{
	callroute_events_run();
	glue_state_tick(&callroute_statefile, now);
	glue_loads_tick(&callroute.loads);
	report_calendars();
	callroute_pay_owed(
			callroute.live, callroute.owed, (uint32_t)callroute.max_calls, now);
	callroute_capacity_sweep(callroute.live, now, 4096);
}

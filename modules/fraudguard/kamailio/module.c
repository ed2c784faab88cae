/*
 * fraudguard: exports and lifecycle.
 *
 * Memory: `cells` cells of 44 and 40 bytes (sources, accounts), `bans` records
 * of about 450 bytes twice, `calls` leases of about 300; nothing grows. Failure
 * mode: full tables count less (statistic `untracked`) and refuse nobody.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/dialog.h"
#include "fraudguard/kamailio/event.h"
#include "fraudguard/kamailio/functions.h"
#include "fraudguard/kamailio/load.h"
#include "fraudguard/kamailio/state.h"
#include "glue/map.h"
#include "glue/module.h"

#include <string.h>

static int mod_init(void);
static int child_init(int rank);
static void keeper_wake(void);
static void keeper_tick(uint64_t now);

static const struct glue_param params[] = {
		GLUE_PARAM_TEXT("db_url", &fraudguard.db_url),
		GLUE_PARAM_TEXT("emergency_numbers", &fraudguard.emergency_numbers),
		GLUE_PARAM_INT("cells", &fraudguard.cells, 1024, 1 << 28, "cells"),
		GLUE_PARAM_INT("bans", &fraudguard.bans, 64, 1 << 22, "records"),
		GLUE_PARAM_INT("calls", &fraudguard.calls, 64, 1 << 24, "calls"),
		GLUE_PARAM_INT("ring_sec", &fraudguard.ring_sec, 10, 3600, "seconds"),
		GLUE_PARAM_INT(
				"call_sec", &fraudguard.call_sec, 60, 7 * 86400, "seconds"),
};
#define PARAMS ((int)(sizeof params / sizeof params[0]))
static param_export_t param_exports[PARAMS + 1];

static counter_def_t counters[] = {
		{&fraudguard.sources_checked, "sources_checked", 0, 0, 0,
				"requests judged by their source"},
		{&fraudguard.sources_refused, "sources_refused", 0, 0, 0,
				"requests refused by their source"},
		{&fraudguard.calls_checked, "calls_checked", 0, 0, 0, "calls judged"},
		{&fraudguard.calls_refused, "calls_refused", 0, 0, 0, "calls refused"},
		{&fraudguard.bans_written, "bans_written", 0, 0, 0, "bans begun"},
		{&fraudguard.shadow_hits, "shadow_hits", 0, 0, 0,
				"rules that fired without being enforced"},
		{&fraudguard.untracked, "untracked", 0, 0, 0,
				"events that found no room in a table (raise cells or calls)"},
		{&fraudguard.loads.published, "loads", 0, 0, 0,
				"loads that were published"},
		{&fraudguard.loads.refused, "loads_failed", 0, 0, 0,
				"loads that were refused; the old rules stayed"},
		{0, 0, 0, 0, 0, 0},
};

static const struct glue_module module = {.name = "fraudguard",
		.params = params,
		.param_count = PARAMS,
		.param_exports = param_exports,
		.kemi = fraudguard_kemi,
		.counters = counters,
		.key = &fraudguard.tables.key,
		.keeper = &fraudguard.keeper};

/* What Kamailio's loader looks up. */
#pragma GCC visibility push(default)
/* clang-format off */
struct module_exports exports = {
	.name = "fraudguard",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = (cmd_export_t *)fraudguard_cmds,
	.params = param_exports,
	.rpc_methods = (rpc_export_t *)fraudguard_rpcs,
	.pv_items = (pv_export_t *)fraudguard_pvs,
	.init_mod_f = mod_init,
	.init_child_f = child_init,
};
/* clang-format on */

MODULE_VERSION

int mod_register(char *path, int *dlflags, void *p1, void *p2);
int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	return glue_module_register(&module);
}
#pragma GCC visibility pop

static int map_memory(void)
{
	struct fraudguard_tables *t = &fraudguard.tables;
	int rc = glue_map_cells(&t->sources, fraudguard.cells, 1);

	rc = rc ? rc : glue_map_cells(&t->accounts, fraudguard.cells, 0);
	rc = rc ? rc
			: glue_map_store(&t->source_bans, fraudguard.bans,
					sizeof(struct fraudguard_ban));
	rc = rc ? rc
			: glue_map_store(&t->account_bans, fraudguard.bans,
					sizeof(struct fraudguard_ban));
	/* Twice the calls: a set that is full would lose the end of a call. */
	rc = rc ? rc
			: glue_map_store(&t->calls, fraudguard.calls * 2,
					sizeof(struct fraudguard_call_record));
	rc = rc ? rc
			: glue_map_leases(&t->leases, fraudguard.calls, fraudguard.calls);
	rc = rc ? rc
			: glue_map_ring(
					&fraudguard.ring, 1024, sizeof(struct fraudguard_hit));
	rc = rc ? rc
			: glue_loads_map(
					&fraudguard.loads, sizeof(struct fraudguard_image));
	if(rc != 0) {
		LM_ERR("cannot map shared memory (cells=%d, bans=%d, calls=%d): %s\n",
				fraudguard.cells, fraudguard.bans, fraudguard.calls,
				strerror(-rc));
		return -1;
	}
	return 0;
}

/* "112, 911" -> a list of strs that point into the parameter. */
static int split_emergency(void)
{
	char *p = fraudguard.emergency_numbers.s;
	char *end = p + fraudguard.emergency_numbers.len;

	while(p < end) {
		char *start;

		while(p < end && (*p == ',' || *p == ' '))
			p++;
		start = p;
		while(p < end && *p != ',' && *p != ' ')
			p++;
		if(p == start)
			break;
		if(fraudguard.emergency_count == FRAUDGUARD_EMERGENCY_MAX) {
			LM_ERR("modparam emergency_numbers takes %d numbers at most\n",
					FRAUDGUARD_EMERGENCY_MAX);
			return -1;
		}
		fraudguard.emergency[fraudguard.emergency_count++] =
				(str){start, (int)(p - start)};
	}
	return 0;
}

static int mod_init(void)
{
	static const struct glue_order at_start;

	if(glue_module_init(&module) < 0 || split_emergency() < 0)
		return -1;
	if(map_memory() < 0 || fraudguard_dialog_init() < 0
			|| fraudguard_load_tables(&at_start) < 0)
		return -1;
	fraudguard.keeper = (struct glue_keeper){.name = "fraudguard keeper",
			.tick_ms = 250,
			.wake = keeper_wake,
			.tick = keeper_tick};
	return glue_keeper_init(&fraudguard.keeper);
}

static int child_init(int rank)
{
	return glue_module_child(&module, rank);
}

/* --- keeper ----------------------------------------------------------------
 * */

/* Reloads that wait for the same thing are served together. */
static void keeper_wake(void)
{
	struct glue_order order;
	int has = 0;

	while(glue_load_next(&fraudguard.loads, &order) == 0)
		has = 1;
	if(has)
		fraudguard_load_tables(&order);
}

static void keeper_tick(uint64_t now)
{
	fraudguard_log_events(now);
	tg_lease_sweep(fraudguard.tables.leases, now, 4096);
	glue_loads_tick(&fraudguard.loads);
}

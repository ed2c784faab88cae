/*
 * fraudguard: exports and lifecycle.
 *
 * Memory: `cells` cells of 44 and 40 bytes (sources, accounts), `bans` records
 * of about 450 bytes twice, `calls` leases of about 300; nothing grows. Failure mode: full
 * tables count less (statistic `untracked`) and refuse nobody.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/dialog.h"
#include "fraudguard/kamailio/event.h"
#include "fraudguard/kamailio/functions.h"
#include "fraudguard/kamailio/load.h"
#include "fraudguard/kamailio/state.h"
#include "glue/map.h"
#include "glue/param.h"

#include <string.h>

static int mod_init(void);
static int child_init(int rank);
static void keeper_wake(void);
static void keeper_tick(uint64_t now);

static const param_export_t params[] = {
		{"db_url", PARAM_STR, &fraudguard.db_url},
		{"emergency_numbers", PARAM_STR, &fraudguard.emergency_numbers},
		{"cells", PARAM_INT, &fraudguard.cells},
		{"bans", PARAM_INT, &fraudguard.bans},
		{"calls", PARAM_INT, &fraudguard.calls},
		{"ring_sec", PARAM_INT, &fraudguard.ring_sec},
		{"call_sec", PARAM_INT, &fraudguard.call_sec},
		{0, 0, 0},
};

static const struct glue_param ranges[] = {
		{"cells", &fraudguard.cells, 1024, 1 << 28, "cells"},
		{"bans", &fraudguard.bans, 64, 1 << 22, "records"},
		{"calls", &fraudguard.calls, 64, 1 << 24, "calls"},
		{"ring_sec", &fraudguard.ring_sec, 10, 3600, "seconds"},
		{"call_sec", &fraudguard.call_sec, 60, 7 * 86400, "seconds"},
};

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
		{&fraudguard.loads, "loads", 0, 0, 0, "loads that were published"},
		{&fraudguard.loads_failed, "loads_failed", 0, 0, 0,
				"loads that were refused; the old rules stayed"},
		{0, 0, 0, 0, 0, 0},
};

/* What Kamailio's loader looks up. */
#pragma GCC visibility push(default)
/* clang-format off */
struct module_exports exports = {
	.name = "fraudguard",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = (cmd_export_t *)fraudguard_cmds,
	.params = (param_export_t *)params,
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
	return sr_kemi_modules_add(fraudguard_kemi);
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
			: glue_map_store(
					&fraudguard.load_store, 8, sizeof(struct fraudguard_load));
	rc = rc ? rc
			: glue_map_ring(
					&fraudguard.ring, 1024, sizeof(struct fraudguard_hit));
	rc = rc ? rc
			: glue_map_snapshots(&fraudguard.snapshots, FRAUDGUARD_READERS,
					sizeof(struct fraudguard_image));
	rc = rc ? rc
			: glue_map_bytes(
					(void **)&fraudguard.shared, sizeof *fraudguard.shared);
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
	if(glue_param_check(ranges, sizeof ranges / sizeof ranges[0]) < 0
			|| split_emergency() < 0)
		return -1;
	if(tg_hashkey_random(&fraudguard.tables.key) < 0) {
		LM_ERR("no random source for the hash key\n");
		return -1;
	}
	if(counter_register_array("fraudguard", counters) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	if(map_memory() < 0 || fraudguard_dialog_init() < 0
			|| fraudguard_load_tables(0) < 0)
		return -1;
	fraudguard.keeper = (struct glue_keeper){.name = "fraudguard keeper",
			.tick_ms = 250,
			.wake = keeper_wake,
			.tick = keeper_tick};
	return glue_keeper_init(&fraudguard.keeper);
}

static int child_init(int rank)
{
	if(process_no >= FRAUDGUARD_READERS) {
		LM_ERR("process number %d: fraudguard serves %d processes at most\n",
				process_no, FRAUDGUARD_READERS);
		return -1;
	}
	return glue_keeper_fork(&fraudguard.keeper, rank);
}

/* --- keeper ---------------------------------------------------------------- */

static void keeper_wake(void)
{
	static uint64_t done;
	uint64_t ticket = atomic_load(&fraudguard.shared->ticket);

	if(ticket == done)
		return;
	done = ticket;
	fraudguard_load_tables(ticket);
}

static void keeper_tick(uint64_t now)
{
	fraudguard_log_events(now);
	tg_lease_sweep(fraudguard.tables.leases, now, 4096);
	tg_snapshot_reclaim(fraudguard.snapshots);
}

/*
 * callroute: exports and lifecycle.
 *
 * Memory: three snapshot slots of snapshot_mb (only what is used is real), and
 * `attempts` records of about 300 bytes; nothing grows. Failure mode: without a
 * first good load Kamailio refuses to start; afterwards a bad load keeps the
 * old data.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "glue/map.h"
#include "glue/param.h"

#include <string.h>

static int mod_init(void);
static int child_init(int rank);

static void keeper_wake(void);
static void keeper_tick(uint64_t now);

struct callroute_state callroute = {
		.db_url = STR_STATIC_INIT(""),
		.default_plan = STR_STATIC_INIT("default"),
		.snapshot_mb = 64,
		.attempts = 16384,
		.attempt_ttl = 900,
		.max_shrink = 50,
		.keeper = {.name = "callroute keeper",
				.tick_ms = 1000,
				.wake = keeper_wake,
				.tick = keeper_tick,
				.fd = -1},
};

static const param_export_t params[] = {
		{"db_url", PARAM_STR, &callroute.db_url},
		{"default_plan", PARAM_STR, &callroute.default_plan},
		{"snapshot_mb", PARAM_INT, &callroute.snapshot_mb},
		{"attempts", PARAM_INT, &callroute.attempts},
		{"attempt_ttl", PARAM_INT, &callroute.attempt_ttl},
		{"max_shrink", PARAM_INT, &callroute.max_shrink},
		{0, 0, 0},
};

static const struct glue_param ranges[] = {
		{"snapshot_mb", &callroute.snapshot_mb, 1, 65536, "megabytes"},
		{"attempts", &callroute.attempts, 8, 1 << 24, "calls"},
		{"attempt_ttl", &callroute.attempt_ttl, 10, 3600, "seconds"},
		{"max_shrink", &callroute.max_shrink, 0, 100, "per cent of the rates"},
};

static counter_def_t counters[] = {
		{&callroute.selected, "selected", 0, 0, 0,
				"calls that got a first trunk"},
		{&callroute.failed, "failed", 0, 0, 0, "calls that got no trunk"},
		{&callroute.failovers, "failovers", 0, 0, 0,
				"further trunks tried after a failure"},
		{&callroute.exhausted, "exhausted", 0, 0, 0,
				"calls for which no further trunk was left"},
		{&callroute.state_lost, "state_lost", 0, 0, 0,
				"calls whose further trunks were displaced (raise attempts)"},
		{&callroute.loads, "loads", 0, 0, 0, "loads that were published"},
		{&callroute.loads_failed, "loads_failed", 0, 0, 0,
				"loads that were refused; the old data stayed"},
		{0, 0, 0, 0, 0, 0},
};

/* What Kamailio's loader looks up. */
#pragma GCC visibility push(default)
/* clang-format off */
struct module_exports exports = {
	.name = "callroute",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = (cmd_export_t *)callroute_cmds,
	.params = (param_export_t *)params,
	.rpc_methods = (rpc_export_t *)callroute_rpcs,
	.pv_items = (pv_export_t *)callroute_pvs,
	.init_mod_f = mod_init,
	.init_child_f = child_init,
};
/* clang-format on */

MODULE_VERSION

int mod_register(char *path, int *dlflags, void *p1, void *p2);
int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	return sr_kemi_modules_add(callroute_kemi);
}
#pragma GCC visibility pop

/* One mapping for everything that workers and keeper share. */
static int map_memory(void)
{
	int rc = glue_map_store(&callroute.attempt_store, callroute.attempts,
			sizeof(struct callroute_attempt));

	rc = rc ? rc
			: glue_map_store(
					&callroute.load_store, 8, sizeof(struct callroute_load));
	rc = rc ? rc
			: glue_map_snapshots(&callroute.snapshots, CALLROUTE_READERS,
					(size_t)callroute.snapshot_mb << 20);
	rc = rc ? rc
			: glue_map_bytes(
					(void **)&callroute.shared, sizeof *callroute.shared);
	if(rc != 0) {
		LM_ERR("cannot map shared memory (snapshot_mb=%d, attempts=%d): %s\n",
				callroute.snapshot_mb, callroute.attempts, strerror(-rc));
		return -1;
	}
	return 0;
}

static int mod_init(void)
{
	if(glue_param_check(ranges, sizeof ranges / sizeof ranges[0]) < 0)
		return -1;
	if(callroute.db_url.len == 0) {
		LM_ERR("modparam db_url is not set: callroute has no routes without "
			   "its tables, for example "
			   "modparam(\"callroute\", \"db_url\", "
			   "\"sqlite:///etc/kamailio/tollgate.sqlite\")\n");
		return -1;
	}
	if(load_tm_api(&callroute.tm) < 0) {
		LM_ERR("callroute needs the tm module: put loadmodule \"tm.so\" before "
			   "it\n");
		return -1;
	}
	if(tg_hashkey_random(&callroute.key) < 0) {
		LM_ERR("no random source for the hash key\n");
		return -1;
	}
	if(counter_register_array("callroute", counters) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	if(map_memory() < 0 || callroute_load_tables(0) < 0)
		return -1;
	return glue_keeper_init(&callroute.keeper);
}

static int child_init(int rank)
{
	if(process_no >= CALLROUTE_READERS) {
		LM_ERR("process number %d: callroute serves %d processes at most\n",
				process_no, CALLROUTE_READERS);
		return -1;
	}
	return glue_keeper_fork(&callroute.keeper, rank);
}

/* In the keeper: somebody asked for a reload. */
static void keeper_wake(void)
{
	static uint64_t done;
	uint64_t ticket = atomic_load(&callroute.shared->ticket);

	if(ticket == done)
		return;
	done = ticket;
	callroute_load_tables(ticket);
}

static void keeper_tick(uint64_t now)
{
	static int reported;
	uint64_t generation;
	uint32_t reader;
	pid_t pid;
	int waiting = tg_snapshot_reclaim(callroute.snapshots);

	/* A reader that outlives a reload by a tick is worth one line. */
	if(waiting > 0 && !reported
			&& tg_snapshot_stuck(
					   callroute.snapshots, &reader, &pid, &generation)
					   == 0)
		LM_WARN("reader-stuck process=%u pid=%d generation=%llu\n", reader,
				(int)pid, (unsigned long long)generation);
	reported = waiting > 0;
}

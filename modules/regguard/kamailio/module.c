/*
 * regguard: exports and lifecycle.
 *
 * Memory: `profiles` records of about 770 bytes, `answered` of about 90,
 * `events` of about 360; nothing grows. Failure mode: an AoR without a profile
 * is judged by the deterministic findings only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/functions.h"
#include "regguard/kamailio/state.h"
#include "regguard/kamailio/usrloc.h"
#include "glue/map.h"
#include "glue/module.h"

#include <string.h>

static int mod_init(void);
static int child_init(int rank);
static void keeper_tick(uint64_t now);

/* As enum regguard_mode has them. */
static const char *const modes[] = {"off", "shadow", "enforce", NULL};

static const struct glue_param params[] = {
		GLUE_PARAM_WORD("findings_mode", &regguard.findings_mode, modes,
				&regguard.findings),
		GLUE_PARAM_WORD("novelty_mode", &regguard.novelty_mode, modes,
				&regguard.novelty),
		GLUE_PARAM_TEXT("quarantine_table", &regguard.quarantine_table),
		GLUE_PARAM_INT("profiles", &regguard.profiles, 64, 1 << 24, "AoRs"),
		GLUE_PARAM_INT("answered", &regguard.answered, 64, 1 << 26,
				"digest responses"),
		GLUE_PARAM_INT("events", &regguard.events, 64, 1 << 20, "events"),
		GLUE_PARAM_INT("learn_days", &regguard.learn_days, 0, 365, "days"),
		GLUE_PARAM_INT("learn_registrations", &regguard.learn_registrations, 1,
				1000, "registrations"),
		GLUE_PARAM_INT("profile_days", &regguard.profile_days, 1, 3650, "days"),
		GLUE_PARAM_INT("answered_sec", &regguard.answered_sec, 30, 7 * 86400,
				"seconds"),
};
#define PARAMS ((int)(sizeof params / sizeof params[0]))
static param_export_t param_exports[PARAMS + 1];

static counter_def_t counters[] = {
		{&regguard.checked, "checked", 0, 0, 0, "registrations judged"},
		{&regguard.notified, "notified", 0, 0, 0,
				"registrations allowed and told of"},
		{&regguard.quarantined, "quarantined", 0, 0, 0,
				"registrations put into quarantine"},
		{&regguard.denied, "denied", 0, 0, 0, "registrations denied"},
		{&regguard.shadow_hits, "shadow_hits", 0, 0, 0,
				"verdicts that were not enforced"},
		{&regguard.learned, "learned", 0, 0, 0,
				"saved registrations learned from"},
		{&regguard.bad_messages, "bad_messages", 0, 0, 0,
				"REGISTER requests that could not be read"},
		{0, 0, 0, 0, 0, 0},
};

static const struct glue_module module = {.name = "regguard",
		.params = params,
		.param_count = PARAMS,
		.param_exports = param_exports,
		.kemi = regguard_kemi,
		.counters = counters,
		.key = &regguard.tables.key,
		.keeper = &regguard.keeper};

/* What Kamailio's loader looks up. */
#pragma GCC visibility push(default)
/* clang-format off */
struct module_exports exports = {
	.name = "regguard",
	.dlflags = DEFAULT_DLFLAGS,
	.cmds = (cmd_export_t *)regguard_cmds,
	.params = param_exports,
	.rpc_methods = (rpc_export_t *)regguard_rpcs,
	.pv_items = (pv_export_t *)regguard_pvs,
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
	int rc = glue_map_store(&regguard.tables.profiles, regguard.profiles,
			sizeof(struct regguard_profile));

	rc = rc ? rc
			: glue_map_store(&regguard.tables.answered, regguard.answered,
					sizeof(struct regguard_answered));
	rc = rc ? rc
			: glue_map_store(&regguard.event_store, regguard.events,
					sizeof(struct regguard_event));
	rc = rc ? rc
			: glue_map_ring(
					&regguard.ring, 1024, sizeof(struct regguard_event));
	rc = rc ? rc
			: glue_map_bytes(
					(void **)&regguard.shared, sizeof *regguard.shared);
	if(rc != 0)
		LM_ERR("cannot map shared memory (profiles=%d, answered=%d, "
			   "events=%d): "
			   "%s\n",
				regguard.profiles, regguard.answered, regguard.events,
				strerror(-rc));
	return rc;
}

static int mod_init(void)
{
	if(glue_module_init(&module) < 0)
		return -1;
	regguard.settings = (struct regguard_settings){
			.learn_sec = (uint32_t)regguard.learn_days * 86400,
			.learn_registrations = (uint32_t)regguard.learn_registrations,
			.profile_sec = (uint32_t)regguard.profile_days * 86400,
			.answered_sec = (uint32_t)regguard.answered_sec};
	if(map_memory() < 0 || regguard_ul_init() < 0)
		return -1;
	regguard.keeper = (struct glue_keeper){
			.name = "regguard keeper", .tick_ms = 250, .tick = keeper_tick};
	return glue_keeper_init(&regguard.keeper);
}

static int child_init(int rank)
{
	return glue_module_child(&module, rank);
}

/* In the keeper: numbers the events, keeps them for the operator, logs them. */
static void keeper_tick(uint64_t now)
{
	struct regguard_event e;
	char reasons[128];

	for(int i = 0; i < 1024 && tg_ring_pop(regguard.ring, &e, now) == 0; i++) {
		uint64_t number = atomic_load(&regguard.shared->events) + 1;

		e.number = number;
		tg_store_put(regguard.event_store,
				tg_hash_id(&regguard.tables.key, 0, &number, sizeof number), 0,
				UINT64_MAX, now, &e);
		atomic_store(&regguard.shared->events, number);
		regguard_reason_text(e.reasons, reasons, sizeof reasons);
		LM_WARN("%s event=%llu aor=%s source=%s reasons=%s score=%d "
				"enforced=%d "
				"callid=%s\n",
				regguard_verdict_name(e.verdict), (unsigned long long)number,
				e.aor, e.source, reasons, e.score, e.enforced, e.callid);
	}
}

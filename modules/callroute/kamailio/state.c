/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/load.h"

struct callroute_state callroute = {
		.db_url = STR_STATIC_INIT(""),
		.default_plan = STR_STATIC_INIT("default"),
		.probe_from = STR_STATIC_INIT("sip:callroute@localhost"),
		.event_callback = STR_STATIC_INIT(""),
		.state_file = STR_STATIC_INIT(""),
		.snapshot_mb = 64,
		.attempts = 16384,
		.attempt_ttl = 900,
		.max_shrink = 50,
		.max_trunks = 1024,
		.max_calls = 16384,
		.max_owners = 4096,
		.quality_pairs = 65536,
		.quality_half_life = 1800,
		.max_call_sec = 14400,
		.loads = {.order_bytes = sizeof(struct callroute_order_of_load),
				.record_bytes = sizeof(struct callroute_load)},
		.keeper = {.fd = -1}, /* not started yet */
};

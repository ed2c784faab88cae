/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/kamailio/state.h"
#include "fraudguard/kamailio/load.h"

struct fraudguard_state fraudguard = {
		.db_url = STR_STATIC_INIT(""),
		.emergency_numbers = STR_STATIC_INIT("112,911,999"),
		.cells = 1048576,
		.bans = 16384,
		.calls = 65536,
		.ring_sec = 180,
		.call_sec = 43200,
		.loads = {.order_bytes = sizeof(struct glue_order),
				.record_bytes = sizeof(struct fraudguard_load)},
		.keeper = {.fd = -1}, /* not started yet */
};

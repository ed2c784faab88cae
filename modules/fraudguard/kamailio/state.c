/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/kamailio/state.h"

struct fraudguard_state fraudguard = {
		.db_url = STR_STATIC_INIT(""),
		.emergency_numbers = STR_STATIC_INIT("112,911,999"),
		.cells = 1048576,
		.bans = 16384,
		.calls = 65536,
		.ring_sec = 180,
		.call_sec = 43200,
		.keeper = {.fd = -1}, /* nobody to wake before module.c starts it */
};

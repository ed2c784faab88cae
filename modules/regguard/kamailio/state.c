/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "regguard/kamailio/state.h"

struct regguard_state regguard = {
		.findings_mode = STR_STATIC_INIT("enforce"),
		.novelty_mode = STR_STATIC_INIT("shadow"),
		.quarantine_table = STR_STATIC_INIT("quarantine"),
		.profiles = 65536,
		.answered = 131072,
		.events = 4096,
		.learn_days = 7,
		.learn_registrations = 10,
		.profile_days = 30,
		.answered_sec = 3600,
		.keeper = {.fd = -1}, /* not started yet */
};

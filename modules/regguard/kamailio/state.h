/*
 * The one state of the module in this process: parameters, shared memory,
 * statistics. Defined in state.c, read by every file of this room, changed by
 * module.c before the fork.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_KAMAILIO_STATE_H
#define REGGUARD_KAMAILIO_STATE_H

#include "glue/keeper.h"
#include "glue/ksr.h"
#include "lib/share/ring.h"
#include "regguard/regguard.h"

#include <stdatomic.h>

enum regguard_mode
{
	REGGUARD_OFF,
	REGGUARD_SHADOW, /* judged and logged, never enforced */
	REGGUARD_ENFORCE
};

/* One judgement worth telling: ring record, and record of the event store. */
struct regguard_event
{
	uint64_t number; /* counts up from 1; given by the keeper */
	int64_t at;		 /* UTC seconds */
	int verdict;	 /* as judged */
	int enforced;
	int score;
	uint32_t reasons;
	char aor[REGGUARD_AOR_MAX];
	char source[64]; /* proto:address:port */
	char callid[REGGUARD_CALLID_MAX];
};

/* In shared memory. */
struct regguard_shared
{
	_Atomic uint64_t events; /* number of the newest event */
};

struct regguard_state
{
	/* parameters */
	str findings_mode, novelty_mode, quarantine_table;
	int profiles, answered, events, learn_days, learn_registrations,
			profile_days, answered_sec;

	int findings, novelty; /* enum regguard_mode */
	int use_domain;		   /* usrloc's: AoRs carry their domain */
	struct regguard_settings settings;
	struct regguard_tables tables;
	struct regguard_shared *shared;
	struct tg_ring *ring;
	struct tg_store *event_store;
	struct glue_keeper keeper;

	counter_handle_t checked, notified, quarantined, denied, shadow_hits,
			learned, bad_messages;
};

extern struct regguard_state regguard;

#endif

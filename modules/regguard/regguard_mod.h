/*
 * What the module's Kamailio-facing files share. Hidden outside the .so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_MOD_H
#define REGGUARD_MOD_H

#include "glue/keeper.h"
#include "glue/ksr.h"
#include "glue/rpc.h"
#include "lib/ring.h"
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

	enum regguard_mode findings, novelty; /* parsed modes */
	int use_domain; /* usrloc's: AoRs carry their domain */
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

/* regguard_msg.c: reads what the policy wants to know from a REGISTER.
 * 0, -1 (malformed: no AoR, no source, or unreadable Contacts). */
int regguard_read_request(sip_msg_t *msg, struct regguard_request *out);
/* The AoR as the policy keys it (lower case); `out` is NUL-terminated and may
 * be cut, the id is of the whole. */
uint64_t regguard_fold_aor(
		const char *aor, size_t len, char out[REGGUARD_AOR_MAX]);
uint64_t regguard_contact_id(const str *contact);

/* regguard_ul.c: usrloc says what became of a registration. */
int regguard_ul_init(void);
/* This process is about to save() this request. */
void regguard_ul_expect(sip_msg_t *msg, const struct regguard_request *r);
void regguard_ul_forget(void);

/* regguard_cmd.c */
extern const cmd_export_t regguard_cmds[];
extern sr_kemi_t regguard_kemi[];

/* regguard_pv.c */
void regguard_pv_remember(const sip_msg_t *msg,
		const struct regguard_request *r, const struct regguard_answer *a);
extern const pv_export_t regguard_pvs[];

/* regguard_rpc.c */
extern const rpc_export_t regguard_rpcs[];

const char *regguard_verdict_name(int verdict);

#endif

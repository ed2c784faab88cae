/*
 * The registration verdict: does this REGISTER come from the owner of the AoR?
 * Pure: it takes profiles and answered challenges in shared memory, a request
 * and `now`, and gives a verdict with its reasons. No clock, no log, no
 * allocation, no locks except those of the stores.
 *
 * Deterministic findings (replay, foreign removal) deny. New devices and
 * networks are weighed: a new device or a new network alone never denies. Both
 * together, while the owner is registered, lead to quarantine. So does a known
 * +sip.instance in a new network with a new Call-ID while its binding is alive.
 *
 * When a store is busy or full, the registration is judged without it: full
 * memory never refuses a registration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_H
#define REGGUARD_H

#include "lib/share/hash.h"
#include "lib/table/store.h"
#include "regguard/live/profile.h"

#define REGGUARD_AOR_MAX 96
#define REGGUARD_CALLID_MAX 96

/* Verdicts; the script gets these numbers. */
enum regguard_verdict
{
	REGGUARD_ALLOW = 1,
	REGGUARD_NOTIFY = 2, /* allowed; the owner or operator should know */
	REGGUARD_QUARANTINE = -1,
	REGGUARD_DENY = -3
};

/* Reasons, as bits; each has its points (regguard_reason_points). */
enum regguard_reason
{
	REGGUARD_REPLAY = 1 << 0,		   /* a digest response reused by another */
	REGGUARD_FOREIGN_REMOVAL = 1 << 1, /* unknown device unregisters the
	                                      owner */
	REGGUARD_NEW_DEVICE = 1 << 2,
	REGGUARD_NEW_NETWORK = 1 << 3,
	REGGUARD_OWNER_ALIVE = 1 << 4,	   /* the owner is registered right now */
	REGGUARD_LEARNING = 1 << 5,		   /* the profile is still young */
	REGGUARD_COPIED_INSTANCE = 1 << 6, /* a live device's instance, used
	                                      elsewhere */
	REGGUARD_REASONS = 7
};

struct regguard_tables
{
	struct tg_hashkey key;
	struct tg_store *profiles; /* struct regguard_profile by AoR */
	struct tg_store *answered; /* struct regguard_answered by response */
};

/* The first use of a digest response. */
struct regguard_answered
{
	struct regguard_network network;
	uint64_t contact, branch;
	uint32_t removes;
};

struct regguard_settings
{
	uint32_t learn_sec; /* a profile younger than this is learning ... */
	uint32_t learn_registrations; /* ... and one with fewer than these */
	uint32_t profile_sec;		  /* an AoR unseen for so long is forgotten */
	uint32_t answered_sec;		  /* how long a digest response is remembered */
};

struct regguard_request
{
	char aor[REGGUARD_AOR_MAX]; /* as usrloc keys it; NUL-terminated */
	uint64_t aor_id;			/* regguard_aor_id of the whole AoR */
	uint8_t addr[16];			/* source; IPv4 as ::ffff:a.b.c.d */
	struct regguard_device device;
	uint64_t contact; /* hash over hosts and ports of all Contacts, or of '*' */
	uint64_t callid;  /* hash of the Call-ID */
	uint64_t branch;  /* hash of the top Via's branch */
	uint64_t response; /* hash of nonce and response, 0 = no credentials */
	int unique;		   /* the response covers a cnonce: each one is used once */
	int removes;	   /* Contact: *, or every Contact has expires 0 */
};

struct regguard_answer
{
	int verdict;	   /* enum regguard_verdict */
	int deterministic; /* 1: a deterministic finding, not weighed */
	uint32_t reasons;  /* bits of enum regguard_reason */
	int score;		   /* sum of the reasons' points */
	int known_device, known_network, learned;
	int repeated; /* its digest was first used elsewhere: do not learn */
};

uint64_t regguard_aor_id(
		const struct regguard_tables *t, const char *aor, size_t len);

/* Judges an authenticated REGISTER. Stores its digest response and changes
 * nothing else: only regguard_commit learns. */
void regguard_judge(const struct regguard_tables *t,
		const struct regguard_settings *s, const struct regguard_request *r,
		uint64_t now, struct regguard_answer *out);

/* Judges a REGISTER whose nonce was used before, so that authentication did not
 * check its password. Only a replay is reported, and nothing is stored. */
void regguard_judge_used_nonce(const struct regguard_tables *t,
		const struct regguard_request *r, uint64_t now,
		struct regguard_answer *out);

/* The registration was saved: learns from it. `contact`: hash of the binding,
 * `lifetime_us`: its remaining time. 0 or a negative errno. */
int regguard_commit(const struct regguard_tables *t,
		const struct regguard_settings *s, const struct regguard_request *r,
		uint64_t contact, uint64_t lifetime_us, uint64_t now);

/* The binding has ended, for whatever reason. 0, -ENOENT. */
int regguard_binding_gone(const struct regguard_tables *t,
		const struct regguard_settings *s, uint64_t aor_id, uint64_t contact,
		uint64_t now);

/* "allow", "notify", "quarantine", "deny". */
const char *regguard_verdict_name(int verdict);
/* "new_device,new_network", "" for none. `out` is NUL-terminated. */
void regguard_reason_text(uint32_t reasons, char *out, int size);

#endif

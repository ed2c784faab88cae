/*
 * What the fraudguard tests share: small tables, rules in one line each, and
 * questions with the time handed in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FRAUDGUARD_RIG_H
#define TESTS_UNIT_FRAUDGUARD_RIG_H

#include "unit/support.h"

#include "fraudguard/build/rules.h"
#include "fraudguard/fraudguard.h"
#include "fraudguard/live/bans.h"
#include "fraudguard/live/calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEC UINT64_C(1000000)
#define WALL INT64_C(1700000000)
#define MONO (5000 * SEC)

struct rig
{
	struct fraudguard_tables t;
	struct fraudguard_image *im; /* in force */
	struct fraudguard_builder b; /* of the next image */
	struct fraudguard_now now;
	struct fraudguard_answer a; /* the last one */
	int verified;				/* of the sources */
	int complaints;
	char complaint[32][256];
};

static inline void rig_complain(void *arg, const char *line)
{
	struct rig *r = arg;

	assert_true(r->complaints < 32);
	snprintf(r->complaint[r->complaints++], sizeof r->complaint[0], "%s", line);
}

/* The next rules start from none; rig_use puts them in force. */
static inline void rig_rules(struct rig *r)
{
	r->complaints = 0;
	if(r->b.im != r->im)
		support_free(r->b.im);
	fraudguard_build_start(
			&r->b, support_memory(sizeof *r->im), rig_complain, r);
}

static inline struct fraudguard_rule_row rig_row(const char *name,
		const char *metric, const char *match, int threshold, int window,
		const char *action, const char *mode)
{
	return (struct fraudguard_rule_row){.id = 1,
			.threshold = threshold,
			.window_sec = window,
			.ban_sec = 60,
			.code = 488,
			.name = name,
			.metric = metric,
			.match = match,
			.action = action,
			.reason = "Too Much",
			.mode = mode};
}

static inline void rig_rule(struct rig *r, const char *name, const char *metric,
		const char *match, int threshold, int window, const char *action,
		const char *mode)
{
	struct fraudguard_rule_row row =
			rig_row(name, metric, match, threshold, window, action, mode);

	fraudguard_build_rule(&r->b, &row);
}

static inline void rig_use(struct rig *r)
{
	assert_int_equal(fraudguard_build_finish(&r->b, WALL), 0);
	support_free(r->im);
	r->im = r->b.im;
}

static inline void rig_open_sized(
		struct rig *r, uint32_t cells, uint32_t records)
{
	struct tg_cells_config sources = {cells, 1}, accounts = {cells, 0};
	struct tg_store_config bans = {records, sizeof(struct fraudguard_ban)};
	struct tg_store_config calls = {
			records * 2, sizeof(struct fraudguard_call_record)};
	struct tg_lease_config leases = {records, records};
	struct fraudguard_tables *t = &r->t;
	size_t n;

#define LAY(kind, cfg, out)     \
	n = tg_##kind##_size(&cfg); \
	assert_int_equal(tg_##kind##_init(support_memory(n), n, &cfg, &out), 0)
	memset(r, 0, sizeof *r);
	LAY(cells, sources, t->sources);
	LAY(cells, accounts, t->accounts);
	LAY(store, bans, t->source_bans);
	LAY(store, bans, t->account_bans);
	LAY(store, calls, t->calls);
	LAY(lease, leases, t->leases);
#undef LAY
	t->key = (struct tg_hashkey){1, 2};
	r->now = (struct fraudguard_now){MONO, WALL};
	r->verified = 1;
	rig_rules(r);
}

static inline void rig_open(struct rig *r)
{
	rig_open_sized(r, 4096, 256);
}

static inline void rig_close(struct rig *r)
{
	support_free(r->t.sources);
	support_free(r->t.accounts);
	support_free(r->t.source_bans);
	support_free(r->t.account_bans);
	support_free(r->t.calls);
	support_free(r->t.leases);
	if(r->b.im != r->im)
		support_free(r->b.im);
	support_free(r->im);
}

static inline void rig_wait(struct rig *r, uint64_t us)
{
	r->now.mono += us;
	r->now.wall = WALL + (int64_t)((r->now.mono - MONO) / SEC);
}

static inline void rig_address(const char *text, uint8_t addr[16])
{
	struct fraudguard_net net;

	assert_int_equal(fraudguard_parse_net(text, &net), 0);
	memcpy(addr, net.addr, 16);
}

static inline int rig_source(struct rig *r, const char *address)
{
	struct fraudguard_source s = {
			.verified = r->verified, .callid = "cid@source", .callid_len = 10};

	rig_address(address, s.addr);
	memset(&r->a, 0xa5, sizeof r->a);
	fraudguard_judge_source(&r->t, r->im, &s, r->now, &r->a);
	return r->a.verdict;
}

/* A call of the account, named by its Call-ID; it rings for three minutes. */
static inline int rig_call(
		struct rig *r, const char *account, const char *callid)
{
	struct fraudguard_call c = {.account = account,
			.account_len = strlen(account),
			.call = fraudguard_call_id(&r->t, callid, strlen(callid)),
			.callid = callid,
			.callid_len = strlen(callid),
			.lease_us = 180 * SEC};

	memset(&r->a, 0xa5, sizeof r->a);
	fraudguard_judge_call(&r->t, r->im, &c, r->now, &r->a);
	return r->a.verdict;
}

static inline int rig_end(struct rig *r, const char *callid)
{
	return fraudguard_end_call(
			&r->t, fraudguard_call_id(&r->t, callid, strlen(callid)), r->now);
}

static inline int rig_answer(struct rig *r, const char *callid, uint64_t us)
{
	return fraudguard_renew_call(&r->t,
			fraudguard_call_id(&r->t, callid, strlen(callid)), us, r->now);
}

static inline uint64_t rig_leases(const struct rig *r)
{
	struct tg_lease_stats st;

	tg_lease_read_stats(r->t.leases, &st);
	return st.live;
}

/* Whether this rule fired; fills the event when not NULL. */
static inline int rig_fired(
		const struct rig *r, const char *rule, struct fraudguard_hit *out)
{
	for(int i = 0; i < r->a.events; i++) {
		if(strcmp(r->a.event[i].rule, rule) != 0)
			continue;
		if(out != NULL)
			*out = r->a.event[i];
		return 1;
	}
	return 0;
}

#endif

/*
 * Script functions of an outgoing call: choose, go on, give back; and the table
 * of all script functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"

#include <string.h>
#include <time.h>

static int refuse(struct callroute_view *view, const char *reason, int verdict)
{
	view->reason = reason;
	counter_inc(callroute.failed);
	if(verdict == CALLROUTE_NO_CAPACITY)
		counter_inc(callroute.refused_capacity);
	else if(verdict == CALLROUTE_ALL_DOWN)
		counter_inc(callroute.refused_down);
	else if(verdict == CALLROUTE_NO_MARGIN)
		counter_inc(callroute.refused_margin);
	else if(verdict == CALLROUTE_BLOCKED)
		counter_inc(callroute.refused_blocked);
	return verdict;
}

/* What the answer says, into the record that outlives this message. */
static void remember(struct callroute_attempt *a,
		const struct callroute_answer *answer,
		const struct callroute_question *q, const struct callroute_sender *s)
{
	a->sender = *s;
	a->sell = answer->sell;
	a->rule_id = answer->rule_id;
	a->src_country = answer->src_country;
	a->dst_country = answer->dst_country;
	a->emergency = answer->emergency != 0;
	a->count = (uint8_t)answer->count;
	a->next = 0;
	a->trunk_id = 0;
	memcpy(a->candidates, answer->candidates, sizeof a->candidates);
	memcpy(a->plan, answer->plan, sizeof a->plan);
	/* The number may live in the URI that the next trunk overwrites. */
	memcpy(a->number, q->number, q->number_len);
	a->number_len = (uint8_t)q->number_len;
	memcpy(a->src, q->src, q->src_len);
	a->src_len = (uint8_t)q->src_len;
	a->routing_len = answer->routing_len;
	memcpy(a->routing_number, answer->routing_number, sizeof a->routing_number);
}

/* The plan: the one named, else that of the account, else the default. */
static void set_plan(struct callroute_question *q, const str *plan,
		const struct callroute_sender *s)
{
	if(plan == NULL && s->plan != 0) {
		q->plan_id = s->plan;
		return;
	}
	if(plan == NULL)
		plan = &callroute.default_plan;
	q->plan = plan->s;
	q->plan_len = (size_t)plan->len;
}

static int touches_identity(const struct callroute_attempt *a)
{
	int touches = a->sender.cli != CALLROUTE_CLI_PASS;

	for(int i = 0; i < a->count; i++)
		touches |= a->candidates[i].cli;
	return touches;
}

static int decide(sip_msg_t *msg, struct callroute_view *view,
		struct callroute_question *q)
{
	/* One decision at a time in a process. */
	static struct callroute_work work;
	static struct callroute_answer answer;
	struct callroute_attempt *a = &view->attempt;
	const struct callroute_image *im;
	struct cell *t = callroute.tm.t_gett();
	uint64_t id = callroute_request_id(msg);
	int rc;

	a->call = callroute_call_id(msg);
	if(id == 0 || a->call == 0)
		return refuse(view, "bad_message", CALLROUTE_NO_PREFIX);
	q->clock = glue_now();
	q->now = time(NULL);
	q->seed = id ^ q->clock;
	q->account = view->sender.account;
	q->account_limit = view->sender.limit;
	im = tg_snapshot_enter(
			callroute.snapshots, process_no, NULL, &a->generation);
	callroute_decide(im, callroute.live, q, &work, &answer);
	tg_snapshot_leave(callroute.snapshots, process_no);

	memcpy(view->redirect, answer.redirect, sizeof view->redirect);
	if(answer.verdict == CALLROUTE_REDIRECTED) {
		view->reason = answer.reason;
		memcpy(a->plan, answer.plan, sizeof a->plan);
		a->rule_id = answer.rule_id;
		counter_inc(callroute.redirected);
		return CALLROUTE_REDIRECTED;
	}
	if(answer.verdict != CALLROUTE_OK)
		return refuse(view, answer.reason, answer.verdict);
	remember(a, &answer, q, &view->sender);
	rc = callroute_try_next(msg, id, view, 1, 0);
	if(rc == CALLROUTE_NO_CAPACITY)
		return refuse(view, view->reason, rc);
	if(rc != CALLROUTE_OK)
		return refuse(view, "all_down", CALLROUTE_ALL_DOWN);
	/* A second choice in a failure route has its callbacks already. */
	if(t == NULL || t == T_UNDEFINED)
		callroute_follow(msg, id, touches_identity(a));
	counter_inc(callroute.selected);
	if(a->emergency)
		counter_inc(callroute.emergency);
	return rc;
}

int callroute_cmd_select(sip_msg_t *msg, const str *plan, const str *dst)
{
	struct callroute_view *view = callroute_view_of(msg);
	struct callroute_question q = {0};
	char src[CALLROUTE_CALLER_MAX];
	str number;

	memset(&view->attempt, 0, sizeof view->attempt);
	memset(&view->trunk, 0, sizeof view->trunk);
	view->reason = "";
	if(dst != NULL)
		number = *dst;
	else if(view->number[0] != '\0' || callroute_take_sos(msg, view))
		number = (str){view->number, (int)strlen(view->number)};
	else if(callroute_request_number(msg, &number) < 0)
		return refuse(view, "not_a_number", CALLROUTE_NO_PREFIX);
	if(number.len > 0 && number.s[0] == '+') {
		number.s++;
		number.len--;
	}
	if(plan == NULL && callroute_emergency_is_lost(msg, view, &number))
		return refuse(view, "no_emergency_rule", CALLROUTE_NO_PREFIX);
	callroute_end_hunt(callroute_request_id(msg));
	q.number = number.s;
	q.number_len = (size_t)number.len;
	q.src = src;
	q.src_len = callroute_caller_number(msg, src);
	set_plan(&q, plan, &view->sender);
	return decide(msg, view, &q);
}

/* --- callroute_next ---------------------------------------------------------- */

static int exhausted(struct callroute_view *view, const char *reason)
{
	view->reason = reason;
	counter_inc(callroute.exhausted);
	callroute_capacity_release(callroute.live, view->attempt.call, glue_now());
	return CALLROUTE_EXHAUSTED;
}

/* What the failed trunk's class says of the reply. A trunk that a reload took
 * away says nothing: go on. */
static enum callroute_follow what_follows(uint32_t trunk_id, int reply)
{
	const struct callroute_image *im =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	const struct callroute_trunk *t =
			im ? callroute_find_trunk(im, trunk_id) : NULL;
	enum callroute_follow f =
			t ? callroute_follows(t, reply) : CALLROUTE_FOLLOW_NEXT;

	tg_snapshot_leave(callroute.snapshots, process_no);
	return f;
}

int callroute_cmd_next(sip_msg_t *msg)
{
	struct callroute_view *view = callroute_view_of(msg);
	struct callroute_attempt *a = &view->attempt;
	struct cell *t = callroute.tm.t_gett();
	uint64_t id = callroute_request_id(msg);
	enum callroute_follow follow;
	uint32_t carrier;
	int branch, reply, rc;

	memset(a, 0, sizeof *a);
	if(t == NULL || t == T_UNDEFINED || id == 0
			|| (branch = callroute.tm.t_get_picked_branch()) < 0) {
		LM_ERR("callroute_next works in a failure_route only\n");
		return exhausted(view, "no_failure");
	}
	rc = callroute_next_members(msg, id);
	if(rc != 0)
		return rc;
	reply = t->uac[branch].last_received;
	if(tg_store_get(callroute.attempt_store, id, glue_now(), a) < 0) {
		counter_inc(callroute.state_lost);
		return exhausted(view, "state_lost");
	}
	callroute_settle(id, reply, (t->flags & T_CANCELED) != 0);
	if(t->flags & T_CANCELED)
		return exhausted(view, "canceled");
	follow = what_follows(a->trunk_id, reply);
	/* An emergency call takes no failure for an answer but the caller's own. */
	if(follow == CALLROUTE_FOLLOW_END && !a->emergency)
		return exhausted(view, "final_reply");
	carrier = follow == CALLROUTE_FOLLOW_OTHER_CARRIER ? a->carrier_id : 0;
	rc = callroute_try_next(msg, id, view, 0, carrier);
	if(rc != CALLROUTE_OK)
		return exhausted(view, view->reason);
	counter_inc(callroute.failovers);
	return CALLROUTE_OK;
}

int callroute_cmd_release(sip_msg_t *msg)
{
	uint64_t now = glue_now();
	uint64_t ids[2] = {callroute_call_id(msg), callroute_call_id_reverse(msg)};
	int given = 0;

	for(int i = 0; i < 2; i++) {
		if(ids[i] != 0
				&& callroute_capacity_release(callroute.live, ids[i], now) == 0)
			given = 1;
	}
	return given ? 1 : -1;
}

/* --- script: native ------------------------------------------------------- */

static int text(sip_msg_t *msg, char *param, str *out)
{
	return fixup_get_svalue(msg, (gparam_t *)param, out);
}

static int w_select(sip_msg_t *msg, char *plan, char *dst)
{
	str p, d;

	if(plan != NULL && text(msg, plan, &p) < 0)
		return CALLROUTE_NO_DATA;
	if(dst != NULL && text(msg, dst, &d) < 0)
		return CALLROUTE_NO_PREFIX;
	return callroute_cmd_select(
			msg, plan != NULL ? &p : NULL, dst != NULL ? &d : NULL);
}

/* Functions with one optional text, and without any. */
#define WITH_TEXT(name)                                              \
	static int w_##name(sip_msg_t *msg, char *param, char *none)     \
	{                                                                \
		str s;                                                       \
                                                                     \
		if(param != NULL && text(msg, param, &s) < 0)                \
			return -1;                                               \
		return callroute_cmd_##name(msg, param != NULL ? &s : NULL); \
	}
#define PLAIN(name)                                         \
	static int w_##name(sip_msg_t *msg, char *p1, char *p2) \
	{                                                       \
		return callroute_cmd_##name(msg);                   \
	}

PLAIN(next)
PLAIN(release)
PLAIN(account)
PLAIN(explain)
WITH_TEXT(normalize)
WITH_TEXT(is_emergency)
WITH_TEXT(is_trunk)
WITH_TEXT(did)
WITH_TEXT(fork)

static int w_redirect(sip_msg_t *msg, char *param, char *none)
{
	int n = CALLROUTE_CANDIDATES;

	if(param != NULL && fixup_get_ivalue(msg, (gparam_t *)param, &n) < 0)
		return -1;
	return callroute_cmd_redirect(msg, n);
}

#define ROUTES (REQUEST_ROUTE | FAILURE_ROUTE)
#define TEXT(name, routes)                                \
	{"callroute_" #name, w_##name, 0, 0, 0, routes},      \
	{                                                     \
		"callroute_" #name, w_##name, 1, fixup_spve_null, \
				fixup_free_spve_null, routes              \
	}

/* clang-format off */
const cmd_export_t callroute_cmds[] = {
	TEXT(select, ROUTES),
	{"callroute_select", w_select, 2, fixup_spve_spve, fixup_free_spve_spve, ROUTES},
	{"callroute_next", w_next, 0, 0, 0, FAILURE_ROUTE},
	{"callroute_release", w_release, 0, 0, 0, ANY_ROUTE},
	{"callroute_account", w_account, 0, 0, 0, ROUTES},
	{"callroute_explain", w_explain, 0, 0, 0, ROUTES},
	TEXT(normalize, ROUTES),
	TEXT(is_emergency, ROUTES),
	TEXT(is_trunk, ANY_ROUTE),
	TEXT(did, ROUTES),
	TEXT(fork, ROUTES),
	{"callroute_redirect", w_redirect, 0, 0, 0, REQUEST_ROUTE},
	{"callroute_redirect", w_redirect, 1, fixup_igp_null, fixup_free_igp_null, REQUEST_ROUTE},
	{0, 0, 0, 0, 0, 0},
};
/* clang-format on */

/* --- script: KEMI ---------------------------------------------------------- */

static int ki_select(sip_msg_t *msg)
{
	return callroute_cmd_select(msg, NULL, NULL);
}

static int ki_select_plan(sip_msg_t *msg, str *plan)
{
	return callroute_cmd_select(msg, plan, NULL);
}

static int ki_select_dst(sip_msg_t *msg, str *plan, str *dst)
{
	return callroute_cmd_select(msg, plan, dst);
}

#define KI_OPTIONAL(name)                                 \
	static int ki_##name(sip_msg_t *msg)                  \
	{                                                     \
		return callroute_cmd_##name(msg, NULL);           \
	}                                                     \
	static int ki_##name##_of(sip_msg_t *msg, str *param) \
	{                                                     \
		return callroute_cmd_##name(msg, param);          \
	}

KI_OPTIONAL(normalize)
KI_OPTIONAL(is_emergency)
KI_OPTIONAL(is_trunk)
KI_OPTIONAL(did)
KI_OPTIONAL(fork)

static int ki_redirect(sip_msg_t *msg)
{
	return callroute_cmd_redirect(msg, CALLROUTE_CANDIDATES);
}

#define KEMI(name, function, ...)                                      \
	{                                                                  \
		str_init("callroute"), str_init(name), SR_KEMIP_INT, function, \
		{                                                              \
			__VA_ARGS__                                                \
		}                                                              \
	}
#define KEMI_OPTIONAL(name)                \
	KEMI(#name, ki_##name, SR_KEMIP_NONE), \
			KEMI(#name "_of", ki_##name##_of, SR_KEMIP_STR)

/* clang-format off */
sr_kemi_t callroute_kemi[] = {
	KEMI("select", ki_select, SR_KEMIP_NONE),
	KEMI("select_plan", ki_select_plan, SR_KEMIP_STR),
	KEMI("select_dst", ki_select_dst, SR_KEMIP_STR, SR_KEMIP_STR),
	KEMI("next", callroute_cmd_next, SR_KEMIP_NONE),
	KEMI("release", callroute_cmd_release, SR_KEMIP_NONE),
	KEMI("account", callroute_cmd_account, SR_KEMIP_NONE),
	KEMI("explain", callroute_cmd_explain, SR_KEMIP_NONE),
	KEMI_OPTIONAL(normalize),
	KEMI_OPTIONAL(is_emergency),
	KEMI_OPTIONAL(is_trunk),
	KEMI_OPTIONAL(did),
	KEMI_OPTIONAL(fork),
	KEMI("redirect", ki_redirect, SR_KEMIP_NONE),
	KEMI("redirect_n", callroute_cmd_redirect, SR_KEMIP_INT),
	{{0, 0}, {0, 0}, 0, NULL, {0}},
};
/* clang-format on */

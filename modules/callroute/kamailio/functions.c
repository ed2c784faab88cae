/*
 * Script functions of an outgoing call: choose, go on, give back.
 *
 * A choice is made once for a request: a retransmission gets what the first
 * copy got, and a second choice by the script gives back what the first one
 * holds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/account.h"
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/follow.h"
#include "callroute/kamailio/hunt.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/trunk.h"

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
	int named = plan != NULL && plan->len > 0;

	if(!named && s->plan != 0) {
		q->plan_id = s->plan;
		return;
	}
	if(!named)
		plan = &callroute.default_plan;
	q->plan = plan->s;
	q->plan_len = (size_t)plan->len;
}

/* What is known of the request when a choice is asked for. */
enum standing
{
	NEW,
	AGAIN,	  /* a second plan: the choice before is over */
	REPEATED, /* the sender repeats a request that is under way */
	TAKEN	  /* the ids of a call that was answered */
};

/* Is a transaction of this request there, which another copy of it made? Leaves
 * tm as it found it: the script's t_relay() absorbs the copy. */
static int is_under_way(sip_msg_t *msg)
{
	struct cell *t;
	int cancel;

	if(callroute.tm.t_lookup_request(msg, 0, &cancel) != 1)
		return 0;
	t = callroute.tm.t_gett();
	callroute.tm.t_sett(T_UNDEFINED, T_BR_UNDEFINED);
	callroute.tm.unref_cell(t);
	return 1;
}

static enum standing stand(
		sip_msg_t *msg, uint64_t id, struct callroute_attempt *old)
{
	int known = tg_store_get(callroute.attempt_store, id, glue_now(), old) == 0;

	if(!known)
		memset(old, 0, sizeof *old);
	if(callroute_transaction() != NULL || callroute_is_held(msg, id))
		return known ? AGAIN : NEW;
	if(!known)
		return NEW;
	if(is_under_way(msg))
		return REPEATED;
	return old->dialog != 0 ? TAKEN : NEW;
}

/* The choice before gives back its trunk; the account's channel stays with the
 * call, unless it is another account now. Returns whether it stayed. */
static int abandon(const struct callroute_attempt *old,
		const struct callroute_sender *sender, uint64_t id)
{
	struct callroute_claim claim = {.account = sender->account};
	uint64_t now = glue_now();

	if(old->sender.account != sender->account
			|| callroute_capacity_move(callroute.live, id, &claim,
					   now + (uint64_t)callroute.attempt_ttl * 1000000, now)
					   != 0) {
		callroute_give_back(id, now);
		return 0;
	}
	return 1;
}

/* The verdict. `holds_account`: the call holds its account's channel already.
 * */
static int decide(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		struct callroute_question *q, int holds_account)
{
	/* One decision at a time in a process. */
	static struct callroute_work work;
	static struct callroute_answer answer;
	struct callroute_attempt *a = &view->attempt;
	const struct callroute_image *im;
	int rc;

	q->clock = glue_now();
	q->now = time(NULL);
	q->seed = id ^ q->clock;
	/* The account's limits do not count a call against itself. */
	q->account = holds_account ? 0 : view->sender.account;
	q->account_limit = view->sender.limit;
	im = tg_snapshot_enter(
			callroute.loads.snapshots, process_no, NULL, &a->generation);
	callroute_decide(im, callroute.live, q, &work, &answer);
	callroute_leave();

	/* A script that refuses the call may say by which rule of which plan. */
	memcpy(a->plan, answer.plan, sizeof a->plan);
	a->rule_id = answer.rule_id;
	a->src_country = answer.src_country;
	a->dst_country = answer.dst_country;
	memcpy(view->redirect, answer.redirect, sizeof view->redirect);
	if(answer.verdict == CALLROUTE_REDIRECTED) {
		view->reason = answer.reason;
		counter_inc(callroute.redirected);
		return CALLROUTE_REDIRECTED;
	}
	if(answer.verdict != CALLROUTE_OK)
		return refuse(view, answer.reason, answer.verdict);
	remember(a, &answer, q, &view->sender);
	rc = callroute_try_next(msg, id, view, !holds_account, 0);
	if(rc == CALLROUTE_NO_CAPACITY)
		return refuse(view, view->reason, rc);
	if(rc != CALLROUTE_OK)
		return refuse(view, "all_down", CALLROUTE_ALL_DOWN);
	counter_inc(callroute.selected);
	if(a->emergency)
		counter_inc(callroute.emergency);
	return rc;
}

/* The verdict; with it a trunk is applied, or nothing is held. */
static int choose(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		struct callroute_question *q, struct callroute_attempt *old, int again)
{
	struct callroute_attempt *a = &view->attempt;
	int holds_account = again && abandon(old, &view->sender, id), rc;
	uint64_t now;

	a->call = id;
	a->followed = 1;
	a->identity = again && old->identity;
	rc = decide(msg, id, view, q, holds_account);
	if(rc == CALLROUTE_OK) {
		if(!callroute_is_held(msg, id) && !(again && old->followed))
			callroute_follow(msg, id);
		return rc;
	}
	now = glue_now();
	callroute_give_back(id, now);
	if(!again)
		return rc;
	/* A third choice wants the number, callroute_next() nothing. */
	old->count = old->next;
	old->settled = 1;
	tg_store_put(callroute.attempt_store, id, 0,
			now + (uint64_t)callroute.attempt_ttl * 1000000, now, old);
	return rc;
}

/* The present attempt's reply. tm picks the best reply of all branches: those
 * of the attempts before and of others (append_branch) are not the trunk's. Its
 * own are the first one, but for those of t_suspend(), and what DNS had for the
 * same URI after it. */
static int failed_with(const struct cell *t, const struct callroute_attempt *a)
{
	const str *uri = NULL;
	int picked = callroute.tm.t_get_picked_branch();

	for(int b = a->branch; b < t->nr_of_outgoings; b++) {
		const struct ua_client *uac = &t->uac[b];

		if(uac->flags & TM_UAC_FLAG_BLIND)
			continue;
		if(uri == NULL)
			uri = &uac->uri;
		if(uac->last_received >= 300 && STR_EQ(*uri, uac->uri))
			picked = b;
	}
	return t->uac[picked].last_received;
}

/* Another plan in a failure route, without callroute_next(). */
static void settle_before(uint64_t id, const struct callroute_attempt *old)
{
	const struct cell *t = callroute_transaction();

	if(t != NULL && callroute.tm.t_get_picked_branch() >= 0)
		callroute_settle(
				t, id, failed_with(t, old), (t->flags & T_CANCELED) != 0);
}

/* The number to route by: as callroute_asked_number(), but that of the choice
 * before (whose trunk may have rewritten the request's) comes before the
 * request's. 0, -1. */
static int number_to_route(sip_msg_t *msg, struct callroute_view *view,
		const str *given, const struct callroute_attempt *old, str *out)
{
	if(given == NULL && view->number[0] == '\0')
		callroute_take_sos(msg, view);
	if(given != NULL || view->number[0] != '\0' || old == NULL)
		return callroute_asked_number(msg, view, given, out);
	*out = (str){(char *)old->number, old->number_len};
	return 0;
}

int callroute_cmd_select(
		sip_msg_t *msg, const str *plan, const str *dst, const str *src)
{
	struct callroute_view *view = callroute_view_of(msg);
	struct callroute_attempt old;
	struct callroute_question q = {0};
	uint64_t id = callroute_request_id(msg);
	enum standing standing = id != 0 ? stand(msg, id, &old) : TAKEN;
	char caller[CALLROUTE_CALLER_MAX];
	uint64_t dialogs[2];
	str number;

	memset(&view->attempt, 0, sizeof view->attempt);
	memset(&view->trunk, 0, sizeof view->trunk);
	view->reason = "";
	if(standing == TAKEN)
		return refuse(view, "bad_message", CALLROUTE_NO_PREFIX);
	/* It goes the way of its call, and is none. */
	if(callroute_dialog_ids(msg, dialogs) == 0)
		return refuse(view, "in_dialog", CALLROUTE_NO_PREFIX);
	if(standing == REPEATED) {
		view->attempt = old;
		callroute_copy_trunk(old.trunk_id, view, NULL);
		view->reason = "ok";
		return CALLROUTE_OK;
	}
	if(standing == AGAIN)
		settle_before(id, &old);
	/* A failure route knows of the sender by the choice before. */
	if(standing == AGAIN && view->sender.account == 0)
		view->sender = old.sender;
	if(number_to_route(msg, view, dst, standing == AGAIN ? &old : NULL, &number)
			< 0)
		return refuse(view, "not_a_number", CALLROUTE_NO_PREFIX);
	if((plan == NULL || plan->len == 0)
			&& callroute_emergency_is_lost(msg, view, &number))
		return refuse(view, "no_emergency_rule", CALLROUTE_NO_PREFIX);
	callroute_end_hunt(id);
	q.number = number.s;
	q.number_len = (size_t)number.len;
	q.src = caller;
	q.src_len = src != NULL
						? callroute_read_caller(src, caller)
						: callroute_caller_number(msg, &view->sender, caller);
	view->attempt.forged = callroute_is_forged(msg, &view->sender) != 0;
	set_plan(&q, plan, &view->sender);
	return choose(msg, id, view, &q, &old, standing == AGAIN);
}

/* --- callroute_next ----------------------------------------------------------
 * */

static int exhausted(struct callroute_view *view, const char *reason)
{
	view->reason = reason;
	counter_inc(callroute.exhausted);
	callroute_give_back(view->attempt.call, glue_now());
	return CALLROUTE_EXHAUSTED;
}

/* What the failed trunk's class says of the reply. A trunk that a reload took
 * away says nothing: go on. */
static enum callroute_follow what_follows(uint32_t trunk_id, int reply)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_trunk *t =
			im ? callroute_find_trunk(im, trunk_id) : NULL;
	enum callroute_follow f =
			t ? callroute_follows(t, reply) : CALLROUTE_FOLLOW_NEXT;

	callroute_leave();
	return f;
}

int callroute_cmd_next(sip_msg_t *msg)
{
	struct callroute_view *view = callroute_view_of(msg);
	struct callroute_attempt *a = &view->attempt;
	const struct cell *t = callroute_transaction();
	uint64_t id = callroute_request_id(msg);
	enum callroute_follow follow;
	uint32_t carrier;
	int reply, rc;

	memset(a, 0, sizeof *a);
	/* Also before anything was sent: all members of the first round may be
	 * absent. */
	rc = id != 0 ? callroute_next_members(msg, id) : 0;
	if(rc != 0)
		return rc;
	if(t == NULL || id == 0 || callroute.tm.t_get_picked_branch() < 0) {
		LM_ERR("callroute_next works in a failure_route only\n");
		return exhausted(view, "no_failure");
	}
	if(tg_store_get(callroute.attempt_store, id, glue_now(), a) < 0) {
		counter_inc(callroute.state_lost);
		return exhausted(view, "state_lost");
	}
	reply = failed_with(t, a);
	callroute_settle(t, id, reply, (t->flags & T_CANCELED) != 0);
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

/* All legs of the dialog; how many. */
static int release_dialog(uint64_t dialog, uint64_t now)
{
	struct callroute_legs legs;
	int given = 0;

	if(tg_store_get(callroute.answered_store, dialog, now, &legs) < 0)
		return 0;
	tg_store_del(callroute.answered_store, dialog);
	for(int i = 0; i < CALLROUTE_LEGS && legs.id[i] != 0; i++)
		given += callroute_give_back(legs.id[i], now) == 0;
	return given;
}

int callroute_cmd_release(sip_msg_t *msg)
{
	uint64_t now = glue_now(), dialogs[2], id;

	if(callroute_dialog_ids(msg, dialogs) == 0)
		return release_dialog(dialogs[0], now) + release_dialog(dialogs[1], now)
					   ? 1
					   : -1;
	id = callroute_request_id(msg);
	return id != 0 && callroute_give_back(id, now) == 0 ? 1 : -1;
}

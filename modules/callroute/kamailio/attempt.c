/*
 * One attempt, from its choice to its outcome: what it takes (a channel, a call
 * a second, a breaker's trial), what it does to the request, and the report of
 * what became of it, exactly once.
 *
 * No locks but those of the store and the leases, no allocation of ours
 * (rewriting a URI uses the worker's private memory).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/event.h"
#include "callroute/kamailio/identity.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/trunk.h"
#include "callroute/live/capacity_owed.h"
#include "callroute/live/health.h"
#include "callroute/live/quality.h"
#include "core/dset.h"
#include "core/socket_info.h"

#include <errno.h>
#include <string.h>

static uint64_t after(int seconds, uint64_t now)
{
	return now + (uint64_t)seconds * 1000000;
}

/* Sends the request the trunk's way. 0, or -1 when Kamailio refused. */
static int apply(sip_msg_t *msg, const struct callroute_view *view)
{
	const struct callroute_trunk *t = &view->trunk;
	const struct callroute_attempt *a = &view->attempt;
	char buf[CALLROUTE_REQUEST_URI_MAX];
	str uri = {buf, 0};

	uri.len = callroute_make_uri(t, a->number, a->number_len, buf, sizeof buf);
	if(uri.len < 0 || rewrite_uri(msg, &uri) < 0) {
		LM_ERR("trunk=%s: cannot set the request URI\n", t->name);
		return -1;
	}
	reset_dst_uri(msg);
	if(t->socket[0] != '\0') {
		str name = {(char *)t->socket, (int)strlen(t->socket)};
		struct socket_info *sock = lookup_local_socket(&name);

		if(sock == NULL) {
			LM_ERR("trunk=%s socket=%s: Kamailio does not listen there\n",
					t->name, t->socket);
			return -1;
		}
		set_force_socket(msg, sock);
	}
	if((t->try_timeout_ms || t->ring_timeout_ms)
			&& callroute.tm.set_fr(msg, t->ring_timeout_ms, t->try_timeout_ms)
					   < 0)
		LM_WARN("trunk=%s: cannot set the timers\n", t->name);
	return 0;
}

/* Takes what the attempt needs; `claim` has the trunk's part, and then all of
 * it. 0, or what refused it. */
static enum callroute_refusal reserve(struct callroute_view *view,
		struct callroute_claim *claim, int first, uint64_t now)
{
	struct callroute_attempt *a = &view->attempt;
	uint64_t expires = after(callroute.attempt_ttl, now);
	int rc;

	claim->account = a->sender.account;
	claim->limit[CALLROUTE_OWNER_ACCOUNT] = a->sender.limit;
	if(a->emergency)
		memset(claim->limit, 0, sizeof claim->limit);
	rc = first ? callroute_capacity_take(
				 callroute.live, a->call, claim, expires, now)
			   : callroute_capacity_move(
					   callroute.live, a->call, claim, expires, now);
	return rc < 0 ? CALLROUTE_CAPACITY_OK : (enum callroute_refusal)rc;
}

static int may_try(const struct callroute_view *view)
{
	const struct callroute_trunk *t = &view->trunk;

	/* An emergency call tries what is down too. */
	return view->attempt.emergency
		   || (callroute_state_of(callroute.live, t) == CALLROUTE_UP
				   && (t->probe_interval == 0
						   || callroute_health_is_up(
								   callroute.live, (int)t->live)));
}

/* Whether the breaker lets the attempt through: closed, or this call is the one
 * that tries. Another process may have taken the trial since the decision. */
static int takes_trial(const struct callroute_view *view, uint64_t now)
{
	const struct callroute_trunk *t = &view->trunk;

	return !t->has_breaker || view->attempt.emergency
		   || callroute_breaker_take(
					  callroute.live, (int)t->live, &t->breaker, now)
					  == 0;
}

int callroute_try_next(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		int first, uint32_t other_than)
{
	struct callroute_attempt *a = &view->attempt;
	enum callroute_refusal refused = CALLROUTE_CAPACITY_OK;
	const struct cell *t = callroute_transaction();
	uint64_t now = glue_now();

	while(a->next < a->count) {
		const struct callroute_candidate *c = &a->candidates[a->next++];
		struct callroute_claim claim;
		enum callroute_refusal r;

		if(callroute_copy_trunk(c->trunk_id, view, &claim) < 0)
			continue;
		if((other_than != 0 && claim.carrier == other_than) || !may_try(view))
			continue;
		r = reserve(view, &claim, first, now);
		if(r != CALLROUTE_CAPACITY_OK) {
			refused = r;
			continue;
		}
		/* From here on the call holds its account's channel. */
		first = 0;
		if(!takes_trial(view, now) || apply(msg, view) < 0) {
			/* The attempt is not made: it uses no call per second. */
			callroute_capacity_undo_pace(callroute.live, &claim, now);
			continue;
		}
		a->trunk_id = view->trunk.id;
		a->carrier_id = claim.carrier;
		a->branch = t != NULL ? (uint16_t)t->nr_of_outgoings : 0;
		a->slot = view->trunk.live;
		a->started = now;
		a->pdd_ms = CALLROUTE_NO_PDD;
		a->rang = a->settled = 0;
		if(!a->identity && callroute_touches_identity(view)) {
			callroute_follow_identity(msg, id);
			a->identity = 1;
		}
		callroute_live_count(callroute.live, (int)a->slot, CALLROUTE_ATTEMPTS);
		tg_store_put(callroute.attempt_store, id, 0,
				after(callroute.attempt_ttl, now), now, a);
		view->reason = "ok";
		return CALLROUTE_OK;
	}
	memset(&view->trunk, 0, sizeof view->trunk);
	view->carrier[0] = view->codecs[0] = '\0';
	callroute_give_back(a->call, now);
	if(refused == CALLROUTE_ACCOUNT_CHANNELS
			|| refused == CALLROUTE_ACCOUNT_CPS) {
		view->reason = refused == CALLROUTE_ACCOUNT_CPS ? "account_cps"
														: "account_channels";
		return CALLROUTE_NO_CAPACITY;
	}
	view->reason = refused ? "no_capacity" : "exhausted";
	return refused ? CALLROUTE_NO_CAPACITY : CALLROUTE_EXHAUSTED;
}

/* --- the outcome ------------------------------------------------------------
 * */

/* Marks the attempt as settled and copies it out. Another process that comes
 * later finds it settled and changes nothing. */
static int mark_settled(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;

	if(fresh)
		return 0;
	if(a->settled || a->trunk_id == 0)
		return -EALREADY;
	a->settled = 1;
	memcpy(arg, a, sizeof *a);
	return 1;
}

static void report_breaker(const struct callroute_attempt *a, int reply,
		enum callroute_outcome outcome, uint64_t now)
{
	struct callroute_breaker_config cfg;
	struct callroute_codes codes;
	int edge;

	if(callroute_copy_breaker(a->trunk_id, &cfg, &codes) < 0)
		return;
	/* A caller who hangs up before it rings says nothing about the trunk. */
	if(outcome == CALLROUTE_OUTCOME_CANCELLED && !a->rang)
		return;
	edge = callroute_breaker_report(callroute.live, (int)a->slot, &cfg,
			a->started,
			outcome != CALLROUTE_OUTCOME_CANCELLED
					&& callroute_has_code(&codes, reply ? reply : 408),
			now);
	if(edge != 0)
		callroute_tell(CALLROUTE_BREAKER_MOVED, a->trunk_id,
				edge > 0 ? "closed" : "open");
}

/* Has any branch of the attempt left, or failed to for the trunk's fault? Those
 * of t_suspend() are blind. */
static int was_sent(
		const struct cell *t, const struct callroute_attempt *a, int reply)
{
	/* Kamailio's own replies: no route to the address, no address for the name.
	 * */
	if(reply == 477 || reply == 478)
		return 1;
	for(int b = a->branch; b < t->nr_of_outgoings; b++) {
		if(t->uac[b].request.buffer != NULL
				&& !(t->uac[b].flags & TM_UAC_FLAG_BLIND))
			return 1;
	}
	return 0;
}

void callroute_settle(
		const struct cell *t, uint64_t id, int reply, int cancelled)
{
	struct callroute_attempt a;
	struct callroute_sample sample;
	uint64_t now = glue_now();

	if(tg_store_edit(callroute.attempt_store, id, 0,
			   after(callroute.attempt_ttl, now), now, mark_settled,
			   &a) != 0
			|| a.trunk_id == 0 || !was_sent(t, &a, reply))
		return;
	sample.outcome = cancelled ? CALLROUTE_OUTCOME_CANCELLED
							   : callroute_quality_classify(reply, a.rang);
	sample.pdd_ms = a.pdd_ms;
	callroute_quality_add(
			callroute.live, (int)a.slot, a.dst_country, &sample, now);
	if(sample.outcome == CALLROUTE_OUTCOME_ANSWERED)
		callroute_live_count(callroute.live, (int)a.slot, CALLROUTE_ANSWERED);
	else if(sample.outcome == CALLROUTE_OUTCOME_CANCELLED)
		callroute_live_count(callroute.live, (int)a.slot, CALLROUTE_CANCELLED);
	else
		callroute_live_fail(callroute.live, (int)a.slot, reply, now);
	report_breaker(&a, reply, sample.outcome, now);
}

int callroute_give_back(uint64_t id, uint64_t now)
{
	int rc = callroute_release_or_owe(callroute.live, callroute.owed, id, now);

	if(rc == -EINPROGRESS)
		counter_inc(callroute.released_late);
	else if(rc == -ENOBUFS)
		LM_ERR("channels of a call that is over cannot be given back: a "
			   "process "
			   "is stopped inside a lock, and the list of such calls is full "
			   "(max_calls); they are free after attempt_ttl or "
			   "max_call_sec\n");
	return rc == -EINPROGRESS || rc == -ENOBUFS ? 0 : rc;
}

/*
 * What becomes of calls. It is told by tm (replies, the final answer,
 * the transaction's end), the end of the script (calls refused without a
 * transaction), and dialog (the end of answered calls: end.c). The first of
 * them gives the channels back, once. A channel that none of them gives back
 * ends by its expiry.
 *
 * The request's id travels as the callbacks' parameter: nothing is allocated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/follow.h"
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/dialog.h"
#include "callroute/kamailio/end.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/live/capacity.h"
#include "core/parser/parse_cseq.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"
#include "core/script_cb.h"

#include <errno.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "ids travel as pointers");

static uint64_t id_of(void *param)
{
	return (uint64_t)(uintptr_t)param;
}

static void *param_of(uint64_t id)
{
	return (void *)(uintptr_t)id;
}

static uint64_t seconds(int n)
{
	return (uint64_t)n * 1000000;
}

/* --- the transaction ---------------------------------------------------------
 * */

struct ringing
{
	uint64_t now;
	int branch; /* that it came by */
};

/* The first sign of life of the present attempt. */
static int mark_ringing(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	const struct ringing *r = arg;

	if(fresh)
		return 0;
	/* A trunk that was left may ring all the same, too late. */
	if(a->rang || a->settled || r->branch < a->branch)
		return -1;
	a->rang = 1;
	a->pdd_ms = (uint32_t)((r->now - a->started) / 1000);
	return 1;
}

static void on_reply_in(struct cell *t, int type, struct tmcb_params *p)
{
	struct ringing r;

	if(p->code <= 100 || p->code >= 300 || p->code == 181 || p->code == 182)
		return;
	/* Those to our CANCEL come here too. */
	if(p->rpl == NULL || p->rpl == FAKED_REPLY || p->rpl->cseq == NULL
			|| get_cseq(p->rpl)->method_id != METHOD_INVITE)
		return;
	r.now = glue_now();
	r.branch = callroute.tm.t_gett_branch();
	tg_store_edit(callroute.attempt_store, id_of(*p->param), 0,
			r.now + seconds(callroute.attempt_ttl), r.now, mark_ringing, &r);
}

/* The To tag that the caller gets; empty when there is none. */
static str to_tag_of(const struct cell *t, sip_msg_t *rpl)
{
	if(rpl == NULL || rpl == FAKED_REPLY)
		return t->uas.local_totag;
	if(parse_headers(rpl, HDR_TO_F, 0) < 0 || rpl->to == NULL)
		return (str)STR_NULL;
	return get_to(rpl)->tag_value;
}

struct answer
{
	uint64_t dialog;
	int over; /* out: its end was here first */
};

/* The record of an answered call lasts as long as the call may. */
static int mark_answered(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;
	struct answer *answer = arg;

	if(fresh)
		return 0;
	/* Of a call that a trunk forked: the first answer, as dialog has it. */
	if(a->dialog == 0)
		a->dialog = answer->dialog;
	answer->over = a->over == a->dialog;
	*expires += seconds(callroute.max_call_sec);
	return 1;
}

static void answered(uint64_t id, const struct cell *t, sip_msg_t *rpl)
{
	const sip_msg_t *req = t->uas.request;
	struct answer answer = {0};
	uint64_t now = glue_now(), till = now + seconds(callroute.max_call_sec);
	str to = to_tag_of(t, rpl);

	callroute_capacity_renew(callroute.live, id, till, now);
	if(req != NULL && req->callid != NULL && req->from != NULL)
		answer.dialog = callroute_dialog_id(
				&req->callid->body, &get_from(req)->tag_value, &to);
	if(answer.dialog == 0)
		return;
	tg_store_edit(
			callroute.attempt_store, id, 0, till, now, mark_answered, &answer);
	if(answer.over)
		callroute_give_back(id, now);
	else
		callroute_add_leg(answer.dialog, id, till, now);
}

/* tm runs this unlocked and tells the code of the reply that it sent last: with
 * two replies in two workers, that may be the other one's. */
static int code_of(const struct tmcb_params *p)
{
	return p->rpl == NULL || p->rpl == FAKED_REPLY ? p->code
												   : (int)p->rpl->REPLY_STATUS;
}

/* Before the final reply leaves: its answer, a BYE, may be here in no time. */
static void on_final(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t id = id_of(*p->param);
	int code = code_of(p);

	if(code < 200)
		return;
	callroute_settle(t, id, code, (t->flags & T_CANCELED) && code >= 300);
	if(code < 300)
		answered(id, t, p->rpl);
	else
		callroute_give_back(id, glue_now());
}

/* The last chance to note an answer. Returns 0 when the call is over. */
static int mark_up(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = payload;

	if(fresh || a->dialog != 0)
		return -EALREADY;
	if(a->over != 0) {
		*(int *)arg = 1;
		return 0;
	}
	a->dialog = CALLROUTE_ANY_DIALOG;
	*expires += seconds(callroute.max_call_sec);
	return 1;
}

/* The transaction's end, also without a final answer of ours (dropped, killed).
 * An answered call keeps its channel and its record. */
static void on_destroy(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t id = id_of(*p->param), now = glue_now();
	int over = 0;

	if(t->uas.status >= 200 && t->uas.status < 300) {
		tg_store_edit(callroute.attempt_store, id, 0,
				now + seconds(callroute.attempt_ttl), now, mark_up, &over);
		if(over)
			callroute_give_back(id, now);
		return;
	}
	callroute_give_back(id, now);
	tg_store_del(callroute.attempt_store, id);
}

/* One registration for all three: each is a piece of shared memory. */
static void on_transaction(struct cell *t, int type, struct tmcb_params *p)
{
	if(type == TMCB_RESPONSE_IN)
		on_reply_in(t, type, p);
	else if(type == TMCB_RESPONSE_READY)
		on_final(t, type, p);
	else
		on_destroy(t, type, p);
}

/* --- no transaction
 * -------------------------------------------------------------- */

/* The request under way in this process, until it has a transaction. */
static struct
{
	unsigned msg;
	int pid;
	uint64_t id; /* 0 = none */
} held;

int callroute_is_held(const sip_msg_t *msg, uint64_t id)
{
	return id != 0 && held.id == id && held.msg == msg->id
		   && held.pid == msg->pid;
}

static void on_request_in(struct cell *t, int type, struct tmcb_params *p)
{
	if(p->req != NULL && callroute_is_held(p->req, held.id))
		held.id = 0;
}

/* A call that leaves the script without a transaction was refused, redirected
 * or dropped: it is over. So is one that was sent on without state, as far as
 * this server can know. */
static int on_script_end(sip_msg_t *msg, unsigned int flags, void *param)
{
	if(callroute_is_held(msg, held.id)) {
		callroute_give_back(held.id, glue_now());
		tg_store_del(callroute.attempt_store, held.id);
	}
	held.id = 0;
	return 1;
}

/* --- set-up
 * ---------------------------------------------------------------------- */

int callroute_follow_init(void)
{
	if(callroute.tm.register_tmcb(NULL, NULL, TMCB_REQUEST_IN, on_request_in,
			   NULL,
			   NULL) < 0
			|| register_script_cb(
					   on_script_end, POST_SCRIPT_CB | REQUEST_CB, NULL)
					   < 0) {
		LM_ERR("cannot follow requests\n");
		return -1;
	}
	return callroute_dialog_init();
}

static void follow(sip_msg_t *msg, int types, transaction_cb f, uint64_t id)
{
	if(callroute.tm.register_tmcb(
			   msg, callroute_transaction(), types, f, param_of(id), NULL)
			< 0)
		LM_WARN("what becomes of this call's attempts is not followed; its "
				"channel is free after attempt_ttl\n");
}

void callroute_follow(sip_msg_t *msg, uint64_t id)
{
	follow(msg, TMCB_RESPONSE_IN | TMCB_RESPONSE_READY | TMCB_DESTROY,
			on_transaction, id);
	callroute_follow_dialog(msg, id);
	if(callroute_transaction() != NULL)
		return;
	held.msg = msg->id;
	held.pid = msg->pid;
	held.id = id;
}

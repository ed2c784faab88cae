/*
 * Script functions: translate a SIP request into a question, and a verdict into
 * the request's new destination. No locks but the store's own, no allocation
 * of ours (rewriting a URI uses the worker's private memory).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/dset.h"
#include "core/parser/parse_cseq.h"
#include "core/socket_info.h"

#include <errno.h>
#include <string.h>

/* The request this message belongs to: itself, or its transaction's. */
static sip_msg_t *request_of(sip_msg_t *msg)
{
	struct cell *t;

	if(msg->first_line.type == SIP_REQUEST)
		return msg;
	t = callroute.tm.t_gett();
	return t == NULL || t == T_UNDEFINED ? NULL : t->uas.request;
}

uint64_t callroute_request_id(sip_msg_t *msg)
{
	/* A spiral carries the same Call-ID and CSeq: the branch tells it apart. */
	char key[512];
	size_t n = 0;
	sip_msg_t *req = request_of(msg);
	str parts[3] = {STR_NULL, STR_NULL, STR_NULL};

	if(req == NULL)
		return 0;
	/* A transaction's request was parsed before it was cloned to shared memory:
	 * nothing may be added to it there. */
	if(req == msg
			&& parse_headers(msg, HDR_CALLID_F | HDR_CSEQ_F | HDR_VIA1_F, 0)
					   < 0)
		return 0;
	if(req->callid == NULL || req->cseq == NULL || req->via1 == NULL)
		return 0;
	parts[0] = req->callid->body;
	parts[1] = get_cseq(req)->number;
	if(req->via1->branch != NULL)
		parts[2] = req->via1->branch->value;
	for(int i = 0; i < 3; i++) {
		size_t len = parts[i].len < 160 ? (size_t)parts[i].len : 160;

		memcpy(key + n, parts[i].s, len);
		n += len;
		key[n++] = '\0';
	}
	return tg_hash_id(&callroute.key, 0, key, n);
}

int callroute_copy_trunk(uint32_t id, struct callroute_trunk *out)
{
	const struct callroute_image *im =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	const struct callroute_trunk *t = im ? callroute_find_trunk(im, id) : NULL;

	if(t != NULL)
		*out = *t;
	tg_snapshot_leave(callroute.snapshots, process_no);
	return t != NULL ? 0 : -ENOENT;
}

static uint64_t attempt_expiry(uint64_t now)
{
	return now + (uint64_t)callroute.attempt_ttl * 1000000;
}

/* Sends the request the trunk's way. 0, or -1 when Kamailio refused. */
static int apply(sip_msg_t *msg, const struct callroute_trunk *t,
		const struct callroute_attempt *a)
{
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

/* Applies the next candidate that still exists and is up; keeps what is left. */
static int try_next(sip_msg_t *msg, uint64_t id, struct callroute_view *view)
{
	struct callroute_attempt *a = &view->attempt;
	uint64_t now = glue_now();

	while(a->next < a->count) {
		uint32_t trunk = a->candidates[a->next++].trunk_id;

		if(callroute_copy_trunk(trunk, &view->trunk) < 0
				|| view->trunk.state != CALLROUTE_UP)
			continue;
		if(apply(msg, &view->trunk, a) < 0)
			continue;
		tg_store_put(
				callroute.attempt_store, id, 0, attempt_expiry(now), now, a);
		view->reason = "ok";
		return CALLROUTE_OK;
	}
	memset(&view->trunk, 0, sizeof view->trunk);
	view->reason = "exhausted";
	return CALLROUTE_EXHAUSTED;
}

static int refuse(struct callroute_view *view, const char *reason, int verdict)
{
	view->reason = reason;
	counter_inc(callroute.failed);
	return verdict;
}

int callroute_cmd_select(sip_msg_t *msg, const str *plan, const str *dst)
{
	struct callroute_view *view = callroute_view_new(msg);
	struct callroute_attempt *a = &view->attempt;
	struct callroute_question q = {
			.plan = plan->s, .plan_len = (size_t)plan->len, .now = time(NULL)};
	struct callroute_answer answer;
	const struct callroute_image *im;
	uint64_t id = callroute_request_id(msg);
	str number = *dst;
	int rc;

	if(id == 0)
		return refuse(view, "bad_message", CALLROUTE_NO_PREFIX);
	if(number.len > 0 && number.s[0] == '+') {
		number.s++;
		number.len--;
	}
	q.number = number.s;
	q.number_len = (size_t)number.len;
	q.seed = id ^ glue_now();

	im = tg_snapshot_enter(
			callroute.snapshots, process_no, NULL, &a->generation);
	callroute_decide(im, &q, &answer);
	tg_snapshot_leave(callroute.snapshots, process_no);

	if(answer.verdict != CALLROUTE_OK)
		return refuse(view, answer.reason, answer.verdict);
	a->count = (uint8_t)answer.count;
	memcpy(a->candidates, answer.candidates, sizeof a->candidates);
	memcpy(a->plan, plan->s, (size_t)plan->len);
	/* The number may live in the URI that the next trunk overwrites. */
	memcpy(a->number, number.s, (size_t)number.len);
	a->number_len = (uint8_t)number.len;
	rc = try_next(msg, id, view);
	if(rc != CALLROUTE_OK)
		return refuse(view, "all_down", CALLROUTE_ALL_DOWN);
	counter_inc(callroute.selected);
	return rc;
}

static int exhausted(struct callroute_view *view, const char *reason)
{
	view->reason = reason;
	counter_inc(callroute.exhausted);
	return CALLROUTE_EXHAUSTED;
}

int callroute_cmd_next(sip_msg_t *msg)
{
	struct callroute_view *view = callroute_view_new(msg);
	struct callroute_attempt *a = &view->attempt;
	struct callroute_trunk failed;
	struct cell *t = callroute.tm.t_gett();
	uint64_t id = callroute_request_id(msg);
	int branch;

	if(t == NULL || t == T_UNDEFINED || id == 0
			|| (branch = callroute.tm.t_get_picked_branch()) < 0) {
		LM_ERR("callroute_next works in a failure_route only\n");
		return exhausted(view, "no_failure");
	}
	if(tg_store_get(callroute.attempt_store, id, glue_now(), a) < 0) {
		counter_inc(callroute.state_lost);
		return exhausted(view, "state_lost");
	}
	if(t->flags & T_CANCELED)
		return exhausted(view, "canceled");
	/* A trunk that a reload took away says nothing about its codes: go on. */
	if(a->next > 0
			&& callroute_copy_trunk(
					   a->candidates[a->next - 1].trunk_id, &failed)
					   == 0
			&& !callroute_fails_over(
					&failed.failover, t->uac[branch].last_received))
		return exhausted(view, "final_reply");
	if(try_next(msg, id, view) != CALLROUTE_OK)
		return exhausted(view, "exhausted");
	counter_inc(callroute.failovers);
	return CALLROUTE_OK;
}

/* --- script: native ------------------------------------------------------- */

/* The user part of the request URI; a '#' comes as %23 (RFC 3261, 25.1). */
static int request_number(sip_msg_t *msg, str *out)
{
	static char buf[256];

	if(parse_sip_msg_uri(msg) < 0 || msg->parsed_uri.user.len > (int)sizeof buf)
		return -1;
	*out = (str){buf, msg->parsed_uri.user.len};
	return un_escape(&msg->parsed_uri.user, out);
}

static int w_select(sip_msg_t *msg, char *plan, char *dst)
{
	str p = callroute.default_plan, d;

	if(plan != NULL && fixup_get_svalue(msg, (gparam_t *)plan, &p) < 0)
		return CALLROUTE_NO_DATA;
	if((dst != NULL ? fixup_get_svalue(msg, (gparam_t *)dst, &d)
					: request_number(msg, &d))
			< 0)
		return CALLROUTE_NO_PREFIX;
	return callroute_cmd_select(msg, &p, &d);
}

static int w_next(sip_msg_t *msg, char *p1, char *p2)
{
	return callroute_cmd_next(msg);
}

/* clang-format off */
const cmd_export_t callroute_cmds[] = {
	{"callroute_select", w_select, 0, 0, 0, REQUEST_ROUTE | FAILURE_ROUTE},
	{"callroute_select", w_select, 1, fixup_spve_null, fixup_free_spve_null,
		REQUEST_ROUTE | FAILURE_ROUTE},
	{"callroute_select", w_select, 2, fixup_spve_spve, fixup_free_spve_spve,
		REQUEST_ROUTE | FAILURE_ROUTE},
	{"callroute_next", w_next, 0, 0, 0, FAILURE_ROUTE},
	{0, 0, 0, 0, 0, 0},
};
/* clang-format on */

/* --- script: KEMI --------------------------------------------------------- */

static int ki_select(sip_msg_t *msg, str *plan)
{
	str d;

	return request_number(msg, &d) < 0 ? CALLROUTE_NO_PREFIX
									   : callroute_cmd_select(msg, plan, &d);
}

static int ki_select_dst(sip_msg_t *msg, str *plan, str *dst)
{
	return callroute_cmd_select(msg, plan, dst);
}

/* clang-format off */
sr_kemi_t callroute_kemi[] = {
	{str_init("callroute"), str_init("select"), SR_KEMIP_INT, ki_select,
		{SR_KEMIP_STR}},
	{str_init("callroute"), str_init("select_dst"), SR_KEMIP_INT, ki_select_dst,
		{SR_KEMIP_STR, SR_KEMIP_STR}},
	{str_init("callroute"), str_init("next"), SR_KEMIP_INT, callroute_cmd_next,
		{SR_KEMIP_NONE}},
	{{0, 0}, {0, 0}, 0, NULL, {0}},
};
/* clang-format on */

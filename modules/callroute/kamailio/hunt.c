/*
 * Hunt groups: callroute_fork() rings the first round, callroute_next() in the
 * failure route each further one. A round is all members of one priority
 * (parallel), or one member (serial, weighted).
 *
 * Whom the call still has to ring is drawn once and kept by request, as ids: a
 * member that a reload took away is passed over, one that came in rings for the
 * next call. The record is one of `attempts`; where it was displaced the hunt
 * ends with "state_lost".
 *
 * Bound: Kamailio sends one transaction to max_branches places at most (core
 * parameter, 12 unless it is set). A group that is larger ends there, with
 * reason "max_branches".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/hunt.h"
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "core/dset.h"
#include "core/globals.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The members that ring now, copied out of the snapshot. */
struct round
{
	int count;
	uint32_t ring_timeout_ms; /* the longest of theirs */
	char uris[CALLROUTE_MEMBERS_MAX][CALLROUTE_URI_MAX];
};

/* Draws the order of this call. 1, -1 no such group, -6 nobody rings now. */
static int draw(const str *name, uint64_t seed, struct callroute_hunting *h,
		char tenant[CALLROUTE_NAME_MAX])
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_group *g =
			im ? callroute_find_group(im, name->s, (size_t)name->len) : NULL;
	uint32_t at[CALLROUTE_MEMBERS_MAX];

	memset(h, 0, sizeof *h);
	if(g != NULL) {
		const struct callroute_member *m =
				CALLROUTE_ROWS(im, struct callroute_member, members);

		snprintf(h->group, sizeof h->group, "%s", callroute_text(im, g->name));
		if(callroute_text(im, g->tenant)[0] != '\0')
			snprintf(tenant, CALLROUTE_NAME_MAX, "%s",
					callroute_text(im, g->tenant));
		h->parallel = g->strategy == CALLROUTE_PARALLEL;
		h->count = (uint8_t)callroute_hunt(
				im, g, time(NULL), seed, at, CALLROUTE_MEMBERS_MAX);
		for(int i = 0; i < h->count; i++)
			h->members[i] = m[at[i]].id;
	}
	callroute_leave();
	return g == NULL ? -1 : h->count == 0 ? -6 : 1;
}

static const struct callroute_member *find_member(
		const struct callroute_image *im, const struct callroute_group *g,
		uint32_t id)
{
	const struct callroute_member *m =
			CALLROUTE_ROWS(im, struct callroute_member, members);

	for(uint32_t i = g->first; i < g->first + g->count; i++) {
		if(m[i].id == id)
			return &m[i];
	}
	return NULL;
}

/* Takes the members of the next round off the hunt, `room` at most. */
static void take_round(struct callroute_hunting *h, int room, struct round *r)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_group *g =
			im ? callroute_find_group(im, h->group, strlen(h->group)) : NULL;
	uint16_t priority = 0;

	r->count = 0;
	r->ring_timeout_ms = 0;
	while(g != NULL && h->next < h->count && r->count < room) {
		const struct callroute_member *m =
				find_member(im, g, h->members[h->next]);

		if(r->count > 0 && (!h->parallel || (m && m->priority != priority)))
			break;
		h->next++;
		if(m == NULL)
			continue;
		priority = m->priority;
		snprintf(r->uris[r->count++], sizeof r->uris[0], "%s",
				callroute_text(im, m->uri));
		if(m->ring_timeout_ms > r->ring_timeout_ms)
			r->ring_timeout_ms = m->ring_timeout_ms;
	}
	callroute_leave();
}

static int add_branches(sip_msg_t *msg, const struct round *r)
{
	for(int i = 0; i < r->count; i++) {
		str uri = {(char *)r->uris[i], (int)strlen(r->uris[i])};

		if(i == 0 ? rewrite_uri(msg, &uri) < 0
				  : km_append_branch(
							msg, &uri, NULL, NULL, Q_UNSPECIFIED, 0, NULL)
								< 0)
			return -1;
		if(i == 0)
			reset_dst_uri(msg);
	}
	return 0;
}

/* Rings the next round and keeps what is left. 1, -7. */
static int ring(sip_msg_t *msg, uint64_t id, struct callroute_view *view,
		struct callroute_hunting *h)
{
	static struct round r;
	struct cell *t = callroute.tm.t_gett();
	int used = t == NULL || t == T_UNDEFINED ? 0 : t->nr_of_outgoings;
	int room = (int)sr_dst_max_branches - used;
	uint64_t now = glue_now();

	take_round(h, room, &r);
	if(r.count == 0) {
		view->reason = h->next < h->count ? "max_branches" : "exhausted";
		if(h->next < h->count)
			LM_WARN("group=%s callid=%.*s: %d members do not ring: "
					"max_branches=%u\n",
					h->group, GLUE_STR(callroute_request_of(msg)->callid->body),
					h->count - h->next, sr_dst_max_branches);
		return CALLROUTE_EXHAUSTED;
	}
	clear_branches();
	if(add_branches(msg, &r) < 0) {
		LM_ERR("group=%s: cannot set the branches\n", h->group);
		view->reason = "bad_message";
		return CALLROUTE_EXHAUSTED;
	}
	/* A telephone that is gone says nothing at all: it gets no longer. */
	if(callroute.tm.set_fr(msg, r.ring_timeout_ms, r.ring_timeout_ms) < 0)
		LM_WARN("group=%s: cannot set the timers\n", h->group);
	tg_store_put(callroute.hunt_store, id, 0,
			now + (uint64_t)callroute.attempt_ttl * 1000000, now, h);
	view->reason = "ok";
	return 1;
}

/* From trunks to telephones: what a trunk did and holds of this call ends, and
 * nobody takes its media or its price for a telephone's. */
static void leave_trunks(uint64_t id, struct callroute_view *view, uint64_t now)
{
	struct cell *t = callroute.tm.t_gett();
	struct callroute_attempt a;
	int branch;

	memset(&view->attempt, 0, sizeof view->attempt);
	memset(&view->trunk, 0, sizeof view->trunk);
	view->carrier[0] = view->codecs[0] = '\0';
	if(tg_store_get(callroute.attempt_store, id, now, &a) < 0)
		return;
	if(t != NULL && t != T_UNDEFINED
			&& (branch = callroute.tm.t_get_picked_branch()) >= 0)
		callroute_settle(t, id, t->uac[branch].last_received,
				(t->flags & T_CANCELED) != 0);
	callroute_give_back(a.call, now);
	tg_store_del(callroute.attempt_store, id);
}

int callroute_cmd_fork(sip_msg_t *msg, const str *group)
{
	/* a failure route knows the caller by the choice before */
	struct callroute_view *view = callroute_view_find(msg);
	struct callroute_hunting h;
	uint64_t id = callroute_request_id(msg), now = glue_now();
	str name = {view->target, (int)strlen(view->target)};
	int rc;

	if(group != NULL)
		name = *group;
	if(id == 0) {
		view->reason = "bad_message";
		return -1;
	}
	rc = draw(&name, id ^ now, &h, view->sender.tenant);
	if(rc < 0) {
		view->reason = rc == -1 ? "no_group" : "no_member";
		return rc;
	}
	leave_trunks(id, view, now);
	return ring(msg, id, view, &h);
}

int callroute_next_members(sip_msg_t *msg, uint64_t id)
{
	struct callroute_view *view = callroute_view_of(msg);
	const struct cell *t = callroute_transaction();
	struct callroute_hunting h;

	if(tg_store_get(callroute.hunt_store, id, glue_now(), &h) < 0)
		return 0;
	if(t != NULL && (t->flags & T_CANCELED)) {
		view->reason = "canceled";
		return CALLROUTE_EXHAUSTED;
	}
	return ring(msg, id, view, &h);
}

void callroute_end_hunt(uint64_t id)
{
	tg_store_del(callroute.hunt_store, id);
}

/*
 * What $callroute(...) says of a message. The process that decided remembers
 * it; any other (reply and failure routes run anywhere) reads the attempt
 * store. In an event route: what the event is about.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/view.h"
#include "callroute/kamailio/event.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/trunk.h"
#include "glue/pv.h"

#include <string.h>

/* A failure route has a message of its own, a copy with the request's number:
 * it runs in any process, so it may not depend on what this one remembers of
 * the request. */
static struct callroute_view current;
static struct glue_pv_message current_message;
static int current_failing;

struct callroute_view *callroute_view_of(const sip_msg_t *msg)
{
	int failing = is_route_type(FAILURE_ROUTE) != 0;

	if(glue_pv_is_message(&current_message, msg) && current_failing == failing)
		return &current;
	memset(&current, 0, sizeof current);
	current.reason = "";
	glue_pv_set_message(&current_message, msg);
	current_failing = failing;
	return &current;
}

/* What the attempt store knows, where it is more than the view does: it keeps
 * each attempt as it is applied, in whatever process. */
static void catch_up(struct callroute_view *v, uint64_t id)
{
	struct callroute_attempt kept;

	if(id == 0
			|| tg_store_get(callroute.attempt_store, id, glue_now(), &kept) < 0
			|| kept.next == 0
			|| (v->attempt.next > 0 && kept.started <= v->attempt.started))
		return;
	v->attempt = kept;
	v->reason = "ok";
}

struct callroute_view *callroute_view_find(sip_msg_t *msg)
{
	struct callroute_view *v = callroute_view_of(msg);
	const struct callroute_event *e = callroute_event_now();
	const struct callroute_attempt *a = &v->attempt;

	if(e != NULL) {
		if(v->trunk.id != e->trunk_id && e->trunk_id != 0)
			callroute_copy_trunk(e->trunk_id, v, NULL);
		return v;
	}
	/* The request's own route decides for itself. */
	if(is_route_type(REQUEST_ROUTE) && (a->next > 0 || v->reason[0] != '\0'))
		return v;
	catch_up(v, callroute_request_id(msg));
	if(a->next == 0)
		return v;
	if(v->trunk.id != a->trunk_id)
		callroute_copy_trunk(a->trunk_id, v, NULL);
	if(v->sender.account == 0)
		v->sender = a->sender;
	if(v->number[0] == '\0') {
		memcpy(v->number, a->number, a->number_len);
		v->number[a->number_len] = '\0';
	}
	return v;
}

int callroute_asked_number(sip_msg_t *msg, const struct callroute_view *view,
		const str *given, str *out)
{
	if(given != NULL)
		*out = *given;
	else if(view->number[0] != '\0')
		*out = (str){(char *)view->number, (int)strlen(view->number)};
	else if(callroute_request_number(msg, out) < 0)
		return -1;
	if(out->len > 0 && out->s[0] == '+') {
		out->s++;
		out->len--;
	}
	return 0;
}

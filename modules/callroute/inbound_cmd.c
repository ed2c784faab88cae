/*
 * Script functions of calls that come in: DIDs, hunt groups, redirection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/dset.h"
#include "core/data_lump_rpl.h"
#include "modules/sl/sl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The number asked about, its '+' gone. 0, -1. */
static int number_of(sip_msg_t *msg, const str *given, str *out)
{
	if(given != NULL)
		*out = *given;
	else if(callroute_request_number(msg, out) < 0)
		return -1;
	if(out->len > 0 && out->s[0] == '+') {
		out->s++;
		out->len--;
	}
	return 0;
}

/* --- callroute_did ------------------------------------------------------------ */

/* Codes beside 1: a script tells them apart by $rc. */
enum did_code
{
	DID_URI = 1,	/* the request URI is set */
	DID_GROUP = 2,	/* $callroute(target) is a hunt group */
	DID_NUMBER = 3, /* $callroute(target) is another number */
	DID_UNKNOWN = -1,
	DID_REJECTED = -5,
	DID_CLOSED = -6
};

static int set_uri(sip_msg_t *msg, const char *text)
{
	str uri = {(char *)text, (int)strlen(text)};

	if(rewrite_uri(msg, &uri) < 0)
		return -1;
	reset_dst_uri(msg);
	return 0;
}

/* user, or user@domain: in the request's own domain when it names none. */
static int set_user(sip_msg_t *msg, const char *target)
{
	char uri[CALLROUTE_URI_MAX + 64];

	if(strchr(target, '@') != NULL) {
		snprintf(uri, sizeof uri, "sip:%s", target);
		return set_uri(msg, uri);
	}
	if(parse_sip_msg_uri(msg) < 0)
		return -1;
	if(msg->parsed_uri.port.len > 0)
		snprintf(uri, sizeof uri, "sip:%s@%.*s:%.*s", target,
				GLUE_STR(msg->parsed_uri.host), GLUE_STR(msg->parsed_uri.port));
	else
		snprintf(uri, sizeof uri, "sip:%s@%.*s", target,
				GLUE_STR(msg->parsed_uri.host));
	return set_uri(msg, uri);
}

int callroute_cmd_did(sip_msg_t *msg, const str *given)
{
	struct callroute_view *view = callroute_view_of(msg);
	const struct callroute_image *im;
	const struct callroute_did *d = NULL;
	int known = 0, type = CALLROUTE_TO_REJECT;
	str number;

	view->target[0] = '\0';
	if(number_of(msg, given, &number) < 0) {
		view->reason = "not_a_number";
		return DID_UNKNOWN;
	}
	im = tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	if(im != NULL)
		d = callroute_find_did(
				im, number.s, (size_t)number.len, time(NULL), &known);
	if(d != NULL) {
		const char *tenant = callroute_text(im, d->tenant);

		type = d->type;
		snprintf(view->target, sizeof view->target, "%s",
				callroute_text(im, d->target));
		snprintf(view->sender.tenant, sizeof view->sender.tenant, "%s", tenant);
	}
	tg_snapshot_leave(callroute.snapshots, process_no);
	if(d == NULL) {
		view->reason = known ? "time" : "no_did";
		return known ? DID_CLOSED : DID_UNKNOWN;
	}
	view->reason = "ok";
	switch((enum callroute_target_type)type) {
		case CALLROUTE_TO_GROUP:
			return DID_GROUP;
		case CALLROUTE_TO_NUMBER:
			return DID_NUMBER;
		case CALLROUTE_TO_USER:
			return set_user(msg, view->target) < 0 ? DID_UNKNOWN : DID_URI;
		case CALLROUTE_TO_URI:
			return set_uri(msg, view->target) < 0 ? DID_UNKNOWN : DID_URI;
		case CALLROUTE_TO_REJECT:
			break;
	}
	view->reason = "rejected";
	return DID_REJECTED;
}

/* --- callroute_fork ------------------------------------------------------------ */

/* The members that ring now, copied out of the snapshot. */
struct ringing
{
	int count;
	int parallel;
	struct
	{
		char uri[CALLROUTE_URI_MAX];
		uint32_t ring_timeout_ms;
		uint16_t priority;
	} member[CALLROUTE_MEMBERS_MAX];
};

/* 1, -1 no such group, -6 nobody rings now. */
static int find_ringing(const str *name, uint64_t seed, struct ringing *r)
{
	const struct callroute_image *im =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	const struct callroute_group *g =
			im ? callroute_find_group(im, name->s, (size_t)name->len) : NULL;
	uint32_t at[CALLROUTE_MEMBERS_MAX];

	r->count = 0;
	if(g != NULL) {
		const struct callroute_member *m =
				CALLROUTE_ROWS(im, struct callroute_member, members);

		r->parallel = g->strategy == CALLROUTE_PARALLEL;
		r->count = callroute_hunt(
				im, g, time(NULL), seed, at, CALLROUTE_MEMBERS_MAX);
		for(int i = 0; i < r->count; i++) {
			snprintf(r->member[i].uri, sizeof r->member[i].uri, "%s",
					callroute_text(im, m[at[i]].uri));
			r->member[i].ring_timeout_ms = m[at[i]].ring_timeout_ms;
			r->member[i].priority = m[at[i]].priority;
		}
	}
	tg_snapshot_leave(callroute.snapshots, process_no);
	return g == NULL ? -1 : r->count == 0 ? -6 : 1;
}

/*
 * Serial forking is tm's own: branches of lower q wait in AVPs until
 * t_next_contacts() takes them (t_load_contacts sorts by q). So a hunt group
 * goes on in the failure route as any other serial forking does, and nothing of
 * ours has to be remembered.
 */
static int add_members(sip_msg_t *msg, const struct ringing *r)
{
	int q = 1000;

	for(int i = 0; i < r->count; i++) {
		str uri = {(char *)r->member[i].uri, (int)strlen(r->member[i].uri)};

		if(i > 0
				&& (!r->parallel
						|| r->member[i].priority != r->member[i - 1].priority)
				&& q > 1)
			q -= 10;
		if(i == 0) {
			if(set_uri(msg, uri.s) < 0)
				return -1;
			set_ruri_q(q);
		} else if(km_append_branch(msg, &uri, NULL, NULL, q, 0, NULL) < 0) {
			LM_ERR("cannot add a branch for %.*s: raise max_branches\n",
					GLUE_STR(uri));
			break;
		}
	}
	return 0;
}

int callroute_cmd_fork(sip_msg_t *msg, const str *group)
{
	static struct ringing r;
	struct callroute_view *view = callroute_view_of(msg);
	str name;
	int rc;

	if(group != NULL)
		name = *group;
	else
		name = (str){view->target, (int)strlen(view->target)};
	rc = find_ringing(&name, callroute_request_id(msg) ^ glue_now(), &r);
	if(rc < 0) {
		view->reason = rc == -1 ? "no_group" : "time";
		return rc;
	}
	clear_branches();
	if(add_members(msg, &r) < 0) {
		view->reason = "bad_message";
		return -1;
	}
	/* A whole round rings as long as its first member says. */
	if(callroute.tm.set_fr(msg, r.member[0].ring_timeout_ms, 0) < 0)
		LM_WARN("cannot set the timers of hunt group %.*s\n", GLUE_STR(name));
	view->reason = "ok";
	return 1;
}

/* --- callroute_redirect ---------------------------------------------------------- */

/* One contact; returns the new length, also when it did not fit. */
static size_t add_contact(char *out, size_t size, size_t at, const char *uri,
		size_t len, int place)
{
	int n = snprintf(out + (at < size ? at : size), at < size ? size - at : 0,
			"Contact: <%.*s>;q=0.%d\r\n", (int)len, uri, 9 - place);

	return at + (size_t)(n < 0 ? 0 : n);
}

/* The candidates' URIs as contacts, best first. Returns the length, 0 = none. */
static size_t list_contacts(
		struct callroute_view *view, int n, char *out, size_t size)
{
	struct callroute_attempt *a = &view->attempt;
	size_t at = 0;
	int placed = 0;

	for(int i = 0; i < a->count && placed < n; i++) {
		char uri[CALLROUTE_REQUEST_URI_MAX];
		int len;

		if(callroute_copy_trunk(a->candidates[i].trunk_id, view, NULL) < 0)
			continue;
		len = callroute_make_uri(
				&view->trunk, a->number, a->number_len, uri, sizeof uri);
		if(len > 0)
			at = add_contact(out, size, at, uri, (size_t)len, placed++);
	}
	return at <= size ? at : 0;
}

/* A redirect rule's target: a URI as it is, a number in the request's domain. */
static size_t redirect_contact(
		sip_msg_t *msg, const char *target, char *out, size_t size)
{
	char uri[CALLROUTE_URI_MAX * 2];
	int n;

	if(target[0] == '+' || (target[0] >= '0' && target[0] <= '9')
			|| target[0] == '*' || target[0] == '#') {
		if(parse_sip_msg_uri(msg) < 0)
			return 0;
		n = snprintf(uri, sizeof uri, "sip:%s@%.*s", target,
				GLUE_STR(msg->parsed_uri.host));
	} else {
		n = snprintf(uri, sizeof uri, "%s", target);
	}
	return n < 0 || (size_t)n >= sizeof uri
				   ? 0
				   : add_contact(out, size, 0, uri, (size_t)n, 0);
}

int callroute_cmd_redirect(sip_msg_t *msg, int n)
{
	static char
			contacts[CALLROUTE_CANDIDATES * (CALLROUTE_REQUEST_URI_MAX + 32)];
	struct callroute_view *view = callroute_view_find(msg);
	sl_api_t sl;
	bind_sl_f bind = (bind_sl_f)(void *)find_export("bind_sl", 0, 0);
	str reason = str_init("Moved Temporarily");
	size_t len = view->redirect[0] != '\0' ? redirect_contact(
						 msg, view->redirect, contacts, sizeof contacts)
										   : list_contacts(view, n < 1 ? 1 : n,
												   contacts, sizeof contacts);

	if(len == 0) {
		view->reason = "no_contact";
		return -1;
	}
	/* Who redirects does not carry the call: nothing is held for it. */
	callroute_capacity_release(callroute.live, view->attempt.call, glue_now());
	if(bind == NULL || bind(&sl) < 0) {
		LM_ERR("callroute_redirect needs the sl module\n");
		return -1;
	}
	if(add_lump_rpl(msg, contacts, (int)len, LUMP_RPL_HDR) == NULL
			|| sl.freply(msg, 302, &reason) < 0) {
		LM_ERR("cannot answer 302\n");
		return -1;
	}
	return 1;
}

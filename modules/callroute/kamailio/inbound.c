/*
 * Script functions of calls that come in: where a DID leads; redirection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/attempt.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/trunk.h"
#include "core/data_lump_rpl.h"
#include "core/dset.h"
#include "modules/sl/sl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- callroute_did
 * ------------------------------------------------------------ */

/* Codes beside 1: a script tells them apart by $rc. */
enum did_code
{
	DID_URI = 1,	/* the request URI is set */
	DID_GROUP = 2,	/* $callroute(target) is a hunt group */
	DID_NUMBER = 3, /* $callroute(number) is another, for callroute_select() */
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

/* sip:USER in the request's own domain and port. Its length, -1: the request
 * has no domain, or it does not fit. */
static int make_own_uri(
		sip_msg_t *msg, const char *user, char *out, size_t size)
{
	const struct sip_uri *own = &msg->parsed_uri;
	int has_port, n;

	if(parse_sip_msg_uri(msg) < 0 || own->host.len == 0)
		return -1;
	has_port = own->port.len > 0;
	n = snprintf(out, size, "sip:%s@%.*s%s%.*s", user, GLUE_STR(own->host),
			has_port ? ":" : "", has_port ? own->port.len : 0, own->port.s);
	return n < 0 || (size_t)n >= size ? -1 : n;
}

/* user, or user@domain: in the request's own domain when it names none. */
static int set_user(sip_msg_t *msg, const char *target)
{
	char uri[MAX_URI_SIZE];
	int n = strchr(target, '@') != NULL
					? snprintf(uri, sizeof uri, "sip:%s", target)
					: make_own_uri(msg, target, uri, sizeof uri);

	if(n < 0 || (size_t)n >= sizeof uri) {
		LM_WARN("did-too-long target=%s: its URI in the domain of this request "
				"is "
				"longer than %d characters\n",
				target, MAX_URI_SIZE - 1);
		return -1;
	}
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
	if(callroute_asked_number(msg, view, given, &number) < 0) {
		view->reason = "not_a_number";
		return DID_UNKNOWN;
	}
	im = callroute_enter();
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
	callroute_leave();
	if(d == NULL) {
		view->reason = known ? "time" : "no_did";
		return known ? DID_CLOSED : DID_UNKNOWN;
	}
	view->reason = "ok";
	switch((enum callroute_target_type)type) {
		case CALLROUTE_TO_GROUP:
			return DID_GROUP;
		case CALLROUTE_TO_NUMBER:
			snprintf(view->number, sizeof view->number, "%.32s", view->target);
			return DID_NUMBER;
		case CALLROUTE_TO_USER:
			if(set_user(msg, view->target) == 0)
				return DID_URI;
			break;
		case CALLROUTE_TO_URI:
			if(set_uri(msg, view->target) == 0)
				return DID_URI;
			break;
		case CALLROUTE_TO_REJECT:
			view->reason = "rejected";
			return DID_REJECTED;
	}
	view->reason = "bad_message";
	return DID_UNKNOWN;
}

/* --- callroute_redirect
 * ---------------------------------------------------------- */

/* One contact; returns the new length, also when it did not fit. */
static size_t add_contact(char *out, size_t size, size_t at, const char *uri,
		size_t len, int place)
{
	int n = snprintf(out + (at < size ? at : size), at < size ? size - at : 0,
			"Contact: <%.*s>;q=0.%d\r\n", (int)len, uri, 9 - place);

	return at + (size_t)(n < 0 ? 0 : n);
}

/* The candidates' URIs as contacts, best first. Returns the length, 0 = none.
 * */
static size_t list_contacts(
		struct callroute_view *view, int n, char *out, size_t size)
{
	const struct callroute_attempt *a = &view->attempt;
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
	/* $callroute(trunk) is still the first. */
	callroute_copy_trunk(a->trunk_id, view, NULL);
	return at <= size ? at : 0;
}

/* A number as a user part: '#' is none of its characters (RFC 3261, 25.1). */
static void escape(const char *number, char *out, size_t size)
{
	size_t at = 0;

	for(; *number != '\0' && at + 4 <= size; number++) {
		if(*number == '#') {
			memcpy(out + at, "%23", 3);
			at += 3;
		} else {
			out[at++] = *number;
		}
	}
	out[at] = '\0';
}

/* A redirect rule's target: a URI as it is, a number in the request's domain.
 * The rows' check lets nothing else in. */
static size_t redirect_contact(
		sip_msg_t *msg, const char *target, char *out, size_t size)
{
	char uri[MAX_URI_SIZE], user[CALLROUTE_URI_MAX * 3];
	int n;

	if(strchr(target, ':') == NULL) {
		escape(target, user, sizeof user);
		n = make_own_uri(msg, user, uri, sizeof uri);
	} else {
		n = snprintf(uri, sizeof uri, "%s", target);
	}
	return n < 0 || (size_t)n >= sizeof uri
				   ? 0
				   : add_contact(out, size, 0, uri, (size_t)n, 0);
}

/*
 * Kamailio's core, which answers 3xx for us, adds the request's own new URI as
 * a Contact. It here is the first trunk's once more, and warns when there is
 * none. So the last contact stands in its place meanwhile, with its q: the
 * order stays, and nothing is said twice.
 */
static int answer_302(
		sip_msg_t *msg, sl_api_t *sl, const char *contacts, size_t len)
{
	str reason = str_init("Moved Temporarily"), ours = msg->new_uri;
	qvalue_t q = get_ruri_q();
	size_t at = len - strlen("\r\n");
	const char *end;
	int rc = -1;

	_Static_assert(CALLROUTE_REQUEST_URI_MAX + 64 < MAX_REDIRECTION_LEN,
			"a contact fits the core's buffer");
	while(at > 0 && contacts[at - 1] != '\n')
		at--;
	end = memchr(contacts + at, '>', len - at);
	msg->new_uri.s = (char *)contacts + at + strlen("Contact: <");
	msg->new_uri.len = (int)(end - msg->new_uri.s);
	set_ruri_q((end[strlen(">;q=0.")] - '0') * MAX_Q / 10);
	if(at == 0
			|| add_lump_rpl(msg, (char *)contacts, (int)at, LUMP_RPL_HDR)
					   != NULL)
		rc = sl->freply(msg, 302, &reason);
	msg->new_uri = ours;
	set_ruri_q(q);
	return rc;
}

int callroute_cmd_redirect(sip_msg_t *msg, int n)
{
	static char
			contacts[CALLROUTE_CANDIDATES * (CALLROUTE_REQUEST_URI_MAX + 32)];
	struct callroute_view *view = callroute_view_find(msg);
	sl_api_t sl;
	bind_sl_f bind = (bind_sl_f)(void *)find_export("bind_sl", 0, 0);
	size_t len = view->redirect[0] != '\0' ? redirect_contact(
						 msg, view->redirect, contacts, sizeof contacts)
										   : list_contacts(view, n < 1 ? 1 : n,
												   contacts, sizeof contacts);

	if(len == 0) {
		view->reason = "no_contact";
		return -1;
	}
	/* A redirected call does not pass here: it holds no channel. */
	callroute_give_back(view->attempt.call, glue_now());
	if(bind == NULL || bind(&sl) < 0) {
		LM_ERR("callroute_redirect needs the sl module\n");
		return -1;
	}
	if(answer_302(msg, &sl, contacts, len) < 0) {
		LM_ERR("cannot answer 302\n");
		return -1;
	}
	return 1;
}

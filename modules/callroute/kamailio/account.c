/*
 * Script functions about who is calling and whom: account, number, emergency,
 * trunk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/account.h"
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "glue/address.h"
#include "core/parser/digest/digest.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_uri.h"
#include "core/resolve.h"
#include "lib/geo/country.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

/* The user whom the request is authenticated as; 0 when it is not. What only
 * stands in From, user or domain, is a claim. */
static int authenticated(sip_msg_t *msg, str *user, str *realm)
{
	struct hdr_field *h = NULL;
	auth_body_t *cred;

	get_authorized_cred(msg->authorization, &h);
	if(h == NULL)
		get_authorized_cred(msg->proxy_auth, &h);
	if(h == NULL)
		return 0;
	cred = h->parsed;
	*user = cred->digest.username.user;
	*realm = cred->digest.username.domain.len > 0 ? cred->digest.username.domain
												  : cred->digest.realm;
	return user->len > 0;
}

/* "192.0.2.1", "[2001:db8::1]", with or without a port. 0, -1. */
static int parse_addr(const str *text, struct ip_addr *ip, unsigned *port)
{
	str host = *text, rest = {text->s, 0};
	struct ip_addr *at;

	*port = 0;
	if(host.len > 0 && host.s[0] == '[') {
		char *end = memchr(host.s, ']', host.len);

		if(end == NULL)
			return -1;
		rest.s = end + 1;
		host.len = (int)(rest.s - host.s);
	} else {
		char *colon = memchr(host.s, ':', host.len);

		/* More than one colon: a bare IPv6 address. */
		if(colon != NULL
				&& memchr(colon + 1, ':', host.s + host.len - colon - 1)
						   == NULL) {
			rest.s = colon;
			host.len = (int)(colon - host.s);
		} else {
			rest.s = host.s + host.len;
		}
	}
	rest.len = (int)(text->s + text->len - rest.s);
	if(rest.len > 0) {
		if(rest.s[0] != ':' || rest.len == 1)
			return -1;
		rest.s++;
		rest.len--;
		if(str2int(&rest, port) < 0 || *port > 65535)
			return -1;
	}
	at = memchr(host.s, ':', host.len) ? str2ip6(&host) : str2ip(&host);
	if(at == NULL)
		return -1;
	*ip = *at;
	return 0;
}

int callroute_cmd_is_trunk(sip_msg_t *msg, const str *addr)
{
	struct callroute_view *view = callroute_view_of(msg);
	const struct callroute_image *im;
	const struct callroute_trunk *t = NULL;
	struct ip_addr ip = msg->rcv.src_ip;
	unsigned port = msg->rcv.src_port;
	uint8_t mapped[16];

	view->source[0] = '\0';
	if(addr != NULL && parse_addr(addr, &ip, &port) < 0)
		return -1;
	glue_map_addr(&ip, mapped);
	im = callroute_enter();
	if(im != NULL)
		t = callroute_find_trunk_at(im, mapped, port);
	if(t != NULL)
		memcpy(view->source, t->name, sizeof view->source);
	callroute_leave();
	return view->source[0] != '\0' ? 1 : -1;
}

/* --- account
 * ------------------------------------------------------------------ */

static void lower(char *out, const str *in, size_t size)
{
	size_t n = (size_t)in->len < size - 1 ? (size_t)in->len : size - 1;

	for(size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)in->s[i]);
	out[n] = '\0';
}

/* Copies what the view needs of the account. 1, -1 not found, -2 disabled. */
static int take_account(const struct callroute_image *im,
		const struct callroute_account *a, struct callroute_view *view)
{
	const struct callroute_plan *plans =
			CALLROUTE_ROWS(im, struct callroute_plan, plans);
	const char *tenant;

	if(a == NULL) {
		view->reason = "no_account";
		return -1;
	}
	tenant = callroute_text(im, a->tenant);
	view->sender.account = a->id;
	view->sender.plan = plans[a->plan].id;
	view->sender.limit = (struct callroute_limit){a->max_channels, a->max_cps};
	view->sender.cli = a->cli;
	view->sender.is_peer =
			a->match_type == CALLROUTE_IP || a->match_type == CALLROUTE_TRUNK;
	memcpy(view->sender.country, a->country, sizeof a->country);
	memcpy(view->sender.tenant, tenant,
			strnlen(tenant, sizeof view->sender.tenant - 1) + 1);
	view->dialling = a->dialling;
	view->reason = a->enabled ? "ok" : "account_disabled";
	return a->enabled ? 1 : -2;
}

int callroute_cmd_account(sip_msg_t *msg)
{
	struct callroute_view *view = callroute_view_of(msg);
	const struct callroute_image *im;
	struct callroute_caller who = {0};
	char domain[128] = "";
	uint8_t addr[16];
	str user = STR_NULL, realm = STR_NULL;
	int rc = -1;

	memset(&view->sender, 0, sizeof view->sender);
	memset(&view->dialling, 0, sizeof view->dialling);
	if(authenticated(msg, &user, &realm)) {
		who.user = user.s;
		who.user_len = (size_t)user.len;
		lower(domain, &realm, sizeof domain);
	}
	who.domain = domain;
	who.domain_len = strlen(domain);
	glue_map_addr(&msg->rcv.src_ip, addr);
	who.addr = addr;
	im = callroute_enter();
	if(im != NULL) {
		const struct callroute_trunk *t =
				callroute_find_trunk_at(im, addr, msg->rcv.src_port);

		if(t != NULL) {
			who.trunk = t->name;
			who.trunk_len = strlen(t->name);
		}
		rc = take_account(im, callroute_find_account(im, &who), view);
	}
	callroute_leave();
	return rc;
}

/* --- numbers
 * ------------------------------------------------------------------ */

/* The number as it was dialled: the parameter, else the request's. 0, -1. */
static int dialled_number(sip_msg_t *msg, const str *given, str *out)
{
	if(given == NULL)
		return callroute_request_number(msg, out);
	*out = *given;
	return 0;
}

static int is_sos(sip_msg_t *msg)
{
	static const char sos[] = "urn:service:sos";
	str *uri = GET_RURI(msg);
	int n = (int)sizeof sos - 1;

	/* urn:service:sos and its subservices, sos.fire (RFC 5031, 4.2). */
	return uri->len >= n && strncasecmp(uri->s, sos, (size_t)n) == 0
		   && (uri->len == n || uri->s[n] == '.');
}

/* The rules of the plan that callroute_select() would take. */
static int has_rule(const struct callroute_view *view, const str *number)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_plan *plan = NULL;
	int found = 0;

	if(im != NULL)
		plan = view->sender.plan
					   ? callroute_find_plan_id(im, view->sender.plan)
					   : callroute_find_plan(im, callroute.default_plan.s,
							   (size_t)callroute.default_plan.len);
	if(plan != NULL && number->len > 0)
		found = callroute_is_emergency_number(
				im, plan, number->s, (size_t)number->len, time(NULL));
	callroute_leave();
	return found;
}

static const struct tg_country *country_of(const struct callroute_view *view)
{
	return view->sender.country[0] ? tg_country_find(view->sender.country)
								   : NULL;
}

/* A number of the sender's country, or the request said so itself. */
static int is_countrys(const struct callroute_view *view, const str *number)
{
	const struct tg_country *c = country_of(view);

	return view->sos
		   || (c != NULL && number->len > 0
				   && tg_country_is_emergency(
						   c, number->s, (size_t)number->len));
}

int callroute_emergency_is_lost(
		sip_msg_t *msg, const struct callroute_view *view, const str *number)
{
	const sip_msg_t *req;

	if(!is_countrys(view, number) || has_rule(view, number))
		return 0;
	req = callroute_request_of(msg);
	LM_ERR("no-emergency-rule number=%.*s country=%s account=%u callid=%.*s: "
		   "give its plan a callroute_rule with action = 'emergency'\n",
			GLUE_STR(*number), view->sender.country, view->sender.account,
			req && req->callid ? req->callid->body.len : 0,
			req && req->callid ? req->callid->body.s : "");
	return 1;
}

static int is_emergency(const struct callroute_view *view, const str *number)
{
	return has_rule(view, number) || is_countrys(view, number);
}

static void keep_number(struct callroute_view *view, const str *number)
{
	memcpy(view->number, number->s, (size_t)number->len);
	view->number[number->len] = '\0';
}

int callroute_take_sos(sip_msg_t *msg, struct callroute_view *view)
{
	const struct tg_country *c = country_of(view);
	const char *list = c != NULL ? c->emergency : "";
	str number = str_init("112");

	if(msg->first_line.type != SIP_REQUEST || !is_sos(msg))
		return 0;
	view->sos = 1;
	keep_number(view, &number);
	/* 112 where the plan knows it, else the country's first that it knows. */
	while(!has_rule(view, &number) && *list != '\0') {
		number = (str){(char *)list, (int)strcspn(list, ",")};
		list += number.len + (list[number.len] == ',');
		if(has_rule(view, &number))
			keep_number(view, &number);
	}
	return 1;
}

int callroute_cmd_is_emergency(sip_msg_t *msg, const str *given)
{
	struct callroute_view *view = callroute_view_of(msg);
	str number;

	if(given == NULL && callroute_take_sos(msg, view))
		return 1;
	if(dialled_number(msg, given, &number) < 0)
		return -1;
	return is_emergency(view, &number) ? 1 : -1;
}

int callroute_cmd_normalize(sip_msg_t *msg, const str *given)
{
	struct callroute_view *view = callroute_view_of(msg);
	str number;
	int rc;

	view->number[0] = '\0';
	view->sos = 0;
	if(given == NULL && callroute_take_sos(msg, view)) {
		view->reason = "ok";
		return 1;
	}
	if(dialled_number(msg, given, &number) < 0) {
		view->reason = "not_a_number";
		return -1;
	}
	/* 112 is dialled as it is, everywhere. */
	if(number.len <= CALLROUTE_NUMBER_MAX && is_emergency(view, &number)) {
		keep_number(view, &number);
		view->reason = "ok";
		return 1;
	}
	rc = callroute_normalize(&view->dialling, number.s, (size_t)number.len,
			view->number, sizeof view->number);
	if(rc < 0) {
		view->reason = callroute_normalize_reason(rc);
		return -1;
	}
	view->reason = "ok";
	return 1;
}

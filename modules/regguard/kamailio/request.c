/*
 * What a REGISTER tells about its sender. Reads only; allocates nothing of its
 * own (Kamailio's parsers use the worker's private memory). Every text comes
 * from the network: hashed or cut, never trusted to be sane.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/request.h"
#include "regguard/kamailio/state.h"
#include "glue/address.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/digest/digest.h"
#include "core/parser/parse_expires.h"
#include "core/parser/parse_to.h"
#include "core/parser/parse_uri.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Key spaces of the hashes made here. */
enum
{
	SPACE_CONTACT = 16,
	SPACE_BINDING,
	SPACE_BRANCH,
	SPACE_CALLID,
	SPACE_RESPONSE,
	SPACE_AGENT,
	SPACE_HEADERS,
	SPACE_CAPS,
	SPACE_SHAPE,
	SPACE_INSTANCE
};

static uint64_t hash(uint32_t space, const void *data, size_t len)
{
	return tg_hash_id(&regguard.tables.key, space, data, len);
}

/* A growing text to be hashed; what does not fit is left out. */
struct trace
{
	char text[1024];
	size_t len;
};

static void add(struct trace *t, const char *s, size_t len)
{
	for(size_t i = 0; i < len && t->len < sizeof t->text; i++)
		t->text[t->len++] = (char)tolower((unsigned char)s[i]);
	if(t->len < sizeof t->text)
		t->text[t->len++] = '\0';
}

static void add_str(struct trace *t, const str *s)
{
	add(t, s->s, (size_t)s->len);
}

static uint32_t hash_trace(uint32_t space, const struct trace *t)
{
	uint64_t h = t->len ? hash(space, t->text, t->len) : 0;

	return (uint32_t)(h ^ h >> 32);
}

uint64_t regguard_fold_aor(
		const char *aor, size_t len, char out[REGGUARD_AOR_MAX])
{
	char whole[512];
	size_t n = len < sizeof whole ? len : sizeof whole;
	size_t shown = n < REGGUARD_AOR_MAX - 1 ? n : REGGUARD_AOR_MAX - 1;

	for(size_t i = 0; i < n; i++)
		whole[i] = (char)tolower((unsigned char)aor[i]);
	for(size_t i = 0; i < shown; i++)
		out[i] = isgraph((unsigned char)whole[i]) ? whole[i] : '?';
	out[shown] = '\0';
	return regguard_aor_id(&regguard.tables, whole, n);
}

uint64_t regguard_contact_id(const str *contact)
{
	return hash(SPACE_BINDING, contact->s, (size_t)contact->len);
}

/* The AoR as usrloc will key it: To's user, with the domain where usrloc has
 * use_domain (registrar's extract_aor does the same). */
static int read_aor(sip_msg_t *msg, struct regguard_request *out)
{
	struct sip_uri *uri;
	char buf[512];
	str user = {buf, 0};
	int len;

	if(msg->to == NULL || (uri = parse_to_uri(msg)) == NULL
			|| uri->user.len + uri->host.len + 2 > (int)sizeof buf)
		return -1;
	user.len = uri->user.len;
	if(un_escape(&uri->user, &user) < 0)
		return -1;
	len = user.len;
	if(regguard.use_domain) {
		if(len > 0)
			buf[len++] = '@';
		memcpy(buf + len, uri->host.s, (size_t)uri->host.len);
		len += uri->host.len;
	}
	if(len == 0)
		return -1;
	out->aor_id = regguard_fold_aor(buf, (size_t)len, out->aor);
	return 0;
}

/* "Acme-Phone/1.2.3 build 7" -> "acme-phone": an upgrade keeps its family. */
static void read_agent(sip_msg_t *msg, struct regguard_device *d)
{
	struct trace t = {.len = 0};
	int n = 0;

	if(msg->user_agent == NULL)
		return;
	for(; n < msg->user_agent->body.len; n++) {
		char c = msg->user_agent->body.s[n];

		if(isdigit((unsigned char)c) || c == '/' || c == ' ')
			break;
	}
	add(&t, msg->user_agent->body.s, (size_t)n);
	d->agent = hash_trace(SPACE_AGENT, &t);
}

/* Names of the header fields in their order, but for those that come and go
 * with the transaction, the route or the authentication. */
static void read_headers(sip_msg_t *msg, struct regguard_device *d)
{
	struct trace names = {.len = 0}, caps = {.len = 0};

	for(const struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		switch(h->type) {
			case HDR_VIA_T:
			case HDR_VIA2_T:
			case HDR_ROUTE_T:
			case HDR_RECORDROUTE_T:
			case HDR_PATH_T:
			case HDR_AUTHORIZATION_T:
			case HDR_PROXYAUTH_T:
			case HDR_EXPIRES_T:
			case HDR_CONTACT_T:
			case HDR_EOH_T:
				continue;
			case HDR_ALLOW_T:
			case HDR_SUPPORTED_T:
				add_str(&caps, &h->body);
				break;
			default:
				break;
		}
		add_str(&names, &h->name);
	}
	d->headers = hash_trace(SPACE_HEADERS, &names);
	d->caps = hash_trace(SPACE_CAPS, &caps);
}

static void read_via(
		sip_msg_t *msg, struct regguard_request *out, struct trace *shape)
{
	const struct via_body *via = msg->via1;

	if(via == NULL)
		return;
	if(via->branch != NULL)
		out->branch = hash(SPACE_BRANCH, via->branch->value.s,
				(size_t)via->branch->value.len);
	/* Only the client's own parameters: received and rport values differ. */
	for(const struct via_param *p = via->param_lst; p != NULL; p = p->next)
		add_str(shape, &p->name);
}

/* '*' or hosts and ports of all Contacts; whether all of them are removed. */
static int read_contacts(
		sip_msg_t *msg, struct regguard_request *out, struct trace *shape)
{
	struct trace places = {.len = 0};
	int header_expires = 1, live = 0, count = 0;

	if(msg->contact == NULL)
		return 0; /* a query binds nothing */
	if(parse_contact_headers(msg) < 0)
		return -1;
	if(msg->expires != NULL) {
		if(parse_expires(msg->expires) < 0)
			return -1;
		header_expires = ((exp_body_t *)msg->expires->parsed)->valid == 0
						 || ((exp_body_t *)msg->expires->parsed)->val != 0;
	}
	if(((contact_body_t *)msg->contact->parsed)->star) {
		out->contact = hash(SPACE_CONTACT, "*", 1);
		out->removes = 1;
		return 0;
	}
	for(const struct hdr_field *h = msg->contact; h != NULL; h = h->next) {
		const contact_body_t *body =
				h->type == HDR_CONTACT_T ? h->parsed : NULL;

		for(const contact_t *c = body ? body->contacts : NULL; c; c = c->next) {
			struct sip_uri uri;

			if(parse_uri(c->uri.s, c->uri.len, &uri) < 0)
				return -1;
			add_str(&places, &uri.host);
			add_str(&places, &uri.port);
			for(const param_t *p = c->params; count == 0 && p; p = p->next)
				add_str(shape, &p->name);
			if(c->instance != NULL && out->device.instance == 0)
				out->device.instance = hash(SPACE_INSTANCE, c->instance->body.s,
						(size_t)c->instance->body.len);
			live += c->expires != NULL && c->expires->body.len > 0
							? !(c->expires->body.len == 1
									&& c->expires->body.s[0] == '0')
							: header_expires;
			count++;
		}
	}
	out->contact = hash(SPACE_CONTACT, places.text, places.len);
	out->removes = count > 0 && live == 0;
	return 0;
}

/* Nonce and response of the credentials that authentication accepted, or of the
 * first ones when nothing did. */
static void read_response(sip_msg_t *msg, struct regguard_request *out)
{
	struct hdr_field *h = NULL;
	struct trace t = {.len = 0};
	const auth_body_t *a;

	get_authorized_cred(msg->authorization, &h);
	if(h == NULL)
		h = msg->authorization;
	if(h == NULL || parse_credentials(h) < 0 || h->parsed == NULL)
		return;
	a = h->parsed;
	if(a->digest.response.len == 0)
		return;
	add_str(&t, &a->digest.nonce);
	add_str(&t, &a->digest.response);
	out->response = hash(SPACE_RESPONSE, t.text, t.len);
	out->unique = a->digest.cnonce.len > 0 && a->digest.nc.len > 0;
}

int regguard_read_request(sip_msg_t *msg, struct regguard_request *out)
{
	struct trace shape = {.len = 0};

	memset(out, 0, sizeof *out);
	if(parse_headers(msg, HDR_EOH_F, 0) < 0 || read_aor(msg, out) < 0
			|| read_contacts(msg, out, &shape) < 0)
		return -1;
	if(msg->callid != NULL)
		out->callid = hash(SPACE_CALLID, msg->callid->body.s,
				(size_t)msg->callid->body.len);
	glue_map_addr(&msg->rcv.src_ip, out->addr);
	read_agent(msg, &out->device);
	read_headers(msg, &out->device);
	read_via(msg, out, &shape);
	out->device.shape = hash_trace(SPACE_SHAPE, &shape);
	read_response(msg, out);
	return 0;
}

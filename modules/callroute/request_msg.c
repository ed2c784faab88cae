/*
 * What a SIP message says to callroute: which request and call it belongs to,
 * who is calling whom. Reads, changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/parser/parse_cseq.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_ppi_pai.h"
#include "core/parser/parse_to.h"
#include "core/parser/parse_uri.h"
#include "core/strutils.h"

#include <string.h>

sip_msg_t *callroute_request_of(sip_msg_t *msg)
{
	struct cell *t;

	if(msg->first_line.type == SIP_REQUEST)
		return msg;
	t = callroute.tm.t_gett();
	return t == NULL || t == T_UNDEFINED ? NULL : t->uas.request;
}

static uint64_t hash_parts(uint32_t space, const str *parts, int n)
{
	char key[512];
	size_t at = 0;

	for(int i = 0; i < n; i++) {
		size_t len = parts[i].len < 160 ? (size_t)parts[i].len : 160;

		if(len > 0)
			memcpy(key + at, parts[i].s, len);
		at += len;
		key[at++] = '\0';
	}
	return tg_hash_id(&callroute.key, space, key, at);
}

/* The headers of a request; a transaction's request was parsed before it was
 * cloned to shared memory: nothing may be added to it there. */
static sip_msg_t *parsed_request(sip_msg_t *msg)
{
	sip_msg_t *req = callroute_request_of(msg);

	if(req == NULL)
		return NULL;
	if(req == msg
			&& (parse_headers(msg,
						HDR_CALLID_F | HDR_CSEQ_F | HDR_VIA1_F | HDR_FROM_F
								| HDR_TO_F,
						0) < 0
					|| msg->from == NULL || parse_from_header(msg) < 0))
		return NULL;
	if(req->callid == NULL || req->cseq == NULL || req->via1 == NULL
			|| req->from == NULL || req->from->parsed == NULL)
		return NULL;
	return req;
}

uint64_t callroute_request_id(sip_msg_t *msg)
{
	/* A spiral carries the same Call-ID and CSeq: the branch tells it apart. */
	str parts[3] = {STR_NULL, STR_NULL, STR_NULL};
	sip_msg_t *req = parsed_request(msg);

	if(req == NULL)
		return 0;
	parts[0] = req->callid->body;
	parts[1] = get_cseq(req)->number;
	if(req->via1->branch != NULL)
		parts[2] = req->via1->branch->value;
	return hash_parts(0, parts, 3);
}

uint64_t callroute_call_id(sip_msg_t *msg)
{
	sip_msg_t *req = parsed_request(msg);
	str parts[2];

	if(req == NULL)
		return 0;
	if(callroute.has_dialog && req->REQ_METHOD == METHOD_INVITE)
		return callroute_request_id(msg);
	parts[0] = req->callid->body;
	parts[1] = get_from(req)->tag_value;
	return hash_parts(1, parts, 2);
}

uint64_t callroute_call_id_reverse(sip_msg_t *msg)
{
	sip_msg_t *req = parsed_request(msg);
	str parts[2];

	if(req == NULL || req->to == NULL || req->to->parsed == NULL)
		return 0;
	parts[0] = req->callid->body;
	parts[1] = get_to(req)->tag_value;
	return hash_parts(1, parts, 2);
}

int callroute_request_number(sip_msg_t *msg, str *out)
{
	static char buf[256];

	if(parse_sip_msg_uri(msg) < 0 || msg->parsed_uri.user.len > (int)sizeof buf)
		return -1;
	*out = (str){buf, msg->parsed_uri.user.len};
	return un_escape(&msg->parsed_uri.user, out);
}

/* The user part of a URI when it is a number. */
static size_t take_number(str *uri, char out[CALLROUTE_CALLER_MAX])
{
	struct sip_uri parsed;
	str user;
	int len = 0;

	if(parse_uri(uri->s, uri->len, &parsed) < 0)
		return 0;
	user = parsed.user;
	if(user.len > 0 && user.s[0] == '+') {
		user.s++;
		user.len--;
	}
	/* A number's parameters (RFC 3966) are not the number's. */
	while(len < user.len && user.s[len] != ';')
		len++;
	if(len == 0 || len >= CALLROUTE_CALLER_MAX)
		return 0;
	for(int i = 0; i < len; i++) {
		if(user.s[i] < '0' || user.s[i] > '9')
			return 0;
		out[i] = user.s[i];
	}
	out[len] = '\0';
	return (size_t)len;
}

size_t callroute_caller_number(sip_msg_t *msg, char out[CALLROUTE_CALLER_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	if(parse_headers(msg, HDR_PAI_F | HDR_FROM_F, 0) >= 0 && msg->pai != NULL
			&& parse_pai_header(msg) == 0 && get_pai(msg) != NULL
			&& get_pai(msg)->num_ids > 0)
		len = take_number(&get_pai(msg)->id[0].uri, out);
	if(len == 0 && msg->from != NULL && parse_from_header(msg) >= 0)
		len = take_number(&get_from(msg)->uri, out);
	return len;
}

void callroute_map_addr(const struct ip_addr *ip, uint8_t out[16])
{
	if(ip->af == AF_INET6) {
		memcpy(out, ip->u.addr, 16);
		return;
	}
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ip->u.addr, 4);
}

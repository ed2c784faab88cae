/*
 * What a SIP message says to callroute: which request and call it belongs to,
 * who is calling whom. Reads, changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "glue/address.h"
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

uint64_t callroute_dialog_id(const str *callid, const str *from, const str *to)
{
	str parts[3] = {*callid, *from, *to};

	for(int i = 0; i < 3; i++) {
		if(parts[i].s == NULL || parts[i].len <= 0)
			return 0;
	}
	return hash_parts(1, parts, 3);
}

int callroute_dialog_ids(sip_msg_t *msg, uint64_t out[2])
{
	sip_msg_t *req = parsed_request(msg);
	const str *from, *to;

	if(req == NULL || req->to == NULL || req->to->parsed == NULL
			|| get_to(req)->tag_value.len <= 0)
		return -1;
	from = &get_from(req)->tag_value;
	to = &get_to(req)->tag_value;
	out[0] = callroute_dialog_id(&req->callid->body, from, to);
	out[1] = callroute_dialog_id(&req->callid->body, to, from);
	return 0;
}

int callroute_request_number(sip_msg_t *msg, str *out)
{
	static char buf[256];

	if(parse_sip_msg_uri(msg) < 0 || msg->parsed_uri.user.len > (int)sizeof buf)
		return -1;
	*out = (str){buf, msg->parsed_uri.user.len};
	return un_escape(&msg->parsed_uri.user, out);
}

size_t callroute_read_caller(const str *text, char out[CALLROUTE_CALLER_MAX])
{
	size_t len = 0;

	/* Visual separators (RFC 3966, 3) and the user's parameters are not its. */
	for(int i = text->len > 0 && text->s[0] == '+';
			i < text->len && text->s[i] != ';'; i++) {
		if(strchr("-.()", text->s[i]) != NULL && text->s[i] != '\0')
			continue;
		if(text->s[i] < '0' || text->s[i] > '9'
				|| len == CALLROUTE_CALLER_MAX - 1) {
			len = 0;
			break;
		}
		out[len++] = text->s[i];
	}
	out[len] = '\0';
	return len;
}

/* The user part of a URI when it is a number. */
static size_t take_number(str *uri, char out[CALLROUTE_CALLER_MAX])
{
	struct sip_uri parsed;

	if(parse_uri(uri->s, uri->len, &parsed) < 0)
		return 0;
	return callroute_read_caller(&parsed.user, out);
}

/* The first asserted identity that is a number: there may be a sip: and a tel:
 * one, in one header or two (RFC 3325, 9.1). */
static size_t take_asserted(sip_msg_t *msg, char out[CALLROUTE_CALLER_MAX])
{
	size_t len = 0;

	if(parse_headers(msg, HDR_PAI_F, 0) < 0 || msg->pai == NULL
			|| parse_pai_header(msg) < 0)
		return 0;
	for(struct p_id_body *b = get_pai(msg); b != NULL && len == 0; b = b->next)
		for(int i = 0; i < b->num_ids && len == 0; i++)
			len = take_number(&b->id[i].uri, out);
	return len;
}

/* Whether the request comes from a trunk's address. */
static int is_from_trunk(const sip_msg_t *msg)
{
	const struct callroute_image *im = callroute_enter();
	uint8_t addr[16];
	int found;

	glue_map_addr(&msg->rcv.src_ip, addr);
	found = im != NULL
			&& callroute_find_trunk_at(im, addr, msg->rcv.src_port) != NULL;
	callroute_leave();
	return found;
}

static int is_believed(sip_msg_t *msg, const struct callroute_sender *sender)
{
	return sender->is_peer || is_from_trunk(msg);
}

int callroute_is_forged(sip_msg_t *msg, const struct callroute_sender *sender)
{
	return sender->account != 0 && parse_headers(msg, HDR_EOH_F, 0) >= 0
		   && (msg->pai != NULL || msg->rpid != NULL)
		   && !is_believed(msg, sender);
}

size_t callroute_caller_number(sip_msg_t *msg,
		const struct callroute_sender *sender, char out[CALLROUTE_CALLER_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	if(is_believed(msg, sender))
		len = take_asserted(msg, out);
	if(len == 0 && parse_from_header(msg) >= 0)
		len = take_number(&get_from(msg)->uri, out);
	return len;
}

struct cell *callroute_transaction(void)
{
	struct cell *t = callroute.tm.t_gett();

	return t == T_UNDEFINED ? NULL : t;
}

/*
 * Script functions: translate a SIP request into a question, hand the verdict
 * to the script, the reasons to the keeper. No lock but the tables' own, no
 * allocation of ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/functions.h"
#include "fraudguard/kamailio/dialog.h"
#include "fraudguard/kamailio/event.h"
#include "fraudguard/kamailio/state.h"
#include "fraudguard/live/keys.h"
#include "glue/address.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_uri.h"

#include <string.h>

/* Any of the emergency numbers as the user part of the request URI. */
static int is_emergency(const str *number)
{
	for(int i = 0; i < fraudguard.emergency_count; i++) {
		const str *e = &fraudguard.emergency[i];

		if(e->len == number->len && memcmp(e->s, number->s, e->len) == 0)
			return 1;
	}
	return 0;
}

static int calls_emergency(sip_msg_t *msg)
{
	return msg->first_line.type == SIP_REQUEST
		   && msg->REQ_METHOD == METHOD_INVITE && parse_sip_msg_uri(msg) >= 0
		   && is_emergency(&msg->parsed_uri.user);
}

static void callid_of(sip_msg_t *msg, const char **s, size_t *len)
{
	*s = "";
	*len = 0;
	if(parse_headers(msg, HDR_CALLID_F, 0) == 0 && msg->callid != NULL) {
		*s = msg->callid->body.s;
		*len = (size_t)msg->callid->body.len;
	}
}

/* Hands the events on and remembers what the script may ask for. */
static int conclude(sip_msg_t *msg, const struct fraudguard_answer *a)
{
	const struct fraudguard_hit *shown = &a->hit;

	for(int i = 0; i < a->events; i++) {
		const struct fraudguard_hit *h = &a->event[i];
		int enforced = h->mode == FRAUDGUARD_ENFORCE;

		if(!enforced)
			counter_inc(fraudguard.shadow_hits);
		if(h->until > 0)
			counter_inc(fraudguard.bans_written);
		if(h->is_new || h->until > 0)
			fraudguard_report(h);
	}
	for(int i = 0; i < a->untracked; i++)
		counter_inc(fraudguard.untracked);
	if(a->verdict == FRAUDGUARD_WATCHED)
		shown = &a->event[0];
	fraudguard_pv_remember(msg, shown);
	return a->verdict;
}

static int ki_source(sip_msg_t *msg)
{
	struct fraudguard_source source = {.verified = msg->rcv.proto != PROTO_UDP};
	struct fraudguard_answer answer;

	glue_map_addr(&msg->rcv.src_ip, source.addr);
	callid_of(msg, &source.callid, &source.callid_len);
	fraudguard_judge_source(&fraudguard.tables, fraudguard_rules(), &source,
			fraudguard_clock(), &answer);
	fraudguard_rules_done();
	counter_inc(fraudguard.sources_checked);
	/* Looked at only now: the common case pays nothing for it. */
	if(answer.verdict < 0 && calls_emergency(msg)) {
		answer.verdict = FRAUDGUARD_PASS;
		answer.hit.rule[0] = '\0';
	}
	if(answer.verdict < 0)
		counter_inc(fraudguard.sources_refused);
	return conclude(msg, &answer);
}

static int ki_call(sip_msg_t *msg, str *account, str *dst)
{
	struct fraudguard_call call = {.account = account->s,
			.account_len = (size_t)account->len,
			.lease_us = (uint64_t)fraudguard.ring_sec * 1000000};
	struct fraudguard_answer answer;
	char nobody[FRAUDGUARD_KEY_MAX];
	uint8_t addr[16];
	str tag = {"", 0};

	if(calls_emergency(msg) || is_emergency(dst)) {
		fraudguard_pv_remember(msg, NULL);
		return FRAUDGUARD_PASS;
	}
	if(account->len == 0 || memmem(account->s, account->len, "<null>", 6)) {
		/* No account: all callers at that address are counted together. */
		glue_map_addr(&msg->rcv.src_ip, addr);
		fraudguard_source_key(addr, nobody);
		call.account = nobody;
		call.account_len = strlen(nobody);
		LM_INFO("fraudguard_call without an account: key=account:%s\n", nobody);
	}
	callid_of(msg, &call.callid, &call.callid_len);
	if(call.callid_len > 0 && parse_from_header(msg) == 0)
		tag = get_from(msg)->tag_value;
	call.call = fraudguard_call_of(
			&(str){(char *)call.callid, (int)call.callid_len}, &tag);
	fraudguard_judge_call(&fraudguard.tables, fraudguard_rules(), &call,
			fraudguard_clock(), &answer);
	fraudguard_rules_done();
	counter_inc(fraudguard.calls_checked);
	if(answer.verdict < 0)
		counter_inc(fraudguard.calls_refused);
	else
		fraudguard_follow(msg);
	return conclude(msg, &answer);
}

/* --- native wrappers -------------------------------------------------------
 * */

static int w_source(sip_msg_t *msg, char *p1, char *p2)
{
	return ki_source(msg);
}

static int w_call(sip_msg_t *msg, char *account, char *dst)
{
	str a, d;

	if(fixup_get_svalue(msg, (gparam_t *)account, &a) < 0)
		a = (str){"", 0};
	if(dst != NULL) {
		if(fixup_get_svalue(msg, (gparam_t *)dst, &d) < 0)
			d = (str){"", 0};
	} else if(parse_sip_msg_uri(msg) >= 0) {
		d = msg->parsed_uri.user;
	} else {
		d = (str){"", 0};
	}
	return ki_call(msg, &a, &d);
}

/* clang-format off */
const cmd_export_t fraudguard_cmds[] = {
	{"fraudguard_source", w_source, 0, 0, 0, REQUEST_ROUTE},
	{"fraudguard_call", w_call, 1, fixup_spve_null, fixup_free_spve_null, REQUEST_ROUTE},
	{"fraudguard_call", w_call, 2, fixup_spve_spve, fixup_free_spve_spve, REQUEST_ROUTE},
	{0, 0, 0, 0, 0, 0},
};

sr_kemi_t fraudguard_kemi[] = {
	{str_init("fraudguard"), str_init("source"), SR_KEMIP_INT, ki_source,
		{SR_KEMIP_NONE}},
	{str_init("fraudguard"), str_init("call"), SR_KEMIP_INT, ki_call,
		{SR_KEMIP_STR, SR_KEMIP_STR}},
	{{0, 0}, {0, 0}, 0, NULL, {0}},
};
/* clang-format on */

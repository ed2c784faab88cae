/*
 * regguard_check(): from a REGISTER to a verdict. The script gets the verdict,
 * usrloc's callbacks and the keeper what they need of it. No lock but the
 * stores' own, no allocation of ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/functions.h"
#include "regguard/kamailio/request.h"
#include "regguard/kamailio/state.h"
#include "regguard/kamailio/usrloc.h"
#include "core/ip_addr.h"

#include <stdio.h>
#include <string.h>

static void tell(sip_msg_t *msg, const struct regguard_request *r,
		const struct regguard_answer *a, int enforced)
{
	struct regguard_event e = {.at = time(NULL),
			.verdict = a->verdict,
			.enforced = enforced,
			.score = a->score,
			.reasons = a->reasons};
	str proto = STR_NULL;

	memcpy(e.aor, r->aor, sizeof e.aor);
	get_valid_proto_string(msg->rcv.proto, 0, 0, &proto);
	snprintf(e.source, sizeof e.source, "%.*s:%s:%d", GLUE_STR(proto),
			ip_addr2a(&msg->rcv.src_ip), msg->rcv.src_port);
	snprintf(e.callid, sizeof e.callid, "%.*s", GLUE_STR(msg->callid->body));
	glue_make_printable(e.callid);
	glue_keeper_tell(&regguard.keeper, regguard.ring, &e);
}

static void count(int verdict)
{
	if(verdict == REGGUARD_NOTIFY)
		counter_inc(regguard.notified);
	else if(verdict == REGGUARD_QUARANTINE)
		counter_inc(regguard.quarantined);
	else if(verdict == REGGUARD_DENY)
		counter_inc(regguard.denied);
}

/* Reads the REGISTER. One that cannot be read could not be saved either: it is
 * denied. 0, -1. */
static int read_register(sip_msg_t *msg, struct regguard_request *r)
{
	struct regguard_answer denied = {.verdict = REGGUARD_DENY};

	regguard_ul_forget();
	if(msg->first_line.type == SIP_REQUEST && msg->REQ_METHOD == METHOD_REGISTER
			&& regguard_read_request(msg, r) == 0 && msg->callid != NULL)
		return 0;
	counter_inc(regguard.bad_messages);
	LM_NOTICE("bad-message source=%s: no REGISTER that can be read\n",
			ip_addr2a(&msg->rcv.src_ip));
	regguard_pv_remember(msg, NULL, &denied);
	return -1;
}

/* What the script gets to see of a judgement, in this mode. */
static int conclude(sip_msg_t *msg, const struct regguard_request *r,
		struct regguard_answer *a)
{
	int mode = a->deterministic ? regguard.findings : regguard.novelty;
	int enforced;

	if(mode == REGGUARD_OFF)
		*a = (struct regguard_answer){.verdict = REGGUARD_ALLOW};
	enforced = mode == REGGUARD_ENFORCE || a->verdict == REGGUARD_NOTIFY;
	regguard_pv_remember(msg, r, a);
	if(a->verdict != REGGUARD_ALLOW)
		tell(msg, r, a, enforced);
	if(a->verdict < 0 && !enforced) {
		counter_inc(regguard.shadow_hits);
		return REGGUARD_NOTIFY;
	}
	count(a->verdict);
	return a->verdict;
}

static int ki_check(sip_msg_t *msg)
{
	struct regguard_request r;
	struct regguard_answer a;
	int seen;

	counter_inc(regguard.checked);
	if(read_register(msg, &r) < 0)
		return REGGUARD_DENY;
	regguard_judge(&regguard.tables, &regguard.settings, &r, glue_now(), &a);
	seen = conclude(msg, &r, &a);
	/* Shadow lets a suspect be saved, but nothing is learned from it; nor from
	 * a digest that was first used in another network. */
	if(a.verdict > 0 && !a.repeated)
		regguard_ul_expect(msg, &r);
	return seen;
}

static int ki_used_nonce(sip_msg_t *msg)
{
	struct regguard_request r;
	struct regguard_answer a;

	if(read_register(msg, &r) < 0)
		return REGGUARD_DENY;
	regguard_judge_used_nonce(&regguard.tables, &r, glue_now(), &a);
	return conclude(msg, &r, &a);
}

static int w_check(sip_msg_t *msg, char *p1, char *p2)
{
	return ki_check(msg);
}

static int w_used_nonce(sip_msg_t *msg, char *p1, char *p2)
{
	return ki_used_nonce(msg);
}

/* clang-format off */
const cmd_export_t regguard_cmds[] = {
	{"regguard_check", w_check, 0, 0, 0, REQUEST_ROUTE},
	{"regguard_used_nonce", w_used_nonce, 0, 0, 0, REQUEST_ROUTE},
	{0, 0, 0, 0, 0, 0},
};

sr_kemi_t regguard_kemi[] = {
	{str_init("regguard"), str_init("check"), SR_KEMIP_INT, ki_check,
		{SR_KEMIP_NONE}},
	{str_init("regguard"), str_init("used_nonce"), SR_KEMIP_INT, ki_used_nonce,
		{SR_KEMIP_NONE}},
	{{0, 0}, {0, 0}, 0, NULL, {0}},
};
/* clang-format on */

/*
 * $callroute(name): what was decided for this message, or, in an event route,
 * what the event is about (view.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/event.h"
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/view.h"
#include "glue/pv.h"
#include "lib/geo/country.h"

#include <string.h>

enum item
{
	ACCOUNT,
	ATTEMPT,
	CARRIER,
	CLI,
	CODECS,
	CONNECT_FEE,
	COUNTRY,
	EMERGENCY,
	FIRST_SEC,
	GEN,
	LEFT,
	MARGIN,
	MEDIA,
	NUMBER,
	PLAN,
	PREFIX,
	PRICE,
	QUALITY,
	REASON,
	RING_TIMEOUT,
	RN,
	RULE,
	SELL,
	SOURCE,
	SRC_COUNTRY,
	STATE,
	STEP_SEC,
	TARGET,
	TENANT,
	TRUNK,
	TRY_TIMEOUT,
	URI
};

static const struct glue_pv_item items[] = {{"account", ACCOUNT},
		{"attempt", ATTEMPT}, {"carrier", CARRIER}, {"cli", CLI},
		{"codecs", CODECS}, {"connect_fee", CONNECT_FEE}, {"country", COUNTRY},
		{"emergency", EMERGENCY}, {"first_sec", FIRST_SEC}, {"gen", GEN},
		{"left", LEFT}, {"margin", MARGIN}, {"media", MEDIA},
		{"number", NUMBER}, {"plan", PLAN}, {"prefix", PREFIX},
		{"price", PRICE}, {"quality", QUALITY}, {"reason", REASON},
		{"ring_timeout_ms", RING_TIMEOUT}, {"rn", RN}, {"rule", RULE},
		{"sell", SELL}, {"source", SOURCE}, {"src_country", SRC_COUNTRY},
		{"state", STATE}, {"step_sec", STEP_SEC}, {"target", TARGET},
		{"tenant", TENANT}, {"trunk", TRUNK}, {"try_timeout_ms", TRY_TIMEOUT},
		{"uri", URI}, {NULL, 0}};

/* The caller's number as this trunk wants it. */
static int get_cli(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const struct callroute_view *v)
{
	static char buf[CALLROUTE_NUMBER_MAX + 17];
	int len = callroute_rewrite_apply(&v->trunk.src_rewrite, v->attempt.src,
			v->attempt.src_len, buf, sizeof buf);

	return len > 0 ? glue_pv_text_len(msg, param, res, buf, len)
				   : pv_get_null(msg, param, res);
}

static int get_country(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, uint16_t country)
{
	const char *iso = tg_country_iso((int)country - 1);

	return country > 0 && iso != NULL ? glue_pv_text(msg, param, res, iso)
									  : pv_get_null(msg, param, res);
}

/* Money, where -1 is not known. */
static int get_money(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, int64_t n)
{
	return n < 0 ? pv_get_null(msg, param, res)
				 : glue_pv_number(msg, param, res, n);
}

/* The candidate under way; NULL. Others that could not be tried may follow it.
 * */
static const struct callroute_candidate *candidate_of(
		const struct callroute_attempt *a)
{
	for(int i = 0; a->trunk_id != 0 && i < a->count; i++) {
		if(a->candidates[i].trunk_id == a->trunk_id)
			return &a->candidates[i];
	}
	return NULL;
}

/* What it says. */
static int get_of_candidate(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const struct callroute_view *v, enum item item)
{
	const struct callroute_attempt *a = &v->attempt;
	const struct callroute_candidate *c = candidate_of(a);

	if(c == NULL)
		return pv_get_null(msg, param, res);
	switch(item) {
		case PREFIX:
			return glue_pv_text_len(msg, param, res,
					a->routing_len ? a->routing_number : a->number,
					c->prefix_len);
		case PRICE:
			return get_money(msg, param, res, c->price);
		case CONNECT_FEE:
			return c->price < 0
						   ? pv_get_null(msg, param, res)
						   : glue_pv_number(msg, param, res, c->connect_fee);
		case MARGIN:
			return c->price < 0 || a->sell < 0 ? pv_get_null(msg, param, res)
											   : glue_pv_number(msg, param, res,
													   a->sell - c->price);
		case FIRST_SEC:
			return glue_pv_number(msg, param, res, c->first_sec);
		case STEP_SEC:
			return glue_pv_number(msg, param, res, c->step_sec);
		default:
			return glue_pv_number(msg, param, res, c->quality);
	}
}

static int get_of_trunk(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const struct callroute_view *v, enum item item)
{
	static const char *const medias[] = {"rtp", "sdes", "dtls"};
	const struct callroute_trunk *t = &v->trunk;

	if(t->id == 0)
		return pv_get_null(msg, param, res);
	switch(item) {
		case TRUNK:
			return glue_pv_text(msg, param, res, t->name);
		case CARRIER:
			return glue_pv_text(msg, param, res, v->carrier);
		case URI:
			return glue_pv_text(msg, param, res, t->uri);
		case CODECS:
			return glue_pv_text(msg, param, res, v->codecs);
		case MEDIA:
			return glue_pv_text(msg, param, res, medias[t->media]);
		case CLI:
			return get_cli(msg, param, res, v);
		case TRY_TIMEOUT:
			return glue_pv_number(msg, param, res, t->try_timeout_ms);
		default:
			return glue_pv_number(msg, param, res, t->ring_timeout_ms);
	}
}

static int get_of_call(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const struct callroute_view *v, enum item item)
{
	const struct callroute_attempt *a = &v->attempt;
	const struct callroute_event *e = callroute_event_now();

	switch(item) {
		case PLAN:
			return glue_pv_text(msg, param, res, a->plan);
		case REASON:
			return glue_pv_text(msg, param, res, v->reason);
		case SELL:
			return a->next == 0 ? pv_get_null(msg, param, res)
								: get_money(msg, param, res, a->sell);
		case ATTEMPT:
			return glue_pv_number(msg, param, res, a->next);
		case LEFT:
			return glue_pv_number(msg, param, res, a->count - a->next);
		case RULE:
			return a->rule_id ? glue_pv_number(msg, param, res, a->rule_id)
							  : pv_get_null(msg, param, res);
		case EMERGENCY:
			return glue_pv_number(msg, param, res, a->emergency);
		case COUNTRY:
			return get_country(msg, param, res, a->dst_country);
		case SRC_COUNTRY:
			return get_country(msg, param, res, a->src_country);
		case RN:
			return glue_pv_text_len(
					msg, param, res, a->routing_number, a->routing_len);
		case ACCOUNT:
			return v->sender.account
						   ? glue_pv_number(msg, param, res, v->sender.account)
						   : pv_get_null(msg, param, res);
		case TENANT:
			return glue_pv_text(msg, param, res, v->sender.tenant);
		case NUMBER:
			return glue_pv_text(msg, param, res, v->number);
		case SOURCE:
			return glue_pv_text(msg, param, res, v->source);
		case TARGET:
			return glue_pv_text(
					msg, param, res, v->redirect[0] ? v->redirect : v->target);
		case STATE:
			return glue_pv_text(msg, param, res, e ? e->state : "");
		default:
			return glue_pv_number(msg, param, res,
					(int64_t)(e ? e->generation : a->generation));
	}
}

static int get_value(sip_msg_t *msg, pv_param_t *param, pv_value_t *res)
{
	const struct callroute_view *v = callroute_view_find(msg);
	enum item item = (enum item)glue_pv_item(param);

	switch(item) {
		case CONNECT_FEE:
		case FIRST_SEC:
		case MARGIN:
		case PREFIX:
		case PRICE:
		case QUALITY:
		case STEP_SEC:
			return get_of_candidate(msg, param, res, v, item);
		case CARRIER:
		case CLI:
		case CODECS:
		case MEDIA:
		case RING_TIMEOUT:
		case TRUNK:
		case TRY_TIMEOUT:
		case URI:
			return get_of_trunk(msg, param, res, v, item);
		default:
			return get_of_call(msg, param, res, v, item);
	}
}

static int parse_name(pv_spec_t *sp, str *name)
{
	return glue_pv_parse(sp, name, items, "callroute");
}

/* clang-format off */
const pv_export_t callroute_pvs[] = {
	{{"callroute", sizeof("callroute") - 1}, PVT_OTHER, get_value, 0, parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */

/*
 * $callroute(name): what was decided for this message. The process that decided
 * remembers it; any other (reply and failure routes run anywhere) reads the
 * attempt store.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "glue/pv.h"

#include <string.h>

enum item
{
	TRUNK,
	CARRIER,
	URI,
	PREFIX,
	PRICE,
	ATTEMPT,
	LEFT,
	PLAN,
	REASON,
	GEN,
	MEDIA,
	TRY_TIMEOUT,
	RING_TIMEOUT
};

static const struct glue_pv_item items[] = {{"trunk", TRUNK},
		{"carrier", CARRIER}, {"uri", URI}, {"prefix", PREFIX},
		{"price", PRICE}, {"attempt", ATTEMPT}, {"left", LEFT}, {"plan", PLAN},
		{"reason", REASON}, {"gen", GEN}, {"media", MEDIA},
		{"try_timeout_ms", TRY_TIMEOUT}, {"ring_timeout_ms", RING_TIMEOUT},
		{NULL, 0}};

/* One message at a time is processed by a process. */
static struct callroute_view current;
static unsigned current_id;
static int current_pid;
static int current_set;

struct callroute_view *callroute_view_new(const sip_msg_t *msg)
{
	memset(&current, 0, sizeof current);
	current.reason = "";
	current_id = msg->id;
	current_pid = msg->pid;
	current_set = 1;
	return &current;
}

static const struct callroute_view *find_view(sip_msg_t *msg)
{
	uint64_t id;
	struct callroute_view *v = &current;

	if(current_set && current_id == msg->id && current_pid == msg->pid)
		return v;
	id = callroute_request_id(msg);
	v = callroute_view_new(msg);
	if(id == 0
			|| tg_store_get(
					   callroute.attempt_store, id, glue_now(), &v->attempt)
					   < 0
			|| v->attempt.next == 0)
		return v;
	v->reason = "ok";
	callroute_copy_trunk(
			v->attempt.candidates[v->attempt.next - 1].trunk_id, &v->trunk);
	return v;
}

static int get_value(sip_msg_t *msg, pv_param_t *param, pv_value_t *res)
{
	static const char *const medias[] = {"rtp", "sdes", "dtls"};
	const struct callroute_view *v = find_view(msg);
	const struct callroute_attempt *a = &v->attempt;
	const struct callroute_trunk *t = &v->trunk;
	const struct callroute_candidate *c =
			a->next > 0 ? &a->candidates[a->next - 1] : NULL;

	switch((enum item)glue_pv_item(param)) {
		case TRUNK:
			return glue_pv_text(msg, param, res, t->name);
		case CARRIER:
			return glue_pv_text(msg, param, res, t->carrier);
		case URI:
			return glue_pv_text(msg, param, res, t->uri);
		case PLAN:
			return glue_pv_text(msg, param, res, a->plan);
		case REASON:
			return glue_pv_text(msg, param, res, v->reason);
		case PREFIX:
			return c ? glue_pv_text_len(
						   msg, param, res, a->number, c->prefix_len)
					 : pv_get_null(msg, param, res);
		case MEDIA:
			return t->id ? glue_pv_text(msg, param, res, medias[t->media])
						 : pv_get_null(msg, param, res);
		case PRICE:
			return c ? glue_pv_number(msg, param, res, c->price)
					 : pv_get_null(msg, param, res);
		case ATTEMPT:
			return glue_pv_number(msg, param, res, a->next);
		case LEFT:
			return glue_pv_number(msg, param, res, a->count - a->next);
		case GEN:
			return glue_pv_number(msg, param, res, (int64_t)a->generation);
		case TRY_TIMEOUT:
			return glue_pv_number(msg, param, res, t->try_timeout_ms);
		case RING_TIMEOUT:
			return glue_pv_number(msg, param, res, t->ring_timeout_ms);
	}
	return pv_get_null(msg, param, res);
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

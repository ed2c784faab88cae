/*
 * $callroute(name): what was decided for this message. The process that decided
 * remembers it; any other (reply and failure routes run anywhere) reads the
 * attempt store.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"

#include <stdio.h>
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

static const struct
{
	const char *name;
	enum item item;
} items[] = {{"trunk", TRUNK}, {"carrier", CARRIER}, {"uri", URI},
		{"prefix", PREFIX}, {"price", PRICE}, {"attempt", ATTEMPT},
		{"left", LEFT}, {"plan", PLAN}, {"reason", REASON}, {"gen", GEN},
		{"media", MEDIA}, {"try_timeout_ms", TRY_TIMEOUT},
		{"ring_timeout_ms", RING_TIMEOUT}};

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

static int text(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const char *s, size_t len)
{
	str v = {(char *)s, (int)len};

	return len == 0 ? pv_get_null(msg, param, res)
					: pv_get_strval(msg, param, res, &v);
}

/* A 64-bit number as text; its integer value too where the server's pv (int in
 * 5.6, long from 5.7) can hold it. */
static int number(sip_msg_t *msg, pv_param_t *param, pv_value_t *res, int64_t n)
{
	static char buf[24];
	str v = {buf, snprintf(buf, sizeof buf, "%lld", (long long)n)};

	if(n > INT32_MAX || n < INT32_MIN)
		return pv_get_strval(msg, param, res, &v);
	return pv_get_strintval(msg, param, res, &v, (int)n);
}

static int get_value(sip_msg_t *msg, pv_param_t *param, pv_value_t *res)
{
	static const char *const medias[] = {"rtp", "sdes", "dtls"};
	const struct callroute_view *v = find_view(msg);
	const struct callroute_attempt *a = &v->attempt;
	const struct callroute_trunk *t = &v->trunk;
	const struct callroute_candidate *c =
			a->next > 0 ? &a->candidates[a->next - 1] : NULL;

	switch((enum item)param->pvn.u.isname.name.n) {
		case TRUNK:
			return text(msg, param, res, t->name, strlen(t->name));
		case CARRIER:
			return text(msg, param, res, t->carrier, strlen(t->carrier));
		case URI:
			return text(msg, param, res, t->uri, strlen(t->uri));
		case PLAN:
			return text(msg, param, res, a->plan, strlen(a->plan));
		case REASON:
			return text(msg, param, res, v->reason, strlen(v->reason));
		case PREFIX:
			return c ? text(msg, param, res, a->number, c->prefix_len)
					 : pv_get_null(msg, param, res);
		case MEDIA:
			return t->id ? text(msg, param, res, medias[t->media],
						   strlen(medias[t->media]))
						 : pv_get_null(msg, param, res);
		case PRICE:
			return c ? number(msg, param, res, c->price)
					 : pv_get_null(msg, param, res);
		case ATTEMPT:
			return number(msg, param, res, a->next);
		case LEFT:
			return number(msg, param, res, a->count - a->next);
		case GEN:
			return number(msg, param, res, (int64_t)a->generation);
		case TRY_TIMEOUT:
			return number(msg, param, res, t->try_timeout_ms);
		case RING_TIMEOUT:
			return number(msg, param, res, t->ring_timeout_ms);
	}
	return pv_get_null(msg, param, res);
}

static int parse_name(pv_spec_t *sp, str *in)
{
	for(size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		if(strlen(items[i].name) == (size_t)in->len
				&& strncmp(items[i].name, in->s, in->len) == 0) {
			sp->pvp.pvn.type = PV_NAME_INTSTR;
			sp->pvp.pvn.u.isname.type = 0;
			sp->pvp.pvn.u.isname.name.n = items[i].item;
			return 0;
		}
	}
	LM_ERR("$callroute(%.*s) does not exist: see the module's README\n",
			GLUE_STR(*in));
	return -1;
}

/* clang-format off */
const pv_export_t callroute_pvs[] = {
	{{"callroute", sizeof("callroute") - 1}, PVT_OTHER, get_value, 0, parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */

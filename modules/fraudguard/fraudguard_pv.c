/*
 * $fraudguard(name): the rule behind the last verdict about this message, in
 * the process that made it. $null when no rule fired.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/fraudguard_mod.h"

#include <string.h>

enum item
{
	RULE,
	KEY,
	METRIC,
	OBSERVED,
	THRESHOLD,
	WINDOW,
	UNTIL,
	MODE,
	ACTION,
	CODE,
	TEXT,
	RETRY_AFTER
};

static const struct
{
	const char *name;
	enum item item;
} items[] = {{"rule", RULE}, {"key", KEY}, {"metric", METRIC},
		{"observed", OBSERVED}, {"threshold", THRESHOLD}, {"window", WINDOW},
		{"until", UNTIL}, {"mode", MODE}, {"action", ACTION}, {"code", CODE},
		{"text", TEXT}, {"retry_after", RETRY_AFTER}};

/* One message at a time is processed by a process. */
static struct fraudguard_hit current;
static unsigned current_id;
static int current_pid;

void fraudguard_pv_remember(
		const sip_msg_t *msg, const struct fraudguard_hit *hit)
{
	if(hit != NULL && hit->rule[0] != '\0')
		current = *hit;
	else
		current.rule[0] = '\0';
	current_id = msg->id;
	current_pid = msg->pid;
}

static int text(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, const char *s)
{
	str v = {(char *)s, (int)strlen(s)};

	return v.len == 0 ? pv_get_null(msg, param, res)
					  : pv_get_strval(msg, param, res, &v);
}

/* When the caller may try again: the ban's end, else the window's length. */
static int retry_after(void)
{
	int64_t left = current.until - time(NULL);

	if(current.until == 0)
		return (int)current.window_sec;
	return left < 1 ? 1 : (int)left;
}

static int get_value(sip_msg_t *msg, pv_param_t *param, pv_value_t *res)
{
	if(current_id != msg->id || current_pid != msg->pid
			|| current.rule[0] == '\0')
		return pv_get_null(msg, param, res);
	switch((enum item)param->pvn.u.isname.name.n) {
		case RULE:
			return text(msg, param, res, current.rule);
		case KEY:
			return text(msg, param, res, current.key);
		case METRIC:
			return text(
					msg, param, res, fraudguard_metric_name(current.metric));
		case OBSERVED:
			return pv_get_sintval(msg, param, res, (int)current.observed);
		case THRESHOLD:
			return pv_get_sintval(msg, param, res, (int)current.threshold);
		case WINDOW:
			return pv_get_sintval(msg, param, res, (int)current.window_sec);
		case UNTIL:
			return pv_get_sintval(msg, param, res, (int)current.until);
		case MODE:
			return text(msg, param, res, fraudguard_mode_name(current.mode));
		case ACTION:
			return text(
					msg, param, res, fraudguard_action_name(current.action));
		case CODE:
			return pv_get_sintval(
					msg, param, res, current.code ? current.code : 403);
		case TEXT:
			return text(msg, param, res,
					current.reason[0] ? current.reason : "Forbidden");
		case RETRY_AFTER:
			return pv_get_sintval(msg, param, res, retry_after());
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
	LM_ERR("$fraudguard(%.*s) does not exist: see the module's README\n",
			GLUE_STR(*in));
	return -1;
}

/* clang-format off */
const pv_export_t fraudguard_pvs[] = {
	{{"fraudguard", sizeof("fraudguard") - 1}, PVT_OTHER, get_value, 0, parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */

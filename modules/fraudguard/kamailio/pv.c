/*
 * $fraudguard(name): the rule behind the last verdict about this message, in
 * the process that made it. $null when no rule fired.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/functions.h"
#include "glue/pv.h"

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

static const struct glue_pv_item items[] = {{"rule", RULE}, {"key", KEY},
		{"metric", METRIC}, {"observed", OBSERVED}, {"threshold", THRESHOLD},
		{"window", WINDOW}, {"until", UNTIL}, {"mode", MODE},
		{"action", ACTION}, {"code", CODE}, {"text", TEXT},
		{"retry_after", RETRY_AFTER}, {NULL, 0}};

/* One message at a time is processed by a process. */
static struct fraudguard_hit current;
static struct glue_pv_message current_message;

void fraudguard_pv_remember(
		const sip_msg_t *msg, const struct fraudguard_hit *hit)
{
	if(hit != NULL && hit->rule[0] != '\0')
		current = *hit;
	else
		current.rule[0] = '\0';
	glue_pv_set_message(&current_message, msg);
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
	if(!glue_pv_is_message(&current_message, msg) || current.rule[0] == '\0')
		return pv_get_null(msg, param, res);
	switch((enum item)glue_pv_item(param)) {
		case RULE:
			return glue_pv_text(msg, param, res, current.rule);
		case KEY:
			return glue_pv_text(msg, param, res, current.key);
		case METRIC:
			return glue_pv_text(
					msg, param, res, fraudguard_metric_name(current.metric));
		case OBSERVED:
			return glue_pv_number(msg, param, res, current.observed);
		case THRESHOLD:
			return glue_pv_number(msg, param, res, current.threshold);
		case WINDOW:
			return glue_pv_number(msg, param, res, current.window_sec);
		case UNTIL:
			return glue_pv_number(msg, param, res, current.until);
		case MODE:
			return glue_pv_text(
					msg, param, res, fraudguard_mode_name(current.mode));
		case ACTION:
			return glue_pv_text(
					msg, param, res, fraudguard_action_name(current.action));
		case CODE:
			return glue_pv_number(
					msg, param, res, current.code ? current.code : 403);
		case TEXT:
			return glue_pv_text(msg, param, res,
					current.reason[0] ? current.reason : "Forbidden");
		case RETRY_AFTER:
			return glue_pv_number(msg, param, res, retry_after());
	}
	return pv_get_null(msg, param, res);
}

static int parse_name(pv_spec_t *sp, str *name)
{
	return glue_pv_parse(sp, name, items, "fraudguard");
}

/* clang-format off */
const pv_export_t fraudguard_pvs[] = {
	{{"fraudguard", sizeof("fraudguard") - 1}, PVT_OTHER, get_value, 0, parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */

/*
 * $regguard(name): the last verdict about this message, in the process that
 * made it. $null before regguard_check.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/functions.h"
#include "glue/pv.h"

enum item
{
	SCORE,
	VERDICT,
	REASONS,
	AOR,
	DEVICE,
	NETWORK,
	LEARNED
};

static const struct glue_pv_item items[] = {{"score", SCORE},
		{"verdict", VERDICT}, {"reasons", REASONS}, {"aor", AOR},
		{"device", DEVICE}, {"network", NETWORK}, {"learned", LEARNED},
		{NULL, 0}};

/* One message at a time is processed by a process. */
static struct regguard_answer current;
static char current_aor[REGGUARD_AOR_MAX];
static struct glue_pv_message current_message;

void regguard_pv_remember(const sip_msg_t *msg,
		const struct regguard_request *r, const struct regguard_answer *a)
{
	current = *a;
	memcpy(current_aor, r ? r->aor : "", r ? sizeof current_aor : 1);
	glue_pv_set_message(&current_message, msg);
}

static int get_value(sip_msg_t *msg, pv_param_t *param, pv_value_t *res)
{
	static char reasons[128];

	if(!glue_pv_is_message(&current_message, msg))
		return pv_get_null(msg, param, res);
	switch((enum item)glue_pv_item(param)) {
		case SCORE:
			return glue_pv_number(msg, param, res, current.score);
		case VERDICT:
			return glue_pv_text(
					msg, param, res, regguard_verdict_name(current.verdict));
		case REASONS:
			regguard_reason_text(current.reasons, reasons, sizeof reasons);
			return glue_pv_text(msg, param, res, reasons);
		case AOR:
			return glue_pv_text(msg, param, res, current_aor);
		case DEVICE:
			return glue_pv_text(
					msg, param, res, current.known_device ? "known" : "new");
		case NETWORK:
			return glue_pv_text(
					msg, param, res, current.known_network ? "known" : "new");
		case LEARNED:
			return glue_pv_number(msg, param, res, current.learned);
	}
	return pv_get_null(msg, param, res);
}

static int parse_name(pv_spec_t *sp, str *name)
{
	return glue_pv_parse(sp, name, items, "regguard");
}

/* clang-format off */
const pv_export_t regguard_pvs[] = {
	{{"regguard", sizeof("regguard") - 1}, PVT_OTHER, get_value, 0, parse_name, 0, 0, 0},
	{{0, 0}, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */

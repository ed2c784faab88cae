/*
 * The table of all script functions: native and KEMI wrappers, which only
 * unwrap arguments. What they do is in the file of each (functions.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/functions.h"
#include "callroute/callroute.h"

/* --- script: native ------------------------------------------------------- */

static int text(sip_msg_t *msg, char *param, str *out)
{
	return fixup_get_svalue(msg, (gparam_t *)param, out);
}

static int select_by(sip_msg_t *msg, char *plan, char *dst, char *src)
{
	str p, d, s;

	if(plan != NULL && text(msg, plan, &p) < 0)
		return CALLROUTE_NO_DATA;
	if(dst != NULL && text(msg, dst, &d) < 0)
		return CALLROUTE_NO_PREFIX;
	if(src != NULL && text(msg, src, &s) < 0)
		s.len = 0;
	return callroute_cmd_select(msg, plan != NULL ? &p : NULL,
			dst != NULL ? &d : NULL, src != NULL ? &s : NULL);
}

static int w_select(sip_msg_t *msg, char *plan, char *dst)
{
	return select_by(msg, plan, dst, NULL);
}

static int w_select_src(sip_msg_t *msg, char *plan, char *dst, char *src)
{
	return select_by(msg, plan, dst, src);
}

/* Functions with one optional text, and without any. */
#define WITH_TEXT(name)                                              \
	static int w_##name(sip_msg_t *msg, char *param, char *none)     \
	{                                                                \
		str s;                                                       \
                                                                     \
		if(param != NULL && text(msg, param, &s) < 0)                \
			return -1;                                               \
		return callroute_cmd_##name(msg, param != NULL ? &s : NULL); \
	}
#define PLAIN(name)                                         \
	static int w_##name(sip_msg_t *msg, char *p1, char *p2) \
	{                                                       \
		return callroute_cmd_##name(msg);                   \
	}

PLAIN(next)
PLAIN(release)
PLAIN(account)
PLAIN(explain)
WITH_TEXT(normalize)
WITH_TEXT(is_emergency)
WITH_TEXT(is_trunk)
WITH_TEXT(did)
WITH_TEXT(fork)

static int w_redirect(sip_msg_t *msg, char *param, char *none)
{
	int n = CALLROUTE_CANDIDATES;

	if(param != NULL && fixup_get_ivalue(msg, (gparam_t *)param, &n) < 0)
		return -1;
	return callroute_cmd_redirect(msg, n);
}

#define ROUTES (REQUEST_ROUTE | FAILURE_ROUTE)
#define TEXT(name, routes)                                \
	{"callroute_" #name, w_##name, 0, 0, 0, routes},      \
	{                                                     \
		"callroute_" #name, w_##name, 1, fixup_spve_null, \
				fixup_free_spve_null, routes              \
	}

/* clang-format off */
const cmd_export_t callroute_cmds[] = {
	TEXT(select, ROUTES),
	{"callroute_select", w_select, 2, fixup_spve_spve, fixup_free_spve_spve, ROUTES},
	{"callroute_select", (cmd_function)(void (*)(void))w_select_src, 3, fixup_spve_all, fixup_free_spve_all, ROUTES},
	{"callroute_next", w_next, 0, 0, 0, REQUEST_ROUTE | FAILURE_ROUTE},
	{"callroute_release", w_release, 0, 0, 0, ANY_ROUTE},
	{"callroute_account", w_account, 0, 0, 0, ROUTES},
	{"callroute_explain", w_explain, 0, 0, 0, ROUTES},
	TEXT(normalize, ROUTES),
	TEXT(is_emergency, ROUTES),
	TEXT(is_trunk, ANY_ROUTE),
	TEXT(did, ROUTES),
	TEXT(fork, ROUTES),
	{"callroute_redirect", w_redirect, 0, 0, 0, REQUEST_ROUTE},
	{"callroute_redirect", w_redirect, 1, fixup_igp_null, fixup_free_igp_null, REQUEST_ROUTE},
	{0, 0, 0, 0, 0, 0},
};
/* clang-format on */

/* --- script: KEMI ----------------------------------------------------------
 * */

static int ki_select(sip_msg_t *msg)
{
	return callroute_cmd_select(msg, NULL, NULL, NULL);
}

static int ki_select_plan(sip_msg_t *msg, str *plan)
{
	return callroute_cmd_select(msg, plan, NULL, NULL);
}

static int ki_select_dst(sip_msg_t *msg, str *plan, str *dst)
{
	return callroute_cmd_select(msg, plan, dst, NULL);
}

static int ki_select_src(sip_msg_t *msg, str *plan, str *dst, str *src)
{
	return callroute_cmd_select(msg, plan, dst, src);
}

#define KI_OPTIONAL(name)                                 \
	static int ki_##name(sip_msg_t *msg)                  \
	{                                                     \
		return callroute_cmd_##name(msg, NULL);           \
	}                                                     \
	static int ki_##name##_of(sip_msg_t *msg, str *param) \
	{                                                     \
		return callroute_cmd_##name(msg, param);          \
	}

KI_OPTIONAL(normalize)
KI_OPTIONAL(is_emergency)
KI_OPTIONAL(is_trunk)
KI_OPTIONAL(did)
KI_OPTIONAL(fork)

static int ki_redirect(sip_msg_t *msg)
{
	return callroute_cmd_redirect(msg, CALLROUTE_CANDIDATES);
}

#define KEMI(name, function, ...)                                      \
	{                                                                  \
		str_init("callroute"), str_init(name), SR_KEMIP_INT, function, \
		{                                                              \
			__VA_ARGS__                                                \
		}                                                              \
	}
#define KEMI_OPTIONAL(name)                \
	KEMI(#name, ki_##name, SR_KEMIP_NONE), \
			KEMI(#name "_of", ki_##name##_of, SR_KEMIP_STR)

/* clang-format off */
sr_kemi_t callroute_kemi[] = {
	KEMI("select", ki_select, SR_KEMIP_NONE),
	KEMI("select_plan", ki_select_plan, SR_KEMIP_STR),
	KEMI("select_dst", ki_select_dst, SR_KEMIP_STR, SR_KEMIP_STR),
	KEMI("select_src", ki_select_src, SR_KEMIP_STR, SR_KEMIP_STR, SR_KEMIP_STR),
	KEMI("next", callroute_cmd_next, SR_KEMIP_NONE),
	KEMI("release", callroute_cmd_release, SR_KEMIP_NONE),
	KEMI("account", callroute_cmd_account, SR_KEMIP_NONE),
	KEMI("explain", callroute_cmd_explain, SR_KEMIP_NONE),
	KEMI_OPTIONAL(normalize),
	KEMI_OPTIONAL(is_emergency),
	KEMI_OPTIONAL(is_trunk),
	KEMI_OPTIONAL(did),
	KEMI_OPTIONAL(fork),
	KEMI("redirect", ki_redirect, SR_KEMIP_NONE),
	KEMI("redirect_n", callroute_cmd_redirect, SR_KEMIP_INT),
	{{0, 0}, {0, 0}, 0, NULL, {0}},
};
/* clang-format on */

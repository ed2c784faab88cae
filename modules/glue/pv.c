/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/pv.h"

#include <stdio.h>
#include <string.h>

int glue_pv_is_message(const struct glue_pv_message *m, const sip_msg_t *msg)
{
	return m->set && m->id == msg->id && m->pid == msg->pid;
}

void glue_pv_set_message(struct glue_pv_message *m, const sip_msg_t *msg)
{
	*m = (struct glue_pv_message){.id = msg->id, .pid = msg->pid, .set = 1};
}

int glue_pv_parse(pv_spec_t *sp, str *name, const struct glue_pv_item *items,
		const char *module)
{
	for(; items->name != NULL; items++) {
		if(strlen(items->name) == (size_t)name->len
				&& strncmp(items->name, name->s, (size_t)name->len) == 0) {
			sp->pvp.pvn.type = PV_NAME_INTSTR;
			sp->pvp.pvn.u.isname.type = 0;
			sp->pvp.pvn.u.isname.name.n = items->item;
			return 0;
		}
	}
	LM_ERR("$%s(%.*s) does not exist: see the module's README\n", module,
			GLUE_STR(*name));
	return -1;
}

int glue_pv_item(const pv_param_t *param)
{
	return (int)param->pvn.u.isname.name.n;
}

int glue_pv_text_len(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const char *text, int len)
{
	str v = {(char *)text, len};

	return len == 0 ? pv_get_null(msg, param, res)
					: pv_get_strval(msg, param, res, &v);
}

int glue_pv_text(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, const char *text)
{
	return glue_pv_text_len(msg, param, res, text, (int)strlen(text));
}

int glue_pv_number(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, int64_t n)
{
	/* The script reads a value before it asks for the next one. */
	static char buf[24];
	str v = {buf, snprintf(buf, sizeof buf, "%lld", (long long)n)};

	if(n > INT32_MAX || n < INT32_MIN)
		return pv_get_strval(msg, param, res, &v);
	return pv_get_strintval(msg, param, res, &v, (int)n);
}

/*
 * Pseudo-variables of the form $module(item).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_PV_H
#define GLUE_PV_H

#include "glue/ksr.h"

/*
 * The message that a process works on, one at a time: what was decided for it
 * is remembered beside this and is worth nothing for any other.
 */
struct glue_pv_message
{
	unsigned id;
	int pid, set;
};

int glue_pv_is_message(const struct glue_pv_message *m, const sip_msg_t *msg);
void glue_pv_set_message(struct glue_pv_message *m, const sip_msg_t *msg);

struct glue_pv_item
{
	const char *name; /* NULL ends the list */
	int item;
};

/* For a pv_parse_name_f: finds the item, or logs that $module(name) does not
 * exist. 0, -1. */
int glue_pv_parse(pv_spec_t *sp, str *name, const struct glue_pv_item *items,
		const char *module);
/* The item that the parsed name stands for. */
int glue_pv_item(const pv_param_t *param);

/* Values: empty text is $null; a number too large for the server's integer (int
 * in 5.6, long from 5.7) is text only. */
int glue_pv_text(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, const char *text);
int glue_pv_text_len(sip_msg_t *msg, pv_param_t *param, pv_value_t *res,
		const char *text, int len);
int glue_pv_number(
		sip_msg_t *msg, pv_param_t *param, pv_value_t *res, int64_t n);

#endif

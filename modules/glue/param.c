/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/param.h"

#include <stdio.h>
#include <string.h>

void glue_param_export(
		const struct glue_param *params, int n, param_export_t *out)
{
	for(int i = 0; i < n; i++)
		out[i] = (param_export_t){(char *)params[i].name,
				params[i].kind == GLUE_INT ? PARAM_INT : PARAM_STR,
				params[i].value};
	out[n] = (param_export_t){0, 0, 0};
}

static int check_range(const struct glue_param *p)
{
	int value = *(const int *)p->value;

	if(value >= p->min && value <= p->max)
		return 0;
	LM_ERR("modparam %s=%d is out of range: it takes %d to %d %s\n", p->name,
			value, p->min, p->max, p->unit);
	return -1;
}

static int check_word(const struct glue_param *p)
{
	const str *text = p->value;
	char all[128] = "";

	for(int i = 0; p->words[i] != NULL; i++) {
		size_t at = strlen(all);

		if(strlen(p->words[i]) == (size_t)text->len
				&& memcmp(p->words[i], text->s, (size_t)text->len) == 0) {
			*p->word = i;
			return 0;
		}
		snprintf(all + at, sizeof all - at, "%s%s",
				i == 0					  ? ""
				: p->words[i + 1] == NULL ? " or "
										  : ", ",
				p->words[i]);
	}
	LM_ERR("modparam %s=%.*s: it takes %s\n", p->name, GLUE_STR(*text), all);
	return -1;
}

int glue_param_check(const struct glue_param *params, int n)
{
	int bad = 0;

	for(int i = 0; i < n; i++) {
		if((params[i].kind == GLUE_INT && check_range(&params[i]) < 0)
				|| (params[i].kind == GLUE_WORD && check_word(&params[i]) < 0))
			bad = -1;
	}
	return bad;
}

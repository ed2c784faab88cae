/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/param.h"
#include "glue/ksr.h"

int glue_param_check(const struct glue_param *params, int n)
{
	int bad = 0;

	for(int i = 0; i < n; i++) {
		const struct glue_param *p = &params[i];

		if(*p->value >= p->min && *p->value <= p->max)
			continue;
		LM_ERR("modparam %s=%d is out of range: it takes %d to %d %s\n",
				p->name, *p->value, p->min, p->max, p->unit);
		bad = -1;
	}
	return bad;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/module.h"

int glue_module_register(const struct glue_module *m)
{
	glue_param_export(m->params, m->param_count, m->param_exports);
	return sr_kemi_modules_add(m->kemi);
}

int glue_module_init(const struct glue_module *m)
{
	if(glue_param_check(m->params, m->param_count) < 0)
		return -1;
	if(tg_hashkey_random(m->key) < 0) {
		LM_ERR("no random source for the hash key\n");
		return -1;
	}
	if(counter_register_array((char *)m->name, m->counters) < 0) {
		LM_ERR("cannot register the statistics\n");
		return -1;
	}
	return 0;
}

int glue_module_child(const struct glue_module *m, int rank)
{
	if(process_no >= GLUE_READERS) {
		LM_ERR("process number %d: %s serves %d processes at most\n",
				process_no, m->name, GLUE_READERS);
		return -1;
	}
	return glue_keeper_fork(m->keeper, rank);
}

/*
 * The life of a module, as far as it is the same for all: parameters checked, a
 * hash key drawn, statistics registered, the keeper forked.
 *
 *   mod_register  glue_module_register    the loader has opened the module
 *   mod_init      glue_module_init        parameters are set, before the fork
 *                 (the module maps its memory and loads its data)
 *                 glue_keeper_init        last
 *   child_init    glue_module_child       in each process
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_MODULE_H
#define GLUE_MODULE_H

#include "glue/keeper.h"
#include "glue/param.h"
#include "lib/share/hash.h"

/* Kamailio's processes, by their number, are the readers of snapshots. */
#define GLUE_READERS 4096

struct glue_module
{
	const char *name;
	const struct glue_param *params;
	int param_count;
	param_export_t *param_exports; /* param_count + 1; what exports.params is */
	sr_kemi_t *kemi;
	counter_def_t *counters;
	struct tg_hashkey *key; /* drawn anew at each start */
	struct glue_keeper *keeper;
};

int glue_module_register(const struct glue_module *m);
/* 0, or -1: the fault is logged. */
int glue_module_init(const struct glue_module *m);
int glue_module_child(const struct glue_module *m, int rank);

#endif

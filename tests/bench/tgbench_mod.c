/*
 * tgbench: exports, and how it reaches into the other modules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "core/mem/shm.h"

#include <dlfcn.h>
#include <string.h>

void *tgbench_symbol(const char *module, const char *name)
{
	struct sr_module *m = find_module_by_name((char *)module);
	void *symbol = m != NULL ? dlsym(m->handle, name) : NULL;

	if(symbol == NULL)
		LM_ERR("%s: no symbol %s\n", module, name);
	return symbol;
}

void *tgbench_kemi(const char *module, const char *name)
{
	sr_kemi_module_t *mods = sr_kemi_modules_get();
	int n = sr_kemi_modules_size_get();

	for(int m = 0; m < n; m++) {
		if((size_t)mods[m].mname.len != strlen(module)
				|| strncmp(mods[m].mname.s, module, strlen(module)) != 0)
			continue;
		for(sr_kemi_t *f = mods[m].kexp; f->fname.s != NULL; f++) {
			if((size_t)f->fname.len == strlen(name)
					&& strncmp(f->fname.s, name, strlen(name)) == 0)
				return f->func;
		}
	}
	LM_ERR("%s: no KEMI function %s\n", module, name);
	return NULL;
}

void tgbench_answer(rpc_t *rpc, void *ctx, const struct tgbench_case *c,
		const struct tgbench_result *r)
{
	void *h;

	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ss", "name", c->name, "how", c->how);
	if(c->call != NULL)
		rpc->struct_add(h, "ffff", "mean", r->mean, "p50", r->p50, "p99",
				r->p99, "p999", r->p999);
}

/* tgbench.shm -> bytes of Kamailio's shared memory in use, the allocator's own
 * included. (core.shmmem wraps at 4 GiB.) */
static void rpc_shm(rpc_t *rpc, void *ctx)
{
	struct mem_info info;

	shm_info(&info);
	rpc->add(ctx, "f", (double)info.real_used);
}

static const char *const doc[] = {"Measurements: see tests/bench", 0};

/* clang-format off */
static const rpc_export_t rpcs[] = {
	{"tgbench.shm", rpc_shm, (const char **)doc, 0},
	{"tgbench.load", tgbench_rpc_load, (const char **)doc, 0},
	{"tgbench.load_drouting", tgbench_rpc_drouting, (const char **)doc, 0},
	{"tgbench.agree", tgbench_rpc_agree, (const char **)doc, RET_ARRAY},
	{"tgbench.lookups", tgbench_rpc_lookups, (const char **)doc, RET_ARRAY},
	{"tgbench.scripts", tgbench_rpc_scripts, (const char **)doc, RET_ARRAY},
	{"tgbench.cells", tgbench_rpc_cells, (const char **)doc, 0},
	{"tgbench.flood", tgbench_rpc_flood, (const char **)doc, 0},
	{"tgbench.stall", tgbench_rpc_stall, (const char **)doc, 0},
	{"tgbench.stall_end", tgbench_rpc_stall_end, (const char **)doc, 0},
	{0, 0, 0, 0},
};

static int mod_init(void);
static int child_init(int rank);

#pragma GCC visibility push(default)
struct module_exports exports = {
	.name = "tgbench",
	.dlflags = DEFAULT_DLFLAGS,
	.rpc_methods = (rpc_export_t *)rpcs,
	.init_mod_f = mod_init,
	.init_child_f = child_init,
};
/* clang-format on */

MODULE_VERSION
#pragma GCC visibility pop

static int mod_init(void)
{
	return tgbench_stall_init();
}

static int child_init(int rank)
{
	return tgbench_stall_fork(rank);
}

/*
 * A flood of spoofed sources must not cost an authenticated account its count.
 *
 * Twice: through the loaded fraudguard (accounts make as many calls as the rule
 * lets pass; after the flood the next call of each must be refused with the
 * exact count), and with tables of fixed sizes and a fixed hash key, the
 * sources' one overflowing four times (after the flood each account's count is
 * read back).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "lib/table/cells.h"
#include "lib/share/hash.h"
#include "lib/share/region.h"

#include <stdio.h>
#include <string.h>

#define ACCOUNTS 100000
#define SOURCES 1000000
#define CALLS 3 /* bench.py's rule lets so many pass */
#define WINDOW UINT64_C(3600000000)
#define SOURCE_CELLS (1 << 18)
#define ACCOUNT_CELLS (1 << 22)

struct outcome
{
	int lost, refused_early;
	double flood_ns;
};

static str account_name(uint32_t i)
{
	static char text[32];

	return (str){text, snprintf(text, sizeof text, "account-%u", i)};
}

static int by_module(struct outcome *out, uint32_t sources)
{
	int (*source)(sip_msg_t *) = tgbench_kemi("fraudguard", "source");
	int (*call)(sip_msg_t *, str *, str *) = tgbench_kemi("fraudguard", "call");
	str to = str_init("1000"), text = str_init("$fraudguard(observed)");
	sip_msg_t *msg = tgbench_message();
	char *callid;
	pv_spec_t observed;
	pv_value_t value;
	uint64_t begin;

	if(source == NULL || call == NULL || pv_parse_spec(&text, &observed) == NULL
			|| parse_headers(msg, HDR_CALLID_F, 0) < 0)
		return -1;
	callid = msg->callid->body.s + 6; /* the digits after "bench-" */
	for(uint32_t n = 0; n < CALLS * ACCOUNTS; n++) {
		str account = account_name(n % ACCOUNTS);

		for(uint32_t d = 0, left = n; d < 10; d++, left /= 10)
			callid[d] = (char)('0' + left % 10);
		out->refused_early += call(msg, &account, &to) < 0;
	}
	begin = tgbench_ns();
	for(uint32_t n = 0; n < sources; n++) {
		msg->rcv.src_ip.u.addr32[0] = tgbench_random();
		(void)source(msg);
	}
	out->flood_ns = sources ? (double)(tgbench_ns() - begin) / sources : 0;
	for(uint32_t i = 0; i < ACCOUNTS; i++) {
		str account = account_name(i);
		int rc = call(msg, &account, &to);

		if(rc >= 0 || pv_get_spec_value(msg, &observed, &value) != 0
				|| value.ri != CALLS + 1)
			out->lost++;
	}
	return 0;
}

static struct tg_cells *new_table(uint32_t cells, int admission)
{
	struct tg_cells_config cfg = {.cells = cells, .admission = admission};
	struct tg_region region;
	struct tg_cells *t;

	return tg_region_map(&region, tg_cells_size(&cfg)) == 0
						   && tg_cells_init(region.base, region.size, &cfg, &t)
									  == 0
				   ? t
				   : NULL;
}

static int by_library(struct outcome *out, struct tg_cells_stats *stats)
{
	static const struct tg_hashkey key = {3, 4};
	struct tg_cells *sources = new_table(SOURCE_CELLS, 1);
	struct tg_cells *accounts = new_table(ACCOUNT_CELLS, 0);
	uint64_t now = WINDOW, begin;
	uint32_t seen;

	if(sources == NULL || accounts == NULL)
		return -1;
	for(uint32_t n = 0; n < CALLS * ACCOUNTS; n++) {
		uint32_t i = n % ACCOUNTS;

		(void)tg_cells_add(accounts, tg_hash_id(&key, 1, &i, sizeof i), 1,
				WINDOW, now++, &seen);
	}
	begin = tgbench_ns();
	for(uint32_t n = 0; n < SOURCES; n++) {
		uint32_t ip = tgbench_random();

		(void)tg_cells_add(sources, tg_hash_id(&key, 2, &ip, sizeof ip), 1,
				WINDOW, now++, &seen);
	}
	out->flood_ns = (double)(tgbench_ns() - begin) / SOURCES;
	for(uint32_t i = 0; i < ACCOUNTS; i++) {
		if(tg_cells_peek(accounts, tg_hash_id(&key, 1, &i, sizeof i), WINDOW,
				   now, &seen)
						!= 0
				|| seen != CALLS)
			out->lost++;
	}
	tg_cells_read_stats(sources, stats);
	return 0;
}

/* tgbench.flood [sources] -> accounts lost, and what the flood cost a request */
void tgbench_rpc_flood(rpc_t *rpc, void *ctx)
{
	struct outcome module = {0}, library = {0};
	struct tg_cells_stats stats;
	int sources = SOURCES;
	void *h;

	if(rpc->scan(ctx, "*d", &sources) < 1)
		sources = SOURCES;
	if(by_module(&module, (uint32_t)sources) < 0
			|| by_library(&library, &stats) < 0) {
		rpc->fault(ctx, 500, "fraudguard is not loaded, or no memory");
		return;
	}
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dddddffff", "accounts", ACCOUNTS, "sources", sources,
			"refused_early", module.refused_early, "module_lost", module.lost,
			"library_lost", library.lost, "module_flood_ns", module.flood_ns,
			"library_flood_ns", library.flood_ns, "evicted",
			(double)stats.evicted, "refused", (double)stats.refused);
}

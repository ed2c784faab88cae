/*
 * Loading: tables -> builder -> snapshot. Runs in the main process at start and
 * in the keeper afterwards, never in a SIP worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/load.h"
#include "callroute/build/stranded.h"
#include "callroute/kamailio/event.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/tables.h"
#include "callroute/build/compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void say(struct callroute_load *load, const char *text)
{
	glue_load_say(&load->base, text);
}

/* A table that lost most of its rows is more likely an accident. */
static int shrinks(const struct callroute_image *new,
		const struct callroute_image *old, struct callroute_load *load)
{
	const char *table =
			old ? callroute_shrunk(old, new, callroute.max_shrink) : NULL;
	char line[160];

	if(table == NULL)
		return 0;
	snprintf(line, sizeof line,
			"%s shrank by more than max_shrink per cent: check the table, or "
			"callroute.reload force",
			table);
	say(load, line);
	return 1;
}

static int judge(const struct callroute_image *im, struct callroute_load *load)
{
	const struct callroute_image *old = callroute_enter();
	int rc = 0;

	load->bytes = im->bytes;
	load->rates = (uint32_t)im->rates.count;
	load->trunks = (uint32_t)im->trunks.count;
	load->plans = (uint32_t)im->plans.count;
	if(!load->order.forced && shrinks(im, old, load))
		rc = -EPERM;
	if(load->order.dry && old != NULL)
		callroute_compare(old, im, &load->difference);
	callroute_leave();
	return rc;
}

/* Said at each load, since nothing else says it before somebody dials. */
static void warn_of_stranded(const struct callroute_image *im, int64_t now)
{
	struct callroute_stranded found[20];
	int n = callroute_find_stranded(
			im, now, found, (int)(sizeof found / sizeof found[0]));

	for(int i = 0; i < n; i++)
		LM_WARN("emergency-unserved plan=%s country=%s numbers=%s account=%u: "
				"calls there are refused; give the plan callroute_rule rows "
				"with action = 'emergency'\n",
				found[i].plan, found[i].country, found[i].numbers,
				found[i].account_id);
}

static int build(struct callroute_builder *b, struct callroute_load *load)
{
	void *mem;
	size_t size, used;
	int rc = glue_load_slot(&callroute.loads, &load->base, &mem, &size);

	if(rc < 0)
		return rc;
	rc = callroute_builder_write(b, mem, size, &used);
	if(rc == -ENODATA)
		say(load,
				"no plan, no rate or no plan_trunk: an empty load is refused");
	else if(rc == -ENOSPC)
		say(load, "the data do not fit: raise modparam snapshot_mb");
	if(rc == 0)
		rc = judge(mem, load);
	if(rc == 0)
		warn_of_stranded(mem, load->base.at);
	if(rc < 0 || load->order.dry) {
		tg_snapshot_abort(callroute.loads.snapshots);
		return rc;
	}
	return tg_snapshot_publish(callroute.loads.snapshots, used) > 0 ? 0 : -EIO;
}

static void report(const struct callroute_load *load)
{
	LM_INFO("%s rates=%u trunks=%u plans=%u rows_read=%u bytes=%llu "
			"took_ms=%llu cpu_ms=%llu\n",
			load->order.dry ? "would-load" : "loaded", load->rates,
			load->trunks, load->plans, load->rows_read,
			(unsigned long long)load->bytes,
			(unsigned long long)load->base.took_us / 1000,
			(unsigned long long)load->base.cpu_us / 1000);
}

int callroute_load_tables(const struct callroute_order_of_load *order)
{
	struct callroute_load load = {.order = *order};
	struct callroute_builder *b;
	int rc = -ENOMEM;

	glue_load_begin(&load.base, order->base.ticket);
	b = callroute_builder_new(
			load.base.at, callroute.live, glue_load_complain, &load.base);
	if(b != NULL)
		rc = callroute_read_tables(b, &load);
	if(rc == 0)
		rc = build(b, &load);
	else if(b != NULL)
		say(&load, "the tables could not be read: see the log");
	callroute_builder_free(b);
	rc = glue_load_end(&callroute.loads, &load.base, rc, order->dry);
	if(rc == 0)
		report(&load);
	if(order->base.ticket > 0 && !order->dry)
		callroute_tell(
				CALLROUTE_RELOADED, 0, rc == 0 ? "published" : "refused");
	return rc;
}

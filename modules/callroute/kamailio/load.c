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

/* The first reason is what callroute.status shows; all are logged. */
static void complain(void *arg, const char *line)
{
	struct callroute_load *load = arg;

	LM_ERR("bad-row %s\n", line);
	if(load->message[0] == '\0')
		snprintf(load->message, sizeof load->message, "%s", line);
}

static void say(struct callroute_load *load, const char *text)
{
	if(load->message[0] == '\0')
		snprintf(load->message, sizeof load->message, "%s", text);
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
	const struct callroute_image *old =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	int rc = 0;

	load->bytes = im->bytes;
	load->rates = (uint32_t)im->rates.count;
	load->trunks = (uint32_t)im->trunks.count;
	load->plans = (uint32_t)im->plans.count;
	if(!load->order.forced && shrinks(im, old, load))
		rc = -EPERM;
	if(load->order.dry && old != NULL)
		callroute_compare(old, im, &load->difference);
	tg_snapshot_leave(callroute.snapshots, process_no);
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
	int rc = tg_snapshot_begin(callroute.snapshots, &mem, &size);

	if(rc < 0) {
		say(load, "every snapshot slot is still being read: try again");
		return rc;
	}
	rc = callroute_builder_write(b, mem, size, &used);
	if(rc == -ENODATA)
		say(load,
				"no plan, no rate or no plan_trunk: an empty load is refused");
	else if(rc == -ENOSPC)
		say(load, "the data do not fit: raise modparam snapshot_mb");
	else if(rc < 0)
		say(load, strerror(-rc));
	if(rc == 0)
		rc = judge(mem, load);
	if(rc == 0)
		warn_of_stranded(mem, load->at);
	if(rc < 0 || load->order.dry) {
		tg_snapshot_abort(callroute.snapshots);
		return rc;
	}
	return tg_snapshot_publish(callroute.snapshots, used) > 0 ? 0 : -EIO;
}

static void remember(const struct callroute_load *load)
{
	tg_store_put(callroute.load_store, 1, 0, UINT64_MAX, glue_now(), load);
}

int callroute_last_load(struct callroute_load *out)
{
	return tg_store_get(callroute.load_store, 1, glue_now(), out);
}

static uint64_t processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void report(const struct callroute_load *load, int rc)
{
	if(rc == 0)
		LM_INFO("%s rates=%u trunks=%u plans=%u rows_read=%u bytes=%llu "
				"took_ms=%llu cpu_ms=%llu\n",
				load->order.dry ? "would-load" : "loaded", load->rates,
				load->trunks, load->plans, load->rows_read,
				(unsigned long long)load->bytes,
				(unsigned long long)load->took_us / 1000,
				(unsigned long long)load->cpu_us / 1000);
	else
		LM_ERR("load-refused reason=\"%s\"%s\n", load->message,
				tg_snapshot_generation(callroute.snapshots)
						? " (the data in use stay)"
						: "");
}

int callroute_load_tables(const struct callroute_order_of_load *order)
{
	uint64_t start = glue_now(), cpu = processor_time();
	struct callroute_load load = {.order = *order, .at = time(NULL)};
	struct callroute_builder *b =
			callroute_builder_new(load.at, callroute.live, complain, &load);
	int rc = b == NULL ? -ENOMEM : callroute_read_tables(b, &load);

	if(b == NULL)
		say(&load, strerror(ENOMEM));
	else if(rc < 0)
		say(&load, "the tables could not be read: see the log");
	else
		rc = build(b, &load);
	callroute_builder_free(b);
	load.ok = rc == 0;
	load.took_us = glue_now() - start;
	load.cpu_us = processor_time() - cpu;
	say(&load, "ok");
	remember(&load);
	report(&load, rc);
	/* Before the fork no process has counters of its own yet. */
	if(order->ticket > 0 && !order->dry) {
		counter_inc(rc == 0 ? callroute.loads : callroute.loads_failed);
		callroute_tell(
				CALLROUTE_RELOADED, 0, rc == 0 ? "published" : "refused");
	}
	return rc == 0 ? 0 : -1;
}

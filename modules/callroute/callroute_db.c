/*
 * Loading: tables -> builder -> snapshot. Runs in the main process at start and
 * in the keeper afterwards, never in a SIP worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build.h"
#include "callroute/callroute_mod.h"
#include "core/parser/parse_uri.h"
#include "glue/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TABLE_VERSION 1

/* A NUL-terminated copy of a text column; one longer than the buffer is cut
 * here and refused by the builder, which allows less. */
#define TEXT(name, row, col) \
	char name[512];          \
	glue_row_copy(row, col, name, sizeof name)

static int on_carrier(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0);
	return callroute_add_carrier(
			b, row->id, name, glue_row_int(row, 1, 0) != 0);
}

static int on_deck(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0);
	TEXT(currency, row, 2);
	return callroute_add_deck(
			b, row->id, name, currency, glue_row_int(row, 1, 0) != 0);
}

static int on_trunk(const struct glue_row *row, void *b)
{
	TEXT(name, row, 1);
	TEXT(uri, row, 2);
	TEXT(socket, row, 3);
	TEXT(prefix, row, 5);
	TEXT(media, row, 6);
	TEXT(codes, row, 9);
	TEXT(state, row, 10);
	struct callroute_trunk_row t = {.id = row->id,
			.carrier_id = glue_row_int(row, 0, 0),
			.name = name,
			.uri = uri,
			.socket = socket,
			.strip = glue_row_int(row, 4, 0),
			.prefix = prefix,
			.media = media,
			.try_timeout_ms = glue_row_int(row, 7, 0),
			.ring_timeout_ms = glue_row_int(row, 8, 0),
			.failover_codes = codes,
			.admin_state = state};
	struct sip_uri parsed;

	/* What relays the call must understand the URI too. */
	if(parse_uri(uri, (int)strlen(uri), &parsed) < 0) {
		char line[640];

		snprintf(line, sizeof line,
				"callroute_trunk id %lld: uri = '%s' is no SIP URI", row->id,
				uri);
		callroute_builder_reject(b, line);
		return 0;
	}
	return callroute_add_trunk(b, &t);
}

static int on_rate(const struct glue_row *row, void *b)
{
	TEXT(prefix, row, 1);
	struct callroute_rate_row r = {.id = row->id,
			.deck_id = glue_row_int(row, 0, 0),
			.prefix = prefix,
			.price = glue_row_int(row, 2, -1),
			.valid_from = glue_row_int(row, 3, 0),
			.valid_till = glue_row_int(row, 4, 0),
			.blocked = (int)glue_row_int(row, 5, 0),
			.is_default = (int)glue_row_int(row, 6, 0)};

	return callroute_add_rate(b, &r);
}

static int on_plan(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0);
	TEXT(order, row, 1);
	struct callroute_plan_row p = {.id = row->id,
			.name = name,
			.order_by = order,
			.max_attempts = glue_row_int(row, 2, 0)};

	return callroute_add_plan(b, &p);
}

static int on_entry(const struct glue_row *row, void *b)
{
	struct callroute_entry_row e = {.id = row->id,
			.plan_id = glue_row_int(row, 0, 0),
			.trunk_id = glue_row_int(row, 1, 0),
			.deck_id = glue_row_int(row, 2, 0),
			.priority = glue_row_int(row, 3, 0),
			.weight = glue_row_int(row, 4, 0)};

	return callroute_add_entry(b, &e);
}

static const struct
{
	const char *table, *columns;
	glue_row_f row;
} tables[] = {
		{"callroute_carrier", "name, enabled", on_carrier},
		{"callroute_deck", "name, enabled, currency", on_deck},
		{"callroute_trunk",
				"carrier_id, name, uri, socket, strip, prefix, media, "
				"try_timeout_ms, ring_timeout_ms, failover_codes, admin_state",
				on_trunk},
		{"callroute_rate",
				"deck_id, prefix, price, valid_from, valid_till, blocked, "
				"is_default",
				on_rate},
		{"callroute_plan", "name, order_by, max_attempts", on_plan},
		{"callroute_plan_trunk", "plan_id, trunk_id, deck_id, priority, weight",
				on_entry},
};

#define TABLES ((int)(sizeof tables / sizeof tables[0]))

static int read_tables(struct callroute_builder *b)
{
	struct glue_db db;
	int rc = glue_db_open(&db, &callroute.db_url);

	for(int i = 0; i < TABLES && rc == 0; i++)
		rc = glue_db_check_version(&db, tables[i].table, TABLE_VERSION);
	for(int i = 0; i < TABLES && rc == 0; i++)
		rc = glue_db_each(&db, tables[i].table, tables[i].columns,
					 tables[i].row,
					 b) < 0
					 ? -1
					 : 0;
	glue_db_close(&db);
	return rc;
}

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
static int shrinks_too_much(uint32_t rates)
{
	const struct callroute_image *old =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);
	int too_much =
			old != NULL
			&& (uint64_t)rates * 100
					   < (uint64_t)old->rates * (100 - callroute.max_shrink);

	tg_snapshot_leave(callroute.snapshots, process_no);
	return too_much;
}

static int build(
		struct callroute_builder *b, struct callroute_load *load, int forced)
{
	const struct callroute_image *im;
	void *mem;
	size_t size, used;
	int rc = tg_snapshot_begin(callroute.snapshots, &mem, &size);

	if(rc < 0) {
		say(load, "every snapshot slot is still being read: try again");
		return rc;
	}
	rc = callroute_builder_write(b, time(NULL), mem, size, &used);
	if(rc == -ENODATA)
		say(load,
				"no plan, no rate or no plan_trunk: an empty load is refused");
	else if(rc == -ENOSPC)
		say(load, "the data do not fit: raise modparam snapshot_mb");
	else if(rc < 0)
		say(load, strerror(-rc));
	if(rc == 0) {
		im = mem;
		load->bytes = used;
		load->rates = im->rates;
		load->trunks = im->trunks;
		load->plans = im->plans;
		if(!forced && shrinks_too_much(im->rates)) {
			say(load, "the rates shrank by more than max_shrink per cent: "
					  "check the table, or callroute.reload force");
			rc = -EPERM;
		}
	}
	if(rc < 0) {
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

int callroute_load_tables(uint64_t ticket)
{
	uint64_t start = glue_now();
	struct callroute_load load = {.ticket = ticket, .at = time(NULL)};
	struct callroute_builder *b = callroute_builder_new(complain, &load);
	/* For this load only, whatever comes of it. */
	int forced = (int)atomic_exchange(&callroute.shared->forced, 0);
	int rc = b == NULL ? -ENOMEM : read_tables(b);

	if(b == NULL)
		say(&load, strerror(ENOMEM));
	else if(rc < 0)
		say(&load, "the tables could not be read: see the log");
	else
		rc = build(b, &load, forced);
	callroute_builder_free(b);
	load.ok = rc == 0;
	load.took_us = glue_now() - start;
	say(&load, "ok");
	remember(&load);
	if(rc == 0)
		LM_INFO("loaded rates=%u trunks=%u plans=%u bytes=%llu took_ms=%llu\n",
				load.rates, load.trunks, load.plans,
				(unsigned long long)load.bytes,
				(unsigned long long)load.took_us / 1000);
	else
		LM_ERR("load-refused reason=\"%s\"%s\n", load.message,
				tg_snapshot_generation(callroute.snapshots)
						? " (the data in use stay)"
						: "");
	/* Before the fork no process has counters of its own yet. */
	if(ticket > 0)
		counter_inc(rc == 0 ? callroute.loads : callroute.loads_failed);
	return rc == 0 ? 0 : -1;
}

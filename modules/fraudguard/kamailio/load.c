/*
 * Loading the rules: tables -> image -> snapshot, or the built-in rule when no
 * database is given. Main process at start, keeper afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/load.h"
#include "fraudguard/build/rules.h"
#include "glue/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TABLE_VERSION 1

#define TEXT(name, row, col) \
	char name[256];          \
	glue_row_copy(row, col, name, sizeof name)

static int on_rule(const struct glue_row *row, void *arg)
{
	struct fraudguard_builder *b = arg;
	TEXT(name, row, 0);
	TEXT(metric, row, 1);
	TEXT(match, row, 2);
	TEXT(action, row, 5);
	TEXT(reason, row, 8);
	TEXT(mode, row, 9);
	struct fraudguard_rule_row r = {.id = row->id,
			.name = name,
			.metric = metric,
			.match = match,
			.threshold = glue_row_int(row, 3, -1),
			.window_sec = glue_row_int(row, 4, -1),
			.action = action,
			.ban_sec = glue_row_int(row, 6, 0),
			.code = glue_row_int(row, 7, 0),
			.reason = reason,
			.mode = mode};

	if(!fraudguard.has_dialog && strcmp(metric, "concurrent_calls") == 0
			&& strcmp(mode, "off") != 0) {
		tg_row_bad(&b->check,
				"fraudguard_rule id %lld: concurrent_calls needs Kamailio's "
				"dialog "
				"module: put loadmodule \"dialog.so\" before fraudguard",
				row->id);
		return 0;
	}
	fraudguard_build_rule(b, &r);
	return 0;
}

static int on_allow(const struct glue_row *row, void *b)
{
	TEXT(kind, row, 0);
	TEXT(value, row, 1);

	fraudguard_build_allow(b, row->id, kind, value);
	return 0;
}

static int read_tables(struct fraudguard_builder *b)
{
	struct glue_db db;
	int rc = glue_db_open(&db, &fraudguard.db_url);

	rc = rc ? rc : glue_db_check_version(&db, "fraudguard_rule", TABLE_VERSION);
	rc = rc ? rc
			: glue_db_check_version(&db, "fraudguard_allow", TABLE_VERSION);
	if(rc == 0
			&& (glue_db_each(&db, "fraudguard_rule",
						"name, metric, match_key, threshold, window_sec, "
						"action, "
						"ban_sec, code, reason, mode",
						on_rule,
						b) < 0
					|| glue_db_each(&db, "fraudguard_allow", "kind, value",
							   on_allow, b)
							   < 0))
		rc = -1;
	if(rc == 0 && !glue_db_is_whole(&db))
		rc = -1;
	glue_db_close(&db);
	return rc;
}

static void say(struct fraudguard_load *load, const char *text)
{
	if(load->message[0] == '\0')
		snprintf(load->message, sizeof load->message, "%s", text);
}

static void complain(void *arg, const char *line)
{
	LM_ERR("bad-row %s\n", line);
	say(arg, line);
}

static int build(struct fraudguard_load *load)
{
	struct fraudguard_builder b;
	void *mem;
	size_t size;
	int rc = tg_snapshot_begin(fraudguard.snapshots, &mem, &size);

	if(rc < 0) {
		say(load, "every snapshot slot is still being read: try again");
		return rc;
	}
	fraudguard_build_start(&b, mem, complain, load);
	if(fraudguard.db_url.len == 0) {
		fraudguard_build_defaults(&b);
	} else if((rc = read_tables(&b)) < 0) {
		say(load, "the tables could not be read: see the log");
	}
	if(rc == 0) {
		rc = fraudguard_build_finish(&b, time(NULL));
		if(rc == -ENODATA)
			say(load, "no rule that is on: an empty load is refused");
	}
	if(rc < 0) {
		tg_snapshot_abort(fraudguard.snapshots);
		return rc;
	}
	load->rules = b.im->rules;
	load->allowed = b.im->nets + b.im->accounts;
	return tg_snapshot_publish(fraudguard.snapshots, sizeof *b.im) > 0 ? 0
																	   : -EIO;
}

int fraudguard_last_load(struct fraudguard_load *out)
{
	return tg_store_get(fraudguard.load_store, 1, glue_now(), out);
}

int fraudguard_load_tables(uint64_t ticket)
{
	struct fraudguard_load load = {.ticket = ticket, .at = time(NULL)};
	int rc = build(&load);

	load.ok = rc == 0;
	say(&load, "ok");
	tg_store_put(fraudguard.load_store, 1, 0, UINT64_MAX, glue_now(), &load);
	if(rc == 0)
		LM_INFO("loaded rules=%u allowed=%u\n", load.rules, load.allowed);
	else
		LM_ERR("load-refused reason=\"%s\"%s\n", load.message,
				tg_snapshot_generation(fraudguard.snapshots)
						? " (the rules in use stay)"
						: "");
	/* Before the fork no process has counters of its own yet. */
	if(ticket > 0)
		counter_inc(rc == 0 ? fraudguard.loads : fraudguard.loads_failed);
	return rc == 0 ? 0 : -1;
}

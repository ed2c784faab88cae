/*
 * Loading the rules: tables -> image -> snapshot, or the built-in rule when no
 * database is given. Main process at start, keeper afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fraudguard/kamailio/load.h"
#include "fraudguard/build/rules.h"
#include "glue/rows.h"

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

static int read_tables(
		struct fraudguard_builder *b, struct fraudguard_load *load)
{
	struct glue_db db;
	int rc = glue_db_open(&db, &fraudguard.db_url);

	rc = rc ? rc : glue_db_check_version(&db, "fraudguard_rule", TABLE_VERSION);
	rc = rc ? rc
			: glue_db_check_version(&db, "fraudguard_allow", TABLE_VERSION);
	if(rc == 0
			&& (glue_db_each(&db, "fraudguard_rule",
						"name, metric, match_key, #threshold, "
						"#window_sec, "
						"action, #ban_sec, #code, reason, mode",
						on_rule,
						b) < 0
					|| glue_db_each(&db, "fraudguard_allow", "kind, value",
							   on_allow, b)
							   < 0))
		rc = -1;
	if(rc == 0 && !glue_db_is_whole(&db))
		rc = -1;
	if(rc < 0 && db.error[0] != '\0')
		glue_load_say(&load->base, db.error);
	glue_db_close(&db);
	return rc;
}

static int build(struct fraudguard_load *load)
{
	struct fraudguard_builder b;
	void *mem;
	size_t size;
	int rc = glue_load_slot(&fraudguard.loads, &load->base, &mem, &size);

	if(rc < 0)
		return rc;
	fraudguard_build_start(&b, mem, glue_load_complain, &load->base);
	if(fraudguard.db_url.len == 0) {
		fraudguard_build_defaults(&b);
	} else if((rc = read_tables(&b, load)) < 0) {
		glue_load_say(&load->base, "the tables could not be read: see the log");
	}
	if(rc == 0) {
		rc = fraudguard_build_finish(&b, time(NULL));
		if(rc == -ENODATA)
			glue_load_say(&load->base,
					"no rule that is on: an empty load is refused");
	}
	if(rc < 0) {
		tg_snapshot_abort(fraudguard.loads.snapshots);
		return rc;
	}
	load->rules = b.im->rules;
	load->allowed = b.im->nets + b.im->accounts;
	return tg_snapshot_publish(fraudguard.loads.snapshots, sizeof *b.im) > 0
				   ? 0
				   : -EIO;
}

int fraudguard_load_tables(const struct glue_order *order)
{
	struct fraudguard_load load = {.rules = 0};
	int rc;

	glue_load_begin(&load.base, order->ticket);
	rc = build(&load);
	rc = glue_load_end(&fraudguard.loads, &load.base, rc, 0);
	if(rc == 0)
		LM_INFO("loaded rules=%u allowed=%u\n", load.rules, load.allowed);
	return rc;
}

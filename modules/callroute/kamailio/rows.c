/*
 * Each table's columns and how a row of it becomes the builder's. What a row
 * must be the builder judges; only what is Kamailio's to know (does it parse
 * the URI?) is asked here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/rows.h"
#include "callroute/build/builder.h"
#include "core/parser/parse_uri.h"

#include <stdio.h>
#include <string.h>

/* Tells of a text that the schema would not have let in: SQLite does. */
static void too_long(const struct glue_row *row, struct callroute_builder *b,
		const char *column, int most)
{
	char line[160];

	snprintf(line, sizeof line, "%s id %lld: %s is longer than %d characters",
			row->table, row->id, column, most);
	callroute_builder_reject(b, line);
}

/* A NUL-terminated copy of a column of at most `most` characters, as the schema
 * has it. */
#define TEXT(column, row, col, most)                           \
	char column[(most) + 1];                                   \
	if(glue_row_copy((row), (col), column, sizeof column) < 0) \
	too_long((row), b, #column, most)

static int on_time(const struct glue_row *row, void *b)
{
	TEXT(tz, row, 0, 64);
	TEXT(dtstart, row, 1, 32);
	TEXT(duration, row, 2, 32);
	TEXT(rrule, row, 3, 255);
	TEXT(exdate, row, 4, 255);
	struct callroute_time_row t = {.id = row->id,
			.tz = tz,
			.dtstart = dtstart,
			.duration = duration,
			.rrule = rrule,
			.exdate = exdate};

	return callroute_add_time(b, &t);
}

static int on_failover(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0, 64);
	TEXT(codes, row, 1, 128);
	TEXT(action, row, 2, 32);
	return callroute_add_failover(b, row->id, name, codes, action);
}

static int on_breaker(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0, 64);
	TEXT(codes, row, 1, 128);
	struct callroute_breaker_row r = {.id = row->id,
			.name = name,
			.codes = codes,
			.window_sec = glue_row_int(row, 2, 0),
			.min_calls = glue_row_int(row, 3, 0),
			.open_at = glue_row_int(row, 4, 0),
			.half_open_after = glue_row_int(row, 5, 0)};

	return callroute_add_breaker(b, &r);
}

static int on_carrier(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0, 64);
	struct callroute_carrier_row c = {.id = row->id,
			.name = name,
			.max_channels = glue_row_int(row, 1, 0),
			.max_cps = glue_row_int(row, 2, 0),
			.enabled = glue_row_int(row, 3, 0) != 0};

	return callroute_add_carrier(b, &c);
}

static int on_trunk(const struct glue_row *row, void *b)
{
	TEXT(name, row, 1, 64);
	TEXT(uri, row, 2, 255);
	TEXT(socket, row, 3, 64);
	TEXT(transport, row, 4, 32);
	TEXT(prefix, row, 6, 32);
	TEXT(dst_rewrite, row, 7, 255);
	TEXT(src_rewrite, row, 8, 255);
	TEXT(cli_policy, row, 9, 32);
	TEXT(codecs, row, 10, 128);
	TEXT(media, row, 11, 32);
	TEXT(admin_state, row, 21, 32);
	struct callroute_trunk_row t = {.id = row->id,
			.carrier_id = glue_row_int(row, 0, 0),
			.name = name,
			.uri = uri,
			.socket = socket,
			.transport = transport,
			.strip = glue_row_int(row, 5, -1),
			.prefix = prefix,
			.dst_rewrite = dst_rewrite,
			.src_rewrite = src_rewrite,
			.cli_policy = cli_policy,
			.codecs = codecs,
			.media = media,
			.max_channels = glue_row_int(row, 12, -1),
			.max_cps = glue_row_int(row, 13, -1),
			.try_timeout_ms = glue_row_int(row, 14, -1),
			.ring_timeout_ms = glue_row_int(row, 15, -1),
			.failover_id = glue_row_int(row, 16, 0),
			.breaker_id = glue_row_int(row, 17, 0),
			.probe_interval = glue_row_int(row, 18, -1),
			.down_after = glue_row_int(row, 19, 0),
			.up_after = glue_row_int(row, 20, 0),
			.admin_state = admin_state};
	struct sip_uri parsed;

	/* What relays the call must understand the URI too; what is no SIP URI at
	 * all the builder says. */
	if(strncmp(uri, "sip", 3) == 0
			&& parse_uri(uri, (int)strlen(uri), &parsed) < 0) {
		char line[640];

		snprintf(line, sizeof line,
				"callroute_trunk id %lld: uri = '%s' is no SIP URI", row->id,
				uri);
		callroute_builder_reject(b, line);
	}
	return callroute_add_trunk(b, &t);
}

static int on_deck(const struct glue_row *row, void *b)
{
	TEXT(name, row, 0, 64);
	TEXT(side, row, 1, 32);
	TEXT(currency, row, 2, 3);
	struct callroute_deck_row d = {.id = row->id,
			.name = name,
			.side = side,
			.currency = currency,
			.fx = glue_row_int(row, 3, -1),
			.enabled = glue_row_int(row, 4, 0) != 0};

	return callroute_add_deck(b, &d);
}

static int on_rate(const struct glue_row *row, void *b)
{
	/* Millions of rows: only what a column may hold is copied. */
	char prefix[64], src_prefix[64];
	struct callroute_rate_row r = {.id = row->id,
			.deck_id = glue_row_int(row, 0, 0),
			.prefix = prefix,
			.src_prefix = src_prefix,
			.price = glue_row_int(row, 3, -1),
			.connect_fee = glue_row_int(row, 4, -1),
			.first_sec = glue_row_int(row, 5, 0),
			.step_sec = glue_row_int(row, 6, 0),
			.valid_from = glue_row_int(row, 7, 0),
			.valid_till = glue_row_int(row, 8, 0),
			.blocked = (int)glue_row_int(row, 9, 0),
			.is_default = (int)glue_row_int(row, 10, 0)};

	glue_row_copy(row, 1, prefix, sizeof prefix);
	glue_row_copy(row, 2, src_prefix, sizeof src_prefix);
	return callroute_add_rate(b, &r);
}

static int on_plan(const struct glue_row *row, void *b)
{
	TEXT(tenant, row, 0, 64);
	TEXT(name, row, 1, 64);
	TEXT(order_by, row, 2, 32);
	struct callroute_plan_row p = {.id = row->id,
			.tenant = tenant,
			.name = name,
			.order_by = order_by,
			.sell_deck_id = glue_row_int(row, 3, 0),
			.min_margin = glue_row_int(row, 4, 0),
			.min_margin_pct = glue_row_int(row, 5, 0),
			.max_attempts = glue_row_int(row, 6, 0),
			.use_lnp = glue_row_int(row, 7, 0) != 0};

	return callroute_add_plan(b, &p);
}

static int on_entry(const struct glue_row *row, void *b)
{
	TEXT(src_countries, row, 6, 255);
	TEXT(dst_countries, row, 7, 255);
	struct callroute_entry_row e = {.id = row->id,
			.plan_id = glue_row_int(row, 0, 0),
			.trunk_id = glue_row_int(row, 1, 0),
			.deck_id = glue_row_int(row, 2, 0),
			.priority = glue_row_int(row, 3, -1),
			.weight = glue_row_int(row, 4, -1),
			.time_id = glue_row_int(row, 5, 0),
			.src_countries = src_countries,
			.dst_countries = dst_countries};

	return callroute_add_entry(b, &e);
}

static int on_account(const struct glue_row *row, void *b)
{
	TEXT(tenant, row, 0, 64);
	TEXT(match_type, row, 1, 32);
	TEXT(match_value, row, 2, 128);
	TEXT(country, row, 4, 2);
	TEXT(intl_prefix, row, 5, 95);
	TEXT(national_prefix, row, 6, 63);
	TEXT(cli_policy, row, 9, 32);
	struct callroute_account_row a = {.id = row->id,
			.tenant = tenant,
			.match_type = match_type,
			.match_value = match_value,
			.plan_id = glue_row_int(row, 3, 0),
			.country = country,
			.intl_prefix = intl_prefix,
			.national_prefix = national_prefix,
			.max_channels = glue_row_int(row, 7, -1),
			.max_cps = glue_row_int(row, 8, -1),
			.cli_policy = cli_policy,
			.enabled = glue_row_int(row, 10, 0) != 0};

	return callroute_add_account(b, &a);
}

static int on_rule(const struct glue_row *row, void *b)
{
	TEXT(prefix, row, 1, 32);
	TEXT(src_prefix, row, 2, 32);
	TEXT(action, row, 5, 32);
	TEXT(target, row, 6, 255);
	struct callroute_rule_row r = {.id = row->id,
			.plan_id = glue_row_int(row, 0, 0),
			.prefix = prefix,
			.src_prefix = src_prefix,
			.time_id = glue_row_int(row, 3, 0),
			.priority = glue_row_int(row, 4, -1),
			.action = action,
			.target = target,
			.stop = glue_row_int(row, 7, 0) != 0};

	return callroute_add_rule(b, &r);
}

static int on_block(const struct glue_row *row, void *b)
{
	TEXT(list, row, 0, 64);
	TEXT(side, row, 1, 32);
	TEXT(prefix, row, 2, 32);
	return callroute_add_block(b, row->id, list, side, prefix);
}

static int on_group(const struct glue_row *row, void *b)
{
	TEXT(tenant, row, 0, 64);
	TEXT(name, row, 1, 64);
	TEXT(strategy, row, 2, 32);
	return callroute_add_group(b, row->id, tenant, name, strategy);
}

static int on_member(const struct glue_row *row, void *b)
{
	TEXT(uri, row, 1, 255);
	struct callroute_member_row m = {.id = row->id,
			.group_id = glue_row_int(row, 0, 0),
			.uri = uri,
			.priority = glue_row_int(row, 2, -1),
			.weight = glue_row_int(row, 3, -1),
			.ring_timeout_ms = glue_row_int(row, 4, 0),
			.time_id = glue_row_int(row, 5, 0),
			.enabled = glue_row_int(row, 6, 0) != 0};

	return callroute_add_member(b, &m);
}

static int on_did(const struct glue_row *row, void *b)
{
	TEXT(number, row, 0, 32);
	TEXT(tenant, row, 1, 64);
	TEXT(target_type, row, 4, 32);
	TEXT(target, row, 5, 255);
	struct callroute_did_row d = {.id = row->id,
			.number = number,
			.tenant = tenant,
			.time_id = glue_row_int(row, 2, 0),
			.priority = glue_row_int(row, 3, -1),
			.target_type = target_type,
			.target = target};

	return callroute_add_did(b, &d);
}

static int on_ported(const struct glue_row *row, void *b)
{
	TEXT(number, row, 0, 15);
	TEXT(routing_number, row, 1, 15);
	return callroute_add_ported(b, row->id, number, routing_number);
}

const struct callroute_table_map callroute_tables[] = {
		{"callroute_time", "tz, dtstart, duration, rrule, exdate", on_time},
		{"callroute_failover", "name, codes, action", on_failover},
		{"callroute_breaker",
				"name, codes, #window_sec, #min_calls, #open_at, "
				"#half_open_after",
				on_breaker},
		{"callroute_carrier", "name, #max_channels, #max_cps, #enabled",
				on_carrier},
		{"callroute_trunk",
				"#carrier_id, name, uri, socket, transport, #strip, prefix, "
				"dst_rewrite, src_rewrite, cli_policy, codecs, media, "
				"#max_channels, #max_cps, #try_timeout_ms, #ring_timeout_ms, "
				"#failover_id, #breaker_id, #probe_interval, #down_after, "
				"#up_after, "
				"admin_state",
				on_trunk},
		{"callroute_deck", "name, side, currency, #fx, #enabled", on_deck},
		{"callroute_rate",
				"#deck_id, prefix, ?src_prefix, #price, #connect_fee, "
				"#first_sec, #step_sec, #valid_from, #valid_till, #blocked, "
				"#is_default",
				on_rate},
		{"callroute_plan",
				"tenant, name, order_by, #sell_deck_id, #min_margin, "
				"#min_margin_pct, #max_attempts, #use_lnp",
				on_plan},
		{"callroute_plan_trunk",
				"#plan_id, #trunk_id, #deck_id, #priority, #weight, #time_id, "
				"src_countries, dst_countries",
				on_entry},
		{"callroute_account",
				"tenant, match_type, match_value, #plan_id, country, "
				"intl_prefix, national_prefix, #max_channels, #max_cps, "
				"cli_policy, #enabled",
				on_account},
		{"callroute_rule",
				"#plan_id, prefix, src_prefix, #time_id, #priority, action, "
				"target, #stop",
				on_rule},
		{"callroute_block", "list, side, prefix", on_block},
		{"callroute_group", "tenant, name, strategy", on_group},
		{"callroute_member",
				"#group_id, uri, #priority, #weight, #ring_timeout_ms, "
				"#time_id, "
				"#enabled",
				on_member},
		{"callroute_did",
				"number, tenant, #time_id, #priority, target_type, target",
				on_did},
		{"callroute_lnp", "number, routing_number", on_ported},
};

const int callroute_table_count =
		(int)(sizeof callroute_tables / sizeof callroute_tables[0]);

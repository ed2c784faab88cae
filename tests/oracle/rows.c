/*
 * Rows of the oracle's input into the builder. A line has the columns that a
 * decision looks at, in the order below; the others get the schema's defaults.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what, const char *detail)
{
	fprintf(stderr, "decide: %s: %s\n", what, detail);
	exit(2);
}

const char *text(const struct line *l, int i)
{
	if(i >= l->count)
		die("too few fields", l->field[0]);
	return l->field[i];
}

long long number(const struct line *l, int i)
{
	const char *s = text(l, i);
	char *end;
	long long value = strtoll(s, &end, 10);

	if(*s == '\0' || *end != '\0')
		die("not a number", s);
	return value;
}

static int add_time(struct callroute_builder *b, const struct line *l)
{
	struct callroute_time_row row = {.id = number(l, 1),
			.tz = text(l, 2),
			.dtstart = text(l, 3),
			.duration = text(l, 4),
			.rrule = text(l, 5),
			.exdate = text(l, 6)};

	return callroute_add_time(b, &row);
}

static int add_breaker(struct callroute_builder *b, const struct line *l)
{
	struct callroute_breaker_row row = {.id = number(l, 1),
			.name = text(l, 2),
			.codes = "5xx,408",
			.window_sec = number(l, 3),
			.min_calls = number(l, 4),
			.open_at = number(l, 5),
			.half_open_after = number(l, 6)};

	return callroute_add_breaker(b, &row);
}

static int add_carrier(struct callroute_builder *b, const struct line *l)
{
	struct callroute_carrier_row row = {.id = number(l, 1),
			.name = text(l, 2),
			.max_channels = number(l, 3),
			.max_cps = number(l, 4),
			.enabled = (int)number(l, 5)};

	return callroute_add_carrier(b, &row);
}

static int add_trunk(struct callroute_builder *b, const struct line *l)
{
	struct callroute_trunk_row row = {.id = number(l, 1),
			.carrier_id = number(l, 2),
			.name = text(l, 3),
			.max_channels = number(l, 4),
			.max_cps = number(l, 5),
			.breaker_id = number(l, 6),
			.probe_interval = number(l, 7),
			.down_after = number(l, 8),
			.up_after = number(l, 9),
			.admin_state = text(l, 10),
			.try_timeout_ms = 3000,
			.ring_timeout_ms = 60000,
			.uri = "sip:127.0.0.1",
			.socket = "",
			.transport = "",
			.prefix = "",
			.dst_rewrite = "",
			.src_rewrite = "",
			.cli_policy = "pass",
			.codecs = "",
			.media = "rtp"};

	return callroute_add_trunk(b, &row);
}

static int add_deck(struct callroute_builder *b, const struct line *l)
{
	struct callroute_deck_row row = {.id = number(l, 1),
			.name = text(l, 2),
			.side = text(l, 3),
			.currency = text(l, 4),
			.fx = number(l, 5),
			.enabled = (int)number(l, 6)};

	return callroute_add_deck(b, &row);
}

static int add_rate(struct callroute_builder *b, const struct line *l)
{
	struct callroute_rate_row row = {.id = number(l, 1),
			.deck_id = number(l, 2),
			.prefix = text(l, 3),
			.src_prefix = text(l, 4),
			.price = number(l, 5),
			.connect_fee = number(l, 6),
			.first_sec = number(l, 7),
			.step_sec = number(l, 8),
			.valid_from = number(l, 9),
			.valid_till = number(l, 10),
			.blocked = (int)number(l, 11),
			.is_default = (int)number(l, 12)};

	return callroute_add_rate(b, &row);
}

static int add_plan(struct callroute_builder *b, const struct line *l)
{
	struct callroute_plan_row row = {.id = number(l, 1),
			.tenant = "",
			.name = text(l, 2),
			.order_by = text(l, 3),
			.sell_deck_id = number(l, 4),
			.min_margin = number(l, 5),
			.min_margin_pct = number(l, 6),
			.max_attempts = number(l, 7),
			.use_lnp = (int)number(l, 8)};

	return callroute_add_plan(b, &row);
}

static int add_entry(struct callroute_builder *b, const struct line *l)
{
	struct callroute_entry_row row = {.id = number(l, 1),
			.plan_id = number(l, 2),
			.trunk_id = number(l, 3),
			.deck_id = number(l, 4),
			.priority = number(l, 5),
			.weight = number(l, 6),
			.time_id = number(l, 7),
			.src_countries = text(l, 8),
			.dst_countries = text(l, 9)};

	return callroute_add_entry(b, &row);
}

static int add_rule(struct callroute_builder *b, const struct line *l)
{
	struct callroute_rule_row row = {.id = number(l, 1),
			.plan_id = number(l, 2),
			.prefix = text(l, 3),
			.src_prefix = text(l, 4),
			.time_id = number(l, 5),
			.priority = number(l, 6),
			.action = text(l, 7),
			.target = text(l, 8),
			.stop = (int)number(l, 9)};

	return callroute_add_rule(b, &row);
}

static int add_block(struct callroute_builder *b, const struct line *l)
{
	return callroute_add_block(
			b, number(l, 1), text(l, 2), text(l, 3), text(l, 4));
}

static int add_ported(struct callroute_builder *b, const struct line *l)
{
	return callroute_add_ported(b, number(l, 1), text(l, 2), text(l, 3));
}

static int add_account(struct callroute_builder *b, const struct line *l)
{
	struct callroute_account_row row = {.id = number(l, 1),
			.plan_id = number(l, 2),
			.tenant = "",
			.match_type = text(l, 3),
			.match_value = text(l, 4),
			.country = "",
			.intl_prefix = "",
			.national_prefix = "",
			.cli_policy = "pass",
			.enabled = (int)number(l, 5)};

	return callroute_add_account(b, &row);
}

static int add_did(struct callroute_builder *b, const struct line *l)
{
	struct callroute_did_row row = {.id = number(l, 1),
			.number = text(l, 2),
			.tenant = "",
			.time_id = number(l, 3),
			.priority = number(l, 4),
			.target_type = "user",
			.target = "alice"};

	return callroute_add_did(b, &row);
}

static int add_group(struct callroute_builder *b, const struct line *l)
{
	return callroute_add_group(b, number(l, 1), "", text(l, 2), text(l, 3));
}

static int add_member(struct callroute_builder *b, const struct line *l)
{
	struct callroute_member_row row = {.id = number(l, 1),
			.group_id = number(l, 2),
			.uri = text(l, 3),
			.priority = number(l, 4),
			.weight = number(l, 5),
			.time_id = number(l, 6),
			.ring_timeout_ms = 20000,
			.enabled = (int)number(l, 7)};

	return callroute_add_member(b, &row);
}

int add_row(struct callroute_builder *b, const struct line *l)
{
	static const struct
	{
		const char *name;
		int (*add)(struct callroute_builder *b, const struct line *l);
	} tables[] = {{"time", add_time}, {"breaker", add_breaker},
			{"carrier", add_carrier}, {"trunk", add_trunk}, {"deck", add_deck},
			{"rate", add_rate}, {"plan", add_plan}, {"plan_trunk", add_entry},
			{"rule", add_rule}, {"block", add_block}, {"lnp", add_ported},
			{"account", add_account}, {"did", add_did}, {"group", add_group},
			{"member", add_member}};

	for(size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if(strcmp(l->field[0], tables[i].name) != 0)
			continue;
		if(b == NULL)
			die("a row before new", l->field[0]);
		if(tables[i].add(b, l) < 0)
			die("no memory", l->field[0]);
		return 1;
	}
	return 0;
}

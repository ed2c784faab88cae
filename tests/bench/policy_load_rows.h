/*
 * The rows that policy_load gives the builder: add_TABLE adds the row of a number,
 * from 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_BENCH_POLICY_LOAD_ROWS_H
#define TESTS_BENCH_POLICY_LOAD_ROWS_H

#include "callroute/build/builder.h"
#include "callroute/callroute.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MOST 65536 /* modparam max_trunks */
#define COUNTRIES "AT,BE,CH,DE,DK,ES,FI,FR,GB,GR,IE,IT,NL,NO,PL,PT,SE,SK"
#define FEW 64 /* one row of a small table for so many trunks */

static uint32_t trunks; /* a power of two */
static struct callroute_builder *b;

/* The numbers below n, each once, in no order: n is a power of two. */
static uint32_t mixed(uint32_t i, uint32_t n)
{
	for(uint32_t k = 0; k < 3; k++) {
		i = (i * 2654435761u + 40503u) & (n - 1);
		i ^= i >> 5;
	}
	return i & (n - 1);
}

static void name_of(char out[64], const char *what, uint32_t i)
{
	snprintf(out, 64, "a-%s-with-a-long-name-%08u", what, i);
}

/* 8 digits, each number once. */
static void digits_of(char out[16], uint32_t i)
{
	snprintf(out, 16, "49%06u%02u", mixed(i, 16 * MOST) % 1000000,
			mixed(i, 16 * MOST) / 1000000);
}

static int add_time(uint32_t i)
{
	char start[] = "20250101T080000";
	struct callroute_time_row r = {.id = i + 1,
			.tz = "Europe/Berlin",
			.dtstart = start,
			.duration = "PT10H",
			.rrule = "FREQ=DAILY",
			.exdate = ""};

	start[12] = (char)('0' + i % 6);
	return callroute_add_time(b, &r);
}

static int add_failover(uint32_t i)
{
	char name[64];

	name_of(name, "failover", i);
	return callroute_add_failover(b, i + 1, name, "5xx,408,!503", "next");
}

static int add_breaker(uint32_t i)
{
	char name[64];
	struct callroute_breaker_row r = {.id = i + 1,
			.window_sec = 60,
			.min_calls = 10,
			.open_at = 50,
			.half_open_after = 30,
			.name = name,
			.codes = "5xx"};

	name_of(name, "breaker", i);
	return callroute_add_breaker(b, &r);
}

static int add_carrier(uint32_t i)
{
	char name[64];
	struct callroute_carrier_row r = {.id = i + 1,
			.max_channels = 1000000,
			.max_cps = 100000,
			.name = name,
			.enabled = 1};

	name_of(name, "carrier", mixed(i, trunks / 4));
	return callroute_add_carrier(b, &r);
}

static int add_trunk(uint32_t i)
{
	char name[64], uri[64];
	struct callroute_trunk_row r = {.id = i + 1,
			.carrier_id = i % (trunks / 4) + 1,
			.max_channels = 1000000,
			.max_cps = 100000,
			.failover_id = i % (trunks / FEW) + 1,
			.breaker_id = i % (trunks / FEW) + 1,
			.probe_interval = 30,
			.down_after = 3,
			.up_after = 2,
			.try_timeout_ms = 3000,
			.ring_timeout_ms = 60000,
			.name = name,
			.uri = uri,
			.socket = "",
			.transport = "tls",
			.prefix = "+49",
			.dst_rewrite = "0049>+49",
			.src_rewrite = "0>+49",
			.cli_policy = "pass",
			.codecs = "PCMA,PCMU",
			.media = "rtp",
			.admin_state = "up"};
	uint32_t at = mixed(i, trunks);

	name_of(name, "trunk", at);
	snprintf(uri, sizeof uri, "sip:198.18.%u.%u:5061", at >> 8, at & 255);
	return callroute_add_trunk(b, &r);
}

static int add_deck(uint32_t i)
{
	char name[64];
	struct callroute_deck_row r = {.id = i + 1,
			.name = name,
			.side = "buy",
			.currency = "EUR",
			.enabled = 1};

	name_of(name, "deck", i);
	return callroute_add_deck(b, &r);
}

/* Every deck prices the same 1024 prefixes. */
static int add_rate(uint32_t i)
{
	char prefix[8];
	uint32_t at = mixed(i, 16 * trunks);
	struct callroute_rate_row r = {.id = i + 1,
			.deck_id = at / 1024 + 1,
			.price = 1000 + at % 997,
			.first_sec = 60,
			.step_sec = 1,
			.prefix = prefix,
			.src_prefix = ""};

	snprintf(prefix, sizeof prefix, "49%04u", at % 1024);
	return callroute_add_rate(b, &r);
}

static int add_plan(uint32_t i)
{
	char name[64];
	struct callroute_plan_row r = {.id = i + 1,
			.max_attempts = 8,
			.tenant = "tenant",
			.name = name,
			.order_by = "price"};

	name_of(name, "plan", mixed(i, trunks / 16));
	return callroute_add_plan(b, &r);
}

/* A set of countries for every sixteenth trunk: a list that has what the bits
 * of its number say. */
static void countries_of(char out[64], uint32_t set)
{
	size_t at = 0;

	for(uint32_t bit = 0; bit < 18; bit++) {
		if(set >> bit & 1) {
			memcpy(out + at, COUNTRIES + 3 * (size_t)bit, 2);
			out[at + 2] = ',';
			at += 3;
		}
	}
	out[at] = '\0';
}

static int add_entry(uint32_t i)
{
	char countries[64];
	struct callroute_entry_row r = {.id = i + 1,
			.plan_id = i / CALLROUTE_ENTRIES_MAX + 1,
			.trunk_id = mixed(i % trunks, trunks) + 1,
			.deck_id = i % (trunks / FEW) + 1,
			.priority = 10,
			.weight = 1,
			.src_countries = "",
			.dst_countries = countries};

	countries_of(countries, 8 | mixed(i % (trunks / 16), trunks / 16) << 4);
	return callroute_add_entry(b, &r);
}

static int add_account(uint32_t i)
{
	static const char *const types[] = {"user", "ip", "trunk", "domain"};
	char value[64];
	uint32_t at = mixed(i / 4, trunks);
	struct callroute_account_row r = {.id = i + 1,
			.plan_id = i % (trunks / 16) + 1,
			.max_channels = 1000000,
			.max_cps = 100000,
			.tenant = "tenant",
			.match_type = types[i % 4],
			.match_value = value,
			.country = "DE",
			.intl_prefix = "",
			.national_prefix = "",
			.cli_policy = "pass",
			.enabled = 1};

	if(i % 4 == 0)
		snprintf(value, sizeof value, "user%u@example.com", at);
	else if(i % 4 == 1)
		snprintf(value, sizeof value, "10.%u.%u.0/24", at >> 8, at & 255);
	else if(i % 4 == 2)
		name_of(value, "trunk", at);
	else
		snprintf(value, sizeof value, "customer-%u.example.com", at);
	return callroute_add_account(b, &r);
}

static int add_rule(uint32_t i)
{
	char prefix[16], target[CALLROUTE_TARGETS_MAX * 64] = "";
	struct callroute_rule_row r = {.id = i + 1,
			.plan_id = i % (trunks / 16) + 1,
			.priority = 1,
			.prefix = prefix,
			.src_prefix = "49",
			.action = "route",
			.target = target};

	digits_of(prefix, i);
	for(uint32_t k = 0; k < CALLROUTE_TARGETS_MAX; k++) {
		char name[64];

		name_of(name, "trunk", mixed((i + k) % trunks, trunks));
		strcat(strcat(target, k > 0 ? "," : ""), name);
	}
	return callroute_add_rule(b, &r);
}

static int add_block(uint32_t i)
{
	char name[64], prefix[16];

	name_of(name, "plan", mixed(i % (trunks / 16), trunks / 16));
	digits_of(prefix, i);
	return callroute_add_block(b, i + 1, name, i % 2 ? "src" : "dst", prefix);
}

static int add_group(uint32_t i)
{
	char name[64];

	name_of(name, "group", mixed(i, trunks / 16));
	return callroute_add_group(b, i + 1, "tenant", name, "parallel");
}

static int add_member(uint32_t i)
{
	char uri[64];
	struct callroute_member_row r = {.id = i + 1,
			.group_id = i / CALLROUTE_MEMBERS_MAX + 1,
			.priority = 1,
			.weight = 1,
			.ring_timeout_ms = 20000,
			.uri = uri,
			.enabled = 1};

	snprintf(uri, sizeof uri, "sip:member-%u@example.com", i);
	return callroute_add_member(b, &r);
}

static int add_did(uint32_t i)
{
	char number[16], group[64];
	struct callroute_did_row r = {.id = i + 1,
			.priority = 1,
			.number = number,
			.tenant = "tenant",
			.target_type = "group",
			.target = group};

	digits_of(number, i);
	name_of(group, "group", mixed(i % (trunks / 16), trunks / 16));
	return callroute_add_did(b, &r);
}

static int add_ported(uint32_t i)
{
	char number[16];

	digits_of(number, i);
	return callroute_add_ported(b, i + 1, number, "49000");
}

#endif

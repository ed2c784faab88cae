/*
 * Rows of the routing tables out of a fuzzer's bytes.
 *
 * One row after the other: byte 0 = its table (the low four bits, in the order of
 * build.h but for 1 failover, 11 block, 12 group, 15 ported number; above 0xef
 * the id is the input's own, else it counts up), then its columns in the order of
 * its row in build.h: texts as a length and that many bytes, words as a pick,
 * numbers as one byte below 0xf0 or two more (a few stand for the ends of the
 * range). callroute_seeds.py writes such inputs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_CALLROUTE_INPUT_H
#define TESTS_FUZZ_CALLROUTE_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "callroute/build/builder.h"
struct input
{
	const uint8_t *at;
	size_t left;
	char text[16][300]; /* as long as the row is being added */
	int texts;
	long long id[16]; /* the last one of each table */
	int odd;		  /* this row's id is the input's own */
	int skip_rates;	  /* reads them and leaves them out */
};

static inline void require(int what)
{
	if(!what)
		abort();
}

static inline uint8_t byte(struct input *in)
{
	if(in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline long long number(struct input *in)
{
	int high = byte(in), low = byte(in);

	switch(high) {
		case 0xff:
			return low & 1 ? INT64_MAX : INT64_MIN;
		case 0xfe:
			return (long long)UINT32_MAX + (low & 3) - 1;
		case 0xfd:
			return -low;
		default:
			return high & 1 ? low << 8 | high : low;
	}
}

/* A number of one byte: most columns want a small one. */
static inline long long small(struct input *in)
{
	int n = byte(in);

	return n < 0xf0 ? n : number(in);
}

static inline long long id(struct input *in, int table)
{
	return in->odd ? number(in) : ++in->id[table];
}

static inline const char *text(struct input *in)
{
	char *out = in->text[in->texts++ & 15];
	size_t len = byte(in);

	len = len < in->left ? len : in->left;
	memcpy(out, in->at, len);
	out[len] = '\0';
	in->at += len;
	in->left -= len;
	return out;
}

/* Mostly a sound word, so that the fuzzer gets past the first check. */
static inline const char *word(struct input *in, const char *const *words)
{
	int n = 0, pick = byte(in);

	while(words[n] != NULL)
		n++;
	return pick < 0xf0 ? words[pick % n] : text(in);
}

#define WORD(in, ...) word(in, (const char *const[]){__VA_ARGS__, NULL})

/* --- rows ------------------------------------------------------------------- */

/* Calendars have a fuzzer of their own: few, and cheap ones. */
static inline int add_time(struct callroute_builder *b, struct input *in)
{
	struct callroute_time_row row = {.id = id(in, 0),
			.tz = "UTC",
			.dtstart = WORD(in, "20231114T000000", "20231101"),
			.duration = WORD(in, "PT23H", "PT1H", "P1D"),
			.rrule = "FREQ=DAILY;COUNT=40",
			.exdate = ""};

	return callroute_add_time(b, &row);
}

static inline int add_breaker(struct callroute_builder *b, struct input *in)
{
	struct callroute_breaker_row row = {.id = id(in, 2),
			.window_sec = small(in),
			.min_calls = small(in),
			.open_at = small(in),
			.half_open_after = small(in),
			.name = text(in),
			.codes = WORD(in, "5xx,408", "!486,4xx", "")};

	return callroute_add_breaker(b, &row);
}

static inline int add_carrier(struct callroute_builder *b, struct input *in)
{
	struct callroute_carrier_row row = {.id = id(in, 3),
			.max_channels = small(in),
			.max_cps = small(in),
			.name = text(in),
			.enabled = byte(in) & 1};

	return callroute_add_carrier(b, &row);
}

static inline int add_trunk(struct callroute_builder *b, struct input *in)
{
	struct callroute_trunk_row row = {.id = id(in, 4),
			.carrier_id = small(in),
			.strip = small(in),
			.max_channels = small(in),
			.max_cps = small(in),
			.try_timeout_ms = number(in),
			.ring_timeout_ms = number(in),
			.failover_id = small(in),
			.breaker_id = small(in),
			.probe_interval = small(in),
			.down_after = small(in),
			.up_after = small(in),
			.name = text(in),
			.uri = WORD(in, "sip:192.0.2.1", "sips:gw.example.com:5061;lr",
					"sip:[2001:db8::1]:5070"),
			.socket = text(in),
			.transport = WORD(in, "", "udp", "tls"),
			.prefix = text(in),
			.dst_rewrite = WORD(in, "", "49>0", ">+"),
			.src_rewrite = WORD(in, "", ">+"),
			.cli_policy = WORD(in, "pass", "assert", "hide", "strip"),
			.codecs = text(in),
			.media = WORD(in, "rtp", "sdes", "dtls"),
			.admin_state = WORD(in, "up", "drain", "down")};

	return callroute_add_trunk(b, &row);
}

static inline int add_deck(struct callroute_builder *b, struct input *in)
{
	struct callroute_deck_row row = {.id = id(in, 5),
			.fx = number(in),
			.name = text(in),
			.side = WORD(in, "buy", "sell"),
			.currency = WORD(in, "EUR", "USD"),
			.enabled = byte(in) & 1};

	return callroute_add_deck(b, &row);
}

static inline int add_rate(struct callroute_builder *b, struct input *in)
{
	struct callroute_rate_row row = {.id = id(in, 6),
			.deck_id = small(in),
			.price = number(in),
			.connect_fee = small(in),
			.first_sec = small(in),
			.step_sec = small(in),
			.valid_from = number(in),
			.valid_till = number(in),
			.prefix = text(in),
			.src_prefix = text(in),
			.blocked = byte(in) & 1,
			.is_default = byte(in) & 1};

	return in->skip_rates ? 0 : callroute_add_rate(b, &row);
}

static inline int add_plan(struct callroute_builder *b, struct input *in)
{
	struct callroute_plan_row row = {.id = id(in, 7),
			.sell_deck_id = small(in),
			.min_margin = number(in),
			.min_margin_pct = small(in),
			.max_attempts = small(in),
			.tenant = text(in),
			.name = text(in),
			.order_by = WORD(in, "price", "quality", "priority"),
			.use_lnp = byte(in) & 1};

	return callroute_add_plan(b, &row);
}

static inline int add_entry(struct callroute_builder *b, struct input *in)
{
	struct callroute_entry_row row = {.id = id(in, 8),
			.plan_id = small(in),
			.trunk_id = small(in),
			.deck_id = small(in),
			.priority = small(in),
			.weight = small(in),
			.time_id = small(in),
			.src_countries = WORD(in, "", "DE", "!FR", "CH,AT"),
			.dst_countries = WORD(in, "", "DE", "!FR", "CH,AT")};

	return callroute_add_entry(b, &row);
}

static inline int add_account(struct callroute_builder *b, struct input *in)
{
	struct callroute_account_row row = {.id = id(in, 9),
			.plan_id = small(in),
			.max_channels = small(in),
			.max_cps = small(in),
			.tenant = text(in),
			.match_type = WORD(in, "user", "ip", "trunk", "domain"),
			.match_value = WORD(in, "alice", "192.0.2.0/24", "2001:db8::/33",
					"0.0.0.0/0", "t"),
			.country = WORD(in, "", "DE", "US"),
			.intl_prefix = WORD(in, "", "00", "0xx"),
			.national_prefix = WORD(in, "", "0"),
			.cli_policy = WORD(in, "pass", "assert", "hide", "strip"),
			.enabled = byte(in) & 1};

	return callroute_add_account(b, &row);
}

static inline int add_rule(struct callroute_builder *b, struct input *in)
{
	struct callroute_rule_row row = {.id = id(in, 10),
			.plan_id = small(in),
			.time_id = small(in),
			.priority = small(in),
			.prefix = text(in),
			.src_prefix = text(in),
			.action = WORD(in, "route", "block", "redirect", "emergency"),
			.target = text(in),
			.stop = byte(in) & 1};

	return callroute_add_rule(b, &row);
}

static inline int add_member(struct callroute_builder *b, struct input *in)
{
	struct callroute_member_row row = {.id = id(in, 13),
			.group_id = small(in),
			.priority = small(in),
			.weight = small(in),
			.ring_timeout_ms = number(in),
			.time_id = small(in),
			.uri = WORD(in, "sip:a@192.0.2.7", "sips:b@[::1]"),
			.enabled = byte(in) & 1};

	return callroute_add_member(b, &row);
}

static inline int add_did(struct callroute_builder *b, struct input *in)
{
	struct callroute_did_row row = {.id = id(in, 14),
			.time_id = small(in),
			.priority = small(in),
			.number = text(in),
			.tenant = text(in),
			.target_type = WORD(in, "user", "uri", "group", "number", "reject"),
			.target = text(in)};

	return callroute_add_did(b, &row);
}

static inline int add_small(
		struct callroute_builder *b, struct input *in, int table)
{
	long long row = id(in, table);
	const char *a = table == 11 ? WORD(in, "*", "p") : text(in);
	const char *c = table == 11 ? WORD(in, "src", "dst") : text(in);

	switch(table) {
		case 1:
			return callroute_add_failover(b, row, a,
					WORD(in, "5xx,408", "!486,4xx", ""),
					WORD(in, "next", "other_carrier", "stop"));
		case 11:
			return callroute_add_block(b, row, a, c, text(in));
		case 12:
			return callroute_add_group(
					b, row, a, c, WORD(in, "parallel", "serial", "weighted"));
		default:
			return callroute_add_ported(b, row, a, c);
	}
}

/* Adds the next row. */
static inline void add_row(struct callroute_builder *b, struct input *in)
{
	static int (*const add[16])(struct callroute_builder *, struct input *) = {
			[0] = add_time,
			[2] = add_breaker,
			[3] = add_carrier,
			[4] = add_trunk,
			[5] = add_deck,
			[6] = add_rate,
			[7] = add_plan,
			[8] = add_entry,
			[9] = add_account,
			[10] = add_rule,
			[13] = add_member,
			[14] = add_did,
	};
	int head = byte(in), table = head & 15;

	in->odd = head >= 0xf0;
	require((add[table] ? add[table](b, in) : add_small(b, in, table)) == 0);
}

#endif

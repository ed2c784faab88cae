/*
 * From table rows to an image: collects rows, checks every row, and writes the
 * image only when all rows are sound. Pure (heap memory, no database); used by
 * the keeper, so nothing here runs on the call path.
 *
 * Add the tables in the order of the functions below, and the rows of each
 * table by rising id: a row must come after the rows that it refers to. Texts
 * are NUL-terminated and copied; NULL is not allowed. A bad row is reported and
 * counted, and callroute_builder_write then refuses the load. The add functions
 * return 0 also for a bad row, so that one load reports every bad row. Their
 * only error is -ENOMEM.
 *
 * Memory: 32 B a rate row while it builds, and 48 B a distinct prefix while it
 * writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_H
#define CALLROUTE_BUILD_H

#include "callroute/decide/image.h"
#include "callroute/live/live.h"
#include "lib/share/rowcheck.h"

struct callroute_builder;

/* now: UTC seconds; calendars are expanded from one day before it to
 * CALLROUTE_CALENDAR_DAYS after it. live: where trunks get their slots. Returns
 * NULL when there is no memory. */
#define CALLROUTE_CALENDAR_DAYS 1100
struct callroute_builder *callroute_builder_new(int64_t now,
		struct callroute_live *live, tg_complain_f complain, void *arg);
void callroute_builder_free(struct callroute_builder *b); /* NULL is fine */

struct callroute_time_row
{
	long long id;
	const char *tz, *dtstart, *duration, *rrule, *exdate;
};
int callroute_add_time(
		struct callroute_builder *b, const struct callroute_time_row *row);

int callroute_add_failover(struct callroute_builder *b, long long id,
		const char *name, const char *codes, const char *action);

struct callroute_breaker_row
{
	long long id, window_sec, min_calls, open_at, half_open_after;
	const char *name, *codes;
};
int callroute_add_breaker(
		struct callroute_builder *b, const struct callroute_breaker_row *row);

struct callroute_carrier_row
{
	long long id, max_channels, max_cps;
	const char *name;
	int enabled;
};
int callroute_add_carrier(
		struct callroute_builder *b, const struct callroute_carrier_row *row);

struct callroute_trunk_row
{
	long long id, carrier_id, strip, max_channels, max_cps;
	long long try_timeout_ms, ring_timeout_ms, failover_id, breaker_id;
	long long probe_interval, down_after, up_after;
	const char *name, *uri, *socket, *transport, *prefix, *dst_rewrite;
	const char *src_rewrite, *cli_policy, *codecs, *media, *admin_state;
};
int callroute_add_trunk(
		struct callroute_builder *b, const struct callroute_trunk_row *row);

struct callroute_deck_row
{
	long long id, fx; /* millionths; 0 = not converted */
	const char *name, *side, *currency;
	int enabled;
};
int callroute_add_deck(
		struct callroute_builder *b, const struct callroute_deck_row *row);

struct callroute_rate_row
{
	long long id, deck_id;
	long long price, connect_fee;	  /* micro-units a minute, micro-units */
	long long first_sec, step_sec;	  /* seconds */
	long long valid_from, valid_till; /* UTC seconds; till 0 = for ever */
	const char *prefix, *src_prefix;
	int blocked, is_default; /* an empty prefix needs is_default */
};
int callroute_add_rate(
		struct callroute_builder *b, const struct callroute_rate_row *row);
/* Takes the rates from an image instead of rows, except those of deck
 * `except_deck` (its id; 0 = no exception). can_keep: 1 when the image has the
 * rates of every other enabled deck, at the same fx; else 0. keep: 0,
 * -ENOMEM. */
int callroute_can_keep_rates(const struct callroute_builder *b,
		const struct callroute_image *image, uint32_t except_deck);
int callroute_keep_rates(struct callroute_builder *b,
		const struct callroute_image *image, uint32_t except_deck);

struct callroute_plan_row
{
	long long id, sell_deck_id, min_margin, min_margin_pct, max_attempts;
	const char *tenant, *name, *order_by;
	int use_lnp;
};
int callroute_add_plan(
		struct callroute_builder *b, const struct callroute_plan_row *row);

struct callroute_entry_row
{
	long long id, plan_id, trunk_id, deck_id, priority, weight, time_id;
	const char *src_countries, *dst_countries;
};
int callroute_add_entry(
		struct callroute_builder *b, const struct callroute_entry_row *row);

struct callroute_account_row
{
	long long id, plan_id, max_channels, max_cps;
	const char *tenant, *match_type, *match_value, *country, *intl_prefix;
	const char *national_prefix, *cli_policy;
	int enabled;
};
int callroute_add_account(
		struct callroute_builder *b, const struct callroute_account_row *row);

struct callroute_rule_row
{
	long long id, plan_id, time_id, priority;
	const char *prefix, *src_prefix, *action, *target;
	int stop;
};
int callroute_add_rule(
		struct callroute_builder *b, const struct callroute_rule_row *row);

int callroute_add_block(struct callroute_builder *b, long long id,
		const char *list, const char *side, const char *prefix);

int callroute_add_group(struct callroute_builder *b, long long id,
		const char *tenant, const char *name, const char *strategy);

struct callroute_member_row
{
	long long id, group_id, priority, weight, ring_timeout_ms, time_id;
	const char *uri;
	int enabled;
};
int callroute_add_member(
		struct callroute_builder *b, const struct callroute_member_row *row);

struct callroute_did_row
{
	long long id, time_id, priority;
	const char *number, *tenant, *target_type, *target;
};
int callroute_add_did(
		struct callroute_builder *b, const struct callroute_did_row *row);

int callroute_add_ported(struct callroute_builder *b, long long id,
		const char *number, const char *routing_number);

/* Refuses this load for a reason of the caller's. */
void callroute_builder_reject(struct callroute_builder *b, const char *line);

/*
 * Writes the image (8-byte aligned).
 * 0 (*used = bytes), -EBADMSG (bad rows; all are reported), -ENODATA (no plan,
 * no rate, or no trunk in any plan, disabled decks not counted: an empty load
 * is refused), -ENOSPC (`size` is too small: *used = bytes needed; the same
 * builder may write again), -ENOMEM.
 */
int callroute_builder_write(
		struct callroute_builder *b, void *mem, size_t size, size_t *used);

#endif

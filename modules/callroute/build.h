/*
 * From table rows to an image: collects rows, checks every one, and writes the
 * image only when all of them are sound. Pure (heap memory, no database); used
 * by the keeper, so nothing here runs on the call path.
 *
 * Memory: about 80 bytes a rate row while it builds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_H
#define CALLROUTE_BUILD_H

#include "callroute/image.h"
#include "lib/rowcheck.h"

struct callroute_builder;

/* NULL when there is no memory. */
struct callroute_builder *callroute_builder_new(
		tg_complain_f complain, void *arg);
void callroute_builder_free(struct callroute_builder *b); /* NULL is fine */

/* Texts are NUL-terminated and copied. A bad row is complained about and
 * counted, and makes callroute_builder_write refuse: the adders return 0 all
 * the same, so that one load names every bad row. -ENOMEM only. */
int callroute_add_carrier(struct callroute_builder *b, long long id,
		const char *name, int enabled);
/* currency: ISO 4217; the decks of one plan must agree in it. */
int callroute_add_deck(struct callroute_builder *b, long long id,
		const char *name, const char *currency, int enabled);

struct callroute_trunk_row
{
	long long id, carrier_id; /* carrier_id 0 = none */
	const char *name, *uri, *socket, *prefix;
	const char *media, *failover_codes, *admin_state;
	long long strip, try_timeout_ms, ring_timeout_ms;
};
int callroute_add_trunk(
		struct callroute_builder *b, const struct callroute_trunk_row *row);

struct callroute_rate_row
{
	long long id, deck_id, price;	  /* micro-units a minute */
	long long valid_from, valid_till; /* UTC seconds; till 0 = for ever */
	const char *prefix;
	int blocked, is_default; /* an empty prefix needs is_default */
};
int callroute_add_rate(
		struct callroute_builder *b, const struct callroute_rate_row *row);

struct callroute_plan_row
{
	long long id, max_attempts;
	const char *name, *order_by;
};
int callroute_add_plan(
		struct callroute_builder *b, const struct callroute_plan_row *row);

struct callroute_entry_row
{
	long long id, plan_id, trunk_id, deck_id, priority, weight;
};
int callroute_add_entry(
		struct callroute_builder *b, const struct callroute_entry_row *row);

/* A reason of the caller's own to refuse this load. */
void callroute_builder_reject(struct callroute_builder *b, const char *line);

/*
 * Checks the references between rows and writes the image (8-byte aligned).
 * 0 (*used = bytes), -EBADMSG (bad rows: all complained about), -ENODATA (no
 * plan, no rate or no trunk in a plan, disabled decks not counted: an empty
 * load is refused), -ENOSPC (`size` is too small:
 * *used = bytes wanted, and the same builder may write again), -ENOMEM.
 */
int callroute_builder_write(struct callroute_builder *b, int64_t now, void *mem,
		size_t size, size_t *used);

#endif

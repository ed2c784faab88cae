/*
 * Rows of plans: their entries, their rules, and the accounts that use them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t plan_of(struct callroute_builder *b, const char *table,
		long long id, long long plan_id)
{
	return callroute_refer(b, &b->plans, sizeof(struct callroute_build_plan),
			table, id, "plan_id", plan_id, 0);
}

static uint32_t time_of(struct callroute_builder *b, const char *table,
		long long id, long long time_id)
{
	return callroute_refer(b, &b->times, sizeof(struct callroute_build_time),
			table, id, "time_id", time_id, 1);
}

static uint16_t small(struct callroute_builder *b, const char *table,
		long long id, const char *column, long long value)
{
	return tg_row_range(&b->check, table, id, column, value, 0, UINT16_MAX)
				   ? (uint16_t)value
				   : 0;
}

/* Prices in two currencies cannot be compared: the decks of a plan must all be
 * converted, or all have one currency. */
static void check_currency(struct callroute_builder *b, const char *table,
		long long id, const struct callroute_deck *deck,
		struct callroute_build_plan *plan)
{
	const char *in = deck->fx > 0 ? "*" : deck->currency;

	if(!deck->enabled)
		return;
	if(plan->currency[0] == '\0') {
		memcpy(plan->currency, in, strlen(in) + 1);
		return;
	}
	if(strcmp(plan->currency, in) != 0)
		tg_row_bad(&b->check,
				"%s id %lld: deck %u is %s%s, the plan's others are %s%s: give "
				"all of them an fx",
				table, id, deck->id, deck->fx > 0 ? "converted" : "in ",
				deck->fx > 0 ? "" : in,
				plan->currency[0] == '*' ? "converted" : "in ",
				plan->currency[0] == '*' ? "" : plan->currency);
}

static void take_sell_deck(struct callroute_builder *b, const char *table,
		const struct callroute_plan_row *row, struct callroute_build_plan *p)
{
	const struct callroute_build_deck *decks = b->decks.rows;
	uint32_t deck = callroute_refer(b, &b->decks, sizeof *decks, table, row->id,
			"sell_deck_id", row->sell_deck_id, 1);

	p->out.sell_deck = deck;
	p->out.looks_at_margin = deck != CALLROUTE_NONE;
	if(deck == CALLROUTE_NONE) {
		if(row->min_margin != 0 || row->min_margin_pct != 0)
			tg_row_bad(&b->check,
					"%s id %lld: a margin without sell_deck_id has no selling "
					"price to be measured by",
					table, row->id);
		return;
	}
	if(!decks[deck].out.sells)
		tg_row_bad(&b->check, "%s id %lld: sell_deck_id = %lld is a buy deck",
				table, row->id, row->sell_deck_id);
	if(!decks[deck].out.enabled)
		tg_row_bad(&b->check,
				"%s id %lld: sell_deck_id = %lld is disabled: every call would "
				"be refused",
				table, row->id, row->sell_deck_id);
	check_currency(b, table, row->id, &decks[deck].out, p);
}

int callroute_add_plan(
		struct callroute_builder *b, const struct callroute_plan_row *row)
{
	static const char *const orders[] = {"price", "quality", "priority", NULL};
	static const char table[] = "callroute_plan";
	struct callroute_build_plan *p =
			callroute_new_row(b, &b->plans, sizeof *p, table, row->id);

	if(p == NULL)
		return -ENOMEM;
	p->out.id = (uint32_t)row->id;
	p->out.use_lnp = row->use_lnp != 0;
	if(callroute_take_name(b, table, row->id, row->name, p->out.name) < 0)
		return -ENOMEM;
	p->out.order = (uint8_t)tg_row_word(
			&b->check, table, row->id, "order_by", row->order_by, orders);
	if(tg_row_range(&b->check, table, row->id, "max_attempts",
			   row->max_attempts, 1, CALLROUTE_CANDIDATES))
		p->out.max_attempts = (uint8_t)row->max_attempts;
	if(tg_row_range(&b->check, table, row->id, "min_margin", row->min_margin,
			   -CALLROUTE_PRICE_MAX, CALLROUTE_PRICE_MAX))
		p->out.min_margin = row->min_margin;
	if(tg_row_range(&b->check, table, row->id, "min_margin_pct",
			   row->min_margin_pct, -1000, 100))
		p->out.min_margin_pct = (int32_t)row->min_margin_pct;
	take_sell_deck(b, table, row, p);
	return callroute_keep_column(b, table, row->id, "tenant", row->tenant,
			CALLROUTE_NAME_MAX - 1, &p->out.tenant);
}

int callroute_add_entry(
		struct callroute_builder *b, const struct callroute_entry_row *row)
{
	static const char table[] = "callroute_plan_trunk";
	const struct callroute_build_deck *decks = b->decks.rows;
	struct callroute_build_plan *plans = b->plans.rows;
	struct callroute_build_entry *e =
			callroute_new_row(b, &b->entries, sizeof *e, table, row->id);
	uint32_t deck;

	if(e == NULL)
		return -ENOMEM;
	e->plan = plan_of(b, table, row->id, row->plan_id);
	e->out.time = time_of(b, table, row->id, row->time_id);
	e->out.trunk =
			callroute_refer(b, &b->trunks, sizeof(struct callroute_build_trunk),
					table, row->id, "trunk_id", row->trunk_id, 0);
	e->out.deck = deck = callroute_refer(b, &b->decks, sizeof *decks, table,
			row->id, "deck_id", row->deck_id, 0);
	e->out.priority = small(b, table, row->id, "priority", row->priority);
	e->out.weight = small(b, table, row->id, "weight", row->weight);
	if(deck != CALLROUTE_NONE && decks[deck].out.sells)
		tg_row_bad(&b->check, "%s id %lld: deck_id = %lld is a sell deck",
				table, row->id, row->deck_id);
	else if(deck != CALLROUTE_NONE && e->plan != CALLROUTE_NONE)
		check_currency(b, table, row->id, &decks[deck].out, &plans[e->plan]);
	if(callroute_take_countries(b, row->id, "src_countries", row->src_countries,
			   &e->out.src_countries)
			< 0)
		return -ENOMEM;
	return callroute_take_countries(b, row->id, "dst_countries",
			row->dst_countries, &e->out.dst_countries);
}

/* --- rules ---------------------------------------------------------------- */

/* Adds trunks, given as names separated by commas, to targets. */
static int take_targets(struct callroute_builder *b, const char *table,
		const struct callroute_rule_row *row, struct callroute_rule *r)
{
	r->target = (uint32_t)b->targets.count;
	for(const char *p = row->target + strspn(row->target, ", "); *p != '\0';
			p += strspn(p, ", ")) {
		size_t len = strcspn(p, ",");
		size_t next = len;
		uint32_t trunk, *to;

		while(len > 0 && p[len - 1] == ' ')
			len--;
		if(callroute_find_named(b, CALLROUTE_NAMED_TRUNK, p, len, &trunk) < 0)
			return -ENOMEM;
		if(trunk == CALLROUTE_NONE)
			tg_row_bad(&b->check,
					"%s id %lld: target has '%.*s', which is no "
					"trunk",
					table, row->id, (int)len, p);
		if(r->targets == CALLROUTE_TARGETS_MAX) {
			tg_row_bad(&b->check, "%s id %lld: target has more than %d trunks",
					table, row->id, CALLROUTE_TARGETS_MAX);
			return 0;
		}
		to = callroute_grow(&b->targets, sizeof *to, 1);
		if(to == NULL)
			return -ENOMEM;
		*to = trunk;
		r->targets++;
		p += next;
	}
	if(r->targets == 0 && (r->action == CALLROUTE_ROUTE || r->stop))
		tg_row_bad(
				&b->check, "%s id %lld: target names no trunk", table, row->id);
	return 0;
}

/* Takes a SIP URI, or a number; the answer turns a number into a URI. */
static int take_redirect(struct callroute_builder *b, const char *table,
		const struct callroute_rule_row *row, struct callroute_rule *r)
{
	char target[CALLROUTE_URI_MAX];
	const char *digits = row->target + (row->target[0] == '+');

	tg_row_text(&b->check, table, row->id, "target", row->target, 1, target,
			sizeof target);
	if(strncmp(target, "sip:", 4) != 0 && strncmp(target, "sips:", 5) != 0
			&& strncmp(target, "tel:", 4) != 0
			&& (*digits == '\0' || digits[strspn(digits, "0123456789*#")]))
		tg_row_bad(&b->check,
				"%s id %lld: target = '%s' is neither a number nor a SIP URI",
				table, row->id, row->target);
	for(const char *p = target; *p; p++) {
		if(!isgraph((unsigned char)*p) || strchr("<>\"", *p) != NULL) {
			tg_row_bad(&b->check,
					"%s id %lld: target = '%s' has a character that no URI may "
					"have",
					table, row->id, row->target);
			break;
		}
	}
	return callroute_keep_text(b, target, &r->target);
}

int callroute_add_rule(
		struct callroute_builder *b, const struct callroute_rule_row *row)
{
	static const char *const actions[] = {
			"route", "block", "redirect", "emergency", NULL};
	static const char table[] = "callroute_rule";
	struct callroute_build_rule *r =
			callroute_new_row(b, &b->rules, sizeof *r, table, row->id);

	if(r == NULL)
		return -ENOMEM;
	r->out.id = (uint32_t)row->id;
	r->out.plan = plan_of(b, table, row->id, row->plan_id);
	r->out.time = time_of(b, table, row->id, row->time_id);
	r->out.priority = small(b, table, row->id, "priority", row->priority);
	r->out.stop = row->stop != 0;
	r->out.action = (uint8_t)tg_row_word(
			&b->check, table, row->id, "action", row->action, actions);
	callroute_take_src_prefix(b, table, row->id, row->src_prefix,
			r->out.src_prefix, &r->out.src_len);
	if(callroute_pack_prefix(row->prefix, &r->prefix) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: prefix = '%s' is not 0 to %d symbols of 0-9 * #",
				table, row->id, row->prefix, TG_TRIE_MAX_DIGITS);
	if(r->out.action == CALLROUTE_EMERGENCY && row->prefix[0] == '\0')
		tg_row_bad(&b->check,
				"%s id %lld: an emergency rule needs its number "
				"in prefix",
				table, row->id);
	switch((enum callroute_action)r->out.action) {
		case CALLROUTE_ROUTE:
		case CALLROUTE_EMERGENCY:
			return take_targets(b, table, row, &r->out);
		case CALLROUTE_REDIRECT:
			return take_redirect(b, table, row, &r->out);
		case CALLROUTE_BLOCK:
			break;
	}
	return 0;
}

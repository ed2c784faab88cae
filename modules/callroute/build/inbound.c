/*
 * Rows for inbound calls: DIDs, hunt groups, ported and barred numbers; and
 * their order in the image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t time_of(struct callroute_builder *b, const char *table,
		long long id, long long time_id)
{
	return callroute_refer(b, &b->times, sizeof(struct callroute_build_time),
			table, id, "time_id", time_id, 1);
}

int callroute_add_block(struct callroute_builder *b, long long id,
		const char *list, const char *side, const char *prefix)
{
	static const char *const sides[] = {"src", "dst", NULL};
	static const char table[] = "callroute_block";
	struct callroute_build_block *r =
			callroute_new_row(b, &b->blocks, sizeof *r, table, id);

	if(r == NULL)
		return -ENOMEM;
	r->out.id = (uint32_t)id;
	r->is_src = tg_row_word(&b->check, table, id, "side", side, sides) == 0;
	if(prefix[0] == '\0' || callroute_pack_prefix(prefix, &r->prefix) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: prefix = '%s' is not 1 to %d symbols of 0-9 * #",
				table, id, prefix, TG_TRIE_MAX_DIGITS);
	r->out.plan = CALLROUTE_NONE;
	if(strcmp(list, "*") == 0)
		return 0;
	if(callroute_find_named(
			   b, CALLROUTE_NAMED_PLAN, list, strlen(list), &r->out.plan)
			< 0)
		return -ENOMEM;
	if(r->out.plan == CALLROUTE_NONE)
		tg_row_bad(&b->check, "%s id %lld: list = '%s' is neither a plan nor *",
				table, id, list);
	return 0;
}

int callroute_add_group(struct callroute_builder *b, long long id,
		const char *tenant, const char *name, const char *strategy)
{
	static const char *const strategies[] = {
			"parallel", "serial", "weighted", NULL};
	static const char table[] = "callroute_group";
	char cut[CALLROUTE_NAME_MAX];
	struct callroute_build_group *g =
			callroute_new_row(b, &b->groups, sizeof *g, table, id);

	if(g == NULL)
		return -ENOMEM;
	g->out.strategy = (uint8_t)tg_row_word(
			&b->check, table, id, "strategy", strategy, strategies);
	if(callroute_take_name(b, table, id, name, cut) < 0
			|| callroute_keep_column(b, table, id, "tenant", tenant,
					   CALLROUTE_NAME_MAX - 1, &g->out.tenant)
					   < 0)
		return -ENOMEM;
	return callroute_keep_text(b, cut, &g->out.name);
}

/* Checks the target of a member or a DID: a URI with or without a user. */
static const char *target_fault(const char *uri)
{
	const char *host = strncmp(uri, "sips:", 5) == 0  ? uri + 5
					   : strncmp(uri, "sip:", 4) == 0 ? uri + 4
													  : NULL;

	if(host == NULL)
		return "does not start with sip: or sips:";
	if(*host == '\0' || strlen(uri) >= CALLROUTE_URI_MAX)
		return "is empty or too long";
	for(const char *p = host; *p; p++) {
		if(!isgraph((unsigned char)*p) || strchr("<>\"\\^`{|}", *p) != NULL)
			return "has a character that no URI may have";
	}
	return NULL;
}

static uint32_t number(struct callroute_builder *b, const char *table,
		long long id, const char *column, long long value, long long lo,
		long long hi)
{
	return tg_row_range(&b->check, table, id, column, value, lo, hi)
				   ? (uint32_t)value
				   : 0;
}

int callroute_add_member(
		struct callroute_builder *b, const struct callroute_member_row *row)
{
	static const char table[] = "callroute_member";
	struct callroute_build_member *m =
			callroute_new_row(b, &b->members, sizeof *m, table, row->id);
	const char *fault = target_fault(row->uri);

	if(m == NULL)
		return -ENOMEM;
	m->group =
			callroute_refer(b, &b->groups, sizeof(struct callroute_build_group),
					table, row->id, "group_id", row->group_id, 0);
	m->out.id = (uint32_t)row->id;
	m->out.time = time_of(b, table, row->id, row->time_id);
	m->out.priority = (uint16_t)number(
			b, table, row->id, "priority", row->priority, 0, UINT16_MAX);
	m->out.weight = (uint16_t)number(
			b, table, row->id, "weight", row->weight, 0, UINT16_MAX);
	m->out.ring_timeout_ms = number(b, table, row->id, "ring_timeout_ms",
			row->ring_timeout_ms, 1000, 600000);
	if(fault != NULL)
		tg_row_bad(&b->check, "%s id %lld: uri = '%s' %s", table, row->id,
				row->uri, fault);
	if(callroute_keep_text(b, row->uri, &m->out.uri) < 0)
		return -ENOMEM;
	/* A disabled row is checked like any other, and then left out. */
	if(!row->enabled)
		b->members.count--;
	return 0;
}

/* --- DIDs ----------------------------------------------------------------- */

static int is_digits(const char *text, size_t most)
{
	size_t len = strlen(text);

	return len > 0 && len <= most && text[strspn(text, "0123456789")] == '\0';
}

static int check_target(struct callroute_builder *b, const char *table,
		const struct callroute_did_row *row, struct callroute_did *d)
{
	const char *fault = NULL;

	d->group = CALLROUTE_NONE;
	switch((enum callroute_target_type)d->type) {
		case CALLROUTE_TO_URI:
			fault = target_fault(row->target);
			break;
		case CALLROUTE_TO_NUMBER:
			if(!is_digits(row->target, CALLROUTE_NUMBER_MAX))
				fault = "is not 1 to 32 digits";
			break;
		case CALLROUTE_TO_USER:
			if(row->target[0] == '\0'
					|| row->target[strcspn(row->target, " <>\"\\:;?")] != '\0')
				fault = "is no user or user@domain";
			break;
		case CALLROUTE_TO_GROUP:
			if(callroute_find_named(b, CALLROUTE_NAMED_GROUP, row->target,
					   strlen(row->target), &d->group)
					< 0)
				return -ENOMEM;
			if(d->group == CALLROUTE_NONE)
				fault = "is no hunt group";
			break;
		case CALLROUTE_TO_REJECT:
			break;
	}
	if(fault != NULL)
		tg_row_bad(&b->check, "%s id %lld: target = '%s' %s", table, row->id,
				row->target, fault);
	return 0;
}

int callroute_add_did(
		struct callroute_builder *b, const struct callroute_did_row *row)
{
	static const char *const types[] = {
			"user", "uri", "group", "number", "reject", NULL};
	static const char table[] = "callroute_did";
	struct callroute_build_did *d =
			callroute_new_row(b, &b->dids, sizeof *d, table, row->id);

	if(d == NULL)
		return -ENOMEM;
	d->out.id = (uint32_t)row->id;
	d->out.time = time_of(b, table, row->id, row->time_id);
	d->out.priority = (uint16_t)number(
			b, table, row->id, "priority", row->priority, 0, UINT16_MAX);
	d->out.type = (uint8_t)tg_row_word(
			&b->check, table, row->id, "target_type", row->target_type, types);
	if(check_target(b, table, row, &d->out) < 0)
		return -ENOMEM;
	if(!is_digits(row->number, CALLROUTE_NUMBER_MAX))
		tg_row_bad(&b->check, "%s id %lld: number = '%s' is not 1 to %d digits",
				table, row->id, row->number, CALLROUTE_NUMBER_MAX);
	if(callroute_keep_text(b, row->number, &d->out.number) < 0
			|| callroute_keep_column(b, table, row->id, "tenant", row->tenant,
					   CALLROUTE_NAME_MAX - 1, &d->out.tenant)
					   < 0)
		return -ENOMEM;
	return callroute_keep_column(b, table, row->id, "target", row->target,
			CALLROUTE_URI_MAX - 1, &d->out.target);
}

int callroute_add_ported(struct callroute_builder *b, long long id,
		const char *number_text, const char *routing_number)
{
	static const char table[] = "callroute_lnp";
	struct callroute_build_ported *r =
			callroute_new_row(b, &b->ported, sizeof *r, table, id);

	if(r == NULL)
		return -ENOMEM;
	r->out.number = callroute_pack_digits(number_text, strlen(number_text));
	r->out.routing_number =
			callroute_pack_digits(routing_number, strlen(routing_number));
	if(r->out.number == 0)
		tg_row_bad(&b->check, "%s id %lld: number = '%s' is not 1 to 15 digits",
				table, id, number_text);
	if(r->out.routing_number == 0)
		tg_row_bad(&b->check,
				"%s id %lld: routing_number = '%s' is not 1 to 15 digits",
				table, id, routing_number);
	return 0;
}

/* --- order ---------------------------------------------------------------- */

/* The texts, for the comparison while qsort runs. */
static _Thread_local const char *sorted_texts;

static int by_number(const void *a, const void *b)
{
	const struct callroute_build_did *x = a, *y = b;
	int d = strcmp(sorted_texts + x->out.number, sorted_texts + y->out.number);

	if(d == 0)
		d = (int)x->out.priority - (int)y->out.priority;
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

static int by_block(const void *a, const void *b)
{
	const struct callroute_build_block *x = a, *y = b;
	int d = (int)x->is_src - (int)y->is_src;

	if(d == 0)
		d = callroute_compare_packed(&x->prefix, &y->prefix);
	if(d == 0 && x->out.plan != y->out.plan)
		d = x->out.plan < y->out.plan ? -1 : 1;
	return d != 0 ? d : x->id < y->id ? -1 : x->id > y->id;
}

static int by_ported(const void *a, const void *b)
{
	const struct callroute_build_ported *x = a, *y = b;

	return x->out.number < y->out.number ? -1 : x->out.number > y->out.number;
}

static int by_group(const void *a, const void *b)
{
	const struct callroute_build_member *x = a, *y = b;

	if(x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if(x->out.priority != y->out.priority)
		return (int)x->out.priority - (int)y->out.priority;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Members are sorted by group. A URI that is in a group twice would ring
 * twice. */
static void check_members(struct callroute_builder *b)
{
	const struct callroute_build_member *m = b->members.rows;
	const char *texts = b->texts.rows;

	for(size_t i = 1; i < b->members.count; i++) {
		for(size_t j = i; j-- > 0 && m[j].group == m[i].group
						  && i - j <= CALLROUTE_MEMBERS_MAX;) {
			if(strcmp(texts + m[j].out.uri, texts + m[i].out.uri) == 0)
				tg_row_bad(&b->check,
						"callroute_member id %lld: uri '%s' stands in its "
						"group twice (id %lld)",
						m[i].id, texts + m[i].out.uri, m[j].id);
		}
	}
}

/* Blocks are sorted by side, prefix and plan. */
static void check_blocks(struct callroute_builder *b)
{
	const struct callroute_build_block *r = b->blocks.rows;

	for(size_t i = 1; i < b->blocks.count; i++) {
		if(r[i].is_src == r[i - 1].is_src && r[i].out.plan == r[i - 1].out.plan
				&& callroute_compare_packed(&r[i].prefix, &r[i - 1].prefix)
						   == 0)
			tg_row_bad(&b->check,
					"callroute_block id %lld: its list, side and prefix stand "
					"there twice (id %lld)",
					r[i].id, r[i - 1].id);
	}
}

static void check_doubles(struct callroute_builder *b)
{
	const struct callroute_build_ported *p = b->ported.rows;
	const struct callroute_build_did *d = b->dids.rows;

	for(size_t i = 1; i < b->ported.count; i++) {
		if(p[i].out.number == p[i - 1].out.number && p[i].out.number != 0)
			tg_row_bad(&b->check,
					"callroute_lnp id %lld: the number stands "
					"there twice (id %lld)",
					p[i].id, p[i - 1].id);
	}
	/* After a row that always holds, a row of the same number is never used. */
	for(size_t i = 1; i < b->dids.count; i++) {
		if(strcmp(sorted_texts + d[i].out.number,
				   sorted_texts + d[i - 1].out.number)
						== 0
				&& d[i - 1].out.time == CALLROUTE_NONE)
			tg_row_bad(&b->check,
					"callroute_did id %lld: never reached, id "
					"%lld of the same number always holds",
					d[i].id, d[i - 1].id);
	}
}

static void sort(struct callroute_rows *t, size_t size,
		int (*cmp)(const void *, const void *))
{
	if(t->count > 1)
		qsort(t->rows, t->count, size, cmp);
}

void callroute_finish_inbound(struct callroute_builder *b)
{
	struct callroute_build_group *g = b->groups.rows;
	struct callroute_build_member *m = b->members.rows;

	sorted_texts = b->texts.rows;
	sort(&b->dids, sizeof(struct callroute_build_did), by_number);
	sort(&b->ported, sizeof(struct callroute_build_ported), by_ported);
	check_doubles(b);
	sort(&b->blocks, sizeof(struct callroute_build_block), by_block);
	check_blocks(b);
	sort(&b->members, sizeof *m, by_group);
	check_members(b);
	for(size_t i = 0; i < b->groups.count; i++)
		g[i].out.first = g[i].out.count = 0;
	for(size_t i = 0; i < b->members.count; i++) {
		if(m[i].group == CALLROUTE_NONE)
			continue;
		if(g[m[i].group].out.count++ == 0)
			g[m[i].group].out.first = (uint32_t)i;
		if(g[m[i].group].out.count == CALLROUTE_MEMBERS_MAX + 1)
			tg_row_bad(&b->check,
					"callroute_member id %lld: more than %d in "
					"its group",
					m[i].id, CALLROUTE_MEMBERS_MAX);
	}
	sorted_texts = NULL;
}

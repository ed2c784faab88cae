/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/build/rules.h"
#include "fraudguard/live/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rules[] = "fraudguard_rule";

void fraudguard_build_start(struct fraudguard_builder *b,
		struct fraudguard_image *im, tg_complain_f complain, void *arg)
{
	*b = (struct fraudguard_builder){
			.im = im, .check = {.complain = complain, .arg = arg}};
	memset(im, 0, sizeof *im);
}

/* Reads what the rule is for: "*", an account, or an address as it is
 * counted. */
static void read_match(struct fraudguard_builder *b,
		const struct fraudguard_rule_row *row, struct fraudguard_rule *r)
{
	char key[FRAUDGUARD_KEY_MAX];
	const char *match = row->match;

	if(strcmp(match, "*") == 0)
		return;
	if(match[0] == '\0') {
		tg_row_bad(&b->check,
				"fraudguard_rule id %lld: match_key is empty (* means every "
				"one)",
				row->id);
		return;
	}
	if(r->metric == FRAUDGUARD_SOURCE_REQUESTS) {
		if(fraudguard_address_key(match, key) < 0) {
			tg_row_bad(&b->check,
					"fraudguard_rule id %lld: match_key = '%s' is no address "
					"that is counted (an IPv4 address, an IPv6 address or its "
					"/64)",
					row->id, match);
			return;
		}
		match = key + strlen("ip:");
	}
	tg_row_text(&b->check, rules, row->id, "match_key", match, 0, r->match,
			sizeof r->match);
}

void fraudguard_build_rule(
		struct fraudguard_builder *b, const struct fraudguard_rule_row *row)
{
	struct fraudguard_rule *r;
	uint8_t mode = (uint8_t)tg_row_word(
			&b->check, rules, row->id, "mode", row->mode, fraudguard_modes);

	if(strcmp(row->mode, fraudguard_modes[FRAUDGUARD_OFF]) == 0)
		return;
	if(b->im->rules == FRAUDGUARD_RULES_MAX) {
		tg_row_bad(&b->check, "fraudguard_rule id %lld: more than %d rules",
				row->id, FRAUDGUARD_RULES_MAX);
		return;
	}
	r = &b->im->rule[b->im->rules++];
	r->mode = mode;
	r->metric = (uint8_t)tg_row_word(&b->check, rules, row->id, "metric",
			row->metric, fraudguard_metrics);
	r->action = (uint8_t)tg_row_word(&b->check, rules, row->id, "action",
			row->action, fraudguard_actions);
	tg_row_text(&b->check, rules, row->id, "name", row->name, 1, r->name,
			sizeof r->name);
	tg_row_text(&b->check, rules, row->id, "reason", row->reason, 0, r->reason,
			sizeof r->reason);
	read_match(b, row, r);
	if(strpbrk(row->reason, "\r\n") != NULL)
		tg_row_bad(&b->check,
				"fraudguard_rule id %lld: reason has a line break", row->id);
	if(tg_row_range(&b->check, rules, row->id, "threshold", row->threshold, 0,
			   1000000))
		r->threshold = (uint32_t)row->threshold;
	if(r->metric != FRAUDGUARD_CONCURRENT_CALLS
			&& tg_row_range(&b->check, rules, row->id, "window_sec",
					row->window_sec, 1, 7 * 86400))
		r->window_sec = (uint32_t)row->window_sec;
	if(r->action == FRAUDGUARD_BAN
			&& tg_row_range(&b->check, rules, row->id, "ban_sec", row->ban_sec,
					1, 366 * 86400))
		r->ban_sec = (uint32_t)row->ban_sec;
	if(r->action != FRAUDGUARD_REFUSE && r->action != FRAUDGUARD_BAN)
		return;
	if(row->reason[0] == '\0')
		tg_row_bad(
				&b->check, "fraudguard_rule id %lld: reason is empty", row->id);
	if(tg_row_range(&b->check, rules, row->id, "code", row->code, 400, 699))
		r->code = (uint16_t)row->code;
}

void fraudguard_build_allow(struct fraudguard_builder *b, long long id,
		const char *kind, const char *value)
{
	struct fraudguard_image *im = b->im;

	if(strcmp(kind, "ip") == 0) {
		if(im->nets == FRAUDGUARD_ALLOW_MAX)
			tg_row_bad(&b->check,
					"fraudguard_allow id %lld: more than %d networks", id,
					FRAUDGUARD_ALLOW_MAX);
		else if(fraudguard_parse_net(value, &im->net[im->nets]) < 0)
			tg_row_bad(&b->check,
					"fraudguard_allow id %lld: value = '%s' is no address and "
					"no "
					"network (192.0.2.0/24)",
					id, value);
		else
			im->nets++;
	} else if(strcmp(kind, "account") == 0) {
		if(im->accounts == FRAUDGUARD_ALLOW_MAX)
			tg_row_bad(&b->check,
					"fraudguard_allow id %lld: more than %d accounts", id,
					FRAUDGUARD_ALLOW_MAX);
		else if(value[0] == '\0' || strlen(value) >= FRAUDGUARD_MATCH_MAX)
			tg_row_bad(&b->check,
					"fraudguard_allow id %lld: value is empty or too long", id);
		else
			snprintf(im->account[im->accounts++], FRAUDGUARD_MATCH_MAX, "%s",
					value);
	} else {
		tg_row_bad(&b->check,
				"fraudguard_allow id %lld: kind = '%s' is not ip or account",
				id, kind);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct fraudguard_rule *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_metric(const void *a, const void *b)
{
	const struct fraudguard_rule *x = a, *y = b;

	return x->metric != y->metric ? x->metric - y->metric : by_name(a, b);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int fraudguard_build_finish(struct fraudguard_builder *b, int64_t now)
{
	struct fraudguard_image *im = b->im;

	qsort(im->account, im->accounts, sizeof im->account[0], by_text);
	qsort(im->rule, im->rules, sizeof im->rule[0], by_name);
	for(uint32_t i = 1; i < im->rules; i++) {
		if(strcmp(im->rule[i].name, im->rule[i - 1].name) == 0)
			tg_row_bad(&b->check,
					"fraudguard_rule name = '%s' stands there twice",
					im->rule[i].name);
	}
	if(b->check.bad > 0)
		return -EBADMSG;
	if(im->rules == 0)
		return -ENODATA;
	qsort(im->rule, im->rules, sizeof im->rule[0], by_metric);
	for(uint32_t i = 0, m = 0; m <= FRAUDGUARD_METRICS; m++) {
		while(i < im->rules && im->rule[i].metric < m)
			i++;
		im->first[m] = i;
	}
	im->magic = FRAUDGUARD_IMAGE_MAGIC;
	im->loaded_at = now;
	return 0;
}

void fraudguard_build_defaults(struct fraudguard_builder *b)
{
	const struct fraudguard_rule_row flood = {.name = "source-flood",
			.metric = "source_requests",
			.match = "*",
			.threshold = 30,
			.window_sec = 2,
			.action = "drop",
			.reason = "",
			.mode = "enforce"};

	fraudguard_build_rule(b, &flood);
}

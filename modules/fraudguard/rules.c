/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPLAINTS_MAX 20

static const char *const metrics[] = {
		"source_requests", "call_attempts", "concurrent_calls", NULL};
static const char *const actions[] = {"log", "refuse", "drop", "ban", NULL};
static const char *const modes[] = {"off", "shadow", "enforce", NULL};

const char *fraudguard_metric_name(int metric)
{
	return metrics[metric];
}

const char *fraudguard_action_name(int action)
{
	return actions[action];
}

const char *fraudguard_mode_name(int mode)
{
	return modes[mode];
}

void fraudguard_build_start(struct fraudguard_builder *b,
		struct fraudguard_image *im, fraudguard_complain_f complain, void *arg)
{
	*b = (struct fraudguard_builder){
			.im = im, .complain = complain, .arg = arg};
	memset(im, 0, sizeof *im);
}

__attribute__((format(printf, 2, 3))) static void bad(
		struct fraudguard_builder *b, const char *format, ...)
{
	char line[512];
	va_list ap;

	if(++b->bad > COMPLAINTS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	b->complain(b->arg, line);
}

static uint8_t one_of(struct fraudguard_builder *b, long long id,
		const char *column, const char *text, const char *const *words)
{
	for(uint8_t i = 0; words[i] != NULL; i++) {
		if(strcmp(text, words[i]) == 0)
			return i;
	}
	bad(b, "fraudguard_rule id %lld: %s = '%s' is unknown (%s, %s, ...)", id,
			column, text, words[0], words[1]);
	return 0;
}

static long long in_range(struct fraudguard_builder *b, long long id,
		const char *column, long long value, long long lo, long long hi)
{
	if(value >= lo && value <= hi)
		return value;
	bad(b, "fraudguard_rule id %lld: %s = %lld is not in %lld to %lld", id,
			column, value, lo, hi);
	return lo;
}

static void copy_text(struct fraudguard_builder *b, long long id,
		const char *column, const char *text, char *out, size_t size)
{
	if(strlen(text) >= size)
		bad(b, "fraudguard_rule id %lld: %s is longer than %zu characters", id,
				column, size - 1);
	snprintf(out, size, "%s", text);
}

void fraudguard_build_rule(
		struct fraudguard_builder *b, const struct fraudguard_rule_row *row)
{
	struct fraudguard_rule *r;
	uint8_t mode = one_of(b, row->id, "mode", row->mode, modes);

	if(mode == FRAUDGUARD_OFF)
		return;
	if(b->im->rules == FRAUDGUARD_RULES_MAX) {
		bad(b, "fraudguard_rule id %lld: more than %d rules", row->id,
				FRAUDGUARD_RULES_MAX);
		return;
	}
	r = &b->im->rule[b->im->rules++];
	r->mode = mode;
	r->metric = one_of(b, row->id, "metric", row->metric, metrics);
	r->action = one_of(b, row->id, "action", row->action, actions);
	if(row->name[0] == '\0')
		bad(b, "fraudguard_rule id %lld: name is empty", row->id);
	copy_text(b, row->id, "name", row->name, r->name, sizeof r->name);
	copy_text(b, row->id, "reason", row->reason, r->reason, sizeof r->reason);
	if(strcmp(row->match, "*") != 0)
		copy_text(
				b, row->id, "match_key", row->match, r->match, sizeof r->match);
	if(strpbrk(row->reason, "\r\n") != NULL)
		bad(b, "fraudguard_rule id %lld: reason has a line break", row->id);
	r->threshold = (uint32_t)in_range(
			b, row->id, "threshold", row->threshold, 0, 1000000);
	if(r->metric != FRAUDGUARD_CONCURRENT_CALLS)
		r->window_sec = (uint32_t)in_range(
				b, row->id, "window_sec", row->window_sec, 1, 7 * 86400);
	if(r->action == FRAUDGUARD_BAN)
		r->ban_sec = (uint32_t)in_range(
				b, row->id, "ban_sec", row->ban_sec, 1, 366 * 86400);
	if(r->action == FRAUDGUARD_REFUSE || r->action == FRAUDGUARD_BAN)
		r->code = (uint16_t)in_range(b, row->id, "code", row->code, 400, 699);
}

int fraudguard_parse_net(const char *text, struct fraudguard_net *out)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	long bits, most, shift;
	char *end;

	if(len >= sizeof addr)
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(out, 0, sizeof *out);
	if(inet_pton(AF_INET6, addr, out->addr) == 1) {
		most = 128;
		shift = 0;
	} else if(inet_pton(AF_INET, addr, out->addr + 12) == 1) {
		out->addr[10] = out->addr[11] = 0xff;
		most = 32;
		shift = 96;
	} else {
		return -EINVAL;
	}
	bits = most;
	if(slash != NULL) {
		bits = strtol(slash + 1, &end, 10);
		if(end == slash + 1 || *end != '\0' || bits < 0 || bits > most)
			return -EINVAL;
	}
	out->bits = (uint8_t)(bits + shift);
	return 0;
}

void fraudguard_build_allow(struct fraudguard_builder *b, long long id,
		const char *kind, const char *value)
{
	struct fraudguard_image *im = b->im;

	if(strcmp(kind, "ip") == 0) {
		if(im->nets == FRAUDGUARD_ALLOW_MAX)
			bad(b, "fraudguard_allow id %lld: more than %d networks", id,
					FRAUDGUARD_ALLOW_MAX);
		else if(fraudguard_parse_net(value, &im->net[im->nets]) < 0)
			bad(b,
					"fraudguard_allow id %lld: value = '%s' is no address and "
					"no "
					"network (192.0.2.0/24)",
					id, value);
		else
			im->nets++;
	} else if(strcmp(kind, "account") == 0) {
		if(im->accounts == FRAUDGUARD_ALLOW_MAX)
			bad(b, "fraudguard_allow id %lld: more than %d accounts", id,
					FRAUDGUARD_ALLOW_MAX);
		else if(value[0] == '\0' || strlen(value) >= FRAUDGUARD_MATCH_MAX)
			bad(b, "fraudguard_allow id %lld: value is empty or too long", id);
		else
			snprintf(im->account[im->accounts++], FRAUDGUARD_MATCH_MAX, "%s",
					value);
	} else {
		bad(b, "fraudguard_allow id %lld: kind = '%s' is not ip or account", id,
				kind);
	}
}

static int by_metric(const void *a, const void *b)
{
	const struct fraudguard_rule *x = a, *y = b;

	if(x->metric != y->metric)
		return x->metric - y->metric;
	return strcmp(x->name, y->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int fraudguard_build_finish(struct fraudguard_builder *b, int64_t now)
{
	struct fraudguard_image *im = b->im;

	qsort(im->rule, im->rules, sizeof im->rule[0], by_metric);
	qsort(im->account, im->accounts, sizeof im->account[0], by_text);
	for(uint32_t i = 1; i < im->rules; i++) {
		if(strcmp(im->rule[i].name, im->rule[i - 1].name) == 0)
			bad(b, "fraudguard_rule name = '%s' stands there twice",
					im->rule[i].name);
	}
	if(b->bad > 0)
		return -EBADMSG;
	if(im->rules == 0)
		return -ENODATA;
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

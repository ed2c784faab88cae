/*
 * Rows of carriers and trunks, and of what trunks refer to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"
#include "lib/calendar/calendar.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400)

int callroute_add_time(
		struct callroute_builder *b, const struct callroute_time_row *row)
{
	static const char table[] = "callroute_time";
	struct callroute_build_time *t =
			callroute_new_row(b, &b->times, sizeof *t, table, row->id);
	struct tg_calendar_row texts = {.tz = row->tz,
			.dtstart = row->dtstart,
			.duration = row->duration,
			.rrule = row->rrule,
			.exdate = row->exdate};
	struct tg_calendar_error error;
	int64_t from = b->now - DAY, till = b->now + CALLROUTE_CALENDAR_DAYS * DAY;
	int rc;

	if(t == NULL)
		return -ENOMEM;
	rc = tg_calendar_build(&texts, from, till, NULL, 0, &t->bytes, &error);
	if(rc == -ENOSPC) {
		t->calendar = malloc(t->bytes);
		if(t->calendar == NULL)
			return -ENOMEM;
		rc = tg_calendar_build(
				&texts, from, till, t->calendar, t->bytes, &t->bytes, &error);
	}
	if(rc == -ENOMEM)
		return rc;
	if(rc < 0)
		tg_row_bad(&b->check, "%s id %lld: %s%s%s", table, row->id, error.field,
				error.field[0] ? ": " : "", error.text);
	return 0;
}

static void take_codes(struct callroute_builder *b, const char *table,
		long long id, const char *text, struct callroute_codes *out)
{
	const char *bad;

	if(callroute_parse_codes(text, out, &bad) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: codes has '%s' where a code (300-699), a class "
				"(3xx-6xx) or ! before either must stand",
				table, id, bad);
}

int callroute_add_failover(struct callroute_builder *b, long long id,
		const char *name, const char *codes, const char *action)
{
	static const char *const actions[] = {
			"next", "other_carrier", "stop", NULL};
	static const char table[] = "callroute_failover";
	struct callroute_build_failover *f =
			callroute_new_row(b, &b->failovers, sizeof *f, table, id);

	if(f == NULL)
		return -ENOMEM;
	take_codes(b, table, id, codes, &f->codes);
	f->action = (uint8_t)tg_row_word(
			&b->check, table, id, "action", action, actions);
	return callroute_take_name(b, table, id, name, NULL);
}

int callroute_add_breaker(
		struct callroute_builder *b, const struct callroute_breaker_row *row)
{
	static const char table[] = "callroute_breaker";
	struct callroute_build_breaker *r =
			callroute_new_row(b, &b->breakers, sizeof *r, table, row->id);

	if(r == NULL)
		return -ENOMEM;
	take_codes(b, table, row->id, row->codes, &r->codes);
	if(tg_row_range(&b->check, table, row->id, "window_sec", row->window_sec, 1,
			   3600))
		r->config.window_us = (uint64_t)row->window_sec * 1000000;
	if(tg_row_range(&b->check, table, row->id, "min_calls", row->min_calls, 1,
			   1000000))
		r->config.min_calls = (uint32_t)row->min_calls;
	if(tg_row_range(&b->check, table, row->id, "open_at", row->open_at, 1, 100))
		r->config.open_at = (uint32_t)row->open_at;
	if(tg_row_range(&b->check, table, row->id, "half_open_after",
			   row->half_open_after, 1, 86400))
		r->config.half_open_after_us = (uint64_t)row->half_open_after * 1000000;
	return callroute_take_name(b, table, row->id, row->name, NULL);
}

static uint32_t take_limit(struct callroute_builder *b, const char *table,
		long long id, const char *column, long long value, long long max)
{
	return tg_row_range(&b->check, table, id, column, value, 0, max)
				   ? (uint32_t)value
				   : 0;
}

int callroute_add_carrier(
		struct callroute_builder *b, const struct callroute_carrier_row *row)
{
	static const char table[] = "callroute_carrier";
	struct callroute_build_carrier *c =
			callroute_new_row(b, &b->carriers, sizeof *c, table, row->id);

	if(c == NULL)
		return -ENOMEM;
	c->out.id = (uint32_t)row->id;
	c->out.enabled = row->enabled != 0;
	c->out.max_channels = take_limit(
			b, table, row->id, "max_channels", row->max_channels, 1000000);
	c->out.max_cps =
			take_limit(b, table, row->id, "max_cps", row->max_cps, 100000);
	return callroute_take_name(b, table, row->id, row->name, c->out.name);
}

/* --- trunks --------------------------------------------------------------- */

static const char *port_fault(const char *colon)
{
	size_t digits = strspn(colon + 1, "0123456789");
	long port = digits <= 5 ? strtol(colon + 1, NULL, 10) : 0;

	if(port < 1 || port > 65535 || strchr(";", colon[1 + digits]) == NULL)
		return "has a port that is not 1 to 65535";
	return NULL;
}

/* Checks a trunk's URI. It may have the parts scheme, host[:port] and
 * parameters (RFC 3261). The user part must be empty: the called number goes
 * there. */
static const char *uri_fault(const char *uri)
{
	const char *host = strncmp(uri, "sips:", 5) == 0  ? uri + 5
					   : strncmp(uri, "sip:", 4) == 0 ? uri + 4
													  : NULL;
	const char *end;

	if(host == NULL)
		return "does not start with sip: or sips:";
	if(*host == '\0' || *host == ';' || *host == ':' || *host == '?')
		return "has no host";
	if(strchr(host, '@') != NULL)
		return "has a user part (the called number goes there)";
	for(const char *p = host; *p; p++) {
		if(!isgraph((unsigned char)*p) || strchr("<>\"\\^`{|}", *p) != NULL)
			return "has a character that no URI may have";
	}
	if(strchr(host, '?') != NULL)
		return "has header fields, which no request URI may have";
	end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":;");
	if(end == NULL)
		return "has an IPv6 address without its ]";
	end += *end == ']';
	if(strchr(":;", *end) == NULL)
		return "has something other than a port behind its ]";
	return *end == ':' ? port_fault(end) : NULL;
}

/* Stores the URI, with the transport of the row. */
static void take_uri(struct callroute_builder *b, const char *table,
		const struct callroute_trunk_row *row, struct callroute_trunk *out)
{
	static const char *const transports[] = {
			"", "udp", "tcp", "tls", "ws", "wss", "sctp", NULL};
	const char *fault = uri_fault(row->uri);
	int transport = tg_row_word(
			&b->check, table, row->id, "transport", row->transport, transports);
	char uri[CALLROUTE_URI_MAX + 32];

	if(row->uri[0] == '\0' || strlen(row->uri) >= CALLROUTE_URI_MAX) {
		tg_row_text(&b->check, table, row->id, "uri", row->uri, 1, out->uri,
				sizeof out->uri);
		return;
	}
	if(fault != NULL)
		tg_row_bad(&b->check, "%s id %lld: uri = '%s' %s", table, row->id,
				row->uri, fault);
	if(transport > 0 && strcasestr(row->uri, ";transport=") != NULL)
		tg_row_bad(&b->check,
				"%s id %lld: uri = '%s' has a transport already, and the "
				"column says %s",
				table, row->id, row->uri, row->transport);
	snprintf(uri, sizeof uri, "%s%s%s", row->uri,
			transport > 0 ? ";transport=" : "", transports[transport]);
	tg_row_text(&b->check, table, row->id, "uri", uri, 1, out->uri,
			sizeof out->uri);
}

static void take_rewrite(struct callroute_builder *b, const char *table,
		long long id, const char *column, const char *text,
		struct callroute_rewrite *out)
{
	const char *bad = text;

	if(callroute_rewrite_parse(text, out, &bad) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: %s has '%s' where from>to must stand (digits, * "
				"#, + in front of to; 8 of them at most)",
				table, id, column, bad);
}

static void take_numbers(struct callroute_builder *b, const char *table,
		const struct callroute_trunk_row *row, struct callroute_trunk *t)
{
	if(tg_row_range(&b->check, table, row->id, "strip", row->strip, 0,
			   CALLROUTE_NUMBER_MAX))
		t->strip = (uint8_t)row->strip;
	if(tg_row_range(&b->check, table, row->id, "try_timeout_ms",
			   row->try_timeout_ms, 100, 60000))
		t->try_timeout_ms = (uint32_t)row->try_timeout_ms;
	if(tg_row_range(&b->check, table, row->id, "ring_timeout_ms",
			   row->ring_timeout_ms, 1000, 600000))
		t->ring_timeout_ms = (uint32_t)row->ring_timeout_ms;
	t->max_channels = take_limit(
			b, table, row->id, "max_channels", row->max_channels, 1000000);
	t->max_cps = take_limit(b, table, row->id, "max_cps", row->max_cps, 100000);
	t->probe_interval = take_limit(
			b, table, row->id, "probe_interval", row->probe_interval, 3600);
	if(tg_row_range(&b->check, table, row->id, "down_after", row->down_after, 1,
			   100))
		t->down_after = (uint8_t)row->down_after;
	if(tg_row_range(
			   &b->check, table, row->id, "up_after", row->up_after, 1, 100))
		t->up_after = (uint8_t)row->up_after;
}

static void take_references(struct callroute_builder *b, const char *table,
		const struct callroute_trunk_row *row, struct callroute_trunk *t)
{
	const struct callroute_build_failover *failovers = b->failovers.rows;
	const struct callroute_build_breaker *breakers = b->breakers.rows;
	uint32_t f = callroute_refer(b, &b->failovers, sizeof *failovers, table,
			row->id, "failover_id", row->failover_id, 1);
	uint32_t r = callroute_refer(b, &b->breakers, sizeof *breakers, table,
			row->id, "breaker_id", row->breaker_id, 1);

	t->carrier = callroute_refer(b, &b->carriers,
			sizeof(struct callroute_build_carrier), table, row->id,
			"carrier_id", row->carrier_id, 0);
	if(f != CALLROUTE_NONE) {
		t->failover = failovers[f].codes;
		t->failover_action = failovers[f].action;
	} else {
		callroute_parse_codes("5xx,408", &t->failover, NULL);
	}
	if(r != CALLROUTE_NONE) {
		t->has_breaker = 1;
		t->breaker = breakers[r].config;
		t->breaker_codes = breakers[r].codes;
	}
}

int callroute_add_trunk(
		struct callroute_builder *b, const struct callroute_trunk_row *row)
{
	static const char *const states[] = {"up", "drain", "down", NULL};
	static const char *const medias[] = {"rtp", "sdes", "dtls", NULL};
	static const char *const clis[] = {"pass", "assert", "hide", "strip", NULL};
	static const char table[] = "callroute_trunk";
	struct callroute_build_trunk *row_out =
			callroute_new_row(b, &b->trunks, sizeof *row_out, table, row->id);
	struct callroute_trunk *t;
	int slot;

	if(row_out == NULL)
		return -ENOMEM;
	t = &row_out->out;
	t->id = (uint32_t)row->id;
	if(callroute_take_name(b, table, row->id, row->name, t->name) < 0)
		return -ENOMEM;
	take_uri(b, table, row, t);
	tg_row_text(&b->check, table, row->id, "socket", row->socket, 0, t->socket,
			sizeof t->socket);
	tg_row_text(&b->check, table, row->id, "prefix", row->prefix, 0, t->prefix,
			sizeof t->prefix);
	if(t->prefix[strspn(t->prefix, "+0123456789*#")] != '\0')
		tg_row_bad(&b->check,
				"%s id %lld: prefix = '%s' has other symbols than + 0-9 * #",
				table, row->id, row->prefix);
	take_rewrite(b, table, row->id, "dst_rewrite", row->dst_rewrite,
			&t->dst_rewrite);
	take_rewrite(b, table, row->id, "src_rewrite", row->src_rewrite,
			&t->src_rewrite);
	take_numbers(b, table, row, t);
	take_references(b, table, row, t);
	t->state = (uint8_t)tg_row_word(
			&b->check, table, row->id, "admin_state", row->admin_state, states);
	t->media = (uint8_t)tg_row_word(
			&b->check, table, row->id, "media", row->media, medias);
	t->cli = (uint8_t)tg_row_word(
			&b->check, table, row->id, "cli_policy", row->cli_policy, clis);
	if(callroute_keep_column(b, table, row->id, "codecs", row->codecs,
			   CALLROUTE_CODECS_MAX - 1, &t->codecs)
			< 0)
		return -ENOMEM;
	slot = callroute_live_slot(b->live, t->id);
	if(slot < 0)
		tg_row_bad(&b->check,
				"%s id %lld: no room for its live state: raise modparam "
				"max_trunks",
				table, row->id);
	else
		t->live = (uint32_t)slot;
	return callroute_keep_addr(b, t, (uint32_t)b->trunks.count - 1);
}

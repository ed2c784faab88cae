/*
 * Rows in: checks one row at a time. References between rows and the image
 * itself are in build_image.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build_rows.h"
#include "callroute/callroute.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct callroute_builder *callroute_builder_new(
		tg_complain_f complain, void *arg)
{
	struct callroute_builder *b = calloc(1, sizeof *b);

	if(b != NULL) {
		b->check.complain = complain;
		b->check.arg = arg;
	}
	return b;
}

void callroute_builder_free(struct callroute_builder *b)
{
	if(b == NULL)
		return;
	free(b->carriers.rows);
	free(b->decks.rows);
	free(b->trunks.rows);
	free(b->rates.rows);
	free(b->plans.rows);
	free(b->entries.rows);
	free(b);
}

void callroute_builder_reject(struct callroute_builder *b, const char *line)
{
	tg_row_bad(&b->check, "%s", line);
}

/* Room for one more row of `size` bytes, zeroed; NULL when there is none. */
static void *grow(struct callroute_table *t, size_t size)
{
	if(t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		void *rows = realloc(t->rows, room * size);

		if(rows == NULL)
			return NULL;
		t->rows = rows;
		t->room = room;
	}
	return memset((char *)t->rows + t->count++ * size, 0, size);
}

int callroute_add_carrier(struct callroute_builder *b, long long id,
		const char *name, int enabled)
{
	struct callroute_carrier *c = grow(&b->carriers, sizeof *c);

	if(c == NULL)
		return -ENOMEM;
	c->id = id;
	c->enabled = enabled;
	tg_row_text(&b->check, "callroute_carrier", id, "name", name, 1, c->name,
			sizeof c->name);
	return 0;
}

int callroute_add_deck(struct callroute_builder *b, long long id,
		const char *name, const char *currency, int enabled)
{
	struct callroute_deck *d = grow(&b->decks, sizeof *d);

	if(d == NULL)
		return -ENOMEM;
	d->id = id;
	d->enabled = enabled;
	tg_row_range(&b->check, "callroute_deck", id, "id", id, 1, UINT32_MAX);
	tg_row_text(&b->check, "callroute_deck", id, "name", name, 1, d->name,
			sizeof d->name);
	tg_row_text(&b->check, "callroute_deck", id, "currency", currency, 1,
			d->currency, sizeof d->currency);
	return 0;
}

static const char *port_fault(const char *colon)
{
	size_t digits = strspn(colon + 1, "0123456789");
	long port = digits <= 5 ? strtol(colon + 1, NULL, 10) : 0;

	if(port < 1 || port > 65535 || strchr(";", colon[1 + digits]) == NULL)
		return "has a port that is not 1 to 65535";
	return NULL;
}

/* The part of RFC 3261's URI that a trunk may have: scheme, host[:port],
 * parameters. The user part is the called number's place. */
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

int callroute_add_trunk(
		struct callroute_builder *b, const struct callroute_trunk_row *row)
{
	static const char *const states[] = {"up", "drain", "down", NULL};
	static const char *const medias[] = {"rtp", "sdes", "dtls", NULL};
	static const char table[] = "callroute_trunk";
	struct callroute_build_trunk *t = grow(&b->trunks, sizeof *t);
	const char *fault = uri_fault(row->uri), *word;

	if(t == NULL)
		return -ENOMEM;
	t->carrier_id = row->carrier_id;
	t->out.id = (uint32_t)row->id;
	tg_row_range(&b->check, table, row->id, "id", row->id, 1, UINT32_MAX);
	tg_row_text(&b->check, table, row->id, "name", row->name, 1, t->out.name,
			sizeof t->out.name);
	tg_row_text(&b->check, table, row->id, "uri", row->uri, 1, t->out.uri,
			sizeof t->out.uri);
	if(fault != NULL && row->uri[0] != '\0')
		tg_row_bad(&b->check, "%s id %lld: uri = '%s' %s", table, row->id,
				row->uri, fault);
	tg_row_text(&b->check, table, row->id, "socket", row->socket, 0,
			t->out.socket, sizeof t->out.socket);
	tg_row_text(&b->check, table, row->id, "prefix", row->prefix, 0,
			t->out.prefix, sizeof t->out.prefix);
	if(t->out.prefix[strspn(t->out.prefix, "+0123456789*#")] != '\0')
		tg_row_bad(&b->check,
				"%s id %lld: prefix = '%s' has other symbols than + 0-9 * #",
				table, row->id, row->prefix);
	if(tg_row_range(&b->check, table, row->id, "strip", row->strip, 0,
			   CALLROUTE_NUMBER_MAX))
		t->out.strip = (uint8_t)row->strip;
	if(tg_row_range(&b->check, table, row->id, "try_timeout_ms",
			   row->try_timeout_ms, 0, 600000))
		t->out.try_timeout_ms = (uint32_t)row->try_timeout_ms;
	if(tg_row_range(&b->check, table, row->id, "ring_timeout_ms",
			   row->ring_timeout_ms, 0, 600000))
		t->out.ring_timeout_ms = (uint32_t)row->ring_timeout_ms;
	t->out.state = (uint8_t)tg_row_word(
			&b->check, table, row->id, "admin_state", row->admin_state, states);
	t->out.media = (uint8_t)tg_row_word(
			&b->check, table, row->id, "media", row->media, medias);
	if(callroute_parse_codes(row->failover_codes, &t->out.failover, &word) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: failover_codes has '%s' where a code (300-699), a "
				"class (3xx-6xx) or ! before either must stand",
				table, row->id, word);
	return 0;
}

int callroute_add_rate(
		struct callroute_builder *b, const struct callroute_rate_row *row)
{
	static const char table[] = "callroute_rate";
	struct callroute_build_rate *r = grow(&b->rates, sizeof *r);
	size_t len = strlen(row->prefix);

	if(r == NULL)
		return -ENOMEM;
	r->id = row->id;
	r->deck_id = row->deck_id;
	r->out.price = row->price;
	r->out.valid_from = row->valid_from;
	r->out.valid_till = row->valid_till ? row->valid_till : INT64_MAX;
	r->out.blocked = row->blocked != 0;
	tg_row_range(&b->check, table, row->id, "price", row->price, 0, INT64_MAX);
	if(r->out.valid_till <= r->out.valid_from)
		tg_row_bad(&b->check, "%s id %lld: valid_till is not after valid_from",
				table, row->id);
	/* A row whose prefix is an accident is no neighbour of the sound ones. */
	if(len == 0 && !row->is_default) {
		tg_row_bad(&b->check,
				"%s id %lld: empty prefix without is_default = 1 (it would "
				"match every number)",
				table, row->id);
		b->rates.count--;
		return 0;
	}
	if(len > TG_TRIE_MAX_DIGITS
			|| row->prefix[strspn(row->prefix, "0123456789*#")] != '\0') {
		tg_row_bad(&b->check,
				"%s id %lld: prefix = '%s' is not 0 to %d symbols of 0-9 * #",
				table, row->id, row->prefix, TG_TRIE_MAX_DIGITS);
		b->rates.count--;
		return 0;
	}
	r->len = (uint8_t)len;
	memcpy(r->prefix, row->prefix, len);
	return 0;
}

int callroute_add_plan(
		struct callroute_builder *b, const struct callroute_plan_row *row)
{
	static const char *const orders[] = {"price", "priority", NULL};
	static const char table[] = "callroute_plan";
	struct callroute_build_plan *p = grow(&b->plans, sizeof *p);

	if(p == NULL)
		return -ENOMEM;
	p->id = row->id;
	tg_row_text(&b->check, table, row->id, "name", row->name, 1, p->out.name,
			sizeof p->out.name);
	p->out.order = (uint8_t)tg_row_word(
			&b->check, table, row->id, "order_by", row->order_by, orders);
	if(tg_row_range(&b->check, table, row->id, "max_attempts",
			   row->max_attempts, 1, CALLROUTE_CANDIDATES))
		p->out.max_attempts = (uint8_t)row->max_attempts;
	return 0;
}

int callroute_add_entry(
		struct callroute_builder *b, const struct callroute_entry_row *row)
{
	static const char table[] = "callroute_plan_trunk";
	struct callroute_build_entry *e = grow(&b->entries, sizeof *e);

	if(e == NULL)
		return -ENOMEM;
	e->id = row->id;
	e->plan_id = row->plan_id;
	e->trunk_id = row->trunk_id;
	e->deck_id = row->deck_id;
	if(tg_row_range(
			   &b->check, table, row->id, "priority", row->priority, 0, 65535))
		e->out.priority = (uint16_t)row->priority;
	if(tg_row_range(&b->check, table, row->id, "weight", row->weight, 0, 65535))
		e->out.weight = (uint16_t)row->weight;
	return 0;
}

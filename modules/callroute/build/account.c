/*
 * Addresses and accounts: who sends calls, and how the senders dial.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses of trunks -------------------------------------------------- */

/* The default port of a URI (RFC 3261, 19.1.2). */
static uint32_t default_port(const char *uri)
{
	return strncmp(uri, "sips:", 5) == 0
						   || strcasestr(uri, ";transport=tls") != NULL
				   ? 5061
				   : 5060;
}

int callroute_keep_addr(struct callroute_builder *b,
		const struct callroute_trunk *t, uint32_t index)
{
	struct callroute_addr a = {.trunk = index}, *to;
	const char *host = strchr(t->uri, ':') ? strchr(t->uri, ':') + 1 : "";
	int bracket = *host == '[';
	size_t len = bracket ? strcspn(++host, "]") : strcspn(host, ":;");
	const char *end = host + len + (bracket && host[len] == ']');
	char text[INET6_ADDRSTRLEN];

	if(len >= sizeof text)
		return 0;
	memcpy(text, host, len);
	text[len] = '\0';
	if(!bracket && inet_pton(AF_INET, text, a.addr + 12) == 1)
		a.addr[10] = a.addr[11] = 0xff;
	else if(!bracket || inet_pton(AF_INET6, text, a.addr) != 1)
		return 0; /* a host name: it is not resolved here */
	a.port = *end == ':' ? (uint32_t)strtoul(end + 1, NULL, 10)
						 : default_port(t->uri);
	to = callroute_grow(&b->addrs, sizeof a, 1);
	if(to == NULL)
		return -ENOMEM;
	*to = a;
	return 0;
}

/* --- accounts ------------------------------------------------------------- */

/* Parses "192.0.2.0/24", "2001:db8::/32" or an address; no host bits may be
 * set. */
static const char *parse_net(const char *text, struct callroute_net *net)
{
	char addr[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	unsigned long bits, most;
	char *end;

	if(len >= sizeof addr)
		return "is no address or network";
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(net->addr, 0, sizeof net->addr);
	if(inet_pton(AF_INET, addr, net->addr + 12) == 1) {
		net->addr[10] = net->addr[11] = 0xff;
		most = 32;
	} else if(inet_pton(AF_INET6, addr, net->addr) == 1) {
		most = 128;
	} else {
		return "is no address or network";
	}
	bits = most;
	if(text[len] == '/') {
		bits = strtoul(text + len + 1, &end, 10);
		if(!isdigit((unsigned char)text[len + 1]) || *end != '\0'
				|| bits > most)
			return "has a mask that is not 0 to 32, or 128 for IPv6";
	}
	net->bits = (uint32_t)(128 - most + bits);
	for(uint32_t i = net->bits; i < 128; i++) {
		if(net->addr[i / 8] >> (7 - i % 8) & 1)
			return "has bits behind its mask: write the network's address";
	}
	return NULL;
}

static int take_net(struct callroute_builder *b, const char *table,
		const struct callroute_account_row *row)
{
	struct callroute_net *net = callroute_grow(&b->nets, sizeof *net, 1);
	const char *fault;

	if(net == NULL)
		return -ENOMEM;
	fault = parse_net(row->match_value, net);
	if(fault != NULL)
		tg_row_bad(&b->check, "%s id %lld: match_value = '%s' %s", table,
				row->id, row->match_value, fault);
	net->account = (uint32_t)b->accounts.count - 1;
	return 0;
}

/* How the account's users dial: the country's rules, then the columns of the
 * row that replace them. */
static void take_dialling(struct callroute_builder *b, const char *table,
		const struct callroute_account_row *row, struct callroute_account *a)
{
	const char *bad = NULL;

	tg_row_text(&b->check, table, row->id, "country", row->country, 0,
			a->country, sizeof a->country);
	if(a->country[0] != '\0'
			&& callroute_dialling_of(a->country, &a->dialling) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: country = '%s' is no country with a numbering "
				"plan "
				"(ISO 3166: DE)",
				table, row->id, row->country);
	if(row->intl_prefix[0] != '\0')
		tg_row_text(&b->check, table, row->id, "intl_prefix", row->intl_prefix,
				0, a->dialling.intl_prefix, sizeof a->dialling.intl_prefix);
	if(row->national_prefix[0] != '\0')
		tg_row_text(&b->check, table, row->id, "national_prefix",
				row->national_prefix, 0, a->dialling.national_prefix,
				sizeof a->dialling.national_prefix);
	if(callroute_dialling_check(&a->dialling, &bad) < 0)
		tg_row_bad(&b->check,
				"%s id %lld: intl_prefix or national_prefix has '%s', which is "
				"no dialling prefix",
				table, row->id, bad ? bad : "");
}

/* Domains are compared without case: both the row's domain and the request's
 * are changed to lower case. */
static void lower_domain(char *text)
{
	char *at = strchr(text, '@');

	for(char *p = at ? at : text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

int callroute_add_account(
		struct callroute_builder *b, const struct callroute_account_row *row)
{
	static const char *const types[] = {"user", "ip", "trunk", "domain", NULL};
	static const char *const clis[] = {"pass", "assert", "hide", "strip", NULL};
	static const char table[] = "callroute_account";
	struct callroute_build_account *r =
			callroute_new_row(b, &b->accounts, sizeof *r, table, row->id);
	struct callroute_account *a;
	char value[CALLROUTE_URI_MAX] = "";
	uint32_t trunk = CALLROUTE_NONE;

	if(r == NULL)
		return -ENOMEM;
	a = &r->out;
	a->id = (uint32_t)row->id;
	a->plan = callroute_refer(b, &b->plans, sizeof(struct callroute_build_plan),
			table, row->id, "plan_id", row->plan_id, 0);
	a->enabled = row->enabled != 0;
	a->match_type = (uint8_t)tg_row_word(
			&b->check, table, row->id, "match_type", row->match_type, types);
	a->cli = (uint8_t)tg_row_word(
			&b->check, table, row->id, "cli_policy", row->cli_policy, clis);
	if(tg_row_range(&b->check, table, row->id, "max_channels",
			   row->max_channels, 0, 1000000))
		a->max_channels = (uint32_t)row->max_channels;
	if(tg_row_range(
			   &b->check, table, row->id, "max_cps", row->max_cps, 0, 100000))
		a->max_cps = (uint32_t)row->max_cps;
	take_dialling(b, table, row, a);
	tg_row_text(&b->check, table, row->id, "match_value", row->match_value, 1,
			value, sizeof value);
	if(a->match_type == CALLROUTE_IP && take_net(b, table, row) < 0)
		return -ENOMEM;
	if(a->match_type == CALLROUTE_TRUNK
			&& callroute_find_named(
					   b, CALLROUTE_NAMED_TRUNK, value, strlen(value), &trunk)
					   < 0)
		return -ENOMEM;
	if(a->match_type == CALLROUTE_TRUNK && trunk == CALLROUTE_NONE)
		tg_row_bad(&b->check, "%s id %lld: match_value = '%s' is no trunk",
				table, row->id, value);
	if(a->match_type == CALLROUTE_DOMAIN || strchr(value, '@') != NULL)
		lower_domain(value);
	if(callroute_keep_column(b, table, row->id, "tenant", row->tenant,
			   CALLROUTE_NAME_MAX - 1, &a->tenant)
			< 0)
		return -ENOMEM;
	return callroute_keep_text(b, value, &a->value);
}

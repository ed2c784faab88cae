/*
 * Identity headers of a branch: what account and trunk want of them
 * (P-Asserted-Identity: RFC 3325; Privacy: RFC 3323). Runs on the branch's copy
 * of the request, so the next trunk finds what the caller sent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "core/data_lump.h"
#include "core/mem/mem.h"

#include <stdio.h>
#include <string.h>

/* Takes out every header of this name. */
static void remove_headers(sip_msg_t *msg, const char *name)
{
	size_t len = strlen(name);

	for(struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		if((size_t)h->name.len == len && strncasecmp(h->name.s, name, len) == 0
				&& del_lump(msg, (int)(h->name.s - msg->buf), h->len, 0)
						   == NULL)
			LM_ERR("cannot remove %s\n", name);
	}
}

static int has_header(sip_msg_t *msg, const char *name)
{
	size_t len = strlen(name);

	for(struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		if((size_t)h->name.len == len && strncasecmp(h->name.s, name, len) == 0)
			return 1;
	}
	return 0;
}

static void add_header(sip_msg_t *msg, const char *text)
{
	struct lump *anchor =
			anchor_lump(msg, (int)(msg->unparsed - msg->buf), 0, 0);
	size_t len = strlen(text);
	char *copy = anchor ? pkg_malloc(len) : NULL;

	if(copy == NULL) {
		LM_ERR("cannot add a header\n");
		return;
	}
	memcpy(copy, text, len);
	/* The lump owns the copy from here. */
	if(insert_new_lump_before(anchor, copy, (int)len, 0) == NULL) {
		pkg_free(copy);
		LM_ERR("cannot add a header\n");
	}
}

/* The host part of the trunk's URI, for the identity's domain. */
static str trunk_host(const struct callroute_trunk *t)
{
	char *host = strchr(t->uri, ':');
	str out = {"", 0};

	if(host == NULL)
		return out;
	out.s = host + 1;
	out.len = (int)(*out.s == '[' ? strcspn(out.s, "]") + 1
								  : strcspn(out.s, ":;"));
	return out;
}

void callroute_apply_cli(sip_msg_t *msg, const struct callroute_view *view)
{
	const struct callroute_attempt *a = &view->attempt;
	enum callroute_cli cli =
			view->trunk.cli > a->sender.cli ? view->trunk.cli : a->sender.cli;
	char cli_number[CALLROUTE_NUMBER_MAX + 17], line[320];
	str host = trunk_host(&view->trunk);
	int len;

	if(cli == CALLROUTE_CLI_PASS || parse_headers(msg, HDR_EOH_F, 0) < 0)
		return;
	remove_headers(msg, "P-Asserted-Identity");
	remove_headers(msg, "P-Preferred-Identity");
	remove_headers(msg, "Remote-Party-ID");
	if(cli == CALLROUTE_CLI_STRIP)
		return;
	len = a->src_len == 0
				  ? -1
				  : callroute_rewrite_apply(&view->trunk.src_rewrite, a->src,
						  a->src_len, cli_number, sizeof cli_number);
	if(len > 0) {
		/* E.164 stands with its '+' (RFC 3966) unless the trunk's rewriting
		 * has made something else of it. */
		snprintf(line, sizeof line,
				"P-Asserted-Identity: <sip:%s%.*s@%.*s>\r\n",
				view->trunk.src_rewrite.count == 0 ? "+" : "", len, cli_number,
				GLUE_STR(host));
		add_header(msg, line);
	}
	if(cli == CALLROUTE_CLI_HIDE && !has_header(msg, "Privacy"))
		add_header(msg, "Privacy: id\r\n");
}

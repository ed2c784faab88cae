/*
 * Identity headers of a branch: what account and trunk want of them
 * (P-Asserted-Identity: RFC 3325; Privacy: RFC 3323). Called by tm for each
 * branch with changes that are the branch's own, so the next trunk starts from
 * what the caller sent. The request's own changes (record_route, the script's)
 * stay. What an account asserts that is not believed goes to nobody, whatever
 * the policy.
 *
 * From is the script's: it is part of the dialog, and $callroute(cli) has what
 * the trunk wants. Failure mode: without memory a header is missing, said in
 * the log, and the call goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/identity.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/trunk.h"
#include "core/data_lump.h"
#include "core/mem/mem.h"

#include <stdio.h>
#include <string.h>

#define CALLROUTE_CLI_MAX (CALLROUTE_NUMBER_MAX + CALLROUTE_REWRITE_SYMBOLS + 1)

static int is_called(const struct hdr_field *h, const char *name)
{
	size_t len = strlen(name);

	return (size_t)h->name.len == len && strncasecmp(h->name.s, name, len) == 0;
}

/* Takes out every header of this name. */
static void remove_headers(sip_msg_t *msg, const char *name)
{
	for(struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		if(is_called(h, name)
				&& del_lump(msg, (int)(h->name.s - msg->buf), h->len, 0)
						   == NULL)
			LM_ERR("cannot remove %s\n", name);
	}
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

/* Whether the header's body has this word among its values. */
static int has_word(const str *body, const char *word)
{
	int len = (int)strlen(word), at = 0;

	while(at < body->len) {
		int end = at;

		while(end < body->len && strchr("; \t,", body->s[end]) == NULL)
			end++;
		if(end - at == len && strncasecmp(body->s + at, word, (size_t)len) == 0)
			return 1;
		at = end + 1;
	}
	return 0;
}

/* The Privacy header with the priv-value "id" first. What else the caller asked
 * for stays, whatever its length, but for "none", its opposite (RFC 3323, 4.2).
 * */
static int write_privacy(sip_msg_t *msg, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "Privacy: id");

	for(struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		if(!is_called(h, "Privacy") || has_word(&h->body, "none"))
			continue;
		if(at + (size_t)h->body.len + sizeof ";\r\n" > size)
			return -1;
		at += (size_t)snprintf(out + at, size - at, ";%.*s", GLUE_STR(h->body));
	}
	snprintf(out + at, size - at, "\r\n");
	return 0;
}

/* Asks that the asserted identity stay with those who trust each other (RFC
 * 3325, 9.3). */
static void add_privacy(sip_msg_t *msg)
{
	size_t size = sizeof "Privacy: id\r\n";
	char *line;

	for(struct hdr_field *h = msg->headers; h != NULL; h = h->next) {
		if(!is_called(h, "Privacy"))
			continue;
		if(has_word(&h->body, "id"))
			return;
		size += sizeof ";\r\n" + (size_t)h->body.len;
	}
	line = pkg_malloc(size);
	if(line == NULL || write_privacy(msg, line, size) < 0) {
		/* Its own wishes stay, and the identity is not asserted as private:
		 * say so, for the caller asked for the opposite. */
		LM_ERR("cannot add Privacy: id\n");
	} else {
		remove_headers(msg, "Privacy");
		add_header(msg, line);
	}
	if(line != NULL)
		pkg_free(line);
}

/* E.164 stands with its '+' (RFC 3966) unless the trunk's rewriting has made
 * something else of it. A caller without a number has no identity to assert. */
static void add_identity(sip_msg_t *msg, const struct callroute_view *view)
{
	const struct callroute_attempt *a = &view->attempt;
	const struct callroute_rewrite *r = &view->trunk.src_rewrite;
	char number[CALLROUTE_CLI_MAX], line[CALLROUTE_URI_MAX + 128];
	str host = trunk_host(&view->trunk);
	int len = callroute_rewrite_apply(
			r, a->src, a->src_len, number, sizeof number);

	if(len <= 0)
		return;
	snprintf(line, sizeof line, "P-Asserted-Identity: <sip:%s%.*s@%.*s>\r\n",
			r->count == 0 ? "+" : "", len, number, GLUE_STR(host));
	add_header(msg, line);
}

static enum callroute_cli policy(const struct callroute_view *view)
{
	enum callroute_cli own = view->attempt.sender.cli;

	return view->trunk.cli > own ? view->trunk.cli : own;
}

int callroute_touches_identity(const struct callroute_view *view)
{
	return view->attempt.forged || policy(view) != CALLROUTE_CLI_PASS;
}

void callroute_apply_cli(sip_msg_t *msg, const struct callroute_view *view)
{
	enum callroute_cli cli = policy(view);

	if(!callroute_touches_identity(view)
			|| parse_headers(msg, HDR_EOH_F, 0) < 0)
		return;
	remove_headers(msg, "P-Asserted-Identity");
	remove_headers(msg, "Remote-Party-ID");
	/* A wish (RFC 3325, 9.2), which anybody may have. */
	if(cli == CALLROUTE_CLI_PASS)
		return;
	remove_headers(msg, "P-Preferred-Identity");
	if(cli == CALLROUTE_CLI_STRIP)
		return;
	add_identity(msg, view);
	if(cli == CALLROUTE_CLI_HIDE)
		add_privacy(msg);
}

/* --- branch by branch
 * ---------------------------------------------------------- */

static void on_forwarded(struct cell *t, int type, struct tmcb_params *p)
{
	struct callroute_attempt a;
	struct callroute_view *view;

	if(p->req == NULL
			|| tg_store_get(callroute.attempt_store,
					   (uint64_t)(uintptr_t)*p->param, glue_now(), &a)
					   < 0
			|| a.settled) /* a branch that is no trunk's */
		return;
	view = callroute_view_of(p->req);
	view->attempt = a;
	if(callroute_copy_trunk(a.trunk_id, view, NULL) == 0)
		callroute_apply_cli(p->req, view);
}

void callroute_follow_identity(sip_msg_t *msg, uint64_t id)
{
	if(callroute.tm.register_tmcb(msg, callroute_transaction(),
			   TMCB_REQUEST_FWDED, on_forwarded, (void *)(uintptr_t)id, NULL)
			< 0)
		LM_WARN("the identity headers of this call cannot be set\n");
}

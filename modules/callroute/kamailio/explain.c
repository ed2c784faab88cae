/*
 * callroute.explain and callroute_explain(): every vendor of a plan with what
 * became of it, by the code that decides. Nothing is reserved, no trunk is
 * called.
 *
 * Memory: one explanation a process, 105 KB. Vendors are paged: a plan has up
 * to 256 of them, a reply by datagram ends at 64 KiB, and one by binrpc at 96
 * pieces of which each row is two.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/builder.h"
#include "callroute/kamailio/functions.h"
#include "callroute/kamailio/request.h"
#include "callroute/kamailio/rpc.h"
#include "callroute/kamailio/state.h"
#include "callroute/kamailio/view.h"
#include "callroute/live/quality.h"
#include "glue/rpc.h"
#include "lib/geo/country.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPLAIN_ROWS 40 /* vendors a page, as default and at most */

/* The fates in an engineer's words. */
static const char *const whys[CALLROUTE_FATES] = {
		[CALLROUTE_FATE_RULE] =
				"the plan's rule sends the call to other trunks",
		[CALLROUTE_FATE_NO_RATE] =
				"its deck has no rate for this number that is "
				"valid at this time and for this caller",
		[CALLROUTE_FATE_RATE_BLOCKED] = "its deck blocks the prefix",
		[CALLROUTE_FATE_SRC_COUNTRY] = "takes no callers of this country",
		[CALLROUTE_FATE_DST_COUNTRY] = "takes no calls to this country",
		[CALLROUTE_FATE_TIME] = "not at this time",
		[CALLROUTE_FATE_MARGIN] = "would earn less than the plan demands",
		[CALLROUTE_FATE_PRICE_UNKNOWN] = "no deck of the plan prices it, and "
										 "the plan looks at the margin",
		[CALLROUTE_FATE_ADMIN] = "drain or down, by table or by RPC",
		[CALLROUTE_FATE_CARRIER] = "its carrier is disabled",
		[CALLROUTE_FATE_PROBES] = "does not answer probes",
		[CALLROUTE_FATE_BREAKER] = "its breaker is open",
		[CALLROUTE_FATE_CHANNELS] = "all its channels are in use",
		[CALLROUTE_FATE_CPS] = "its calls a second are used up",
		[CALLROUTE_FATE_CARRIER_CHANNELS] =
				"all channels of its carrier are in "
				"use",
		[CALLROUTE_FATE_CARRIER_CPS] =
				"its carrier's calls a second are used up",
		[CALLROUTE_FATE_TWICE] = "the trunk has a better place already",
		[CALLROUTE_FATE_RANK] = "may carry the call, others come before it",
		[CALLROUTE_FATE_CHOSEN] = "is tried",
};

/* A vendor with the names that its indexes stand for. */
struct shown
{
	char trunk[CALLROUTE_NAME_MAX], carrier[CALLROUTE_NAME_MAX];
	char deck[CALLROUTE_NAME_MAX];
	struct callroute_vendor v;
	uint16_t priority, weight;
	uint8_t place; /* in the order of attempts, from 1; 0 = not tried */
};

/* One explanation at a time in a process. */
static struct
{
	struct callroute_work work;
	struct callroute_answer answer;
	struct shown shown[CALLROUTE_VENDORS_MAX];
	int count;
	char chosen[CALLROUTE_CANDIDATES][CALLROUTE_NAME_MAX];
	char asked[CALLROUTE_NUMBER_MAX + 1];
	/* what prices go by: the number, or the one it was ported to */
	char number[CALLROUTE_NUMBER_MAX + 1];
} out;

static void show(const struct callroute_image *im,
		const struct callroute_question *q, int i)
{
	const struct callroute_vendor *v = &out.work.vendors[i];
	const struct callroute_trunk *t =
			&CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[v->trunk];
	const struct callroute_carrier *c =
			&CALLROUTE_ROWS(im, struct callroute_carrier, carriers)[t->carrier];
	struct shown *s = &out.shown[i];

	memset(s, 0, sizeof *s);
	s->v = *v;
	/* Where the plan does not order by it, the decision did not ask. */
	s->v.quality = (uint16_t)callroute_quality_score(
			callroute.live, (int)t->live, out.answer.dst_country, q->clock);
	memcpy(s->trunk, t->name, sizeof s->trunk);
	memcpy(s->carrier, c->name, sizeof s->carrier);
	if(v->entry != CALLROUTE_NONE) {
		const struct callroute_entry *e =
				&CALLROUTE_ROWS(im, struct callroute_entry, entries)[v->entry];

		s->priority = e->priority;
		s->weight = e->weight;
		memcpy(s->deck,
				CALLROUTE_ROWS(im, struct callroute_deck, decks)[e->deck].name,
				sizeof s->deck);
	}
}

static void decide(const struct callroute_question *q)
{
	const struct callroute_answer *a = &out.answer;
	const struct callroute_image *im = callroute_enter();

	callroute_decide(im, callroute.live, q, &out.work, &out.answer);
	out.count = im != NULL ? out.work.count : 0;
	for(int i = 0; i < out.count; i++)
		show(im, q, i);
	for(int i = 0; i < a->count; i++) {
		struct shown *s = &out.shown[a->candidates[i].place];

		s->place = (uint8_t)(i + 1);
		memcpy(out.chosen[i], s->trunk, sizeof out.chosen[i]);
	}
	callroute_leave();
	snprintf(
			out.asked, sizeof out.asked, "%.*s", (int)q->number_len, q->number);
	snprintf(out.number, sizeof out.number, "%.*s",
			a->routing_len > 0 ? a->routing_len : (int)q->number_len,
			a->routing_len > 0 ? a->routing_number : q->number);
}

/* The part of the number that the vendor's rate matched. */
static str prefix_of(const struct shown *s)
{
	return (str){out.number, s->v.prefix_len};
}

/* --- RPC
 * -------------------------------------------------------------------------- */

/* Money has up to 40 bits, and 'd' is an int in Kamailio 5.6: a text. */
static void add_money(rpc_t *rpc, void *h, const char *name, int64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)n);
	rpc->struct_add(h, "s", (char *)name, text);
}

static void add_rate(rpc_t *rpc, void *h, const struct shown *s)
{
	str prefix = prefix_of(s);

	rpc->struct_add(h, "S", "prefix", &prefix);
	add_money(rpc, h, "price", s->v.price);
	add_money(rpc, h, "connect_fee", s->v.connect_fee);
	rpc->struct_add(h, "dd", "first_sec", (int)s->v.first_sec, "step_sec",
			(int)s->v.step_sec);
	if(out.answer.sell >= 0)
		add_money(rpc, h, "margin", out.answer.sell - s->v.price);
}

static void add_vendor(rpc_t *rpc, void *list, const struct shown *s)
{
	enum callroute_fate fate = (enum callroute_fate)s->v.fate;
	int from_plan = s->v.entry != CALLROUTE_NONE;
	void *h;

	if(rpc->array_add(list, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ssdsss", "trunk", s->trunk, "fate",
			callroute_fate_name(fate), "place", (int)s->place, "why",
			whys[fate], "carrier", s->carrier, "deck",
			from_plan ? s->deck : "(rule)");
	if(from_plan)
		rpc->struct_add(h, "dd", "priority", (int)s->priority, "weight",
				(int)s->weight);
	rpc->struct_add(h, "d", "quality", (int)s->v.quality);
	if(s->v.rated)
		add_rate(rpc, h, s);
}

static void answer(rpc_t *rpc, void *ctx, int first, int rows)
{
	const struct callroute_answer *a = &out.answer;
	const char *dst = tg_country_iso((int)a->dst_country - 1);
	const char *src = tg_country_iso((int)a->src_country - 1);
	void *h, *list;

	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dsssdsssd", "verdict", a->verdict, "reason", a->reason,
			"number", out.asked, "plan", a->plan, "rule", (int)a->rule_id,
			"country", dst && a->dst_country ? dst : "", "src_country",
			src && a->src_country ? src : "", "routing_number",
			a->routing_number, "emergency", a->emergency);
	if(a->sell >= 0)
		add_money(rpc, h, "sell", a->sell);
	if(a->redirect[0] != '\0')
		rpc->struct_add(h, "s", "redirect", a->redirect);
	rpc->struct_add(h, "[", "chosen", &list);
	for(int i = 0; i < a->count; i++)
		rpc->array_add(list, "s", out.chosen[i]);
	rpc->struct_add(h, "dd[", "vendors_total", out.count, "first", first,
			"vendors", &list);
	for(int i = first; i < out.count && i - first < rows; i++)
		add_vendor(rpc, list, &out.shown[i]);
}

static char not_text[] = "numbers are texts: with kamcmd s:4930123456";

/* Unix seconds, 2026-01-05T09:00:00Z, or "-": now. 0, -1. */
static int parse_at(const char *text, int64_t *at)
{
	struct tm tm = {0};
	char *end;

	if(strcmp(text, "-") == 0)
		return 0;
	*at = strtoll(text, &end, 10);
	if(end != text && *end == '\0')
		return *at >= 0 ? 0 : -1;
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	*at = (int64_t)timegm(&tm);
	return end != NULL && *end == '\0' ? 0 : -1;
}

/* Calendars are expanded from the day before the load on; of other times nobody
 * knows, and "closed" would be a lie. */
static int is_known_time(int64_t at)
{
	const struct callroute_image *im = callroute_enter();
	int64_t days = CALLROUTE_CALENDAR_DAYS + 1;
	int known = im == NULL || im->times.count == 0
				|| (at < im->calendars_till
						&& at >= im->calendars_till - days * 86400);

	callroute_leave();
	return known;
}

/* SRC, AT, FIRST and ROWS. 0, -1 = answered with a fault. */
static int read_options(rpc_t *rpc, void *ctx, struct callroute_question *q,
		char *src, size_t src_size, int *first, int *rows)
{
	char at[32];
	enum glue_given given = glue_rpc_text(rpc, ctx, 1, src, src_size);

	if(given == GLUE_TOO_LONG || given == GLUE_A_NUMBER) {
		rpc->fault(ctx, 400,
				given == GLUE_A_NUMBER ? not_text : "SRC is too long");
		return -1;
	}
	/* "-" stands for none where more follows. */
	if(given == GLUE_NOT_GIVEN || strcmp(src, "-") == 0)
		src[0] = '\0';
	if(given == GLUE_GIVEN)
		given = glue_rpc_text(rpc, ctx, 0, at, sizeof at);
	if(given == GLUE_TOO_LONG
			|| (given == GLUE_GIVEN && parse_at(at, &q->now) < 0)) {
		rpc->fault(ctx, 400,
				"AT is Unix seconds, 2026-01-05T09:00:00Z (UTC), or - for now");
		return -1;
	}
	if(!is_known_time(q->now)) {
		rpc->fault(ctx, 400,
				"AT is outside of the calendars: they reach from the day "
				"before "
				"the load to calendars_till of callroute.status");
		return -1;
	}
	if((given == GLUE_GIVEN
			   && (glue_rpc_number(rpc, ctx, first) < 0
					   || glue_rpc_number(rpc, ctx, rows) < 0))
			|| *rows < 1 || *rows > EXPLAIN_ROWS) {
		rpc->fault(ctx, 400, "FIRST >= 0, ROWS 1 to %d", EXPLAIN_ROWS);
		return -1;
	}
	return 0;
}

void callroute_rpc_explain(rpc_t *rpc, void *ctx)
{
	struct callroute_question q = {
			.clock = glue_now(), .seed = 1, .now = time(NULL)};
	char number[CALLROUTE_URI_MAX], plan[CALLROUTE_NAME_MAX];
	char src[CALLROUTE_CALLER_MAX + 1];
	int first = 0, rows = EXPLAIN_ROWS;
	enum glue_given given;

	given = glue_rpc_text(rpc, ctx, 1, number, sizeof number);
	if(given == GLUE_A_NUMBER) {
		rpc->fault(ctx, 400, not_text);
		return;
	}
	if(given != GLUE_GIVEN
			|| glue_rpc_text(rpc, ctx, 0, plan, sizeof plan) != GLUE_GIVEN) {
		rpc->fault(ctx, 400,
				"callroute.explain NUMBER PLAN [SRC [AT [FIRST [ROWS]]]]");
		return;
	}
	if(read_options(rpc, ctx, &q, src, sizeof src, &first, &rows) < 0)
		return;
	q.number = number + (number[0] == '+');
	q.number_len = strlen(q.number);
	q.src = src + (src[0] == '+');
	q.src_len = strlen(q.src);
	q.plan = plan;
	q.plan_len = strlen(plan);
	decide(&q);
	answer(rpc, ctx, first, rows);
}

/* --- script: into the log
 * ---------------------------------------------------------- */

int callroute_cmd_explain(sip_msg_t *msg)
{
	struct callroute_view *view = callroute_view_of(msg);
	struct callroute_question q = {.clock = glue_now(), .now = time(NULL)};
	char src[CALLROUTE_CALLER_MAX];
	str number;

	if(view->number[0] != '\0')
		number = (str){view->number, (int)strlen(view->number)};
	else if(callroute_request_number(msg, &number) < 0)
		return -1;
	if(number.len > 0 && number.s[0] == '+')
		number = (str){number.s + 1, number.len - 1};
	q.number = number.s;
	q.number_len = (size_t)number.len;
	q.src = src;
	q.src_len = callroute_caller_number(msg, &view->sender, src);
	q.account = view->sender.account;
	q.account_limit = view->sender.limit;
	q.plan_id = view->sender.plan;
	if(q.plan_id == 0) {
		q.plan = callroute.default_plan.s;
		q.plan_len = (size_t)callroute.default_plan.len;
	}
	q.seed = callroute_request_id(msg);
	decide(&q);
	LM_NOTICE(
			"explain number=%.*s src=%s plan=%s verdict=%d reason=%s rule=%u\n",
			GLUE_STR(number), src, out.answer.plan, out.answer.verdict,
			out.answer.reason, out.answer.rule_id);
	for(int i = 0; i < out.count; i++) {
		const struct shown *v = &out.shown[i];
		str prefix = prefix_of(v);

		LM_NOTICE("explain trunk=%s fate=%s place=%u carrier=%s deck=%s "
				  "prefix=%.*s price=%lld sell=%lld priority=%u weight=%u "
				  "quality=%u\n",
				v->trunk, callroute_fate_name((enum callroute_fate)v->v.fate),
				v->place, v->carrier, v->deck[0] ? v->deck : "(rule)",
				GLUE_STR(prefix), (long long)(v->v.rated ? v->v.price : -1),
				(long long)out.answer.sell, v->priority, v->weight,
				v->v.quality);
	}
	return 1;
}

/*
 * callroute.explain and callroute_explain(): every vendor of a plan with what
 * became of it, by the code that decides. Nothing is reserved, nobody is called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute_mod.h"
#include "lib/country.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A vendor with the names that its indexes stand for. */
struct shown
{
	char trunk[CALLROUTE_NAME_MAX], carrier[CALLROUTE_NAME_MAX];
	char deck[CALLROUTE_NAME_MAX];
	struct callroute_vendor v;
	uint16_t priority, weight;
};

/* One explanation at a time in a process. */
static struct
{
	struct callroute_work work;
	struct callroute_answer answer;
	struct shown shown[CALLROUTE_VENDORS_MAX];
	int count;
	char chosen[CALLROUTE_CANDIDATES][CALLROUTE_NAME_MAX];
} out;

static void show(const struct callroute_image *im, int i)
{
	const struct callroute_vendor *v = &out.work.vendors[i];
	const struct callroute_trunk *t =
			&CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[v->trunk];
	const struct callroute_carrier *c =
			&CALLROUTE_ROWS(im, struct callroute_carrier, carriers)[t->carrier];
	struct shown *s = &out.shown[i];

	memset(s, 0, sizeof *s);
	s->v = *v;
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
	const struct callroute_image *im =
			tg_snapshot_enter(callroute.snapshots, process_no, NULL, NULL);

	callroute_decide(im, callroute.live, q, &out.work, &out.answer);
	out.count = im != NULL ? out.work.count : 0;
	for(int i = 0; i < out.count; i++)
		show(im, i);
	for(int i = 0; i < out.answer.count; i++)
		memcpy(out.chosen[i], out.shown[out.answer.candidates[i].place].trunk,
				sizeof out.chosen[i]);
	tg_snapshot_leave(callroute.snapshots, process_no);
}

/* --- RPC -------------------------------------------------------------------------- */

static void add_money(rpc_t *rpc, void *h, const char *name, int64_t n)
{
	char text[24] = "";

	if(n >= 0)
		snprintf(text, sizeof text, "%lld", (long long)n);
	rpc->struct_add(h, "s", name, n >= 0 ? text : "unknown");
}

static void add_vendor(rpc_t *rpc, void *list, const struct shown *s)
{
	const char *fate = callroute_fate_name((enum callroute_fate)s->v.fate);
	void *h;

	if(rpc->array_add(list, "{", &h) < 0)
		return;
	rpc->struct_add(h, "ssss", "trunk", s->trunk, "carrier", s->carrier, "deck",
			s->deck[0] ? s->deck : "(rule)", "fate", fate);
	if(s->v.rated) {
		add_money(rpc, h, "price", s->v.price);
		rpc->struct_add(h, "ddd", "prefix_digits", (int)s->v.prefix_len,
				"priority", (int)s->priority, "weight", (int)s->weight);
	}
}

static void answer(rpc_t *rpc, void *ctx)
{
	const struct callroute_answer *a = &out.answer;
	const char *dst = tg_country_iso((int)a->dst_country - 1);
	const char *src = tg_country_iso((int)a->src_country - 1);
	void *h, *list;

	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "dssdsss", "verdict", a->verdict, "reason", a->reason,
			"plan", a->plan, "rule", (int)a->rule_id, "country",
			dst && a->dst_country ? dst : "", "src_country",
			src && a->src_country ? src : "", "routing_number",
			a->routing_number);
	add_money(rpc, h, "sell", a->sell);
	if(a->redirect[0] != '\0')
		rpc->struct_add(h, "s", "redirect", a->redirect);
	rpc->struct_add(h, "d[", "emergency", a->emergency, "chosen", &list);
	for(int i = 0; i < a->count; i++)
		rpc->array_add(list, "s", out.chosen[i]);
	rpc->struct_add(h, "[", "vendors", &list);
	for(int i = 0; i < out.count; i++)
		add_vendor(rpc, list, &out.shown[i]);
}

static str without_plus(str s)
{
	return s.len > 0 && s.s[0] == '+' ? (str){s.s + 1, s.len - 1} : s;
}

void callroute_rpc_explain(rpc_t *rpc, void *ctx)
{
	struct callroute_question q = {.src = "", .clock = glue_now(), .seed = 1};
	str number, plan, src, at;

	if(rpc->scan(ctx, "SS", &number, &plan) < 2) {
		rpc->fault(ctx, 400, "callroute.explain NUMBER PLAN [SRC [AT]]");
		return;
	}
	q.now = time(NULL);
	if(rpc->scan(ctx, "*S", &src) == 1) {
		src = without_plus(src);
		/* "-" stands for none where a time follows. */
		if(src.len != 1 || src.s[0] != '-') {
			q.src = src.s;
			q.src_len = (size_t)src.len;
		}
		if(rpc->scan(ctx, "*S", &at) == 1) {
			char text[24] = "", *end;

			memcpy(text, at.s,
					at.len < (int)sizeof text - 1 ? (size_t)at.len
												  : sizeof text - 1);
			q.now = strtoll(text, &end, 10);
			if(*end != '\0' || end == text) {
				rpc->fault(ctx, 400, "AT is a time in Unix seconds (UTC)");
				return;
			}
		}
	}
	number = without_plus(number);
	q.number = number.s;
	q.number_len = (size_t)number.len;
	q.plan = plan.s;
	q.plan_len = (size_t)plan.len;
	decide(&q);
	answer(rpc, ctx);
}

/* --- script: into the log ---------------------------------------------------------- */

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
	number = without_plus(number);
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
	for(int i = 0; i < out.count; i++)
		LM_NOTICE("explain trunk=%s carrier=%s fate=%s price=%lld "
				  "prefix_digits=%u\n",
				out.shown[i].trunk, out.shown[i].carrier,
				callroute_fate_name((enum callroute_fate)out.shown[i].v.fate),
				(long long)out.shown[i].v.price, out.shown[i].v.prefix_len);
	return 1;
}

/*
 * The same lookups as a routing script calls them: the modules' script
 * functions on a request of our own, through the C functions that KEMI
 * exports. Every call sees a new request, as one that has just come in; what a
 * function does to it (a new request URI, AVPs, callbacks) is undone outside the
 * measured time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "core/dset.h"
#include "core/script_cb.h"
#include "core/usr_avp.h"

#include <stdlib.h>
#include <string.h>

#define CALL_ID "bench-"
#define SERIAL "00000000"
#define REQUEST                                               \
	"INVITE sip:0@b SIP/2.0\r\n"                              \
	"Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKbench\r\n" \
	"From: <sip:caller@b>;tag=1\r\nTo: <sip:0@b>\r\n"         \
	"Call-ID: " CALL_ID SERIAL "\r\nCSeq: 1 INVITE\r\n"       \
	"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

/* Where the request says which one it is. */
static char *serial;

sip_msg_t *tgbench_message(void)
{
	static char text[] = REQUEST;
	static sip_msg_t msg;

	if(msg.buf == NULL) {
		msg.buf = text;
		msg.len = sizeof text - 1;
		msg.id = 1;
		msg.pid = my_pid();
		if(parse_msg(msg.buf, msg.len, &msg) != 0
				|| parse_headers(&msg, HDR_EOH_F, 0) < 0) {
			LM_ERR("the request does not parse\n");
			abort();
		}
		serial = strstr(text, CALL_ID) + strlen(CALL_ID);
		msg.rcv.proto = PROTO_UDP;
		msg.rcv.src_ip.af = AF_INET;
		msg.rcv.src_ip.len = 4;
		msg.rcv.src_ip.u.addr32[0] = 0x0100007f;
		msg.rcv.dst_ip = msg.rcv.src_ip;
		msg.rcv.src_port = msg.rcv.dst_port = 5099;
	}
	return &msg;
}

void tgbench_address(const struct tgbench_query *q)
{
	sip_msg_t *msg = tgbench_message();

	msg->first_line.u.request.uri =
			(str){(char *)q->uri, 4 + q->len + 2 /* "@b" */};
	msg->parsed_uri_ok = 0;
	msg->parsed_orig_ruri_ok = 0;
}

void tgbench_clean(void)
{
	sip_msg_t *msg = tgbench_message();

	exec_post_script_cb(msg, REQUEST_CB_TYPE);
	if(msg->new_uri.s != NULL) {
		pkg_free(msg->new_uri.s);
		msg->new_uri = (str){NULL, 0};
	}
	reset_dst_uri(msg);
	msg->force_send_socket = NULL;
	msg->parsed_uri_ok = 0;
	reset_avps();
	/* The next one is another request. */
	msg->id++;
	for(int i = (int)strlen(SERIAL) - 1; i >= 0 && ++serial[i] > '9'; i--)
		serial[i] = '0';
}

static uint32_t script_drouting(uint32_t i)
{
	static int (*route)(sip_msg_t *, int);

	if(route == NULL)
		route = tgbench_kemi("drouting", "do_routing");
	tgbench_address(&tgbench_queries[i]);
	return route(tgbench_message(), 0) == 1;
}

static uint32_t script_mtree(uint32_t i)
{
	static int (*match)(sip_msg_t *, str *, str *, int);
	struct tgbench_query *q = &tgbench_queries[i];
	str tree = str_init("t"), number = {TGBENCH_NUMBER(q), q->len};

	if(match == NULL)
		match = tgbench_kemi("mtree", "mt_match");
	return match(tgbench_message(), &tree, &number, 0) == 1;
}

static uint32_t script_pdt(uint32_t i)
{
	static int (*translate)(sip_msg_t *, str *, int);
	str all = str_init("*");

	if(translate == NULL)
		translate = tgbench_kemi("pdt", "pd_translate");
	tgbench_address(&tgbench_queries[i]);
	return translate(tgbench_message(), &all, 2) == 1;
}

static uint32_t script_lcr(uint32_t i)
{
	static int (*load)(sip_msg_t *, int);
	static int (*next)(sip_msg_t *);
	sip_msg_t *msg = tgbench_message();

	if(load == NULL) {
		load = tgbench_kemi("lcr", "load_gws");
		next = tgbench_kemi("lcr", "next_gw");
	}
	tgbench_address(&tgbench_queries[i]);
	return load(msg, 1) == 1 && next(msg) == 1;
}

static uint32_t script_callroute(uint32_t i)
{
	static int (*select_trunk)(sip_msg_t *, str *);
	str plan = str_init("default");

	if(select_trunk == NULL)
		select_trunk = tgbench_kemi("callroute", "select_plan");
	tgbench_address(&tgbench_queries[i]);
	return select_trunk(tgbench_message(), &plan) == 1;
}

static uint32_t script_htable(uint32_t i)
{
	static sr_kemi_xval_t *(*get)(sip_msg_t *, str *, str *);
	struct tgbench_query *q = &tgbench_queries[i];
	str table = str_init("t"), number = {TGBENCH_NUMBER(q), q->len};
	sr_kemi_xval_t *value;

	if(get == NULL)
		get = tgbench_kemi("htable", "sht_get");
	value = get(tgbench_message(), &table, &number);
	/* It knows exact keys only: every other query is one. */
	return (i % 2) || (value != NULL && value->vtype != SR_KEMIP_NULL);
}

/* Looks at no number: one of its gateways, each in turn. */
static uint32_t script_dispatcher(uint32_t i)
{
	static int (*choose)(sip_msg_t *, int, int);

	if(choose == NULL)
		choose = tgbench_kemi("dispatcher", "ds_select_dst");
	tgbench_address(&tgbench_queries[i]);
	return choose(tgbench_message(), 1, 4) == 1;
}

const struct tgbench_case tgbench_scripts[] = {
		{"callroute", script_callroute, "callroute_select"},
		{"drouting", script_drouting, "do_routing"},
		{"mtree", script_mtree, "mt_match"},
		{"pdt", script_pdt, "pd_translate"},
		{"lcr", script_lcr, "load_gws, next_gw"},
		{"htable", script_htable, "sht_get (exact keys)"},
		{"dispatcher", script_dispatcher, "ds_select_dst (no number)"},
};
const int tgbench_script_count =
		(int)(sizeof tgbench_scripts / sizeof tgbench_scripts[0]);

int tgbench_script_find(const str *name)
{
	for(int c = 0; c < tgbench_script_count; c++) {
		if(strlen(tgbench_scripts[c].name) == (size_t)name->len
				&& memcmp(tgbench_scripts[c].name, name->s, (size_t)name->len)
						   == 0)
			return c;
	}
	return -1;
}

/* Where the request goes: host and port of its URI. */
static str target(void)
{
	str uri = *GET_RURI(tgbench_message());
	char *at = memchr(uri.s, '@', (size_t)uri.len), *params;

	if(at != NULL)
		uri = (str){at + 1, (int)(uri.s + uri.len - at - 1)};
	params = memchr(uri.s, ';', (size_t)uri.len);
	return params != NULL ? (str){uri.s, (int)(params - uri.s)} : uri;
}

/* Asks all of them for every query: how many found nothing, and how many sent
 * the request elsewhere than the first of them did. */
static void ask_all(const int *cases, int count, int *lost, int *astray)
{
	memset(lost, 0, (size_t)count * sizeof *lost);
	memset(astray, 0, (size_t)count * sizeof *astray);
	for(uint32_t i = 0; i < tgbench_query_count; i++) {
		char first[64] = "";

		for(int c = 0; c < count; c++) {
			str where;

			lost[c] += tgbench_scripts[cases[c]].call(i) != 1;
			where = target();
			if(c == 0 && where.len < (int)sizeof first)
				memcpy(first, where.s, (size_t)where.len);
			astray[c] += strlen(first) != (size_t)where.len
						 || memcmp(first, where.s, (size_t)where.len) != 0;
			tgbench_clean();
		}
	}
}

/* tgbench.scripts name... -> times of single calls of each, how many of them
 * found nothing, how many went elsewhere than by the first */
void tgbench_rpc_scripts(rpc_t *rpc, void *ctx)
{
	struct tgbench_result results[TGBENCH_CASES];
	int cases[TGBENCH_CASES], lost[TGBENCH_CASES], astray[TGBENCH_CASES];
	uint32_t *order = tgbench_in_turn(tgbench_query_count);
	int count = 0;
	str name;

	while(count < TGBENCH_CASES && rpc->scan(ctx, "*S", &name) == 1) {
		cases[count] = tgbench_script_find(&name);
		if(cases[count++] < 0)
			count = TGBENCH_CASES + 1;
	}
	if(order == NULL || count == 0 || count > TGBENCH_CASES) {
		free(order);
		rpc->fault(ctx, 400, "tgbench.scripts name...");
		return;
	}
	ask_all(cases, count, lost, astray);
	tgbench_sample_all(tgbench_scripts, cases, count, tgbench_clean, order,
			tgbench_query_count, results);
	free(order);
	for(int c = 0; c < count; c++) {
		const struct tgbench_case *one = &tgbench_scripts[cases[c]];
		const struct tgbench_result *r = &results[c];
		void *h;

		if(rpc->add(ctx, "{", &h) < 0)
			break;
		rpc->struct_add(h, "ssddffff", "name", one->name, "how", one->how,
				"lost", lost[c], "astray", astray[c], "mean", r->mean, "p50",
				r->p50, "p99", r->p99, "p999", r->p999);
	}
}

/*
 * The same lookups as a routing script calls them: the modules' script
 * functions on a request of our own, through the C functions that KEMI
 * exports. What a function does to the message (a new request URI, AVPs) is
 * undone outside the measured time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "core/dset.h"
#include "core/usr_avp.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST                                               \
	"INVITE sip:0@b SIP/2.0\r\n"                              \
	"Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKbench\r\n" \
	"From: <sip:caller@b>;tag=1\r\nTo: <sip:0@b>\r\n"         \
	"Call-ID: bench-0123456789\r\nCSeq: 1 INVITE\r\n"         \
	"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

sip_msg_t *tgbench_message(void)
{
	static char text[] = REQUEST;
	static sip_msg_t msg;

	if(msg.buf == NULL) {
		msg.buf = text;
		msg.len = sizeof text - 1;
		msg.id = 1;
		msg.pid = my_pid();
		if(parse_msg(msg.buf, msg.len, &msg) != 0) {
			LM_ERR("the request does not parse\n");
			abort();
		}
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

	if(msg->new_uri.s != NULL) {
		pkg_free(msg->new_uri.s);
		msg->new_uri = (str){NULL, 0};
	}
	reset_dst_uri(msg);
	msg->force_send_socket = NULL;
	msg->parsed_uri_ok = 0;
	reset_avps();
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
		select_trunk = tgbench_kemi("callroute", "select");
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

const struct tgbench_case tgbench_scripts[] = {
		{"callroute", script_callroute, "callroute_select"},
		{"drouting", script_drouting, "do_routing"},
		{"mtree", script_mtree, "mt_match"},
		{"pdt", script_pdt, "pd_translate"},
		{"lcr", script_lcr, "load_gws, next_gw"},
		{"htable", script_htable, "sht_get (exact keys)"},
};
const int tgbench_script_count =
		(int)(sizeof tgbench_scripts / sizeof tgbench_scripts[0]);

/* tgbench.scripts -> times of single calls of each, and how many found nothing */
void tgbench_rpc_scripts(rpc_t *rpc, void *ctx)
{
	uint32_t *order = tgbench_in_turn(tgbench_query_count);

	if(order == NULL) {
		rpc->fault(ctx, 500, "no memory");
		return;
	}
	for(int c = 0; c < tgbench_script_count; c++) {
		const struct tgbench_case *one = &tgbench_scripts[c];
		struct tgbench_result result;
		int lost = 0;
		void *h;

		for(uint32_t i = 0; i < tgbench_query_count; i++) {
			lost += one->call(i) != 1;
			tgbench_clean();
		}
		tgbench_sample(
				one->call, tgbench_clean, order, tgbench_query_count, &result);
		if(rpc->add(ctx, "{", &h) < 0)
			break;
		rpc->struct_add(h, "ssdffff", "name", one->name, "how", one->how,
				"lost", lost, "mean", result.mean, "p50", result.p50, "p99",
				result.p99, "p999", result.p999);
	}
	free(order);
}

/*
 * tgbench: a module for measurements only. It runs inside a stock Kamailio
 * beside the modules that it measures, calls their lookups and ours in tight
 * loops of one process, on the same queries, and answers by RPC. bench.py
 * drives it; it is never installed.
 *
 * How a figure comes about is said once, in tgbench_time.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TGBENCH_H
#define TGBENCH_H

#include "glue/ksr.h"

/* One measured operation, on query or key number i. What it returns is summed,
 * so that no compiler drops the call. */
typedef uint32_t (*tgbench_call_f)(uint32_t i);

struct tgbench_case
{
	const char *name;
	tgbench_call_f call; /* NULL = cannot be measured here */
	const char *how;	 /* or why not */
};

#define TGBENCH_REPEATS 5
#define TGBENCH_CASES 12

/* Nanoseconds; what the empty loop costs is taken off. */
struct tgbench_result
{
	double mean;		   /* of a call in a loop; median of the repeats */
	double p50, p99, p999; /* of single calls */
};

/* Measures the cases in turn, again and again, so that what disturbs the
 * machine disturbs all of them: calls `order[0 .. n)` of each. */
void tgbench_measure(const struct tgbench_case *cases, int count,
		const uint32_t *order, uint32_t n, struct tgbench_result *out);
/* Single calls only: for calls that need `reset` between them. */
void tgbench_sample(tgbench_call_f call, void (*reset)(void),
		const uint32_t *order, uint32_t n, struct tgbench_result *out);
/* The same for the cases `which[0 .. count)`, in turn, again and again: medians. */
void tgbench_sample_all(const struct tgbench_case *cases, const int *which,
		int count, void (*reset)(void), const uint32_t *order, uint32_t n,
		struct tgbench_result *out);
/* One loop, nothing taken off: ns a call. */
double tgbench_loop(tgbench_call_f call, const uint32_t *order, uint32_t n);
/* The slower of two processes that run the loop at once, from the two halves
 * of the order; best of the repeats. */
double tgbench_pair(tgbench_call_f call, const uint32_t *order, uint32_t n);
uint64_t tgbench_ns(void);

/* Small, fast, repeatable: the same queries in each run. */
uint32_t tgbench_random(void);
/* 0 .. n-1 in random order; NULL without memory. The caller frees it. */
uint32_t *tgbench_shuffled(uint32_t n);
/* 0 .. n-1 as they are, for queries that were drawn at random: fetching the
 * query then costs next to nothing. */
uint32_t *tgbench_in_turn(uint32_t n);

/* A symbol that a loaded module does not hide; NULL (logged) when it has none. */
void *tgbench_symbol(const char *module, const char *name);
/* A module's script function as KEMI exports it: a C function with plain
 * arguments, without the cost of an interpreter. NULL (logged). */
void *tgbench_kemi(const char *module, const char *name);

/* The numbers that are looked up (tgbench_query.c). */
struct tgbench_query
{
	uint8_t len;   /* of the number */
	char uri[39];  /* "sip:<number>@b", NUL-terminated */
	uint32_t want; /* value of the longest prefix, as our trie says; 0 = none */
};
#define TGBENCH_NUMBER(q) ((q)->uri + 4)
extern struct tgbench_query *tgbench_queries;
extern uint32_t tgbench_query_count;
extern const void *tgbench_trie; /* image over all prefixes; value = line */
extern size_t tgbench_trie_bytes;
/* Reads the prefixes (one a line), builds the trie and the queries. 0, -1. */
int tgbench_load_prefixes(const char *path, uint32_t queries);

/* The message that script functions see; tgbench_script.c. */
sip_msg_t *tgbench_message(void);
/* Makes query i its request URI. */
void tgbench_address(const struct tgbench_query *q);
/* Undoes what a script function did to it, AVPs included: a new request. */
void tgbench_clean(void);
/* Script function of a module on query i: 1 = it found a route. */
extern const struct tgbench_case tgbench_scripts[];
extern const int tgbench_script_count;
/* Its number, or -1. */
int tgbench_script_find(const str *name);

/* A process that calls one script function without pause while another one
 * reloads; tgbench_stall.c. mod_init and child_init. 0, -1. */
int tgbench_stall_init(void);
int tgbench_stall_fork(int rank);

void tgbench_rpc_load(rpc_t *rpc, void *ctx);
void tgbench_rpc_drouting(rpc_t *rpc, void *ctx);
void tgbench_rpc_agree(rpc_t *rpc, void *ctx);
void tgbench_rpc_lookups(rpc_t *rpc, void *ctx);
void tgbench_rpc_scripts(rpc_t *rpc, void *ctx);
void tgbench_rpc_cells(rpc_t *rpc, void *ctx);
void tgbench_rpc_flood(rpc_t *rpc, void *ctx);
void tgbench_rpc_stall(rpc_t *rpc, void *ctx);
void tgbench_rpc_stall_end(rpc_t *rpc, void *ctx);

/* One row of a reply. */
void tgbench_answer(rpc_t *rpc, void *ctx, const struct tgbench_case *c,
		const struct tgbench_result *r);

#endif

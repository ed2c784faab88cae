/*
 * Loads: data that the keeper reads from tables, builds aside and publishes as
 * a snapshot. What is the same for all modules: the ticket of a reload by RPC,
 * its outcome in callroute.status and the like, the first fault as its message,
 * the counters, the log lines.
 *
 *   SIP worker or RPC   glue_load_ask       queues an order, wakes the keeper
 *   keeper              glue_load_next      takes it out
 * glue_load_begin     ... glue_load_slot, build, publish ...
 *                       glue_load_end       the outcome, for all to see
 *   anybody             glue_load_last
 *
 * Memory: three snapshots of address space, 64 orders, one outcome.
 * Failure mode: a load that fails keeps the data in use and says why; an order
 * that finds 64 waiting is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_LOAD_H
#define GLUE_LOAD_H

#include "glue/keeper.h"
#include "glue/ksr.h"
#include "lib/share/ring.h"
#include "lib/share/snapshot.h"
#include "lib/table/store.h"

/* The order of a load; a module's own order begins with it. */
struct glue_order
{
	uint64_t ticket; /* counts reloads from 1; 0 = at start */
};

/* The outcome of a load; a module's own record begins with it. */
struct glue_load
{
	uint64_t ticket;
	int64_t at;	 /* UTC seconds */
	uint32_t ok; /* 1 published (or a sound dry run), 0 kept the old data */
	uint64_t took_us, cpu_us;
	char message[512]; /* "ok", or the first fault */
};

struct glue_load_shared;

struct glue_loads
{
	size_t order_bytes, record_bytes; /* of the module's own types */
	struct tg_snapshots *snapshots;
	struct tg_ring *orders;
	struct tg_store *last;
	struct glue_load_shared *shared;
	counter_handle_t published, refused; /* reloads */
};

/* Before the fork. `snapshot_bytes`: of one snapshot at most. 0, negative
 * errno. */
int glue_loads_map(struct glue_loads *l, size_t snapshot_bytes);

/* RPC: gives the order a ticket, queues it, answers with {ticket}, or a fault.
 * */
void glue_load_ask(rpc_t *rpc, void *ctx, struct glue_loads *l,
		const struct glue_keeper *keeper, struct glue_order *order);
/* The keeper: the next order. 0, -ENOENT. */
int glue_load_next(struct glue_loads *l, void *order);

/* Clears the record and starts its clocks. */
void glue_load_begin(struct glue_load *load, uint64_t ticket);
/* The first thing said is the load's message. */
void glue_load_say(struct glue_load *load, const char *text);
/* For lib/share/rowcheck.h: logs a bad row, and says it. `load` is the record.
 * */
void glue_load_complain(void *load, const char *line);
/* A slot to build in. 0, negative errno (said). */
int glue_load_slot(
		struct glue_loads *l, struct glue_load *load, void **mem, size_t *size);
/* Keeps the outcome of result `rc`, counts it unless it is `dry` or the first,
 * and logs why a load was refused. Returns 0, -1 for rc < 0. */
int glue_load_end(
		struct glue_loads *l, struct glue_load *load, int rc, int dry);

/* The module's record of the last load; its message is "busy" until there is
 * one. */
void glue_load_last(struct glue_loads *l, struct glue_load *out);
/* Old snapshots that a reader still holds, at the keeper's last tick. */
int glue_loads_waiting(const struct glue_loads *l);
/* RPC: ticket, result, at, took_ms, cpu_ms and message into `h`. */
void glue_load_add(rpc_t *rpc, void *h, const struct glue_load *load, int dry);

/* The keeper's tick: memory of old snapshots goes back to the system; a reader
 * that keeps one for longer than a tick is logged once. */
void glue_loads_tick(struct glue_loads *l);

#endif

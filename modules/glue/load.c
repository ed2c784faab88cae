/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/load.h"
#include "glue/map.h"
#include "glue/module.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ORDERS 64
#define THE_ONE 1 /* its id in the store */

struct glue_load_shared
{
	_Atomic uint64_t ticket; /* reloads asked for so far */
	_Atomic int waiting;	 /* snapshots that a reader still holds */
};

int glue_loads_map(struct glue_loads *l, size_t snapshot_bytes)
{
	int rc = glue_map_snapshots(&l->snapshots, GLUE_READERS, snapshot_bytes);

	rc = rc ? rc : glue_map_ring(&l->orders, ORDERS, l->order_bytes);
	rc = rc ? rc : glue_map_store(&l->last, 8, l->record_bytes);
	return rc ? rc : glue_map_bytes((void **)&l->shared, sizeof *l->shared);
}

/* --- orders -----------------------------------------------------------------
 * */

void glue_load_ask(rpc_t *rpc, void *ctx, struct glue_loads *l,
		const struct glue_keeper *keeper, struct glue_order *order)
{
	void *h;

	order->ticket = atomic_fetch_add(&l->shared->ticket, 1) + 1;
	if(tg_ring_push(l->orders, order, glue_now()) < 0) {
		rpc->fault(ctx, 503, "too many reloads wait already");
		return;
	}
	glue_keeper_wake(keeper);
	if(rpc->add(ctx, "{", &h) == 0)
		rpc->struct_add(h, "d", "ticket", (int)order->ticket);
}

int glue_load_next(struct glue_loads *l, void *order)
{
	return tg_ring_pop(l->orders, order, glue_now());
}

/* --- one load ---------------------------------------------------------------
 * */

static uint64_t processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void glue_load_begin(struct glue_load *load, uint64_t ticket)
{
	*load = (struct glue_load){.ticket = ticket,
			.at = time(NULL),
			.took_us = glue_now(),
			.cpu_us = processor_time()};
}

void glue_load_say(struct glue_load *load, const char *text)
{
	if(load->message[0] == '\0')
		snprintf(load->message, sizeof load->message, "%s", text);
}

void glue_load_complain(void *load, const char *line)
{
	LM_ERR("bad-row %s\n", line);
	glue_load_say(load, line);
}

int glue_load_slot(
		struct glue_loads *l, struct glue_load *load, void **mem, size_t *size)
{
	int rc = tg_snapshot_begin(l->snapshots, mem, size);

	if(rc < 0)
		glue_load_say(
				load, "every snapshot slot is still being read: try again");
	return rc;
}

int glue_load_end(struct glue_loads *l, struct glue_load *load, int rc, int dry)
{
	load->ok = rc == 0;
	load->took_us = glue_now() - load->took_us;
	load->cpu_us = processor_time() - load->cpu_us;
	glue_load_say(load, rc == 0 ? "ok" : strerror(-rc));
	tg_store_put(l->last, THE_ONE, 0, UINT64_MAX, glue_now(), load);
	if(rc < 0)
		LM_ERR("load-refused reason=\"%s\"%s\n", load->message,
				tg_snapshot_generation(l->snapshots) ? " (the data in use stay)"
													 : "");
	/* Before the fork no process has counters of its own yet. */
	if(load->ticket > 0 && !dry)
		counter_inc(rc == 0 ? l->published : l->refused);
	return rc == 0 ? 0 : -1;
}

/* --- what became of it -------------------------------------------------------
 * */

void glue_load_last(struct glue_loads *l, struct glue_load *out)
{
	if(tg_store_get(l->last, THE_ONE, glue_now(), out) == 0)
		return;
	memset(out, 0, l->record_bytes);
	glue_load_say(out, "busy");
}

int glue_loads_waiting(const struct glue_loads *l)
{
	return atomic_load(&l->shared->waiting);
}

void glue_load_add(rpc_t *rpc, void *h, const struct glue_load *load, int dry)
{
	rpc->struct_add(h, "dsddds", "ticket", (int)load->ticket, "result",
			!load->ok ? "refused"
			: dry	  ? "dry"
					  : "published",
			"at", (int)load->at, "took_ms", (int)(load->took_us / 1000),
			"cpu_ms", (int)(load->cpu_us / 1000), "message", load->message);
}

void glue_loads_tick(struct glue_loads *l)
{
	static int reported;
	uint64_t generation;
	uint32_t reader;
	pid_t pid;
	int waiting = tg_snapshot_reclaim(l->snapshots);

	atomic_store(&l->shared->waiting, waiting);
	/* A reader that outlives a reload by a tick is worth one line. */
	if(waiting > 0 && !reported
			&& tg_snapshot_stuck(l->snapshots, &reader, &pid, &generation) == 0)
		LM_WARN("reader-stuck process=%u pid=%d generation=%llu\n", reader,
				(int)pid, (unsigned long long)generation);
	reported = waiting > 0;
}

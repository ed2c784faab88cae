/*
 * What snapshots and the ring cost, and the pieces that the structures in shared
 * memory are made of. Nanoseconds of processor time a call, one process. Prints
 * `name value unit` lines. Built by bench.mk.
 *
 * 16mb: the snapshot's size, all of it written. 64: bytes a record of the ring.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "libbench.h"

#include "lib/share/process.h"
#include "lib/share/ring.h"
#include "lib/table/setlock.h"
#include "lib/share/snapshot.h"

#include <string.h>

#define SECOND UINT64_C(1000000)
#define START (1000 * SECOND)

static volatile uint64_t sink; /* results go here, so that none is left out */

/* --- snapshots ------------------------------------------------------------ */

#define READERS 64
#define SLOT ((size_t)16 << 20)

static struct tg_snapshots *snapshots;

static uint64_t enter_leave(uint32_t calls)
{
	uint64_t begin = cpu_ns(), sum = 0;

	for(uint32_t i = 0; i < calls; i++) {
		const uint64_t *data = tg_snapshot_enter(snapshots, 5, NULL, NULL);

		sum += *data;
		tg_snapshot_leave(snapshots, 5);
	}
	begin = cpu_ns() - begin;
	require(sum == (uint64_t)calls * tg_snapshot_generation(snapshots),
			"snapshot: the newest is read");
	return begin;
}

/* What a reload pays beyond building: a slot found, made current, the one
 * before given back to the system. */
static uint64_t publish(uint32_t calls)
{
	uint64_t took = 0;

	for(uint32_t i = 0; i < calls; i++) {
		uint64_t begin = cpu_ns(), *data;
		size_t room;
		void *mem;

		require(tg_snapshot_begin(snapshots, &mem, &room) == 0,
				"snapshot: begin");
		took += cpu_ns() - begin;
		memset(mem, 1, SLOT);
		data = mem;
		*data = tg_snapshot_generation(snapshots) + 1;
		begin = cpu_ns();
		require(tg_snapshot_publish(snapshots, SLOT) > 0, "snapshot: publish");
		require(tg_snapshot_reclaim(snapshots) == 0, "snapshot: reclaim");
		took += cpu_ns() - begin;
	}
	return took;
}

static void bench_snapshot(void)
{
	struct tg_snapshot_config cfg = {3, READERS, SLOT};
	size_t size;
	void *mem = bench_map(tg_snapshot_size(&cfg), &size);

	require(tg_snapshot_init(mem, size, &cfg, &snapshots) == 0,
			"snapshot: init");
	measure("snapshot_publish_16mb", publish, 20);
	measure("snapshot_enter_leave", enter_leave, 5000000);
}

/* --- ring, lock, process, region ------------------------------------------ */

#define SLOTS 4096

static struct tg_ring *ring;

static uint64_t ring_steps(uint32_t calls, int step)
{
	uint64_t record[8] = {0}, took[2] = {0}, pushed = 0, popped = 0;

	for(uint32_t n = 0; n < calls; n += SLOTS) {
		uint64_t begin = cpu_ns(), middle;
		uint32_t i;

		for(i = 0; i < SLOTS; i++) {
			pushed += record[0] = n + i;
			(void)tg_ring_push(ring, record, START);
		}
		middle = cpu_ns();
		for(i = 0; i < SLOTS; i++) {
			(void)tg_ring_pop(ring, record, START);
			popped += record[0];
		}
		took[0] += middle - begin;
		took[1] += cpu_ns() - middle;
	}
	require(pushed == popped && tg_ring_dropped(ring) == 0,
			"ring: what went in comes out");
	return took[step];
}

static uint64_t push(uint32_t calls)
{
	return ring_steps(calls, 0);
}

static uint64_t pop(uint32_t calls)
{
	return ring_steps(calls, 1);
}

static struct tg_setlock *lock;

static uint64_t take_give(uint32_t calls)
{
	uint64_t begin = cpu_ns();
	uint32_t i, failed = 0;

	for(i = 0; i < calls; i++) {
		failed += tg_setlock_take(lock) != 0;
		tg_setlock_give(lock);
	}
	begin = cpu_ns() - begin;
	require(failed == 0, "setlock: a free lock was refused");
	return begin;
}

static uint64_t self(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++)
		sink += (uint64_t)tg_process_self();
	return cpu_ns() - begin;
}

static uint64_t gone(uint32_t calls)
{
	pid_t me = tg_process_self();
	uint64_t begin = cpu_ns(), dead = 0;

	for(uint32_t i = 0; i < calls; i++)
		dead += (uint64_t)tg_process_gone(me);
	begin = cpu_ns() - begin;
	require(dead == 0, "process: we are alive");
	return begin;
}

static uint64_t map_unmap(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		struct tg_region r;

		require(tg_region_map(&r, 1 << 20) == 0, "region: map");
		tg_region_unmap(&r);
	}
	return cpu_ns() - begin;
}

static void bench_pieces(void)
{
	struct tg_ring_config cfg = {SLOTS, 64};
	size_t size;
	void *mem = bench_map(tg_ring_size(&cfg), &size);

	require(tg_ring_init(mem, size, &cfg, &ring) == 0, "ring: init");
	measure("ring_push_64", push, 250 * SLOTS);
	measure("ring_pop_64", pop, 250 * SLOTS);
	lock = bench_map(sizeof(*lock), &size);
	require(tg_setlock_init(lock) == 0, "setlock: init");
	measure("setlock_take_give", take_give, 2000000);
	measure("process_self", self, 5000000);
	measure("process_gone", gone, 200000);
	measure("region_map_unmap_1mb", map_unmap, 10000);
}

int main(void)
{
	bench_snapshot();
	bench_pieces();
	return 0;
}

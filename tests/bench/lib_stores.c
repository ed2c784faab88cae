/*
 * What records and leases in shared memory cost. Nanoseconds of processor time
 * a call, one process. Prints `name value unit` lines. Built by bench.mk.
 *
 * hot: 64 keys in turn. cold: 500,000 records of 512 B, or 100,000 owners, in
 * an order that misses the caches. 5000: leases that the owner holds already.
 * Every part checks what it got, so that a fast wrong answer is no figure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "libbench.h"

#include "lib/share/hash.h"
#include "lib/table/lease.h"
#include "lib/table/store.h"

#define SECOND UINT64_C(1000000)
#define START (1000 * SECOND)
#define HOT 64
#define COLD 500000
#define NEW 500000

static const struct tg_hashkey key = {1, 2};
static uint64_t *ids;
static volatile uint64_t sink; /* results go here, so that none is left out */

/* --- store ---------------------------------------------------------------- */

static struct tg_store *store;
static uint32_t keys, absent;
static uint64_t edits;

struct record
{
	uint64_t edits;
	char rest[504];
};

static struct tg_store *make_store(uint32_t records)
{
	struct tg_store_config cfg = {records, sizeof(struct record)};
	struct tg_store *s;
	size_t size;
	void *mem = bench_map(tg_store_size(&cfg), &size);

	require(tg_store_init(mem, size, &cfg, &s) == 0, "store: init");
	return s;
}

static uint64_t put(uint32_t calls)
{
	static const struct record empty;
	uint64_t begin = cpu_ns();
	uint32_t i;

	for(i = 0; i < calls; i++)
		(void)tg_store_put(store, ids[i % keys], 0, UINT64_MAX, START, &empty);
	return cpu_ns() - begin;
}

static uint64_t get(uint32_t calls)
{
	struct record r;
	uint64_t begin = cpu_ns();
	uint32_t i;

	for(i = 0; i < calls; i++)
		absent += tg_store_get(store, ids[i % keys], START, &r) != 0;
	return cpu_ns() - begin;
}

static int one_more(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	(void)fresh, (void)expires, (void)rank, (void)arg;
	((struct record *)payload)->edits++;
	return 1;
}

static uint64_t edit(uint32_t calls)
{
	uint64_t begin = cpu_ns();
	uint32_t i;

	edits += calls;
	for(i = 0; i < calls; i++)
		(void)tg_store_edit(
				store, ids[i % keys], 0, UINT64_MAX, START, one_more, NULL);
	return cpu_ns() - begin;
}

/* Each key is new to the store, which is full. */
static uint64_t put_new(uint32_t calls)
{
	static const struct record empty;
	static uint32_t next;
	uint64_t begin = cpu_ns();
	uint32_t i;

	for(i = 0; i < calls; i++, next++)
		(void)tg_store_put(
				store, ids[next % NEW], 0, UINT64_MAX, START + next, &empty);
	return cpu_ns() - begin;
}

/* The whole table; `records` are in it. */
static uint64_t walk(uint32_t records)
{
	struct record r;
	uint32_t cursor = 0, seen = 0;
	uint64_t begin = cpu_ns(), took, total = 0;

	while(tg_store_next(store, &cursor, START, NULL, NULL, &r) == 0)
		seen++, total += r.edits;
	took = cpu_ns() - begin;
	require(seen == records, "store: a walk sees every record once");
	require(total == edits, "store: each edit is kept");
	return took;
}

static void bench_store(void)
{
	struct tg_store_stats stats;

	store = make_store(65536);
	keys = HOT;
	measure("store_put_512_hot", put, 1000000);
	measure("store_get_512_hot", get, 1000000);
	measure("store_edit_512_hot", edit, 1000000);
	require(absent == 0, "store: a record that was put is absent");
	(void)walk(HOT);

	store = make_store(1 << 20);
	keys = COLD;
	measure("store_put_512_cold", put, COLD);
	measure("store_get_512_cold", get, COLD);
	measure("store_edit_512_cold", edit, COLD);
	/* Half full, and hashing is uneven: some sets evict. */
	require(absent < (ROUNDS + 1) * (COLD / 20), "store: 5 % of them gone");

	store = make_store(65536);
	keys = 32768;
	edits = 0;
	(void)put(keys);
	tg_store_read_stats(store, &stats);
	measure("store_walk_512_a_record", walk, (uint32_t)stats.used);

	store = make_store(16384);
	measure("store_put_512_new_full", put_new, NEW);
	tg_store_read_stats(store, &stats);
	require(stats.evicted > NEW, "store: a full one evicts");
}

/* --- leases --------------------------------------------------------------- */

#define HELD 5000
#define BATCH 1000
#define OWNERS 100000
#define LEASES (1 << 18)

static struct tg_leases *leases;
static uint32_t lost;

static uint64_t expiry(uint32_t i)
{
	return START + ids[i] % (60 * SECOND) + 1;
}

static uint64_t batch_in(uint32_t i)
{
	uint64_t begin = cpu_ns();

	for(uint32_t end = i + BATCH; i < end; i++)
		lost += tg_lease_acquire(
						leases, ids[i], 7, 7000, expiry(i), START, NULL)
				!= 0;
	return cpu_ns() - begin;
}

static uint64_t batch_renew(uint32_t i)
{
	uint64_t begin = cpu_ns();

	for(uint32_t end = i + BATCH; i < end; i++)
		lost += tg_lease_renew(leases, ids[i], 7, expiry(i + BATCH), START)
				!= 0;
	return cpu_ns() - begin;
}

static uint64_t batch_out(uint32_t i)
{
	uint64_t begin = cpu_ns();

	for(uint32_t end = i + BATCH; i < end; i++)
		lost += tg_lease_release(leases, ids[i], 7) != 0;
	return cpu_ns() - begin;
}

/* The three steps of a call, each with its own time. */
static uint64_t lease_steps(uint32_t calls, int step)
{
	uint64_t took[3] = {0};

	for(uint32_t i = 0; i < calls; i += BATCH) {
		uint32_t first = HELD + i % 100000;

		took[0] += batch_in(first);
		took[1] += batch_renew(first);
		took[2] += batch_out(first);
	}
	return took[step];
}

static uint64_t acquire(uint32_t calls)
{
	return lease_steps(calls, 0);
}

static uint64_t renew(uint32_t calls)
{
	return lease_steps(calls, 1);
}

static uint64_t release(uint32_t calls)
{
	return lease_steps(calls, 2);
}

static uint64_t count(uint32_t calls)
{
	uint64_t begin = cpu_ns(), sum = 0;

	for(uint32_t i = 0; i < calls; i++)
		sum += tg_lease_count(leases, 7, START);
	begin = cpu_ns() - begin;
	require(sum == (uint64_t)calls * HELD, "leases: the gauge");
	return begin;
}

static uint64_t acquire_release_cold(uint32_t calls)
{
	uint64_t begin = cpu_ns();
	uint32_t i;

	for(i = 0; i < calls; i++)
		lost += tg_lease_acquire(
						leases, i, ids[i], 10, START + SECOND, START, NULL)
				!= 0;
	for(i = 0; i < calls; i++)
		lost += tg_lease_release(leases, i, ids[i]) != 0;
	return cpu_ns() - begin;
}

static uint64_t sweep(uint32_t slots)
{
	uint64_t begin = cpu_ns();

	sink += tg_lease_sweep(leases, START, slots);
	return cpu_ns() - begin;
}

static void bench_lease(void)
{
	struct tg_lease_config cfg = {LEASES, 2 * OWNERS};
	size_t size;
	void *mem = bench_map(tg_lease_size(&cfg), &size);

	require(tg_lease_init(mem, size, &cfg, &leases) == 0, "leases: init");
	for(uint32_t i = 0; i < HELD; i++)
		lost += tg_lease_acquire(leases, ids[i], 7, 0, expiry(i), START, NULL)
				!= 0;
	measure("lease_acquire_5000", acquire, 200000);
	measure("lease_renew_5000", renew, 200000);
	measure("lease_release_5000", release, 200000);
	measure("lease_count_5000", count, 1000000);
	measure("lease_acquire_release_cold", acquire_release_cold, OWNERS);
	measure("lease_sweep_a_slot", sweep, LEASES);
	require(lost == 0, "leases: a step was refused");
	require(tg_lease_count(leases, 7, START) == HELD, "leases: one leaked");
}

int main(void)
{
	uint32_t i;

	ids = calloc(COLD, sizeof(*ids));
	require(ids != NULL, "no memory");
	for(i = 0; i < COLD; i++)
		ids[i] = tg_hash_id(&key, 1, &i, sizeof(i));
	bench_store();
	bench_lease();
	free(ids);
	return 0;
}

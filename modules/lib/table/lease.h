/*
 * Leases: how many calls an owner (account, trunk, carrier) has right now.
 * A gauge is the number of its live leases, so it can neither leak nor go
 * below zero.
 *
 * Memory bound: 80 B a lease and 80 B an owner of the configuration (room for
 * twice the leases and four times the owners, since hashing is uneven).
 * Process safety: every process or thread that shares the memory may call any
 * function. What a killed process left half done, the next process undoes.
 * Cost: O(log n) for an owner with n leases; after a process was killed inside,
 * the next user of that owner's set reads every slot of the table once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_LEASE_H
#define TG_LEASE_H

#include <stddef.h>
#include <stdint.h>

struct tg_leases;

struct tg_lease_config
{
	uint32_t leases; /* capacity in leases; 16 .. 2^24 */
	uint32_t owners; /* capacity in owners; 16 .. 2^24 */
};

struct tg_lease_stats
{
	uint64_t live; /* leases held, also expired ones not yet swept; sampled
	                  beyond 2^18 owners */
	uint64_t acquired, released, expired; /* since start */
	uint64_t refused;					  /* over a limit */
	uint64_t untracked; /* no room for the lease or its owner */
};

size_t tg_lease_size(const struct tg_lease_config *cfg); /* 0 = out of range */
int tg_lease_init(void *mem, size_t size, const struct tg_lease_config *cfg,
		struct tg_leases **out);

/*
 * Takes a lease for (call, owner) until `expires` (monotonic us, > now) if the
 * owner then has at most `limit` live ones (0 = no limit). A pair that already
 * holds a lease (a retransmission) keeps it, with the later of the two
 * expiries. *count (not NULL): the owner's live leases after the step.
 * 0, -EDQUOT (over the limit), -ENOSPC (table full: not tracked), -EBUSY,
 * -EINVAL (owner 0, or expires <= now).
 */
int tg_lease_acquire(struct tg_leases *l, uint64_t call, uint64_t owner,
		uint32_t limit, uint64_t expires, uint64_t now, uint32_t *count);

/* Moves the expiry (an answered call lasts longer than a ringing one). An
 * expired lease is not revived. 0, -ENOENT, -EBUSY. */
int tg_lease_renew(struct tg_leases *l, uint64_t call, uint64_t owner,
		uint64_t expires, uint64_t now);

/* Gives the lease back, also an expired one that is not yet swept. A second
 * release is -ENOENT, never a second decrement. 0, -ENOENT, -EBUSY (the lease
 * then ends by its expiry). */
int tg_lease_release(struct tg_leases *l, uint64_t call, uint64_t owner);

/* Live leases of the owner at `now`. Expired leases do not count, swept or not.
 * (If the owner's set stays locked, they do count: better too many than too
 * few.) */
uint32_t tg_lease_count(struct tg_leases *l, uint64_t owner, uint64_t now);

/* Frees expired leases in the next `budget` slots, from where the last sweep
 * ended. Returns how many it freed. */
uint32_t tg_lease_sweep(struct tg_leases *l, uint64_t now, uint32_t budget);

void tg_lease_read_stats(const struct tg_leases *l, struct tg_lease_stats *out);

#endif

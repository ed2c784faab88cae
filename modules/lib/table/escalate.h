/*
 * Prefix escalation: when many different addresses of one prefix offend, the
 * prefix itself counts as the offender. IPv4 /32 -> /24, IPv6 /128 -> /64 ->
 * /48.
 *
 * Escalation counts distinct children that offended within the window, never
 * offences: a carrier's NAT address is one child of its /24, however busy it
 * is. The children of a /24 and of a /64 are addresses. The children of a /48
 * are its /64s with at least one offender. So a client that changes its address
 * inside its own /64 reaches the /64 only; a client that uses the /64s of a
 * whole /48 reaches the /48.
 *
 * The count is exact to the millisecond, up to the highest threshold: a record
 * keeps the latest children and the time of each. The children of a /64 are
 * distinguished by 32 bits of a keyed hash.
 *
 * Memory bound: records x (56 B + 9 B x the highest threshold), see store.h.
 * At capacity: the prefix with the fewest children is evicted; of several, the
 * one that offended longest ago. A prefix is never evicted for one with fewer
 * children, so a flood of single sources displaces no prefix with two. A prefix
 * without room does not escalate; the caller still judges its single addresses.
 * Process safety: every process or thread that shares the memory may call any
 * function. A process killed inside loses its own offence.
 *
 * Report only sources that are known to be real (a completed handshake, an
 * answered challenge). Forged sources would escalate an innocent prefix.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_ESCALATE_H
#define TG_ESCALATE_H

#include "lib/share/hash.h"
#include "lib/table/store.h"

#include <stddef.h>
#include <stdint.h>

struct tg_escalate;

enum tg_escalate_level
{
	TG_ESCALATE_V4_24,
	TG_ESCALATE_V6_64,
	TG_ESCALATE_V6_48,
	TG_ESCALATE_LEVELS
};

struct tg_escalate_config
{
	uint32_t records; /* prefixes at once; 8 .. 2^24; IPv6 takes two */
	uint8_t threshold[TG_ESCALATE_LEVELS]; /* children; 2 .. 64, 0 = never */
	uint64_t window_us;					   /* 10^6 .. 7 days in us */
	struct tg_hashkey key;
};

struct tg_escalation
{
	uint8_t children[TG_ESCALATE_LEVELS]; /* offenders within the window, up to
	                                         the highest threshold */
	uint8_t reached; /* bit 1 << level: at or over the level's threshold */
	uint8_t rose;	 /* of these, the levels that were below it before; exactly
	                    one caller sees each rise */
};

size_t tg_escalate_size(
		const struct tg_escalate_config *cfg); /* 0 = out of range */

/* Lays an empty table into `mem` (64-byte aligned, `size` bytes, zero-filled).
 * The handle is `mem` itself: valid in every process that shares the mapping.
 * 0, -EINVAL. */
int tg_escalate_init(void *mem, size_t size,
		const struct tg_escalate_config *cfg, struct tg_escalate **out);

/*
 * One offence of `address` (16 bytes, IPv4 as ::ffff:a.b.c.d) at `now`
 * (monotonic us). `out` is the state of its prefixes after it.
 * 0; -ENOSPC (no room for a prefix), -EBUSY (a stopped process locks one):
 * `out` then lacks the levels concerned.
 */
int tg_escalate_report(struct tg_escalate *e, const uint8_t address[16],
		uint64_t now, struct tg_escalation *out);

/* The state of the prefixes of `address` at `now`; `rose` is 0. Counts nothing.
 * 0, -EBUSY. */
int tg_escalate_peek(struct tg_escalate *e, const uint8_t address[16],
		uint64_t now, struct tg_escalation *out);

/* For an operator's release: forgets the children of one prefix of `address`.
 * 0, -ENOENT (nothing known, or no such level for this family), -EBUSY. */
int tg_escalate_forget(struct tg_escalate *e, const uint8_t address[16],
		enum tg_escalate_level level);

/* The prefix of `address` at `level`, for ban lists and logs. The host bits are
 * cleared; *bits (when not NULL) is 24, 64 or 48. 0, -EINVAL (other family). */
int tg_escalate_prefix(const uint8_t address[16], enum tg_escalate_level level,
		uint8_t prefix[16], unsigned *bits);

void tg_escalate_read_stats(
		const struct tg_escalate *e, struct tg_store_stats *out);

#endif

/*
 * The keeper: one process a module that does what SIP workers must not do
 * (database, logging of events, sweeps). Workers wake it through an eventfd,
 * which never blocks and never allocates.
 *
 * Failure mode: when the keeper is slow or stuck, workers go on with the
 * snapshot they have; wake-ups coalesce.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_KEEPER_H
#define GLUE_KEEPER_H

#include "lib/share/ring.h"

#include <stdint.h>

struct glue_keeper
{
	const char *name;			/* as `kamcmd core.psx` shows it */
	int tick_ms;				/* longest pause between two ticks, > 0 */
	int (*start)(void);			/* once, in the keeper; < 0 stops Kamailio */
	void (*wake)(void);			/* some process called glue_keeper_wake */
	void (*tick)(uint64_t now); /* at least every tick_ms */
	int fd;						/* set by init */
};

/* mod_init: reserves the process and makes the eventfd. 0, -1. */
int glue_keeper_init(struct glue_keeper *k);
/* child_init: forks the keeper when `rank` is PROC_MAIN. 0, -1. */
int glue_keeper_fork(struct glue_keeper *k, int rank);
/* Any process, any time. */
void glue_keeper_wake(const struct glue_keeper *k);
/* Hands a record to the keeper through the ring and wakes it; never waits. 0,
 * or a negative errno: the ring is full, the record is lost. */
int glue_keeper_tell(
		const struct glue_keeper *k, struct tg_ring *ring, const void *record);

#endif

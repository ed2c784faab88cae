/*
 * A lock between processes that a dead process cannot keep: a robust,
 * process-shared mutex. The wait for it is bounded.
 *
 * The kernel marks the mutex of a killed owner. So no pid has to be compared,
 * and a reused pid cannot be mistaken for the owner. The new owner is told that
 * the old one died, and repairs what it left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_SETLOCK_H
#define TG_SETLOCK_H

#include <pthread.h>

#define TG_LOCK_INHERITED 1

struct tg_setlock
{
	pthread_mutex_t mutex;
};

int tg_setlock_init(struct tg_setlock *l); /* 0 or a negative errno */

/* 0, TG_LOCK_INHERITED (taken; its last owner died while holding it), -EBUSY (a
 * living process held it for about 20 ms). Not recursive. */
int tg_setlock_take(struct tg_setlock *l);
void tg_setlock_give(struct tg_setlock *l);

#endif

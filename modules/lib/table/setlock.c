/*
 * Bounded robust lock; see setlock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/setlock.h"

#include <errno.h>
#include <time.h>

/* Work under these locks takes a microsecond. A longer wait means that the
 * owner is not running. Sleeping frees this processor, so that the owner can
 * run on it at once. */
#define SPINS 100
#define NAPS 130
#define NAP_NS 100000 /* about 150 us with Linux's timer slack: 20 ms in all */

int tg_setlock_init(struct tg_setlock *l)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if(rc != 0)
		return -rc;
	rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if(rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if(rc == 0)
		rc = pthread_mutex_init(&l->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return -rc;
}

int tg_setlock_take(struct tg_setlock *l)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	unsigned turn;

	for(turn = 0; turn < SPINS + NAPS; turn++) {
		int rc = pthread_mutex_trylock(&l->mutex);

		if(rc == 0)
			return 0;
		if(rc == EOWNERDEAD) {
			pthread_mutex_consistent(&l->mutex);
			return TG_LOCK_INHERITED;
		}
		if(turn >= SPINS)
			nanosleep(&nap, NULL);
#if defined(__x86_64__) || defined(__i386__)
		else
			__builtin_ia32_pause();
#endif
	}
	return -EBUSY;
}

void tg_setlock_give(struct tg_setlock *l)
{
	pthread_mutex_unlock(&l->mutex);
}

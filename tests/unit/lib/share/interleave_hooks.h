/*
 * Puts a step of the model before each atomic operation of the source that is
 * included next, and the model's processes in the place of real ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_INTERLEAVE_HOOKS_H
#define TESTS_UNIT_INTERLEAVE_HOOKS_H

#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>

#include "unit/lib/share/interleave.h"

/* The same names are linked in from the library: these are the model's own. */
#define tg_process_self model_process_self
#define tg_process_gone model_process_gone

#undef atomic_load
#undef atomic_store
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_add_explicit
#undef atomic_compare_exchange_strong
#define atomic_load(p) (interleave_step(), *(p))
#define atomic_store(p, v) (interleave_step(), (void)(*(p) = (v)))
#define atomic_load_explicit(p, order) atomic_load(p)
#define atomic_store_explicit(p, v, order) atomic_store(p, v)
#define atomic_fetch_add_explicit(p, v, order) \
	(interleave_step(), (void)(*(p) += (v)))
#define atomic_compare_exchange_strong interleave_exchange

/* Nothing runs between the two halves: actors switch in interleave_step only. */
static inline int interleave_exchange(
		_Atomic uint64_t *p, uint64_t *expected, uint64_t v)
{
	interleave_step();
	if(*p == *expected) {
		*p = v;
		return 1;
	}
	*expected = *p;
	return 0;
}

/* Copies half, lets others run, copies the rest. */
static inline void interleave_copy(void *to, const void *from, size_t n)
{
	for(size_t i = 0; i < n; i++) {
		if(i == n / 2)
			interleave_step();
		((char *)to)[i] = ((const char *)from)[i];
	}
}

/* Actor i is process 100 + i; the test itself is process 99. */
static inline pid_t model_process_self(void)
{
	return 100 + model.current;
}

static inline int model_process_gone(pid_t pid)
{
	return pid >= 100 && (unsigned)pid - 100 < model.actors
		   && (model.killed[pid - 100] || model.done[pid - 100]);
}

#endif

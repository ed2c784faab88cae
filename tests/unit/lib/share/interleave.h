/*
 * A model of processes that run at the same time: each is a coroutine that may
 * be switched, or killed, before each of its atomic operations. All schedules
 * up to a number of switches are tried, one after the other.
 *
 * Why: the windows that a proof must close are a few instructions wide; real
 * processes hit some of them never in an hour. What this model does not show is
 * a memory order that is too weak: it runs everything in one order.
 *
 * The code under test is included as source, behind interleave_hooks.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_INTERLEAVE_H
#define TESTS_UNIT_INTERLEAVE_H

#include "unit/support.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define ACTORS_MAX 4
#define CHOICES_MAX 4096
#define ACTOR_STACK 65536

struct interleave
{
	unsigned actors;
	void (*act[ACTORS_MAX])(void);
	int killable[ACTORS_MAX];
	unsigned max_switches, max_kills;

	/* this run */
	ucontext_t scheduler, context[ACTORS_MAX];
	int done[ACTORS_MAX], killed[ACTORS_MAX];
	int current; /* the actor that runs, -1 = none */
	unsigned switches, kills;
	/* which option was taken at each point, and how many there were */
	unsigned length, taken[CHOICES_MAX], options[CHOICES_MAX];
	unsigned long runs;
};

static struct interleave model;
static char actor_stack[ACTORS_MAX][ACTOR_STACK];

/* Before each atomic operation. Outside an actor it does nothing. */
static inline void interleave_step(void)
{
	int self = model.current;

	if(self >= 0)
		swapcontext(&model.context[self], &model.scheduler);
}

static inline void interleave_enter(int self)
{
	model.act[self]();
	model.done[self] = 1;
	swapcontext(&model.context[self], &model.scheduler);
	abort();
}

/* One of `n` options: replayed, or the first one at a new point. */
static inline unsigned interleave_choose(unsigned at, unsigned n)
{
	assert_true(at < CHOICES_MAX);
	if(at == model.length) {
		model.taken[at] = 0;
		model.length++;
	}
	model.options[at] = n;
	return model.taken[at];
}

static inline int interleave_runs(unsigned actor)
{
	return actor < model.actors && !model.done[actor] && !model.killed[actor];
}

static inline void interleave_start(unsigned i)
{
	assert_int_equal(getcontext(&model.context[i]), 0);
	model.context[i].uc_stack.ss_sp = actor_stack[i];
	model.context[i].uc_stack.ss_size = ACTOR_STACK;
	model.context[i].uc_link = NULL;
	makecontext(&model.context[i], (void (*)(void))interleave_enter, 1, (int)i);
	model.done[i] = model.killed[i] = 0;
}

/* What may happen next while actor `now` is at a point: it goes on (always the
 * first option), another one does, it is killed (KILL). */
#define KILL -1
static inline unsigned interleave_options(int now, int *option)
{
	int goes_on = now >= 0 && interleave_runs((unsigned)now);
	unsigned n = 0;

	if(goes_on)
		option[n++] = now;
	for(unsigned i = 0; i < model.actors; i++)
		if((int)i != now && interleave_runs(i)
				&& (!goes_on || model.switches < model.max_switches))
			option[n++] = (int)i;
	if(goes_on && model.killable[now] && model.kills < model.max_kills)
		option[n++] = KILL;
	return n;
}

static inline void interleave_run(void)
{
	int option[ACTORS_MAX + 1], next, now = -1;
	unsigned n, at = 0;

	model.switches = model.kills = 0;
	while((n = interleave_options(now, option)) > 0) {
		next = option[interleave_choose(at++, n)];
		if(next == KILL) {
			model.killed[now] = 1;
			model.kills++;
			continue;
		}
		if(now >= 0 && next != now && interleave_runs((unsigned)now))
			model.switches++;
		now = next;
		model.current = now;
		swapcontext(&model.scheduler, &model.context[now]);
		model.current = -1;
	}
	model.length = at;
	model.runs++;
}

/* The next schedule: the last point that has another option takes it. */
static inline int interleave_next(void)
{
	while(model.length > 0) {
		unsigned last = model.length - 1;

		if(++model.taken[last] < model.options[last])
			return 1;
		model.length--;
	}
	return 0;
}

/* Tries all schedules; `before` and `after` frame each. Returns how many. */
static inline unsigned long interleave_all(
		void (*before)(void), void (*after)(void))
{
	model.length = 0;
	model.runs = 0;
	do {
		model.current = -1;
		before();
		for(unsigned i = 0; i < model.actors; i++)
			interleave_start(i);
		interleave_run();
		after();
	} while(interleave_next());
	return model.runs;
}

#endif

/*
 * Forked processes for the tests of shared structures: run to the end and
 * collected, or killed in the middle of their work. Header only, because the
 * test binaries link no other common source than support.c.
 *
 * A child leaves by _exit: it reports by its exit status only. Children die
 * with their parent, so a failing test leaves none behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_PROCS_H
#define TESTS_UNIT_PROCS_H

#include "unit/support.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCS_MAX 64

/* Works on `table` as the `self`th process; returns the exit status. */
typedef int (*procs_f)(void *table, unsigned self);

struct procs
{
	unsigned count, started;
	procs_f work;
	void *table;
	pid_t pid[PROCS_MAX];
};

static inline void procs_restart_one(struct procs *p, unsigned i)
{
	pid_t parent = getpid();
	unsigned self = p->started++;

	p->pid[i] = fork();
	assert_true(p->pid[i] >= 0);
	if(p->pid[i] != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if(getppid() != parent)
		_exit(99);
	_exit(p->work(p->table, self));
}

static inline void procs_start(
		struct procs *p, unsigned count, procs_f work, void *table)
{
	unsigned i;

	assert_true(count <= PROCS_MAX);
	p->count = count;
	p->started = 0;
	p->work = work;
	p->table = table;
	for(i = 0; i < count; i++)
		procs_restart_one(p, i);
}

/* Lets the others work for a moment that differs from call to call, so that
 * the kill falls at another place of the work each time. */
static inline void procs_kill_one(struct procs *p, unsigned i)
{
	struct timespec moment = {0, 200000 + (long)(p->started * 7919 % 1000000)};
	int status;

	nanosleep(&moment, NULL);
	assert_int_equal(kill(p->pid[i], SIGKILL), 0);
	assert_int_equal(waitpid(p->pid[i], &status, 0), p->pid[i]);
	assert_true(WIFSIGNALED(status));
}

static inline void procs_kill_all(struct procs *p)
{
	unsigned i;

	for(i = 0; i < p->count; i++)
		procs_kill_one(p, i);
}

/* Runs them to the end. Returns how many did not exit with 0. */
static inline int procs_run(unsigned count, procs_f work, void *table)
{
	struct procs p;
	unsigned i;
	int status, bad = 0;

	procs_start(&p, count, work, table);
	for(i = 0; i < count; i++) {
		assert_int_equal(waitpid(p.pid[i], &status, 0), p.pid[i]);
		bad += status != 0;
	}
	return bad;
}

#endif

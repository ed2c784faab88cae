/*
 * What a caller feels of a reload: a process of its own calls one script
 * function again and again, while the reload runs elsewhere, and keeps the
 * longest call and how many took over a millisecond. A slow call in which the
 * system took the processor away from this process is counted apart: that is
 * the machine's doing, not the module's.
 *
 * Memory: one page, shared. The process sleeps on an eventfd between jobs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tgbench.h"

#include "lib/share/region.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define SLOW_NS 1000000
#define QUERIES 65536
#define END_SECONDS 10

static struct
{
	_Atomic int which; /* case number */
	_Atomic int running, stop;
	char path[512];
	uint64_t calls, lost, slow, preempted, longest, longest_own, began, ended;
} * job;
static int wake = -1;

int tgbench_stall_init(void)
{
	struct tg_region region;

	if(tg_region_map(&region, sizeof *job) < 0)
		return -1;
	job = region.base;
	wake = eventfd(0, EFD_CLOEXEC);
	register_procs(1);
	cfg_register_child(1);
	return wake < 0 ? -1 : 0;
}

static long preemptions(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_nivcsw;
}

static void note(uint64_t ns, long *before)
{
	long now;

	job->longest = ns > job->longest ? ns : job->longest;
	if(ns < SLOW_NS)
		return;
	now = preemptions();
	job->slow++;
	if(now != *before)
		job->preempted++;
	else if(ns > job->longest_own)
		job->longest_own = ns;
	*before = now;
}

static void run(void)
{
	const struct tgbench_case *one = &tgbench_scripts[job->which];
	long before;
	uint32_t i = 0;

	if(tgbench_query_count == 0
			&& tgbench_load_prefixes(job->path, QUERIES) < 0)
		return;
	job->calls = job->lost = job->slow = job->preempted = 0;
	job->longest = job->longest_own = 0;
	before = preemptions();
	job->began = tgbench_ns();
	atomic_store(&job->running, 1);
	while(!atomic_load_explicit(&job->stop, memory_order_relaxed)) {
		uint64_t begin = tgbench_ns();
		uint32_t found = one->call(i);

		note(tgbench_ns() - begin, &before);
		job->lost += found != 1;
		job->calls++;
		i = (i + 1) % tgbench_query_count;
		tgbench_clean();
	}
	job->ended = tgbench_ns();
	atomic_store(&job->running, 0);
}

int tgbench_stall_fork(int rank)
{
	pid_t parent = getpid();
	struct pollfd p = {.fd = wake, .events = POLLIN};
	uint64_t n;
	int pid;

	if(rank != PROC_MAIN)
		return 0;
	pid = fork_process(PROC_RPC, "tgbench caller", 1);
	if(pid != 0)
		return pid < 0 ? -1 : 0;
	/* So that the longest call is the module's; without the right to, the
	 * figures tell how often the system interfered. */
	if(cfg_child_init() != 0)
		_exit(1);
	if(setpriority(PRIO_PROCESS, 0, -20) < 0)
		LM_NOTICE("the caller runs at the usual priority\n");
	while(getppid() == parent) {
		if(poll(&p, 1, 1000) > 0 && read(wake, &n, sizeof n) == sizeof n)
			run();
	}
	_exit(0);
}

static int wait_for(int running)
{
	uint64_t end = tgbench_ns() + END_SECONDS * UINT64_C(1000000000);

	while(atomic_load(&job->running) != running) {
		if(tgbench_ns() > end)
			return -1;
		sched_yield();
	}
	return 0;
}

/* tgbench.stall module file: begins to call, answers when it does */
void tgbench_rpc_stall(rpc_t *rpc, void *ctx)
{
	str name, path;
	uint64_t one = 1;
	int which;

	if(rpc->scan(ctx, "SS", &name, &path) < 2
			|| (size_t)path.len >= sizeof job->path) {
		rpc->fault(ctx, 400, "tgbench.stall module file");
		return;
	}
	which = tgbench_script_find(&name);
	if(which < 0) {
		rpc->fault(ctx, 404, "no such module");
		return;
	}
	memcpy(job->path, path.s, (size_t)path.len);
	job->path[path.len] = '\0';
	job->which = which;
	atomic_store(&job->stop, 0);
	if(write(wake, &one, sizeof one) != sizeof one || wait_for(1) < 0)
		rpc->fault(ctx, 500, "the caller does not call");
}

/* tgbench.stall_end -> what it felt */
void tgbench_rpc_stall_end(rpc_t *rpc, void *ctx)
{
	void *h;

	atomic_store(&job->stop, 1);
	if(wait_for(0) < 0) {
		rpc->fault(ctx, 500, "the caller does not end");
		return;
	}
	if(rpc->add(ctx, "{", &h) < 0)
		return;
	rpc->struct_add(h, "fffffff", "calls", (double)job->calls, "lost",
			(double)job->lost, "slow", (double)job->slow, "preempted",
			(double)job->preempted, "longest_us", (double)job->longest / 1e3,
			"longest_own_us", (double)job->longest_own / 1e3, "seconds",
			(double)(job->ended - job->began) / 1e9);
}

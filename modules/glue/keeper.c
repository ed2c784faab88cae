/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/keeper.h"
#include "glue/ksr.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int glue_keeper_init(struct glue_keeper *k)
{
	k->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if(k->fd < 0) {
		LM_ERR("eventfd for the %s: %s\n", k->name, strerror(errno));
		return -1;
	}
	register_procs(1);
	cfg_register_child(1);
	return 0;
}

static void run(struct glue_keeper *k, pid_t parent)
{
	struct pollfd p = {.fd = k->fd, .events = POLLIN};
	uint64_t wakes;

	/* Ends by Kamailio's signals, or when the main process is gone without
	 * having sent any (SIGKILL): nobody is left to serve. */
	while(getppid() == parent) {
		int n = poll(&p, 1, k->tick_ms);

		cfg_update();
		if(n > 0 && read(k->fd, &wakes, sizeof wakes) == sizeof wakes
				&& k->wake)
			k->wake();
		if(k->tick)
			k->tick(glue_now());
	}
}

int glue_keeper_fork(struct glue_keeper *k, int rank)
{
	pid_t parent = getpid();
	int pid;

	if(rank != PROC_MAIN)
		return 0;
	pid = fork_process(PROC_RPC, (char *)k->name, 1);
	if(pid < 0) {
		LM_ERR("cannot fork the %s\n", k->name);
		return -1;
	}
	if(pid > 0)
		return 0;
	if(cfg_child_init() != 0 || (k->start && k->start() < 0))
		_exit(1);
	run(k, parent);
	_exit(0);
}

void glue_keeper_wake(const struct glue_keeper *k)
{
	uint64_t one = 1;

	/* EAGAIN only when 2^64 - 2 wake-ups wait: the keeper is awake then. */
	if(write(k->fd, &one, sizeof one) < 0 && errno != EAGAIN)
		LM_DBG("waking the %s: %s\n", k->name, strerror(errno));
}

int glue_keeper_tell(
		const struct glue_keeper *k, struct tg_ring *ring, const void *record)
{
	int rc = tg_ring_push(ring, record, glue_now());

	if(rc == 0)
		glue_keeper_wake(k);
	return rc;
}

/*
 * The own process number is kept in a page that the kernel clears in every
 * forked child (MADV_WIPEONFORK). So a child never inherits its parent's
 * number, not even after a raw clone(2), which runs no fork handlers.
 *
 * Memory: one page a process. Locking: none. Failure mode: without that page
 * every call asks the kernel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/process.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* The page's address is the same in all forks, its content is not. */
static _Atomic(atomic_int *) wiped_page;

static pid_t learn_self(atomic_int *page)
{
	pid_t self = getpid();
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	atomic_int *other = NULL;

	if(page == NULL) {
		void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if(mem == MAP_FAILED)
			return self;
		page = mem;
		if(madvise(mem, size, MADV_WIPEONFORK) != 0
				|| !atomic_compare_exchange_strong(&wiped_page, &other, page)) {
			munmap(mem,
					size); /* not supported, or another thread's page is used */
			return self;
		}
	}
	atomic_store_explicit(page, self, memory_order_relaxed);
	return self;
}

pid_t tg_process_self(void)
{
	atomic_int *page = atomic_load_explicit(&wiped_page, memory_order_acquire);
	pid_t self =
			page == NULL ? 0 : atomic_load_explicit(page, memory_order_relaxed);

	return self != 0 ? self : learn_self(page);
}

int tg_process_gone(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
}

/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The wrappers are linked with --wrap, so that only the code under test (and
 * not cmocka or libc itself) sees the failures. */
static unsigned fail_at;

void support_fail_alloc(unsigned nth)
{
	fail_at = nth;
}

static int fails_now(void)
{
	if(fail_at == 0 || --fail_at != 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails_now() ? NULL : __real_realloc(p, size);
}

void *support_memory(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

	if(p == NULL)
		abort();
	return memset(p, 0, size);
}

void support_free(void *mem)
{
	free(mem);
}

static char too_late[80];

/* The program ends here: whatever did not come to an end, a thread or a process
 * under a lock, cannot be gone on with. */
static void on_deadline(int number)
{
	ssize_t told = write(STDERR_FILENO, too_late, strlen(too_late));

	(void)number;
	(void)told;
	_exit(1);
}

void support_deadline(unsigned seconds)
{
	struct sigaction action = {.sa_handler = on_deadline};

	alarm(0); /* its line is about to change */
	snprintf(too_late, sizeof(too_late),
			"DEADLINE: still running after %u s, given up\n", seconds);
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

__attribute__((constructor)) static void start(void)
{
	support_deadline(SUPPORT_PROGRAM_SECONDS);
}

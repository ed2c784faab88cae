/*
 * Who am I, is the other one there: right after a fork too, where a number
 * kept from before would be the parent's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/share/process.h"

/* 0 when a child made by `fork_call` knows itself, twice, and its parent. */
static int ask_child(long (*fork_call)(void))
{
	pid_t parent = tg_process_self();
	pid_t pid = (pid_t)fork_call();
	int status;

	assert_true(pid >= 0);
	if(pid == 0)
		_exit(tg_process_self() != getpid() || tg_process_self() != getpid()
				|| tg_process_self() == parent || tg_process_gone(parent));
	assert_false(tg_process_gone(pid)); /* at least a zombie until here */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(tg_process_gone(pid));
	assert_int_equal(tg_process_self(), parent);
	return status;
}

static long libc_fork(void)
{
	return fork();
}

/* Runs no fork handlers. */
static long raw_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void test_self(void **state)
{
	(void)state;
	assert_int_equal(tg_process_self(), getpid());
	assert_int_equal(tg_process_self(), getpid());
	assert_false(tg_process_gone(getpid()));
	assert_false(tg_process_gone(1));
}

static void test_forks(void **state)
{
	(void)state;
	assert_int_equal(ask_child(libc_fork), 0);
	assert_int_equal(ask_child(raw_fork), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_self),
			cmocka_unit_test(test_forks),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}

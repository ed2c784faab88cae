/*
 * State files that cannot be written: the old state stays, and nothing else is
 * left behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/share/statefile_dir.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* What a crash left behind is used up, however long it was. */
static void test_stale_temp(void **state)
{
	char junk[9000];

	(void)state;
	memset(junk, 'j', sizeof(junk));
	put_file(temp, junk, sizeof(junk));
	assert_int_equal(chmod(temp, 0644), 0);
	assert_int_equal(tg_statefile_write(path, &format, "new", 3), 0);
	expect_state("new", 3);
	assert_int_equal(access(temp, F_OK), -1);
}

static void test_two_writers(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, "old", 3), 0);
	fd = open(temp, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(
			tg_statefile_write(path, &format, "new", 3), -TG_STATEFILE_BUSY);
	expect_state("old", 3);
	assert_int_equal(access(temp, F_OK), 0); /* it is the other one's */
	close(fd);
	assert_int_equal(tg_statefile_write(path, &format, "new", 3), 0);
	expect_state("new", 3);
}

/* --- writes that fail, each in a child of its own ------------------------ */

static int in_child(int (*work)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if(pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int write_big(void)
{
	static char big[50000];

	return -tg_statefile_write(path, &format, big, sizeof(big));
}

static int write_limited(void)
{
	struct rlimit limit = {10000, 10000};

	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? write_big() : 255;
}

static int write_as_nobody(void)
{
	if(geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 255;
	return write_big();
}

/* On a file system of 16 kB of its own, made in a private mount namespace.
 * Exit 0: the old state was kept and no temporary file; 254: not permitted. */
static int write_on_full_disk(void)
{
	void *data = NULL;
	size_t len;

	if(unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0
			|| mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
			|| mount("none", dir, "tmpfs", 0, "size=16k") != 0)
		return 254;
	if(tg_statefile_write(path, &format, "old", 3) != 0)
		return 1;
	if(write_big() != ENOSPC)
		return 2;
	if(tg_statefile_read(path, &format, MAX, &data, &len) != 0 || len != 3)
		return 3;
	free(data);
	if(access(temp, F_OK) == 0)
		return 4;
	return tg_statefile_write(path, &format, "new", 3) == 0 ? 0 : 5;
}

static void test_failing_writes(void **state)
{
	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, "old", 3), 0);
	assert_int_equal(in_child(write_limited), EFBIG);
	expect_state("old", 3);
	assert_int_equal(access(temp, F_OK), -1);

	assert_int_equal(chmod(dir, 0555), 0);
	assert_int_equal(in_child(write_as_nobody), EACCES);
	assert_int_equal(chmod(dir, 0755), 0);
	expect_state("old", 3);
}

static void test_full_disk(void **state)
{
	int result = in_child(write_on_full_disk);

	(void)state;
	if(result == 254) {
		print_message("skipped: no permission for a mount namespace\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void test_bad_paths(void **state)
{
	static char long_path[PATH_MAX + 10];

	(void)state;
	memset(long_path, 'a', sizeof(long_path) - 1);
	assert_int_equal(
			tg_statefile_write(long_path, &format, "", 0), -ENAMETOOLONG);
	assert_int_equal(
			tg_statefile_write("/nonexistent/dir/state", &format, "", 0),
			-ENOENT);
	/* the target is a directory: nothing is left beside it */
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(tg_statefile_write(path, &format, "", 0), -EISDIR);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
}

static void test_relative_path(void **state)
{
	char back[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(back, sizeof(back)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(tg_statefile_write("state", &format, "here", 4), 0);
	assert_int_equal(chdir(back), 0);
	expect_state("here", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			IN_DIR(test_stale_temp),
			IN_DIR(test_two_writers),
			IN_DIR(test_failing_writes),
			IN_DIR(test_full_disk),
			IN_DIR(test_bad_paths),
			IN_DIR(test_relative_path),
	};

	return cmocka_run_group_tests_name("statefile_write", tests, NULL, NULL);
}

/*
 * State files: what was written comes back; whatever else is found is refused
 * with its own reason; a write that fails leaves the old state alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/share/statefile.h"

#define MAX 100000u
static const struct tg_statefile_format format = {"unit", 3};

static char dir[64], path[80], temp[90];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tollgate-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(temp);
	return rmdir(dir); /* fails, and the test with it, when anything is left */
}

static void put_file(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static size_t get_file(unsigned char *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, to, room);

	assert_true(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

static void expect_state(const void *want, size_t want_len)
{
	void *data;
	size_t len;

	assert_int_equal(tg_statefile_read(path, &format, MAX, &data, &len), 0);
	assert_int_equal(len, want_len);
	assert_memory_equal(data, want, len);
	free(data);
}

/* Reading and parsing agree about every refusal, and hand out nothing. */
static void expect_refusal(int reason)
{
	static unsigned char file[MAX];
	const void *payload = file;
	void *data = file;
	size_t size = get_file(file, sizeof(file)), len;

	assert_int_equal(
			tg_statefile_read(path, &format, MAX, &data, &len), -reason);
	assert_null(data);
	assert_int_equal(
			tg_statefile_parse(file, size, &format, MAX, &payload, &len),
			-reason);
	assert_ptr_equal(payload, file);
}

static void test_round_trip(void **state)
{
	unsigned char blob[5000];
	struct stat st;

	(void)state;
	for(size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (unsigned char)(i * 31 >> 3);
	for(size_t len = 0; len <= sizeof(blob); len += len < 20 ? 1 : 996) {
		assert_int_equal(tg_statefile_write(path, &format, blob, len), 0);
		expect_state(blob, len);
	}
	/* shorter over longer */
	assert_int_equal(tg_statefile_write(path, &format, "ab", 2), 0);
	expect_state("ab", 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(temp, F_OK), -1);
}

static void test_no_file(void **state)
{
	void *data;
	size_t len;

	(void)state;
	assert_int_equal(
			tg_statefile_read(path, &format, MAX, &data, &len), -ENOENT);
	assert_null(data);
}

static void test_every_truncation(void **state)
{
	unsigned char blob[300], file[600];
	size_t size;

	(void)state;
	memset(blob, 7, sizeof(blob));
	assert_int_equal(tg_statefile_write(path, &format, blob, sizeof(blob)), 0);
	size = get_file(file, sizeof(file));
	assert_true(size > sizeof(blob));
	for(size_t cut = 0; cut < size; cut++) {
		put_file(path, file, cut);
		expect_refusal(TG_STATEFILE_TORN);
	}
	file[size] = 0;
	put_file(path, file, size + 1);
	expect_refusal(TG_STATEFILE_TORN);
	put_file(path, file, size);
	expect_state(blob, sizeof(blob));
}

static void test_every_flipped_bit(void **state)
{
	unsigned char blob[200], file[600];
	size_t size;

	(void)state;
	memset(blob, 0, sizeof(blob));
	assert_int_equal(tg_statefile_write(path, &format, blob, sizeof(blob)), 0);
	size = get_file(file, sizeof(file));
	for(size_t bit = 0; bit < size * 8; bit++) {
		file[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put_file(path, file, size);
		/* the magic is what tells a foreign file */
		expect_refusal(bit < 64 ? TG_STATEFILE_FOREIGN : TG_STATEFILE_DAMAGED);
		file[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

static void test_others(void **state)
{
	const struct tg_statefile_format other = {"unit2", 3}, newer = {"unit", 4},
									 nameless = {"", 1},
									 long_name = {"sixteen-letters!", 1};
	void *data;
	size_t len;

	(void)state;
	put_file(path, "#!KAMAILIO\nloadmodule", 21);
	expect_refusal(TG_STATEFILE_FOREIGN);
	put_file(path, "x", 1);
	expect_refusal(TG_STATEFILE_FOREIGN);
	assert_int_equal(tg_statefile_write(path, &other, "abc", 3), 0);
	expect_refusal(TG_STATEFILE_OTHER_FORMAT);
	assert_int_equal(tg_statefile_write(path, &newer, "abc", 3), 0);
	expect_refusal(TG_STATEFILE_OTHER_VERSION);

	assert_int_equal(tg_statefile_write(path, &nameless, "", 0), -EINVAL);
	assert_int_equal(tg_statefile_write(path, &long_name, "", 0), -EINVAL);
	assert_int_equal(
			tg_statefile_read(path, &nameless, MAX, &data, &len), -EINVAL);
}

/* A directory, a FIFO: refused at once, not waited for. */
static void test_not_a_file(void **state)
{
	void *data;
	size_t len;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(tg_statefile_read(path, &format, MAX, &data, &len),
			-TG_STATEFILE_FOREIGN);
	assert_int_equal(tg_statefile_read(dir, &format, MAX, &data, &len),
			-TG_STATEFILE_FOREIGN);
	assert_int_equal(mkfifo(temp, 0600), 0);
	assert_int_equal(tg_statefile_write(path, &format, "a", 1), -ENXIO);
}

static void test_too_large(void **state)
{
	static char blob[MAX + 1];
	void *data;
	size_t len;

	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, blob, MAX), 0);
	expect_state(blob, MAX);
	assert_int_equal(tg_statefile_write(path, &format, blob, MAX + 1), 0);
	/* refused before memory is asked for: the armed failure is not used up */
	support_fail_alloc(1);
	assert_int_equal(tg_statefile_read(path, &format, MAX, &data, &len),
			-TG_STATEFILE_TOO_LARGE);
	assert_null(malloc(1));
	assert_null(data);
}

static void test_no_memory(void **state)
{
	void *data;
	size_t len;

	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, "abc", 3), 0);
	support_fail_alloc(1);
	assert_int_equal(
			tg_statefile_read(path, &format, MAX, &data, &len), -ENOMEM);
	assert_null(data);
	/* writing needs none */
	support_fail_alloc(1);
	assert_int_equal(tg_statefile_write(path, &format, "abcd", 4), 0);
	assert_null(malloc(1));
	expect_state("abcd", 4);
}

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

/* Each result has a line of its own. */
static void test_texts(void **state)
{
	(void)state;
	for(int a = TG_STATEFILE_TORN; a < TG_STATEFILE_REASONS; a++)
		for(int b = a; b < TG_STATEFILE_REASONS; b++)
			assert_int_equal(
					strcmp(tg_statefile_text(-a), tg_statefile_text(-b)) == 0,
					a == b);
	assert_string_equal(tg_statefile_text(-ENOSPC), "No space left on device");
	assert_string_equal(
			tg_statefile_text(-TG_STATEFILE_REASONS), "unknown error");
	assert_string_equal(tg_statefile_text(-TG_STATEFILE_TORN),
			"cut short or followed by other data");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
			IN_DIR(test_round_trip),
			IN_DIR(test_no_file),
			IN_DIR(test_every_truncation),
			IN_DIR(test_every_flipped_bit),
			IN_DIR(test_others),
			IN_DIR(test_not_a_file),
			IN_DIR(test_too_large),
			IN_DIR(test_no_memory),
			IN_DIR(test_stale_temp),
			IN_DIR(test_two_writers),
			IN_DIR(test_failing_writes),
			IN_DIR(test_full_disk),
			IN_DIR(test_bad_paths),
			IN_DIR(test_relative_path),
			cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("statefile", tests, NULL, NULL);
}

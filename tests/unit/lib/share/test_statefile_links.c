/*
 * State files and symbolic links: somebody else's file may lie behind one, so
 * neither a write nor a read follows one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/share/statefile.h"

#define MAX 1000u
static const struct tg_statefile_format format = {"unit", 3};

static char dir[64], path[80], temp[90], theirs[90];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tollgate-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(temp);
	unlink(theirs);
	return rmdir(dir);
}

static int is_link(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 && S_ISLNK(st.st_mode);
}

static void expect_state(const char *name, const char *want)
{
	void *data;
	size_t len;

	assert_int_equal(tg_statefile_read(name, &format, MAX, &data, &len), 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(data, want, len);
	free(data);
}

static void a_write_makes_nothing_behind_a_link(void **state)
{
	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, "old", 3), 0);
	assert_int_equal(symlink(theirs, temp), 0);
	assert_int_equal(tg_statefile_write(path, &format, "new", 3), -ELOOP);
	assert_int_equal(access(theirs, F_OK), -1);
	expect_state(path, "old");
}

static void a_write_changes_nothing_behind_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(tg_statefile_write(path, &format, "old", 3), 0);
	assert_int_equal(tg_statefile_write(theirs, &format, "theirs", 6), 0);
	assert_int_equal(chmod(theirs, 0644), 0);
	assert_int_equal(symlink(theirs, temp), 0);
	assert_int_equal(tg_statefile_write(path, &format, "new", 3), -ELOOP);
	assert_int_equal(stat(theirs, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	expect_state(theirs, "theirs");
	expect_state(path, "old");
}

/* The rename puts the file in the place of the link. */
static void a_write_replaces_a_link(void **state)
{
	(void)state;
	assert_int_equal(tg_statefile_write(theirs, &format, "theirs", 6), 0);
	assert_int_equal(symlink(theirs, path), 0);
	assert_int_equal(tg_statefile_write(path, &format, "new", 3), 0);
	assert_false(is_link(path));
	expect_state(path, "new");
	expect_state(theirs, "theirs");
}

static void a_read_follows_no_link(void **state)
{
	void *data = dir;
	size_t len;

	(void)state;
	assert_int_equal(tg_statefile_write(theirs, &format, "theirs", 6), 0);
	assert_int_equal(symlink(theirs, path), 0);
	assert_int_equal(
			tg_statefile_read(path, &format, MAX, &data, &len), -ELOOP);
	assert_null(data);
	expect_state(theirs, "theirs");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
			IN_DIR(a_write_makes_nothing_behind_a_link),
			IN_DIR(a_write_changes_nothing_behind_a_link),
			IN_DIR(a_write_replaces_a_link),
			IN_DIR(a_read_follows_no_link),
	};

	return cmocka_run_group_tests_name("statefile_links", tests, NULL, NULL);
}

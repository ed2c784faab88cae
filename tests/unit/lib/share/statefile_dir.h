/*
 * A folder with a state file for each test of state files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_STATEFILE_DIR_H
#define TESTS_UNIT_STATEFILE_DIR_H

#include "unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/share/statefile.h"

#define MAX 100000u
static const struct tg_statefile_format format = {"unit", 3};

static char dir[64], path[80], temp[90];

static inline int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tollgate-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	return 0;
}

static inline int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(temp);
	return rmdir(dir); /* fails, and the test with it, when anything is left */
}

static inline void put_file(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static inline void expect_state(const void *want, size_t want_len)
{
	void *data;
	size_t len;

	assert_int_equal(tg_statefile_read(path, &format, MAX, &data, &len), 0);
	assert_int_equal(len, want_len);
	assert_memory_equal(data, want, len);
	free(data);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

#endif

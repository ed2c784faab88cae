/*
 * A region is zeroed, shared with a forked child, and harmless when unmapped
 * twice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/share/region.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void maps_zeroed_whole_pages(void **state)
{
	struct tg_region r;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t i, dirty = 0;

	(void)state;
	assert_int_equal(tg_region_map(&r, page + 1), 0);
	assert_non_null(r.base);
	assert_int_equal(r.size, 2 * page);
	assert_int_equal((uintptr_t)r.base % page, 0);
	for(i = 0; i < r.size; i++)
		dirty += ((unsigned char *)r.base)[i] != 0;
	assert_int_equal(dirty, 0);
	tg_region_unmap(&r);
	assert_null(r.base);
	assert_int_equal(r.size, 0);
	tg_region_unmap(&r);
}

static void refuses_impossible_sizes(void **state)
{
	struct tg_region r = {(void *)&r, 1};

	(void)state;
	assert_int_equal(tg_region_map(&r, 0), -EINVAL);
	assert_null(r.base);
	assert_int_equal(tg_region_map(&r, SIZE_MAX), -EINVAL);
	assert_null(r.base);
	assert_int_equal(tg_region_map(&r, SIZE_MAX / 2), -ENOMEM);
	assert_null(r.base);
}

static void is_shared_with_a_fork(void **state)
{
	struct tg_region r;
	volatile int *cell;
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(tg_region_map(&r, sizeof(int)), 0);
	cell = r.base;
	child = fork();
	assert_true(child >= 0);
	if(child == 0) {
		*cell = 4711;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(*cell, 4711);
	tg_region_unmap(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(maps_zeroed_whole_pages),
			cmocka_unit_test(refuses_impossible_sizes),
			cmocka_unit_test(is_shared_with_a_fork),
	};

	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}

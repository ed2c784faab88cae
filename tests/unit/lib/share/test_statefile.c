/*
 * State files: what was written comes back; whatever else is found is refused
 * with its own reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/lib/share/statefile_dir.h"

#include <errno.h>

static size_t get_file(unsigned char *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, to, room);

	assert_true(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
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
			cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("statefile", tests, NULL, NULL);
}

/*
 * Records of a geography file that mean harm: too deep, too large, going in
 * circles, torn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/geo/geo_record.h"

/* In memory of exactly that size, so that ASan sees a read beyond it. */
static int read_record(const uint8_t *bytes, size_t n)
{
	struct tg_geo_place p = {0};
	uint8_t *copy = malloc(n);
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	rc = geo_read_record(copy, n, 0, &p);
	free(copy);
	return rc;
}

static void hostile_records(void **state)
{
	static const uint8_t germany[] = "\xe1\x47"
									 "country\xe1\x48iso_code\x42"
									 "DE";
	const size_t deep = 4 << 20;
	uint8_t *bytes = malloc(deep);
	struct geo_metadata m;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(read_record((const uint8_t *)"\xe0", 1), 0);
	/* {"a": [[[[... two million deep: libmaxminddb's reader recurses. */
	memcpy(bytes, "\xe1\x41\x61", 3);
	for(size_t i = 3; i < deep; i++)
		bytes[i] = i % 2 ? 0x01 : 0x04;
	assert_int_equal(read_record(bytes, deep), -EBADMSG);
	assert_int_equal(geo_check_metadata(bytes, deep, &m), -EBADMSG);
	/* A map of 16 million pairs in ten bytes. */
	assert_int_equal(
			read_record(
					(const uint8_t *)"\xff\xff\xff\xff\x41x\xe0\x41y\xe0", 10),
			-EBADMSG);
	/* A pointer to itself, and one beyond the end. */
	assert_int_equal(read_record((const uint8_t *)"\x20\x00", 2), -EBADMSG);
	assert_int_equal(read_record((const uint8_t *)"\x20\x09", 2), -EBADMSG);
	/* {"country": the same map}: a loop of maps. */
	assert_int_equal(read_record((const uint8_t *)"\xe1\x47"
												  "country\x20\x00",
							 11),
			0);
	/* A true record, and each beginning of it. */
	for(size_t n = 1; n <= sizeof(germany) - 1; n++)
		assert_int_equal(read_record(germany, n),
				n == sizeof(germany) - 1 ? 0 : -EBADMSG);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(hostile_records),
	};

	return cmocka_run_group_tests_name("geo_record", tests, NULL, NULL);
}

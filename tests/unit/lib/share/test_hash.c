/*
 * SipHash against independent implementations.
 *
 * The 2-4 rows are those of the paper's appendix and of OpenSSL, the 1-3 rows
 * of OpenSSL:
 *   printf '\0\1..' | openssl mac -macopt size:8 \
 *     -macopt hexkey:000102030405060708090a0b0c0d0e0f \
 *     [-macopt c-rounds:1 -macopt d-rounds:3] -in /dev/stdin SIPHASH
 * and, with a zero key, of CPython 3.11:
 *   PYTHONHASHSEED=0 python3 -c 'print(hex(hash(bytes(range(8)))%2**64))'
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/share/hash.h"

#include <string.h>

static const struct tg_hashkey paper_key = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

struct vector
{
	size_t len; /* of the input 00 01 02 ... */
	uint64_t h24, h13;
};

static const struct vector vectors[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0xabac0158050fc4dc)},
		{1, UINT64_C(0x74f839c593dc67fd), UINT64_C(0xc9f49bf37d57ca93)},
		{7, UINT64_C(0xab0200f58b01d137), UINT64_C(0xd3927d989bb11140)},
		{8, UINT64_C(0x93f5f5799a932462), UINT64_C(0x369095118d299a8e)},
		{15, UINT64_C(0xa129ca6149be45e5), UINT64_C(0xd320d86d2a519956)},
		{16, UINT64_C(0x3f2acc7f57c29bdb), UINT64_C(0xcc4fdd1a7d908b66)},
		{31, UINT64_C(0x32d892fad841c342), UINT64_C(0x2370dd1f8c21d1bc)},
		{63, UINT64_C(0x958a324ceb064572), UINT64_C(0x9d199062b7bbb3a8)},
};

static void count_up(unsigned char *buf, size_t len)
{
	size_t i;

	for(i = 0; i < len; i++)
		buf[i] = (unsigned char)i;
}

static void matches_known_answers(void **state)
{
	unsigned char buf[64];
	size_t i;

	(void)state;
	count_up(buf, sizeof(buf));
	for(i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(
				tg_siphash24(&paper_key, buf, vectors[i].len), vectors[i].h24);
		assert_int_equal(
				tg_siphash13(&paper_key, buf, vectors[i].len), vectors[i].h13);
	}
	assert_int_equal(tg_siphash24(&paper_key, NULL, 0), vectors[0].h24);
}

static void matches_cpython_with_a_zero_key(void **state)
{
	const struct tg_hashkey zero = {0, 0};
	unsigned char buf[31];

	(void)state;
	count_up(buf, sizeof(buf));
	assert_int_equal(tg_siphash13(&zero, buf, 1), UINT64_C(0x68a914128e01e473));
	assert_int_equal(tg_siphash13(&zero, buf, 8), UINT64_C(0xead411e67ebe2eea));
	assert_int_equal(
			tg_siphash13(&zero, buf, 31), UINT64_C(0x169739443111d49b));
}

/* Keys come out of packet buffers at any address. */
static void accepts_any_alignment(void **state)
{
	unsigned char buf[64 + 8];
	size_t shift;

	(void)state;
	for(shift = 0; shift < 8; shift++) {
		count_up(buf + shift, 63);
		assert_int_equal(
				tg_siphash24(&paper_key, buf + shift, 63), vectors[7].h24);
	}
}

/* The id is SipHash-1-3 of (space as 8 little-endian bytes, data): checked
 * against the plain function, which the vectors above have proven. */
static void id_hashes_space_then_data(void **state)
{
	unsigned char joined[8 + 20] = {0x44, 0x33, 0x22, 0x11};
	size_t len;

	(void)state;
	for(len = 0; len <= 20; len++) {
		count_up(joined + 8, len);
		assert_int_equal(tg_hash_id(&paper_key, 0x11223344, joined + 8, len),
				tg_siphash13(&paper_key, joined, 8 + len));
	}
	assert_int_not_equal(tg_hash_id(&paper_key, 1, "a", 1),
			tg_hash_id(&paper_key, 2, "a", 1));
	assert_int_not_equal(tg_hash_id(&paper_key, 1, NULL, 0), 0);
}

static void random_keys_differ(void **state)
{
	struct tg_hashkey a = {0, 0}, b = {0, 0};

	(void)state;
	assert_int_equal(tg_hashkey_random(&a), 0);
	assert_int_equal(tg_hashkey_random(&b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_int_not_equal(a.k0, 0);
	assert_int_not_equal(a.k1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(matches_known_answers),
			cmocka_unit_test(matches_cpython_with_a_zero_key),
			cmocka_unit_test(accepts_any_alignment),
			cmocka_unit_test(id_hashes_space_then_data),
			cmocka_unit_test(random_keys_differ),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

/*
 * Dialled numbers to E.164: real ones of ten countries by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/decide/dialling.h"

static void knows_ten_countries(void **state)
{
	static const char *const cases[][3] = {
			{"DE", "030 12345678", "493012345678"},
			{"DE", "0171-2345678", "491712345678"},
			{"DE", "0044 20 7946 0018", "442079460018"},
			{"DE", "+1 212 555 0123", "12125550123"},
			{"DE", "30 12345678", "493012345678"},
			{"GB", "020 7946 0018", "442079460018"},
			{"GB", "07400 123456", "447400123456"},
			{"GB", "0033 1 23 45 67 89", "33123456789"},
			{"GB", "442079460018", "442079460018"},
			{"US", "(212) 555-0123", "12125550123"},
			{"US", "1 212 555 0123", "12125550123"},
			{"US", "+12125550123", "12125550123"},
			{"US", "011 44 20 7946 0018", "442079460018"},
			{"US", "1.876.210.1234", "18762101234"},
			{"IT", "02 1234 5678", "390212345678"}, /* the 0 stays */
			{"IT", "06 6982 1234", "390669821234"},
			{"IT", "312 345 6789", "393123456789"},
			{"IT", "00 39 02 1234 5678", "390212345678"},
			{"IT", "0041 44 668 18 00", "41446681800"},
			{"FR", "01 23 45 67 89", "33123456789"},
			{"FR", "06.12.34.56.78", "33612345678"},
			{"FR", "33123456789", "33123456789"},
			{"ES", "810 12 34 56", "34810123456"},
			{"ES", "0034 612 34 56 78", "34612345678"},
			{"ES", "34612345678", "34612345678"},
			{"DK", "32 12 34 56", "4532123456"},
			{"DK", "45321234", "4545321234"}, /* 45 is no calling code */
			{"DK", "4532123456", "4532123456"},
			{"RU", "8 (495) 123-45-67", "74951234567"},
			{"RU", "8 10 44 20 7946 0018", "442079460018"},
			{"RU", "812 345-67-89", "78123456789"}, /* St Petersburg, no 8 */
			{"RU", "74951234567", "74951234567"},
			{"AU", "(02) 1234 5678", "61212345678"},
			{"AU", "0412 345 678", "61412345678"},
			{"AU", "0011 44 20 7946 0018", "442079460018"},
			{"BR", "(11) 2345-6789", "551123456789"},
			{"BR", "(11) 96123-4567", "5511961234567"},
			{"BR", "0 11 2345-6789", "551123456789"},
			{"BR", "0 15 11 2345-6789", "551123456789"}, /* carrier 15 */
			{"BR", "015 11 96123-4567", "5511961234567"},
			{"BR", "0 15 3211-1234", "551532111234"},		/* area 15 */
			{"BR", "0021 44 20 7946 0018", "442079460018"}, /* carrier 21 */
			{"CO", "0414 601 2345678", "576012345678"}};

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct callroute_dialling d = of(cases[i][0]);

		assert_dials(&d, cases[i][1], cases[i][2]);
	}
}

static void refuses_what_it_would_have_to_guess(void **state)
{
	static const char *const cases[][2] = {
			{"DE", "110"}, /* an emergency number is no E.164 number */
			{"DE", "+49 (0)30 12345678"}, {"DE", "000491234567"}, {"DE", "00"},
			{"DE", "+1"}, {"DE", "+0301234567"},
			{"US", "555-0123"}, /* where? */
			{"US", "911"}, {"US", "1 212 555 012"}, {"US", "212 555 01234"},
			{"GB", "020 7946"}, {"GB", "0"}, {"FR", "01 23 45 67 8"},
			{"FR", "112"}, {"DK", "1813"}, {"ES", "112"},
			{"AR", "011 15-2345-6789"}, /* mobile: +54 9 11 2345 6789 */
			{"BR", "2345-678"}, {"BR", "0 16 11 2345-6789"}, /* no carrier 16 */
			{"AU", "1831 02 1234 5678"}, {"AU", "000"}};
	struct callroute_dialling d;

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		d = of(cases[i][0]);
		assert_refuses(&d, cases[i][1], -EDOM);
	}
}

static void prefers_the_national_number(void **state)
{
	struct callroute_dialling d = of("DE");

	(void)state;
	assert_dials(&d, "4930123456", "494930123456");
	assert_dials(&d, "04930123456", "494930123456");
	assert_dials(&d, "+4930123456", "4930123456");
	assert_dials(&d, "004930123456", "4930123456");
	/* unless the account dials E.164 */
	d = (struct callroute_dialling){.intl_prefix = "00"};
	assert_dials(&d, "4930123456", "4930123456");
	assert_dials(&d, "+4930123456", "4930123456");
	assert_dials(&d, "004930123456", "4930123456");
	assert_refuses(&d, "030123456", -EDOM);
}

/* Metadata are older than the numbers: a new first digit, a new length between
 * known ones. */
static void takes_new_numbers(void **state)
{
	struct callroute_dialling d = of("GB");

	(void)state;
	assert_dials(&d, "0 60 1234 5678", "446012345678"); /* no 6 so far */
	assert_dials(&d, "60 1234 5678", "446012345678");
	assert_dials(&d, "0 2012 3456", "4420123456"); /* 8: none so far */
	d.national_lengths = 0;
	assert_dials(&d, "05", "445");
	assert_dials(&d, "5", "445");
	d.national_first = 0;
	assert_dials(&d, "06", "446");
	assert_dials(&d, "6", "446");
	d = of("RU"); /* whatever it begins with, the length is that without 8 */
	d.national_first = 0;
	assert_dials(&d, "800 123-45-67", "78001234567");
}

static void keeps_service_codes(void **state)
{
	struct callroute_dialling d = of("DE");

	(void)state;
	assert_dials(&d, "*31#", "*31#");
	assert_dials(&d, "*21*030 12345678#", "*21*03012345678#");
	assert_dials(&d, "#", "#");
	assert_dials(&d, "00*1", "00*1");
	assert_dials(&d, "*1234567890123456789012345678901",
			"*1234567890123456789012345678901");
	assert_refuses(&d, "*12345678901234567890123456789012", -EMSGSIZE);
	assert_refuses(&d, "+49*1", -EINVAL);
}

static void reads_the_tail_of_a_tel_uri(void **state)
{
	struct callroute_dialling d = of("DE");
	char out[16];

	(void)state;
	assert_dials(&d, "+493012345678;ext=12", "493012345678");
	assert_dials(&d, "03012345678;isub=1;ext=9", "493012345678");
	assert_dials(&d, "030-12345678;phone-context=+49", "493012345678");
	assert_dials(&d, "030-12345678;ext=1;Phone-Context=+4930", "493012345678");
	assert_dials(&d, "030-12345678;phone-context=example.com", "493012345678");
	assert_dials(&d, "030-12345678;phone-context=", "493012345678");
	assert_dials(&d, "+12125550123;phone-context=+1", "12125550123");
	assert_dials(&d, "030-12345678;", "493012345678");
	/* the text ends before its '+' */
	assert_int_equal(callroute_normalize(&d, "030-12345678;phone-context=+1",
							 27, out, sizeof(out)),
			12);
	assert_refuses(&d, "2125550123;phone-context=+1", -ENOTSUP);
	assert_refuses(&d, "030-12345678;phone-context=+4", -ENOTSUP);
	assert_refuses(&d, "*31#;ext=2;phone-context=+1-914", -ENOTSUP);
	assert_refuses(&d, ";phone-context=+49", -EINVAL);
	d = (struct callroute_dialling){.intl_prefix = "00"};
	assert_refuses(&d, "4930123456;phone-context=+1", -ENOTSUP);
}

static void refuses_what_is_no_number(void **state)
{
	static const char *const cases[] = {"", "+", "-.() ", "alice",
			"1-800-FLOWERS", "0301234567a", "030/1234567", "tel:+4930123456",
			"%2331%23", "++4930123456", "4930+123456", "030\t123456",
			"0301234567\n", "030,1234567", "030p12",
			"\xc2\xa0"
			"0301234567",
			"A", "x"};
	struct callroute_dialling d = of("DE");
	char out[8];

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refuses(&d, cases[i], -EINVAL);
	assert_int_equal(callroute_normalize(&d,
							 "030\0"
							 "12345",
							 9, out, 8),
			-EINVAL);
	assert_int_equal(callroute_normalize(&d, NULL, 0, out, 8), -EINVAL);
}

static void keeps_to_sizes(void **state)
{
	struct callroute_dialling d = of("DE");
	char out[16], spaces[CALLROUTE_DIALLED_MAX + 2];

	(void)state;
	assert_dials(&d, "+123456789012345", "123456789012345");
	assert_refuses(&d, "+1234567890123456", -EMSGSIZE);
	assert_refuses(&d, "00 1234567890123456", -EMSGSIZE);
	assert_dials(&d, "01234567890123", "491234567890123");
	assert_refuses(&d, "012345678901234", -EMSGSIZE);
	assert_int_equal(
			callroute_normalize(&d, "+123456789012345", 16, out, 16), 15);
	assert_int_equal(
			callroute_normalize(&d, "+123456789012345", 16, out, 15), -ENOSPC);
	assert_string_equal(out, "");
	assert_int_equal(callroute_normalize(&d, "+12345", 6, NULL, 0), -ENOSPC);
	/* only `len` characters count */
	assert_int_equal(
			callroute_normalize(&d, "+12345678", 6, out, sizeof(out)), 5);

	memset(spaces, ' ', sizeof(spaces));
	memcpy(spaces, "+12345", 6);
	spaces[CALLROUTE_DIALLED_MAX] = '\0';
	assert_dials(&d, spaces, "12345");
	spaces[CALLROUTE_DIALLED_MAX] = ' ';
	spaces[CALLROUTE_DIALLED_MAX + 1] = '\0';
	assert_refuses(&d, spaces, -EMSGSIZE);
	memset(spaces, '1', CALLROUTE_DIALLED_MAX);
	spaces[CALLROUTE_DIALLED_MAX] = '\0';
	assert_refuses(&d, spaces, -EDOM);
}

/* Three digits are enough and two are not, whichever way they were dialled. */
static void keeps_to_the_shortest_number(void **state)
{
	struct callroute_dialling d = of("DE");

	(void)state;
	assert_dials(&d, "+123", "123");
	assert_refuses(&d, "+12", -EDOM);
	assert_dials(&d, "00 123", "123");
	assert_refuses(&d, "00 12", -EDOM);
	d = (struct callroute_dialling){.intl_prefix = "00"};
	assert_dials(&d, "123", "123");
	assert_refuses(&d, "12", -EDOM);
}

static void takes_lists_of_prefixes(void **state)
{
	struct callroute_dialling d = {.calling_code = "55",
			.intl_prefix = "00xx,009",
			.national_prefix = "0,0xx",
			.national_lengths = 1u << 10 | 1u << 11};

	(void)state;
	assert_dials(&d, "0015442079460018", "442079460018");
	assert_dials(&d, "01123456789", "551123456789");
	assert_dials(&d, "0991123456789", "551123456789");
	assert_dials(&d, "09911961234567", "5511961234567");
	assert_refuses(&d, "099911961234567", -EDOM);
}

static void checks_what_an_operator_wrote(void **state)
{
	static const struct
	{
		struct callroute_dialling d;
		int field; /* the bad one; -1: none */
	} cases[] = {{{.calling_code = ""}, -1},
			{{.calling_code = "49", .intl_prefix = "00,011"}, -1},
			{{.calling_code = "49", .national_prefix = "0,0xx"}, -1},
			{{.calling_code = "+49"}, 0}, {{.calling_code = "049"}, 0},
			{{.calling_code = "4x"}, 0}, {{.calling_code = "4944"}, 0},
			{{.intl_prefix = "00,"}, 1}, {{.intl_prefix = ",00"}, 1},
			{{.intl_prefix = "00,,01"}, 1}, {{.intl_prefix = "00, 01"}, 1},
			{{.intl_prefix = "+"}, 1},
			{{.calling_code = "49", .national_prefix = "X"}, 2},
			{{.national_prefix = "0"}, 2}};
	struct callroute_dialling d = of("DE");

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct callroute_dialling *c = &cases[i].d;
		const char *const fields[] = {
				c->calling_code, c->intl_prefix, c->national_prefix};
		const char *bad = "";
		int rc = callroute_dialling_check(c, &bad);

		assert_int_equal(rc, cases[i].field < 0 ? 0 : -EINVAL);
		assert_ptr_equal(
				bad, cases[i].field < 0 ? NULL : fields[cases[i].field]);
	}
	assert_int_equal(callroute_dialling_of("XS", &d), -ENOENT);
	assert_int_equal(callroute_dialling_of("QQ", &d), -ENOENT);
	assert_string_equal(d.calling_code, "49");
}

static void names_its_reasons(void **state)
{
	(void)state;
	assert_string_equal(callroute_normalize_reason(-EINVAL), "not_a_number");
	assert_string_equal(callroute_normalize_reason(-EDOM), "not_possible");
	assert_string_equal(callroute_normalize_reason(-EMSGSIZE), "too_long");
	assert_string_equal(callroute_normalize_reason(-ENOTSUP), "other_context");
	assert_string_equal(callroute_normalize_reason(-ENOSPC), "no_space");
	assert_string_equal(callroute_normalize_reason(0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(knows_ten_countries),
			cmocka_unit_test(refuses_what_it_would_have_to_guess),
			cmocka_unit_test(prefers_the_national_number),
			cmocka_unit_test(takes_new_numbers),
			cmocka_unit_test(keeps_service_codes),
			cmocka_unit_test(reads_the_tail_of_a_tel_uri),
			cmocka_unit_test(refuses_what_is_no_number),
			cmocka_unit_test(keeps_to_sizes),
			cmocka_unit_test(keeps_to_the_shortest_number),
			cmocka_unit_test(takes_lists_of_prefixes),
			cmocka_unit_test(checks_what_an_operator_wrote),
			cmocka_unit_test(names_its_reasons),
	};

	return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}

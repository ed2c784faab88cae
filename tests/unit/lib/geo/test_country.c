/*
 * Countries of numbers: every shared calling code by hand, then some 30,000
 * numbers against libphonenumber itself, and the table against its source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/geo/country.h"
#include "lib/geo/country_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static void assert_country(const char *digits, const char *iso)
{
	char got[3] = "--";

	if(tg_country_of(digits, strlen(digits), got) != 0 || strcmp(got, iso) != 0)
		fail_msg("%s is of %s, expected %s", digits, got, iso);
	assert_int_equal(
			tg_country_index_of(digits, strlen(digits)), tg_country_index(iso));
}

static void tells_shared_codes_apart(void **state)
{
	static const char *const cases[][2] = {{"12125550123", "US"},
			{"14165550123", "CA"}, {"12684601234", "AG"}, {"12642351234", "AI"},
			{"16847331234", "AS"}, {"12462501234", "BB"}, {"14413701234", "BM"},
			{"12423591234", "BS"}, {"17672251234", "DM"}, {"18092345678", "DO"},
			{"18292345678", "DO"}, {"18492345678", "DO"}, {"14734031234", "GD"},
			{"16713001234", "GU"}, {"18762101234", "JM"}, {"16582101234", "JM"},
			{"18697652917", "KN"}, {"13453231234", "KY"}, {"17582845678", "LC"},
			{"16702345678", "MP"}, {"16644923456", "MS"}, {"17872345678", "PR"},
			{"19392345678", "PR"}, {"17215205678", "SX"}, {"16492311234", "TC"},
			{"18682911234", "TT"}, {"17844301234", "VC"}, {"12843001234", "VG"},
			{"13406421234", "VI"}, {"18005550123", "US"}, {"74951234567", "RU"},
			{"77012345678", "KZ"}, {"73362212345", "KZ"},
			{"442079460018", "GB"}, {"447400123456", "GB"},
			{"441481256789", "GG"}, {"447781123456", "GG"},
			{"441534456789", "JE"}, {"447797712345", "JE"},
			{"441624756789", "IM"}, {"447624123456", "IM"},
			{"390612345678", "IT"}, {"390669812345", "VA"},
			{"4722123456", "NO"}, {"4779123456", "SJ"}, {"61291234567", "AU"},
			{"61891621234", "CC"}, {"61891641234", "CX"},
			{"212520123456", "MA"}, {"212528812345", "EH"},
			{"262262161234", "RE"}, {"262269601234", "YT"},
			{"262639012345", "YT"}, {"29022158", "SH"}, {"2908999", "TA"},
			{"358131234567", "FI"}, {"358181234567", "AX"},
			{"590590201234", "GP"}, {"590590271234", "BL"},
			{"590590581488", "MF"}, {"59994351234", "CW"}, {"5997151234", "BQ"},
			{"38328012345", "XK"}, {"24762889", "AC"}};

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_country(cases[i][0], cases[i][1]);
}

static void names_numbers_of_no_country(void **state)
{
	(void)state;
	assert_country("80012345678", "XG");
	assert_country("97912345678", "XG");
	assert_country("870773111632", "XS");
	assert_country("881612345678", "XS");
	assert_country("8823421234", "XN");
	assert_country("883510012345678", "XN");
}

/* A prefix of a rate deck is a number that ends early. */
static void takes_the_main_country_until_it_is_clear(void **state)
{
	char iso[3] = "--";

	(void)state;
	assert_country("1", "US");
	assert_country("12", "US");
	assert_country("1246", "BB");
	assert_country("44", "GB");
	assert_country("441481", "GG");
	assert_country("7", "RU");
	assert_country("77", "KZ");
	assert_country("61", "AU");
	assert_country("1211", "US"); /* not an area code */
	assert_country("49", "DE");
	assert_country("49*30", "DE"); /* stops at what is no digit */
	for(int c = -128; c < 128; c++) {
		char odd[] = {'4', '4', (char)c, '1', '4', '8', '1', '\0'};

		if(c < '0' || c > '9')
			assert_country(odd, "GB");
	}

	assert_int_equal(tg_country_of("", 0, iso), -ENOENT);
	assert_int_equal(tg_country_of("4", 1, iso), -ENOENT);
	assert_int_equal(tg_country_of("49", 1, iso), -ENOENT); /* len counts */
	assert_int_equal(tg_country_of("0049", 4, iso), -ENOENT);
	assert_int_equal(tg_country_of("210123", 6, iso), -ENOENT);
	assert_int_equal(tg_country_of("+49", 3, iso), -ENOENT);
	assert_int_equal(tg_country_of("\xff\x80", 2, iso), -ENOENT);
	assert_int_equal(tg_country_of("999", 3, iso), -ENOENT);
	assert_string_equal(iso, "--");
}

static void goes_from_code_to_index_and_back(void **state)
{
	int found = 0;

	(void)state;
	for(int a = 0; a < 256; a++) {
		for(int b = 0; b < 256; b++) {
			char iso[3] = {(char)a, (char)b, '\0'};
			int index = tg_country_index(iso);

			if(index == -ENOENT)
				continue;
			found++;
			assert_in_range(index, 0, TG_COUNTRIES - 1);
			assert_string_equal(tg_country_iso(index), iso);
			assert_ptr_equal(tg_country_find(iso), tg_country_at(index));
			assert_string_equal(tg_country_at(index)->iso, iso);
		}
	}
	assert_int_equal(found, TG_COUNTRIES);
	assert_int_equal(tg_country_index(""), -ENOENT);
	assert_int_equal(tg_country_index("D"), -ENOENT);
	assert_int_equal(tg_country_index("DEU"), -ENOENT);
	assert_int_equal(tg_country_index("de"), -ENOENT);
	assert_null(tg_country_iso(-1));
	assert_null(tg_country_iso(TG_COUNTRIES));
	assert_null(tg_country_find("QQ"));
}

static void knows_how_one_dials(void **state)
{
	static const struct
	{
		const char *iso, *code, *intl, *national;
		uint32_t lengths;
	} cases[] = {{"US", "1", "011", "1", 1 << 10},
			{"GB", "44", "00", "0", 1 << 7 | 1 << 9 | 1 << 10},
			{"FR", "33", "00", "0", 1 << 9}, {"DK", "45", "00", "", 1 << 8},
			{"ES", "34", "00", "", 1 << 9},
			{"RU", "7", "810", "8", 1 << 10 | 1 << 14},
			{"CO", "57", "00414,00444,00456,005,007,009",
					"0,0414,0444,0456,05,07,09", 1 << 10 | 1 << 11},
			{"SG", "65", "00x,01x,02x,03x", "", 1 << 8 | 1 << 10 | 1 << 11},
			{"XG", "", "", "", 0}};

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct tg_country *c = tg_country_find(cases[i].iso);

		assert_non_null(c);
		assert_string_equal(c->calling_code, cases[i].code);
		assert_string_equal(c->intl_prefix, cases[i].intl);
		assert_string_equal(c->national_prefix, cases[i].national);
		assert_int_equal(c->national_lengths, cases[i].lengths);
	}
	/* no area code of North America begins with 0 or 1 */
	assert_int_equal(tg_country_find("US")->national_first, 0x3fc);
	/* the 0 of an Italian number is part of it */
	assert_int_equal(tg_country_find("IT")->national_first & 1, 1);
	assert_int_equal(tg_country_find("FR")->national_first & 1, 0);
	assert_int_equal(tg_country_find("XG")->national_first, 0);
}

static int is_emergency(const char *iso, const char *number)
{
	return tg_country_is_emergency(
			tg_country_find(iso), number, strlen(number));
}

static void knows_emergency_numbers(void **state)
{
	(void)state;
	assert_string_equal(tg_country_find("DE")->emergency, "110,112");
	assert_string_equal(tg_country_find("GB")->emergency, "112,999");
	assert_string_equal(tg_country_find("AU")->emergency, "000,106,112");
	assert_string_equal(tg_country_find("PK")->emergency, "112,1122,115,15,16");
	assert_string_equal(tg_country_find("GN")->emergency, "");
	assert_int_equal(is_emergency("DE", "110"), 1);
	assert_int_equal(is_emergency("DE", "112"), 1);
	assert_int_equal(is_emergency("DE", "11"), 0);
	assert_int_equal(is_emergency("DE", "1120"), 0);
	assert_int_equal(is_emergency("DE", "110,112"), 0);
	assert_int_equal(is_emergency("DE", "0,1"), 0);
	assert_int_equal(is_emergency("DE", ""), 0);
	assert_int_equal(is_emergency("US", "911"), 1);
	assert_int_equal(is_emergency("US", "110"), 0);
	assert_int_equal(is_emergency("PK", "1122"), 1);
	assert_int_equal(is_emergency("GN", ""), 0);
	assert_int_equal(is_emergency("XS", "112"), 0);
}

/* Texts end within their fields, lists hold what they may, walks end. */
static void holds_a_sound_table(void **state)
{
	(void)state;
	for(int i = 0; i < TG_COUNTRIES; i++) {
		const struct tg_country *c = tg_country_at(i);
		const char *const texts[] = {c->calling_code, c->intl_prefix,
				c->national_prefix, c->emergency};
		const size_t sizes[] = {sizeof(c->calling_code), sizeof(c->intl_prefix),
				sizeof(c->national_prefix), sizeof(c->emergency)};

		assert_true(i == 0 || strcmp(c[-1].iso, c->iso) < 0);
		for(int t = 0; t < 4; t++) {
			size_t len = strnlen(texts[t], sizes[t]);

			assert_true(len < sizes[t]);
			assert_int_equal(strspn(texts[t], "0123456789x,"), len);
			assert_null(strstr(texts[t], ",,"));
			assert_true(len == 0
						|| (texts[t][0] != ',' && texts[t][len - 1] != ','));
		}
		if(c->calling_code[0] == '\0')
			continue;
		assert_true(c->national_lengths != 0);
		assert_string_equal(tg_country_at(tg_country_index_of(c->calling_code,
												  strlen(c->calling_code)))
									->calling_code,
				c->calling_code);
	}
	for(int n = 0; n <= tg_country_root; n++) {
		for(int d = 0; d <= 10; d++) {
			uint16_t way = tg_country_nodes[n][d];

			if(way & TG_COUNTRY_DECIDED)
				assert_true((way & ~TG_COUNTRY_DECIDED) < TG_COUNTRIES);
			else
				assert_true(way == 0 || way < n);
		}
	}
}

/* Runs a script of the tree, `path` from this file's folder. */
static FILE *run_script(const char *path)
{
	char dir[] = __FILE__, command[512];
	FILE *f;

	*strrchr(dir, '/') = '\0';
	snprintf(command, sizeof(command), "timeout 120 /usr/bin/python3 '%s'/%s",
			dir, path);
	fflush(NULL);
	f = popen(command, "r");
	assert_non_null(f);
	return f;
}

/* Whether the metadata at hand are those of the committed table. */
static int same_metadata(void)
{
	FILE *f = run_script("../../../../modules/make/countries.py --check");
	char line[256];
	int rc;

	while(fgets(line, sizeof(line), f) != NULL)
		print_message("%s", line);
	rc = pclose(f);
	assert_true(WIFEXITED(rc));
	if(WEXITSTATUS(rc) == 3)
		return 0;
	assert_int_equal(WEXITSTATUS(rc), 0);
	return 1;
}

static void is_what_its_source_says(void **state)
{
	(void)state;
	if(!same_metadata())
		skip();
}

static void agrees_with_libphonenumber(void **state)
{
	char digits[32], iso[3], line[64];
	unsigned count = 0;
	FILE *f;

	(void)state;
	if(!same_metadata())
		skip();
	f = run_script("../../callroute/decide/phone_numbers.py countries");
	while(fgets(line, sizeof(line), f) != NULL) {
		assert_int_equal(sscanf(line, "%31s %2s", digits, iso), 2);
		assert_country(digits, iso);
		count++;
	}
	assert_int_equal(pclose(f), 0);
	print_message("%u numbers belong to the same country\n", count);
	assert_true(count > 25000);
}

/* Figures only: how fast is for the bench to judge. */
static void prints_its_speed(void **state)
{
	static const char *const numbers[] = {"493012345678", "12125550123",
			"447781123456", "61891621234", "393331234567", "77012345678"};
	enum
	{
		ROUNDS = 2000000
	};
	struct timespec a, b;
	uint64_t sum = 0;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for(unsigned i = 0; i < ROUNDS; i++) {
		const char *number = numbers[i % 6];

		sum += (unsigned)tg_country_index_of(number, 11);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message(
			"%.1f ns a look-up\n", ((double)(b.tv_sec - a.tv_sec) * 1e9
										   + (double)(b.tv_nsec - a.tv_nsec))
										   / ROUNDS);
	assert_true(sum > ROUNDS && sum < (uint64_t)ROUNDS * TG_COUNTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(tells_shared_codes_apart),
			cmocka_unit_test(names_numbers_of_no_country),
			cmocka_unit_test(takes_the_main_country_until_it_is_clear),
			cmocka_unit_test(goes_from_code_to_index_and_back),
			cmocka_unit_test(knows_how_one_dials),
			cmocka_unit_test(knows_emergency_numbers),
			cmocka_unit_test(holds_a_sound_table),
			cmocka_unit_test(is_what_its_source_says),
			cmocka_unit_test(agrees_with_libphonenumber),
			cmocka_unit_test(prints_its_speed),
	};

	return cmocka_run_group_tests_name("country", tests, NULL, NULL);
}

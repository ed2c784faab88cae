/*
 * Dialled numbers to E.164: the example numbers of every country as libphonenumber
 * writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/decide/dialling.h"
#include "unit/callroute/decide/phone_numbers.h"

#include <stdio.h>

/* The two that differ, and why. */
static int differs_by_design(const char *iso, int kind)
{
	/* A mobile's 15 within the number stands for the 9 of +54 9. */
	if(strcmp(iso, "AR") == 0)
		return kind == 1 ? -EDOM : 0;
	/* Written with a '/', which RFC 3966 does not know. */
	if(strcmp(iso, "SK") == 0)
		return kind == 0 ? -EINVAL : 0;
	return 0;
}

static void dials_every_country(void **state)
{
	unsigned same = 0, differ = 0;

	(void)state;
	for(size_t i = 0; i < sizeof(phone_numbers) / sizeof(*phone_numbers); i++) {
		const char *iso = phone_numbers[i].country;
		struct callroute_dialling d = of(iso);

		for(int kind = 0; kind < 2; kind++) {
			const char *national = phone_numbers[i].number[kind].national;
			const char *e164 = phone_numbers[i].number[kind].e164;
			char global[40];

			if(national[0] == '\0')
				continue;
			snprintf(global, sizeof(global), "+%s", e164);
			assert_dials(&d, global, e164);
			if(differs_by_design(iso, kind) != 0) {
				assert_refuses(&d, national, differs_by_design(iso, kind));
				differ++;
				continue;
			}
			assert_dials(&d, national, e164);
			same++;
		}
	}
	print_message("%u numbers of %zu countries are as libphonenumber has them, "
				  "%u differ\n",
			same, sizeof(phone_numbers) / sizeof(*phone_numbers), differ);
	assert_true(same >= 480);
	assert_int_equal(differ, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(dials_every_country),
	};

	return cmocka_run_group_tests_name(
			"normalize_countries", tests, NULL, NULL);
}

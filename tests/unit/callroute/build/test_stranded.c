/*
 * Emergency numbers of an account's country that its plan does not serve are
 * told at load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/stranded.h"
#include "unit/callroute/rows.h"

#define MOST 4

static struct callroute_stranded found[MOST];

/* Plans 1 to 3 with trunk 1; time 1 is never now. */
static struct callroute_builder *planned(void)
{
	struct callroute_builder *b = rows_vendors(1);

	ADD(b, time, 1, row.dtstart = "20230101T000000", row.duration = "PT1H");
	rows_price(b, 1, "49", 1);
	for(int n = 1; n <= 3; n++)
		ADD(b, plan, n);
	for(int n = 1; n <= 3; n++)
		ADD(b, entry, n, row.plan_id = n);
	return b;
}

static void serve(struct callroute_builder *b, long long plan,
		const char *number, long long time)
{
	static long long id;

	ADD(b, rule, ++id, row.plan_id = plan, row.prefix = number,
			row.action = "emergency", row.target = "t1", row.time_id = time);
}

static void a_plan_is_told_once_for_each_country(void **state)
{
	struct callroute_builder *b = planned();
	struct callroute_image *im;

	(void)state;
	serve(b, 1, "112", 0);
	serve(b, 2, "110", 0);
	serve(b, 2, "112", 0);
	/* a rule for what begins like it is none, nor is one whose time is over */
	serve(b, 3, "1100", 0);
	serve(b, 3, "112", 1);
	ADD(b, account, 10, row.country = "DE", row.plan_id = 2);
	ADD(b, account, 11, row.country = "DE", row.plan_id = 1);
	ADD(b, account, 12, row.country = "DE", row.plan_id = 1);
	ADD(b, account, 13, row.country = "", row.plan_id = 1);
	ADD(b, account, 14, row.country = "US", row.plan_id = 1, row.enabled = 0);
	ADD(b, account, 15, row.country = "DE", row.plan_id = 3);
	ADD(b, account, 16, row.country = "DE", row.plan_id = 1);
	im = rows_image(b);
	assert_int_equal(callroute_find_stranded(im, NOW, found, MOST), 2);
	assert_int_equal(found[0].account_id, 11);
	assert_int_equal(found[0].plan_id, 1);
	assert_string_equal(found[0].plan, "p1");
	assert_string_equal(found[0].country, "DE");
	assert_string_equal(found[0].numbers, "110");
	assert_int_equal(found[1].account_id, 15);
	assert_string_equal(found[1].numbers, "110,112");
	/* no more than there is room for */
	assert_int_equal(callroute_find_stranded(im, NOW, found, 1), 1);
	assert_int_equal(callroute_find_stranded(im, NOW, found, 0), 0);
	support_free(im);
}

/* Countries of one plan that push each other out of what was seen last. */
static void many_countries_are_told_once_each(void **state)
{
	static const char *const countries[] = {"DE", "FR", "IT", "ES"};
	struct callroute_builder *b = planned();
	struct callroute_image *im;

	(void)state;
	for(int n = 0; n < 4000; n++)
		ADD(b, account, n + 1, row.country = countries[n % 4]);
	im = rows_image(b);
	assert_int_equal(callroute_find_stranded(im, NOW, found, MOST), 4);
	for(int i = 0; i < 4; i++)
		assert_string_equal(found[i].country, countries[i]);
	support_free(im);
}

static void nobody_is_stranded_without_accounts(void **state)
{
	struct callroute_image *im = rows_image(planned());

	(void)state;
	assert_int_equal(callroute_find_stranded(im, NOW, found, MOST), 0);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(a_plan_is_told_once_for_each_country),
			rows_test(many_countries_are_told_once_each),
			rows_test(nobody_is_stranded_without_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

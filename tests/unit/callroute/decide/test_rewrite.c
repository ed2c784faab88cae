/*
 * A trunk's rewriting of numbers: what the columns may hold, and what comes out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "callroute/decide/rewrite.h"

#include <errno.h>
#include <string.h>

static struct callroute_rewrite rules(const char *text)
{
	struct callroute_rewrite r;
	const char *bad;
	int rc = callroute_rewrite_parse(text, &r, &bad);

	if(rc != 0)
		fail_msg("'%s': %d at '%s'", text, rc, bad);
	assert_null(bad);
	return r;
}

static void assert_rewrite(
		const struct callroute_rewrite *r, const char *from, const char *to)
{
	char out[64];
	int rc = callroute_rewrite_apply(r, from, strlen(from), out, sizeof(out));

	if(rc != (int)strlen(to) || strcmp(out, to) != 0)
		fail_msg("%s -> %s (%d), expected %s", from, out, rc, to);
}

static void assert_refuses(
		const struct callroute_rewrite *r, const char *from, int error)
{
	char out[64] = "old";

	assert_int_equal(
			callroute_rewrite_apply(r, from, strlen(from), out, sizeof(out)),
			error);
	assert_string_equal(out, "");
}

static void replaces_by_the_first_rule_that_fits(void **state)
{
	struct callroute_rewrite r = rules("0044>44,00>,49>0");

	(void)state;
	assert_int_equal(r.count, 3);
	assert_rewrite(&r, "00442079460018", "442079460018");
	assert_rewrite(&r, "0033123456789", "33123456789");
	assert_rewrite(&r, "493012345678", "03012345678");
	assert_rewrite(&r, "12125550123", "12125550123");
	assert_rewrite(&r, "4", "4");		  /* shorter than the rule */
	assert_rewrite(&r, "004900", "4900"); /* one rule only */
	assert_rewrite(&r, "49", "0");
	/* by the order, not by the length */
	r = rules("4930>1,49>2");
	assert_rewrite(&r, "4930", "1");
	assert_rewrite(&r, "4931", "231");
}

static void takes_plus_star_and_hash(void **state)
{
	struct callroute_rewrite r = rules(">+");

	(void)state;
	assert_rewrite(&r, "4930", "+4930");
	assert_refuses(&r, "+4930", -EINVAL); /* "++4930" */
	assert_refuses(&r, "", -ENODATA);
	r = rules("49>+");
	assert_rewrite(&r, "4930", "+30");
	assert_refuses(&r, "49", -ENODATA);
	r = rules("+49>0,+>00");
	assert_rewrite(&r, "+4930", "030");
	assert_rewrite(&r, "+33", "0033");
	assert_rewrite(&r, "33", "33");
	r = rules("*31#>,#>*9");
	assert_rewrite(&r, "*31#4930", "4930");
	assert_rewrite(&r, "#1", "*91");
	r = rules("");
	assert_int_equal(r.count, 0);
	assert_rewrite(&r, "+4930", "+4930");
	r = rules("1>2,>9"); /* the rest */
	assert_rewrite(&r, "10", "20");
	assert_rewrite(&r, "30", "930");
}

static void leaves_no_number_that_is_none(void **state)
{
	struct callroute_rewrite r = rules("49>,1>2");
	char out[8] = "old", big[] = "1234567";

	(void)state;
	assert_refuses(&r, "49", -ENODATA);
	assert_refuses(&r, "", -ENODATA);
	assert_refuses(&r, "+", -ENODATA);
	assert_int_equal(callroute_rewrite_apply(&r, NULL, 0, out, 8), -ENODATA);
	assert_refuses(&r, "1a", -EINVAL);
	assert_refuses(&r, "1;x=y", -EINVAL);
	assert_refuses(&r, "3+3", -EINVAL);
	assert_refuses(&r, "1+3", -EINVAL);
	assert_refuses(&r, "++3", -EINVAL);
	/* NUL is no end here */
	assert_int_equal(
			callroute_rewrite_apply(&r, "3\0", 2, out, sizeof(out)), -EINVAL);
	/* room for exactly the number and its NUL */
	assert_int_equal(callroute_rewrite_apply(&r, big, 7, out, 8), 7);
	assert_string_equal(out, "2234567");
	assert_int_equal(callroute_rewrite_apply(&r, big, 7, out, 7), -ENOSPC);
	assert_string_equal(out, "");
	assert_int_equal(callroute_rewrite_apply(&r, big, 7, NULL, 0), -ENOSPC);
}

static void says_which_rule_is_bad(void **state)
{
	static const struct
	{
		const char *text;
		size_t at;
		int error;
	} cases[] = {{"49", 0, -EINVAL}, {">", 0, -EINVAL}, {",1>2", 0, -EINVAL},
			{"1>2,", 4, -EINVAL}, {"1>2,,3>4", 4, -EINVAL},
			{"1>2,3", 4, -EINVAL}, {"1>2>3", 0, -EINVAL},
			{"1>2, 3>4", 4, -EINVAL}, {"1>a", 0, -EINVAL}, {"a>1", 0, -EINVAL},
			{"1+>2", 0, -EINVAL}, {"1>2+", 0, -EINVAL},
			{"1>2,3>++4", 4, -EINVAL}, {"12345678901234567>1", 0, -EMSGSIZE},
			{"1>2,2>+1234567890123456", 4, -EMSGSIZE},
			{"1>,2>,3>,4>,5>,6>,7>,8>,9>", 24, -E2BIG}, {">1,2>3", 3, -EEXIST},
			{"00>,3>4,0044>44", 8, -EEXIST}, {"1>2,1>3", 4, -EEXIST}};

	(void)state;
	for(size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct callroute_rewrite r;
		const char *bad = NULL;
		int rc = callroute_rewrite_parse(cases[i].text, &r, &bad);

		if(rc != cases[i].error || bad != cases[i].text + cases[i].at)
			fail_msg("'%s': %d at '%s'", cases[i].text, rc, bad);
		assert_int_equal(r.count, 0);
	}
}

static void takes_the_largest_rules(void **state)
{
	struct callroute_rewrite r = rules("1234567890123456>+234567890123456");

	(void)state;
	assert_rewrite(&r, "12345678901234567", "+2345678901234567");
	r = rules("1>,2>,3>,4>,5>,6>,7>,8>*");
	assert_int_equal(r.count, CALLROUTE_REWRITE_RULES);
	assert_rewrite(&r, "81", "*1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(replaces_by_the_first_rule_that_fits),
			cmocka_unit_test(takes_plus_star_and_hash),
			cmocka_unit_test(leaves_no_number_that_is_none),
			cmocka_unit_test(says_which_rule_is_bad),
			cmocka_unit_test(takes_the_largest_rules),
	};

	return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}

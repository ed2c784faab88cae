/*
 * Bad rows of who calls and where calls come in: accounts, hunt groups and their
 * members, DIDs, ported numbers; as callroute/build/test_bad_trunks.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/sound.h"

#define NOT_IN(column, value, range) column " = " value " is not in " range

static void takes_what_is_just_inside(void **state)
{
	(void)state;
	GOOD(account, row.match_type = "ip", row.match_value = "192.0.2.0/24",
			row.country = "DE", row.intl_prefix = "00,000",
			row.national_prefix = "0,0xx", row.max_channels = 1000000,
			row.max_cps = 100000, row.cli_policy = "strip");
	GOOD(account, row.match_type = "ip", row.match_value = "2001:db8::/32");
	GOOD(account, row.match_type = "ip", row.match_value = "0.0.0.0/0");
	GOOD(account, row.match_type = "ip", row.match_value = "::1");
	GOOD(account, row.match_type = "trunk", row.match_value = "t2");
	GOOD(account, row.match_type = "domain", row.match_value = "example.com");
	GOOD(account, row.enabled = 0);
	GOOD(member, row.uri = "sips:[2001:db8::1]:5061", row.priority = 65535,
			row.weight = 0, row.ring_timeout_ms = 1000, row.time_id = 2);
	GOOD(did, row.number = "12345678901234567890123456789012",
			row.target_type = "number",
			row.target = "12345678901234567890123456789012");
	GOOD(did, row.target_type = "uri", row.target = "sip:a@192.0.2.1");
	GOOD(did, row.target_type = "group", row.target = "g1");
	GOOD(did, row.target_type = "user", row.target = "bob@example.com");
	GOOD(did, row.target_type = "reject", row.target = "");
}

static void names_each_bad_column_of_an_account(void **state)
{
	(void)state;
	BAD(account, "account", "plan_id = 0 is no plan", row.plan_id = 0);
	BAD(account, "account",
			"match_type = 'port' is not one of user, ip, trunk, domain",
			row.match_type = "port");
	BAD(account, "account", "match_value is empty", row.match_value = "");
	BAD(account, "account", "match_value is longer than 255 characters",
			row.match_value = too_long(CALLROUTE_URI_MAX));
	BAD(account, "account", "match_value = 't3' is no trunk",
			row.match_type = "trunk", row.match_value = "t3");
	BAD(account, "account",
			"country = 'XY' is no country with a numbering plan (ISO 3166: DE)",
			row.country = "XY");
	BAD(account, "account", NOT_IN("max_channels", "-1", "0 to 1000000"),
			row.max_channels = -1);
	BAD(account, "account", NOT_IN("max_cps", "100001", "0 to 100000"),
			row.max_cps = 100001);
	BAD(account, "account",
			"cli_policy = 'PASS' is not one of pass, assert, hide, strip",
			row.cli_policy = "PASS");
	BAD(account, "account",
			"intl_prefix or national_prefix has '0a', which is no dialling "
			"prefix",
			row.country = "DE", row.intl_prefix = "0a");
	BAD(account, "account",
			"intl_prefix or national_prefix has '-', which is no dialling "
			"prefix",
			row.country = "DE", row.national_prefix = "-");
}

static void names_each_fault_of_a_network(void **state)
{
	static const struct
	{
		const char *net, *fault;
	} cases[] = {
			{"192.0.2", "is no address or network"},
			{"192.0.2.256", "is no address or network"},
			{"example.com", "is no address or network"},
			{"2001:db8::g", "is no address or network"},
			{"/24", "is no address or network"},
			{"192.0.2.0/33", "has a mask that is not 0 to 32, or 128 for IPv6"},
			{"192.0.2.0/", "has a mask that is not 0 to 32, or 128 for IPv6"},
			{"192.0.2.0/-1", "has a mask that is not 0 to 32, or 128 for IPv6"},
			{"192.0.2.0/24x",
					"has a mask that is not 0 to 32, or 128 for IPv6"},
			{"2001:db8::/129",
					"has a mask that is not 0 to 32, or 128 for IPv6"},
			{"192.0.2.1/24",
					"has bits behind its mask: write the network's address"},
			{"2001:db8::1/64",
					"has bits behind its mask: write the network's address"},
			{"128.0.0.0/0",
					"has bits behind its mask: write the network's address"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char says[200];

		snprintf(says, sizeof says, "match_value = '%s' %s", cases[i].net,
				cases[i].fault);
		BAD(account, "account", says, row.match_type = "ip",
				row.match_value = cases[i].net);
	}
}

static void names_tenants_that_are_too_long(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	assert_int_equal(callroute_add_group(b, 9, too_long(CALLROUTE_NAME_MAX),
							 "g9", "serial"),
			0);
	expect_fault(b, "group", "tenant is longer than 64 characters");
	BAD(account, "account", "tenant is longer than 64 characters",
			row.tenant = too_long(CALLROUTE_NAME_MAX));
	BAD(plan, "plan", "tenant is longer than 64 characters",
			row.tenant = too_long(CALLROUTE_NAME_MAX));
	BAD(did, "did", "tenant is longer than 64 characters",
			row.tenant = too_long(CALLROUTE_NAME_MAX));
	GOOD(plan, row.tenant = too_long(CALLROUTE_NAME_MAX - 1));
}

static void names_accounts_that_match_the_same(void **state)
{
	struct callroute_builder *b;

	(void)state;
	BAD(account, "account", "match_value 'u1' stands there twice (id 1)",
			row.match_value = "u1");
	b = sound();
	ADD(b, account, 8, row.match_value = "bob@Example.com");
	ADD(b, account, 9, row.match_value = "bob@example.COM");
	expect_fault(b, "account",
			"match_value 'bob@example.com' stands there twice (id 8)");
	/* a user and a domain of one name are two */
	b = sound();
	ADD(b, account, 9, row.match_type = "domain", row.match_value = "u1");
	support_free(rows_image(b));
	/* one network, written in two ways */
	b = sound();
	ADD(b, account, 8, row.match_type = "ip", row.match_value = "192.0.2.1");
	ADD(b, account, 9, row.match_type = "ip", row.match_value = "192.0.2.1/32");
	expect_fault(b, "account", "its network is that of id 8");
}

#define BAD_GROUP(says, name, strategy)                                       \
	do {                                                                      \
		struct callroute_builder *bad = sound();                              \
		assert_int_equal(callroute_add_group(bad, 9, "", name, strategy), 0); \
		expect_fault(bad, "group", says);                                     \
	} while(0)

static void names_each_bad_column_of_a_group(void **state)
{
	static const char *const lines[] = {
			"callroute_group id 9: name 'g1' stands there twice (id 1)"};
	struct callroute_builder *b = sound();

	(void)state;
	BAD_GROUP("name is empty", "", "serial");
	BAD_GROUP("name is longer than 64 characters", too_long(CALLROUTE_NAME_MAX),
			"serial");
	BAD_GROUP("strategy = 'all' is not one of parallel, serial, weighted", "g9",
			"all");
	said.count = 0;
	assert_int_equal(callroute_add_group(b, 9, "", "g1", "serial"), 0);
	expect_refusal(b, 1, lines);
}

static void names_each_bad_column_of_a_member(void **state)
{
	(void)state;
	BAD(member, "member", "group_id = 2 is no group", row.group_id = 2);
	BAD(member, "member", "time_id = 9 is no time", row.time_id = 9);
	BAD(member, "member", NOT_IN("priority", "-1", "0 to 65535"),
			row.priority = -1);
	BAD(member, "member", NOT_IN("weight", "65536", "0 to 65535"),
			row.weight = 65536);
	BAD(member, "member", NOT_IN("ring_timeout_ms", "999", "1000 to 600000"),
			row.ring_timeout_ms = 999);
	BAD(member, "member",
			"uri = 'phone@192.0.2.7' does not start with sip: or sips:",
			row.uri = "phone@192.0.2.7");
	BAD(member, "member", "uri = 'sip:' is empty or too long",
			row.uri = "sip:");
	BAD(member, "member",
			"uri = 'sip:a b@h' has a character that no URI may have",
			row.uri = "sip:a b@h");
	BAD(member, "member", "uri 'sip:m1' stands in its group twice (id 1)",
			row.uri = "sip:m1");
	/* one that is off is looked at all the same */
	BAD(member, "member", "group_id = 2 is no group", row.group_id = 2,
			row.enabled = 0);
}

static void names_a_group_of_too_many_members(void **state)
{
	(void)state;
	for(int members = 64; members <= 65; members++) {
		struct callroute_builder *b = sound();

		assert_int_equal(callroute_add_group(b, 9, "", "g9", "serial"), 0);
		for(int n = 2; n < 2 + members; n++)
			ADD(b, member, n, row.group_id = 9);
		if(members == 64)
			support_free(rows_image(b));
		else
			expect_refusal(b, 1,
					(const char *[]){"callroute_member id 66: more than 64 in "
									 "its group"});
	}
}

static void names_each_bad_column_of_a_did(void **state)
{
	(void)state;
	BAD(did, "did", "number = '' is not 1 to 32 digits", row.number = "");
	BAD(did, "did", "number = '+49' is not 1 to 32 digits", row.number = "+49");
	BAD(did, "did", "time_id = 9 is no time", row.time_id = 9);
	BAD(did, "did", NOT_IN("priority", "65536", "0 to 65535"),
			row.priority = 65536);
	BAD(did, "did",
			"target_type = 'fax' is not one of user, uri, group, number, "
			"reject",
			row.target_type = "fax");
	BAD(did, "did", "target = '' is no user or user@domain", row.target = "");
	BAD(did, "did", "target is longer than 255 characters",
			row.target = too_long(CALLROUTE_URI_MAX));
	BAD(did, "did", "target = 'sip:bob' is no user or user@domain",
			row.target = "sip:bob");
	BAD(did, "did", "target = 'bob' does not start with sip: or sips:",
			row.target_type = "uri", row.target = "bob");
	BAD(did, "did", "target = 'g' is no hunt group", row.target_type = "group",
			row.target = "g");
	BAD(did, "did", "target = '49 30' is not 1 to 32 digits",
			row.target_type = "number", row.target = "49 30");
}

/* Behind a row that always holds, nothing of the same number is ever reached. */
static void names_a_did_that_no_call_reaches(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	ADD(b, did, 8, row.number = "4940", row.priority = 5);
	ADD(b, did, 9, row.number = "4940", row.time_id = 1);
	expect_fault(
			b, "did", "never reached, id 8 of the same number always holds");
	b = sound();
	ADD(b, did, 8, row.number = "4940");
	ADD(b, did, 9, row.number = "4940", row.priority = 5, row.time_id = 1);
	support_free(rows_image(b));
}

static void names_each_bad_column_of_a_ported_number(void **state)
{
	static const char *const lines[] = {
			"callroute_lnp id 7: number = '' is not 1 to 15 digits",
			"callroute_lnp id 8: number = '1111111111111111' is not 1 to 15 "
			"digits",
			"callroute_lnp id 8: routing_number = 'D001' is not 1 to 15 digits",
			"callroute_lnp id 9: the number stands there twice (id 1)",
	};
	struct callroute_builder *b = sound();

	(void)state;
	assert_int_equal(callroute_add_ported(b, 7, "", "1"), 0);
	assert_int_equal(callroute_add_ported(b, 8, too_long(16), "D001"), 0);
	assert_int_equal(callroute_add_ported(b, 9, "49301", "4977"), 0);
	expect_refusal(b, 4, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(takes_what_is_just_inside),
			rows_test(names_each_bad_column_of_an_account),
			rows_test(names_each_fault_of_a_network),
			rows_test(names_tenants_that_are_too_long),
			rows_test(names_accounts_that_match_the_same),
			rows_test(names_each_bad_column_of_a_group),
			rows_test(names_each_bad_column_of_a_member),
			rows_test(names_a_group_of_too_many_members),
			rows_test(names_each_bad_column_of_a_did),
			rows_test(names_a_did_that_no_call_reaches),
			rows_test(names_each_bad_column_of_a_ported_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

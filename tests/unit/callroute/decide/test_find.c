/*
 * Looking things up: accounts in their order, DIDs by time, hunt groups, trunks
 * and plans by name and number, ported numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include <arpa/inet.h>

/* A plan with a trunk: what every load needs. */
static void outbound(struct callroute_builder *b)
{
	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	rows_enter(b, 1);
}

/* --- accounts --------------------------------------------------------------- */

/* Id of the account, 0 = none. NULL: not known. */
static uint32_t account(const struct callroute_image *im, const char *user,
		const char *domain, const char *addr, const char *trunk)
{
	struct callroute_caller who = {.user = user,
			.user_len = user ? strlen(user) : 0,
			.domain = domain,
			.domain_len = domain ? strlen(domain) : 0,
			.trunk = trunk,
			.trunk_len = trunk ? strlen(trunk) : 0};
	const struct callroute_account *a;
	uint8_t bytes[16] = {0};

	if(addr != NULL && inet_pton(AF_INET, addr, bytes + 12) == 1)
		bytes[10] = bytes[11] = 0xff;
	else if(addr != NULL)
		assert_int_equal(inet_pton(AF_INET6, addr, bytes), 1);
	who.addr = addr ? bytes : NULL;
	a = callroute_find_account(im, &who);
	return a ? a->id : 0;
}

static void finds_the_account_by_what_is_most_certain(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	outbound(b);
	ADD(b, account, 1, row.match_value = "bob@Example.COM");
	ADD(b, account, 2, row.match_value = "bob");
	ADD(b, account, 3, row.match_type = "ip", row.match_value = "192.0.2.7");
	ADD(b, account, 4, row.match_type = "trunk", row.match_value = "t1");
	ADD(b, account, 5, row.match_type = "domain",
			row.match_value = "Example.com");
	ADD(b, account, 6, row.match_value = "eve", row.enabled = 0);
	ADD(b, account, 7, row.match_type = "domain", row.match_value = "bob");
	im = rows_image(b);
	assert_int_equal(account(im, "bob", "example.com", "192.0.2.7", "t1"), 1);
	assert_int_equal(account(im, "bob", "example.org", "192.0.2.7", "t1"), 2);
	assert_int_equal(account(im, "bob", NULL, "192.0.2.7", "t1"), 2);
	assert_int_equal(account(im, "al", "example.com", "192.0.2.7", "t1"), 3);
	assert_int_equal(account(im, NULL, NULL, "192.0.2.7", NULL), 3);
	assert_int_equal(account(im, "al", "example.com", "192.0.2.8", "t1"), 4);
	assert_int_equal(account(im, "al", "example.com", "192.0.2.8", "t"), 5);
	assert_int_equal(account(im, NULL, "example.com", NULL, NULL), 5);
	assert_int_equal(account(im, "al", "example.org", "192.0.2.8", NULL), 0);
	assert_int_equal(account(im, NULL, NULL, NULL, NULL), 0);
	/* what has an account as a user has none as a domain, and so on */
	assert_int_equal(account(im, NULL, "bob", NULL, NULL), 7);
	assert_int_equal(account(im, "t1", NULL, NULL, "bob"), 0);
	assert_int_equal(account(im, "192.0.2.7", NULL, NULL, NULL), 0);
	/* disabled: found, so that no other one takes its place */
	assert_int_equal(account(im, "eve", "example.com", "192.0.2.7", "t1"), 6);
	support_free(im);
}

static void finds_the_longest_network(void **state)
{
	static const struct
	{
		const char *addr;
		uint32_t id;
	} cases[] = {
			{"192.0.2.1", 5}, {"192.0.2.0", 4}, {"192.0.2.127", 4},
			{"192.0.2.128", 3}, {"192.0.3.1", 2}, {"192.0.0.0", 2},
			{"192.1.0.0", 1}, {"255.255.255.255", 1}, {"2001:db8::1", 12},
			{"2001:db8:0:1::1", 11}, {"2001:db8:ffff::", 10}, {"2001:db9::", 0},
			{"::1", 13}, {"::2", 0}, {"::ffff:192.0.2.1", 5}, /* IPv4, mapped */
	};
	static const char *const nets[] = {"0.0.0.0/0", "192.0.0.0/16",
			"192.0.2.0/24", "192.0.2.0/25", "192.0.2.1", "198.51.100.0/23",
			"203.0.113.0/24", "198.51.100.7/32", "10.0.0.0/8", "2001:db8::/32",
			"2001:db8::/63", "2001:db8::/64", "::1"};
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	outbound(b);
	for(int n = 0; n < 13; n++)
		ADD(b, account, n + 1, row.match_type = "ip",
				row.match_value = nets[n]);
	im = rows_image(b);
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
				account(im, NULL, NULL, cases[i].addr, NULL), cases[i].id);
	support_free(im);
}

static void an_account_keeps_its_columns(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_caller who = {.user = "u9", .user_len = 2};
	const struct callroute_account *a;
	struct callroute_image *im;

	(void)state;
	outbound(b);
	ADD(b, account, 9, row.tenant = "acme", row.country = "DE",
			row.intl_prefix = "000", row.max_channels = 5, row.max_cps = 2,
			row.cli_policy = "hide");
	im = rows_image(b);
	a = callroute_find_account(im, &who);
	assert_non_null(a);
	assert_int_equal(a->plan, 0);
	assert_string_equal(callroute_text(im, a->tenant), "acme");
	assert_string_equal(a->country, "DE");
	assert_string_equal(a->dialling.calling_code, "49");
	assert_string_equal(a->dialling.intl_prefix, "000");
	assert_string_equal(a->dialling.national_prefix, "0");
	assert_int_equal(a->max_channels, 5);
	assert_int_equal(a->max_cps, 2);
	assert_int_equal(a->cli, CALLROUTE_CLI_HIDE);
	assert_int_equal(a->enabled, 1);
	support_free(im);
}

/* --- DIDs ------------------------------------------------------------------- */

static void a_did_goes_where_its_first_open_row_says(void **state)
{
	struct callroute_builder *b = rows_new();
	const struct callroute_did *d;
	struct callroute_image *im;
	int known;

	(void)state;
	ADD(b, time, 1); /* always */
	ADD(b, time, 2, row.dtstart = "20230101T000000", row.duration = "PT1H");
	outbound(b);
	assert_int_equal(callroute_add_group(b, 1, "", "desk", "serial"), 0);
	ADD(b, did, 1, row.number = "4930", row.priority = 30,
			row.target_type = "reject", row.target = "");
	ADD(b, did, 2, row.number = "4930", row.priority = 20,
			row.target_type = "group", row.target = "desk", row.time_id = 1);
	ADD(b, did, 3, row.number = "4930", row.priority = 10, row.time_id = 2,
			row.tenant = "acme");
	ADD(b, did, 4, row.number = "49301", row.time_id = 2);
	ADD(b, did, 5, row.number = "493");
	im = rows_image(b);
	d = callroute_find_did(im, "4930", 4, NOW, &known);
	assert_int_equal(d->id, 2);
	assert_int_equal(known, 1);
	assert_int_equal(d->type, CALLROUTE_TO_GROUP);
	assert_int_equal(d->group, 0);
	d = callroute_find_did(im, "4930", 4, NOW - NOW % 86400 + 86400, NULL);
	assert_int_equal(d->id, 3);
	assert_string_equal(callroute_text(im, d->tenant), "acme");
	assert_string_equal(callroute_text(im, d->target), "alice");
	/* beyond the calendars: only what always holds */
	d = callroute_find_did(im, "4930", 4, NOW + INT64_C(86400) * 2000, &known);
	assert_int_equal(d->id, 1);
	/* known, but closed */
	assert_null(callroute_find_did(im, "49301", 5, NOW, &known));
	assert_int_equal(known, 1);
	assert_int_equal(callroute_find_did(im, "493", 3, NOW, &known)->id, 5);
	assert_null(callroute_find_did(im, "49", 2, NOW, &known));
	assert_int_equal(known, 0);
	assert_null(callroute_find_did(im, "", 0, NOW, &known));
	assert_null(callroute_find_did(im, "4930\0", 5, NOW, &known));
	assert_int_equal(known, 0);
	support_free(im);
}

/* --- hunt groups ------------------------------------------------------------ */

/* Ids of the members in their order: "3 1 2". */
static const char *hunt(const struct callroute_image *im, const char *name,
		uint64_t seed, int max)
{
	const struct callroute_member *members =
			CALLROUTE_ROWS(im, struct callroute_member, members);
	uint32_t out[CALLROUTE_MEMBERS_MAX];
	static char text[512];
	int n = callroute_hunt(im, callroute_find_group(im, name, strlen(name)),
			NOW, seed, out, max);
	size_t len = 0;

	text[0] = '\0';
	assert_in_range(n, 0, max);
	for(int i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u",
				i ? " " : "", members[out[i]].id);
	return text;
}

static void a_hunt_group_rings_in_its_order(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;
	int first[5] = {0};

	(void)state;
	ADD(b, time, 1, row.dtstart = "20230101T000000", row.duration = "PT1H");
	outbound(b);
	assert_int_equal(callroute_add_group(b, 1, "", "serial", "serial"), 0);
	assert_int_equal(callroute_add_group(b, 2, "", "drawn", "weighted"), 0);
	assert_int_equal(callroute_add_group(b, 3, "", "empty", "parallel"), 0);
	ADD(b, member, 1, row.priority = 20);
	ADD(b, member, 2, row.group_id = 2, row.weight = 1);
	ADD(b, member, 3, row.priority = 10);
	ADD(b, member, 4, row.priority = 10, row.time_id = 1); /* closed */
	ADD(b, member, 5, row.priority = 5, row.enabled = 0);
	ADD(b, member, 6, row.priority = 20);
	ADD(b, member, 7, row.group_id = 2, row.weight = 9);
	ADD(b, member, 8, row.group_id = 2, row.weight = 0);
	ADD(b, member, 9, row.group_id = 2, row.weight = 1, row.priority = 11);
	im = rows_image(b);
	for(uint64_t seed = 0; seed < 2000; seed++) {
		const char *drawn;

		assert_string_equal(hunt(im, "serial", seed, 64), "3 1 6");
		drawn = hunt(im, "drawn", seed, 64);
		/* 9 is of a later priority, 8 of no weight */
		first[0] += strcmp(drawn, "2 7 8 9") == 0;
		first[1] += strcmp(drawn, "7 2 8 9") == 0;
	}
	assert_int_equal(first[0] + first[1], 2000);
	/* one in ten: 200, give or take five standard deviations (13.4) */
	assert_in_range(first[0], 133, 267);
	assert_string_equal(hunt(im, "serial", 1, 2), "3 1");
	assert_string_equal(hunt(im, "serial", 1, 1), "3");
	assert_string_equal(hunt(im, "serial", 1, 0), "");
	assert_string_equal(hunt(im, "empty", 1, 64), "");
	assert_null(callroute_find_group(im, "seria", 5));
	support_free(im);
}

/* --- names and numbers ------------------------------------------------------ */

static void knows_plans_and_trunks_by_their_whole_names(void **state)
{
	static const char *const names[] = {"out", "a", "outer", "out-b", "z"};
	char longest[CALLROUTE_NAME_MAX];
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	ADD(b, carrier, 1);
	for(int i = 0; i < 5; i++)
		ADD(b, trunk, i + 1, row.name = names[i]);
	ADD(b, trunk, 4294967295, row.name = longest);
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	for(int i = 0; i < 5; i++)
		ADD(b, plan, 10 * i + 1, row.name = names[i]);
	ADD(b, plan, 4294967295, row.name = longest);
	rows_enter(b, 1);
	im = rows_image(b);
	for(int i = 0; i < 5; i++) {
		size_t len = strlen(names[i]);

		assert_int_equal(
				callroute_find_trunk_name(im, names[i], len)->id, i + 1);
		assert_int_equal(
				callroute_find_plan(im, names[i], len)->id, 10 * i + 1);
	}
	assert_int_equal(
			callroute_find_trunk_name(im, longest, 64)->id, 4294967295);
	assert_int_equal(callroute_find_plan(im, longest, 64)->id, 4294967295);
	assert_null(callroute_find_plan(im, "ou", 2));
	assert_null(callroute_find_plan(im, "oute", 4));
	assert_null(callroute_find_plan(im, "", 0));
	assert_null(callroute_find_plan(im, "out\0er", 6));
	assert_null(callroute_find_plan(im, "out\0", 4));
	assert_null(callroute_find_plan(im, longest, sizeof longest));
	assert_null(callroute_find_trunk_name(im, "t1", 2));
	for(uint32_t id = 0; id <= 60; id++) {
		const struct callroute_plan *p = callroute_find_plan_id(im, id);
		const struct callroute_trunk *t = callroute_find_trunk(im, id);

		assert_int_equal(p != NULL, id % 10 == 1 && id <= 41);
		assert_int_equal(p != NULL ? p->id : id, id);
		assert_int_equal(t != NULL, id >= 1 && id <= 5);
		assert_int_equal(t != NULL ? t->id : id, id);
	}
	support_free(im);
}

static void packs_digits_so_that_they_come_back(void **state)
{
	static const char *const numbers[] = {"0", "1", "10", "100", "4930123456",
			"123456789012345", "000000000000000"};
	char out[16];

	(void)state;
	for(size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		size_t len = strlen(numbers[i]);
		uint64_t packed = callroute_pack_digits(numbers[i], len);

		assert_true(packed != 0);
		assert_int_equal(callroute_unpack_digits(packed, out), len);
		assert_string_equal(out, numbers[i]);
		for(size_t j = 0; j < i; j++)
			assert_true(
					packed
					!= callroute_pack_digits(numbers[j], strlen(numbers[j])));
	}
	assert_int_equal(callroute_pack_digits("", 0), 0);
	assert_int_equal(callroute_pack_digits("1234567890123456", 16), 0);
	assert_int_equal(callroute_pack_digits("12*", 3), 0);
	assert_int_equal(callroute_pack_digits("+12", 3), 0);
}

static void finds_ported_numbers(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;
	char out[16];

	(void)state;
	outbound(b);
	/* in no order: they are sorted for the search */
	for(int n = 1; n <= 100; n++)
		assert_int_equal(
				callroute_add_ported(b, n, rows_name("49", n * 37 % 101 * 10),
						rows_name("1", n)),
				0);
	im = rows_image(b);
	for(int n = 1; n <= 100; n++) {
		const char *number = rows_name("49", n * 37 % 101 * 10);

		assert_true(callroute_find_ported(im, number, strlen(number), out) > 1);
		assert_string_equal(out, rows_name("1", n));
	}
	assert_int_equal(callroute_find_ported(im, "4915", 4, out), 0);
	assert_string_equal(out, "");
	assert_int_equal(callroute_find_ported(im, "49#", 3, out), 0);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(finds_the_account_by_what_is_most_certain),
			rows_test(finds_the_longest_network),
			rows_test(an_account_keeps_its_columns),
			rows_test(a_did_goes_where_its_first_open_row_says),
			rows_test(a_hunt_group_rings_in_its_order),
			rows_test(knows_plans_and_trunks_by_their_whole_names),
			rows_test(packs_digits_so_that_they_come_back),
			rows_test(finds_ported_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

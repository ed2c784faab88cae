/*
 * Rules and never-block list: every bad column is named, and what is loaded is
 * what the row says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/fraudguard/rig.h"

static struct rig r;

/* A text of `size` symbols: one more than a field of that size holds. */
static const char *too_long(size_t size)
{
	static char text[256];

	assert_true(size < sizeof text);
	memset(text, 'x', size);
	text[size] = '\0';
	return text;
}

static void open_builder(void)
{
	memset(&r, 0, sizeof r);
	rig_rules(&r);
}

static void close_builder(void)
{
	support_free(r.b.im);
}

static void expect_refusal(int count, const char *const lines[])
{
	assert_int_equal(fraudguard_build_finish(&r.b, WALL), -EBADMSG);
	for(int i = 0; i < count && i < r.complaints; i++)
		assert_string_equal(r.complaint[i], lines[i]);
	assert_int_equal(r.complaints, count);
	assert_int_equal(r.b.im->magic, 0); /* nobody takes it for an image */
	close_builder();
}

static void names_each_bad_column_of_a_rule(void **state)
{
	static const struct
	{
		struct fraudguard_rule_row row;
		const char *says;
	} cases[] = {
			{{.name = ""}, "name is empty"},
			{{.metric = "calls"},
					"metric = 'calls' is not one of source_requests, "
					"call_attempts, concurrent_calls"},
			{{.action = "block"},
					"action = 'block' is not one of log, refuse, drop, ban"},
			{{.mode = "on"}, "mode = 'on' is not one of off, shadow, enforce"},
			{{.match = ""}, "match_key is empty (* means every one)"},
			{{.metric = "source_requests", .match = "alice"},
					"match_key = 'alice' is no address that is counted (an "
					"IPv4 address, an IPv6 address or its /64)"},
			{{.metric = "source_requests", .match = "192.0.2.0/24"},
					"match_key = '192.0.2.0/24' is no address that is counted "
					"(an IPv4 address, an IPv6 address or its /64)"},
			{{.threshold = -1}, "threshold = -1 is not in 0 to 1000000"},
			{{.threshold = 1000001},
					"threshold = 1000001 is not in 0 to 1000000"},
			{{.window_sec = -1}, "window_sec = -1 is not in 1 to 604800"},
			{{.window_sec = 604801},
					"window_sec = 604801 is not in 1 to 604800"},
			{{.action = "ban", .ban_sec = -1},
					"ban_sec = -1 is not in 1 to 31622400"},
			{{.action = "ban", .ban_sec = 31622401},
					"ban_sec = 31622401 is not in 1 to 31622400"},
			{{.action = "refuse", .code = 399},
					"code = 399 is not in 400 to 699"},
			{{.action = "ban", .code = 700}, "code = 700 is not in 400 to 699"},
			{{.reason = "a\r\nX: b"}, "reason has a line break"},
			{{.action = "refuse", .reason = ""}, "reason is empty"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct fraudguard_rule_row *c = &cases[i].row;
		struct fraudguard_rule_row row =
				rig_row("rule", "call_attempts", "*", 5, 10, "drop", "enforce");
		char line[256];
		const char *says = line;

#define TAKE(field) row.field = c->field ? c->field : row.field
		TAKE(name);
		TAKE(metric);
		TAKE(match);
		TAKE(action);
		TAKE(reason);
		TAKE(mode);
		TAKE(threshold);
		TAKE(window_sec);
		TAKE(ban_sec);
		TAKE(code);
#undef TAKE
		row.id = 9;
		open_builder();
		fraudguard_build_rule(&r.b, &row);
		snprintf(line, sizeof line, "fraudguard_rule id 9: %s", cases[i].says);
		expect_refusal(1, &says);
	}
}

static void expect_too_long(
		const struct fraudguard_rule_row *row, const char *column, int size)
{
	char line[256];
	const char *says = line;

	open_builder();
	fraudguard_build_rule(&r.b, row);
	snprintf(line, sizeof line,
			"fraudguard_rule id 1: %s is longer than %d characters", column,
			size - 1);
	expect_refusal(1, &says);
}

static void names_texts_that_are_too_long(void **state)
{
	struct fraudguard_rule_row row =
			rig_row("rule", "call_attempts", "*", 5, 10, "drop", "enforce");

	(void)state;
	row.name = too_long(FRAUDGUARD_NAME_MAX);
	expect_too_long(&row, "name", FRAUDGUARD_NAME_MAX);
	row.name = "rule";
	row.match = too_long(FRAUDGUARD_MATCH_MAX);
	expect_too_long(&row, "match_key", FRAUDGUARD_MATCH_MAX);
	row.match = "*";
	row.reason = too_long(FRAUDGUARD_REASON_MAX);
	expect_too_long(&row, "reason", FRAUDGUARD_REASON_MAX);
}

static void names_all_bad_columns_of_one_row(void **state)
{
	static const char *const lines[] = {
			"fraudguard_rule id 7: mode = 'maybe' is not one of off, shadow, "
			"enforce",
			"fraudguard_rule id 7: metric = 'x' is not one of source_requests, "
			"call_attempts, concurrent_calls",
			"fraudguard_rule id 7: action = 'y' is not one of log, refuse, "
			"drop, ban",
			"fraudguard_rule id 7: name is empty",
			"fraudguard_rule id 7: threshold = -3 is not in 0 to 1000000",
			"fraudguard_rule id 7: window_sec = 0 is not in 1 to 604800",
	};
	struct fraudguard_rule_row row = rig_row("", "x", "*", -3, 0, "y", "maybe");

	(void)state;
	row.id = 7;
	open_builder();
	fraudguard_build_rule(&r.b, &row);
	expect_refusal(6, lines);
}

/* Columns that a rule does not use may hold anything, and a rule that is off is
 * not looked at. */
static void asks_only_for_what_a_rule_uses(void **state)
{
	struct fraudguard_rule_row row = rig_row(
			"at-once", "concurrent_calls", "*", 5, -1, "drop", "shadow");

	(void)state;
	open_builder();
	row.ban_sec = row.code = -1;
	row.reason = "";
	fraudguard_build_rule(&r.b, &row);
	row = rig_row("", "x", "", -1, -1, "y", "off");
	fraudguard_build_rule(&r.b, &row);
	assert_int_equal(r.complaints, 0);
	assert_int_equal(fraudguard_build_finish(&r.b, WALL), 0);
	assert_int_equal(r.b.im->rules, 1);
	assert_int_equal(r.b.im->rule[0].window_sec, 0);
	assert_int_equal(r.b.im->rule[0].ban_sec, 0);
	assert_int_equal(r.b.im->rule[0].code, 0);
	close_builder();
}

static void loads_what_the_row_says(void **state)
{
	const struct fraudguard_rule *rule;
	struct fraudguard_rule_row row = rig_row("burst", "call_attempts",
			"alice@example.com", 1000000, 604800, "ban", "shadow");

	(void)state;
	open_builder();
	row.ban_sec = 31622400;
	row.code = 699;
	fraudguard_build_rule(&r.b, &row);
	rig_rule(&r, "gate", "source_requests", "2001:DB8:0::5", 1, 1, "log",
			"enforce");
	assert_int_equal(fraudguard_build_finish(&r.b, WALL), 0);
	assert_int_equal(r.b.im->magic, FRAUDGUARD_IMAGE_MAGIC);
	assert_int_equal(r.b.im->loaded_at, WALL);
	assert_int_equal(r.b.im->first[FRAUDGUARD_SOURCE_REQUESTS], 0);
	assert_int_equal(r.b.im->first[FRAUDGUARD_CALL_ATTEMPTS], 1);
	assert_int_equal(r.b.im->first[FRAUDGUARD_CONCURRENT_CALLS], 2);
	assert_int_equal(r.b.im->first[FRAUDGUARD_METRICS], 2);
	rule = &r.b.im->rule[0];
	assert_string_equal(rule->name, "gate");
	/* as requests are counted: by the /64 */
	assert_string_equal(rule->match, "2001:db8::/64");
	assert_int_equal(rule->action, FRAUDGUARD_LOG);
	assert_int_equal(rule->mode, FRAUDGUARD_ENFORCE);
	rule = &r.b.im->rule[1];
	assert_string_equal(rule->match, "alice@example.com");
	assert_string_equal(rule->reason, "Too Much");
	assert_int_equal(rule->threshold, 1000000);
	assert_int_equal(rule->window_sec, 604800);
	assert_int_equal(rule->ban_sec, 31622400);
	assert_int_equal(rule->code, 699);
	assert_int_equal(rule->metric, FRAUDGUARD_CALL_ATTEMPTS);
	assert_int_equal(rule->action, FRAUDGUARD_BAN);
	assert_int_equal(rule->mode, FRAUDGUARD_SHADOW);
	assert_string_equal(fraudguard_metric_name(rule->metric), "call_attempts");
	assert_string_equal(fraudguard_action_name(rule->action), "ban");
	assert_string_equal(fraudguard_mode_name(rule->mode), "shadow");
	close_builder();
}

/* The name is what counts are kept under and what set_mode takes. */
static void names_what_stands_there_twice(void **state)
{
	static const char *const lines[] = {
			"fraudguard_rule name = 'a' stands there twice",
			"fraudguard_rule name = 'b' stands there twice"};

	(void)state;
	open_builder();
	rig_rule(&r, "a", "source_requests", "*", 1, 1, "drop", "enforce");
	rig_rule(&r, "b", "call_attempts", "*", 1, 1, "drop", "enforce");
	rig_rule(&r, "c", "call_attempts", "*", 1, 1, "drop", "enforce");
	rig_rule(&r, "b", "call_attempts", "*", 2, 1, "drop", "enforce");
	rig_rule(&r, "a", "concurrent_calls", "*", 1, 1, "drop", "enforce");
	expect_refusal(2, lines);
}

static void an_empty_load_is_refused(void **state)
{
	(void)state;
	open_builder();
	rig_rule(&r, "sleeping", "call_attempts", "*", 1, 1, "drop", "off");
	fraudguard_build_allow(&r.b, 1, "ip", "192.0.2.1");
	assert_int_equal(fraudguard_build_finish(&r.b, WALL), -ENODATA);
	close_builder();
}

static void takes_as_many_rules_as_it_says(void **state)
{
	static const char *const line[] = {
			"fraudguard_rule id 1: more than 1024 rules"};
	char name[32];

	(void)state;
	open_builder();
	for(int i = 0; i < FRAUDGUARD_RULES_MAX + 1; i++) {
		if(i == FRAUDGUARD_RULES_MAX)
			assert_int_equal(r.complaints, 0);
		snprintf(name, sizeof name, "rule-%d", i);
		rig_rule(&r, name, "call_attempts", "*", 1, 1, "drop", "enforce");
	}
	expect_refusal(1, line);
}

static void a_long_list_of_bad_rows_is_cut_and_says_so(void **state)
{
	(void)state;
	for(int bad = 19; bad <= 23; bad++) {
		open_builder();
		for(int i = 0; i < bad; i++)
			fraudguard_build_allow(&r.b, i, "host", "x\ny");
		assert_int_equal(r.complaints, bad <= 20 ? bad : 21);
		assert_string_equal(r.complaint[0],
				"fraudguard_allow id 0: kind = 'host' is not ip or account");
		if(bad > 20)
			assert_string_equal(
					r.complaint[20], "more bad rows follow; mend these first");
		assert_int_equal(fraudguard_build_finish(&r.b, WALL), -EBADMSG);
		close_builder();
	}
}

static void names_bad_entries_of_the_never_block_list(void **state)
{
	static const char *const nets[] = {"", "x", "192.0.2", "192.0.2.1/",
			"192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/+8", "192.0.2.1/ 8",
			"192.0.2.1/8x", "2001:db8::/129", "2001:db8::1::2", "1.2.3.4.5",
			"192.0.2.1/99999999999999999999", "account"};
	static const char long_address[] =
			"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0001";
	struct fraudguard_net net;

	(void)state;
	open_builder();
	for(size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		char line[256];

		assert_int_equal(fraudguard_parse_net(nets[i], &net), -EINVAL);
		fraudguard_build_allow(&r.b, 5, "ip", nets[i]);
		snprintf(line, sizeof line,
				"fraudguard_allow id 5: value = '%s' is no address and no "
				"network (192.0.2.0/24)",
				nets[i]);
		assert_string_equal(r.complaint[i], line);
	}
	assert_int_equal(fraudguard_parse_net(long_address, &net), -EINVAL);
	fraudguard_build_allow(&r.b, 6, "account", "");
	fraudguard_build_allow(&r.b, 7, "account", too_long(FRAUDGUARD_MATCH_MAX));
	assert_string_equal(r.complaint[r.complaints - 2],
			"fraudguard_allow id 6: value is empty or too long");
	assert_string_equal(r.complaint[r.complaints - 1],
			"fraudguard_allow id 7: value is empty or too long");
	/* a line break in a value ends no log line */
	fraudguard_build_allow(&r.b, 8, "ip", "1\n2");
	assert_null(strchr(r.complaint[r.complaints - 1], '\n'));
	assert_int_equal(r.b.im->nets + r.b.im->accounts, 0);
	close_builder();
}

static void reads_networks(void **state)
{
	static const struct
	{
		const char *text;
		int bits;
		uint8_t last;
	} cases[] = {{"192.0.2.7", 128, 7}, {"192.0.2.7/32", 128, 7},
			{"192.0.2.0/24", 120, 0}, {"0.0.0.0/0", 96, 0}, {"::/0", 0, 0},
			{"2001:db8::9", 128, 9}, {"2001:db8::9/64", 64, 9},
			{"::ffff:192.0.2.7", 128, 7}};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fraudguard_net net;

		assert_int_equal(fraudguard_parse_net(cases[i].text, &net), 0);
		assert_int_equal(net.bits, cases[i].bits);
		assert_int_equal(net.addr[15], cases[i].last);
	}
}

static void the_built_in_rule_is_a_flood_limit(void **state)
{
	(void)state;
	rig_open(&r);
	fraudguard_build_defaults(&r.b);
	assert_int_equal(r.complaints, 0);
	rig_use(&r);
	for(int i = 1; i <= 31; i++)
		assert_int_equal(rig_source(&r, "192.0.2.1"),
				i <= 30 ? FRAUDGUARD_PASS : FRAUDGUARD_RATE);
	assert_int_equal(r.a.hit.action, FRAUDGUARD_DROP);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(names_each_bad_column_of_a_rule),
			cmocka_unit_test(names_texts_that_are_too_long),
			cmocka_unit_test(names_all_bad_columns_of_one_row),
			cmocka_unit_test(asks_only_for_what_a_rule_uses),
			cmocka_unit_test(loads_what_the_row_says),
			cmocka_unit_test(names_what_stands_there_twice),
			cmocka_unit_test(an_empty_load_is_refused),
			cmocka_unit_test(takes_as_many_rules_as_it_says),
			cmocka_unit_test(a_long_list_of_bad_rows_is_cut_and_says_so),
			cmocka_unit_test(names_bad_entries_of_the_never_block_list),
			cmocka_unit_test(reads_networks),
			cmocka_unit_test(the_built_in_rule_is_a_flood_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

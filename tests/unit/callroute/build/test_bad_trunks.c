/*
 * Bad rows of what calls go through: times, failover classes, breakers,
 * carriers, trunks. Each fault of each column is told with table, id and column,
 * and the load is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/sound.h"

#define NOT_IN(column, value, range) column " = " value " is not in " range

static void a_sound_row_of_every_table_is_taken(void **state)
{
	(void)state;
	support_free(rows_image(sound()));
	GOOD(time, row.tz = "Europe/Berlin", row.exdate = "20231115");
	GOOD(breaker, row.window_sec = 3600, row.open_at = 100, row.codes = "");
	GOOD(carrier, row.max_channels = 1000000, row.max_cps = 100000);
	GOOD(trunk, row.uri = "sips:[2001:db8::1]:65535;lr", row.strip = 32,
			row.prefix = "+00*#", row.socket = "udp:192.0.2.1:5060",
			row.transport = "tls", row.dst_rewrite = "0049>+49,>00",
			row.src_rewrite = "", row.cli_policy = "hide", row.codecs = "PCMA",
			row.media = "dtls", row.max_channels = 1000000,
			row.max_cps = 100000, row.try_timeout_ms = 60000,
			row.ring_timeout_ms = 600000, row.failover_id = 1,
			row.breaker_id = 1, row.probe_interval = 3600, row.down_after = 100,
			row.up_after = 100, row.admin_state = "drain");
}

static void names_each_bad_column_of_a_time(void **state)
{
	(void)state;
	BAD(time, "time",
			"tz: 'Mars/Olympus' is not in the system's time zones (names look "
			"like Europe/Berlin)",
			row.tz = "Mars/Olympus");
	BAD(time, "time", "dtstart: empty: write 20260105T090000 or 20260105",
			row.dtstart = "");
}

/* What exactly is wrong with a calendar is the calendar's to say (and its tests'
 * to check): here that its words come with table, id and column. */
static void hands_on_what_the_calendar_says(void **state)
{
	static const struct
	{
		struct callroute_time_row row;
		const char *column;
	} cases[] = {
			{{9, "UTC", "2023", "P1D", "", ""}, "dtstart: "},
			{{9, "UTC", "20230101", "1 day", "", ""}, "duration: "},
			{{9, "UTC", "20230101", "P1D", "FREQ=NEVER", ""}, "rrule: "},
			{{9, "UTC", "20230101", "P1D", "FREQ=DAILY", "soon"}, "exdate: "},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_builder *b = sound();
		char begins[64];

		assert_int_equal(callroute_add_time(b, &cases[i].row), 0);
		snprintf(begins, sizeof begins, "callroute_time id 9: %s",
				cases[i].column);
		assert_int_equal(said.count, 1);
		assert_memory_equal(said.line[0], begins, strlen(begins));
		assert_true(strlen(said.line[0]) > strlen(begins));
		expect_refusal(b, 1, (const char *[]){said.line[0]});
	}
}

#define BAD_FAILOVER(says, name, codes, action)                          \
	do {                                                                 \
		struct callroute_builder *bad = sound();                         \
		assert_int_equal(                                                \
				callroute_add_failover(bad, 9, name, codes, action), 0); \
		expect_fault(bad, "failover", says);                             \
	} while(0)

static void names_each_bad_column_of_a_failover_class(void **state)
{
	(void)state;
	BAD_FAILOVER("name is empty", "", "5xx", "next");
	BAD_FAILOVER("name is longer than 64 characters",
			too_long(CALLROUTE_NAME_MAX), "5xx", "next");
	BAD_FAILOVER("codes has '2xx' where a code (300-699), a class (3xx-6xx) or "
				 "! before either must stand",
			"f9", "5xx,2xx", "next");
	BAD_FAILOVER("action = 'again' is not one of next, other_carrier, stop",
			"f9", "5xx", "again");
}

static void names_each_bad_column_of_a_breaker(void **state)
{
	(void)state;
	BAD(breaker, "breaker", "name is empty", row.name = "");
	BAD(breaker, "breaker", "name is longer than 64 characters",
			row.name = too_long(CALLROUTE_NAME_MAX));
	BAD(breaker, "breaker",
			"codes has '!' where a code (300-699), a class (3xx-6xx) or ! "
			"before either must stand",
			row.codes = "408,!");
	BAD(breaker, "breaker", NOT_IN("window_sec", "0", "1 to 3600"),
			row.window_sec = 0);
	BAD(breaker, "breaker", NOT_IN("window_sec", "3601", "1 to 3600"),
			row.window_sec = 3601);
	BAD(breaker, "breaker", NOT_IN("min_calls", "0", "1 to 1000000"),
			row.min_calls = 0);
	BAD(breaker, "breaker", NOT_IN("min_calls", "1000001", "1 to 1000000"),
			row.min_calls = 1000001);
	BAD(breaker, "breaker", NOT_IN("open_at", "0", "1 to 100"),
			row.open_at = 0);
	BAD(breaker, "breaker", NOT_IN("open_at", "101", "1 to 100"),
			row.open_at = 101);
	BAD(breaker, "breaker", NOT_IN("half_open_after", "0", "1 to 86400"),
			row.half_open_after = 0);
	BAD(breaker, "breaker", NOT_IN("half_open_after", "86401", "1 to 86400"),
			row.half_open_after = 86401);
}

static void names_each_bad_column_of_a_carrier(void **state)
{
	(void)state;
	BAD(carrier, "carrier", "name is empty", row.name = "");
	BAD(carrier, "carrier", "name is longer than 64 characters",
			row.name = too_long(CALLROUTE_NAME_MAX));
	BAD(carrier, "carrier", NOT_IN("max_channels", "-1", "0 to 1000000"),
			row.max_channels = -1);
	BAD(carrier, "carrier", NOT_IN("max_channels", "1000001", "0 to 1000000"),
			row.max_channels = 1000001);
	BAD(carrier, "carrier", NOT_IN("max_cps", "-1", "0 to 100000"),
			row.max_cps = -1);
	BAD(carrier, "carrier", NOT_IN("max_cps", "100001", "0 to 100000"),
			row.max_cps = 100001);
}

static void names_each_fault_of_a_trunk_s_uri(void **state)
{
	static const struct
	{
		const char *uri, *fault;
	} cases[] = {
			{"192.0.2.1", "does not start with sip: or sips:"},
			{"tel:49", "does not start with sip: or sips:"},
			{"sip:", "has no host"},
			{"sips:;lr", "has no host"},
			{"sip::5060", "has no host"},
			{"sip:a@h", "has a user part (the called number goes there)"},
			{"sip:a b", "has a character that no URI may have"},
			{"sip:h>", "has a character that no URI may have"},
			{"sip:h;lr?Route=x",
					"has header fields, which no request URI may have"},
			{"sip:h:", "has a port that is not 1 to 65535"},
			{"sip:h:65536", "has a port that is not 1 to 65535"},
			{"sip:h:0;lr", "has a port that is not 1 to 65535"},
			{"sip:h:50x0", "has a port that is not 1 to 65535"},
			{"sip:[::1", "has an IPv6 address without its ]"},
			{"sip:[::1]x", "has something other than a port behind its ]"},
	};
	struct callroute_builder *b = sound();

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char says[200];

		snprintf(says, sizeof says, "uri = '%s' %s", cases[i].uri,
				cases[i].fault);
		BAD(trunk, "trunk", says, row.uri = cases[i].uri);
	}
	BAD(trunk, "trunk",
			"uri = 'sip:h;transport=udp' has a transport already, and the "
			"column says tcp",
			row.uri = "sip:h;transport=udp", row.transport = "tcp");
	/* A line break in a URI would end a log line: it is not repeated. */
	said.count = 0;
	ADD(b, trunk, 9, row.uri = "sip:h\r\nX: y");
	assert_int_equal(said.count, 1);
	assert_null(strpbrk(said.line[0], "\r\n"));
	callroute_builder_free(b);
}

static void names_each_bad_number_of_a_trunk(void **state)
{
	(void)state;
	BAD(trunk, "trunk", NOT_IN("strip", "-1", "0 to 32"), row.strip = -1);
	BAD(trunk, "trunk", NOT_IN("strip", "33", "0 to 32"), row.strip = 33);
	BAD(trunk, "trunk", NOT_IN("try_timeout_ms", "99", "100 to 60000"),
			row.try_timeout_ms = 99);
	BAD(trunk, "trunk", NOT_IN("try_timeout_ms", "60001", "100 to 60000"),
			row.try_timeout_ms = 60001);
	BAD(trunk, "trunk", NOT_IN("ring_timeout_ms", "999", "1000 to 600000"),
			row.ring_timeout_ms = 999);
	BAD(trunk, "trunk", NOT_IN("ring_timeout_ms", "600001", "1000 to 600000"),
			row.ring_timeout_ms = 600001);
	BAD(trunk, "trunk", NOT_IN("max_channels", "-1", "0 to 1000000"),
			row.max_channels = -1);
	BAD(trunk, "trunk", NOT_IN("max_cps", "100001", "0 to 100000"),
			row.max_cps = 100001);
	BAD(trunk, "trunk", NOT_IN("probe_interval", "3601", "0 to 3600"),
			row.probe_interval = 3601);
	BAD(trunk, "trunk", NOT_IN("down_after", "0", "1 to 100"),
			row.down_after = 0);
	BAD(trunk, "trunk", NOT_IN("down_after", "101", "1 to 100"),
			row.down_after = 101);
	BAD(trunk, "trunk", NOT_IN("up_after", "0", "1 to 100"), row.up_after = 0);
	BAD(trunk, "trunk", NOT_IN("up_after", "101", "1 to 100"),
			row.up_after = 101);
}

static void names_each_bad_word_of_a_trunk(void **state)
{
	(void)state;
	BAD(trunk, "trunk", "admin_state = 'UP' is not one of up, drain, down",
			row.admin_state = "UP");
	BAD(trunk, "trunk", "media = 'zrtp' is not one of rtp, sdes, dtls",
			row.media = "zrtp");
	BAD(trunk, "trunk",
			"cli_policy = '' is not one of pass, assert, hide, strip",
			row.cli_policy = "");
	BAD(trunk, "trunk",
			"transport = 'dns' is not one of udp, tcp, tls, ws, wss, sctp",
			row.transport = "dns");
	BAD(trunk, "trunk", "prefix = '00a' has other symbols than + 0-9 * #",
			row.prefix = "00a");
	BAD(trunk, "trunk",
			"dst_rewrite has '4>5>6' where from>to must stand (digits, * #, + "
			"in front of to; 8 of them at most)",
			row.dst_rewrite = "1>2,4>5>6");
	BAD(trunk, "trunk",
			"src_rewrite has 'x>1' where from>to must stand (digits, * #, + in "
			"front of to; 8 of them at most)",
			row.src_rewrite = "x>1");
}

static void names_texts_of_a_trunk_that_are_empty_or_too_long(void **state)
{
	char uri[CALLROUTE_URI_MAX + 1] = "sip:";

	(void)state;
	BAD(trunk, "trunk", "name is empty", row.name = "");
	BAD(trunk, "trunk", "name is longer than 64 characters",
			row.name = too_long(CALLROUTE_NAME_MAX));
	BAD(trunk, "trunk", "socket is longer than 64 characters",
			row.socket = too_long(CALLROUTE_NAME_MAX));
	BAD(trunk, "trunk", "prefix is longer than 32 characters",
			row.prefix = too_long(CALLROUTE_PREFIX_MAX));
	BAD(trunk, "trunk", "uri is empty", row.uri = "");
	memset(uri + 4, 'h', CALLROUTE_URI_MAX - 4);
	BAD(trunk, "trunk", "uri is longer than 255 characters", row.uri = uri);
	/* It fits, and with its transport no longer does. */
	uri[CALLROUTE_URI_MAX - 1] = '\0';
	GOOD(trunk, row.uri = uri);
	BAD(trunk, "trunk", "uri is longer than 255 characters", row.uri = uri,
			row.transport = "tcp");
	uri[CALLROUTE_URI_MAX - 1 - strlen(";transport=tcp")] = '\0';
	GOOD(trunk, row.uri = uri, row.transport = "tcp");
	BAD(trunk, "trunk", "codecs is longer than 128 characters",
			row.codecs = too_long(CALLROUTE_CODECS_MAX));
}

static void names_what_a_trunk_points_to_and_is_not_there(void **state)
{
	(void)state;
	BAD(trunk, "trunk", "carrier_id = 0 is no carrier", row.carrier_id = 0);
	BAD(trunk, "trunk", "carrier_id = 8 is no carrier", row.carrier_id = 8);
	BAD(trunk, "trunk", "failover_id = 2 is no failover", row.failover_id = 2);
	BAD(trunk, "trunk", "breaker_id = -1 is no breaker", row.breaker_id = -1);
	BAD(trunk, "trunk", "name 't1' stands there twice (id 1)", row.name = "t1");
}

/* Live state lasts until the restart: a trunk without a slot would have none. */
static void names_the_trunk_for_which_there_is_no_live_state(void **state)
{
	struct callroute_builder *b = sound();

	(void)state;
	for(uint32_t id = 1000; callroute_live_slot(rows_live, id) >= 0; id++)
		assert_true(id < 100000);
	ADD(b, trunk, 9);
	expect_fault(b, "trunk",
			"no room for its live state: raise modparam max_trunks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(a_sound_row_of_every_table_is_taken),
			rows_test(names_each_bad_column_of_a_time),
			rows_test(hands_on_what_the_calendar_says),
			rows_test(names_each_bad_column_of_a_failover_class),
			rows_test(names_each_bad_column_of_a_breaker),
			rows_test(names_each_bad_column_of_a_carrier),
			rows_test(names_each_fault_of_a_trunk_s_uri),
			rows_test(names_each_bad_number_of_a_trunk),
			rows_test(names_each_bad_word_of_a_trunk),
			rows_test(names_texts_of_a_trunk_that_are_empty_or_too_long),
			rows_test(names_what_a_trunk_points_to_and_is_not_there),
			rows_test(names_the_trunk_for_which_there_is_no_live_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

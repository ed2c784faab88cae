/*
 * From rows to an image: every bad row is named, a doubtful load is refused
 * whole, and no failed allocation leaves anything behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_rows.h"

#include "lib/trie.h"

static struct complaints said;

/* A sound load: two trunks, two decks, one plan. */
static struct callroute_builder *sound(void)
{
	struct callroute_builder *b = rows_new(&said);

	assert_int_equal(callroute_add_carrier(b, 7, "carrier", 1), 0);
	for(int n = 1; n <= 2; n++) {
		struct callroute_trunk_row row = rows_trunk_row(n);

		row.carrier_id = n == 1 ? 7 : 0;
		rows_deck(b, n);
		assert_int_equal(callroute_add_trunk(b, &row), 0);
		rows_rate(b, n, n, "49", 100 * n);
	}
	rows_plan(b, 1, "out", "price", 8);
	rows_entry(b, 1, 1, 1, 1, 10, 1);
	rows_entry(b, 2, 1, 2, 2, 10, 1);
	return b;
}

/* The load is refused, for these reasons alone. Frees the builder. */
static void expect_refusal(
		struct callroute_builder *b, int count, const char *const lines[])
{
	char *mem = support_memory(65536);
	size_t used = 1;

	assert_int_equal(
			callroute_builder_write(b, NOW, mem, 65536, &used), -EBADMSG);
	assert_int_equal(used, 0);
	for(int i = 0; i < count && i < said.count; i++)
		assert_string_equal(said.line[i], lines[i]);
	assert_int_equal(said.count, count);
	callroute_builder_free(b);
	support_free(mem);
}

static void expect_complaint(struct callroute_builder *b, const char *line)
{
	expect_refusal(b, 1, &line);
}

/* A text of `size` symbols: one more than a field of that size holds. */
static const char *too_long(size_t size)
{
	static char text[300];

	assert_true(size < sizeof text);
	memset(text, '1', size);
	text[size] = '\0';
	return text;
}

static void names_each_bad_column_of_a_trunk(void **state)
{
	static const struct
	{
		struct callroute_trunk_row row;
		const char *says;
	} cases[] = {
			{{.id = 0}, "id 0: id = 0 is not in 1 to 4294967295"},
			{{.id = 4294967296},
					"id 4294967296: id = 4294967296 is not in 1 to 4294967295"},
			{{.name = ""}, "id 9: name is empty"},
			{{.uri = "192.0.2.1"}, "id 9: uri = '192.0.2.1' does not start "
								   "with sip: or sips:"},
			{{.uri = "tel:49"}, "id 9: uri = 'tel:49' does not start with sip: "
								"or sips:"},
			{{.uri = "sip:"}, "id 9: uri = 'sip:' has no host"},
			{{.uri = "sips:;lr"}, "id 9: uri = 'sips:;lr' has no host"},
			{{.uri = "sip::5060"}, "id 9: uri = 'sip::5060' has no host"},
			{{.uri = "sip:a@h"}, "id 9: uri = 'sip:a@h' has a user part (the "
								 "called number goes there)"},
			{{.uri = "sip:a b"}, "id 9: uri = 'sip:a b' has a character that "
								 "no URI may have"},
			{{.uri = "sip:h\r\nX: y"}, NULL},
			{{.uri = "sip:h>"}, "id 9: uri = 'sip:h>' has a character that no "
								"URI may have"},
			{{.uri = "sip:h;lr?Route=x"},
					"id 9: uri = 'sip:h;lr?Route=x' has header fields, which "
					"no request URI may have"},
			{{.uri = "sip:h:"}, "id 9: uri = 'sip:h:' has a port that is not "
								"1 to 65535"},
			{{.uri = "sip:h:65536"}, "id 9: uri = 'sip:h:65536' has a port "
									 "that is not 1 to 65535"},
			{{.uri = "sip:h:0;lr"}, "id 9: uri = 'sip:h:0;lr' has a port that "
									"is not 1 to 65535"},
			{{.uri = "sip:h:50x0"}, "id 9: uri = 'sip:h:50x0' has a port that "
									"is not 1 to 65535"},
			{{.uri = "sip:[::1"}, "id 9: uri = 'sip:[::1' has an IPv6 address "
								  "without its ]"},
			{{.uri = "sip:[::1]x"}, "id 9: uri = 'sip:[::1]x' has something "
									"other than a port behind its ]"},
			{{.prefix = "00a"},
					"id 9: prefix = '00a' has other symbols than + 0-9 * #"},
			{{.strip = -1}, "id 9: strip = -1 is not in 0 to 32"},
			{{.strip = 33}, "id 9: strip = 33 is not in 0 to 32"},
			{{.try_timeout_ms = 600001},
					"id 9: try_timeout_ms = 600001 is not in 0 to 600000"},
			{{.ring_timeout_ms = -5},
					"id 9: ring_timeout_ms = -5 is not in 0 to 600000"},
			{{.admin_state = "UP"},
					"id 9: admin_state = 'UP' is not one of up, drain, down"},
			{{.media = "zrtp"},
					"id 9: media = 'zrtp' is not one of rtp, sdes, dtls"},
			{{.failover_codes = "5xx,2xx"},
					"id 9: failover_codes has '2xx' where a code (300-699), a "
					"class (3xx-6xx) or ! before either must stand"},
			{{.carrier_id = 8}, "id 9: carrier_id = 8 is no carrier"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_builder *b = sound();
		const struct callroute_trunk_row *c = &cases[i].row;
		struct callroute_trunk_row row = rows_trunk_row(9);
		char line[512];

#define TAKE(field) row.field = c->field ? c->field : row.field
		TAKE(name);
		TAKE(uri);
		TAKE(socket);
		TAKE(prefix);
		TAKE(strip);
		TAKE(try_timeout_ms);
		TAKE(ring_timeout_ms);
		TAKE(admin_state);
		TAKE(media);
		TAKE(failover_codes);
		TAKE(carrier_id);
#undef TAKE
		if(i < 2)
			row.id = c->id;
		assert_int_equal(callroute_add_trunk(b, &row), 0);
		snprintf(line, sizeof line, "callroute_trunk %s",
				cases[i].says ? cases[i].says : "");
		if(cases[i].says != NULL) {
			expect_complaint(b, line);
			continue;
		}
		/* A line break in a URI would end a log line: it is not repeated. */
		assert_int_equal(said.count, 1);
		assert_null(strpbrk(said.line[0], "\r\n"));
		callroute_builder_free(b);
	}
}

static void expect_too_long(
		const struct callroute_trunk_row *row, const char *column, int size)
{
	struct callroute_builder *b = sound();
	char line[512];

	assert_int_equal(callroute_add_trunk(b, row), 0);
	snprintf(line, sizeof line,
			"callroute_trunk id 9: %s is longer than %d characters", column,
			size - 1);
	expect_complaint(b, line);
}

static void names_texts_that_are_too_long(void **state)
{
	struct callroute_trunk_row row = rows_trunk_row(9);
	char uri[CALLROUTE_URI_MAX + 1] = "sip:";

	(void)state;
	row.name = too_long(CALLROUTE_NAME_MAX);
	expect_too_long(&row, "name", CALLROUTE_NAME_MAX);
	row = rows_trunk_row(9);
	row.socket = too_long(CALLROUTE_NAME_MAX);
	expect_too_long(&row, "socket", CALLROUTE_NAME_MAX);
	row = rows_trunk_row(9);
	row.prefix = too_long(CALLROUTE_PREFIX_MAX);
	expect_too_long(&row, "prefix", CALLROUTE_PREFIX_MAX);
	row = rows_trunk_row(9);
	memset(uri + 4, 'h', sizeof uri - 5);
	row.uri = uri;
	expect_too_long(&row, "uri", CALLROUTE_URI_MAX);
}

static void takes_every_sound_trunk(void **state)
{
	static const char *const uris[] = {"sip:h", "sips:h", "sip:h:1",
			"sip:h:65535", "sip:[2001:db8::1]", "sip:[2001:db8::1]:5060",
			"sip:[::1];transport=tcp", "sip:gw.example.com:5080;lr;x=%41"};
	struct callroute_builder *b = sound();

	(void)state;
	for(int i = 0; i < 8; i++) {
		struct callroute_trunk_row row = rows_trunk_row(100 + i);

		row.uri = uris[i];
		assert_int_equal(callroute_add_trunk(b, &row), 0);
	}
	assert_int_equal(said.count, 0);
	support_free(rows_image(b));
}

static void names_each_bad_column_of_a_rate(void **state)
{
	static const struct
	{
		struct callroute_rate_row row;
		const char *says;
	} cases[] = {
			{{.prefix = "4x"}, "prefix = '4x' is not 0 to 32 symbols of 0-9 * "
							   "#"},
			{{.prefix = "+49"}, "prefix = '+49' is not 0 to 32 symbols of 0-9 "
								"* #"},
			{{.prefix = "123456789012345678901234567890123"},
					"prefix = '123456789012345678901234567890123' is not 0 to "
					"32 symbols of 0-9 * #"},
			{{.prefix = ""}, "empty prefix without is_default = 1 (it would "
							 "match every number)"},
			{{.prefix = "1", .price = -1},
					"price = -1 is not in 0 to 9223372036854775807"},
			{{.prefix = "1", .valid_from = 10, .valid_till = 10},
					"valid_till is not after valid_from"},
			{{.prefix = "1", .valid_from = 10, .valid_till = 9},
					"valid_till is not after valid_from"},
			{{.prefix = "1", .deck_id = 3}, "deck_id = 3 is no deck"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_builder *b = sound();
		struct callroute_rate_row row = cases[i].row;
		char line[512];

		row.id = 9;
		row.deck_id = row.deck_id ? row.deck_id : 1;
		/* beside a row that is meant to match everything */
		rows_rate(b, 8, 1, "", 1);
		assert_int_equal(callroute_add_rate(b, &row), 0);
		snprintf(line, sizeof line, "callroute_rate id 9: %s", cases[i].says);
		expect_complaint(b, line);
	}
}

static void names_each_bad_column_of_the_rest(void **state)
{
	char deck_name[80];
	const char *const lines[] = {
			"callroute_carrier id 2: name is empty",
			"callroute_deck id 0: id = 0 is not in 1 to 4294967295",
			deck_name,
			"callroute_deck id 9: currency is longer than 3 characters",
			"callroute_plan id 2: name is empty",
			"callroute_plan id 3: order_by = 'cheap' is not one of price, "
			"priority",
			"callroute_plan id 4: max_attempts = 0 is not in 1 to 8",
			"callroute_plan id 5: max_attempts = 9 is not in 1 to 8",
			"callroute_plan_trunk id 3: priority = -1 is not in 0 to 65535",
			"callroute_plan_trunk id 4: weight = 65536 is not in 0 to 65535",
			"the caller's own reason",
			"callroute_plan_trunk id 5: plan_id = 77 is no plan",
			"callroute_plan_trunk id 5: trunk_id = 78 is no trunk",
			"callroute_plan_trunk id 5: deck_id = 79 is no deck",
	};
	struct callroute_builder *b = sound();

	(void)state;
	snprintf(deck_name, sizeof deck_name,
			"callroute_deck id 8: name is longer than %d characters",
			CALLROUTE_NAME_MAX - 1);
	assert_int_equal(callroute_add_carrier(b, 2, "", 1), 0);
	assert_int_equal(callroute_add_deck(b, 0, "zero", "EUR", 1), 0);
	assert_int_equal(
			callroute_add_deck(b, 8, too_long(CALLROUTE_NAME_MAX), "EUR", 1),
			0);
	assert_int_equal(callroute_add_deck(b, 9, "nine", "EURO", 1), 0);
	rows_plan(b, 2, "", "price", 1);
	rows_plan(b, 3, "three", "cheap", 1);
	rows_plan(b, 4, "four", "price", 0);
	rows_plan(b, 5, "five", "price", 9);
	rows_trunk(b, 3, "up");
	rows_trunk(b, 4, "up");
	rows_entry(b, 3, 1, 3, 1, -1, 1);
	rows_entry(b, 4, 1, 4, 1, 1, 65536);
	callroute_builder_reject(b, "the caller's own reason");
	rows_entry(b, 5, 77, 78, 79, 1, 1);
	expect_refusal(b, 14, lines);
}

/* The lowest of 10 cents and 12 yen is no price. */
static void refuses_two_currencies_in_one_plan(void **state)
{
	static const char *const lines[] = {
			"callroute_plan_trunk id 3: deck 3 is in JPY, the plan's others in "
			"EUR",
	};
	struct callroute_builder *b = sound();

	(void)state;
	assert_int_equal(callroute_add_deck(b, 3, "yen", "JPY", 1), 0);
	rows_trunk(b, 3, "up");
	rows_entry(b, 3, 1, 3, 3, 1, 1);
	expect_refusal(b, 1, lines);
}

static void names_what_stands_there_twice(void **state)
{
	static const char *const lines[] = {
			"callroute_carrier id 7 stands there twice",
			"callroute_deck id 2 stands there twice",
			"callroute_trunk id 2 stands there twice",
			"callroute_plan id 1 stands there twice",
			"callroute_plan_trunk id 3: trunk 2 with deck 2 stands in plan 1 "
			"twice",
			"callroute_plan id 5: name 'same' stands there twice",
	};
	struct callroute_builder *b = sound();

	(void)state;
	assert_int_equal(callroute_add_carrier(b, 7, "again", 1), 0);
	assert_int_equal(callroute_add_deck(b, 2, "again", "EUR", 1), 0);
	rows_trunk(b, 2, "up");
	rows_plan(b, 1, "again", "price", 1);
	rows_plan(b, 4, "same", "price", 1);
	rows_plan(b, 5, "same", "price", 1);
	rows_entry(b, 3, 1, 2, 2, 5, 5);
	expect_refusal(b, 6, lines);
}

static void timed(struct callroute_builder *b, long long id, long long from,
		long long till)
{
	struct callroute_rate_row row = {.id = id,
			.deck_id = 1,
			.price = id,
			.valid_from = from,
			.valid_till = till,
			.prefix = "4930"};

	assert_int_equal(callroute_add_rate(b, &row), 0);
}

/* The long rate hides behind a short one that starts later. */
static void names_every_rate_that_overlaps_another(void **state)
{
	static const char *const lines[] = {
			"callroute_rate id 11: prefix '4930' of deck 1 is already priced "
			"by id 10 at that time",
			"callroute_rate id 12: prefix '4930' of deck 1 is already priced "
			"by id 10 at that time",
			"callroute_rate id 14: prefix '4930' of deck 1 is already priced "
			"by id 13 at that time",
			"callroute_rate id 15: prefix '4930' of deck 1 is already priced "
			"by id 14 at that time",
	};
	struct callroute_builder *b = sound();

	(void)state;
	timed(b, 15, 5000, 0);
	timed(b, 14, 1000, 0);
	timed(b, 13, 1000, 2000);
	timed(b, 12, 500, 600);
	timed(b, 11, 10, 20);
	timed(b, 10, 0, 1000);
	expect_refusal(b, 4, lines);
	b = sound();
	timed(b, 10, 0, 1000); /* one behind the other is fine */
	timed(b, 11, 1000, 2000);
	timed(b, 12, 2000, 0);
	support_free(rows_image(b));
}

static void a_long_list_of_bad_rows_is_cut_and_says_so(void **state)
{
	(void)state;
	for(int bad = 19; bad <= 22; bad++) {
		struct callroute_builder *b = sound();
		char line[64];
		size_t used;

		for(int i = 0; i < bad; i++)
			rows_rate(b, 100 + i, 1, "x", 1);
		assert_int_equal(
				callroute_builder_write(b, NOW, line, 0, &used), -EBADMSG);
		assert_int_equal(said.count, bad <= 20 ? bad : 21);
		snprintf(line, sizeof line, "%s",
				bad <= 20 ? "" : "more bad rows follow; mend these first");
		if(bad > 20)
			assert_string_equal(said.line[20], line);
		callroute_builder_free(b);
	}
}

static void a_plan_takes_256_trunks_and_no_more(void **state)
{
	(void)state;
	for(int trunks = CALLROUTE_ENTRIES_MAX; trunks <= CALLROUTE_ENTRIES_MAX + 9;
			trunks += 9) {
		struct callroute_builder *b = rows_new(&said);
		struct callroute_answer a;
		struct callroute_image *im;

		rows_plan(b, 1, "out", "price", 8);
		rows_plan(b, 2, "small", "price", 8);
		for(int n = 1; n <= trunks; n++) {
			rows_deck(b, n);
			rows_trunk(b, n, "up");
			rows_rate(b, n, n, "4", 1000 - n);
			rows_entry(b, n, 1, n, n, 1, 1);
		}
		rows_entry(b, 1000, 2, 1, 1, 1, 1);
		if(trunks > CALLROUTE_ENTRIES_MAX) {
			expect_complaint(b, "callroute_plan id 1: more than 256 trunks");
			continue;
		}
		im = rows_image(b);
		a = rows_ask(im, "out", "4", 1);
		assert_int_equal(a.count, 8);
		for(int i = 0; i < 8; i++)
			rows_expect(&a, i, (uint32_t)(256 - i), 744 + i, 1);
		support_free(im);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(names_each_bad_column_of_a_trunk),
			cmocka_unit_test(names_texts_that_are_too_long),
			cmocka_unit_test(takes_every_sound_trunk),
			cmocka_unit_test(names_each_bad_column_of_a_rate),
			cmocka_unit_test(names_each_bad_column_of_the_rest),
			cmocka_unit_test(refuses_two_currencies_in_one_plan),
			cmocka_unit_test(names_what_stands_there_twice),
			cmocka_unit_test(names_every_rate_that_overlaps_another),
			cmocka_unit_test(a_long_list_of_bad_rows_is_cut_and_says_so),
			cmocka_unit_test(a_plan_takes_256_trunks_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

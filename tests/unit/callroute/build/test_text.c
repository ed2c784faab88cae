/*
 * The texts of routing: numbers, reply codes and what follows them, request URIs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

static const struct callroute_answer *ask_bytes(
		const struct callroute_image *im, const char *number, size_t len)
{
	struct callroute_question q = rows_question("p1", "");

	q.number = number;
	q.number_len = len;
	return rows_decide(im, &q);
}

static void tells_numbers_from_other_texts(void **state)
{
	static const char *const bad[] = {"49a", "a", "+49", "49 30", "49-30",
			"alice", "49\xff", "/", ":", "4930;x", "%2B49", ""};
	struct callroute_builder *b = rows_vendors(1);
	char digits[] = "444444444444444444444444444444444";
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "", 9);
	rows_price(b, 1, "4", 1);
	rows_price(b, 1, "*31#4", 2);
	rows_price(b, 1, "#", 3);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		rows_expect_none(
				rows_ask(im, bad[i]), CALLROUTE_NO_PREFIX, "not_a_number");
	rows_expect_none(ask_bytes(im,
							 "4\0"
							 "4",
							 3),
			CALLROUTE_NO_PREFIX, "not_a_number");
	rows_expect(ask_bytes(im, digits, CALLROUTE_NUMBER_MAX), 0, 1, 1, 1);
	rows_expect_none(ask_bytes(im, digits, CALLROUTE_NUMBER_MAX + 1),
			CALLROUTE_NO_PREFIX, "not_a_number");
	rows_expect(rows_ask(im, "*31#49"), 0, 1, 2, 5);
	rows_expect(rows_ask(im, "#0*"), 0, 1, 3, 1);
	rows_expect(rows_ask(im, "1"), 0, 1, 9, 0);
	support_free(im);
}

static void asks_a_plan_by_name_or_by_id(void **state)
{
	struct callroute_builder *b = rows_vendors(1);
	struct callroute_question q = rows_question("p2", "4");
	struct callroute_image *im;

	(void)state;
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	ADD(b, plan, 7);
	rows_enter(b, 1);
	im = rows_image(b);
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_DATA, "no_plan");
	q.plan = NULL;
	q.plan_id = 1;
	assert_int_equal(rows_decide(im, &q)->verdict, CALLROUTE_OK);
	assert_string_equal(rows_answer.plan, "p1");
	q.plan_id = 7; /* a plan without trunks */
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_PREFIX, "no_prefix");
	assert_int_equal(rows_answer.plan_id, 7);
	q.plan_id = 2;
	rows_expect_none(rows_decide(im, &q), CALLROUTE_NO_DATA, "no_plan");
	rows_expect_none(rows_decide(NULL, &q), CALLROUTE_NO_DATA, "no_data");
	support_free(im);
}

static void every_fate_has_a_word_of_its_own(void **state)
{
	(void)state;
	for(int i = 0; i < CALLROUTE_FATES; i++) {
		const char *word = callroute_fate_name((enum callroute_fate)i);

		assert_true(strlen(word) > 1);
		for(int j = 0; j < i; j++)
			assert_string_not_equal(
					word, callroute_fate_name((enum callroute_fate)j));
	}
	assert_string_equal(callroute_fate_name(CALLROUTE_FATES), "");
}

/* Which of 300 .. 699 are on, told in the fewest words for a failing test. */
static int count_on(const struct callroute_codes *codes)
{
	int n = 0;

	for(int code = 300; code <= 699; code++)
		n += callroute_has_code(codes, code);
	return n;
}

static void reads_failover_codes(void **state)
{
	struct callroute_codes codes;

	(void)state;
	assert_int_equal(callroute_parse_codes("5xx,408,!486", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 101);
	for(int code = 500; code <= 599; code++)
		assert_true(callroute_has_code(&codes, code));
	assert_true(callroute_has_code(&codes, 408));
	assert_false(callroute_has_code(&codes, 486));
	/* later words win */
	assert_int_equal(callroute_parse_codes("4xx,!486", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 99);
	assert_false(callroute_has_code(&codes, 486));
	assert_int_equal(callroute_parse_codes("!486,4xx", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 100);
	assert_int_equal(callroute_parse_codes("4xx !4xx 404", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 1);
	assert_int_equal(
			callroute_parse_codes(" , 300 ,, 699,3xx,6xx ", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 200);
	assert_int_equal(callroute_parse_codes("", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 0);
	assert_int_equal(callroute_parse_codes("3xx,4xx,5xx,6xx", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 400);
	/* outside of what can be a failure nothing is on, and nothing is read */
	static const int outside[] = {
			INT32_MIN, -1, 0, 100, 200, 299, 700, 701, 999, INT32_MAX};
	for(size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		assert_false(callroute_has_code(&codes, outside[i]));
}

static void names_the_failover_word_it_cannot_read(void **state)
{
	static const struct
	{
		const char *text, *word;
	} bad[] = {{"5xx,200", "200"}, {"299", "299"}, {"700", "700"}, {"4x", "4x"},
			{"4xxx", "4xxx"}, {"40", "40"}, {"4", "4"}, {"408,x", "x"},
			{"5xx,!", "!"}, {"5xx,!,4xx", "!,4xx"}, {"!!486", "!!486"},
			{"! 486", "! 486"}, {"4x8", "4x8"}, {"48x", "48x"},
			{"4080", "4080"}, {"408;486", "408;486"}, {"5XX", "5XX"},
			{"408,-486", "-486"}, {"\xff", "\xff"}};

	(void)state;
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct callroute_codes codes;
		const char *word = NULL;

		assert_int_equal(
				callroute_parse_codes(bad[i].text, &codes, &word), -EINVAL);
		assert_string_equal(word, bad[i].word);
		assert_int_equal(
				callroute_parse_codes(bad[i].text, &codes, NULL), -EINVAL);
	}
}

/* What each failover action makes of a reply that its codes list, of one that
 * they exclude, and of one they do not speak of. */
static void what_follows_a_failure_is_the_trunk_s_to_say(void **state)
{
	static const struct
	{
		enum callroute_failover_action action;
		enum callroute_follow listed, other;
	} cases[] = {
			{CALLROUTE_NEXT, CALLROUTE_FOLLOW_NEXT, CALLROUTE_FOLLOW_END},
			{CALLROUTE_OTHER_CARRIER, CALLROUTE_FOLLOW_OTHER_CARRIER,
					CALLROUTE_FOLLOW_END},
			{CALLROUTE_STOP, CALLROUTE_FOLLOW_END, CALLROUTE_FOLLOW_NEXT},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_trunk t = {.failover_action = cases[i].action};

		assert_int_equal(
				callroute_parse_codes("5xx,408,!503", &t.failover, NULL), 0);
		assert_int_equal(callroute_follows(&t, 500), cases[i].listed);
		assert_int_equal(callroute_follows(&t, 408), cases[i].listed);
		assert_int_equal(callroute_follows(&t, 503), cases[i].other);
		assert_int_equal(callroute_follows(&t, 486), cases[i].other);
		assert_int_equal(callroute_follows(&t, 603), cases[i].other);
	}
}

/* A trunk without a class: 5xx and 408 go on. And one with an action of its
 * own keeps it on its way through the image. */
static void a_trunk_has_the_class_that_its_row_names(void **state)
{
	struct callroute_builder *b = rows_new();
	const struct callroute_trunk *t;
	struct callroute_image *im;

	(void)state;
	assert_int_equal(
			callroute_add_failover(b, 3, "busy", "486", "other_carrier"), 0);
	ADD(b, carrier, 1);
	ADD(b, trunk, 1);
	ADD(b, trunk, 2, row.failover_id = 3);
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	t = callroute_find_trunk(im, 1);
	assert_int_equal(callroute_follows(t, 503), CALLROUTE_FOLLOW_NEXT);
	assert_int_equal(callroute_follows(t, 408), CALLROUTE_FOLLOW_NEXT);
	assert_int_equal(callroute_follows(t, 486), CALLROUTE_FOLLOW_END);
	t = callroute_find_trunk(im, 2);
	assert_int_equal(callroute_follows(t, 503), CALLROUTE_FOLLOW_END);
	assert_int_equal(callroute_follows(t, 486), CALLROUTE_FOLLOW_OTHER_CARRIER);
	support_free(im);
}

static void makes_the_request_uri(void **state)
{
	static const struct
	{
		const char *uri, *rewrite, *prefix, *number, *made;
		int strip;
	} cases[] = {
			{"sip:192.0.2.1", "", "", "4930", "sip:4930@192.0.2.1", 0},
			{"sip:192.0.2.1:5080;transport=tcp", "", "+", "4930",
					"sip:+4930@192.0.2.1:5080;transport=tcp", 0},
			{"sips:[2001:db8::1]:5061;lr", "", "00", "4930",
					"sips:0030@[2001:db8::1]:5061;lr", 2},
			{"sip:h", "", "0049", "4930", "sip:0049@h", 4},
			{"sip:h", "", "0049", "4930", "sip:0049@h", 32}, /* more than has */
			{"sip:h", "", "", "*31*0", "sip:*31*0@h", 0},
			/* rewritten, then stripped, then prefixed */
			{"sip:h", "49>0", "", "4930", "sip:030@h", 0},
			{"sip:h", "49>0", "9", "4930", "sip:930@h", 1},
			{"sip:h", "33>0,>00", "", "4930", "sip:004930@h", 0},
			{"sip:h", ">+", "", "4930", "sip:+4930@h", 0},
			/* '#' may not stand in a user part (RFC 3261, 25.1) */
			{"sip:h", "", "", "#31#0", "sip:%2331%230@h", 0},
			{"sip:h", "", "#", "*#1", "sip:%23%231@h", 1},
			{"sip:h", "1>#", "", "10", "sip:%230@h", 0},
	};
	const char *bad;

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_trunk t = {.strip = (uint8_t)cases[i].strip};
		size_t len = strlen(cases[i].number), wanted = strlen(cases[i].made);
		char out[400], room[400];

		strcpy(t.uri, cases[i].uri);
		strcpy(t.prefix, cases[i].prefix);
		assert_int_equal(
				callroute_rewrite_parse(cases[i].rewrite, &t.dst_rewrite, &bad),
				0);
		assert_int_equal(
				callroute_make_uri(&t, cases[i].number, len, out, sizeof out),
				wanted);
		assert_string_equal(out, cases[i].made);
		/* to the byte: the NUL has to fit, nothing is written behind */
		for(size_t size = 0; size <= wanted + 1; size++) {
			memset(room, 'x', sizeof room);
			assert_int_equal(
					callroute_make_uri(&t, cases[i].number, len, room, size),
					size > wanted ? (int)wanted : -ENOSPC);
			for(size_t n = size; n < sizeof room; n++)
				assert_int_equal(room[n], 'x');
		}
	}
}

/* "sip:@host" is no URI: such a trunk is passed over. */
static void a_number_of_which_nothing_is_left_makes_no_uri(void **state)
{
	struct callroute_trunk t = {.strip = 4, .uri = "sip:192.0.2.1"};
	char out[100];
	const char *bad;

	(void)state;
	assert_int_equal(
			callroute_make_uri(&t, "4930", 4, out, sizeof out), -EINVAL);
	assert_int_equal(
			callroute_make_uri(&t, "493", 3, out, sizeof out), -EINVAL);
	assert_int_equal(callroute_make_uri(&t, "49301", 5, out, sizeof out),
			strlen("sip:1@192.0.2.1"));
	/* "0" is rewritten to nothing */
	t.strip = 0;
	assert_int_equal(callroute_rewrite_parse("0>", &t.dst_rewrite, &bad), 0);
	assert_int_equal(callroute_make_uri(&t, "0", 1, out, sizeof out), -EINVAL);
	strcpy(t.uri, "nothing");
	assert_int_equal(
			callroute_make_uri(&t, "49301", 5, out, sizeof out), -EINVAL);
}

/* What the largest row and number make fits into the size that the header
 * names. */
static void the_longest_uri_has_room(void **state)
{
	struct callroute_trunk t = {.strip = 0};
	char number[CALLROUTE_NUMBER_MAX], out[CALLROUTE_REQUEST_URI_MAX];
	int len;
	const char *bad;

	(void)state;
	memset(number, '#', sizeof number);
	memset(t.prefix, '#', sizeof t.prefix - 1);
	assert_int_equal(
			callroute_rewrite_parse("#>################", &t.dst_rewrite, &bad),
			0);
	memset(t.uri, 'h', sizeof t.uri - 1);
	memcpy(t.uri, "sip:", 4);
	len = callroute_make_uri(&t, number, sizeof number, out, sizeof out);
	assert_int_equal(len, strlen(out));
	assert_true(len > 0 && (size_t)len < sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(tells_numbers_from_other_texts),
			rows_test(asks_a_plan_by_name_or_by_id),
			rows_test(every_fate_has_a_word_of_its_own),
			rows_test(reads_failover_codes),
			rows_test(names_the_failover_word_it_cannot_read),
			rows_test(what_follows_a_failure_is_the_trunk_s_to_say),
			rows_test(a_trunk_has_the_class_that_its_row_names),
			rows_test(makes_the_request_uri),
			rows_test(a_number_of_which_nothing_is_left_makes_no_uri),
			rows_test(the_longest_uri_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The texts of routing: numbers, plan names, failover codes, request URIs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_rows.h"

static struct complaints said;

/* One plan, "out", with one trunk. */
static struct callroute_builder *one_trunk(void)
{
	struct callroute_builder *b = rows_new(&said);

	rows_plan(b, 1, "out", "price", 8);
	rows_deck(b, 1);
	rows_trunk(b, 1, "up");
	return b;
}

static struct callroute_answer ask_bytes(const struct callroute_image *im,
		const char *plan, size_t plan_len, const char *number, size_t len)
{
	struct callroute_question q = {.plan = plan,
			.plan_len = plan_len,
			.number = number,
			.number_len = len,
			.now = NOW};
	struct callroute_answer a;

	callroute_decide(im, &q, &a);
	return a;
}

static void tells_numbers_from_other_texts(void **state)
{
	static const char *const bad[] = {"49a", "a", "+49", "49 30", "49-30",
			"alice", "49\xff", "/", ":", "4930;x", "%2B49"};
	struct callroute_builder *b = one_trunk();
	char digits[] = "444444444444444444444444444444444";
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	rows_entry(b, 1, 1, 1, 1, 0, 1);
	rows_rate(b, 1, 1, "", 9);
	rows_rate(b, 2, 1, "4", 1);
	rows_rate(b, 3, 1, "*31#4", 2);
	rows_rate(b, 4, 1, "#", 3);
	im = rows_image(b);
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		a = rows_ask(im, "out", bad[i], 1);
		rows_expect_none(&a, CALLROUTE_NO_PREFIX, "not_a_number");
	}
	a = ask_bytes(im, "out", 3, "", 0);
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "not_a_number");
	a = ask_bytes(im, "out", 3,
			"4\0"
			"4",
			3);
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "not_a_number");
	a = ask_bytes(im, "out", 3, digits, CALLROUTE_NUMBER_MAX);
	rows_expect(&a, 0, 1, 1, 1);
	a = ask_bytes(im, "out", 3, digits, CALLROUTE_NUMBER_MAX + 1);
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "not_a_number");
	a = rows_ask(im, "out", "*31#49", 1);
	rows_expect(&a, 0, 1, 2, 5);
	a = rows_ask(im, "out", "#0*", 1);
	rows_expect(&a, 0, 1, 3, 1);
	support_free(im);
}

static void knows_its_plans_by_their_whole_names(void **state)
{
	static const char *const names[] = {"a", "out", "outer", "out-b", "z"};
	char longest[CALLROUTE_NAME_MAX];
	struct callroute_builder *b = one_trunk();
	struct callroute_image *im;
	struct callroute_answer a;

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	for(int i = 0; i < 5; i++) {
		if(i != 1) /* it is there already */
			rows_plan(b, 10 + i, names[i], "price", 8);
	}
	rows_plan(b, 20, longest, "price", 8);
	rows_rate(b, 1, 1, "4", 1);
	rows_entry(b, 1, 1, 1, 1, 0, 1);
	rows_entry(b, 2, 12, 1, 1, 0, 1);
	rows_entry(b, 3, 20, 1, 1, 0, 1);
	im = rows_image(b);
	a = rows_ask(im, "out", "4", 1);
	assert_int_equal(a.verdict, CALLROUTE_OK);
	a = rows_ask(im, "outer", "4", 1);
	assert_int_equal(a.verdict, CALLROUTE_OK);
	a = rows_ask(im, longest, "4", 1);
	assert_int_equal(a.verdict, CALLROUTE_OK);
	a = rows_ask(im, "z", "4", 1); /* a plan without trunks */
	rows_expect_none(&a, CALLROUTE_NO_PREFIX, "no_prefix");
	a = rows_ask(im, "ou", "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = rows_ask(im, "oute", "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = ask_bytes(im, "", 0, "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = ask_bytes(im, "out\0er", 6, "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = ask_bytes(im, "out\0", 4, "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = ask_bytes(im, longest, sizeof longest, "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_plan");
	a = rows_ask(NULL, "out", "4", 1);
	rows_expect_none(&a, CALLROUTE_NO_DATA, "no_data");
	support_free(im);
}

static void finds_trunks_by_id(void **state)
{
	struct callroute_builder *b = one_trunk();
	struct callroute_image *im;

	(void)state;
	rows_entry(b, 1, 1, 1, 1, 0, 1);
	rows_rate(b, 1, 1, "4", 1);
	for(int n = 5; n <= 50; n += 5)
		rows_trunk(b, n, "drain");
	rows_trunk(b, UINT32_MAX, "down");
	im = rows_image(b);
	for(uint32_t n = 0; n <= 55; n++) {
		const struct callroute_trunk *t = callroute_find_trunk(im, n);

		assert_int_equal(t != NULL, n == 1 || (n > 0 && n <= 50 && n % 5 == 0));
		if(t != NULL)
			assert_int_equal(t->id, n);
	}
	assert_int_equal(
			callroute_find_trunk(im, UINT32_MAX)->state, CALLROUTE_DOWN);
	support_free(im);
}


/* Which of 300 .. 699 are on, told in the fewest words for a failing test. */
static int count_on(const struct callroute_codes *codes)
{
	int n = 0;

	for(int code = 300; code <= 699; code++)
		n += callroute_fails_over(codes, code);
	return n;
}

static void reads_failover_codes(void **state)
{
	struct callroute_codes codes;

	(void)state;
	assert_int_equal(callroute_parse_codes("5xx,408,!486", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 101);
	for(int code = 500; code <= 599; code++)
		assert_true(callroute_fails_over(&codes, code));
	assert_true(callroute_fails_over(&codes, 408));
	assert_false(callroute_fails_over(&codes, 486));
	/* later words win */
	assert_int_equal(callroute_parse_codes("4xx,!486", &codes, NULL), 0);
	assert_int_equal(count_on(&codes), 99);
	assert_false(callroute_fails_over(&codes, 486));
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
		assert_false(callroute_fails_over(&codes, outside[i]));
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

static void makes_the_request_uri(void **state)
{
	static const struct
	{
		const char *uri, *prefix, *number, *made;
		int strip;
	} cases[] = {
			{"sip:192.0.2.1", "", "4930", "sip:4930@192.0.2.1", 0},
			{"sip:192.0.2.1:5080;transport=tcp", "+", "4930",
					"sip:+4930@192.0.2.1:5080;transport=tcp", 0},
			{"sips:[2001:db8::1]:5061;lr", "00", "4930",
					"sips:0030@[2001:db8::1]:5061;lr", 2},
			{"sip:h", "0049", "4930", "sip:0049@h", 4},
			{"sip:h", "0049", "4930", "sip:0049@h", 32}, /* more than it has */
			{"sip:h", "", "*31*0", "sip:*31*0@h", 0},
			/* '#' may not stand in a user part (RFC 3261, 25.1) */
			{"sip:h", "", "#31#0", "sip:%2331%230@h", 0},
			{"sip:h", "#", "*#1", "sip:%23%231@h", 1},
	};

	(void)state;
	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct callroute_trunk t = {.strip = (uint8_t)cases[i].strip};
		size_t len = strlen(cases[i].number), wanted = strlen(cases[i].made);
		char out[400], room[400];

		strcpy(t.uri, cases[i].uri);
		strcpy(t.prefix, cases[i].prefix);
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
			for(size_t j = size; j < sizeof room; j++)
				assert_int_equal(room[j], 'x');
		}
	}
}

/* "sip:@host" is no URI: such a trunk is passed over. */
static void a_number_of_which_nothing_is_left_makes_no_uri(void **state)
{
	struct callroute_trunk t = {.strip = 4, .uri = "sip:192.0.2.1"};
	char out[100];

	(void)state;
	assert_int_equal(
			callroute_make_uri(&t, "4930", 4, out, sizeof out), -EINVAL);
	assert_int_equal(
			callroute_make_uri(&t, "493", 3, out, sizeof out), -EINVAL);
	assert_int_equal(callroute_make_uri(&t, "49301", 5, out, sizeof out),
			strlen("sip:1@192.0.2.1"));
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

	(void)state;
	memset(number, '#', sizeof number);
	memset(t.prefix, '#', sizeof t.prefix - 1);
	memset(t.uri, 'h', sizeof t.uri - 1);
	memcpy(t.uri, "sip:", 4);
	len = callroute_make_uri(&t, number, sizeof number, out, sizeof out);
	assert_int_equal(len, strlen(out));
	assert_true(len > 0 && (size_t)len < sizeof out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(tells_numbers_from_other_texts),
			cmocka_unit_test(knows_its_plans_by_their_whole_names),
			cmocka_unit_test(finds_trunks_by_id),
			cmocka_unit_test(reads_failover_codes),
			cmocka_unit_test(names_the_failover_word_it_cannot_read),
			cmocka_unit_test(makes_the_request_uri),
			cmocka_unit_test(a_number_of_which_nothing_is_left_makes_no_uri),
			cmocka_unit_test(the_longest_uri_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

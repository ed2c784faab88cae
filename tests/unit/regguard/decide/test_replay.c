/*
 * A digest answer that was seen on the wire: of no use to anybody else, and its
 * owner may repeat it where the standard lets him.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/regguard/rig.h"

/* The first use, by the owner; `with_cnonce` as qop makes it. */
static struct regguard_request answered(int with_cnonce)
{
	struct regguard_request r = request(OFFICE, &desk);

	r.response = 777;
	r.unique = with_cnonce;
	assert_int_equal(judge(&r), REGGUARD_ALLOW);
	return r;
}

static void expect_replay(const struct regguard_request *r)
{
	judge(r);
	expect(REGGUARD_DENY, "replay");
	assert_true(a.deterministic);
	assert_int_equal(a.score, 100);
	regguard_judge_used_nonce(&t, r, now, &a);
	expect(REGGUARD_DENY, "replay");
	assert_true(a.deterministic);
}

static void expect_no_replay(const struct regguard_request *r)
{
	judge(r);
	assert_int_equal(a.reasons & REGGUARD_REPLAY, 0);
	assert_true(a.verdict > 0);
	regguard_judge_used_nonce(&t, r, now, &a);
	expect(REGGUARD_ALLOW, "");
}

static void a_sniffed_answer_is_of_no_use_elsewhere(void **state)
{
	struct regguard_request first = answered(0), r;

	(void)state;
	learn_alice(); /* takes days; so answered again */
	first = answered(0);
	/* another Contact */
	r = request(FOREIGN, &desk);
	r.response = first.response;
	r.contact = 666;
	expect_replay(&r);
	/* the very bytes: no client uses a branch in two networks */
	r = request(FOREIGN, &desk);
	r.response = first.response;
	r.contact = first.contact;
	r.branch = first.branch;
	expect_replay(&r);
	/* her Contact, but to remove it */
	r = request(FOREIGN, &desk);
	r.response = first.response;
	r.contact = first.contact;
	r.removes = 1;
	expect_replay(&r);
	/* the first one stays the first, however often it was tried */
	expect_no_replay(&first);
	/* and what was answered long ago is forgotten: nonces do not live so long */
	now += 600 * SEC;
	r = request(FOREIGN, &desk);
	r.response = first.response;
	r.contact = 666;
	regguard_judge_used_nonce(&t, &r, now, &a);
	expect(REGGUARD_ALLOW, "");
}

/* With qop no answer comes twice, unless it is copied: not even with the same
 * Contact, behind which a NAT would bind the thief's address. */
static void an_answer_with_a_cnonce_comes_once(void **state)
{
	struct regguard_request first = answered(1), r = request(FOREIGN, &desk);

	(void)state;
	r.response = first.response;
	r.contact = first.contact;
	r.unique = 1;
	expect_replay(&r);
	r = request("192.0.2.99", &desk); /* a NAT's other address */
	r.response = first.response;
	r.contact = first.contact;
	r.unique = 1;
	expect_no_replay(&r);
}

static void a_client_without_qop_may_repeat_itself(void **state)
{
	struct regguard_request first = answered(0), r;

	(void)state;
	for(int i = 0; i < 20; i++) { /* from where it is, whatever else changes */
		r = request(i % 2 ? OFFICE : "192.0.2.77", &desk);
		r.response = first.response;
		r.contact = 1000 + (uint64_t)i;
		r.removes = i % 3 == 0;
		expect_no_replay(&r);
		now += 20 * SEC;
	}
	r = request(HOME, &desk); /* moved, with the same Contact behind NAT */
	r.response = first.response;
	r.contact = first.contact;
	expect_no_replay(&r);
	judge(&r);
	assert_true(a.repeated); /* a thief would look the same: teaches nothing */
	/* two phones of one account that met the same nonce */
	save(HOME, &soft);
	r = request(HOME, &soft);
	r.response = first.response;
	r.contact = 4711;
	expect_no_replay(&r);
	/* no credentials at all: nothing to compare */
	first = request(OFFICE, &desk);
	assert_true(judge(&first) > 0);
	r = request(FOREIGN, &desk);
	r.contact = 666;
	r.branch = first.branch;
	expect_no_replay(&r);
}

static void a_used_nonce_is_looked_at_and_not_remembered(void **state)
{
	struct regguard_request r = request(FOREIGN, &tool), owner;

	(void)state;
	r.response = 888;
	regguard_judge_used_nonce(&t, &r, now, &a);
	expect(REGGUARD_ALLOW, "");
	/* so a thief who guesses cannot make the owner look like a replay */
	owner = request(OFFICE, &desk);
	owner.response = 888;
	expect_no_replay(&owner);
}

static void a_full_table_of_answers_denies_nobody(void **state)
{
	(void)state;
	for(uint64_t i = 1; i <= 5000; i++) {
		struct regguard_request r =
				request(i % 2 ? OFFICE : FOREIGN, i % 2 ? &desk : &soft);

		r.response = 100000 + i;
		r.aor_id = i;
		assert_int_equal(judge(&r), REGGUARD_ALLOW);
	}
}

static void writes_reasons_into_any_room(void **state)
{
	const char whole[] = "replay,foreign_removal,new_device,new_network,"
						 "owner_alive,learning,copied_instance";
	char text[sizeof whole + 8];

	(void)state;
	for(size_t size = 1; size <= sizeof text; size++) {
		memset(text, 'x', sizeof text);
		regguard_reason_text((1u << REGGUARD_REASONS) - 1, text, (int)size);
		assert_true(strlen(text) < size);
		assert_int_equal(strncmp(text, whole, strlen(text)), 0);
		for(size_t i = size; i < sizeof text; i++)
			assert_int_equal(text[i], 'x');
	}
	assert_string_equal(text, whole);
	regguard_reason_text(0, text, sizeof text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(a_sniffed_answer_is_of_no_use_elsewhere),
			TEST(an_answer_with_a_cnonce_comes_once),
			TEST(a_client_without_qop_may_repeat_itself),
			TEST(a_used_nonce_is_looked_at_and_not_remembered),
			TEST(a_full_table_of_answers_denies_nobody),
			cmocka_unit_test(writes_reasons_into_any_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Which trunk an address is: from where a request came, by the trunks' URIs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/rows.h"

#include <arpa/inet.h>

/* Id of the trunk there, 0 = none. */
static uint32_t at(
		const struct callroute_image *im, const char *addr, uint32_t port)
{
	const struct callroute_trunk *t;
	uint8_t bytes[16] = {0};

	if(inet_pton(AF_INET, addr, bytes + 12) == 1)
		bytes[10] = bytes[11] = 0xff;
	else
		assert_int_equal(inet_pton(AF_INET6, addr, bytes), 1);
	t = callroute_find_trunk_at(im, bytes, port);
	return t ? t->id : 0;
}

static void a_trunk_is_known_by_its_address_and_port(void **state)
{
	static const char *const uris[] = {"sip:192.0.2.1:5070",
			"sip:192.0.2.1:5080;transport=tcp", "sips:[2001:db8::1]:5061;lr",
			"sip:gw.example.com", "sip:192.0.2.9", "sip:[2001:DB8:0::2]"};
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1);
	for(int n = 0; n < 6; n++)
		ADD(b, trunk, n + 1, row.uri = uris[n]);
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	assert_int_equal(at(im, "192.0.2.1", 5070), 1);
	assert_int_equal(at(im, "192.0.2.1", 5080), 2);
	/* from another port: whoever is there first */
	assert_int_equal(at(im, "192.0.2.1", 49152), 1);
	assert_int_equal(at(im, "::ffff:192.0.2.1", 5080), 2);
	assert_int_equal(at(im, "2001:db8::1", 5061), 3);
	assert_int_equal(at(im, "192.0.2.9", 5060), 5);
	assert_int_equal(at(im, "192.0.2.9", 1), 5);
	assert_int_equal(at(im, "2001:db8::2", 5060), 6);
	assert_int_equal(at(im, "192.0.2.2", 5060), 0);
	assert_int_equal(at(im, "::", 0), 0);
	support_free(im);
}

/* Several trunks on one address and port, as with carriers behind one SBC: the
 * lowest id, however often it is asked; a reload must not make it another. */
static void of_trunks_at_one_place_the_first_is_meant(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1);
	ADD(b, trunk, 1, row.uri = "sip:192.0.2.1:5060");
	for(int n = 2; n <= 5; n++)
		ADD(b, trunk, n, row.uri = "sip:192.0.2.1:5070");
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	assert_int_equal(at(im, "192.0.2.1", 5070), 2);
	assert_int_equal(at(im, "192.0.2.1", 5060), 1);
	assert_int_equal(at(im, "192.0.2.1", 5080), 1);
	support_free(im);
}

/* Only names: nothing is resolved, and nobody is found. */
static void a_trunk_behind_a_name_has_no_address(void **state)
{
	struct callroute_builder *b = rows_new();
	struct callroute_image *im;

	(void)state;
	ADD(b, carrier, 1);
	ADD(b, trunk, 1, row.uri = "sip:localhost");
	ADD(b, deck, 1);
	rows_price(b, 1, "4", 1);
	ADD(b, plan, 1);
	rows_enter(b, 1);
	im = rows_image(b);
	assert_int_equal(at(im, "127.0.0.1", 5060), 0);
	assert_int_equal(at(im, "::1", 5060), 0);
	support_free(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rows_test(a_trunk_is_known_by_its_address_and_port),
			rows_test(of_trunks_at_one_place_the_first_is_meant),
			rows_test(a_trunk_behind_a_name_has_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What a profile keeps, whom it takes for the same device, and what gives way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "regguard/regguard.h"

#include <string.h>

#define SEC UINT64_C(1000000)
#define NOW (1000000 * SEC)
#define IPHONE UINT64_C(0xabcdef)

static struct regguard_network network(uint8_t n)
{
	const uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, 10, n, 1, 99};

	return regguard_network_of(addr);
}

/* Whether a client is taken for one that is known. */
static int is_known(struct regguard_device known, struct regguard_device client)
{
	struct regguard_profile p = {.aor = ""};
	struct regguard_network n = network(1);

	regguard_learn(&p, &known, &n, NOW);
	return regguard_find_device(&p, &client) == &p.devices[0];
}

static void an_upgraded_telephone_is_still_the_same(void **state)
{
	const struct regguard_device phone = {1, 2, 3, 4, 0},
								 named = {1, 2, 3, 4, IPHONE};
	struct regguard_device d = phone;

	(void)state;
	assert_true(is_known(phone, phone));
	/* the agent is hashed without its version; a header more or less */
	d.headers = 99;
	assert_true(is_known(phone, d));
	d = phone;
	d.caps = 99;
	assert_true(is_known(phone, d));
	d = phone;
	d.shape = 99;
	assert_true(is_known(phone, d));
	/* with an instance to vouch for it, a little less will do */
	d = named;
	d.headers = d.shape = 99;
	assert_true(is_known(named, d));
	d.headers = named.headers;
	d.caps = 99;
	assert_true(is_known(named, d));
	/* the upgrade brought the instance; none takes it away, a copier may */
	assert_true(is_known(phone, named));
	assert_false(is_known(named, phone));
}

static void a_clone_of_the_name_is_another_device(void **state)
{
	const struct regguard_device phone = {1, 2, 3, 4, 0},
								 named = {1, 2, 3, 4, IPHONE};
	struct regguard_device thief = {1, 92, 93, 94, 0};

	(void)state;
	assert_false(is_known(phone, thief));
	thief.shape = phone.shape;
	assert_false(is_known(phone, thief));
	/* name and instance copied */
	thief = (struct regguard_device){1, 92, 93, 94, IPHONE};
	assert_false(is_known(named, thief));
	thief.shape = named.shape;
	assert_false(is_known(named, thief));
	/* all but the name: the same library under another program */
	thief = named;
	thief.agent = 91;
	assert_false(is_known(named, thief));
	thief = phone;
	thief.agent = 91;
	assert_false(is_known(phone, thief));
	/* the same model with an instance of its own */
	thief = named;
	thief.instance = IPHONE + 1;
	assert_false(is_known(named, thief));
}

static void of_two_alike_the_nearer_one_is_meant(void **state)
{
	const struct regguard_device one = {1, 2, 3, 4, 51}, two = {1, 2, 3, 4, 52};
	struct regguard_profile p = {.aor = ""};
	struct regguard_network n = network(1);

	(void)state;
	assert_ptr_equal(regguard_learn(&p, &one, &n, NOW), &p.devices[0]);
	assert_ptr_equal(regguard_learn(&p, &two, &n, NOW), &p.devices[1]);
	assert_ptr_equal(regguard_find_device(&p, &two), &p.devices[1]);
	assert_ptr_equal(regguard_find_device(&p, &one), &p.devices[0]);
}

static struct regguard_device device(uint32_t n)
{
	return (struct regguard_device){n, n + 1000, n + 2000, n + 3000, 0};
}

static void keeps_the_eight_seen_last(void **state)
{
	struct regguard_profile p = {.aor = ""};
	struct regguard_network n;
	struct regguard_device d;

	(void)state;
	for(uint8_t i = 1; i <= 8; i++) {
		d = device(i);
		n = network(i);
		regguard_learn(&p, &d, &n, NOW + i * SEC)->live_until = UINT64_MAX;
	}
	d = device(1);
	n = network(1);
	regguard_learn(&p, &d, &n, NOW + 20 * SEC); /* the oldest is seen again */
	d = device(9);
	n = network(9);
	regguard_learn(&p, &d, &n, NOW + 21 * SEC);
	for(uint8_t i = 1; i <= 9; i++) {
		d = device(i);
		n = network(i);
		assert_int_equal(regguard_find_device(&p, &d) != NULL, i != 2);
		assert_int_equal(regguard_find_network(&p, &n) != NULL, i != 2);
	}
	/* whoever comes in takes over no binding of who went */
	d = device(9);
	assert_int_equal(regguard_find_device(&p, &d)->live_until, 0);
	assert_int_equal(p.accepted, 10);
	assert_int_equal(p.first_seen, (NOW + SEC) / SEC);
	/* a device may change networks, a network its devices: no new places */
	d = device(5);
	n = network(7);
	regguard_learn(&p, &d, &n, NOW + 30 * SEC);
	for(uint8_t i = 1; i <= 9; i++) {
		d = device(i);
		n = network(i);
		assert_int_equal(regguard_find_device(&p, &d) != NULL, i != 2);
		assert_int_equal(regguard_find_network(&p, &n) != NULL, i != 2);
	}
}

static void networks_are_a_24_or_a_64(void **state)
{
	uint8_t one[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}, two[16];
	struct regguard_network a, b;

	(void)state;
	for(int byte = 0; byte < 16; byte++) {
		memcpy(two, one, sizeof two);
		two[byte] ^= 1;
		a = regguard_network_of(one);
		b = regguard_network_of(two);
		/* 10 and 11 make another family of it */
		assert_int_equal(memcmp(&a, &b, sizeof a) == 0, byte == 15);
	}
	memset(one, 0x20, sizeof one);
	for(int byte = 0; byte < 16; byte++) {
		memcpy(two, one, sizeof two);
		two[byte] ^= 1;
		a = regguard_network_of(one);
		b = regguard_network_of(two);
		assert_int_equal(memcmp(&a, &b, sizeof a) == 0, byte >= 8);
	}
}

static void the_owner_is_alive_to_the_microsecond(void **state)
{
	struct regguard_profile p = {.aor = ""};
	struct regguard_device d = device(1);
	struct regguard_network n = network(1);

	(void)state;
	assert_false(regguard_owner_is_alive(&p, 0));
	regguard_learn(&p, &d, &n, NOW)->live_until = NOW + 10;
	assert_true(regguard_owner_is_alive(&p, NOW + 9));
	assert_false(regguard_owner_is_alive(&p, NOW + 10));
}

/* The first second of a machine's life is a time like any other. */
static void learns_at_time_zero(void **state)
{
	struct regguard_profile p = {.aor = ""};
	struct regguard_device d = device(1);
	struct regguard_network n = network(1);

	(void)state;
	regguard_learn(&p, &d, &n, 0);
	assert_non_null(regguard_find_device(&p, &d));
	assert_non_null(regguard_find_network(&p, &n));
}

static void keeps_to_its_budget(void **state)
{
	(void)state;
	assert_in_range(sizeof(struct regguard_profile), 1, 700);
}

/* --- a copied instance ------------------------------------------------------ */

static struct regguard_tables t;
static struct regguard_settings settings = {
		.profile_sec = 86400, .learn_registrations = 2};

static struct regguard_request request(
		uint8_t net, struct regguard_device d, uint64_t callid)
{
	return (struct regguard_request){.aor_id = 7,
			.addr = {[10] = 0xff, [11] = 0xff, 10, net, 1, 1},
			.device = d,
			.callid = callid};
}

static uint32_t judge(uint8_t net, struct regguard_device d, uint64_t callid,
		uint64_t now, int verdict)
{
	struct regguard_request r = request(net, d, callid);
	struct regguard_answer a;

	regguard_judge(&t, &settings, &r, now, &a);
	assert_int_equal(a.verdict, verdict);
	assert_false(a.deterministic);
	return a.reasons;
}

/* Everything is copied, but the telephone itself keeps its Call-ID while it
 * runs: so a new one from elsewhere, while its binding lives, is another's. */
static void a_copied_instance_from_elsewhere_is_put_aside(void **state)
{
	struct tg_store_config cfg = {64, sizeof(struct regguard_profile)},
						   answers = {64, sizeof(struct regguard_answered)};
	size_t n = tg_store_size(&cfg);
	struct regguard_device owner = {1, 2, 3, 4, IPHONE}, d = owner;
	struct regguard_request r = request(1, owner, 1000);

	(void)state;
	assert_int_equal(tg_store_init(support_memory(n), n, &cfg, &t.profiles), 0);
	n = tg_store_size(&answers);
	assert_int_equal(
			tg_store_init(support_memory(n), n, &answers, &t.answered), 0);
	assert_int_equal(regguard_commit(&t, &settings, &r, 5, 60 * SEC, NOW), 0);
	/* while learning it is only told */
	assert_true(judge(66, owner, 2000, NOW, REGGUARD_NOTIFY)
				& REGGUARD_COPIED_INSTANCE);
	assert_int_equal(regguard_commit(&t, &settings, &r, 5, 60 * SEC, NOW), 0);
	assert_true(judge(66, owner, 2000, NOW, REGGUARD_QUARANTINE)
				& REGGUARD_COPIED_INSTANCE);
	/* the telephone on the move, and after a restart at home */
	judge(66, owner, 1000, NOW, REGGUARD_ALLOW);
	judge(1, owner, 2000, NOW, REGGUARD_ALLOW);
	/* a clone that is not good enough is a stranger in both */
	d.agent = 91;
	assert_int_equal(judge(66, d, 1000, NOW, REGGUARD_QUARANTINE),
			REGGUARD_NEW_DEVICE | REGGUARD_NEW_NETWORK | REGGUARD_OWNER_ALIVE);
	/* who leaves the instance out is a stranger in both, too */
	d = owner;
	d.instance = 0;
	judge(66, d, 2000, NOW, REGGUARD_QUARANTINE);
	/* and with her binding at an end she may be anywhere with anything */
	judge(66, owner, 2000, NOW + 60 * SEC, REGGUARD_ALLOW);
	support_free(t.profiles);
	support_free(t.answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(an_upgraded_telephone_is_still_the_same),
			cmocka_unit_test(a_clone_of_the_name_is_another_device),
			cmocka_unit_test(of_two_alike_the_nearer_one_is_meant),
			cmocka_unit_test(keeps_the_eight_seen_last),
			cmocka_unit_test(networks_are_a_24_or_a_64),
			cmocka_unit_test(the_owner_is_alive_to_the_microsecond),
			cmocka_unit_test(learns_at_time_zero),
			cmocka_unit_test(keeps_to_its_budget),
			cmocka_unit_test(a_copied_instance_from_elsewhere_is_put_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

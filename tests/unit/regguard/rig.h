/*
 * What the regguard tests share: an AoR, her telephones, a thief's tool, and
 * questions with the time handed in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_REGGUARD_RIG_H
#define TESTS_UNIT_REGGUARD_RIG_H

#include "unit/support.h"

#include "regguard/regguard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEC UINT64_C(1000000)
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)

#define OFFICE "192.0.2.10"
#define HOME "198.51.100.20"
#define FOREIGN "203.0.113.66"

static struct regguard_tables t;
static uint64_t now;
static struct regguard_answer a;

static const struct regguard_settings settings = {.learn_sec = 7 * 86400,
		.learn_registrations = 10,
		.profile_sec = 30 * 86400,
		.answered_sec = 600};

/* A desk phone, a softphone, and what a thief uses. */
static const struct regguard_device desk = {1, 2, 3, 4, 0},
									soft = {11, 12, 13, 14, 0},
									tool = {21, 22, 23, 24, 0};

static inline int open_tables(void **state)
{
	struct tg_store_config profiles = {64, sizeof(struct regguard_profile)};
	struct tg_store_config answered = {64, sizeof(struct regguard_answered)};
	size_t n = tg_store_size(&profiles);

	(void)state;
	t.key = (struct tg_hashkey){3, 4};
	assert_int_equal(
			tg_store_init(support_memory(n), n, &profiles, &t.profiles), 0);
	n = tg_store_size(&answered);
	assert_int_equal(
			tg_store_init(support_memory(n), n, &answered, &t.answered), 0);
	now = 1000 * DAY;
	return 0;
}

static inline int close_tables(void **state)
{
	(void)state;
	support_free(t.profiles);
	support_free(t.answered);
	return 0;
}

/* --- asking ---------------------------------------------------------------- */

static inline struct regguard_request request(
		const char *address, const struct regguard_device *device)
{
	struct regguard_request r = {.aor = "alice@example.com",
			.device = *device,
			.contact = 100 + device->agent};
	uint8_t *v4 = r.addr + 12;
	static uint64_t branch = 5000;

	r.aor_id = regguard_aor_id(&t, r.aor, strlen(r.aor));
	r.branch = branch++;
	if(inet_pton(AF_INET6, address, r.addr) != 1) {
		assert_int_equal(inet_pton(AF_INET, address, v4), 1);
		r.addr[10] = r.addr[11] = 0xff;
	}
	return r;
}

static inline int judge(const struct regguard_request *r)
{
	memset(&a, 0xa5, sizeof a);
	regguard_judge(&t, &settings, r, now, &a);
	return a.verdict;
}

static inline int ask(const char *address, const struct regguard_device *device)
{
	struct regguard_request r = request(address, device);

	return judge(&r);
}

/* The binding of a device lasts an hour. */
static inline void save(
		const char *address, const struct regguard_device *device)
{
	struct regguard_request r = request(address, device);

	assert_int_equal(
			regguard_commit(&t, &settings, &r, r.contact, HOUR, now), 0);
}

static inline int gone(const struct regguard_device *device)
{
	struct regguard_request r = request(OFFICE, device);

	return regguard_binding_gone(&t, &settings, r.aor_id, r.contact, now);
}

/* Alice's desk phone at the office for nine days, twice a day; alive. */
static inline void learn_alice(void)
{
	for(int i = 0; i < 18; i++) {
		save(OFFICE, &desk);
		now += DAY / 2;
	}
	save(OFFICE, &desk);
}

static inline int has_profile(struct regguard_profile *out)
{
	return tg_store_get(t.profiles,
				   regguard_aor_id(&t, "alice@example.com", 17), now, out)
		   == 0;
}

static inline void expect(int verdict, const char *reasons)
{
	char text[128];

	regguard_reason_text(a.reasons, text, sizeof text);
	assert_string_equal(text, reasons);
	assert_int_equal(a.verdict, verdict);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_tables, close_tables)

#endif

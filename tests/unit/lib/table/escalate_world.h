/*
 * Prefix escalation as its tests see it: a table, addresses, a report that must
 * succeed. Header only, because the test binaries link no other common source
 * than support.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_ESCALATE_WORLD_H
#define TESTS_UNIT_ESCALATE_WORLD_H

#include "unit/support.h"
#include "unit/random.h"

#include "lib/table/escalate.h"

#include <string.h>

#define MS UINT64_C(1000)
#define WINDOW (600000 * MS)
#define NOW (UINT64_C(5000000000) * MS) /* beyond 32 bits of milliseconds */
#define V4 TG_ESCALATE_V4_24
#define V6 TG_ESCALATE_V6_64
#define V48 TG_ESCALATE_V6_48
#define MILLION 1000000

static const struct tg_escalate_config plain = {
		.records = 4096,
		.threshold = {8, 8, 16},
		.window_us = WINDOW,
		.key = {21, 22},
};

static inline struct tg_escalate *escalate(const struct tg_escalate_config *cfg)
{
	size_t size = tg_escalate_size(cfg);
	struct tg_escalate *e = NULL;

	assert_true(size > 0);
	assert_int_equal(tg_escalate_init(support_memory(size), size, cfg, &e), 0);
	return e;
}

static inline const uint8_t *v4(uint32_t a)
{
	static uint8_t out[16] = {[10] = 0xff, [11] = 0xff};

	out[12] = (uint8_t)(a >> 24);
	out[13] = (uint8_t)(a >> 16);
	out[14] = (uint8_t)(a >> 8);
	out[15] = (uint8_t)a;
	return out;
}

/* 2001:db8:site:net::, an interface that looks random */
static inline const uint8_t *v6(uint16_t site, uint16_t net, uint64_t host)
{
	static uint8_t out[16] = {0x20, 0x01, 0x0d, 0xb8};
	uint64_t seed = host, interface = random_next(&seed);

	out[4] = (uint8_t)(site >> 8);
	out[5] = (uint8_t)site;
	out[6] = (uint8_t)(net >> 8);
	out[7] = (uint8_t)net;
	memcpy(out + 8, &interface, 8);
	return out;
}

static inline struct tg_escalation report(
		struct tg_escalate *e, const uint8_t *address, uint64_t now)
{
	struct tg_escalation got;

	assert_int_equal(tg_escalate_report(e, address, now, &got), 0);
	return got;
}

static inline struct tg_escalation peek(
		struct tg_escalate *e, const uint8_t *address, uint64_t now)
{
	struct tg_escalation got;

	assert_int_equal(tg_escalate_peek(e, address, now, &got), 0);
	assert_int_equal(got.rose, 0);
	return got;
}

#endif

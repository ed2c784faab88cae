/*
 * The whole live state under threads that share everything, for ThreadSanitizer
 * (which sees no race between processes); exact totals in any build.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/callroute/live_rig.h"

#include "callroute/live/breaker.h"
#include "callroute/live/capacity.h"
#include "callroute/live/health.h"
#include "callroute/live/quality.h"

#include <pthread.h>

enum
{
	THREADS = 4,
	TURNS = 5000
};

struct worker
{
	struct rig *r;
	_Atomic uint32_t *clock; /* everybody's, or calls per second mean nothing */
	uint32_t self;
	uint32_t edges, refused, failed;
	pthread_t thread;
};

static void probe_and_break(struct worker *w, uint32_t i, uint64_t t)
{
	static const struct callroute_breaker_config cfg = {
			80 * SEC, 10, 50, 5 * SEC};
	struct callroute_live *live = w->r->live;
	int slot = callroute_live_slot(live, 7 + i % 3);

	if(callroute_health_due(live, slot, SEC, t))
		w->edges += callroute_health_probe(live, slot, i & 64, 3, 3, t) != 0;
	if(callroute_breaker_take(live, slot, &cfg, t) == 0)
		w->edges +=
				callroute_breaker_report(live, slot, &cfg, t, i & 128, t + 1)
				!= 0;
}

/* One call: what a module does from the choice of a trunk to the end. */
static void call_once(struct worker *w, uint32_t i, uint64_t t)
{
	struct callroute_live *live = w->r->live;
	struct callroute_claim c = {.trunk = 1 + i % 3,
			.carrier = 1,
			.account = 1 + i % 2,
			.limit = {{3, 1000}, {0, 0}, {0, 0}}};
	struct callroute_sample s = {CALLROUTE_OUTCOME_BUSY, 700};
	uint64_t call = w->self * 100000 + i + 1;
	int rc;

	(void)callroute_quality_score(live, w->r->slot, (uint16_t)(i % 50), t);
	(void)callroute_capacity_peek(live, &c, NULL, t);
	rc = callroute_capacity_take(live, call, &c, t + 50 * SEC, t);
	if(rc == 0) {
		c.trunk = 1 + (i + 1) % 3;
		rc = callroute_capacity_move(live, call, &c, t + 50 * SEC, t);
	}
	w->refused += rc > 0;
	w->failed += rc < 0;
	(void)callroute_capacity_renew(live, call, t + 90 * SEC, t);
	callroute_live_count(live, w->r->slot, CALLROUTE_ATTEMPTS);
	callroute_live_fail(live, w->r->slot, 486, t);
	callroute_quality_add(live, w->r->slot, (uint16_t)(i % 50), &s, t);
	callroute_quality_talked(live, w->r->slot, (uint16_t)(i % 50), 1, t);
	(void)callroute_capacity_release(live, call, t);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint32_t i;

	for(i = 0; i < TURNS; i++) {
		uint64_t t = NOW + atomic_fetch_add(w->clock, 1) * 20 * MS;

		probe_and_break(w, i, t);
		call_once(w, i, t);
	}
	return NULL;
}

static void threads_leave_exact_totals(void **state)
{
	struct worker w[THREADS];
	struct callroute_capacity_stats st;
	struct callroute_counters c;
	_Atomic uint32_t clock = 0;
	uint32_t i, edges = 0, refused = 0;

	for(i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.r = *state, .clock = &clock, .self = i};
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for(i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		assert_int_equal(w[i].failed, 0);
		edges += w[i].edges;
		refused += w[i].refused;
	}
	print_message("%u edges, %u attempts refused\n", edges, refused);
	assert_true(edges > 0);
	assert_true(refused < THREADS * TURNS / 4);
	callroute_live_counters(w[0].r->live, w[0].r->slot, &c);
	assert_int_equal(c.attempts, THREADS * TURNS);
	assert_int_equal(c.failed, THREADS * TURNS);
	callroute_capacity_read_stats(w[0].r->live, NOW, &st);
	assert_int_equal(st.channels, 0);
	assert_int_equal(callroute_live_used(w[0].r->live), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			rig_test(threads_leave_exact_totals),
	};

	return cmocka_run_group_tests_name(
			"callroute_live_threads", tests, NULL, NULL);
}

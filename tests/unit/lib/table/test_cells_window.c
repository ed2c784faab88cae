/*
 * How wrong the sliding window is, measured against an exact log of events.
 *
 * A decision is "more than LIMIT events in the last second?", asked at each
 * arrival; it is wrong when the log says otherwise. Sources far from the limit
 * are always judged right, so each pattern is measured twice: over a population
 * of sources whose rates are spread evenly in logarithm from a tenth of the
 * limit to ten times it, and at exactly the limit, where random arrivals cross
 * it all the time and a decision is wrong whenever log and estimate straddle it.
 *
 * What to expect of a window that takes its previous bucket for evenly spread:
 * of L events a share f lies in the part that counts: binomial, variance
 * L f(1-f), on average over f L/6; the log itself varies by L. Two normal
 * variables of that ratio disagree in sign in atan(sqrt(1/6)) / pi = 12.3 % of
 * the cases at the limit; over the population only the band L +- sqrt(L/6)
 * matters: 2 sqrt(L/6) 0.4 / (L ln 100), 1.3 % at L = 30, 0.4 % at L = 300. The
 * cells know the seventh of the bucket an event fell into, so the variance is
 * a seventh: 4.9 %, and 0.5 % and 0.15 %. The bounds below are these with room
 * for the sample. (1 % at the limit itself would take 170 parts: the log.)
 *
 * The pattern "packed" is the worst case by design: all events of a second in
 * 50 ms, in exactly the period of the window, so that the part that is
 * interpolated always holds everything. The error is at most one such pack.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include "lib/table/cells.h"
#include "lib/share/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 1000000.0 /* us */

enum
{
	SOURCES = 400,
	EVENTS = 1500,
	LOG = 65536
};

struct tally
{
	unsigned decisions, wrong;
	double off;	  /* |estimate - exact| / limit, summed */
	double worst; /* the largest of them */
};

static uint64_t log_of[LOG]; /* ring of arrival times */

static double uniform(void)
{
	return ((double)random() + 0.5) / ((double)RAND_MAX + 1);
}

/* Each gives the gap to the next arrival, us; `mean` is the mean gap. */
static double evenly(double mean, unsigned i)
{
	(void)i;
	return mean;
}

static double jittered(double mean, unsigned i)
{
	(void)i;
	return mean * 2 * uniform();
}

static double poisson(double mean, unsigned i)
{
	(void)i;
	return -mean * log(uniform());
}

/* Ten at once, then a rest that keeps the mean. */
static double bursty(double mean, unsigned i)
{
	return i % 10 != 0 ? 1000 : 10 * -mean * log(uniform());
}

/* A whole second's worth within 50 ms, once a second, at a phase that differs
 * from source to source: the pattern that passes twice the limit through a
 * fixed window whenever it straddles the boundary. */
static double packed(double mean, unsigned i)
{
	unsigned pack = (unsigned)(WINDOW / mean);
	double gap = 50000.0 / (pack + 1);

	return i % (pack + 1) != 0 ? gap : WINDOW - gap * pack;
}

static void measure(struct tg_cells *t, uint32_t id, unsigned limit,
		double rate, double (*gap)(double, unsigned), struct tally *out)
{
	struct tg_hashkey key = {3, 4};
	uint64_t hash = tg_hash_id(&key, 1, &id, sizeof(id));
	double at = 1e9 + uniform() * WINDOW;
	unsigned i, first = 0;

	for(i = 0; i < EVENTS; i++) {
		uint64_t now = (uint64_t)(at += gap(WINDOW / rate, i));
		uint32_t seen;
		unsigned exact;
		double off;

		log_of[i % LOG] = now;
		while(log_of[first % LOG] + (uint64_t)WINDOW <= now)
			first++;
		exact = i - first + 1;
		assert_int_equal(
				tg_cells_add(t, hash, 1, (uint64_t)WINDOW, now, &seen), 0);
		out->decisions++;
		out->wrong += (seen > limit) != (exact > limit);
		off = fabs((double)seen - exact) / limit;
		out->off += off;
		if(off > out->worst)
			out->worst = off;
	}
	tg_cells_forget(t, hash);
}

static double percent_wrong(const struct tally *r)
{
	return 100.0 * r->wrong / r->decisions;
}

struct pattern
{
	const char *name;
	double (*gap)(double mean, unsigned i);
	/* bounds: per cent of decisions wrong */
	double population;
	double at_limit; /* 0 = none: a constant count sits on the limit itself */
	double worst;	 /* error at the limit, in limits, beside one event */
};

static void run(const struct pattern *p, unsigned limit)
{
	struct tg_cells_config cfg = {1024, 0};
	size_t size = tg_cells_size(&cfg);
	struct tally all = {0, 0, 0, 0}, edge = {0, 0, 0, 0};
	struct tg_cells *t;
	uint32_t s;

	assert_int_equal(tg_cells_init(support_memory(size), size, &cfg, &t), 0);
	srandom(20240607);
	for(s = 0; s < SOURCES; s++) {
		double rate = limit * pow(10, 2.0 * s / (SOURCES - 1) - 1);

		measure(t, s, limit, rate, p->gap, &all);
		measure(t, 100000 + s, limit, limit, p->gap, &edge);
	}
	print_message(
			"limit %3u %-9s population: %5.2f %% wrong, off by %5.1f %% "
			"of the limit; at the limit: %5.2f %% wrong, worst %5.1f %%\n",
			limit, p->name, percent_wrong(&all), 100 * all.off / all.decisions,
			percent_wrong(&edge), 100 * edge.worst);
	assert_true(percent_wrong(&all) <= p->population);
	if(p->at_limit > 0)
		assert_true(percent_wrong(&edge) <= p->at_limit);
	assert_true(edge.worst <= p->worst + 1.5 / limit);
	support_free(t);
}

static void decisions_against_an_exact_log(void **state)
{
	static const struct pattern patterns[] = {
			{"even", evenly, 0.5, 0, 0.05},
			{"jittered", jittered, 0.5, 6.5, 0.2},
			{"poisson", poisson, 0.7, 6.5, 0.3},
			{"bursty", bursty, 1.0, 6.5, 0.8},
			{"packed", packed, 5.0, 0, 1.0},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		run(&patterns[i], 30);
		run(&patterns[i], 300);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(decisions_against_an_exact_log),
	};

	return cmocka_run_group_tests_name("cells_window", tests, NULL, NULL);
}

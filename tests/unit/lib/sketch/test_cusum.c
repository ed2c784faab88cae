/*
 * CUSUM: the chart by hand, what it learns, and its run lengths against exact
 * ones and on simulated streams.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/random.h"

#include "lib/sketch/cusum.h"

#include <errno.h>
#include <string.h>

static const struct tg_cusum_limits usual = {0.5, 4};

static void refuses_bad_arguments(void **state)
{
	static const struct tg_cusum_limits bad[] = {
			{0, 4}, {101, 4}, {0.5, 0}, {0.5, 1001}, {NAN, 4}, {0.5, NAN}};
	struct tg_cusum c = {0};
	unsigned i;

	(void)state;
	for(i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tg_cusum_add(&c, &bad[i], 1, 1, 4), -EINVAL);
	assert_int_equal(tg_cusum_add(&c, &usual, 0, 1, 4), -EINVAL);
	assert_int_equal(tg_cusum_add(&c, &usual, 1, 1, -2), -EINVAL);
	assert_int_equal(tg_cusum_add(&c, &usual, 1, 1, NAN), -EINVAL);
	assert_int_equal(tg_cusum_add(&c, &usual, 1, 1, INFINITY), -EINVAL);
	assert_int_equal(c.count, 0);
}

/* expected 4: deviation 2, so S adds (count - 5) / 2 */
static void sums_by_hand(void **state)
{
	static const struct
	{
		uint32_t count;
		double sum; /* with this interval, at its end */
		int alarmed;
	} chart[] = {{4, 0, 0}, {7, 1, 0}, {7, 2, 0}, {4, 1.5, 0}, {9, 3.5, 0},
			{6, 4, 0}, {6, 4.5, 1}, {5, 4.5, 1}, {40, 8, 1}, {0, 5.5, 1},
			{0, 3, 1}, {0, 0.5, 1}, {4, 0, 1}, {4, 0, 0}};
	struct tg_cusum c = {0};
	uint32_t i, n;

	(void)state;
	for(i = 0; i < sizeof(chart) / sizeof(chart[0]); i++) {
		int rc = tg_cusum_add(&c, &usual, i + 1, 0, 4);

		for(n = 0; n < chart[i].count; n++)
			rc = tg_cusum_add(&c, &usual, i + 1, 1, 4);
		assert_int_equal(rc, chart[i].alarmed);
		if(chart[i].count > 4)
			assert_true(tg_cusum_evidence(&c, &usual, 4) == chart[i].sum);
		/* the next interval carries what this one ends with */
		assert_int_equal(tg_cusum_add(&c, &usual, i + 2, 0, 4) >= 0, 1);
		assert_true(fabs(c.sum - chart[i].sum) < 1e-6);
	}
}

/* The burst is not over when it alarms: 14 of 4 expected is where (n - 5) / 2
 * passes 4. */
static void a_burst_alarms_at_once(void **state)
{
	struct tg_cusum c = {0};
	uint32_t n;

	(void)state;
	for(n = 1; n <= 14; n++)
		assert_int_equal(tg_cusum_add(&c, &usual, 7, 1, 4), n == 14);
	/* an earlier interval (another process) counts into this one */
	assert_int_equal(tg_cusum_add(&c, &usual, 6, 1, 4), 1);
	assert_int_equal(c.count, 15);
	assert_int_equal(c.interval, 7);
	/* nothing for a long while ends it; S is not remembered beyond 2h */
	assert_int_equal(tg_cusum_add(&c, &usual, 8, 0, 4), 1);
	assert_int_equal(tg_cusum_add(&c, &usual, 12, 0, 4), 0);
	(void)tg_cusum_add(&c, &usual, 12, 100, 4);
	tg_cusum_release(&c);
	assert_int_equal(tg_cusum_add(&c, &usual, 12, 1, 4), 0);
	assert_true(c.sum == 0);
}

/* A rise that stays below k forever is no alarm; where next to nothing is
 * expected, one event is not enough. */
static void leaves_small_things_alone(void **state)
{
	struct tg_cusum c = {0}, rare = {0};
	uint32_t i;

	(void)state;
	for(i = 1; i < 10000; i++) {
		assert_int_equal(tg_cusum_add(&c, &usual, i, 110, 105), 0);
		assert_int_equal(tg_cusum_add(&rare, &usual, i * 10, 1, 0.05), 0);
	}
}

static void skips_empty_intervals_in_one_step(void **state)
{
	struct tg_cusum lazy = {0}, eager;
	uint32_t i, gap;

	(void)state;
	for(i = 1; i < 100; i++)
		(void)tg_cusum_add(&lazy, &usual, i, 20, TG_CUSUM_LEARNED);
	assert_int_equal(tg_cusum_add(&lazy, &usual, 100, 32, TG_CUSUM_LEARNED), 0);
	for(gap = 1; gap < 200; gap += 7) {
		struct tg_cusum l = lazy;

		eager = lazy;
		for(i = 1; i <= gap; i++)
			(void)tg_cusum_add(&eager, &usual, 100 + i, 0, TG_CUSUM_LEARNED);
		(void)tg_cusum_add(&l, &usual, 100 + gap, 0, TG_CUSUM_LEARNED);
		assert_true(fabs(l.rate - eager.rate) < 1e-3 * (1 + eager.rate));
		/* within the first step the two differ in when the rate is learned */
		if(gap > 2)
			assert_true(l.sum == eager.sum);
		assert_int_equal(l.learned, eager.learned);
	}
	for(gap = 1; gap < 8; gap++) { /* an alarm that runs out in silence */
		struct tg_cusum l = {0};

		assert_int_equal(tg_cusum_add(&l, &usual, 1, 1000, 4), 1);
		eager = l;
		for(i = 1; i <= gap; i++)
			(void)tg_cusum_add(&eager, &usual, 1 + i, 0, 4);
		(void)tg_cusum_add(&l, &usual, 1 + gap, 0, 4);
		assert_true(l.sum == eager.sum);
		assert_int_equal(l.alarmed, eager.alarmed);
		assert_int_equal(l.alarmed, gap < 5); /* 8, 5.5, 3, 0.5, 0 */
	}
	(void)tg_cusum_add(&lazy, &usual, UINT32_C(1) << 30, 0, TG_CUSUM_LEARNED);
	assert_true(lazy.rate < 1e-6 && lazy.sum == 0);
	assert_int_equal(lazy.learned, UINT16_MAX);
}

static void learns_and_stops_learning(void **state)
{
	struct tg_cusum c = {0};
	uint64_t seed = 4;
	uint32_t i, alarms = 0;
	float before;

	(void)state;
	for(i = 1; i <= TG_CUSUM_WARM; i++)
		assert_int_equal(
				tg_cusum_add(&c, &usual, i, 500, TG_CUSUM_LEARNED), -EAGAIN);
	assert_int_equal(tg_cusum_add(&c, &usual, i, 0, TG_CUSUM_LEARNED), 0);
	assert_true(c.rate == 500);
	/* it follows slowly what is no attack */
	for(; i < 1000; i++)
		(void)tg_cusum_add(
				&c, &usual, i, random_poisson(&seed, 490), TG_CUSUM_LEARNED);
	assert_true(fabs(c.rate - 490) < 20);
	/* and not at all what is: a doubled rate for ever */
	tg_cusum_release(&c);
	(void)tg_cusum_add(&c, &usual, i, 0, TG_CUSUM_LEARNED);
	before = c.rate;
	for(; i < 3000; i++)
		alarms += tg_cusum_add(&c, &usual, i, 1000, TG_CUSUM_LEARNED) == 1;
	assert_int_equal(alarms, 2000);
	assert_true(c.rate == before);
	/* after it, the alarm ends and learning goes on */
	for(; i < 3100; i++) {
		(void)tg_cusum_add(&c, &usual, i, 480, TG_CUSUM_LEARNED);
		if(c.alarmed)
			assert_true(c.rate == before);
	}
	assert_int_equal(c.alarmed, 0);
	assert_true(c.rate != before);
}

/* ---- run lengths ---- */

/* Intervals until the first alarm, each counted in one go; at most `most`. */
static uint32_t run_length(const struct tg_cusum_limits *l, uint64_t *seed,
		double mean, double expected, uint32_t most)
{
	struct tg_cusum c = {0};
	uint32_t i;

	for(i = 1; i < most; i++)
		if(tg_cusum_add(&c, l, i, random_poisson(seed, mean), expected) == 1)
			break;
	return i;
}

/*
 * Exact mean run length at expected = 4, k = 0.5 (Brook, Evans 1972): S moves
 * on the lattice of halves, so the chart is a Markov chain over the 2h + 1
 * values at which it does not alarm: L = 1 + P L, solved by iteration.
 */
static double exact_run_length(double mean, unsigned h)
{
	double length[64] = {0}, chance[64];
	unsigned states = 2 * h + 1, i, n;
	uint32_t round;

	chance[0] = exp(-mean);
	for(n = 1; n < 64; n++)
		chance[n] = chance[n - 1] * mean / n;
	for(round = 0; round < 200000; round++) {
		double change = 0;

		for(i = 0; i < states; i++) {
			double next = 1;

			for(n = 0; n < 64; n++) {
				int to = (int)i + (int)n - 5;

				if(to < (int)states)
					next += chance[n] * length[to > 0 ? to : 0];
			}
			change = fmax(change, fabs(next - length[i]));
			length[i] = next;
		}
		if(change < 1e-9)
			break;
	}
	return length[0];
}

/* A run length's deviation is at most about its mean, so the mean of R runs is
 * known to 1 / sqrt(R): four of these are left as room. */
static void run_lengths_are_the_exact_ones(void **state)
{
	enum
	{
		RUNS = 2000
	};
	static const double means[] = {4, 5, 6, 8};
	unsigned h, i, run;

	(void)state;
	print_message("k 0.5, expected 4:  h  mean  run length  exact\n");
	for(h = 3; h <= 5; h++)
		for(i = 0; i < 4; i++) {
			struct tg_cusum_limits l = {0.5, h};
			double sum = 0, exact = exact_run_length(means[i], h);
			uint64_t seed = 1000 * h + i;

			for(run = 0; run < RUNS; run++)
				sum += run_length(&l, &seed, means[i], 4, 1000000);
			print_message("%21u %5.0f %11.2f %8.2f\n", h, means[i], sum / RUNS,
					exact);
			assert_true(fabs(sum / RUNS / exact - 1) < 4 / sqrt(RUNS));
		}
}

/* False alarms, and the delay to a rise by 1, 2 and 4 deviations, by rate. */
static void finds_rises_and_seldom_errs(void **state)
{
	enum
	{
		RUNS = 1000
	};
	static const double rates[] = {0.1, 1, 4, 20, 100};
	static const double rises[] = {0, 1, 2, 4};
	double mean[4];
	unsigned h, i, r, run;

	(void)state;
	print_message("k 0.5: h   rate  false alarm every   found after, rise by "
				  "1, 2, 4 deviations\n");
	for(h = 4; h <= 8; h += 2)
		for(i = 0; i < 5; i++) {
			struct tg_cusum_limits l = {0.5, h};
			double deviation = sqrt(fmax(rates[i], 1));

			for(r = 0; r < 4; r++) {
				uint64_t seed = 10000 * h + 10 * i + r;
				double sum = 0;

				for(run = 0; run < (r ? RUNS : RUNS / 5); run++)
					sum += run_length(&l, &seed,
							rates[i] + rises[r] * deviation, rates[i], 5000);
				mean[r] = sum / run;
			}
			print_message("%8u %6.1f %s%12.0f %15.1f %5.1f %5.1f\n", h,
					rates[i], mean[0] >= 4000 ? " over" : "     ", mean[0],
					mean[1], mean[2], mean[3]);
			/* Page's rule of thumb: the delay is about h over what is left
			 * of the rise, and a start; one interval is the least */
			for(r = 1; r < 4; r++)
				assert_true(mean[r] < (h + 1.5) / (rises[r] - 0.5) + 1);
			assert_true(mean[0] > (h == 4 ? 60 : h == 6 ? 300 : 1000));
		}
}

/* A rate that was learned is a little off and follows the counts: one brings
 * false alarms sooner, the other keeps them away. Here the first prevails. */
static void a_learned_rate_errs_sooner(void **state)
{
	enum
	{
		RUNS = 1000
	};
	static const struct tg_cusum_limits l = {0.5, 6};
	uint64_t seed = 55;
	double learned = 0, known = 0;
	unsigned run;

	(void)state;
	for(run = 0; run < RUNS; run++) {
		learned += run_length(&l, &seed, 20, TG_CUSUM_LEARNED, 20000) / 1e3;
		known += run_length(&l, &seed, 20, 20, 20000) / 1e3;
	}
	print_message("h 6, rate 20: a false alarm every %.0f intervals with a "
				  "learned rate, %.0f with the true one\n",
			learned, known);
	assert_true(learned > 300 && learned < known);
	assert_true(known > 1400 && known < 1900);
}

static void takes_any_content(void **state)
{
	uint64_t seed = 9;
	unsigned round, i;

	(void)state;
	for(round = 0; round < 50000; round++) {
		struct tg_cusum c;
		uint32_t at = (uint32_t)random_next(&seed) | 1;

		for(i = 0; i < sizeof(c) / 4; i++) {
			uint32_t word = (uint32_t)random_next(&seed);

			memcpy((char *)&c + i * 4, &word, 4);
		}
		for(i = 0; i < 4; i++) {
			int rc = tg_cusum_add(&c, &usual, at + i * 3 + !(at + i * 3),
					(uint32_t)random_next(&seed) >> (8 * i), TG_CUSUM_LEARNED);
			double s = tg_cusum_evidence(&c, &usual, TG_CUSUM_LEARNED);

			assert_true(rc == 0 || rc == 1 || rc == -EAGAIN);
			assert_true(s >= 0 && s <= 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(refuses_bad_arguments),
			cmocka_unit_test(sums_by_hand),
			cmocka_unit_test(a_burst_alarms_at_once),
			cmocka_unit_test(leaves_small_things_alone),
			cmocka_unit_test(skips_empty_intervals_in_one_step),
			cmocka_unit_test(learns_and_stops_learning),
			cmocka_unit_test(run_lengths_are_the_exact_ones),
			cmocka_unit_test(finds_rises_and_seldom_errs),
			cmocka_unit_test(a_learned_rate_errs_sooner),
			cmocka_unit_test(takes_any_content),
	};

	return cmocka_run_group_tests_name("cusum", tests, NULL, NULL);
}

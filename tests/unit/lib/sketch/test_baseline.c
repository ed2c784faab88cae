/*
 * Hour-of-week baselines: the error of a byte, what is learned and what is not,
 * and how often usual traffic looks unusual.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"
#include "unit/random.h"

#include "lib/sketch/baseline.h"

#include <errno.h>
#include <string.h>

#define WEEK TG_BASELINE_HOURS
#define START (WEEK * 2900) /* a running hour of these years */

static double expected(const struct tg_baseline *b, uint32_t hour)
{
	struct tg_deviation d;

	assert_int_equal(tg_baseline_compare(b, hour, 0, &d), 0);
	return d.expected;
}

static void add(struct tg_baseline *b, uint32_t hour, uint32_t n, int alarmed)
{
	assert_int_equal(tg_baseline_add(b, hour, n, alarmed), 0);
}

/* The same count in each hour of `weeks` weeks; returns the next hour. */
static uint32_t live(
		struct tg_baseline *b, uint32_t hour, uint32_t weeks, uint32_t n)
{
	uint32_t end = hour + weeks * WEEK;

	for(; hour < end; hour++)
		add(b, hour, n, 0);
	add(b, end, 0, 0);
	return end;
}

static void a_byte_is_off_by_less_than_a_step(void **state)
{
	uint32_t n, hour;
	double worst = 0;

	(void)state;
	for(n = 0; n <= TG_BASELINE_MAX; n += 1 + n / 300) {
		struct tg_baseline b = {0};
		double sum = 0, step = n < 4 ? 0.125 : n / 16.0;

		live(&b, START, 1, n);
		for(hour = START; hour < START + WEEK; hour++) {
			double got = expected(&b, hour);

			assert_true(fabs(got - n) < step || got == n);
			sum += got;
			if(n > 0)
				worst = fmax(worst, fabs(got - n) / n);
		}
		/* 168 roundings by chance: 4.5 standard errors of half a step */
		assert_true(fabs(sum / WEEK - n) <= 4.5 * step / 2 / sqrt(WEEK));
		if(n <= 3)
			assert_true(sum / WEEK == n);
	}
	print_message("worst error of a byte: %.2f %%\n", 100 * worst);
	assert_true(worst < 0.0625);
	{
		struct tg_baseline b = {0};

		live(&b, START, 1, UINT32_MAX);
		assert_true(expected(&b, START) == TG_BASELINE_MAX);
	}
}

/*
 * Against the same means kept as doubles, over 40 weeks of Poisson counts. The
 * bias is checked against its standard error over the 168 hours.
 */
static void follows_the_exact_mean(void **state)
{
	static const double rates[] = {0.1, 0.5, 2, 10, 60, 500, 20000};
	unsigned i;

	(void)state;
	print_message("    rate   learned    rms of a byte against doubles\n");
	for(i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct tg_baseline b = {0};
		double exact[WEEK], sum = 0, squares = 0, off, step;
		uint64_t seed = 40 + i;
		uint32_t week, h;

		for(week = 0; week < 40; week++)
			for(h = 0; h < WEEK; h++) {
				uint32_t n = random_poisson(&seed, rates[i]);
				double weight = week < 8 ? 1.0 / (week + 1) : 1.0 / 8;

				add(&b, START + week * WEEK + h, n, 0);
				if(week == 0)
					exact[h] = n;
				else
					exact[h] += weight * (n - exact[h]);
			}
		add(&b, START + 40 * WEEK, 0, 0);
		for(h = 0; h < WEEK; h++) {
			off = expected(&b, START + h) - exact[h];
			sum += off;
			squares += off * off;
		}
		step = fmax(0.125, rates[i] / 16);
		off = sqrt(squares / WEEK);
		print_message("%8.1f %9.2f %9.3f = %4.1f %%\n", rates[i],
				rates[i] + sum / WEEK, off, 100 * off / rates[i]);
		/* a rounding by chance scatters by half a step at the most, and eight
		 * weeks' worth of them add up to 1 / sqrt(1 - (7/8)^2) = 2.07 */
		assert_true(off < 1.1 * 2.07 * step / 2);
		assert_true(fabs(sum / WEEK) < 4.5 * off / sqrt(WEEK));
	}
}

static void remembers_what_it_has_seen(void **state)
{
	struct tg_baseline b = {0};
	struct tg_deviation d;
	uint32_t h;

	(void)state;
	assert_int_equal(tg_baseline_add(&b, 0, 1, 0), -EINVAL);
	assert_int_equal(tg_baseline_skip(&b, 0), -EINVAL);
	assert_int_equal(tg_baseline_compare(&b, START, 1, &d), -ENOENT);
	add(&b, START, 2, 0);
	add(&b, START, 1, 0);
	assert_int_equal(tg_baseline_count(&b, START), 3);
	assert_int_equal(tg_baseline_count(&b, START + 1), 0);
	assert_int_equal(tg_baseline_count(&b, START - 1), 0);
	/* the hour that is being counted is not learned yet */
	assert_int_equal(tg_baseline_compare(&b, START, 3, &d), -ENOENT);
	add(&b, START + 1, 1, 0);
	assert_int_equal(tg_baseline_compare(&b, START, 7, &d), 0);
	assert_true(d.expected == 3 && d.ratio == 2 && d.z > 0 && d.weeks == 0);
	assert_int_equal(tg_baseline_compare(&b, START + 1, 7, &d), -ENOENT);
	/* silence is learned as well, and is not the same as never seen */
	add(&b, START + 3, 1, 0);
	assert_true(expected(&b, START + 2) == 0);
	assert_int_equal(tg_baseline_compare(&b, START + 3, 7, &d), -ENOENT);
	h = live(&b, START + 3, 5, 4);
	assert_int_equal(tg_baseline_compare(&b, h + 99, 4, &d), 0);
	assert_int_equal(d.weeks, 5);
	live(&b, h, 500, 4);
	assert_int_equal(tg_baseline_compare(&b, h, 4, &d), 0);
	assert_int_equal(d.weeks, 65535 / WEEK);
	assert_true(d.ratio > 0.93 && d.ratio < 1.07 && fabs(d.z) < 0.2);
}

/* A campaign of a month, alarmed from its first hour on, leaves no trace: not
 * its calls, and not the silence of the account that it got blocked. */
static void learns_nothing_while_alarmed(void **state)
{
	struct tg_baseline b = {0}, before;
	uint32_t h, end;

	(void)state;
	h = live(&b, START, 10, 5);
	before = b;
	for(end = h + 4 * WEEK; h < end; h += 3) { /* with gaps */
		add(&b, h, 1000, 0);
		add(&b, h, 1000, 1); /* alarmed in the middle of the hour */
		add(&b, h, 1000, 0);
	}
	add(&b, h + 2 * WEEK, 0, 1);
	add(&b, h + 2 * WEEK + 1, 0, 0);
	assert_memory_equal(b.mean, before.mean, sizeof(b.mean));
	assert_int_equal(b.learned, before.learned);
	assert_true(b.spread == before.spread);
	/* and then it goes on learning */
	live(&b, h + 2 * WEEK + 1, 1, 5);
	assert_int_equal(b.learned, before.learned + WEEK);
}

/* The hour before the alarm was a fair one; the silence up to it may not be. */
static void learns_up_to_an_alarm_that_ends_a_silence(void **state)
{
	struct tg_baseline b = {0};
	uint32_t h = live(&b, START, 1, 100);
	uint16_t before;

	(void)state;
	add(&b, h, 100, 0);
	before = b.learned;
	add(&b, h + 50, 9, 1);
	assert_int_equal(b.learned, before + 1);
	assert_true(expected(&b, h + 25) > 90);
}

static void silent_weeks_fade_lazily(void **state)
{
	static const uint32_t gaps[] = {1, 5, 167, 168, 169, 500, 1343};
	unsigned i;
	uint32_t h;

	(void)state;
	for(i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		struct tg_baseline lazy = {0}, eager;
		uint32_t start = live(&lazy, START, 12, 3000);

		eager = lazy;
		for(h = start; h < start + gaps[i]; h++)
			add(&eager, h, 0, 0);
		add(&eager, start + gaps[i], 0, 0);
		add(&lazy, start + gaps[i], 0, 0);
		assert_int_equal(lazy.learned, eager.learned);
		for(h = 0; h < WEEK; h++) {
			/* the hour at `start` is in both: it was begun, with 0 */
			uint32_t times = (gaps[i] + WEEK - 1 - h) / WEEK;
			double want = 3000 * pow(7.0 / 8, times);

			/* three steps: the eager one rounds each week anew */
			assert_true(fabs(expected(&lazy, start + h) / want - 1) < 0.19);
			assert_true(fabs(expected(&eager, start + h) / want - 1) < 0.19);
		}
	}
}

static void a_wrong_clock_does_little_harm(void **state)
{
	struct tg_baseline b = {0}, before;
	uint32_t h = live(&b, START, 12, 3000);
	struct tg_deviation d;

	(void)state;
	/* an hour back (daylight saving, another process): the same hour goes on */
	add(&b, h, 5, 0);
	add(&b, h - 1, 6, 0);
	assert_int_equal(tg_baseline_count(&b, h), 11);
	before = b;
	/* far ahead: eight weeks of silence and no more, and it returns at once */
	add(&b, UINT32_MAX, 1, 0);
	assert_true(expected(&b, h + 20) > 3000 * 0.34 * 0.93);
	/* back: begins there, and learns nothing of the time between */
	before = b;
	add(&b, h + 1, 7, 0);
	assert_int_equal(tg_baseline_count(&b, h + 1), 7);
	assert_memory_equal(b.mean, before.mean, sizeof(b.mean));
	/* an outage */
	b.hour = h + 1;
	assert_int_equal(tg_baseline_skip(&b, h + 300), 0);
	assert_memory_equal(b.mean, before.mean, sizeof(b.mean));
	assert_int_equal(b.learned, before.learned);
	assert_int_equal(tg_baseline_compare(&b, h, 0, &d), 0);
}

/*
 * Usual traffic that looks unusual, after 12 weeks: Poisson counts by a daily
 * curve, and counts whose rate itself is anything from half to twice that.
 */
static void usual_traffic_seldom_looks_unusual(void **state)
{
	static const double night_day[] = {0.2, 3, 20, 150};
	unsigned bursty, i;
	enum
	{
		WEEKS = 300
	};

	(void)state;
	for(bursty = 0; bursty < 2; bursty++) {
		uint32_t over3 = 0, over4 = 0, over5 = 0, caught = 0, busy = 0, h;
		struct tg_baseline b = {0};
		uint64_t seed = 77;

		for(h = 0; h < WEEKS * WEEK; h++) {
			double mean = night_day[h % 24 / 6], rate = mean;
			struct tg_deviation d;
			uint32_t n;

			if(bursty)
				rate *= pow(2, 2 * random_unit(&seed) - 1);
			n = random_poisson(&seed, rate);
			add(&b, START + h, n, 0);
			if(h < 12 * WEEK)
				continue;
			assert_int_equal(tg_baseline_compare(&b, START + h, n, &d), 0);
			over3 += d.z > 3;
			over4 += d.z > 4;
			over5 += d.z > 5;
			if(mean > 10) {
				assert_int_equal(tg_baseline_compare(&b, START + h,
										 n + (uint32_t)(10 * mean), &d),
						0);
				busy++;
				caught += d.z > 5;
			}
		}
		i = (WEEKS - 12) * WEEK;
		print_message("%s: z > 3 in %.3f %%, > 4 in %.3f %%, > 5 in %.4f %% of "
					  "the hours; ten times the mean on top found in %.1f %%; "
					  "spread %.2f\n",
				bursty ? "bursty " : "Poisson", 100.0 * over3 / i,
				100.0 * over4 / i, 100.0 * over5 / i, 100.0 * caught / busy,
				b.spread);
		assert_true(over4 < i / 1000);
		assert_true(over5 < i / 10000);
		assert_true(over3 < i / 50);
		assert_true(caught > 0.95 * busy);
	}
}

/* Any bytes: a saved profile may be damaged. */
static void takes_any_content(void **state)
{
	uint64_t seed = 1;
	unsigned round, i;

	(void)state;
	for(round = 0; round < 20000; round++) {
		struct tg_baseline b;
		struct tg_deviation d;
		uint32_t hour = (uint32_t)random_next(&seed) | 1;

		for(i = 0; i < sizeof(b) / 8; i++) {
			uint64_t word = random_next(&seed);

			memcpy((char *)&b + i * 8, &word, 8);
		}
		add(&b, hour, (uint32_t)random_next(&seed), (int)(hour & 2));
		add(&b, hour + 300, 1, 0);
		add(&b, hour + 301, 1, 0);
		assert_int_equal(tg_baseline_compare(&b, hour + 300, 9, &d), 0);
		assert_true(isfinite(d.expected) && isfinite(d.ratio) && isfinite(d.z));
		assert_true(d.expected >= 0 && d.expected <= TG_BASELINE_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_byte_is_off_by_less_than_a_step),
			cmocka_unit_test(follows_the_exact_mean),
			cmocka_unit_test(remembers_what_it_has_seen),
			cmocka_unit_test(learns_nothing_while_alarmed),
			cmocka_unit_test(learns_up_to_an_alarm_that_ends_a_silence),
			cmocka_unit_test(silent_weeks_fade_lazily),
			cmocka_unit_test(a_wrong_clock_does_little_harm),
			cmocka_unit_test(usual_traffic_seldom_looks_unusual),
			cmocka_unit_test(takes_any_content),
	};

	return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}

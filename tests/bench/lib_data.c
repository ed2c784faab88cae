/*
 * What data from outside cost: hashes, calendars, geography, state files.
 * lib_data DIR: DIR holds city.mmdb and asn.mmdb (tests/unit/lib/geo/make_geo.pl); the
 * state file is written there. Nanoseconds of processor time a call; those
 * named wall are time on the wall, the disk's included. Prints `name value
 * unit` lines. Built by bench.mk.
 *
 * The geography's files are small and lie in the caches: of a real one (60 MB)
 * a lookup misses them. Every part checks what it got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "libbench.h"

#include "lib/calendar/calendar.h"
#include "lib/geo/geo.h"
#include "lib/share/hash.h"
#include "lib/share/statefile.h"

#include <string.h>

static volatile uint64_t sink; /* results go here, so that none is left out */

/* --- hash ----------------------------------------------------------------- */

static struct tg_hashkey key;
static uint8_t text[64];
static size_t length;

static uint64_t siphash13(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		memcpy(text, &i, sizeof(i));
		sink += tg_siphash13(&key, text, length);
	}
	return cpu_ns() - begin;
}

static uint64_t siphash24(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		memcpy(text, &i, sizeof(i));
		sink += tg_siphash24(&key, text, length);
	}
	return cpu_ns() - begin;
}

static uint64_t hash_id(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		memcpy(text, &i, sizeof(i));
		sink += tg_hash_id(&key, 1, text, length);
	}
	return cpu_ns() - begin;
}

static void bench_hash(void)
{
	uint8_t bytes[16];

	/* The example in appendix A of the paper. */
	for(uint8_t i = 0; i < 16; i++)
		bytes[i] = text[i] = i;
	memcpy(&key, bytes, sizeof(key));
	require(tg_siphash24(&key, text, 15) == UINT64_C(0xa129ca6149be45e5),
			"siphash24: the paper's example");
	length = 16;
	measure("siphash13_16", siphash13, 5000000);
	measure("siphash24_16", siphash24, 5000000);
	measure("hash_id_16", hash_id, 5000000);
	length = 64;
	measure("siphash13_64", siphash13, 5000000);
	measure("siphash24_64", siphash24, 5000000);
}

/* --- calendar ------------------------------------------------------------- */

#define DAY 86400
#define BEGIN 1767225600 /* 2026-01-01 UTC */
#define DAYS 400
#define TIMES 65536

/* Working hours of a zone that changes its clocks. */
static const struct tg_calendar_row row = {"Europe/Berlin", "20250101T090000",
		"PT8H", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "20261225,20270101"};
static _Alignas(8) uint8_t image[64 * 1024];
static size_t image_size;
static int64_t times[TIMES];

static uint64_t build_row(uint32_t calls)
{
	struct tg_calendar_error err;
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++)
		require(tg_calendar_build(&row, BEGIN, BEGIN + (int64_t)DAYS * DAY,
						image, sizeof(image), &image_size, &err)
						== 0,
				"calendar: build");
	return cpu_ns() - begin;
}

static uint64_t check_image(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++)
		require(tg_calendar_check(image, image_size) == 0, "calendar: check");
	return cpu_ns() - begin;
}

static uint64_t is_open(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++)
		sink += (uint64_t)tg_calendar_is_open(image, times[i % TIMES]);
	return cpu_ns() - begin;
}

static uint64_t next_change(uint32_t calls)
{
	uint64_t begin = cpu_ns();
	int64_t at = 0;

	for(uint32_t i = 0; i < calls; i++) {
		sink += (uint64_t)tg_calendar_next_change(image, times[i % TIMES], &at);
		sink += (uint64_t)at;
	}
	return cpu_ns() - begin;
}

/* By the C library's clock. */
static int wall_says(time_t now)
{
	struct tm tm;

	localtime_r(&now, &tm);
	return tm.tm_wday >= 1 && tm.tm_wday <= 5 && tm.tm_hour >= 9
		   && tm.tm_hour < 17 && !(tm.tm_mon == 11 && tm.tm_mday == 25)
		   && !(tm.tm_year == 127 && tm.tm_mon == 0 && tm.tm_mday == 1);
}

static void bench_calendar(void)
{
	measure("calendar_build_400_days", build_row, 50);
	measure("calendar_check_400_days", check_image, 20000);
	setenv("TZ", row.tz, 1);
	tzset();
	for(uint32_t i = 0; i < TIMES; i++) {
		times[i] = BEGIN
				   + (int64_t)(tg_siphash13(&key, &i, sizeof(i))
							   % ((uint64_t)DAYS * DAY));
		require(tg_calendar_is_open(image, times[i]) == wall_says(times[i]),
				"calendar: open when the wall's clock says so");
	}
	measure("calendar_is_open", is_open, 5000000);
	measure("calendar_next_change", next_change, 5000000);
}

/* --- geography ------------------------------------------------------------ */

static char city[4096], asn[4096];
static struct tg_geo *geo;
static uint8_t address[16];
static uint32_t known; /* what the files hold for it */

static uint64_t open_close(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		struct tg_geo_status status;
		struct tg_geo *g;

		require(tg_geo_open(city, asn, &g, &status) == 0
						&& status.result[TG_GEO_CITY] == 0
						&& status.result[TG_GEO_ASN] == 0,
				"geo: open (the files of make_geo.pl)");
		tg_geo_close(g);
	}
	return cpu_ns() - begin;
}

static uint64_t lookup(uint32_t calls)
{
	struct tg_geo_place place;
	uint32_t wrong = 0;
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++) {
		address[15] = (uint8_t)i;
		wrong += tg_geo_lookup(geo, address, &place) != known;
	}
	begin = cpu_ns() - begin;
	require(wrong == 0, "geo: what is known of an address");
	return begin;
}

static uint64_t distance(uint32_t calls)
{
	uint64_t begin = cpu_ns();
	double sum = 0;

	for(uint32_t i = 0; i < calls; i++)
		sum += tg_geo_distance_km(i % 90, 13.405, 40.7128, -74.006);
	sink += (uint64_t)sum;
	return cpu_ns() - begin;
}

static void ask_for(const char *name, const uint8_t first[16], uint32_t facts)
{
	memcpy(address, first, sizeof(address));
	known = facts;
	measure(name, lookup, 1000000);
}

static void bench_geo(const char *dir)
{
	static const uint8_t v4[16] = {[10] = 255, 255, 192, 0, 2},
						 v4_absent[16] = {[10] = 255, 255, 192, 0, 3},
						 v6[16] = {0x20, 0x01, 0x0d, 0xb8};
	const uint32_t all = TG_GEO_KNOWS_COUNTRY | TG_GEO_KNOWS_ASN
						 | TG_GEO_KNOWS_POSITION | TG_GEO_KNOWS_RADIUS;
	struct tg_geo_status status;
	double km = tg_geo_distance_km(52.52, 13.405, 40.7128, -74.006);

	snprintf(city, sizeof(city), "%s/city.mmdb", dir);
	snprintf(asn, sizeof(asn), "%s/asn.mmdb", dir);
	measure("geo_open_close_2_files", open_close, 500);
	require(tg_geo_open(city, asn, &geo, &status) == 0, "geo: open");
	ask_for("geo_lookup_v4", v4, all);
	ask_for("geo_lookup_v4_absent", v4_absent, 0);
	ask_for("geo_lookup_v6", v6, all);
	tg_geo_close(geo);
	require(km > 6350 && km < 6420, "geo: Berlin to New York");
	measure("geo_distance", distance, 1000000);
}

/* --- state files ---------------------------------------------------------- */

#define STATE (1 << 20)
#define WRITES 10

static const struct tg_statefile_format format = {"bench", 1};
static char path[4096];
static uint64_t state[STATE / 8];

static void write_state(void)
{
	int rc;

	state[0]++;
	rc = tg_statefile_write(path, &format, state, sizeof(state));
	require(rc == 0, tg_statefile_text(rc));
}

static uint64_t write_cpu(uint32_t calls)
{
	uint64_t begin = cpu_ns();

	for(uint32_t i = 0; i < calls; i++)
		write_state();
	return cpu_ns() - begin;
}

static uint64_t write_wall(uint32_t calls)
{
	uint64_t begin = bench_ns(CLOCK_MONOTONIC);

	for(uint32_t i = 0; i < calls; i++)
		write_state();
	return bench_ns(CLOCK_MONOTONIC) - begin;
}

static uint64_t read_state(uint32_t calls)
{
	uint64_t took = 0;

	for(uint32_t i = 0; i < calls; i++) {
		uint64_t begin = cpu_ns();
		void *data;
		size_t len;
		int rc = tg_statefile_read(path, &format, STATE, &data, &len);

		took += cpu_ns() - begin;
		require(rc == 0, tg_statefile_text(rc));
		require(len == sizeof(state) && memcmp(data, state, len) == 0,
				"statefile: what was written is read");
		free(data);
	}
	return took;
}

static void bench_statefile(const char *dir)
{
	for(uint32_t i = 0; i < STATE / 8; i++)
		state[i] = tg_siphash13(&key, &i, sizeof(i));
	snprintf(path, sizeof(path), "%s/state", dir);
	measure("statefile_write_1mb", write_cpu, WRITES);
	measure("statefile_write_1mb_wall", write_wall, WRITES);
	measure("statefile_read_1mb", read_state, 100);
}

int main(int argc, char **argv)
{
	if(argc != 2) {
		fprintf(stderr, "lib_data DIR: with the files of make_geo.pl\n");
		return 1;
	}
	bench_hash();
	bench_calendar();
	bench_geo(argv[1]);
	bench_statefile(argv[1]);
	return 0;
}

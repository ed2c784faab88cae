/*
 * Geography: what the files say comes back, a missing file says why, files that
 * are replaced, cut or damaged hurt nobody. The files are made by make_geo.pl.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/geo/geo.h"

#define ALL                                                          \
	(TG_GEO_KNOWS_COUNTRY | TG_GEO_KNOWS_ASN | TG_GEO_KNOWS_POSITION \
			| TG_GEO_KNOWS_RADIUS)
#define PLACE (ALL & ~TG_GEO_KNOWS_ASN)

static char dir[64], city[96], asn[96], v4[96], other[96];

static int make_files(void **state)
{
	char command[400];

	(void)state;
	strcpy(dir, "/tmp/tollgate-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(city, sizeof(city), "%s/city.mmdb", dir);
	snprintf(asn, sizeof(asn), "%s/asn.mmdb", dir);
	snprintf(v4, sizeof(v4), "%s/v4.mmdb", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	/* This file's folder, wherever the test is started from. */
	snprintf(command, sizeof(command),
			"timeout 60 /usr/bin/perl '%.*s/make_geo.pl' %s",
			(int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, dir);
	return system(command); /* a missing package is named by the script */
}

static int drop_files(void **state)
{
	(void)state;
	unlink(city);
	unlink(asn);
	unlink(v4);
	unlink(other);
	return rmdir(dir);
}

static uint32_t lookup(
		const struct tg_geo *g, const char *text, struct tg_geo_place *place)
{
	uint8_t address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

	if(strchr(text, ':') != NULL)
		assert_int_equal(inet_pton(AF_INET6, text, address), 1);
	else
		assert_int_equal(inet_pton(AF_INET, text, address + 12), 1);
	return tg_geo_lookup(g, address, place);
}

static const struct
{
	const char *address, *country;
	uint32_t known, asn, radius;
	double lat, lon;
} table[] = {
		{"192.0.2.0", "DE", ALL, 64496, 20, 52.52, 13.405},
		{"192.0.2.255", "DE", ALL, 64496, 20, 52.52, 13.405},
		{"192.0.3.0", "", 0, 0, 0, 0, 0},
		{"192.0.1.255", "", 0, 0, 0, 0, 0},
		{"198.51.100.127", "US", PLACE, 0, 50, 40.7128, -74.006},
		{"198.51.100.128", "FR", TG_GEO_KNOWS_COUNTRY, 0, 0, 0, 0},
		{"203.0.113.127", "AU",
				TG_GEO_KNOWS_COUNTRY | TG_GEO_KNOWS_POSITION | TG_GEO_KNOWS_ASN,
				4294967294u, 0, -33.8688, 151.2093},
		{"203.0.113.128", "AU", TG_GEO_KNOWS_COUNTRY | TG_GEO_KNOWS_POSITION, 0,
				0, -33.8688, 151.2093},
		{"127.5.6.7", "KE", PLACE, 0, 100, -1.2921, 36.8219},
		{"127.0.0.1", "", 0, 0, 0, 0, 0},
		{"2001:db8::1", "JP", ALL, 64511, 10, 35.6762, 139.6503},
		{"2001:db8:1:ffff::", "BR", TG_GEO_KNOWS_COUNTRY | TG_GEO_KNOWS_ASN,
				64511, 0, 0, 0},
		{"2001:db8:2::", "", TG_GEO_KNOWS_ASN, 64511, 0, 0, 0},
		{"2001:db9::", "", 0, 0, 0, 0, 0},
		{"::1", "", 0, 0, 0, 0, 0},
};
#define ROWS (sizeof(table) / sizeof(*table))

static void check_table(const struct tg_geo *g)
{
	struct tg_geo_place p;

	for(size_t i = 0; i < ROWS; i++) {
		memset(&p, 0xee, sizeof(p));
		if(lookup(g, table[i].address, &p) != table[i].known)
			fail_msg("%s: %u is known", table[i].address, p.known);
		assert_int_equal(p.known, table[i].known);
		assert_memory_equal(
				p.country, table[i].country[0] ? table[i].country : "\0\0", 2);
		assert_int_equal(p.asn, table[i].asn);
		assert_int_equal(p.radius_km, table[i].radius);
		assert_true(p.lat == table[i].lat && p.lon == table[i].lon);
	}
}

static struct tg_geo *open_files(
		const char *city_path, const char *asn_path, struct tg_geo_status *st)
{
	struct tg_geo *g = NULL;

	assert_int_equal(tg_geo_open(city_path, asn_path, &g, st), 0);
	assert_non_null(g);
	return g;
}

static void facts(void **state)
{
	struct tg_geo_status st;
	struct tg_geo_place p;
	struct tg_geo *g = open_files(city, asn, &st);

	(void)state;
	check_table(g);
	assert_int_equal(st.result[TG_GEO_CITY], 0);
	assert_int_equal(st.result[TG_GEO_ASN], 0);
	assert_string_equal(st.text[TG_GEO_CITY], "Test-City");
	assert_string_equal(st.text[TG_GEO_ASN], "Test-ASN");
	assert_true(st.built[TG_GEO_CITY] > 1700000000);
	tg_geo_close(g);

	/* An IPv4-only tree knows nothing of IPv6; country goes before
	 * registered_country. */
	g = open_files(v4, NULL, &st);
	assert_int_equal(lookup(g, "192.0.2.9", &p), TG_GEO_KNOWS_COUNTRY);
	assert_memory_equal(p.country, "NL", 2);
	assert_int_equal(lookup(g, "2001:db8::1", &p), 0);
	tg_geo_close(g);
	tg_geo_close(NULL);
}

static void put_file(const void *data, size_t len)
{
	int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void expect_refusal(const char *path, int result, const char *part)
{
	struct tg_geo_status st;
	struct tg_geo_place p;
	struct tg_geo *g = open_files(path, asn, &st);

	assert_int_equal(st.result[TG_GEO_CITY], result);
	if(strstr(st.text[TG_GEO_CITY], part) == NULL)
		fail_msg("'%s' does not say '%s'", st.text[TG_GEO_CITY], part);
	assert_true(st.built[TG_GEO_CITY] == 0);
	/* The other file answers all the same. */
	assert_int_equal(lookup(g, "192.0.2.1", &p), TG_GEO_KNOWS_ASN);
	tg_geo_close(g);
}

static void reasons(void **state)
{
	int fd;

	(void)state;
	expect_refusal(NULL, -ENODATA, "no file is named");
	expect_refusal("", -ENODATA, "no file is named");
	expect_refusal(other, -ENOENT, "No such file");
	expect_refusal(dir, -EISDIR, "directory");
	put_file("", 0);
	expect_refusal(other, -EBADMSG, "empty");
	put_file("hello", 5);
	expect_refusal(other, -EBADMSG, "no MaxMind DB file");
	fd = open(other, O_WRONLY);
	assert_int_equal(ftruncate(fd, (off_t)TG_GEO_MAX_FILE + 1), 0);
	close(fd);
	expect_refusal(other, -EFBIG, "1024 MiB");
	unlink(other);
	assert_int_equal(mkfifo(other, 0600), 0);
	expect_refusal(other, -EINVAL, "Invalid");
	unlink(other);
}

static size_t read_all(const char *path, uint8_t *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, to, room);

	assert_true(fd >= 0 && n > 0 && (size_t)n < room);
	close(fd);
	return (size_t)n;
}

static void files_change(void **state)
{
	static uint8_t bytes[65536];
	struct tg_geo_status st;
	struct tg_geo_place p;
	struct tg_geo *old, *new;

	(void)state;
	put_file(bytes, read_all(city, bytes, sizeof(bytes)));
	old = open_files(other, asn, &st);
	/* Cut in place: a mapped file would end the process here. */
	assert_int_equal(truncate(other, 0), 0);
	check_table(old);
	/* Another file under the same name: the old handle keeps its answers. */
	put_file(bytes, read_all(v4, bytes, sizeof(bytes)));
	new = open_files(other, asn, &st);
	check_table(old);
	lookup(new, "192.0.2.1", &p);
	assert_memory_equal(p.country, "NL", 2);
	tg_geo_close(old);
	lookup(new, "192.0.2.1", &p);
	assert_memory_equal(p.country, "NL", 2);
	tg_geo_close(new);
	unlink(other);
}

static void allocations(void **state)
{
	struct tg_geo_status st;
	struct tg_geo *g;
	int failed = 0, rc;

	(void)state;
	for(unsigned nth = 1;; nth++) {
		support_fail_alloc(nth);
		rc = tg_geo_open(city, asn, &g, &st);
		if(rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(g);
		failed++;
	}
	support_fail_alloc(0);
	check_table(g);
	tg_geo_close(g);
	assert_int_equal(failed, 3); /* the handle, a buffer for each file */
}

/* Whatever the file holds, an answer is in range. Returns how much is known. */
static unsigned look_around(const struct tg_geo *g)
{
	unsigned known = 0;

	for(size_t i = 0; i < ROWS; i++) {
		struct tg_geo_place p;
		uint32_t k = lookup(g, table[i].address, &p);

		assert_int_equal(k & ~(uint32_t)ALL, 0);
		assert_int_equal(p.known, k);
		assert_true(fabs(p.lat) <= 90 && fabs(p.lon) <= 180);
		assert_true(p.radius_km <= 65535);
		if(k & TG_GEO_KNOWS_COUNTRY)
			assert_true(p.country[0] >= 'A' && p.country[0] <= 'Z'
						&& p.country[1] >= 'A' && p.country[1] <= 'Z');
		else
			assert_int_equal(p.country[0], 0);
		known += k != 0;
	}
	return known;
}

static int try_bytes(const uint8_t *bytes, size_t n)
{
	struct tg_geo_status st;
	struct tg_geo *g;
	int open;

	put_file(bytes, n);
	g = open_files(other, NULL, &st);
	open = st.result[TG_GEO_CITY] == 0;
	if(!open)
		assert_int_equal(st.result[TG_GEO_CITY], -EBADMSG);
	if(look_around(g) > 0)
		assert_true(open);
	tg_geo_close(g);
	return open;
}

static void damage(void **state)
{
	const char *const files[] = {city, asn, v4};
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0xe0, 0x1f};
	static uint8_t bytes[65536];
	unsigned opened = 0, refused = 0;

	(void)state;
	for(int f = 0; f < 3; f++) {
		size_t n = read_all(files[f], bytes, sizeof(bytes));

		for(size_t i = 0; i < n; i++)
			for(size_t k = 0; k < sizeof(flips); k++) {
				bytes[i] ^= flips[k];
				*(try_bytes(bytes, n) ? &opened : &refused) += 1;
				bytes[i] ^= flips[k];
			}
		/* Cut short, the metadata at the end is gone or torn. */
		for(size_t cut = 1; cut < n; cut++)
			*(try_bytes(bytes, cut) ? &opened : &refused) += 1;
		for(size_t gap = 16; gap < n / 2; gap += 7) {
			memmove(bytes, bytes + 7, n - gap);
			*(try_bytes(bytes, n - gap) ? &opened : &refused) += 1;
		}
	}
	unlink(other);
	print_message("%u damaged files opened, %u refused\n", opened, refused);
	assert_true(opened > 1000 && refused > 1000);
}

static void distances(void **state)
{
	static const struct
	{
		double lat1, lon1, lat2, lon2, km;
	} pairs[] = {
			{51.5074, -0.1278, 48.8566, 2.3522, 344},	   /* London Paris */
			{40.7128, -74.006, 51.5074, -0.1278, 5570},	   /* New York London */
			{-33.8688, 151.2093, 35.6762, 139.6503, 7823}, /* Sydney Tokyo */
			{52.52, 13.405, 48.1351, 11.582, 504},		   /* Berlin Munich */
			{-18.1416, 178.4419, -13.8507, -171.7514, 1150}, /* Suva Apia */
	};

	(void)state;
	for(size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		double there = tg_geo_distance_km(
				pairs[i].lat1, pairs[i].lon1, pairs[i].lat2, pairs[i].lon2);
		double back = tg_geo_distance_km(
				pairs[i].lat2, pairs[i].lon2, pairs[i].lat1, pairs[i].lon1);

		if(fabs(there - pairs[i].km) > pairs[i].km * 0.006)
			fail_msg("pair %zu: %.1f km, not %.1f", i, there, pairs[i].km);
		assert_true(fabs(there - back) < 1e-6);
	}
	assert_true(tg_geo_distance_km(10, 20, 10, 20) == 0);
	/* Half of the circumference; the date line is no edge. */
	assert_true(fabs(tg_geo_distance_km(0, 0, 0, 180) - 20015.1) < 0.1);
	assert_true(fabs(tg_geo_distance_km(90, 0, -90, 77) - 20015.1) < 0.1);
	assert_true(fabs(tg_geo_distance_km(0, 179.5, 0, -179.5) - 111.2) < 0.1);
	assert_true(fabs(tg_geo_distance_km(12.3, 45.6, -12.3, -134.4) - 20015.1)
				< 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(facts),
			cmocka_unit_test(reasons),
			cmocka_unit_test(files_change),
			cmocka_unit_test(allocations),
			cmocka_unit_test(damage),
			cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, make_files, drop_files);
}

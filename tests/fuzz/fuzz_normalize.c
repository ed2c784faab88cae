/*
 * Dialled numbers and rewriting: a byte that picks a country, then lines: calling
 * code, international and national prefixes (used when they pass the check, else
 * the country's), rewriting rules, and the number. What comes out must be a
 * number, be the same when dialled with '+', and fit no smaller room.
 *
 *   make fuzz F=normalize
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "callroute/decide/normalize.h"
#include "callroute/decide/rewrite.h"
#include "lib/geo/country.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)  \
	do {             \
		if(!(what))  \
			abort(); \
	} while(0)

/* The next line, its NUL put in place; "" at the end. */
static char *next_line(char **text)
{
	char *line = strsep(text, "\n");

	return line != NULL ? line : "";
}

/* A copy that ends where its memory ends, for reads past it to be seen. */
static char *exact(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	CHECK(copy != NULL);
	memcpy(copy, text, len);
	return copy;
}

static void try_normalize(
		const struct callroute_dialling *d, const char *number, size_t len)
{
	char out[CALLROUTE_SERVICE_MAX + 1], again[CALLROUTE_SERVICE_MAX + 2];
	int rc = callroute_normalize(d, number, len, out, sizeof(out));
	char *room, iso[3];

	if(rc < 0) {
		CHECK(rc != -ENOSPC && out[0] == '\0');
		CHECK(strcmp(callroute_normalize_reason(rc), "unknown") != 0);
		return;
	}
	CHECK(rc > 0 && (size_t)rc == strlen(out));
	room = malloc((size_t)rc);
	CHECK(room != NULL);
	CHECK(callroute_normalize(d, number, len, room, (size_t)rc) == -ENOSPC);
	free(room);
	if(strpbrk(out, "*#") != NULL) {
		CHECK(strspn(out, "0123456789*#") == (size_t)rc);
		CHECK(callroute_normalize(d, out, (size_t)rc, again, sizeof(again))
				== rc);
		CHECK(strcmp(out, again) == 0);
		return;
	}
	CHECK(rc <= CALLROUTE_E164_MAX && out[0] != '0');
	CHECK(strspn(out, "0123456789") == (size_t)rc);
	memmove(out + 1, out, (size_t)rc + 1);
	out[0] = '+';
	if(rc >= 3)
		CHECK(callroute_normalize(d, out, (size_t)rc + 1, again, sizeof(again))
						== rc
				&& strcmp(out + 1, again) == 0);
	if(tg_country_of(out + 1, (size_t)rc, iso) == 0)
		CHECK(tg_country_index(iso)
				== tg_country_index_of(out + 1, (size_t)rc));
}

static void try_rewrite(const char *rules, const char *number, size_t len)
{
	size_t size = len + CALLROUTE_REWRITE_SYMBOLS + 1;
	struct callroute_rewrite r;
	const char *bad;
	char *out = malloc(size);
	int rc = callroute_rewrite_parse(rules, &r, &bad);

	CHECK(out != NULL);
	if(rc < 0)
		CHECK(bad >= rules && bad <= rules + strlen(rules) && r.count == 0);
	else
		CHECK(bad == NULL && r.count <= CALLROUTE_REWRITE_RULES);
	rc = callroute_rewrite_apply(&r, number, len, out, size);
	if(rc < 0) {
		CHECK(rc != -ENOSPC && out[0] == '\0');
	} else {
		CHECK(rc > 0 && (size_t)rc == strlen(out));
		CHECK(strspn(out + (out[0] == '+'), "0123456789*#")
				== (size_t)rc - (out[0] == '+'));
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *at, *line, *number;
	const struct tg_country *country;
	struct callroute_dialling d, own = {.calling_code = ""};
	const char *bad;
	size_t len;

	if(size == 0)
		return 0;
	text = at = malloc(size);
	CHECK(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	country = tg_country_at(data[0] % TG_COUNTRIES);
	if(callroute_dialling_of(country->iso, &d) != 0)
		memset(&d, 0, sizeof(d));
	own.national_lengths = d.national_lengths;
	own.national_first = d.national_first;
	/* cut as they are: the check sees texts without an end, too */
	line = next_line(&at);
	memcpy(own.calling_code, line, strnlen(line, sizeof(own.calling_code)));
	line = next_line(&at);
	memcpy(own.intl_prefix, line, strnlen(line, sizeof(own.intl_prefix)));
	line = next_line(&at);
	memcpy(own.national_prefix, line,
			strnlen(line, sizeof(own.national_prefix)));
	line = next_line(&at);
	/* the rest: a number may hold anything */
	len = at != NULL ? size - 1 - (size_t)(at - text) : 0;
	number = exact(at != NULL ? at : "", len);

	try_normalize(&d, number, len);
	if(callroute_dialling_check(&own, &bad) == 0)
		try_normalize(&own, number, len);
	else
		CHECK(bad == own.calling_code || bad == own.intl_prefix
				|| bad == own.national_prefix);
	try_rewrite(line, number, len);
	if(tg_country_is_emergency(country, number, len))
		CHECK(len >= 2 && strspn(country->emergency, "0123456789,") > len - 1);
	free(number);
	free(text);
	return 0;
}

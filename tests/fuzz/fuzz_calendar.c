/*
 * Calendar rows: five lines (tz, dtstart, duration, rrule, exdate), expanded
 * over 400 days; what comes out must be sound and agree with itself. The same
 * bytes are then offered as an image.
 *
 *   make fuzz F=calendar
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/calendar/calendar.h"

#define FROM INT64_C(1790000000)
#define TILL (FROM + 400 * 86400)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const void *image)
{
	int64_t now = FROM, at;
	int open = tg_calendar_is_open(image, now);

	if(tg_calendar_is_open(image, FROM - 1) != -ERANGE
			|| tg_calendar_is_open(image, TILL) != -ERANGE)
		abort();
	while(tg_calendar_next_change(image, now, &at) == 0) {
		if(at <= now || tg_calendar_is_open(image, at) != !open
				|| tg_calendar_is_open(image, at - 1) != open)
			abort();
		open = !open;
		now = at;
	}
}

static void try_row(const uint8_t *data, size_t size)
{
	static _Alignas(8) uint8_t image[256 * 1024];
	char *text = malloc(size + 1), *field[5] = {NULL}, *p = text;
	struct tg_calendar_error err;
	size_t used;
	int rc;

	if(text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	for(int i = 0; i < 5 && p != NULL; i++)
		field[i] = strsep(&p, "\n");
	rc = tg_calendar_build(&(struct tg_calendar_row){field[0], field[1],
								   field[2], field[3], field[4]},
			FROM, TILL, image, sizeof(image), &used, &err);
	if(rc == 0) {
		if(tg_calendar_check(image, used) != 0)
			abort();
		walk(image);
	} else if(err.text[0] == '\0' || err.field == NULL)
		abort();
	free(text);
}

static void try_image(const uint8_t *data, size_t size)
{
	void *copy = aligned_alloc(8, (size + 8) & ~(size_t)7);
	int64_t at;

	if(copy == NULL)
		abort();
	memcpy(copy, data, size);
	if(tg_calendar_check(copy, size) == 0) {
		tg_calendar_is_open(copy, FROM);
		tg_calendar_next_change(copy, FROM, &at);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_row(data, size);
	try_image(data, size);
	return 0;
}

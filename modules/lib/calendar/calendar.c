/*
 * Calendar image: check and look up. calendar_expand.c makes it.
 *
 * Memory bound: none beyond the image, 24 B and 16 B a window.
 * Locking: none, nothing is written.
 * Failure mode: outside the horizon the answer is "unknown", never a guess.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar.h"

#include <errno.h>

#include "lib/calendar/calendar_image.h"

int tg_calendar_check(const void *image, size_t size)
{
	const struct calendar_image *c = image;
	int64_t last;

	if((uintptr_t)image % _Alignof(struct calendar_image) != 0
			|| size < sizeof(*c) || c->magic != CALENDAR_MAGIC
			|| c->from >= c->till
			|| c->windows > (size - sizeof(*c)) / sizeof(c->window[0]))
		return -EBADMSG;
	last = c->from;
	for(uint32_t i = 0; i < c->windows; i++) {
		const struct calendar_window *w = &c->window[i];

		if(w->from < last || (i > 0 && w->from == last) || w->from >= w->till
				|| w->till > c->till)
			return -EBADMSG;
		last = w->till;
	}
	return 0;
}

/* Index of the first window that ends after `now`; `windows` if none does. */
static uint32_t first_ending_after(const struct calendar_image *c, int64_t now)
{
	uint32_t lo = 0, hi = c->windows;

	while(lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if(c->window[mid].till > now)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int tg_calendar_is_open(const void *image, int64_t now)
{
	const struct calendar_image *c = image;
	uint32_t i;

	if(now < c->from || now >= c->till)
		return -ERANGE;
	i = first_ending_after(c, now);
	return i < c->windows && c->window[i].from <= now;
}

int tg_calendar_next_change(const void *image, int64_t now, int64_t *at)
{
	const struct calendar_image *c = image;
	int64_t change;
	uint32_t i;

	if(now < c->from || now >= c->till)
		return -ERANGE;
	i = first_ending_after(c, now);
	if(i == c->windows)
		return -ENOENT;
	change = c->window[i].from > now ? c->window[i].from : c->window[i].till;
	/* A window that reaches the end of the horizon may go on after it. */
	if(change == c->till)
		return -ENOENT;
	*at = change;
	return 0;
}

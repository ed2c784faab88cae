/*
 * Time zones: from wall-clock time to UTC; private to calendar*.c. Wall-clock
 * times are seconds since 1970, as if the clock showed UTC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_ZONE_H
#define TG_CALENDAR_ZONE_H

#include <stdint.h>

#include "lib/calendar/calendar.h"

struct calendar_zone; /* libical's, never freed */

/* NULL with *err filled when the system has no such zone. */
struct calendar_zone *calendar_zone_find(
		const char *tz, struct tg_calendar_error *err);

/* In the hour that a clock change leaves out, the offset before the change is
 * used; in the hour that a clock change repeats, the first pass. */
int64_t calendar_zone_to_utc(struct calendar_zone *zone, int64_t wall);

#endif

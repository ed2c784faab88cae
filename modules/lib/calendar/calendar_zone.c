/*
 * Time zones. The only source file that uses libical, for reading the system's
 * time zone files. The conversion from wall clock to UTC is done here.
 *
 * Memory bound: none here; libical keeps each zone it has read, some 100 KiB.
 * Locking: none; libical shares its zones among threads (see calendar.h).
 * Failure mode: an unknown zone is an error with its name. libical may crash
 * when an allocation fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/calendar/calendar_zone.h"

#include <libical/ical.h>

#include "lib/calendar/calendar_day.h"
#include "lib/calendar/calendar_parse.h"

struct calendar_zone *calendar_zone_find(
		const char *tz, struct tg_calendar_error *err)
{
	icaltimezone *zone = icaltimezone_get_builtin_timezone(tz);

	if(zone == NULL)
		calendar_fail(err, "tz", "'%s' is not in the system's time zones (%s)",
				tz,
				icaltimezone_get_builtin_timezone("Europe/Berlin") != NULL
						? "names look like Europe/Berlin"
						: "nor is any other: install tzdata");
	return (struct calendar_zone *)zone;
}

static int64_t offset_at(struct calendar_zone *zone, int64_t utc)
{
	struct icaltimetype t = icaltime_from_timet_with_zone(
			(time_t)utc, 0, icaltimezone_get_utc_timezone());
	int is_daylight;

	t.zone = NULL;
	return icaltimezone_get_utc_offset_of_utc_time(
			(icaltimezone *)zone, &t, &is_daylight);
}

/*
 * No offset is as large as a day, and no zone changes twice in two days. So the
 * offset of a day earlier is the offset before any change near `wall`. If this
 * offset fits, it is right, also in a repeated hour. If the offset after the
 * change does not fit either, the wall clock never showed this time, and the
 * offset before the change is used.
 */
int64_t calendar_zone_to_utc(struct calendar_zone *zone, int64_t wall)
{
	int64_t before = offset_at(zone, wall - CALENDAR_DAY);
	int64_t after = offset_at(zone, wall - before);

	if(after != before && offset_at(zone, wall - after) == after)
		return wall - after;
	return wall - before;
}

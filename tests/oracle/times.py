# SPDX-License-Identifier: GPL-2.0-or-later
"""When a row of callroute_time holds: dateutil reads the rule, zoneinfo the clock.

Starts are found on the wall clock and then put on the time line, as RFC 5545 has
it: in the hour that a clock change leaves out, the offset before the change
holds; in the hour that it repeats, the first pass is meant.
"""

import re
from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

DAY = 86400
HORIZON = (-DAY, 1100 * DAY)  # what a load knows of the time around it
LAST = datetime(2031, 1, 1)  # no data set looks further


def instant(wall, zone):
    """Seconds since 1970 of a time on a wall clock (fold 0: RFC 5545's choices)."""
    return int(wall.replace(tzinfo=zone).timestamp())


def parse_local(text):
    return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")


def parse_duration(text, whole_days):
    """(days on the wall clock, exact seconds)"""
    if text == "" and whole_days:
        return 1, 0
    found = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    weeks, days, hours, minutes, seconds = (int(n or 0) for n in found.groups())
    return 7 * weeks + days, hours * 3600 + minutes * 60 + seconds


def naive_rule(rule, zone):
    """The rule with an UNTIL in UTC put on the wall clock, where dateutil counts."""

    def local(found):
        until = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        return "UNTIL=" + until.astimezone(zone).strftime("%Y%m%dT%H%M%S")

    return re.sub(r"UNTIL=(\d{8}T\d{6}Z)", local, rule)


class Time:
    """Windows of one row: sorted, merged, [from, till)."""

    def __init__(self, tz, dtstart, duration, rrule, exdate):
        zone = ZoneInfo(tz)
        first = parse_local(dtstart)
        days, seconds = parse_duration(duration, "T" not in dtstart)
        starts = [first]
        if rrule:
            rule = rrulestr(naive_rule(rrule, zone), dtstart=first)
            starts = []
            for start in rule:
                if start > LAST:
                    break
                starts.append(start)
        out_days, out_times = set(), set()
        for word in filter(None, exdate.split(",")):
            if "T" not in word:
                out_days.add(parse_local(word).date())
            elif word.endswith("Z"):
                out_times.add(int(datetime.strptime(word, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()))
            else:
                out_times.add(instant(parse_local(word), zone))
        windows = []
        for start in starts:
            at = instant(start, zone)
            if start.date() not in out_days and at not in out_times:
                end = instant(start + timedelta(days=days), zone) if days else at
                windows.append((at, end + seconds))
        self.edges = self.merge(sorted(windows))

    @staticmethod
    def merge(windows):
        """[open, close, open, close ...]"""
        edges = []
        for at, till in windows:
            if edges and at <= edges[-1]:
                edges[-1] = max(edges[-1], till)
            elif till > at:
                edges += [at, till]
        return edges

    def holds(self, now, loaded_at):
        """Nothing holds outside the time that the load knew of."""
        if not loaded_at + HORIZON[0] <= now < loaded_at + HORIZON[1]:
            return False
        return bisect_right(self.edges, now) % 2 == 1

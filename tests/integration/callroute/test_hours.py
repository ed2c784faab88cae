# SPDX-License-Identifier: GPL-2.0-or-later
"""A call in every hour of the week around each change of the clocks: who is open then, by the wall clock alone.

callroute.explain is asked for a moment to come, of which nothing but Python's zoneinfo
knows what a clock there shows; a call can only be made now.
"""

import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from support import ports
from support.routing import Routing, Trunk

HOUR, DAY = 3600, 86400
NUMBER = "4930123456"


def wall(at, zone):
    """What a clock in the zone shows."""
    return datetime.fromtimestamp(at, zone)


def began(zone, day, hour, minute=0):
    """Unix time of this hour of a day; where the clocks jump over it, of when it would have been."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(timezone.utc).timestamp()


def is_office(at, zone):
    """Nine to five on weekdays."""
    shown = wall(at, zone)
    return shown.weekday() < 5 and 9 <= shown.hour < 17


def is_night(at, zone):
    """Eight hours from ten in the evening on, by a stopwatch."""
    day = wall(at, zone).date()
    return any(0 <= at - began(zone, one, 22) < 8 * HOUR for one in (day, day - timedelta(days=1)))


def is_sunday(at, zone):
    """The whole day, which has 23 or 25 hours when the clocks change."""
    return wall(at, zone).weekday() == 6


def is_small_hours(at, zone):
    """One to five in the morning, by a stopwatch: the change falls into it."""
    day = wall(at, zone).date()
    return 0 <= at - began(zone, day, 1) < 4 * HOUR


FORMS = {
    "office": (is_office, "20250106T090000", "PT8H", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    "night": (is_night, "20250106T220000", "PT8H", "FREQ=DAILY"),
    "sunday": (is_sunday, "20250105", "", "FREQ=WEEKLY;BYDAY=SU"),
    "small": (is_small_hours, "20250106T010000", "PT4H", "FREQ=DAILY"),
}


def clock_changes(zone):
    """The moments within a year from tomorrow on at which another offset begins."""
    first = (int(time.time()) // HOUR + 8 * 24) * HOUR
    offsets = [(at, wall(at, zone).utcoffset()) for at in range(first, first + 366 * DAY, HOUR // 2)]
    return [at for (_, before), (at, now) in zip(offsets, offsets[1:]) if before != now]


def calendar(key, zone, dtstart, duration, rrule):
    """A row of callroute_time."""
    return ("INSERT INTO callroute_time (id, tz, dtstart, duration, rrule) "
            f"VALUES ({key}, '{zone}', '{dtstart}', '{duration}', '{rrule}')")


def open_at(trunks, sql, **how):
    """Trunk number n by calendar number n."""
    sql = [*sql, "UPDATE callroute_plan_trunk SET time_id = trunk_id"]
    return {"trunks": trunks, "sql": sql, "params": "debug=1", **how}


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_hour_of_the_weeks_around_the_clock_changes(tmp_path, name):
    zone = ZoneInfo(name)
    changes = clock_changes(zone)
    assert len(changes) >= 2, [wall(at, zone).isoformat() for at in changes]
    trunks = [Trunk(form, 1000 + n, uri=f"sip:{ports.TRUNKS}:9") for n, form in enumerate(FORMS)]
    rows = [calendar(key, name, *row[1:]) for key, row in enumerate(FORMS.values(), 1)]
    moments = [at + second for change in changes[:2] for at in range(change - 84 * HOUR, change + 84 * HOUR, HOUR // 2)
               for second in (-1, 0)]
    seen = set()
    with Routing(tmp_path, **open_at(trunks, rows)) as routing:
        for at in moments:
            wanted = [form for form, (is_open, *_) in FORMS.items() if is_open(at, zone)]
            said = routing.rpc("callroute.explain", NUMBER, "default", "-", at)
            assert said["chosen"] == wanted, wall(at, zone).isoformat()
            assert (said["verdict"], said["reason"]) == ((1, "ok") if wanted else (-6, "time"))
            fates = {one["trunk"]: one["fate"] for one in said["vendors"]}
            assert fates == {form: "chosen" if form in wanted else "time" for form in FORMS}
            seen.add(tuple(wanted))
    assert len(moments) == 2 * 168 * 2 * 2
    # Each calendar was open and shut, and all were shut at once.
    assert () in seen and set().union(*seen) == set(FORMS), seen


@pytest.mark.parametrize("name", ["Asia/Kathmandu", "America/New_York"])
def test_a_call_goes_by_the_trunk_of_this_hour(tmp_path, name):
    """One trunk for each hour of the day there; of 24 one takes the call, and it is the right one."""
    zone = ZoneInfo(name)
    trunks = [Trunk(f"h{hour}", 1000) for hour in range(24)]
    rows = [calendar(hour + 1, name, f"20250106T{hour:02}0000", "PT1H", "FREQ=DAILY") for hour in range(24)]
    with Routing(tmp_path, **open_at(trunks, rows)) as routing:
        for _ in range(3):
            before = wall(time.time(), zone).hour
            answer, tried = routing.call("+" + NUMBER)
            after = wall(time.time(), zone).hour
            if before == after:
                break
        assert answer.status == 200 and tried == [f"h{before}"], (answer, tried)


def test_a_call_outside_of_all_times_is_refused(tmp_path):
    """The calendar of an hour that is over."""
    past = datetime.now(timezone.utc) - timedelta(hours=2)
    rows = [calendar(1, "UTC", past.strftime("%Y%m%dT%H%M%S"), "PT1H", "")]
    with Routing(tmp_path, **open_at([Trunk("one")], rows)) as routing:
        answer, tried = routing.call("+" + NUMBER)
        assert (answer.status, answer.reason, tried) == (480, "time", [])


def test_a_rule_by_its_time(tmp_path):
    """The same calendars bind rules: one that holds now blocks, one that held an hour ago does not."""
    now = datetime.now(timezone.utc)
    rows = [calendar(1, "UTC", (now - timedelta(hours=1)).strftime("%Y%m%dT%H%M%S"), "PT2H", ""),
            calendar(2, "UTC", (now - timedelta(hours=2)).strftime("%Y%m%dT%H%M%S"), "PT1H", ""),
            "INSERT INTO callroute_rule (plan_id, prefix, time_id, action) VALUES (1, '4930', 1, 'block')",
            "INSERT INTO callroute_rule (plan_id, prefix, time_id, action) VALUES (1, '4940', 2, 'block')"]
    with Routing(tmp_path, [Trunk("one")], sql=rows, params="debug=1") as routing:
        assert routing.call("+4930123")[0].reason == "rule_block"
        answer, tried = routing.call("+4940123")
        assert (answer.status, tried) == (200, ["one"])

# SPDX-License-Identifier: GPL-2.0-or-later
"""A call every half hour of the week around each clock change: who is open then, by the wall clock alone.

Beside the oracle of the rules (times.py) stands a plainer one: it knows no rule,
only what a clock on the wall shows.
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from oracle.plain import plain_world, question
from oracle.replay import Answers, replay

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
YEAR_START, HALF_HOUR = 1767225600, 1800  # 2026
NUMBER = "4930901820"


def clock_changes(zone):
    """UTC seconds of the half hours of 2026 with which another offset begins."""
    def offset(at):
        return datetime.fromtimestamp(at, zone).utcoffset()

    year = range(YEAR_START + HALF_HOUR, YEAR_START + 365 * 86400, HALF_HOUR)
    return [at for at in year if offset(at) != offset(at - HALF_HOUR)]


def is_office(at, zone):
    wall = datetime.fromtimestamp(at, zone)
    return wall.weekday() < 5 and 9 <= wall.hour < 17


def is_night(at, zone):
    """Eight hours from 22:00, whatever the clock does meanwhile."""
    day = datetime.fromtimestamp(at, zone).date()
    starts = [datetime(d.year, d.month, d.day, 22, tzinfo=zone) for d in (day, day - timedelta(days=1))]
    return any(0 <= at - start.astimezone(timezone.utc).timestamp() < 8 * 3600 for start in starts)


def is_sunday(at, zone):
    return datetime.fromtimestamp(at, zone).weekday() == 6


FORMS = (
    ("office", is_office, "20250106T090000", "PT8H", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    ("night", is_night, "20250106T220000", "PT8H", "FREQ=DAILY"),
    ("sunday", is_sunday, "20250105", "", "FREQ=WEEKLY;BYDAY=SU"),
)


def compare_hours(decide):
    """How many calls were equal, by zone; raises on the first that is not."""
    equal = {}
    for name in ZONES:
        zone = ZoneInfo(name)
        changes = clock_changes(zone)
        assert len(changes) == 2, f"{name} changes its clocks at {changes}"
        for change in changes:
            equal[name] = equal.get(name, 0) + compare_week(decide, name, zone, change)
    return equal


def compare_week(decide, name, zone, change):
    week = range(change - 84 * 3600, change + 84 * 3600 + 1, HALF_HOUR)
    asked = [(question(form[0], NUMBER, at), form[1](at, zone)) for form in FORMS for at in week]
    world = plain_world(
        week[0], [q for q, _ in asked],
        time=[{"id": i, "tz": name, "dtstart": form[2], "duration": form[3], "rrule": form[4]}
              for i, form in enumerate(FORMS, 1)],
        carrier=[{"id": 1, "name": "c"}], trunk=[{"id": 1, "carrier_id": 1, "name": "t"}],
        deck=[{"id": 1, "name": "d"}], rate=[{"id": 1, "deck_id": 1, "prefix": "49", "price": 1}],
        plan=[{"id": i, "name": form[0]} for i, form in enumerate(FORMS, 1)],
        plan_trunk=[{"id": i, "plan_id": i, "trunk_id": 1, "deck_id": 1, "time_id": i} for i in range(1, 4)])
    replay(world, Answers(decide, [world]))
    answers = Answers(decide, [world])
    assert (answers.next(), answers.next()) == ("new", "built")
    for call, is_open in asked:
        verdict = answers.next().split("\t")[0]
        assert verdict == ("1" if is_open else "-6"), f"{name} {call['plan']} at {call['now']}: verdict {verdict}"
    return len(asked)

# SPDX-License-Identifier: GPL-2.0-or-later
"""drouting's timerec (dtstart|duration|freq|until|interval|byday|bymonthday|byyday|byweekno|bymonth) as RFC 5545.

Written after what drouting's dr_time.c does, which in places is not what its
manual says. Where the two differ and only the operator can know which of them
is meant, the row is refused with the difference; nothing is guessed.

What drouting does, and the rows here keep:
- no dtstart: always; no duration: for good from dtstart on;
- the first window runs from dtstart for the whole duration, whatever the rest says;
- every other window ends at midnight of the day it began on.
"""

import datetime
import re

_FIELDS = ("dtstart", "duration", "freq", "until", "interval", "byday", "bymonthday", "byyday", "byweekno", "bymonth")
_DAY = 86400
_UNITS = {"W": 7 * _DAY, "D": _DAY, "H": 3600, "M": 60, "S": 1}
_FREQS = ("daily", "weekly", "monthly", "yearly")


class TimeError(Exception):
    """No row here would hold at the same times; the text says why."""


def _moment(text):
    try:
        return datetime.datetime.strptime(text, "%Y%m%dT%H%M%S") if len(text) == 15 else None
    except ValueError:
        return None


def _seconds(text):
    """drouting's duration; it takes one that it cannot read as none, that is as for ever."""
    match = re.fullmatch(r"(?:P(?:\d+[WD])*T?)?(?:\d+[HMS])*", text, re.I)
    parts = re.findall(r"(\d+)([WDHMS])", text.upper())
    if not match or not parts:
        raise TimeError(f"duration {text!r} is unreadable, and drouting takes that as for ever")
    return sum(int(count) * _UNITS[unit] for count, unit in parts)


def _duration(seconds):
    days, rest = divmod(seconds, _DAY)
    if days and not rest:
        return f"P{days}D"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return "PT" + "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)


def _byday(text, freq):
    days = text.upper().replace(" ", "").replace("\t", "").split(",")
    if not all(re.fullmatch(r"[+-]?\d*(MO|TU|WE|TH|FR|SA|SU)", day) for day in days):
        raise TimeError(f"byday {text!r} is unreadable")
    top = {"monthly": 3, "yearly": 51}.get(freq, 0)
    for day in days:
        count = int(day[:-2] or 0)
        if top and not 1 <= count <= top:
            raise TimeError(
                f"byday {day} with {freq}: drouting takes only the 1st to the {top}th day from the start as they"
                " are written, an unnumbered one never and one from the end wrongly"
            )
        if not top and day[:-2]:
            raise TimeError(f"byday {day} with {freq}: drouting ignores the number, RFC 5545 forbids it")
    return ",".join(day.lstrip("+") for day in days)


def _bymonthday(text):
    days = text.replace(" ", "").replace("\t", "").split(",")
    for day in days:
        if not re.fullmatch(r"[+-]?\d{1,2}", day) or not 1 <= abs(int(day)) <= 31:
            raise TimeError(f"bymonthday {text!r} is unreadable")
        if int(day) > 27:
            raise TimeError(f"bymonthday {day}: drouting never takes the last day of a month by its number")
    return ",".join(day.lstrip("+") for day in days)


def _rule(part, freq):
    """The RRULE without UNTIL."""
    for name, why in (
        ("byyday", "drouting counts days of the year from 0, against its manual"),
        ("byweekno", "drouting counts weeks from the first Monday, not as ISO 8601"),
        ("bymonth", "drouting counts months from 0 (1 is February), against its manual"),
    ):
        if part[name]:
            raise TimeError(f"{name} {part[name]}: {why}; write the days that are meant")
    if part["interval"] and not re.fullmatch(r"\d", part["interval"]):
        raise TimeError(f"interval {part['interval']}: drouting adds up the digits of a number above 9")
    interval = int(part["interval"] or 1) or 1
    if part["bymonthday"] and part["byday"] and freq in ("monthly", "yearly"):
        raise TimeError("byday and bymonthday together: drouting counts the days another way than RFC 5545")
    if part["bymonthday"] and freq == "weekly":
        if interval > 1:
            raise TimeError("bymonthday with weekly and an interval: RFC 5545 has no such rule")
        freq = "daily"
    rule = f"FREQ={freq.upper()}" + (f";INTERVAL={interval}" if interval > 1 else "")
    rule += f";BYDAY={_byday(part['byday'], freq)}" if part["byday"] else ""
    return rule + (f";BYMONTHDAY={_bymonthday(part['bymonthday'])}" if part["bymonthday"] else "")


def _opens_at_once(start, part, freq):
    """Does the recurrence open at dtstart itself? If not, RFC 5545 has no first window there."""
    if part["byday"] and freq in ("daily", "weekly"):
        return start.strftime("%a").upper()[:2] in part["byday"].upper()
    if part["byday"]:
        return False  # by number: not worked out, and only asked about a window that is still to come
    if part["bymonthday"]:
        return str(start.day) in re.split(r"[,\s+]+", part["bymonthday"])
    return True


def convert(text, zone, now):
    """(columns of callroute_time or None for always, [notes]). `now`: local time in `zone`, naive. TimeError."""
    part = dict(zip(_FIELDS, text.split("|") + [""] * len(_FIELDS)))
    if not part["dtstart"]:
        return None, []
    start = _moment(part["dtstart"])
    if not start:
        raise ValueError(f"dtstart {part['dtstart']!r} is unreadable")
    if not zone:
        raise TimeError("times need a zone: give --tz, the one that Kamailio runs in")

    def row(duration, rule):
        columns = {"tz": zone, "dtstart": part["dtstart"], "duration": duration, "rrule": rule, "exdate": ""}
        return tuple(columns.items())

    if not part["duration"]:
        if start <= now:
            return None, [f"timerec {text}: without a duration it holds for good, and it began: always"]
        return row("P1D", "FREQ=DAILY"), []
    length = _seconds(part["duration"])
    if not length:
        raise TimeError("duration 0: drouting takes it as for ever")
    freq = part["freq"].lower()
    if freq not in _FREQS:
        return row(_duration(length), ""), []
    return _recurring(text, part, start, length, now, row)


def _recurring(text, part, start, length, now, row):
    freq, notes = part["freq"].lower(), []
    rule = _rule(part, freq)
    midnight = _DAY - (start.hour * 3600 + start.minute * 60 + start.second)
    span = datetime.timedelta(seconds=length)
    if start + span > now and (length > midnight or not _opens_at_once(start, part, freq)):
        raise TimeError("its first window is still to come and unlike the others: let dtstart be a day gone by")
    if length > midnight:
        notes.append(f"timerec {text}: drouting ends it at midnight, and so does the row; callroute could go on")
        length = midnight
    if part["until"]:
        until = _moment(part["until"])
        if not until:
            notes.append(f"timerec {text}: drouting cannot read until and has no end; neither has the row")
        else:
            late = until.replace(hour=start.hour, minute=start.minute, second=start.second)
            late += datetime.timedelta(days=late <= until)
            if late < until + span and until + span > now:
                raise TimeError(f"until {part['until']} cuts a window short in drouting: let it be the end of a day")
            rule += f";UNTIL={part['until']}"
    return row(_duration(length), rule), notes

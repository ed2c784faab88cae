# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of callroute_time that data sets draw from: every form that operators write, at clock changes too."""

import random
from functools import lru_cache

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland",
         "America/Sao_Paulo", "Europe/London")
# (dtstart's time of day or "" for whole days, durations, rules)
FORMS = (
    ("T090000", "PT8H PT9H30M", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    ("T013000", "PT1H PT45M", "FREQ=DAILY"),
    ("T023000", "PT1H PT90M", "FREQ=DAILY"),
    ("T220000", "PT8H P1D", "FREQ=DAILY;INTERVAL=2"),
    ("T220000", "PT8H", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;WKST=SU"),
    ("T000000", "P1DT12H P2D PT36H", "FREQ=WEEKLY;BYDAY=SA"),
    ("T120000", "PT20M", "FREQ=HOURLY;INTERVAL=5"),
    ("", " P1D P3D P1W", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"),
    ("", "", "FREQ=YEARLY;BYMONTH=1,5,12;BYMONTHDAY=1,24,25,26"),
    ("", "", "FREQ=WEEKLY;BYDAY=SA,SU"),
    ("T080000", "PT10H", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
    ("T080000", "PT10H", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ("T170000", "PT3H", ""),
    ("", "P2W", ""),
)


@lru_cache(maxsize=None)
def calendars():
    r = random.Random("calendars")
    rows = []
    for n in range(84):
        clock, durations, rule = FORMS[n % len(FORMS)]
        day = f"{r.choice((2024, 2025, 2026))}{r.randint(1, 12):02}{r.randint(1, 28):02}"
        if "HOURLY" in rule or rule == "":
            day = f"2026{r.randint(1, 10):02}{r.randint(1, 28):02}"
        end = r.random()
        if rule and end < 0.1:
            rule += f";COUNT={r.randint(1, 300)}"
        elif rule and end < 0.3:
            rule += ";UNTIL=20261230" + (r.choice(("T120000Z", "T120000")) if clock else "")
        outs = [f"{r.choice((2025, 2026))}{m:02}{r.randint(1, 28):02}" for m in r.sample(range(1, 13), 4)]
        rows.append({"tz": r.choice(ZONES), "dtstart": day + clock, "duration": r.choice(durations.split(" ")),
                     "rrule": rule, "exdate": ",".join(outs) if r.random() < 0.4 else ""})
    return tuple(rows)

# SPDX-License-Identifier: GPL-2.0-or-later
"""db/import.py against a model: random decks, random sheets, many rounds.

The model knows nothing of how the import works. It answers one question: which
price holds for a prefix at a moment, given the table before and the sheet? The
table after must answer the same at every moment at which anything changes. What
a dry run announced must be what a comparison of the two tables finds, and a
rollback must bring the table back row for row.
"""

import collections
import json
import random

import pytest

from support.decks import DeckBase, sqlite_sql
from support.mariadb import mariadb

PRICE, FROM, TILL, BLOCKED = 2, 6, 7, 8
DAY = 86400
START = 1780272000     # the clock of the first round
PREFIXES = ["1", "12", "123", "49", "491", "492", "4930", "7", "77", "8", "81", "82", "86", "9", "99", "*5", "#31"]
FORCE = ("--force", "--json")


def holding(rows, moment):
    """The row that holds at a moment, or None. Rows of one key never overlap."""
    found = [row for row in rows if row[FROM] <= moment and (not row[TILL] or moment < row[TILL])]
    assert len(found) <= 1, found
    return found[0] if found else None


def by_key(rows):
    """{(prefix, src_prefix): rows}"""
    out = collections.defaultdict(list)
    for row in rows:
        out[row[:2]].append(row)
    return out


def live(rows, now):
    """Those that hold now or will."""
    return [row for row in rows if not row[TILL] or row[TILL] > now]


def random_sheet(rng, now):
    """{key: [(from or None, till or 0, price or None for gone or -1 for blocked)]}, without overlaps."""
    sheet, first = {}, rng.choice([-20, -20, 1])    # some sheets lie wholly in the future
    for prefix in rng.sample(PREFIXES, rng.randint(1, len(PREFIXES))):
        key = prefix, rng.choice(["", "", "", "44"])
        at = now + rng.randint(first, 20) * DAY
        lines = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            till = at + rng.randint(1, 9) * DAY if rng.random() < 0.2 else 0
            price = rng.choice([None, -1] + [rng.randint(0, 5)] * 8)
            lines.append((at, till, price))
            at = (till or at + DAY) + rng.randint(0, 9) * DAY
        if first < 0 and rng.random() < 0.3:
            lines = [(None, 0, lines[0][2])]
        sheet[key] = lines
    return sheet


def sheet_text(rng, sheet):
    """The sheet as CSV, its lines in no order."""
    lines = [f"{key[0]},{key[1]},{'' if price is None else 'blocked' if price < 0 else f'0.{price}'},"
             f"{stamp(start)},{stamp(till)},{'deleted' if price is None else 'new'},6/6"
             for key, several in sheet.items() for start, till, price in several]
    rng.shuffle(lines)
    return "Code,Origin,Rate,Valid From,Valid Till,Change,Increment\n" + "\n".join(lines) + "\n"


def stamp(moment):
    """A moment as a cell."""
    if not moment:
        return ""
    day, rest = divmod(moment - START, DAY)
    return f"{_date(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def _date(day):
    """A date counted from 2026-06-01, by a calendar of its own."""
    year, month, day = 2026, 6, day + 1
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    while day < 1:
        month -= 1
        day += lengths[month - 1]
    while day > lengths[month - 1]:
        day -= lengths[month - 1]
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return f"{year}-{month:02}-{day:02}"


def wanted(before, sheet, key, moment, now, replace):
    """What must hold: (price, blocked), or None."""
    lines = sheet.get(key)
    begin = now if lines and lines[0][0] is None else lines[0][0] if lines else None
    if not lines and replace:
        begin = max(now, min(now if line[0] is None else line[0] for several in sheet.values() for line in several))
    if begin is None or moment < begin:
        row = holding(before[key], moment)
        return row and (row[PRICE], row[BLOCKED])
    started = [line for line in lines or () if (line[0] or begin) <= moment]
    if not started or started[-1][2] is None or 0 < started[-1][1] <= moment:
        return None
    price = started[-1][2]
    return (0, 1) if price < 0 else (price * 100000, 0)


def check_meaning(before, after, sheet, now, replace):
    """At every moment of a change, and one second before, the table says what it must."""
    before, after = by_key(before), by_key(after)
    checked = 0
    for key in {*before, *after, *sheet}:
        moments = {now} | {edge for row in before[key] + after[key] for edge in row[FROM:TILL + 1]}
        moments |= {edge for several in sheet.values() for line in several for edge in line[:2] if edge}
        for moment in {edge + shift for edge in moments for shift in (-1, 0)}:
            if moment >= now:
                row = holding(after[key], moment)
                must = wanted(before, sheet, key, moment, now, replace)
                assert (row and (row[PRICE], row[BLOCKED])) == must, (key, moment, now, replace, sheet.get(key))
                checked += 1
    return checked


def check_shape(rows):
    """No row that never holds, and no two neighbours in time that could be one."""
    for several in by_key(rows).values():
        several.sort(key=lambda row: row[FROM])
        for row, following in zip(several, several[1:] + [None]):
            assert not row[TILL] or row[FROM] < row[TILL], row
            if following and row[TILL] == following[FROM]:
                assert row[PRICE:FROM] + row[BLOCKED:] != following[PRICE:FROM] + following[BLOCKED:], (row, following)


def check_numbers(said, before, after, sheet, now):
    """What the dry run said is what the two tables differ in."""
    gone, come = collections.Counter(before), collections.Counter(after)
    added, removed = list((come - gone).elements()), list((gone - come).elements())
    assert (said["before"], said["after"]) == (len(before), len(after))
    assert (said["added"], said["removed"]) == (len(added), len(removed))
    old, new = by_key(before), by_key(after)
    touched = {row[:2] for row in added + removed}
    stated = {key for key, lines in sheet.items() if any(line[2] is not None for line in lines)}
    had = {key for key in old if live(old[key], now)}
    assert said["destinations"] == len(had)
    assert said["new"] == len({key for key in new if key not in had and key in touched})
    lost = {key for key in touched & had if not new[key] or key not in stated}
    assert said["lost"] == len(lost) and said["changed"] == len((touched & had) - lost)
    assert said["same"] == len(had - touched)
    rises = falls = 0
    for row in added:
        base = holding(old[row[:2]], max(row[FROM], now))
        if base and not base[BLOCKED] and not row[BLOCKED]:
            rises += row[PRICE] > base[PRICE]
            falls += row[PRICE] < base[PRICE]
    assert (said["rises"], said["falls"]) == (rises, falls)


def rounds(base, seed, count):
    """Play rounds on one deck, the clock going on; how many moments were compared."""
    rng = random.Random(seed)
    assert base.sql("SELECT COUNT(*) FROM callroute_deck") == [("0",)]
    base.load("Code,Rate\n1,0.1\n", "--mode", "merge", "--create", "EUR")
    now, checked = START, 0
    for _ in range(count):
        now += rng.randint(0, 12) * DAY + rng.randint(1, 9)
        before, sheet = base.rows(), random_sheet(rng, now)
        mode = rng.choice(["replace", "merge"])
        text = sheet_text(rng, sheet)
        how = ("--mode", mode, "--now", stamp(now), *FORCE)
        said = json.loads(base.load(text, *how, "--dry-run").stdout)
        assert base.rows() == before
        revision = base.revision()
        assert json.loads(base.load(text, *how).stdout) == {**said, "dry_run": False}
        after = base.rows()
        check_shape(after)
        check_numbers(said, before, after, sheet, now)
        checked += check_meaning(before, after, sheet, now, mode == "replace")
        if after == before:
            assert base.revision() == revision
            continue
        assert base.revision() == revision + 1
        again = json.loads(base.load(text, *how).stdout)
        assert (again["added"], again["removed"]) == (0, 0), "the same sheet again changes nothing"
        for state in (before, after):
            assert base.do("x", "--rollback").returncode == 0
            assert base.rows() == state
    return checked


@pytest.mark.parametrize("seed", range(4))
def test_random_sheets_on_sqlite(tmp_path, seed):
    """Rounds on a file."""
    path = tmp_path / "decks.sqlite"
    assert rounds(DeckBase(tmp_path, ["--path", path], sqlite_sql(path)), seed, 12) > 1000


def test_random_sheets_on_mariadb(tmp_path):
    """The same on a server."""
    with mariadb(tmp_path) as server:
        base = DeckBase(tmp_path, server.options, server.sql)
        assert rounds(base, 100, 12) > 1000

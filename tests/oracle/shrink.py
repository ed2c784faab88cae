# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest data set that still differs: rows and events are left out one after the other."""

import copy

from oracle.replay import Answers, Difference, replay
from oracle.world import COLUMNS, World

# What a row points to: without that row it cannot stand.
REFERS = {"carrier_id": "carrier", "deck_id": "deck", "plan_id": "plan", "trunk_id": "trunk", "breaker_id": "breaker",
          "time_id": "time", "sell_deck_id": "deck"}


def is_whole(rows):
    """Whether every reference leads somewhere."""
    ids = {table: {row["id"] for row in rows[table]} | {0} for table in COLUMNS}
    if any(row[column] not in ids[table] for some in rows.values() for row in some
           for column, table in REFERS.items() if column in row):
        return False
    names = {t["name"] for t in rows["trunk"]}
    plans = {p["name"] for p in rows["plan"]} | {"*"}
    targets = [name.strip() for rule in rows["rule"] if rule["action"] in ("route", "emergency")
               for name in rule["target"].split(",") if name.strip()]
    return names.issuperset(targets) and plans.issuperset(b["list"] for b in rows["block"])


def difference(world, decide):
    """The first one, None where all is equal or the smaller set is refused."""
    try:
        replay(world, Answers(decide, [world]))
    except Difference as found:
        return None if found.what["what"] in ("new", "build") else found
    except RuntimeError:
        return None
    return None


def smaller(world):
    """Each world with one thing less."""
    for table in reversed(COLUMNS):
        for i in reversed(range(len(world.rows[table]))):
            rows = dict(world.rows)
            rows[table] = rows[table][:i] + rows[table][i + 1:]
            if is_whole(rows):
                yield rows, world.happens
    for i in reversed(range(len(world.happens) - 1)):
        yield world.rows, world.happens[:i] + world.happens[i + 1:]


def shrink(world, found, decide):
    """(the smallest world, its difference); the questions before the differing one teach nothing."""
    if found.at < 0:
        return world, found
    events = [copy.deepcopy(w) for w in world.happens[:found.at] if w["what"] != "ask"]
    best = World(world.now, world.rows, events + [world.happens[found.at]])
    told = difference(best, decide)
    if told is None:
        return world, found
    shrunk = True
    while shrunk:
        shrunk = False
        for rows, happens in smaller(best):
            less = World(best.now, rows, happens)
            now = difference(less, decide)
            if now is not None:
                best, told, shrunk = less, now, True
                break
    return best, told


def describe(world, found):
    lines = [line.replace("\t", " | ") for line in world.lines()]
    return "\n".join([f"{found.told}", f"when: {found.what}", *("  " + line for line in lines)])

# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest data set that still differs: rows and events are left out one after the other."""

from oracle.replay import Answers, Difference, replay
from oracle.world import COLUMNS, World

# What a row points to: without that row it cannot stand.
REFERS = {"carrier_id": "carrier", "deck_id": "deck", "plan_id": "plan", "trunk_id": "trunk", "breaker_id": "breaker",
          "time_id": "time", "sell_deck_id": "deck", "group_id": "group"}


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
    targets += [a["match_value"] for a in rows["account"] if a["match_type"] == "trunk"]
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


def without(things, size):
    """The list without each stretch of that size, from the end."""
    for end in range(len(things), 0, -size):
        yield things[:max(0, end - size)] + things[end:]


def smaller(world, size):
    """(rows, what happens) with some things of one kind less; what refers to others comes first."""
    for table in reversed(COLUMNS):
        for less in without(world.rows[table], size):
            rows = dict(world.rows, **{table: less})
            if is_whole(rows):
                yield rows, world.happens
    for less in without(world.happens[:-1], size):
        yield world.rows, less + world.happens[-1:]


def copy_of(world, rows, happens):
    out = World(world.now, rows, happens)
    out.reload = world.reload
    return out


def shrink(world, found, decide):
    """(the smallest world, its difference); the questions before the differing one teach nothing."""
    if found.at < 0:
        return world, found
    events = [w for w in world.happens[:found.at] if w["what"] != "ask"]
    best = copy_of(world, world.rows, events + [world.happens[found.at]])
    told = difference(best, decide)
    if told is None:
        return world, found
    best.reload = None
    if difference(best, decide) is None:
        best.reload = world.reload
    size = 1 << max(len(some) for some in best.rows.values()).bit_length()
    while size:
        for rows, happens in smaller(best, size):
            less = copy_of(best, rows, happens)
            now = difference(less, decide)
            if now is not None:
                best, told = less, now
                break
        else:
            size //= 2
    return best, told


def describe(world, found):
    lines = [line.replace("\t", " | ") for line in world.lines()]
    return "\n".join([f"{found.told}", f"when: {found.what}", *("  " + line for line in lines)])

# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of drouting, lcr and dispatcher: made as Kamailio's packages make them, filled by chance."""

import os
import sqlite3

from . import server

MODULES = ("drouting", "lcr", "dispatcher")

# Timerecs that the converter keeps; of times gone by, so that the first window is over.
TIMERECS = (
    "",
    "20240101T080000|10H|weekly|||MO,TU,WE,TH,FR",
    "20240106T000000|PT24H|weekly|||SA,SU",
    "20240103T180000|PT8H|daily",
    "20240101T090000|PT3H|daily||3",
    "20240108T120000|PT90M|weekly||2|TU,TH",
    "20240115T000000|P1D|monthly",
    "20240101T060000|PT12H|monthly||||1,15,-1",
    "20240201T100000|PT4H|monthly|||1MO,3FR",
    "20240704T000000|P2D|yearly",
    "20240101T070000|PT16H|yearly|||10SU,40FR",
    "20240101T000000|PT12H|daily|20280101T000000",
    "20240101T000000",
    "20300101T000000",
    "20290301T120000|P3D",
)


def create(path):
    """An SQLite file with the stock modules' own empty tables; its path."""
    with sqlite3.connect(path) as base:
        for name in ("standard", *MODULES):
            with open(os.path.join(server.sql(), "db_sqlite", f"{name}-create.sql"), encoding="utf-8") as sql:
                base.executescript(sql.read())
    base.close()
    return path


def fill(path, table, lines):
    """Insert dictionaries of one shape; what was there is gone."""
    with sqlite3.connect(path) as base:
        base.execute(f"DELETE FROM {table}")
        marks = ", ".join("?" * len(lines[0]))
        sql = f"INSERT INTO {table} ({', '.join(lines[0])}) VALUES ({marks})"
        base.executemany(sql, [tuple(one.values()) for one in lines])
    base.close()


def prefixes(chance, count):
    """Distinct ones, many of them inside of others, and the empty one."""
    found = {""}
    while len(found) < count:
        found.add("".join(chance.choice("349") for _ in range(chance.randint(1, 7))))
    return sorted(found)


def drouting_tables(chance, path):
    """Group 1 has one order of gateways everywhere, 2 and 3 any order and times, 4 nothing."""
    gateways = range(1, 9)
    fill(path, "dr_gateways", [{"gwid": one, "address": f"192.0.2.{one}"} for one in gateways])
    lists = [",".join(map(str, chance.sample(gateways, chance.randint(1, 6)))) for _ in range(5)]
    fill(path, "dr_gw_lists", [{"id": key, "gwlist": text} for key, text in enumerate(lists, 1)])
    lines, shape = [], {"groupid": "", "prefix": "", "timerec": "", "priority": 0, "routeid": "", "gwlist": ""}
    for prefix in prefixes(chance, 40):
        chosen = sorted(chance.sample(gateways, chance.randint(1, 5)))
        lines.append({**shape, "groupid": "1", "prefix": prefix, "gwlist": ";".join(map(str, chosen))})
    for prefix in prefixes(chance, 25) * 2 + prefixes(chance, 10):
        chosen = chance.choice([f"#{chance.randint(1, 5)}", ",".join(map(str, chance.sample(gateways, 3)))])
        line = {"groupid": chance.choice(("2", "3", "2,3")), "prefix": prefix, "timerec": chance.choice(TIMERECS)}
        lines.append({**shape, **line, "priority": chance.randint(-1, 3), "gwlist": chosen})
    chance.shuffle(lines)
    fill(path, "dr_rules", lines)


def lcr_tables(chance, path):
    """Instance 1: any order, stoppers here and there; 2: one order, since every rule is a stopper."""
    gateways = [{"id": key, "lcr_id": key % 3, "ip_addr": f"192.0.2.{key}", "defunct": None} for key in range(1, 13)]
    gateways[0]["defunct"] = 2**32 - 1
    fill(path, "lcr_gw", gateways)
    rules, targets, nothing = [], [], chance.choice((None, ""))
    for lcr_id in (1, 2):
        for prefix in prefixes(chance, 30) + prefixes(chance, 5):
            stopper = 1 if lcr_id == 2 else int(chance.random() < 0.2)
            enabled = int(chance.random() < 0.9)
            rules.append({"id": len(rules) + 1, "lcr_id": lcr_id, "prefix": prefix or nothing,
                          "stopper": stopper, "enabled": enabled})
            ours = [one["id"] for one in gateways if one["lcr_id"] in (0, lcr_id)]
            others = [chance.choice(gateways)["id"]] if chance.random() < 0.2 else []  # skipped by lcr
            for gateway in {*chance.sample(ours, chance.randint(0, 4)), *others}:
                targets.append({"lcr_id": lcr_id, "rule_id": rules[-1]["id"], "gw_id": gateway, "priority": gateway})
    fill(path, "lcr_rule", rules)
    chance.shuffle(targets)
    fill(path, "lcr_rule_target", targets)


def dispatcher_table(chance, path):
    """Sets 0 to 4 with a priority of their own or shared ones, some destinations down; the rows."""
    lines = []
    for key in range(1, 30):
        where = (f"sip:192.0.2.{key}:5060", f"192.0.2.{key}", f"sip:gw{key}.test;transport=tcp")
        destination = chance.choice(where)
        line = {"id": key, "setid": chance.randint(0, 4), "destination": destination}
        flags = chance.choice((0, 0, 0, 1, 2, 4, 8, 9, 16))
        lines.append({**line, "flags": flags, "priority": chance.randint(0, 3)})
    # No more than a call tries.
    lines = [one for n, one in enumerate(lines) if sum(two["setid"] == one["setid"] for two in lines[:n]) < 8]
    fill(path, "dispatcher", lines)
    return lines

# SPDX-License-Identifier: GPL-2.0-or-later
"""The prefixes that are measured, and one SQLite database that holds them for every module.

10 k   a random choice of the real ones
300 k  all real ones of the phone number metadata (about 313,000)
1 M    the real ones, and further digits after them as rate decks have
"""

import functools
import os
import random
import re
import sqlite3
import subprocess

from support import server
from support.kamailio import ROOT
from support.process import ProcessError

GATEWAYS = 100              # as in tgbench_trie.c: lcr answers with gateways only
LONGEST = 15                # digits; lcr stores no more than 16
STOCK_SQL = os.path.join(server.sql(), "db_sqlite")
STOCK = ("standard", "drouting", "mtree", "pdt", "lcr", "htable", "dispatcher")
FEW, MILLION = 10_000, 1_000_000
SEED = 5060


def real_prefixes():
    """What the phone number metadata know, sorted."""
    script = os.path.join(ROOT, "tests", "unit", "lib", "prefix", "real_prefixes.py")
    done = subprocess.run(["/usr/bin/python3", script], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise ProcessError(f"{script}: {done.stderr.strip()}")
    return sorted(prefix for prefix in done.stdout.split() if len(prefix) <= LONGEST)


@functools.lru_cache(maxsize=None)
def prefix_sets():
    """{name: prefixes}; the position of a prefix, from 1, is its value. Made when first asked for."""
    real = real_prefixes()
    chance = random.Random(SEED)
    many = set(real)
    while len(many) < MILLION:
        stem = chance.choice(real)
        longer = stem + str(chance.randrange(10 ** chance.randint(1, 3)))
        if len(longer) <= LONGEST:
            many.add(longer)
    sets = {"10 k": chance.sample(real, FEW), "300 k": real, "1 M": sorted(many)}
    for prefixes in sets.values():
        chance.shuffle(prefixes)
    return sets


def write_prefixes(path, prefixes):
    """One a line, for tgbench.load."""
    with open(path, "w", encoding="ascii") as out:
        out.write("".join(f"{prefix}\n" for prefix in prefixes))


def _schema(base):
    for name in STOCK:
        with open(os.path.join(STOCK_SQL, f"{name}-create.sql"), encoding="utf-8") as sql:
            base.executescript(sql.read())
    for module in ("callroute", "fraudguard"):
        with open(os.path.join(ROOT, os.environ.get("BUILD", "build"), "db", "sqlite",
                               f"{module}.sql"), encoding="utf-8") as sql:
            base.executescript(sql.read())
    # A unique index costs the bench minutes and the modules nothing: they read whole tables.
    for table in ("mtree", "pdt", "lcr_rule", "lcr_rule_target"):
        (sql,), = base.execute("SELECT sql FROM sqlite_master WHERE type='table' AND name=?", (table,)).fetchall()
        base.execute(f"DROP TABLE {table}")
        base.execute(re.sub(r",\s*CONSTRAINT \w+ UNIQUE \([^)]*\)", "", sql))


def create(path):
    """Every table, and the rows without which a module does not start; no prefixes yet."""
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        _schema(base)
        base.executescript("""
            INSERT INTO dr_gateways (gwid, address) VALUES (1, '127.0.0.1:5098');
            INSERT INTO dr_rules VALUES (1, '0', '0', '', 1, '', '1', '');
            INSERT INTO dispatcher (setid, destination) VALUES (1, 'sip:127.0.0.1:5098');
            INSERT INTO mtree VALUES (1, '0', '1');
            INSERT INTO pdt VALUES (1, '*', '0', '1');
            INSERT INTO callroute_carrier (id, name) VALUES (1, 'carrier');
            INSERT INTO callroute_trunk (id, carrier_id, name, uri) VALUES (1, 1, 'trunk', 'sip:127.0.0.1:5098');
            INSERT INTO callroute_deck (id, name) VALUES (1, 'deck');
            INSERT INTO callroute_plan (id, name) VALUES (1, 'default');
            INSERT INTO callroute_plan_trunk (id, plan_id, trunk_id, deck_id) VALUES (1, 1, 1, 1);
            INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (1, 1, '0', 1);
            INSERT INTO fraudguard_rule (id, name, metric, threshold, window_sec, action, mode)
                VALUES (1, 'flood', 'source_requests', 1000000, 2, 'drop', 'enforce'),
                       (2, 'attempts', 'call_attempts', 3, 3600, 'refuse', 'enforce');
        """)
        base.executemany("INSERT INTO lcr_gw (id, lcr_id, gw_name, ip_addr, port, uri_scheme, transport) "
                         "VALUES (?, 1, ?, ?, 5098, 1, 1)",
                         [(n, f"g{n}", f"127.9.0.{n}") for n in range(1, GATEWAYS + 1)])
    base.close()


def fill(path, prefixes, htable=False):
    """The same prefixes for every module."""
    rows = list(enumerate(prefixes, 1))
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        for table in ("dr_rules", "mtree", "pdt", "lcr_rule", "lcr_rule_target", "callroute_rate", "htable"):
            base.execute(f"DELETE FROM {table}")
        base.executemany("INSERT INTO dr_rules VALUES (?, '0', ?, '', ?, '', '1', '')", [(n, p, n) for n, p in rows])
        base.executemany("INSERT INTO mtree VALUES (?, ?, ?)", [(n, p, str(n)) for n, p in rows])
        base.executemany("INSERT INTO pdt VALUES (?, '*', ?, ?)", [(n, p, str(n)) for n, p in rows])
        base.executemany("INSERT INTO lcr_rule (id, lcr_id, prefix, stopper) VALUES (?, 1, ?, 1)", rows)
        base.executemany("INSERT INTO lcr_rule_target (id, lcr_id, rule_id, gw_id, priority) VALUES (?, 1, ?, ?, 1)",
                         [(n, n, n % GATEWAYS + 1) for n, _ in rows])
        base.executemany("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (?, 1, ?, ?)",
                         [(n, p, n) for n, p in rows])
        if htable:
            base.executemany("INSERT INTO htable VALUES (?, ?, 0, 1, ?, 0)", [(n, p, str(n)) for n, p in rows])
    base.close()

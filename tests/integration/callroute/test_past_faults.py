# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables as they went wrong elsewhere, loaded by the running server: calls go on with what was there.

Those that need a name of their own beside callroute/test_reload.py (empty table, empty prefix, live state),
callroute/test_soak.py (reload under calls) and callroute/test_capacity.py (a gauge that wraps):
- drouting takes 32 gateways a rule, lcr reads 129 candidates into an array of the stack.
- lcr and dispatcher know a row by its place: two rows of one id are one for whoever keeps a mark by it.
- drouting, dispatcher take a row whose reference leads nowhere, and calls find nothing.
- drouting has times without a zone: the server's own holds.
"""

import re

import pytest

from support.loading import Loading
from support.routing import Trunk

GATEWAYS = 300
NUMBER = "+4930123456"


@pytest.fixture
def loads(tmp_path):
    """Trunk a for 1000."""
    with Loading(tmp_path, [Trunk("a", 1000)]) as one:
        yield one


def refused_and_routed(loads):
    """The reason of the refusal; a call still goes to trunk a."""
    reason = loads.refused()
    answer, tried = loads.call(NUMBER)
    assert (answer.status, tried) == (200, ["a"])
    return reason


def gateways(first, last, plan):
    """Statements: trunks of these numbers at dead addresses, all dearer than trunk a, all in one plan."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
    return (f"{numbers}INSERT INTO callroute_trunk (id, carrier_id, name, uri) "
            "SELECT i, 1, 'g' || i, 'sip:127.0.0.9:' || (5000 + i) FROM n",
            f"{numbers}INSERT INTO callroute_deck (id, name) SELECT i, 'g' || i FROM n",
            f"{numbers}INSERT INTO callroute_rate (deck_id, prefix, price) SELECT i, '49', 2000 + i FROM n",
            f"{numbers}INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) SELECT {plan}, i, i FROM n")


def test_three_hundred_gateways_are_all_looked_at(loads):
    """Those of a plan are ordered by price whatever their number; the last one is as good as the first."""
    loads.sql("INSERT INTO callroute_plan (id, name) VALUES (2, 'rest')",
              *gateways(2, 256, 1), *gateways(257, GATEWAYS, 2),
              "UPDATE callroute_rate SET price = 1 WHERE deck_id IN (200, 300)")
    loads.published()
    assert loads.rpc("callroute.status")["trunks"] == GATEWAYS
    assert loads.rpc("callroute.explain", "4930123", "default")["chosen"][:3] == ["g200", "a", "g2"]
    assert loads.rpc("callroute.explain", "4930123", "rest")["chosen"][:2] == ["g300", "g257"]
    loads.sql("UPDATE callroute_rate SET price = 9000 WHERE deck_id IN (200, 300)")
    loads.published()
    assert loads.call(NUMBER)[1] == ["a"]


def test_more_gateways_than_a_plan_takes_are_refused_by_its_id(loads):
    loads.sql(*gateways(2, 257, 1))
    assert refused_and_routed(loads) == "callroute_plan id 1: more than 256 trunks"


@pytest.mark.parametrize("table", ["callroute_carrier", "callroute_trunk", "callroute_deck", "callroute_plan"])
def test_duplicate_ids_keep_the_old_data(loads, table):
    """A table that another tool made, without its key."""
    loads.drop_uniqueness(table)
    (made,), = loads.sql(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
    loose = re.sub(r"PRIMARY KEY AUTOINCREMENT", "", made)
    columns = ", ".join(row[1] for row in loads.sql(f"PRAGMA table_info({table})") if row[1] not in ("id", "name"))
    loads.sql(f"ALTER TABLE {table} RENAME TO kept", loose, f"INSERT INTO {table} SELECT * FROM kept",
              f"INSERT INTO {table} (id, name, {columns}) SELECT id, 'again', {columns} FROM kept WHERE id = 1")
    assert refused_and_routed(loads) == f"{table} id 1 stands there twice"


# Those that are no foreign keys, which no database looks after.
DANGLING = {
    "failover": ("UPDATE callroute_trunk SET failover_id = 9", "callroute_trunk id 1: failover_id = 9 is no failover"),
    "breaker": ("UPDATE callroute_trunk SET breaker_id = 9", "callroute_trunk id 1: breaker_id = 9 is no breaker"),
    "time": ("UPDATE callroute_plan_trunk SET time_id = 9", "callroute_plan_trunk id 1: time_id = 9 is no time"),
    "selling deck": ("UPDATE callroute_plan SET sell_deck_id = 9",
                     "callroute_plan id 1: sell_deck_id = 9 is no sell_deck"),
    "trunk of a rule": ("INSERT INTO callroute_rule (id, plan_id, action, target) VALUES (5, 1, 'route', 'a,gone')",
                        "callroute_rule id 5: target has 'gone', which is no trunk"),
    "group of a DID": ("INSERT INTO callroute_did (id, number, target_type, target) VALUES (5, '49', 'group', 'gone')",
                       "callroute_did id 5: target = 'gone' is no hunt group"),
    "plan of a block": ("INSERT INTO callroute_block (id, list, side, prefix) VALUES (5, 'gone', 'dst', '49')",
                        "callroute_block id 5: list = 'gone' is neither a plan nor *"),
    "trunk of an account": ("INSERT INTO callroute_account (id, match_type, match_value, plan_id) "
                            "VALUES (5, 'trunk', 'gone', 1)",
                            "callroute_account id 5: match_value = 'gone' is no trunk"),
    # Foreign keys, which SQLite looks after only where it is asked to.
    "carrier": ("DELETE FROM callroute_carrier", "callroute_trunk id 1: carrier_id = 1 is no carrier"),
    "deck": ("DELETE FROM callroute_deck", "callroute_rate id 1: deck_id = 1 is no deck"),
    "trunk": ("UPDATE callroute_trunk SET id = 7", "callroute_plan_trunk id 1: trunk_id = 1 is no trunk"),
    "plan": ("UPDATE callroute_plan SET id = 7", "callroute_plan_trunk id 1: plan_id = 1 is no plan"),
}


@pytest.mark.parametrize("what", DANGLING)
def test_dangling_references_keep_the_old_data(loads, what):
    statement, reason = DANGLING[what]
    loads.sql(statement)
    assert refused_and_routed(loads) == reason


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../UTC", "/etc/passwd", "CEST+1", ""])
def test_bad_time_zones_keep_the_old_data(loads, zone):
    loads.sql("INSERT INTO callroute_time (id, tz, dtstart, duration) "
              f"VALUES (5, '{zone}', '20260101T090000', 'PT8H')", "UPDATE callroute_plan_trunk SET time_id = 5")
    assert refused_and_routed(loads).startswith("callroute_time id 5: tz: ")

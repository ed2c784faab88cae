# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema and the module say the same of every column: what it may be, and what must stand there once.

A database holds to its constraints unless it was made by another tool, and SQLite knows no length of a text:
what it lets in, the module refuses, and names table, row and column.
"""

import os
import re
import tomllib

import pytest

from support.kamailio import ROOT
from support.loading import Loading
from support.routing import Trunk

with open(os.path.join(ROOT, "db", "schema", "callroute.toml"), "rb") as schema:
    TABLES = {table["name"]: table for table in tomllib.load(schema)["table"]}

# What the module does not read: written for people, or by db/import.py for itself.
NOT_READ = {("callroute_trunk", "tenant"), ("callroute_deck", "revision"), ("callroute_rate_change", None)}
# A sound row of what Routing makes none of; its carrier, deck, rates, trunk, plan and entry have number 1.
ROWS = (
    "INSERT INTO callroute_time (id, dtstart) VALUES (1, '20200101')",
    "INSERT INTO callroute_failover (id, name) VALUES (1, 'f')",
    "INSERT INTO callroute_breaker (id, name) VALUES (1, 'b')",
    "INSERT INTO callroute_account (id, match_type, match_value, plan_id) VALUES (1, 'user', 'u', 1)",
    "INSERT INTO callroute_rule (id, plan_id, prefix, action) VALUES (1, 1, '77', 'block')",
    "INSERT INTO callroute_group (id, name) VALUES (1, 'g')",
    "INSERT INTO callroute_member (id, group_id, uri) VALUES (1, 1, 'sip:m@192.0.2.1')",
    "INSERT INTO callroute_did (id, number, target_type, target) VALUES (1, '4930', 'user', 'u')",
    "INSERT INTO callroute_lnp (id, number, routing_number) VALUES (1, '4931', '4999')",
    "INSERT INTO callroute_block (id, list, side, prefix) VALUES (1, '*', 'dst', '78')",
)


@pytest.fixture(scope="module", name="loads")
def loads_of_all_tables(tmp_path_factory):
    """A row in every table; each test puts back what it changes."""
    with Loading(tmp_path_factory.mktemp("schema"), [Trunk("a", 1000)], sql=ROWS) as one:
        yield one


def bad_values(spec):
    """Values that the column's schema excludes, as SQL."""
    length = re.fullmatch(r"text\((\d+)\)", spec["type"])
    if length:
        yield "'" + "1" * (int(length[1]) + 1) + "'"
        if spec.get("check", "").endswith("<> ''"):
            yield "''"
    elif spec["type"] == "enum":
        yield "'neither'"
    elif spec["type"].startswith("ref"):
        yield from ("0", "99")
    elif spec["type"] in ("int", "big"):
        if "min" in spec:
            yield str(spec["min"] - 1)
        if "max" in spec:
            yield str(spec["max"] + 1)


COLUMNS = [(table, column) for table in TABLES for column, spec in TABLES[table]["column"].items()
           if not {(table, column), (table, None)} & NOT_READ and any(bad_values(spec))]


@pytest.mark.parametrize("table", sorted({table for table, _ in COLUMNS}))
def test_what_the_schema_excludes_is_refused_by_row_and_column(loads, table):
    for column in (column for owner, column in COLUMNS if owner == table):
        (kept,), = loads.sql(f"SELECT {column} FROM {table} WHERE id = 1")
        for value in bad_values(TABLES[table]["column"][column]):
            loads.sql(f"UPDATE {table} SET {column} = {value} WHERE id = 1")
            reason = loads.refused()
            assert reason.startswith(f"{table} id 1: ") and column in reason, (value, reason)
        loads.sql(f"UPDATE {table} SET {column} = {kept!r} WHERE id = 1")
    loads.published()


def allowed_ends(spec):
    """The least and the most that the column's schema lets in."""
    return [spec[end] for end in ("min", "max") if end in spec and spec["type"] in ("int", "big")]


# min and max that other columns' values make senseless: a rate ends after it began, a margin needs a selling deck.
BESIDE = {"callroute_plan": "sell_deck_id = 2"}


@pytest.mark.parametrize("table", sorted({table for table, _ in COLUMNS}))
def test_what_the_schema_lets_in_is_taken(loads, table):
    loads.sql("INSERT INTO callroute_deck (id, name, side) VALUES (2, 'sells', 'sell')")
    kept = loads.sql(f"SELECT * FROM {table} WHERE id = 1")[0]
    for column, spec in TABLES[table]["column"].items():
        for value in allowed_ends(spec):
            beside = f", {BESIDE[table]}" if table in BESIDE and column != "sell_deck_id" else ""
            loads.sql(f"UPDATE {table} SET {column} = {value}{beside} WHERE id = 1")
            loads.published()
        names = [row[1] for row in loads.sql(f"PRAGMA table_info({table})")]
        loads.sql(f"UPDATE {table} SET " + ", ".join(f"{name} = {value!r}" for name, value in zip(names, kept))
                  + " WHERE id = 1")
    loads.sql("DELETE FROM callroute_deck WHERE id = 2")
    loads.published()


UNIQUE = [(table, tuple(key)) for table in TABLES for key in TABLES[table].get("unique", ())]


@pytest.mark.parametrize("table,key", UNIQUE)
def test_what_is_unique_in_the_schema_is_so_in_the_module(tmp_path, table, key):
    """A table that was made without its unique key."""
    with Loading(tmp_path, [Trunk("a", 1000)], sql=ROWS) as loads:
        loads.drop_uniqueness(table)
        columns = ", ".join(name for name in TABLES[table]["column"])
        loads.sql(f"INSERT INTO {table} (id, {columns}) SELECT 9, {columns} FROM {table} WHERE id = 1")
        reason = loads.refused()
        assert reason.startswith(f"{table} id 9: ") and "twice" in reason, (key, reason)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What db/import.py and db/convert.py write into a column of whole numbers is one, whatever they are given.

The tables are made without the checks by which SQLite would refuse it.
"""

import os
import shutil
import sqlite3
import sys

import pytest

from support import stack
from support.decks import DeckBase, sqlite_sql
from support.kamailio import ROOT
from support.loading import without_checks
from support.mariadb import mariadb
from support.process import run
from support.stocktables import create, fill

NOT_NUMBERS = (0.0123, "12abc", b"\0")
CELLS = ("0.0123", ".5", "0,5", "1e3", "12abc", "0x10", "1_000", "inf", "nan", "\u0663", "9223372036854775808", "-1",
         "")


def misfits(path):
    """(table, column, value) of what is no whole number, or does not fit, in a column of whole numbers."""
    found = []
    with sqlite3.connect(path) as base:
        tables = base.execute("SELECT name FROM sqlite_master WHERE name LIKE 'callroute_%' AND type = 'table'")
        for (table,) in tables.fetchall():
            for _, column, kind, *_ in base.execute(f"PRAGMA table_info({table})").fetchall():
                bits = {"INTEGER": 31, "BIGINT": 63}.get(kind)
                if bits:
                    found += [(table, column, value) for (value,) in base.execute(f"SELECT {column} FROM {table}")
                              if not isinstance(value, int) or not -2**bits <= value < 2**bits]
    base.close()
    return found


@pytest.fixture(name="deck")
def deck_in_a_file(tmp_path):
    """A new database without checks."""
    path = tmp_path / "decks.sqlite"
    base = DeckBase(tmp_path, ["--path", path], sqlite_sql(path))
    without_checks(path)
    return base


@pytest.mark.parametrize("field", ["prefix", "price", "connect_fee", "increment", "first_sec", "step_sec",
                                   "valid_from", "valid_till", "blocked", "change"])
def test_no_cell_of_a_sheet_becomes_another_type(deck, tmp_path, field):
    sound = {"prefix": "49", "price": "0.01"}
    names = [*sound, *({field} - sound.keys())]
    lines = [",".join(names)]
    for number, cell in enumerate(CELLS):
        line = {**sound, "prefix": f"49{number}", field: f'"{cell}"'}
        lines.append(",".join(line[name] for name in names))
    sheet = deck.write("sheet.csv", "\n".join(lines) + "\n")
    done = deck.do("x", sheet, "--create", "EUR", "--mode", "replace", "--skip-bad", "--decimal", "point",
                   "--map", ",".join(f"{name}={name}" for name in names))
    assert "Traceback" not in done.stderr, done.stderr
    assert not misfits(tmp_path / "decks.sqlite")


@pytest.mark.parametrize("value", ["0.0123", "'12abc'", "''", "x'00'", "9223372036854775808.0"])
def test_a_deck_with_another_type_in_it_is_not_touched(deck, tmp_path, value):
    deck.load("prefix,price\n49,0.01\n31,0.02\n", "--create", "EUR", "--mode", "replace")
    deck.sql(f"UPDATE callroute_rate SET price = {value} WHERE prefix = '49'")
    before, bad = deck.sql("SELECT *, typeof(price) FROM callroute_rate"), misfits(tmp_path / "decks.sqlite")
    done = deck.load("prefix,price\n49,0\n31,0.03\n", "--mode", "replace", "--force", status=1)
    assert "prefix = '49'" in done.stderr and "price = " in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert deck.sql("SELECT *, typeof(price) FROM callroute_rate") == before
    assert misfits(tmp_path / "decks.sqlite") == bad


def test_a_deck_with_another_type_in_it_is_not_touched_on_a_server(tmp_path):
    with mariadb(tmp_path) as server:
        base = DeckBase(tmp_path, server.options, server.sql)
        base.load("prefix,price\n49,0.01\n31,0.02\n", "--create", "EUR", "--mode", "replace")
        base.sql("ALTER TABLE callroute_rate MODIFY price DOUBLE")
        base.sql("UPDATE callroute_rate SET price = 0.0123 WHERE prefix = '49'")
        before = base.sql("SELECT * FROM callroute_rate")
        done = base.load("prefix,price\n49,0\n31,0.03\n", "--mode", "replace", "--force", status=1)
        assert "price = '0.0123'" in done.stderr, done.stderr
        assert base.sql("SELECT * FROM callroute_rate") == before


SOURCES = {
    "drouting": {
        "dr_gateways": {"gwid": 1, "type": 0, "address": "192.0.2.1", "strip": 0},
        "dr_rules": {"groupid": "1", "prefix": "49", "timerec": "", "priority": 0, "routeid": "", "gwlist": "1"},
    },
    "lcr": {
        "lcr_gw": {"id": 1, "lcr_id": 1, "ip_addr": "192.0.2.1", "port": 5060, "strip": 0, "defunct": None},
        "lcr_rule": {"id": 1, "lcr_id": 1, "prefix": "49", "stopper": 0, "enabled": 1},
        "lcr_rule_target": {"lcr_id": 1, "rule_id": 1, "gw_id": 1, "priority": 1, "weight": 1},
    },
    "dispatcher": {
        "dispatcher": {"id": 1, "setid": 1, "destination": "sip:192.0.2.1", "flags": 0, "priority": 0},
    },
}
# An id of their own, which SQLite keeps to whole numbers, is left out.
TRIED = [(module, table, column) for module, tables in SOURCES.items() for table, row in tables.items()
         for column, value in row.items() if not isinstance(value, str) and column not in ("id", "gwid")]


@pytest.fixture(scope="module", name="empty")
def empty_databases(tmp_path_factory):
    """(the stock modules' tables, ours without checks)"""
    folder = tmp_path_factory.mktemp("empty")
    ours = stack.create_database(str(folder / "new.sqlite"), demo=False)
    without_checks(ours)
    return create(str(folder / "stock.sqlite")), ours


def converted(folder, empty, module, tables):
    """Convert these tables: (status, what was said, the new database)."""
    source, path = (shutil.copy(one, folder) for one in empty)
    for name, row in tables.items():
        fill(source, name, [row])
    done = run([sys.executable, os.path.join(ROOT, "db", "convert.py"), module, "--from", f"sqlite:{source}",
                "--path", path, *(("--alg", "8") if module == "dispatcher" else ())], 60, cwd=ROOT)
    assert "Traceback" not in done.stdout, done.stdout
    return done.returncode, done.stdout, path


@pytest.mark.parametrize("module,table,column", TRIED)
@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_no_value_of_a_stock_table_becomes_another_type(tmp_path, empty, module, table, column, value):
    tables = {**SOURCES[module], table: {**SOURCES[module][table], column: value}}
    status, said, path = converted(tmp_path, empty, module, tables)
    assert not misfits(path)
    assert status == 1 and "is not a whole number" in said, said
    assert not stack.execute(path, "SELECT 1 FROM callroute_trunk"), said


@pytest.mark.parametrize("module", SOURCES)
def test_the_same_tables_are_converted_when_sound(tmp_path, empty, module):
    status, said, path = converted(tmp_path, empty, module, SOURCES[module])
    assert status == 0, said
    assert stack.execute(path, "SELECT 1 FROM callroute_trunk") and not misfits(path)

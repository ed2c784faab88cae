# SPDX-License-Identifier: GPL-2.0-or-later
"""A value that is not of its column's type is refused, with table, row, column and value; what is in use stays.

SQLite keeps 0.0123 and '12abc' in a column of numbers, and its driver reads them as 0 and 12: a call for nothing, a
limit that nobody set. A table of another tool may have other types on any database. Which columns there are the
schema says, so a new one is tried here by itself.
"""

import contextlib
import os
import re
import sqlite3
import tomllib

import pytest

from support import ports
from support.kamailio import ROOT
from support.loading import Loading, OnServer, database_server, without_checks
from support.process import eventually
from support.routing import Trunk
from support.stack import create_database

# What no module reads.
NOT_READ = {("callroute_trunk", "tenant"), ("callroute_deck", "revision"), ("fraudguard_allow", "note")}
NOT_LOADED = {"callroute_rate_change"}
# One rate, and a sound row of what Routing makes none of; its carrier, deck, trunk, plan and entry have number 1.
ROWS = (
    "DELETE FROM callroute_rate WHERE id > 1",
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
    "INSERT INTO fraudguard_rule (id, name, metric, threshold, window_sec, mode)"
    " VALUES (1, 'r', 'call_attempts', 5, 60, 'enforce')",
    "INSERT INTO fraudguard_allow (id, kind, value) VALUES (1, 'account', 'boss')",
)
FRAUDGUARD = '\nloadmodule "fraudguard.so"\nmodparam("fraudguard", "db_url", "{}")\n'


def schema():
    """{table: {column: its kind}} of what is loaded."""
    tables = {}
    for module in ("callroute", "fraudguard"):
        with open(os.path.join(ROOT, "db", "schema", f"{module}.toml"), "rb") as source:
            for table in tomllib.load(source)["table"]:
                kinds = {name: spec["type"].partition("(")[0] for name, spec in table["column"].items()
                         if (table["name"], name) not in NOT_READ}
                if table["name"] not in NOT_LOADED:
                    tables[table["name"]] = kinds
    return tables


def of_kinds(*kinds):
    """{table: [its columns of these kinds]}, tables without one left out."""
    found = {table: [name for name, kind in columns.items() if kind in kinds] for table, columns in schema().items()}
    return {table: names for table, names in found.items() if names}


NUMBERS, TEXTS = of_kinds("int", "big", "bool", "ref"), of_kinds("text", "enum")
INTEGERS = of_kinds("int", "bool", "ref")   # 32 bits
BAD_NUMBERS = ("0.0123", "'12abc'", "''", "x'00'", "9223372036854775808.0", "-0.5", "9e999")


class Both(Loading):
    """callroute and fraudguard on one database."""

    def refusal(self, table):
        """Reload the table's module, which must be refused: its reason."""
        if table.startswith("callroute_"):
            return self.refused()
        before, done = self.rpc("fraudguard.status")["generation"], self._fraudguard()
        assert (done["result"], self.rpc("fraudguard.status")["generation"]) == ("refused", before), done
        return done["message"]

    def sound(self):
        """Reload both, and fail unless both are published."""
        self.published()
        done = self._fraudguard()
        assert done["result"] == "published", done

    def _fraudguard(self):
        ticket = self.rpc("fraudguard.reload")["ticket"]
        assert eventually(lambda: self.rpc("fraudguard.status")["last_load"]["ticket"] >= ticket, 10, 0.01)
        return self.rpc("fraudguard.status")["last_load"]

    def works(self):
        """The old data are in use."""
        return self.prices("4930123") == {"a": 1000} and self.rpc("fraudguard.list_rules")[0]["threshold"] == 5

    def said(self, mark, table):
        """{column: value} of the values that were refused since a mark of the log, all in row 1."""
        lines = [re.search(rf"bad-row {table} id 1: (\w+) = (.*) is no (?:whole number|text)", line)
                 for line in self.kamailio.grep(f"bad-row {table} ", mark)]
        assert all(lines), self.kamailio.grep("bad-row", mark)
        return {line[1]: line[2] for line in lines}


class BothOnServer(OnServer, Both):
    """The same on a server."""


def in_a_file(folder, **how):
    """Both modules, not started yet, on a file of the old schema."""
    path = os.path.join(folder, "routes.sqlite")
    one = Both(folder, [Trunk("a", 1000)], sql=ROWS, params=FRAUDGUARD.format(f"sqlite:///{path}"), **how)
    assert one.database == path
    without_checks(path)
    return one


@pytest.fixture(scope="module", name="loads")
def loads_from_a_file(tmp_path_factory):
    """Each test puts back what it changes."""
    with in_a_file(str(tmp_path_factory.mktemp("types"))) as one:
        yield one


@contextlib.contextmanager
def put(loads, table, columns, value):
    """Columns of row 1 have another value meanwhile."""
    kept = loads.sql(f"SELECT {', '.join(columns)} FROM {table} WHERE id = 1")[0]
    loads.sql(f"UPDATE {table} SET " + ", ".join(f"{name} = {value}" for name in columns) + " WHERE id = 1")
    try:
        yield
    finally:
        back = ", ".join(f"{name} = {old!r}" for name, old in zip(columns, kept))
        loads.sql(f"UPDATE {table} SET {back} WHERE id = 1")


def shown(loads, value):
    """A value as SQLite writes it."""
    return loads.sql(f"SELECT quote({value})")[0][0]


# -- a file -----------------------------------------------------------------------


@pytest.mark.parametrize("table", NUMBERS)
@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_what_is_no_whole_number_is_refused_from_a_file(loads, table, value):
    mark = loads.kamailio.mark()
    with put(loads, table, NUMBERS[table], value):
        there = shown(loads, value)
        assert loads.refusal(table).startswith(f"{table} id 1: {NUMBERS[table][0]} = {there} is no whole number of ")
        assert loads.said(mark, table) == dict.fromkeys(NUMBERS[table], there)
        assert loads.works()
    loads.sound()


@pytest.mark.parametrize("table", NUMBERS)
def test_each_column_alone_is_looked_at(loads, table):
    for column in NUMBERS[table]:
        with put(loads, table, [column], "0.0123"):
            assert loads.refusal(table).startswith(f"{table} id 1: {column} = 0.0123 is no whole number of ")
    loads.sound()


@pytest.mark.parametrize("table", INTEGERS)
@pytest.mark.parametrize("value", ["5000000000", "-2147483649", "2147483648", "9223372036854775807"])
def test_what_the_driver_would_cut_to_32_bits_is_refused(loads, table, value):
    mark = loads.kamailio.mark()
    with put(loads, table, INTEGERS[table], value):
        assert "is no whole number of 32 bits" in loads.refusal(table)
        assert loads.said(mark, table) == dict.fromkeys(INTEGERS[table], value)
    loads.sound()


@pytest.mark.parametrize("table", TEXTS)
def test_what_is_no_text_is_refused_from_a_file(loads, table):
    mark = loads.kamailio.mark()
    with put(loads, table, TEXTS[table], "x'3439'"):
        assert " = X'3439' is no text" in loads.refusal(table)
        assert loads.said(mark, table) == dict.fromkeys(TEXTS[table], "X'3439'")
        assert loads.works()
    loads.sound()


def test_a_number_in_a_column_of_texts_is_its_text(loads):
    with put(loads, "callroute_rate", ["prefix"], "491"):
        loads.published()
        assert loads.works() is False and loads.prices("491") == {"a": 1000}
    loads.published()


@pytest.mark.parametrize("words", [("deck", "a"), ("plan",), ("dry",), ("force",)])
def test_no_order_lets_it_in(loads, words):
    for table in ("callroute_deck", "callroute_trunk", *(() if words == ("plan",) else ("callroute_rate",))):
        with put(loads, table, [NUMBERS[table][0]], "0.0123"):
            assert loads.refused(*words).startswith(f"{table} id 1: {NUMBERS[table][0]} = 0.0123 is no whole number")
    loads.published()


def test_an_id_that_the_driver_would_cut_is_refused(loads):
    loads.sql("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (2147483649, 1, '31', 1)")
    assert loads.refused() == "callroute_rate id 2147483649: id = 2147483649 is no whole number of 32 bits"
    loads.sql("DELETE FROM callroute_rate WHERE id = 2147483649")
    loads.published()


def test_one_load_tells_of_all_tables_and_forges_no_line(loads):
    tables = [table for table in NUMBERS if table.startswith("callroute_")]
    mark = loads.kamailio.mark()
    with contextlib.ExitStack() as bad:
        for table in tables:
            bad.enter_context(put(loads, table, [NUMBERS[table][0]], "'1' || char(10) || 'bad-row callroute_x'"))
        loads.refused()
    told = [re.search(r"bad-row (\w+)", line)[1] for line in loads.kamailio.grep("bad-row", mark)
            if "load-refused" not in line]
    assert sorted(told) == sorted(tables)
    loads.published()


@pytest.mark.parametrize("module", ["callroute", "fraudguard"])
@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_the_server_does_not_start_with_it(tmp_path, module, value):
    loads = in_a_file(str(tmp_path))
    tables = [table for table in NUMBERS if table.startswith(module)]
    with contextlib.ExitStack() as bad:
        for table in tables:
            bad.enter_context(put(loads, table, [NUMBERS[table][-1]], value))
        said, status = loads.kamailio.start_and_fail()
    assert status != 0, said
    assert not loads.kamailio.crashed(), said
    for table in tables:
        assert f"{table} id 1: {NUMBERS[table][-1]} = {shown(loads, value)} is no whole number" in said, said


# -- a new file --------------------------------------------------------------------


def test_a_new_file_lets_none_in(tmp_path):
    path = create_database(str(tmp_path / "new.sqlite"), demo=False)
    with sqlite3.connect(path, isolation_level=None) as base:
        base.execute("INSERT INTO callroute_carrier (id, name) VALUES (1, 'c')")
        base.execute("INSERT INTO callroute_deck (id, name) VALUES (1, 'd')")
        base.execute("INSERT INTO callroute_plan (id, name) VALUES (1, 'p')")
        base.execute("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (1, 1, '49', '12')")
        base.execute("INSERT INTO callroute_trunk (id, carrier_id, name, uri) VALUES (1, 1, 't', 'sip:192.0.2.1')")
        base.execute("INSERT INTO callroute_plan_trunk (id, plan_id, trunk_id, deck_id) VALUES (1, 1, 1, 1)")
        for row in ROWS:
            base.execute(row)
        tried = [(table, name, value) for table, names in NUMBERS.items() for name in names for value in BAD_NUMBERS]
        tried += [(table, name, value) for table, names in INTEGERS.items() for name in names
                  for value in ("5000000000", "-5000000000")]
        tried += [(table, name, "x'3439'") for table, names in TEXTS.items() for name in names]
        for table, name, value in tried:
            with pytest.raises(sqlite3.IntegrityError, match=f"CHECK constraint failed: {table}_{name}_ck"):
                base.execute(f"UPDATE {table} SET {name} = {value} WHERE id = 1")
    base.close()


def test_the_types_of_a_long_table_need_no_pass_over_it(tmp_path):
    """The question that the module asks is answered from the index of what does not fit."""
    path = os.path.join(str(tmp_path), "routes.sqlite")
    params = ('\nloadmodule "debugger.so"\nmodparam("debugger", "mod_hash_size", 4)\n'
              'modparam("debugger", "mod_level_mode", 1)\n'
              'modparam("debugger", "mod_level", "db_sqlite=3")\n') + FRAUDGUARD.format(f"sqlite:///{path}")
    one = Both(tmp_path, [Trunk("a", 1000)], sql=ROWS, params=params)
    one.kamailio.start()
    try:
        one.published()
        for table in ("callroute_rate", "callroute_lnp"):
            asked = one.kamailio.grep(rf"submit_query: SELECT id FROM {table} WHERE ")
            question = asked[0].partition("submit_query: ")[2]
            plan = one.sql(f"EXPLAIN QUERY PLAN {question}")
            assert any(f"INDEX {table}_misfit_idx" in row[-1] for row in plan), (question, plan)
        with put(one, "callroute_rate", ["price"], "0.0123"):       # the checks are off
            assert one.refused() == "callroute_rate id 1: price = 0.0123 is no whole number of 64 bits"
    finally:
        one.kamailio.stop()


# -- a server ------------------------------------------------------------------------


@pytest.fixture(scope="module", name="served")
def loads_from_a_server(tmp_path_factory):
    """The tables as another tool made them: no keys, no checks."""
    folder = str(tmp_path_factory.mktemp("served"))
    with database_server(folder) as (server, port):
        url = f"mysql://kamailio@{ports.HOME}:{port}/{server.database}"
        one = BothOnServer(folder, [Trunk("a", 1000)], server, port, params=FRAUDGUARD.format(url))
        one.sql(*ROWS)
        one.sql(*(f"CREATE TABLE anew_{table} AS SELECT * FROM {table}" for table in schema()),
                "SET foreign_key_checks = 0;" + "".join(f"DROP TABLE {table};" for table in (*schema(), *NOT_LOADED)),
                *(f"RENAME TABLE anew_{table} TO {table}" for table in schema()))
        with one:
            yield one


@contextlib.contextmanager
def retyped(loads, table, columns, kind):
    """Columns have another type meanwhile."""
    old = dict(loads.sql("SELECT column_name, column_type FROM information_schema.columns"
                         f" WHERE table_schema = DATABASE() AND table_name = '{table}'"))
    loads.sql(f"ALTER TABLE {table} " + ", ".join(f"MODIFY {name} {kind}" for name in columns))
    try:
        yield
    finally:
        loads.sql(f"ALTER TABLE {table} " + ", ".join(f"MODIFY {name} {old[name]}" for name in columns))


@pytest.mark.parametrize("table", NUMBERS)
@pytest.mark.parametrize("kind,values", [
    ("VARCHAR(40)", {"'12abc'": "'12abc'", "''": "''", "'0.0123'": "'0.0123'", "' 1'": "' 1'", "'x'": "'x'",
                     "'9223372036854775808'": "'9223372036854775808'"}),
    ("TEXT", {"'12abc'": "'12abc'", "''": "''"}),
    ("DECIMAL(30, 4)", {"0.0123": "'0.0123'", "9223372036854775808": "'9223372036854775808.0000'"}),
    ("DECIMAL(30, 0)", {"9223372036854775808": "'9223372036854775808'"}),
    ("DOUBLE", {"0.0123": "0.0123", "9223372036854775808.0": "9.22337203685478e+18"})])
def test_what_is_no_whole_number_is_refused_from_a_server(served, table, kind, values):
    names = NUMBERS[table]
    with retyped(served, table, names, kind):
        for value, there in values.items():
            mark = served.kamailio.mark()
            with put(served, table, names, value):
                assert served.refusal(table).startswith(f"{table} id 1: {names[0]} = {there} is no whole number")
                assert served.said(mark, table) == dict.fromkeys(names, there)
                assert served.works()
        if kind != "DECIMAL(30, 4)":
            served.sound()      # what says a whole number is one
    served.sound()


@pytest.mark.parametrize("table", TEXTS)
@pytest.mark.parametrize("kind", ["INTEGER", "DOUBLE"])
def test_what_is_no_text_is_refused_from_a_server(served, table, kind):
    names = TEXTS[table]
    with put(served, table, names, "'49'"), retyped(served, table, names, kind):
        mark = served.kamailio.mark()
        assert f"id 1: {names[0]} = 49 is no text" in served.refusal(table)
        assert served.said(mark, table) == dict.fromkeys(names, "49")
        assert served.works()
    served.sound()

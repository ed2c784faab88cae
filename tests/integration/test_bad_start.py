# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: at the start the server refuses to run, later it keeps what it has; one line says why.

What counts as clear: one error line of the module that names the thing and
what to do; the words are looked for, so that the message cannot fade away.
"""

import os
import re

import pytest

from support import kamailio, ports, stack as stack_

WITHOUT_MEDIA = tuple(name for name in stack_.SWITCHES if name != "WITH_RTPENGINE")


# The minimal examples have no RPC of their own, by which we see that they are up.
RPC = '\nloadmodule "jsonrpcs.so"\n'


@pytest.fixture
def refused(tmp_path):
    """A function: run a module's minimal example on this database; the log of its failed start.

    The minimal example, so that no other module can be the one that complains.
    """
    def run(module, database, more=""):
        cfg = tmp_path / f"{module}.cfg"
        with open(os.path.join(kamailio.ROOT, "cfg", "minimal", f"{module}.cfg"), encoding="utf-8") as source:
            cfg.write_text(source.read() + more, encoding="utf-8")
        port = ports.port()
        server = kamailio.Kamailio(str(cfg), str(tmp_path), port, env=stack_.environment(
            str(tmp_path), database, port, switches=()))
        said, status = server.start_and_fail()
        assert status != 0, said
        assert not server.crashed(), server.crashed()
        return said

    return run


@pytest.mark.parametrize("module", stack_.MODULES)
def test_the_same_start_works_with_a_good_database(tmp_path, run_kamailio, module):
    """Otherwise the refusals below would prove nothing."""
    database = stack_.create_database(str(tmp_path / "good.sqlite"))
    port = ports.port()
    cfg = tmp_path / f"{module}.cfg"
    with open(os.path.join(kamailio.ROOT, "cfg", "minimal", f"{module}.cfg"), encoding="utf-8") as source:
        cfg.write_text(source.read() + RPC, encoding="utf-8")
    server = run_kamailio(str(cfg), port, answers_options=False,
                          env=stack_.environment(str(tmp_path), database, port, switches=()))
    assert server.rpc("core.uptime")


def lines(said, module, *words):
    """The error lines of a module that hold all the words."""
    found = [line for line in said.splitlines() if re.search(rf"(ERROR|CRITICAL): {module} ", line)]
    return [line for line in found if all(re.search(word, line, re.I) for word in words)]


@pytest.mark.parametrize("module", ["callroute", "fraudguard"])
def test_database_missing(tmp_path, refused, module):
    said = refused(module, tmp_path / "none" / "there.sqlite")
    assert lines(said, module, "there.sqlite", "cannot connect|does not exist|does it exist"), said


@pytest.mark.parametrize("module", ["callroute", "fraudguard"])
def test_database_empty(tmp_path, refused, module):
    empty = tmp_path / "empty.sqlite"
    stack_.execute(str(empty), "CREATE TABLE other (id INTEGER)")
    said = refused(module, empty)
    assert lines(said, module, "version|schema", "make db|create"), said


@pytest.mark.parametrize("module,table", [("callroute", "callroute_rate"), ("callroute", "callroute_trunk"),
                                          ("fraudguard", "fraudguard_rule")])
def test_older_schema(tmp_path, refused, module, table):
    database = stack_.create_database(
        str(tmp_path / "old.sqlite"),
        sql=[f"UPDATE version SET table_version = 0 WHERE table_name = '{table}'"])
    said = refused(module, database)
    assert lines(said, module, table, "version"), said


@pytest.mark.parametrize("module,table", [("callroute", "callroute_rate"), ("fraudguard", "fraudguard_rule")])
def test_table_missing(tmp_path, refused, module, table):
    database = stack_.create_database(
        str(tmp_path / "part.sqlite"),
        sql=[f"DELETE FROM version WHERE table_name = '{table}'", f"DROP TABLE {table}"])
    said = refused(module, database)
    assert lines(said, module, table), said


@pytest.mark.parametrize("module,param,value", [
    ("callroute", "snapshot_mb", 0), ("callroute", "snapshot_mb", 1 << 30), ("callroute", "attempts", 0),
    ("callroute", "attempt_ttl", 0), ("callroute", "max_shrink", 101), ("callroute", "max_shrink", -1),
    ("fraudguard", "cells", 1), ("fraudguard", "bans", 0), ("fraudguard", "calls", 1 << 30),
    ("fraudguard", "call_sec", 1), ("regguard", "profiles", 1), ("regguard", "learn_days", -1),
    ("regguard", "learn_registrations", 0), ("regguard", "answered_sec", 0)])
def test_parameter_out_of_range(tmp_path, refused, module, param, value):
    database = stack_.create_database(str(tmp_path / "good.sqlite"))
    said = refused(module, database, f'\nmodparam("{module}", "{param}", {value})\n')
    found = lines(said, module, param, "out of range")
    assert len(found) == 1 and str(value) in found[0], said


BAD_ROWS = {
    "trunk without a sip uri": "UPDATE callroute_trunk SET uri = 'not a uri' WHERE id = 2",
    "rate of an unknown deck": "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (99, '33', 1)",
    "empty prefix that is no default": "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '', 1)",
    "prefix with letters": "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '33x', 1)",
    "negative price": "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '33', -1)",
}


BAD_ROW_OF = {case: "callroute_trunk" if "UPDATE callroute_trunk" in sql else "callroute_rate"
              for case, sql in BAD_ROWS.items()}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_row_at_the_start_is_named(tmp_path, refused, case):
    """There is no older data to go on with: a half-loaded price list would route calls wrongly."""
    database = stack_.create_database(str(tmp_path / "bad.sqlite"), sql=[BAD_ROWS[case]])
    said = refused("callroute", database)
    assert len(lines(said, "callroute", "bad-row", BAD_ROW_OF[case])) == 1, said


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_row_in_a_reload_keeps_the_working_data(make_stack, case):
    stack = make_stack(switches=WITHOUT_MEDIA)
    carrier = stack.carrier()
    before = stack.kamailio.rpc("callroute.status")["generation"]
    stack.sql(BAD_ROWS[case])
    stack.kamailio.rpc("callroute.reload")
    stack.kamailio.wait_line(r"ERROR: callroute .*load-refused")
    assert stack.kamailio.rpc("callroute.status")["generation"] == before
    assert stack.agent("alice").call("+12025550123").status == 200
    assert len(carrier.requests()) == 1


def test_emptied_tables_keep_the_working_data(make_stack):
    """An empty rule table must not wipe all routes."""
    stack = make_stack(switches=WITHOUT_MEDIA)
    stack.carrier()
    stack.sql("DELETE FROM callroute_rate")
    stack.kamailio.rpc("callroute.reload")
    stack.kamailio.wait_line(r"ERROR: callroute .*load-refused")
    assert stack.agent("alice").call("+12025550123").status == 200

# SPDX-License-Identifier: GPL-2.0-or-later
"""The database goes away, and comes back: calls never notice, a reload says why it is refused, a later one works.

At the start there are no older data to go on with: the server refuses to run, and says what is missing.
"""

import contextlib
import os
import re
import sqlite3

import pytest

from support import ports
from support.loading import Loading, OnServer, database_server
from support.routing import Trunk

A = "a"


@pytest.fixture
def loads(tmp_path):
    """Trunk a for 1000, in a file."""
    with Loading(tmp_path, [Trunk(A, 1000)]) as one:
        yield one


@pytest.fixture
def on_server(tmp_path):
    """The same on a server."""
    with database_server(tmp_path) as (server, port), OnServer(tmp_path, [Trunk(A, 1000)], server, port) as one:
        yield one


def works(loads):
    """Calls go on with the price that is in use."""
    answer, tried = loads.call("+4930123456")
    return (answer.status, tried, loads.prices("4930123456")) == (200, [A], {A: 1000})


def comes_back(loads):
    """What is written now is loaded."""
    loads.sql("UPDATE callroute_rate SET price = 4711")
    loads.published()
    assert loads.prices("4930123456") == {A: 4711}
    assert loads.call("+4930123456")[1] == [A]


# -- a file ---------------------------------------------------------------------


@contextlib.contextmanager
def away(loads):
    """The file is somewhere else."""
    os.rename(loads.database, f"{loads.database}.away")
    yield "does not exist"
    assert not os.path.exists(loads.database), "an empty database was made in its place"
    os.rename(f"{loads.database}.away", loads.database)


@contextlib.contextmanager
def locked(loads):
    """Another program has the file for itself."""
    base = sqlite3.connect(loads.database, isolation_level=None)
    base.execute("PRAGMA locking_mode = EXCLUSIVE")
    base.execute("BEGIN EXCLUSIVE")
    base.execute("UPDATE callroute_rate SET price = 666")
    yield "cannot read table version of .* locked, damaged"
    base.execute("ROLLBACK")
    base.close()


@contextlib.contextmanager
def spoilt(loads):
    """Something that is no database stands there."""
    with away(loads):
        with open(loads.database, "wb") as out:
            out.write(b"what a backup program left behind\n" * 200)
        yield "cannot read table version of .* locked, damaged"
        os.unlink(loads.database)


@contextlib.contextmanager
def without_a_table(loads):
    """Half a migration."""
    loads.sql("ALTER TABLE callroute_did RENAME TO callroute_did_kept")
    yield "callroute_did"
    loads.sql("ALTER TABLE callroute_did_kept RENAME TO callroute_did")


@contextlib.contextmanager
def newer(loads):
    """A schema of another release."""
    loads.sql("UPDATE version SET table_version = 9 WHERE table_name = 'callroute_rate'")
    yield "callroute_rate in .* has version 9, this module needs 1"
    loads.sql("UPDATE version SET table_version = 1 WHERE table_name = 'callroute_rate'")


@pytest.mark.parametrize("trouble", [away, locked, spoilt, without_a_table, newer])
@pytest.mark.parametrize("words", [(), ("deck", A), ("plan",), ("dry",), ("force",)])
def test_calls_go_on_while_the_file_cannot_be_read(loads, trouble, words):
    with trouble(loads) as why:
        reason = loads.refused(*words)
        assert loads.database in reason and re.search(why, reason), (why, reason)
        assert works(loads)
    comes_back(loads)


# -- a server -------------------------------------------------------------------


def test_calls_go_on_while_the_server_is_gone(on_server):
    on_server.server_gone()
    assert on_server.refused() == f"cannot connect to mysql://{ports.HOME}:{on_server.server_port}/tollgate: does it " \
                                  "exist, and may Kamailio read it? (make db creates it)"
    assert works(on_server)
    on_server.server_back()
    assert works(on_server)
    comes_back(on_server)


def test_calls_go_on_while_a_load_waits_for_the_server(on_server):
    """A migration holds a table: the load waits, nobody else does, and then it is done."""
    with on_server.table_held("callroute_rate"):
        ticket = on_server.order()
        on_server.waiting_connection()
        assert works(on_server)
        assert on_server.last["ticket"] < ticket
    assert on_server.outcome(ticket)["result"] == "published"
    comes_back(on_server)


def test_calls_go_on_when_the_server_dies_under_a_load(on_server):
    with on_server.table_held("callroute_rate"):
        before, ticket = on_server.generation, on_server.order()
        on_server.waiting_connection()
        on_server.server_gone(kill=True)
    done = on_server.outcome(ticket)
    assert (done["result"], on_server.generation) == ("refused", before)
    assert "reading callroute_rate from mysql://" in done["message"], done
    assert works(on_server)
    on_server.server_back()
    comes_back(on_server)


def test_a_lost_connection_does_not_mix_two_states_of_the_tables(on_server):
    """The driver connects again by itself, and what it reads then is another transaction's."""
    with on_server.table_held("callroute_rate"):
        before, ticket = on_server.generation, on_server.order()
        on_server.kill_connection(on_server.waiting_connection())
        on_server.waiting_connection()
    done = on_server.outcome(ticket)
    assert (done["result"], on_server.generation) == ("refused", before)
    assert "connection was lost" in done["message"], done
    assert works(on_server)
    comes_back(on_server)


# -- the start ------------------------------------------------------------------


def said_at_start(loads):
    """The module's error lines of a start that failed."""
    said, status = loads.kamailio.start_and_fail()
    assert status != 0, said
    assert not loads.kamailio.crashed(), said
    return [line for line in said.splitlines() if "ERROR: callroute " in line]


def test_a_start_without_the_file_is_refused(tmp_path):
    loads = Loading(tmp_path, [Trunk(A, 1000)])
    os.unlink(loads.database)
    first = said_at_start(loads)[0]
    assert f"cannot connect to sqlite:///{loads.database}: the file does not exist (make db creates it)" in first
    assert not os.path.exists(loads.database)


def test_a_start_without_the_server_is_refused(tmp_path):
    with database_server(tmp_path) as (server, port):
        loads = OnServer(tmp_path, [Trunk(A, 1000)], server, port)
        loads.server_gone()
        first = said_at_start(loads)[0]
        assert f"cannot connect to mysql://{ports.HOME}:{port}/tollgate" in first
        loads.server_back()
        with loads:
            assert works(loads)

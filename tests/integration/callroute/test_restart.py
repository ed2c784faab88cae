# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that outlive a restart of the server keep their channels: dialog has them in its database.

What was answered before the restart counts after it, against the limits too, and is given back
when it ends. What was still ringing is over with its transaction.
"""

import contextlib
import os
import signal

import pytest

from support.outgoing import Dialled, account, assert_held, assert_nothing_held, bye_from, held, outgoing, plan_row
from support.process import eventually
from support.routing import Trunk
from support.stack import complaints_of

# dialog's db_mode: each change at once; by a timer and at the end
MODES = pytest.mark.parametrize("mode", [1, 2], ids=["realtime", "delayed"])


@contextlib.contextmanager
def stored(folder, trunks, mode=1, **how):
    """As outgoing(), dialog's calls in the same database as the routes."""
    params = "\n".join(f'modparam("dialog", "{name}", {value})' for name, value in (
        ("db_url", f'"sqlite:///{folder}/routes.sqlite"'), ("db_mode", mode), ("db_update_period", 1)))
    with outgoing(folder, trunks, dialog=True, params=params, **how) as routing:
        yield routing


def restart(routing):
    """Stop as an operator does, and start again."""
    assert complaints_of(routing.kamailio) == []
    routing.kamailio.start()


def written(routing, calls):
    """Wait until dialog has written that many calls and what is said of them.

    By a timer in its delayed mode: what is younger is lost to dialog itself too.
    """
    assert eventually(lambda: all(len(routing.sql(f"SELECT * FROM {rows}")) == calls for rows in (
        "dialog_vars WHERE dialog_key = 'callroute'", "dialog")))


@pytest.fixture
def trunks():
    """Rows with ports of their own."""
    return [Trunk("one"), Trunk("two", 2000)]


@MODES
def test_channels_are_held_again_until_the_bye(tmp_path, trunks, mode):
    with stored(tmp_path, trunks, mode, sql=[account()]) as routing:
        first, second = Dialled(routing).answered("one"), Dialled(routing).reply("one", 503).answered("two")
        assert_held(routing, one=1, two=1)
        before = held(routing)
        written(routing, 2)
        restart(routing)
        assert held(routing) == before == {"": 6, "one": 1, "two": 1}
        first.hang_up()
        assert_held(routing, two=1)
        assert bye_from(routing, "two", second) == 200
        assert_nothing_held(routing)


def test_limits_count_what_was_there_before(tmp_path, trunks):
    with stored(tmp_path, trunks, sql=[account(max_channels=1)]) as routing:
        call = Dialled(routing).answered("one")
        restart(routing)
        assert Dialled(routing).final() == "480 -3 account_channels"
        call.hang_up()
        assert_nothing_held(routing)
        Dialled(routing).answered("one").hang_up()


def test_a_limit_below_what_was_there_ends_no_call(tmp_path, trunks):
    """The operator lowers a limit and restarts: the calls that are up count, all of them."""
    with stored(tmp_path, trunks, sql=[account()]) as routing:
        calls = [Dialled(routing).answered("one") for _ in range(3)]
        routing.sql("UPDATE callroute_trunk SET max_channels = 2, max_cps = 1", "UPDATE callroute_account SET "
                    "max_channels = 1, max_cps = 1")
        restart(routing)
        assert_held(routing, one=3)
        for call in calls:
            call.hang_up()
        assert_nothing_held(routing)
        Dialled(routing).answered("one").hang_up()


@MODES
def test_killed_server(tmp_path, trunks, mode):
    """kill -9 of everything in the middle of calls: what dialog had written is held again, and no more."""
    with stored(tmp_path, trunks, mode, sql=[account()]) as routing:
        up = Dialled(routing).answered("one")
        written(routing, 1)
        ringing = Dialled(routing).reply("one", 180)
        ringing.provisional(180)
        assert_held(routing, one=2)
        os.killpg(routing.kamailio.pid, signal.SIGKILL)
        routing.kamailio.stop()
        routing.kamailio.start()
        assert held(routing) == {"": 3, "one": 1, "two": 0}
        up.hang_up()
        assert_nothing_held(routing)


def test_trunk_that_was_removed_meanwhile(tmp_path, trunks):
    """Its carrier and the account still carry the call."""
    with stored(tmp_path, trunks, sql=[account(max_channels=1)]) as routing:
        call = Dialled(routing).answered("one")
        written(routing, 1)
        routing.sql("DELETE FROM callroute_plan_trunk WHERE trunk_id = 1", "DELETE FROM callroute_trunk WHERE id = 1")
        restart(routing)
        assert held(routing) == {"": 3, "two": 0}
        assert Dialled(routing).final() == "480 -3 account_channels"
        call.hang_up()
        assert_nothing_held(routing)


def test_call_longer_than_max_call_sec_is_not_held_again(tmp_path, trunks):
    with stored(tmp_path, trunks, sql=[account()]) as routing:
        call = Dialled(routing).answered("one")
        written(routing, 1)
        assert complaints_of(routing.kamailio) == []
        routing.sql("UPDATE dialog SET start_time = start_time - 14401")
        routing.kamailio.start()
        assert set(held(routing).values()) == {0}
        call.hang_up()


def test_each_leg_of_a_spiral(tmp_path):
    trunks = [Trunk("loop", prefix="44"), Trunk("two", 2000)]
    select = """if ($rU =~ "^44") { callroute_select("second"); } else { callroute_select("default"); }"""
    rows = [account(), plan_row(table="callroute_plan", id=2, name="second"),
            plan_row(table="callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2)]
    trunks[0].uri = "sip:127.0.0.1:1"
    with stored(tmp_path, trunks, select=select, sql=rows) as routing:
        routing.sql(f"UPDATE callroute_trunk SET uri = 'sip:127.0.0.1:{routing.second}' WHERE id = 1")
        routing.reload()
        call = Dialled(routing).answered("two")
        assert_held(routing, loop=1, two=1)
        before = held(routing)
        restart(routing)
        assert held(routing) == before
        call.hang_up()
        assert_nothing_held(routing)


@pytest.mark.parametrize("value", ["", "x", "12:34", "0:1:1:1:1", "1:1:1:1:1:1", "1:1:1:1:1 ", "1:1:1:1:1 y",
                                   "ffffffffffffffffff:1:1:1:1", "1:fffffffff:1:1:1", "-1:1:1:1:1", "9" * 400])
def test_a_variable_that_says_nothing_holds_nothing(tmp_path, trunks, value):
    """Whoever can write the database, or a script that uses the name: said in the log, no harm done."""
    with stored(tmp_path, trunks, sql=[account()]) as routing:
        call = Dialled(routing).answered("one")
        written(routing, 1)
        assert complaints_of(routing.kamailio) == []
        routing.sql(f"UPDATE dialog_vars SET dialog_value = '{value}' WHERE dialog_key = 'callroute'")
        routing.kamailio.start()
        assert set(held(routing).values()) == {0}
        routing.kamailio.wait_line(f"callid={call.callid}.*holds no channel")
        call.hang_up()

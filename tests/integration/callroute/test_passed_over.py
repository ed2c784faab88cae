# SPDX-License-Identifier: GPL-2.0-or-later
"""What callroute_next() passes over: a trunk that was eligible at the choice and is not any more.

And the class of a trunk that has none: 5xx and 408 go on.
callroute/test_failover.py has the classes, and what a reload changes in between.
"""

import contextlib

import pytest

from support.live import breaker
from support.outgoing import Dialled, account, assert_held, outgoing
from support.routing import Trunk


def trunks():
    """Three trunks of rising prices; a call is left waiting at the first one."""
    return [Trunk(f"t{number}", 1000 * number, try_timeout_ms=20000) for number in (1, 2, 3)]


@contextlib.contextmanager
def another_call_at_t2(routing):
    """It holds what t2 and its carrier have."""
    routing.rpc("callroute.set_trunk", "t1", "down")
    other = Dialled(routing).answered("t2")
    routing.rpc("callroute.set_trunk", "t1", "table")
    yield
    other.hang_up()


@contextlib.contextmanager
def no_answer_to_probes(routing):
    """Probes of t2 stay without an answer."""
    routing.ends["t2"].options = None
    routing.becomes("t2", "health", "down")
    yield


@contextlib.contextmanager
def open_breaker(routing):
    """Another call fails at t2, and its caller hears the reply of t3."""
    routing.rpc("callroute.set_trunk", "t1", "down")
    other = Dialled(routing).reply("t2", 503).reply("t3", 486)
    assert other.final() == "486 Busy Here"
    routing.rpc("callroute.set_trunk", "t1", "table")
    routing.becomes("t2", "breaker", "open")
    yield


def operator(word):
    """The operator takes t2 out."""
    @contextlib.contextmanager
    def change(routing):
        routing.rpc("callroute.set_trunk", "t2", word)
        yield
    return change


ONE = "SET max_channels = 1 WHERE id = 2"
FRAGILE = breaker(1, min_calls=1, codes="503", half_open_after=60)
PROBED = "UPDATE callroute_trunk SET probe_interval = 1, down_after = 1, up_after = 1 WHERE id = 2"


@pytest.mark.parametrize("rows, change", [
    ([f"UPDATE callroute_trunk {ONE}"], another_call_at_t2),
    ([f"UPDATE callroute_carrier {ONE}"], another_call_at_t2),
    ([PROBED], no_answer_to_probes),
    ([FRAGILE, "UPDATE callroute_trunk SET breaker_id = 1 WHERE id = 2"], open_breaker),
    ([], operator("down")), ([], operator("drain")),
], ids=["channels", "carrier_channels", "probes", "breaker", "down", "drain"])
def test_passed_over(tmp_path, rows, change):
    with outgoing(tmp_path, trunks(), sql=[account(), *rows]) as routing:
        call = Dialled(routing)
        call.at("t1")
        with change(routing):
            before = len(routing.ends["t2"].got("INVITE"))
            call.reply("t1", 500)
            call.at("t3")
            assert call.tried() == ["t1", "t3"]
            assert len(routing.ends["t2"].got("INVITE")) == before
            call.answered("t3")
        assert_held(routing, t3=1)
        call.hang_up()


def test_nobody_with_room_is_left(tmp_path):
    """The first trunk's reply is the call's, and what the call held is free at once."""
    with outgoing(tmp_path, trunks()[:2], sql=[account(), f"UPDATE callroute_trunk {ONE}"]) as routing:
        call = Dialled(routing)
        call.at("t1")
        with another_call_at_t2(routing):
            call.reply("t1", 500)
            assert call.final() == "500 Server Internal Error"
            assert call.next_refused() == "-7 no_capacity"
            assert_held(routing, t2=1)


@pytest.mark.parametrize("status, goes_on", [(500, True), (503, True), (599, True), (408, True), (302, False),
                                             (404, False), (480, False), (486, False), (600, False), (603, False)])
def test_trunk_without_a_class(tmp_path, status, goes_on):
    with outgoing(tmp_path, trunks()[:2], sql=[account()]) as routing:
        call = Dialled(routing).reply("t1", status)
        if goes_on:
            call.answered("t2").hang_up()
        else:
            assert call.final().startswith(f"{status} ")
            assert call.next_refused() == "-7 final_reply"
            assert call.tried() == ["t1"]

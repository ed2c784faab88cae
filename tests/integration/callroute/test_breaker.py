# SPDX-License-Identifier: GPL-2.0-or-later
"""The breaker on live calls: what opens it, who may try, what closes it, what it does not look at.

Where a test says nothing else, it opens when half of at least four calls failed, and a call may try two seconds later.
"""

import threading

import pytest

from support.live import NUMBER, Live, breaker, row
from support.outgoing import Dialled, outgoing
from support.process import eventually
from support.routing import Trunk


def pair(**columns):
    """Trunk a with a breaker, and b for what a does not take."""
    return [Trunk("a", 1000, breaker_id=1, **columns), Trunk("b", 2000)]


def tried(live, count, status):
    """The trunks that `count` calls came to, when `a` answers with this status."""
    live.ends["a"].invite = (status,) if status != 200 else (180, 200)
    return [trunks for _, trunks in live.statuses(count)]


def opened(live):
    """Four failures."""
    assert tried(live, 4, 503) == [["a", "b"]] * 4
    assert live.trunk("a")["breaker"] == "open"


# -- opening, trying, closing -----------------------------------------------------


def test_opens_is_tried_and_closes(tmp_path):
    with Live(tmp_path, pair(), sql=[breaker(1)]) as live:
        assert live.trunk("a")["breaker"] == "closed" and live.trunk("b")["breaker"] == "none"
        assert tried(live, 3, 503) == [["a", "b"]] * 3
        assert live.trunk("a")["breaker"] == "closed"
        assert tried(live, 1, 503) == [["a", "b"]]
        live.kamailio.wait_line("breaker trunk=a carrier=a-carrier state=open")
        assert live.trunk("a")["breaker"] == "open"
        assert live.fates() == {"a": "breaker", "b": "chosen"}
        assert tried(live, 1, 200) == [["b"]]
        live.becomes("a", "breaker", "half_open")
        assert live.fates() == {"a": "chosen", "b": "chosen"}
        # The call that tries fails: as before, and nobody is told again.
        assert tried(live, 2, 503) == [["a", "b"], ["b"]]
        assert live.trunk("a")["breaker"] == "open"
        live.becomes("a", "breaker", "half_open")
        assert tried(live, 3, 200) == [["a"]] * 3
        assert live.trunk("a")["breaker"] == "closed"
        live.kamailio.wait_line("breaker trunk=a carrier=a-carrier state=closed")
        # What opened it is forgotten: four calls more, three of them in order.
        assert tried(live, 1, 503) == [["a", "b"]]
        assert live.moves("a") == ["open", "closed"]
        assert live.stats("a")["failed"] == 6


@pytest.mark.parametrize("statuses, columns, opens", [
    ((200, 200, 503, 503), {}, True), ((200, 200, 200, 503), {}, False), ((200, 200, 200, 503, 503, 503), {}, True),
    ((503,), {"min_calls": 1, "open_at": 1}, True), ((200, 503, 503), {"min_calls": 3, "open_at": 67}, False),
    ((503,) * 3, {"min_calls": 3, "open_at": 100}, True)])
def test_how_many_of_how_many(tmp_path, statuses, columns, opens):
    with Live(tmp_path, pair(), sql=[breaker(1, **columns)]) as live:
        for status in statuses:
            assert tried(live, 1, status) in ([["a"]], [["a", "b"]])
        assert live.trunk("a")["breaker"] == ("open" if opens else "closed")


def test_old_calls_are_forgotten(tmp_path):
    """Half of a window later nothing of it counts any more."""
    with Live(tmp_path, pair(), sql=[breaker(1, window_sec=1)]) as live:
        assert tried(live, 3, 503) == [["a", "b"]] * 3
        ago = "last_failure_ago_sec"
        assert eventually(lambda: live.stats("a")[ago] >= 1)
        assert tried(live, 1, 503) == [["a", "b"]]
        assert live.trunk("a")["breaker"] == "closed"


# -- what counts -------------------------------------------------------------------


@pytest.mark.parametrize("status, codes, fails", [
    (404, "5xx,408", False), (486, "5xx,408", False), (480, "5xx,408", False), (603, "5xx,408", False),
    (500, "5xx,408", True), (408, "5xx,408", True), (404, "404", True), (503, "5xx,!503", False)])
def test_replies_that_count(tmp_path, status, codes, fails):
    """What is the caller's or the called one's affair says that the trunk works."""
    with Live(tmp_path, pair(), sql=[breaker(1, codes=codes)]) as live:
        tried(live, 4, status)
        assert live.trunk("a")["breaker"] == ("open" if fails else "closed")
        # It was not left out of the count: one failure more makes no half of five.
        if not fails and status != 503:
            tried(live, 1, 500)
            assert live.trunk("a")["breaker"] == "closed"


def test_ringing_of_a_trunk_that_was_left(tmp_path):
    """It comes too late to say anything of the next one, whose caller gives up before that one rings."""
    trunks = [Trunk("b", 1000, try_timeout_ms=200), Trunk("a", 2000, breaker_id=1, try_timeout_ms=20000)]
    with outgoing(tmp_path, trunks, sql=[breaker(1, min_calls=1, codes="500")]) as live:
        call = Dialled(live)
        call.at("a")
        live.ends["b"].reply(call.at("b"), 180)
        live.ends["a"].reply(call.at("a"), 100)
        assert call.cancel() == 200
        call.final()
        assert live.rpc("callroute.list_quality", "a")[0]["pdd_ms"] == 0


def test_silence_counts(tmp_path):
    with Live(tmp_path, pair(try_timeout_ms=100), sql=[breaker(1, min_calls=2)]) as live:
        live.ends["a"].invite = ()
        assert live.statuses(3) == [(200, ["a", "b"]), (200, ["a", "b"]), (200, ["b"])]


def test_a_caller_who_gives_up(tmp_path):
    """Before it rings that says nothing; while it rings, that the trunk works: four failures of eight calls."""
    with outgoing(tmp_path, pair(try_timeout_ms=20000), sql=[breaker(1, min_calls=8)]) as live:
        for _ in range(3):
            Dialled(live).reply("a", 503).answered("b").hang_up()
        for status in (100, 100, 100, 180, 180, 180, 183):
            call = Dialled(live).reply("a", status)
            if status != 100:
                call.provisional(status)
            assert call.cancel() == 200 and call.final() == "487 Request Terminated"
        assert live.trunk("a")["breaker"] == "closed"
        Dialled(live).reply("a", 503).answered("b").hang_up()
        assert live.trunk("a")["breaker"] == "open"


# -- many at once --------------------------------------------------------------------


def test_one_call_tries(tmp_path):
    with outgoing(tmp_path, pair(try_timeout_ms=20000), sql=[breaker(1, min_calls=1)]) as live:
        Dialled(live).reply("a", 503).answered("b").hang_up()
        live.becomes("a", "breaker", "half_open")
        calls = [Dialled(live) for _ in range(12)]
        trial = live.ends["a"].wait("INVITE", 2)[1]
        rest = [call for call in calls if call.callid != trial.callid]
        for call in rest:
            call.answered("b").hang_up()
        assert len(rest) == 11 and len(live.ends["a"].got("INVITE")) == 2
        trying = next(call for call in calls if call.callid == trial.callid)
        trying.answered("a").hang_up()
        live.becomes("a", "breaker", "closed")


def test_many_failures_at_once_are_one_edge(tmp_path):
    with outgoing(tmp_path, pair(try_timeout_ms=20000), sql=[breaker(1, half_open_after=60)]) as live:
        calls = [Dialled(live) for _ in range(16)]
        under_way = Dialled(live)
        invites = live.ends["a"].wait("INVITE", 17)
        ends = [threading.Thread(target=live.ends["a"].reply, args=(one, 503))
                for one in invites if one.callid != under_way.callid]
        for one in ends:
            one.start()
        for one in ends:
            one.join(10)
        for call in calls:
            call.answered("b").hang_up()
        # A call from before that comes through now says nothing about today.
        under_way.answered("a").hang_up()
        assert live.trunk("a")["breaker"] == "open"
        after = Dialled(live).answered("b")
        after.hang_up()
        assert after.tried() == ["b"]
        live.kamailio.wait_line("breaker trunk=a")
        found = live.kamailio.grep(" breaker trunk=a ")
        assert len(found) == 1 and "state=open" in found[0]


# -- what others do to it --------------------------------------------------------------


def test_reload_leaves_it(tmp_path):
    with Live(tmp_path, pair(), sql=[breaker(1, half_open_after=60), breaker(2, half_open_after=60)]) as live:
        opened(live)
        live.sql("UPDATE callroute_trunk SET name = 'renamed' WHERE id = 1",
                 "UPDATE callroute_breaker SET min_calls = 9")
        live.reload()
        assert live.trunk("renamed")["breaker"] == "open" and tried(live, 1, 200) == [["b"]]
        live.sql("UPDATE callroute_trunk SET breaker_id = 0 WHERE id = 1")
        live.reload()
        assert live.trunk("renamed")["breaker"] == "none" and tried(live, 1, 200) == [["renamed"]]
        live.sql("UPDATE callroute_trunk SET breaker_id = 2 WHERE id = 1")
        live.reload()
        assert live.trunk("renamed")["breaker"] == "open"


def test_an_emergency_call_passes(tmp_path):
    """By what is open too, where nothing else is left."""
    rule = row("rule", id=1, plan_id=1, prefix="112", action="emergency", target="a,b")
    with Live(tmp_path, pair(), sql=[breaker(1, half_open_after=60), rule]) as live:
        opened(live)
        live.ends["a"].invite, live.ends["b"].invite = (180, 200), (503,)
        assert live.call("112")[1] == ["b", "a"]
        assert live.call(NUMBER)[1] == ["b"]


def test_each_trunk_has_its_own(tmp_path):
    trunks = [Trunk("a", 1000, breaker_id=1), Trunk("c", 1500, breaker_id=1), Trunk("b", 2000)]
    with Live(tmp_path, trunks, sql=[breaker(1, half_open_after=60)]) as live:
        live.ends["a"].invite = (503,)
        assert [trunks for _, trunks in live.statuses(5)] == [["a", "c"]] * 4 + [["c"]]
        assert [live.trunk(name)["breaker"] for name in "acb"] == ["open", "closed", "none"]


def test_all_open(tmp_path):
    with Live(tmp_path, [Trunk("a", breaker_id=1)], sql=[breaker(1, min_calls=1, half_open_after=60)]) as live:
        live.ends["a"].invite = (503,)
        assert live.call(NUMBER)[0].status == 500
        assert live.call(NUMBER)[0].reason == "all_down"

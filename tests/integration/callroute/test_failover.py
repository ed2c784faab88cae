# SPDX-License-Identifier: GPL-2.0-or-later
"""What follows a trunk's failure: classes, timeouts, CANCEL, emergency calls, reloads in between."""

import threading

import pytest

from support.outgoing import CFG, SELECT, Dialled, account, assert_held, outgoing, plan_row
from support.process import eventually
from support.routing import Trunk


def trunks(count=3, **columns):
    """Trunks t1, t2 ... of rising prices."""
    return [Trunk(f"t{number}", 1000 * number, **columns) for number in range(1, count + 1)]


def klass(codes, action="next", trunk=1):
    """A class for one trunk."""
    return [plan_row(table="callroute_failover", id=trunk, name=f"class{trunk}", codes=codes, action=action),
            f"UPDATE callroute_trunk SET failover_id = {trunk} WHERE id = {trunk}"]


# -- classes --------------------------------------------------------------------


@pytest.mark.parametrize("codes, action, status, goes_on", [
    ("5xx,408", "next", 503, True),
    ("5xx,408", "next", 404, False),
    ("5xx,!503", "next", 503, False),
    ("5xx,!503", "next", 500, True),
    ("!503,5xx", "next", 503, True),
    ("4xx", "next", 486, True),
    ("6xx", "next", 603, True),
    ("404, 480", "next", 480, True),
    ("486,6xx", "stop", 486, False),
    ("486,6xx", "stop", 404, True),
    ("486,6xx", "stop", 603, False),
])
def test_class(tmp_path, codes, action, status, goes_on):
    with outgoing(tmp_path, trunks(2), sql=klass(codes, action)) as routing:
        call = Dialled(routing).reply("t1", status)
        if goes_on:
            call.answered("t2").hang_up()
            assert call.tried() == ["t1", "t2"]
        else:
            # tm makes 500 of 503 (RFC 3261, 16.7).
            assert call.final().startswith("500 " if status == 503 else f"{status} ")
            assert call.next_refused() == "-7 final_reply"
            assert call.tried() == ["t1"]


def test_other_carrier(tmp_path):
    """The carrier of the trunk that failed is left out, wherever its trunks stand, and no other."""
    rows = ["UPDATE callroute_trunk SET carrier_id = 1 WHERE id IN (1, 2)", *klass("503", "other_carrier")]
    with outgoing(tmp_path, trunks(4), sql=rows) as routing:
        call = Dialled(routing).reply("t1", 503).reply("t3", 503)
        call.answered("t4").hang_up()
        assert call.tried() == ["t1", "t3", "t4"]


def test_other_carrier_than_the_failed_ones(tmp_path):
    """What was passed over meanwhile is not what failed."""
    rows = ["UPDATE callroute_trunk SET carrier_id = 1 WHERE id = 4", *klass("503", "other_carrier", trunk=2)]
    with outgoing(tmp_path, trunks(4), sql=rows) as routing:
        call = Dialled(routing)
        call.at("t1")
        routing.rpc("callroute.set_trunk", "t3", "down")
        call.reply("t1", 500).reply("t2", 503)
        call.answered("t4").hang_up()
        assert call.tried() == ["t1", "t2", "t4"]


def test_the_present_attempts_reply_counts(tmp_path):
    """tm picks the best reply of all attempts: 404 of the first one is not the second one's."""
    with outgoing(tmp_path, trunks(3), sql=klass("404")) as routing:
        call = Dialled(routing).reply("t1", 404).reply("t2", 503)
        call.answered("t3").hang_up()
        rows = {row["trunk"]: row["last_code"] for row in routing.rpc("callroute.stats")["trunks"]}
        assert (rows["t1"], rows["t2"]) == (404, 503)


# -- how many ---------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 8])
def test_max_attempts(tmp_path, most):
    names = [f"t{number}" for number in range(1, most + 1)]
    with outgoing(tmp_path, trunks(9), plan={"max_attempts": most}) as routing:
        call = Dialled(routing)
        for name in names:
            call.reply(name, 503)
        assert call.final() == "500 Service Unavailable"
        assert call.next_refused() == "-7 exhausted"
        assert call.tried() == names


def test_three_hundred_gateways(tmp_path):
    """More than drouting's 32 a rule and lcr's array of 129: 250 trunks of one plan, 50 of another."""
    rows = []
    for key in range(10, 310):
        plan = 1 if key < 260 else 2
        rows += [plan_row(table="callroute_trunk", id=key, carrier_id=1, name=f"g{key}", uri="sip:127.9.9.9:9",
                          try_timeout_ms=100),
                 plan_row(table="callroute_plan_trunk", plan_id=plan, trunk_id=key, deck_id=2)]
    rows.insert(0, plan_row(table="callroute_plan", id=2, name="more"))
    with outgoing(tmp_path, trunks(2), plan={"max_attempts": 2}, sql=rows) as routing:
        call = Dialled(routing).reply("t1", 503)
        assert call.final().startswith(("408 ", "500 "))
        assert len(call.tried()) == 2
        assert routing.rpc("callroute.status")["trunks"] == 302


# -- timeouts ---------------------------------------------------------------------


def test_silent_trunk(tmp_path):
    rows = ["UPDATE callroute_trunk SET try_timeout_ms = 200 WHERE id = 1"]
    with outgoing(tmp_path, trunks(2, try_timeout_ms=4000), sql=rows) as routing:
        call = Dialled(routing).answered("t2")
        assert call.tried() == ["t1", "t2"]
        call.hang_up()
        rows = {row["trunk"]: row for row in routing.rpc("callroute.stats")["trunks"]}
        assert (rows["t1"]["failed"], rows["t1"]["last_code"], rows["t2"]["answered"]) == (1, 408, 1)


def test_trunk_that_rings_for_ever(tmp_path):
    with outgoing(tmp_path, trunks(2, try_timeout_ms=500, ring_timeout_ms=1000)) as routing:
        call = Dialled(routing).reply("t1", 180)
        call.at("t2")
        cancelled = routing.ends["t1"].wait("CANCEL")
        assert cancelled[0].callid == call.callid
        assert_held(routing, t2=1)
        call.answered("t2").hang_up()
        assert call.tried() == ["t1", "t2"]


# -- the caller gives up ------------------------------------------------------------


def test_cancel_while_it_rings_at_the_second_trunk(tmp_path):
    with outgoing(tmp_path, trunks(3), sql=[account()]) as routing:
        call = Dialled(routing).reply("t1", 503).reply("t2", 180)
        call.provisional(180)
        assert call.cancel() == 200
        assert call.final().startswith("487 ")
        assert call.next_refused() == "-7 canceled"
        assert call.tried() == ["t1", "t2"]
        rows = {row["trunk"]: row for row in routing.rpc("callroute.stats")["trunks"]}
        assert rows["t2"]["cancelled"] == 1


def test_cancel_between_two_trunks(tmp_path):
    """The CANCEL is there when the first trunk's failure comes: no second trunk rings."""
    with outgoing(tmp_path, trunks(2, try_timeout_ms=4000), sql=[account()]) as routing:
        call = Dialled(routing)
        call.at("t1")
        assert call.cancel() == 200
        call.reply("t1", 503)
        assert call.final().partition(" ")[0] in ("487", "500")
        assert call.next_refused() == "-7 canceled"
        assert call.tried() == ["t1"]


# -- emergency ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [486, 404, 603, 503, 401])
def test_emergency_call_goes_on_after_any_failure(tmp_path, status):
    rows = [plan_row(table="callroute_rule", plan_id=1, prefix="112", action="emergency", target="t1,t2"),
            *klass("503", "stop")]
    with outgoing(tmp_path, trunks(2), sql=rows) as routing:
        call = Dialled(routing, "112").reply("t1", status)
        call.answered("t2").hang_up()


def test_emergency_call_tries_what_is_down(tmp_path):
    rows = [plan_row(table="callroute_rule", plan_id=1, prefix="112", action="emergency", target="t1,t2"),
            "UPDATE callroute_trunk SET admin_state = 'down'", "UPDATE callroute_carrier SET enabled = 0"]
    with outgoing(tmp_path, trunks(2), sql=rows) as routing:
        Dialled(routing, "112").reply("t1", 503).answered("t2").hang_up()


# -- reloads ------------------------------------------------------------------------


@pytest.mark.parametrize("sql", ["UPDATE callroute_trunk SET admin_state = 'down' WHERE id = 2",
                                 "UPDATE callroute_carrier SET enabled = 0 WHERE id = 2",
                                 "DELETE FROM callroute_trunk WHERE id = 2"])
def test_reload_between_two_attempts(tmp_path, sql):
    with outgoing(tmp_path, trunks(3)) as routing:
        call = Dialled(routing)
        call.at("t1")
        routing.sql("DELETE FROM callroute_plan_trunk WHERE trunk_id = 2", sql)
        routing.reload()
        call.reply("t1", 503).answered("t3")
        assert call.tried() == ["t1", "t3"]
        call.hang_up()


def test_lcr_stale_index(tmp_path):
    """lcr keeps an index into an array: after a reload its mark hits another gateway. Here ids are kept.

    The reload renumbers every place: trunks of lower ids come before, and the failed one is removed.
    """
    with outgoing(tmp_path, trunks(3)) as routing:
        call = Dialled(routing)
        call.at("t1")
        routing.sql("UPDATE callroute_trunk SET id = id + 100", "UPDATE callroute_trunk SET id = 103 WHERE id = 3",
                    "UPDATE callroute_plan_trunk SET trunk_id = trunk_id + 100",
                    "UPDATE callroute_trunk SET name = 'was1', admin_state = 'down' WHERE id = 101")
        routing.sql("INSERT INTO callroute_trunk (id, carrier_id, name, uri) SELECT 2, 2, 'new2', uri "
                    "FROM callroute_trunk WHERE id = 103",
                    "INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, 2, 2)")
        routing.reload()
        call.reply("t1", 503)
        call.at("t3").callid      # id 2 is now another trunk, at t3's address: the id counts, not the place
        assert call.tried() == ["t1", "new2"]
        call.reply("t3", 503)
        assert call.final() == "500 Service Unavailable"
        assert routing.ends["t2"].got("INVITE") == []
        rows = {row["trunk"]: row for row in routing.rpc("callroute.stats")["trunks"]}
        assert rows["t2"]["failed"] == rows["t3"]["failed"] == rows["was1"]["failed"] == 0


def test_drouting_nested_call_during_reload(tmp_path):
    """drouting's workers wait for a reload, and a call inside a call for itself: here nobody waits for anybody.

    Each call is decided in a request route and again in its failure route, while loads follow each other.
    """
    with outgoing(tmp_path, trunks(2), select=SELECT + SELECT, sql=[account()]) as routing:
        for end, statuses in (("t1", (503,)), ("t2", (180, 200))):
            routing.ends[end].invite = statuses
        over, loads = threading.Event(), []

        def load():
            while not over.is_set():
                routing.reload()
                loads.append(1)
        loader = threading.Thread(target=load)
        before = routing.rpc("callroute.status")["generation"]
        loader.start()
        try:
            for _ in range(60):
                call = Dialled(routing, agent=routing.agent())
                assert call.final() == "200 OK"
                call.hang_up()
        finally:
            over.set()
            loader.join(10)
        assert not loader.is_alive()
        assert routing.rpc("callroute.status")["generation"] > before
        assert len(loads) > 1
        assert eventually(lambda: routing.rpc("callroute.status")["pending_reclaim"] == 0)


# -- what the routes see ------------------------------------------------------------


def test_variables_in_every_route(tmp_path):
    """Branch, reply and failure routes run in other processes than the request route: same answers."""
    routes = """
branch_route[BRANCH] {
    xlog("L_NOTICE", "seen-branch trunk=$callroute(trunk) attempt=$callroute(attempt) plan=$callroute(plan)\\n");
}
onreply_route[REPLY] {
    xlog("L_NOTICE", "seen-reply trunk=$callroute(trunk) attempt=$callroute(attempt) price=$callroute(price)\\n");
}
"""
    cfg = CFG.replace('t_on_failure("NEXT");', 't_on_failure("NEXT"); t_on_branch("BRANCH"); t_on_reply("REPLY");')
    assert cfg != CFG
    with outgoing(tmp_path, trunks(2), routes=routes, cfg=cfg) as routing:
        call = Dialled(routing).reply("t1", 180).reply("t1", 503)
        call.answered("t2").hang_up()
        lines = " | ".join(line.partition("seen-")[2] for line in routing.kamailio.grep("seen-"))
        assert "branch trunk=t1 attempt=1 plan=default" in lines
        assert "branch trunk=t2 attempt=2 plan=default" in lines
        assert "reply trunk=t1 attempt=1 price=1000" in lines
        assert "reply trunk=t2 attempt=2 price=2000" in lines

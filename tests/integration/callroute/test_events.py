# SPDX-License-Identifier: GPL-2.0-or-later
"""Event routes: one run for each change, in a process of its own, with what changed in $callroute(...)."""

import os

import pytest

from support.inbound import account
from support.kemi import Both
from support.live import Live, breaker, probed
from support.outgoing import Dialled, outgoing
from support.process import eventually
from support.routing import Trunk

NAMES = ("trunk-down", "trunk-up", "breaker", "reload")
SAYS = ("trunk", "carrier", "uri", "state", "gen")


def event_routes(*names, more=""):
    """Routes that write what the event is about."""
    said = " ".join(f"$callroute({key})" for key in SAYS)
    return "".join(f'event_route[callroute:{name}] {{ {more} xlog("L_NOTICE", "event {name} $pp {said}\\n"); }}\n'
                   for name in names or NAMES)


def events(live, since=0, name=r"\S+"):
    """What the routes wrote: (name, pid, *SAYS)."""
    return [tuple(line.partition(": event ")[2].split()) for line in live.kamailio.grep(f": event {name} ", since)]


def event(live, name, since=0):
    """Wait for the first event of a name, and see that there is one: what it said."""
    live.kamailio.wait_line(f": event {name} ", 15, since)
    found = events(live, since, name)
    assert len(found) == 1, found
    return found[0][2:]


def test_each_change_is_one_run(tmp_path):
    trunks = [probed("a", 1000, breaker_id=1), Trunk("b", 2000)]
    with Live(tmp_path, trunks, sql=[breaker(1)], routes=event_routes()) as live:
        a, uri = live.ends["a"], f"sip:{live.ends['a'].where}"
        assert events(live) == []       # the first load is no event
        a.options = None
        assert event(live, "trunk-down") == ("a", "a-carrier", uri, "<null>", "1")
        a.options = 200
        assert event(live, "trunk-up") == ("a", "a-carrier", uri, "<null>", "1")
        a.invite = (503,)
        live.statuses(5)
        assert event(live, "breaker") == ("a", "a-carrier", uri, "open", "1")
        a.invite, mark = (180, 200), live.kamailio.mark()
        live.becomes("a", "breaker", "half_open")
        live.statuses(2)
        assert event(live, "breaker", mark) == ("a", "a-carrier", uri, "closed", "1")
        mark = live.kamailio.mark()
        live.reload()
        assert event(live, "reload", mark) == ("<null>", "<null>", "<null>", "published", "2")
        mark = live.kamailio.mark()
        live.sql("UPDATE callroute_trunk SET uri = 'sip:bad uri' WHERE id = 2")
        live.rpc("callroute.reload")
        assert event(live, "reload", mark) == ("<null>", "<null>", "<null>", "refused", "2")
        # All of them in one process, which carries no calls.
        assert len({one[1] for one in events(live)}) == 1
        assert {row["PID"]: row["DSC"] for row in live.rpc("core.psx")}[int(events(live)[0][1])] == "callroute keeper"
        assert live.counter("events_lost") == 0


def test_a_dry_run_is_no_event(tmp_path):
    with Live(tmp_path, [Trunk("a")], routes=event_routes()) as live:
        ticket = live.rpc("callroute.reload", "dry")["ticket"]
        assert eventually(lambda: live.rpc("callroute.status")["last_load"]["ticket"] >= ticket)
        mark = live.kamailio.mark()
        live.reload()
        event(live, "reload", mark)
        assert len(events(live)) == 1


def test_many_failures_are_one_event(tmp_path):
    """However many workers see the breaker open at the same instant."""
    trunks = [Trunk("a", 1000, breaker_id=1, try_timeout_ms=20000), Trunk("b", 2000)]
    with outgoing(tmp_path, trunks, sql=[breaker(1, half_open_after=60)], routes=event_routes()) as live:
        calls = [Dialled(live) for _ in range(16)]
        for one in live.ends["a"].wait("INVITE", 16):
            live.ends["a"].reply(one, 503)
        for call in calls:
            call.answered("b").hang_up()
        assert event(live, "breaker")[3] == "open"


def test_a_script_that_has_few_routes(tmp_path):
    """What has no route is logged all the same."""
    with Live(tmp_path, [probed("a")], routes=event_routes("trunk-up")) as live:
        live.ends["a"].options = None
        live.kamailio.wait_line(" trunk-down trunk=a carrier=a-carrier$")
        live.reload()
        live.ends["a"].options = 200
        assert event(live, "trunk-up")[0] == "a"
        assert len(events(live)) == 1


def test_a_trunk_that_is_gone_by_then(tmp_path):
    """A call that a reload has left without its trunk ends: no event tells of another trunk."""
    trunks = [Trunk("a", 1000, breaker_id=1, try_timeout_ms=20000), Trunk("b", 2000)]
    with outgoing(tmp_path, trunks, sql=[breaker(1, min_calls=1)], routes=event_routes()) as live:
        call = Dialled(live)
        call.at("a")
        live.sql("DELETE FROM callroute_plan_trunk WHERE trunk_id = 1", "DELETE FROM callroute_trunk WHERE id = 1")
        live.reload()
        call.reply("a", 503).answered("b").hang_up()
        assert [one[0] for one in events(live)] == ["reload"]


@pytest.mark.parametrize("more", ["exit;", "drop;", "return;", "return -1;", 'route(NOTHING);'])
def test_a_route_may_end_as_it_likes(tmp_path, more):
    """The next one runs whatever the one before did."""
    routes = event_routes("reload", more=f"xlog(\"L_NOTICE\", \"ran\\n\"); {more}") + "\nroute[NOTHING] { return; }"
    with Live(tmp_path, [Trunk("a")], routes=routes) as live:
        for count in (1, 2, 3):
            live.reload()
            assert eventually(lambda n=count: len(live.kamailio.grep(": ran$")) == n)


def test_a_slow_route_holds_up_no_call(tmp_path):
    """It holds up the keeper: events wait, and a reload; calls do not."""
    held = 'xlog("L_NOTICE", "held\\n"); $var(i) = 0;' \
           "while ($shv(go) != 1 && $var(i) < 90) { usleep(100000); $var(i) = $var(i) + 1; }"
    routes = event_routes("reload", more=held)
    with Live(tmp_path, [Trunk("a")], params='loadmodule "cfgutils.so"', routes=routes) as live:
        live.rpc("callroute.reload")
        live.kamailio.wait_line(": held$", 15)
        asked = live.rpc("callroute.reload")["ticket"]
        answer, tried = live.call("4930123456")
        assert (answer.status, tried) == (200, ["a"])
        assert live.rpc("callroute.status")["last_load"]["ticket"] < asked, "the call waited for the route"
        live.rpc("pv.shvSet", "go", "int", 1)
        assert eventually(lambda: len(events(live)) == 2, 15)


# -- KEMI -------------------------------------------------------------------------


def test_event_callback_gets_them_all(tmp_path):
    """One function for all events of a script in Python; the native server beside it sees the same trunks."""
    trunks = [probed("a", 1000, breaker_id=1), Trunk("b", 2000)]
    with Both(tmp_path, trunks, [breaker(1), account(7, "ip", "127.0.0.0/8", country="DE")]) as both:
        a, kemi = both.ends["a"], both.kemi

        def said(name, since=0):
            return kemi.wait_line(f"event callroute:{name} ", 15, since).partition(" event ")[2]

        def calls(count):
            for _ in range(count):
                agent = both.at(kemi)
                answer = agent.invite("sip:030123456@127.0.0.1", headers=[("X-Do", "call")])
                assert answer.status == 200, answer
                dialog = agent.dialog(answer)
                dialog.ack()
                assert dialog.bye().status == 200

        a.options = None
        assert said("trunk-down").startswith("callroute:trunk-down trunk=a state=<null> gen=1")
        a.options = 200
        assert said("trunk-up").startswith("callroute:trunk-up trunk=a state=<null> gen=1")
        a.invite = (503,)
        calls(4)
        assert said("breaker") == "callroute:breaker trunk=a state=open gen=1"
        kemi.rpc("callroute.reload")
        assert said("reload") == "callroute:reload trunk=<null> state=published gen=2"
        assert len(kemi.grep(" event callroute:")) == 4


@pytest.mark.parametrize("name, complains", [("child_init", True), ("nobody", False)])
def test_a_callback_that_fails(tmp_path, name, complains):
    """Of one that is not there app_python3 says nothing. Neither harms a call, or the next reload."""
    both = Both(tmp_path, [Trunk("a", 1000)], [account(7, "ip", "127.0.0.0/8", country="DE")])
    path = os.path.join(both.folder, "kemi", "kemi.cfg")
    with open(path, encoding="utf-8") as source:
        text = source.read()
    assert '"event_callback", "event"' in text
    with open(path, "w", encoding="utf-8") as out:
        out.write(text.replace('"event_callback", "event"', f'"event_callback", "{name}"'))
    with both:
        for count in (1, 2):
            both.kemi.rpc("callroute.reload")
            assert eventually(lambda n=count: both.kemi.rpc("callroute.status")["generation"] == 1 + n)
            if complains:
                failed = rf"{name}\(callroute:reload\): Unhandled exception"
                assert eventually(lambda n=count, line=failed: len(both.kemi.grep(line)) == n)
        answer = both.at(both.kemi).invite("sip:030123456@127.0.0.1", headers=[("X-Do", "call")])
        assert answer.status == 200, answer

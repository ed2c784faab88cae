# SPDX-License-Identifier: GPL-2.0-or-later
"""More ends of a call: timers, failures for good, replies of the script, forks, suspended calls.

callroute/test_capacity.py has the usual ends. Here too `outgoing` fails a test at whose end a gauge
of trunk, carrier or account is not 0, by RPC or by statistic; held() reads both.
"""

import pytest

from support import ports, sip
from support.outgoing import CFG, SELECT, Dialled, account, assert_held, assert_nothing_held, held, outgoing, plan_row
from support.process import eventually
from support.routing import Trunk

DIALOG = pytest.mark.parametrize("dialog", [False, True], ids=["released", "dialog"])


def changed(*pairs):
    """The cfg with some lines changed."""
    cfg = CFG
    for before, after in pairs:
        assert before in cfg, before
        cfg = cfg.replace(before, after)
    return cfg


def blamed(routing):
    """{trunk: (failures, last code)}."""
    return {row["trunk"]: (row["failed"], row["last_code"]) for row in routing.rpc("callroute.stats")["trunks"]}


@pytest.fixture
def trunks():
    """Rows with ports of their own."""
    return [Trunk("one"), Trunk("two", 2000)]


# -- timers ---------------------------------------------------------------------


@DIALOG
def test_ring_timeout_of_the_last_trunk(tmp_path, dialog):
    with outgoing(tmp_path, [Trunk("one", ring_timeout_ms=1000)], sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 180)
        call.provisional(180)
        assert held(routing) == {"": 3, "one": 1}
        assert call.final().startswith("408 ")
        routing.ends["one"].wait("CANCEL")
        assert set(held(routing).values()) == {0}


@DIALOG
def test_fr_inv_timer_of_the_script(tmp_path, dialog):
    """t_set_fr() after the choice: the script's time counts, not the trunk's."""
    cfg = changed(('    t_on_failure("NEXT");', '    t_set_fr("500", "400");\n    t_on_failure("NEXT");'))
    with outgoing(tmp_path, [Trunk("one")], cfg=cfg, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 180)
        call.provisional(180)
        assert call.final().startswith("408 ")
        assert set(held(routing).values()) == {0}


@DIALOG
def test_call_sent_on_without_state(tmp_path, trunks, dialog):
    """This server learns nothing more of it, so it holds nothing for it."""
    cfg = changed(("    t_relay();\n    exit;\n}}\n\nfailure_route", "    forward();\n    exit;\n}}\n\nfailure_route"))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account()], dialog=dialog) as routing:
        Dialled(routing).at("one")
        assert_nothing_held(routing)


# -- failures for good ------------------------------------------------------------


@DIALOG
@pytest.mark.parametrize("status", [600, 603, 404, 480])
def test_failure_of_the_last_trunk(tmp_path, trunks, dialog, status):
    with outgoing(tmp_path, trunks, sql=[account(), "DELETE FROM callroute_plan_trunk WHERE trunk_id = 2"],
                  dialog=dialog) as routing:
        assert Dialled(routing).reply("one", status).final().startswith(f"{status} ")
        assert set(held(routing).values()) == {0}


@DIALOG
@pytest.mark.parametrize("answer, wanted", [('t_reply("486", "Busy");', "486 Busy"),
                                            ('t_reply("603", "No");', "603 No"),
                                            ("exit;", "500 Service Unavailable"),
                                            ("drop;", "500 Service Unavailable")])
def test_failure_route_has_the_last_word(tmp_path, trunks, dialog, answer, wanted):
    cfg = changed(("failure_route[NEXT] {{\n", f"failure_route[NEXT] {{{{\n    {answer} exit;\n"))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 503)
        assert call.final() == wanted
        assert_nothing_held(routing)
        assert routing.ends["two"].got("INVITE") == []


@DIALOG
def test_failure_route_sends_the_call_elsewhere(tmp_path, trunks, dialog):
    """Away from the trunks, to a voice mailbox: what the trunk held is given back when the call ends."""
    trunks.append(Trunk("mailbox", 9000))
    cfg = changed(("failure_route[NEXT] {{\n",
                   f'failure_route[NEXT] {{{{\n    $ru = "sip:box@{ports.TRUNKS}:{trunks[2].port}";\n'
                   '    t_relay();\n    exit;\n'))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 503).answered("mailbox")
        call.hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_release_by_the_script_then_the_end(tmp_path, trunks, dialog):
    """callroute_release() in the failure route, then callroute_next(): nothing is given back twice."""
    cfg = changed(("failure_route[NEXT] {{\n", "failure_route[NEXT] {{\n    callroute_release();\n"))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account(max_channels=1)], dialog=dialog) as routing:
        other = Dialled(routing, "+4912345")
        other.at("one")
        other.cancel()
        other.final()
        call = Dialled(routing).reply("one", 503)
        call.answered("two")
        assert_held(routing, two=1)
        call.hang_up()
        assert_nothing_held(routing)


@DIALOG
@pytest.mark.parametrize("refuse", ['t_newtran(); t_reply("503", "No"); exit;', 'sl_send_reply("503", "No"); exit;'])
def test_trunk_that_got_nothing_is_not_blamed(tmp_path, trunks, dialog, refuse):
    """The script's own refusal after the choice says nothing about the trunk."""
    with outgoing(tmp_path, trunks, select=SELECT + refuse, sql=[account()], dialog=dialog) as routing:
        assert Dialled(routing).final() == "503 No"
        assert_nothing_held(routing)
        assert blamed(routing) == {"one": (0, 0), "two": (0, 0)}


@DIALOG
def test_second_plan_without_next_blames_the_first_trunk(tmp_path, trunks, dialog):
    """callroute_select() in the failure route alone: what the trunk replied counts all the same."""
    rows = [account(max_channels=1), plan_row(table="callroute_plan", id=2, name="second"),
            plan_row(table="callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2)]
    cfg = changed(("failure_route[NEXT] {{\n", 'failure_route[NEXT] {{\n    if ($callroute(plan) == "default" && '
                   'callroute_select("second")) {{\n        route(RELAY);\n    }}\n'))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=rows, dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 503)
        call.answered("two").hang_up()
        assert_nothing_held(routing)
        assert blamed(routing) == {"one": (1, 503), "two": (0, 0)}


# -- one request, many ways ---------------------------------------------------------


@DIALOG
def test_suspended_call(tmp_path, trunks, dialog):
    """t_suspend() after the choice and t_continue() by another process, as async scripts do."""
    cfg = changed(("    t_on_failure(\"NEXT\");\n    t_relay();\n    exit;\n}}\n\nfailure_route",
                   "    t_on_failure(\"NEXT\");\n    async_route(\"LATER\", \"1\");\n    exit;\n}}\n\n"
                   "route[LATER] {{\n    xlog(\"L_NOTICE\", \"later trunk=$callroute(trunk)\\n\");\n"
                   "    t_on_failure(\"AGAIN\");\n    t_relay();\n    exit;\n}}\n\n"
                   "failure_route[AGAIN] {{\n    if (callroute_next()) t_relay();\n}}\n\nfailure_route"),
                  ('loadmodule "rr.so"', 'loadmodule "rr.so"\nloadmodule "async.so"'),
                  ("children=4", "children=4\nasync_workers=2"))
    rows = [account(), "UPDATE callroute_trunk SET try_timeout_ms = 5000"]
    with outgoing(tmp_path, trunks, cfg=cfg, sql=rows, dialog=dialog,
                  params='modparam("async", "workers", 1)') as routing:
        call = Dialled(routing)
        assert eventually(lambda: held(routing)["one"] == 1)
        routing.kamailio.wait_line("later trunk=one")
        call.reply("one", 503).answered("two")
        assert_held(routing, two=1)
        call.hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_suspended_call_that_nobody_continues(tmp_path, trunks, dialog):
    """tm drops it by its own timer."""
    cfg = changed(("    t_relay();\n    exit;\n}}\n\nfailure_route",
                   "    t_newtran();\n    t_suspend();\n    exit;\n}}\n\nfailure_route"))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account()], dialog=dialog,
                  params='modparam("tm", "fr_inv_timer", 700)') as routing:
        call = Dialled(routing)
        assert eventually(lambda: held(routing)["one"] == 1)
        assert not call.final().startswith("2")
        assert_nothing_held(routing)
        assert blamed(routing) == {"one": (0, 0), "two": (0, 0)}
        assert routing.ends["one"].got("INVITE") == []


@DIALOG
def test_another_modules_parallel_branch(tmp_path, trunks, dialog):
    """append_branch() beside the trunk: one call, one channel, whoever answers."""
    trunks.append(Trunk("aside", 9000))
    cfg = changed(('loadmodule "rr.so"', 'loadmodule "rr.so"\nloadmodule "corex.so"'))
    branch = f'append_branch("sip:aside@{ports.TRUNKS}:{trunks[2].port}");'
    for winner, loser in (("one", "aside"), ("aside", "one")):
        with outgoing(tmp_path / winner, [Trunk(t.name, t.price) if t.name != "aside" else t for t in trunks],
                      select=SELECT + branch, cfg=cfg, sql=[account()], dialog=dialog) as routing:
            call = Dialled(routing)
            call.at(loser)
            call.at(winner)
            assert held(routing)["one"] == 1
            call.reply(loser, 180).provisional(180)
            call.answered(winner)
            routing.ends[loser].wait("CANCEL")
            assert_held(routing, one=1)
            call.hang_up()
            assert_nothing_held(routing)


@DIALOG
def test_two_branches_fail_before_the_next_trunk(tmp_path, trunks, dialog):
    """tm asks the failure route once, when both have failed; the trunk's reply counts."""
    trunks.append(Trunk("aside", 9000))
    cfg = changed(('loadmodule "rr.so"', 'loadmodule "rr.so"\nloadmodule "corex.so"'))
    branch = f'append_branch("sip:aside@{ports.TRUNKS}:{trunks[2].port}");'
    rows = [account(), plan_row(table="callroute_failover", id=1, name="never", codes="404", action="stop"),
            "UPDATE callroute_trunk SET failover_id = 1 WHERE id = 1"]
    with outgoing(tmp_path, trunks, select=SELECT + branch, cfg=cfg, sql=rows, dialog=dialog) as routing:
        call = Dialled(routing).reply("aside", 404).reply("one", 503)
        call.answered("two")
        assert_held(routing, two=1)
        call.hang_up()
        rows = {row["trunk"]: row["last_code"] for row in routing.rpc("callroute.stats")["trunks"]}
        assert rows["one"] == 503, rows


@DIALOG
def test_serial_fork_after_a_302(tmp_path, trunks, dialog):
    """A trunk redirects: its class goes on to the next one, and the Contact is not called."""
    rows = [account(), plan_row(table="callroute_failover", id=1, name="redirects", codes="3xx", action="next"),
            "UPDATE callroute_trunk SET failover_id = 1 WHERE id = 1"]
    with outgoing(tmp_path, trunks, sql=rows, dialog=dialog) as routing:
        call = Dialled(routing)
        routing.ends["one"].reply(call.at("one"), 302, [("Contact", "<sip:evil@127.9.9.9:9>")])
        call.answered("two").hang_up()
        assert call.tried() == ["one", "two"]


@DIALOG
def test_script_follows_a_302_itself(tmp_path, trunks, dialog):
    """uac_redirect's branches: the channel is the trunk's that redirected, until the call ends."""
    trunks.append(Trunk("there", 9000))
    cfg = changed(('loadmodule "rr.so"', 'loadmodule "rr.so"\nloadmodule "acc.so"\nloadmodule "uac_redirect.so"'),
                  ("failure_route[NEXT] {{\n", "failure_route[NEXT] {{\n    if (t_check_status(\"302\")) {{\n"
                   '        get_redirects("*");\n        '
                   't_on_failure("NEXT");\n        t_relay();\n        exit;\n    }}\n'))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing)
        routing.ends["one"].reply(call.at("one"), 302, [
            ("Contact", f"<sip:there@{ports.TRUNKS}:{trunks[2].port}>")])
        call.at("there")
        assert_held(routing, one=1)
        call.answered("there").hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_select_in_another_route_is_refused_at_start(tmp_path, trunks, dialog):
    """Only where a choice means something: Kamailio does not start with it in a branch or reply route."""
    for route in ("branch_route[X]", "onreply_route[X]"):
        with pytest.raises(AssertionError, match="ended at start|does not answer"):
            with outgoing(tmp_path / route[:3], trunks, routes=f"{route} {{ callroute_select(); }}",
                          dialog=dialog):
                pytest.fail("it started")


@DIALOG
def test_requests_in_a_dialog_take_nothing(tmp_path, trunks, dialog):
    """A re-INVITE and an UPDATE that the script sends through callroute_select() by mistake."""
    cfg = changed(("        if (loose_route()) {{\n",
                   '        if (loose_route()) {{\n            if (is_method("INVITE|UPDATE")) '
                   '{{ callroute_select("default", "4930123456"); '
                   'xlog("L_NOTICE", "in-dialog rc=$rc $callroute(reason)\\n"); }}\n'))
    with outgoing(tmp_path, trunks, cfg=cfg, sql=[account(max_channels=5)], dialog=dialog) as routing:
        call = Dialled(routing).answered("one")
        assert held(routing)[""] == 3
        raw = call.dialog.request("INVITE")
        call.agent.end.send(raw)
        routing.kamailio.wait_line("in-dialog rc=-1 in_dialog")
        assert routing.ends["one"].wait("INVITE", 2)
        routing.ends["one"].reply(routing.ends["one"].wait("INVITE", 2)[1], 200)
        assert call.agent.end.final(call.callid, sip.Message(raw).cseq).status == 200
        assert held(routing) == {"": 3, "one": 1, "two": 0}
        call.hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_workers_memory_does_not_grow(tmp_path, trunks, dialog):
    """Two choices, a failover and a release a call: what a worker has once, it has for all calls."""
    cfg = changed(('loadmodule "rr.so"', 'loadmodule "rr.so"\nloadmodule "kex.so"'), ("children=4", "children=1"))
    with outgoing(tmp_path, trunks, select=SELECT + SELECT, cfg=cfg, sql=[account(cli_policy="assert")],
                  dialog=dialog) as routing:
        routing.ends["one"].invite, routing.ends["two"].invite = (503,), (180, 200)
        agent, used = routing.agent(), []
        for _ in range(3):
            for _ in range(40):
                call = Dialled(routing, agent=agent)
                assert call.final() == "200 OK"
                call.hang_up()
            assert_nothing_held(routing)
            assert eventually(lambda: routing.rpc("tm.stats")["current"] == 0, 10)
            used.append({row["pid"]: row["used"] for row in routing.rpc("pkg.stats")})
        # 40 calls more, and not 10 bytes a call
        growth = {pid: used[2][pid] - used[1][pid] for pid in used[1]}
        assert max(growth.values()) < 400, growth

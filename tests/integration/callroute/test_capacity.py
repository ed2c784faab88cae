# SPDX-License-Identifier: GPL-2.0-or-later
"""Channels are taken at the attempt and given back exactly once, however a call ends.

`outgoing` fails each test here at whose end a gauge of trunk, carrier or account is not 0.
"""

import os
import re
import signal

import pytest

from support import sip
from support.outgoing import (CFG, SELECT, Dialled, account, assert_held, assert_nothing_held, bye_from, held, outgoing,
                              plan_row)
from support.process import eventually
from support.routing import Trunk

DIALOG = pytest.mark.parametrize("dialog", [False, True], ids=["released", "dialog"])
LIMITED = ["UPDATE callroute_trunk SET max_channels = 1 WHERE name = 'one'"]
# trunk, carrier and account
OWNERS = 3


def limit(table, channels=1):
    return f"UPDATE callroute_{table} SET max_channels = {channels}"


@pytest.fixture
def trunks():
    """Rows with ports of their own."""
    return [Trunk("one"), Trunk("two", 2000)]


# -- every end of a call --------------------------------------------------------


@DIALOG
def test_held_by_trunk_carrier_and_account_until_the_bye(tmp_path, trunks, dialog):
    with outgoing(tmp_path, trunks, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing)
        call.at("one")
        assert held(routing) == {"": OWNERS, "one": 1, "two": 0}
        call.answered("one")
        assert held(routing) == {"": OWNERS, "one": 1, "two": 0}
        call.hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_called_party_hangs_up(tmp_path, trunks, dialog):
    with outgoing(tmp_path, trunks, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).answered("one")
        assert_held(routing, one=1)
        assert bye_from(routing, "one", call) == 200


@DIALOG
def test_refused_by_the_called_party(tmp_path, trunks, dialog):
    with outgoing(tmp_path, trunks, sql=[account()], dialog=dialog) as routing:
        assert Dialled(routing).reply("one", 486).final() == "486 Busy Here"
        # At once: the reply does not leave before the channel is free.
        assert set(held(routing).values()) == {0}


@DIALOG
@pytest.mark.parametrize("rings", [True, False])
def test_cancel(tmp_path, trunks, dialog, rings):
    with outgoing(tmp_path, trunks, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing)
        if rings:
            call.reply("one", 180).provisional(180)
        else:
            call.reply("one", 100)
        assert call.cancel() == 200
        assert call.final().startswith("487 ")


@DIALOG
def test_try_timeout(tmp_path, dialog):
    with outgoing(tmp_path, [Trunk("one", try_timeout_ms=200)], sql=[account()], dialog=dialog) as routing:
        assert Dialled(routing).final().startswith("408 ")


@DIALOG
def test_failover_moves_the_channels(tmp_path, trunks, dialog):
    with outgoing(tmp_path, trunks, sql=[account(max_channels=1)], dialog=dialog) as routing:
        call = Dialled(routing)
        call.at("one")
        assert held(routing) == {"": OWNERS, "one": 1, "two": 0}
        call.reply("one", 503)
        call.at("two")
        assert held(routing) == {"": OWNERS, "one": 0, "two": 1}
        call.answered("two").hang_up()


@DIALOG
@pytest.mark.parametrize("refuse", ['sl_send_reply("403", "No"); exit;', 't_newtran(); t_reply("403", "No"); exit;',
                                    't_newtran(); t_reply("302", "There"); exit;',
                                    'sl_send_reply("302", "There"); exit;',
                                    'drop;', 'callroute_release(); sl_send_reply("403", "No"); exit;'])
def test_script_refuses_after_the_choice(tmp_path, trunks, dialog, refuse):
    with outgoing(tmp_path, trunks, select=SELECT + refuse, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing)
        if "drop" in refuse:
            assert sip.ping(routing.server) is not None
        else:
            assert call.final() in ("403 No", "302 There")
        assert_nothing_held(routing)
        assert routing.ends["one"].got("INVITE") == []


@DIALOG
def test_transaction_made_before_the_choice(tmp_path, trunks, dialog):
    """t_newtran() first, as scripts do that answer 100 themselves."""
    with outgoing(tmp_path, trunks, select="t_newtran(); " + SELECT, sql=[account()], dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 503)
        call.answered("two")
        assert_held(routing, two=1)
        call.hang_up()
        assert Dialled(routing).reply("one", 486).final() == "486 Busy Here"


def test_answered_call_without_release_holds_on(tmp_path, trunks):
    """Nobody says that it is over: neither dialog nor callroute_release()."""
    with outgoing(tmp_path, trunks, defines=["WITHOUT_RELEASE"]) as routing:
        call = Dialled(routing).answered("one")
        call.hang_up()
        assert held(routing)["one"] == 1
        # The BYE again, which this time says so, by another way: the operator restarts.
        routing.kamailio.stop()
        routing.kamailio.start()


# -- limits ---------------------------------------------------------------------


@pytest.mark.parametrize("table", ["trunk", "carrier"])
def test_over_the_limit_goes_to_the_next_trunk(tmp_path, trunks, table):
    with outgoing(tmp_path, trunks, sql=[limit(table) + " WHERE id = 1"]) as routing:
        calls = [Dialled(routing).answered("one")]
        calls.append(Dialled(routing).answered("two"))
        assert_held(routing, one=1, two=1)
        for call in calls:
            call.hang_up()
        assert_nothing_held(routing)
        Dialled(routing).answered("one").hang_up()


def test_an_attempt_that_is_not_made_uses_no_call_per_second(tmp_path, trunks):
    """The first trunk is reached from a socket that is not there; its next call does not find its rate used up."""
    rows = [account(), "UPDATE callroute_trunk SET max_cps = 1, socket = 'udp:127.0.0.1:9' WHERE name = 'one'"]
    with outgoing(tmp_path, trunks, sql=rows) as routing:
        Dialled(routing).answered("two").hang_up()
        vendors = routing.rpc("callroute.explain", "4930123456", "default")["vendors"]
        assert {one["trunk"]: one["fate"] for one in vendors}["one"] == "chosen", vendors


def test_limits_of_the_account(tmp_path, trunks):
    with outgoing(tmp_path, trunks, sql=[account(max_channels=2)]) as routing:
        calls = [Dialled(routing).answered("one") for _ in range(2)]
        assert Dialled(routing).final() == "480 -3 account_channels"
        calls.pop().hang_up()
        assert_held(routing, one=1)
        calls.append(Dialled(routing).answered("one"))
        for call in calls:
            call.hang_up()


@DIALOG
def test_emergency_call_passes_every_limit(tmp_path, trunks, dialog):
    rows = [account(max_channels=1, country="DE"), limit("trunk"), limit("carrier"),
            plan_row(table="callroute_rule", plan_id=1, prefix="112", action="emergency", target="one,two")]
    with outgoing(tmp_path, trunks, sql=rows, dialog=dialog) as routing:
        calls = [Dialled(routing).answered("one"), Dialled(routing, "112").answered("one"),
                 Dialled(routing, "112").answered("one")]
        assert_held(routing, one=3)
        for call in calls:
            call.hang_up()


# -- one call is one call -------------------------------------------------------


@DIALOG
def test_retransmissions_hold_one_channel(tmp_path, trunks, dialog):
    """Also not refused for the channel that the first copy holds."""
    with outgoing(tmp_path, trunks, sql=[account(max_channels=1, max_cps=1), *LIMITED], dialog=dialog) as routing:
        call = Dialled(routing)
        call.at("one")
        for _ in range(5):
            call.agent.end.send(call.raw)
        assert sip.ping(routing.server) is not None
        assert held(routing) == {"": OWNERS, "one": 1, "two": 0}
        call.answered("one")
        call.agent.end.send(call.raw)
        assert sip.ping(routing.server) is not None
        assert_held(routing, one=1)
        assert call.agent.end.final(call.callid, call.sent.cseq).status == 200, "the 200 again"
        call.hang_up()


@DIALOG
def test_calls_that_share_call_id_and_tag_do_not_share_a_channel(tmp_path, trunks, dialog):
    """An attacker's way around max_channels: the same Call-ID and From tag for every call."""
    with outgoing(tmp_path, trunks, sql=[account(max_channels=2)], dialog=dialog) as routing:
        agent = routing.agent()
        calls = [Dialled(routing, agent=agent, callid="shared", tag="same") for _ in range(3)]
        finals = {}

        def reached():
            return [one for one in routing.ends["one"].got("INVITE")]
        assert eventually(lambda: len(reached()) == 2), reached()
        refused = agent.end.expect(lambda m: m.is_response and m.status == 480)
        assert refused is not None and refused.reason == "-3 account_channels"
        finals[refused.cseq] = refused
        assert_held(routing, one=2)
        for number, invite in enumerate(reached()):
            end = routing.ends["one"]
            ok = [("To", f"{invite.get('to')};tag=callee{number}")]
            answered = sip.Message(sip.with_header(invite.raw, *ok[0]), invite.source)
            end.reply(answered, 200)
        up = []
        for call in calls:
            if call.sent.cseq not in finals:
                assert call.final() == "200 OK"
                up.append(call)
        assert_held(routing, one=2)
        up[0].hang_up()
        # The end of the one says nothing about the other.
        assert_held(routing, one=1)
        assert held(routing)["one"] == 1
        up[1].hang_up()
        if dialog:      # dialog takes both for one call; callroute_release() in the script does not
            assert_nothing_held(routing)


@DIALOG
def test_ids_of_an_answered_call_start_no_other(tmp_path, trunks, dialog):
    """The same branch again, after tm forgot the transaction: it would share the call's channel."""
    with outgoing(tmp_path, trunks, sql=[account(max_channels=1)], dialog=dialog) as routing:
        call = Dialled(routing).answered("one")
        assert eventually(lambda: routing.rpc("tm.stats")["current"] == 0)
        call.agent.end.send(call.raw)
        answer = call.agent.end.expect(lambda m: m.is_response and m.status == 480)
        assert answer is not None, "the copy was not refused"
        assert len(routing.ends["one"].got("INVITE")) == 1
        assert_held(routing, one=1)
        call.hang_up()


@DIALOG
def test_second_plan_gives_back_the_first_choice(tmp_path, trunks, dialog):
    """callroute_select twice, with limits that the first choice alone exhausts."""
    rows = [account(max_channels=1, max_cps=1), limit("trunk"), limit("carrier"),
            plan_row(table="callroute_plan", id=2, name="second"),
            plan_row(table="callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2)]
    with outgoing(tmp_path, trunks, select=SELECT + SELECT + 'callroute_select("second");', sql=rows,
                  dialog=dialog) as routing:
        call = Dialled(routing)
        call.at("two")
        assert held(routing) == {"": OWNERS, "one": 0, "two": 1}
        call.answered("two").hang_up()
        assert routing.ends["one"].got("INVITE") == []


@DIALOG
def test_second_plan_that_refuses_holds_nothing(tmp_path, trunks, dialog):
    with outgoing(tmp_path, trunks, select=SELECT + 'callroute_select("nobody");', sql=[account()],
                  dialog=dialog) as routing:
        assert Dialled(routing).final() == "480 -8 no_plan"
        assert_nothing_held(routing)


@DIALOG
def test_second_plan_in_the_failure_route(tmp_path, trunks, dialog):
    rows = [account(max_channels=1, max_cps=1), "DELETE FROM callroute_plan_trunk WHERE trunk_id = 2",
            plan_row(table="callroute_plan", id=2, name="second"),
            plan_row(table="callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2)]
    cfg = CFG.replace('xlog("L_NOTICE", "next-refused', """if ($callroute(plan) == "default") {{
        callroute_select("second");
        $var(code) = $rc;
        if ($var(code) == 1) {{
            route(RELAY);
        }}
    }}
    xlog("L_NOTICE", "next-refused""")
    assert cfg != CFG
    with outgoing(tmp_path, trunks, cfg=cfg, sql=rows, dialog=dialog) as routing:
        call = Dialled(routing).reply("one", 503)
        call.at("two")
        assert held(routing) == {"": OWNERS, "one": 0, "two": 1}
        call.answered("two").hang_up()
        assert_nothing_held(routing)


@DIALOG
def test_spiral(tmp_path, dialog):
    """A trunk that is this server: each leg holds its own, and all is given back."""
    trunks = [Trunk("loop", prefix="44"), Trunk("two", 2000)]
    select = """if ($rU =~ "^44") { callroute_select("second"); } else { callroute_select("default"); }"""
    rows = [account(), plan_row(table="callroute_plan", id=2, name="second"),
            plan_row(table="callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2)]
    trunks[0].uri = "sip:127.0.0.1:1"
    with outgoing(tmp_path, trunks, select=select, sql=rows, dialog=dialog) as routing:
        routing.sql(f"UPDATE callroute_trunk SET uri = 'sip:127.0.0.1:{routing.second}' WHERE id = 1")
        routing.reload()
        call = Dialled(routing)
        call.at("two")
        assert_held(routing, loop=1, two=1)
        call.answered("two")
        assert_held(routing, loop=1, two=1)
        call.hang_up()
        assert_nothing_held(routing)
        refused = Dialled(routing).reply("two", 486)
        assert refused.final() == "486 Busy Here"


# -- accidents ------------------------------------------------------------------


def test_killed_worker_leaves_nothing_behind(tmp_path, trunks):
    """Kamailio ends as a whole when a worker dies: after the restart every gauge is 0."""
    with outgoing(tmp_path, trunks, sql=[account(max_channels=1)], dialog=True) as routing:
        Dialled(routing).answered("one")
        assert_held(routing, one=1)
        worker = next(row["PID"] for row in routing.rpc("core.psx")
                      if re.search("udp receiver", row.get("DSC", row.get("DESCRIPTION", ""))))
        os.kill(int(worker), signal.SIGKILL)
        assert eventually(lambda: not routing.kamailio.alive)
        routing.kamailio.stop()
        mark = routing.kamailio.mark()
        routing.kamailio.start()
        assert held(routing) == {"": 0, "one": 0, "two": 0}
        Dialled(routing).answered("one").hang_up()
        del routing.kamailio.lines[:mark]


def test_gauge_never_wraps(tmp_path, trunks):
    """OpenSIPS #2102: a gauge that was counted down twice became 4294967262, and the trunk got no more calls."""
    with outgoing(tmp_path, trunks, sql=LIMITED, dialog=True) as routing:
        call = Dialled(routing).answered("one")
        for _ in range(3):     # dialog at the first, callroute_release() at each
            call.hang_up_again = call.dialog.request("BYE")
            call.agent.end.send(call.hang_up_again)
            assert call.agent.end.final(call.callid, sip.Message(call.hang_up_again).cseq) is not None
            assert set(held(routing).values()) == {0}, held(routing)
        Dialled(routing).answered("one").hang_up()
        assert_nothing_held(routing)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Every code and reason of callroute_select and callroute_next, by real calls."""

import pytest

from support import ports, sip
from support.outgoing import SELECT, Dialled, account, outgoing, plan_row
from support.routing import Trunk


def refusal(folder, trunks=None, number="+4930123456", select=SELECT, **how):
    """What a caller hears of callroute_select's refusal: 'code reason'."""
    with outgoing(folder, trunks or [Trunk("one")], select=select, **how) as routing:
        status, _, text = Dialled(routing, number).final().partition(" ")
        assert status == "480", (status, text)
        assert routing.ends["one"].got("INVITE") == []
        return text


def rule(**columns):
    return plan_row(table="callroute_rule", plan_id=1, **columns)


def block(side, prefix, name="default"):
    return plan_row(table="callroute_block", list=name, side=side, prefix=prefix)


# -- callroute_select ---------------------------------------------------------


def test_ok(tmp_path):
    with outgoing(tmp_path, [Trunk("one")]) as routing:
        call = Dialled(routing).answered("one")
        call.hang_up()
        assert call.tried() == ["one"]


@pytest.mark.parametrize("number, wanted", [
    ("+99912345", "-1 no_prefix"),
    ("+49abc", "-1 not_a_number"),
    ("4" * 33, "-1 not_a_number"),
])
def test_no_prefix_and_no_number(tmp_path, number, wanted):
    assert refusal(tmp_path, number=number) == wanted


def test_empty_number(tmp_path):
    assert refusal(tmp_path, select='callroute_select("default", "$null");') == "-1 not_a_number"


@pytest.mark.parametrize("sql", [
    "UPDATE callroute_trunk SET admin_state = 'down'",
    "UPDATE callroute_trunk SET admin_state = 'drain'",
    "UPDATE callroute_carrier SET enabled = 0",
    "UPDATE callroute_trunk SET socket = 'udp:127.0.0.1:9'",
    "UPDATE callroute_trunk SET strip = 32",
])
def test_all_down(tmp_path, sql):
    """The last two: a socket that is not there, and a number of which nothing is left."""
    assert refusal(tmp_path, sql=[sql]) == "-2 all_down"


@pytest.mark.parametrize("sql, wanted", [
    ("UPDATE callroute_trunk SET max_channels = 1", "-3 no_capacity"),
    ("UPDATE callroute_carrier SET max_channels = 1", "-3 no_capacity"),
    ("UPDATE callroute_account SET max_channels = 1", "-3 account_channels"),
    ("UPDATE callroute_trunk SET max_cps = 1", "-3 no_capacity"),
    ("UPDATE callroute_carrier SET max_cps = 1", "-3 no_capacity"),
    ("UPDATE callroute_account SET max_cps = 1", "-3 account_cps"),
])
def test_no_capacity(tmp_path, sql, wanted):
    with outgoing(tmp_path, [Trunk("one")], sql=[account(), sql]) as routing:
        first = Dialled(routing)
        first.at("one")
        assert Dialled(routing).final() == f"480 {wanted}"
        first.answered("one").hang_up()


@pytest.mark.parametrize("price, wanted", [(900, None), (1001, "-4 margin"), (5000, "-4 margin")])
def test_margin(tmp_path, price, wanted):
    rows = [plan_row(table="callroute_deck", id=50, name="retail", side="sell"),
            plan_row(table="callroute_rate", deck_id=50, prefix="49", price=1100),
            "UPDATE callroute_plan SET sell_deck_id = 50, min_margin = 100",
            f"UPDATE callroute_rate SET price = {price} WHERE deck_id = 1"]
    if wanted:
        assert refusal(tmp_path, sql=rows) == wanted
    else:
        with outgoing(tmp_path, [Trunk("one")], sql=rows) as routing:
            Dialled(routing).answered("one").hang_up()


def test_unknown_sell_price_is_not_zero(tmp_path):
    """A price that nobody knows must not pass for one of 0 (OpenSIPS' rate_cacher)."""
    rows = [plan_row(table="callroute_deck", id=50, name="retail", side="sell"),
            plan_row(table="callroute_rate", deck_id=50, prefix="1", price=1100),
            "UPDATE callroute_plan SET sell_deck_id = 50"]
    assert refusal(tmp_path, sql=rows) == "-4 no_sell_price"


@pytest.mark.parametrize("sql, wanted", [
    (block("dst", "4930"), "-5 dst_block"),
    (block("dst", "4930", "*"), "-5 dst_block"),
    (block("src", "4989"), "-5 src_block"),
    (rule(prefix="49301", action="block"), "-5 rule_block"),
    ("UPDATE callroute_rate SET blocked = 1 WHERE prefix = '49'", "-5 blocked"),
    ("UPDATE callroute_plan_trunk SET dst_countries = '!DE'", "-5 dst_country"),
    ("UPDATE callroute_plan_trunk SET src_countries = 'FR'", "-5 src_country"),
])
def test_blocked(tmp_path, sql, wanted):
    assert refusal(tmp_path, sql=[sql]) == wanted


def test_outside_time(tmp_path):
    rows = [plan_row(table="callroute_time", id=3, dtstart="20200101T000000", duration="PT1H"),
            "UPDATE callroute_plan_trunk SET time_id = 3"]
    assert refusal(tmp_path, sql=rows) == "-6 time"


def test_no_such_plan(tmp_path):
    assert refusal(tmp_path, select='callroute_select("nobody");') == "-8 no_plan"


def test_redirected(tmp_path):
    assert refusal(tmp_path, sql=[rule(prefix="4930", action="redirect", target="sip:x@127.9.9.9")]) == "2 redirect"


# -- messages that are none ---------------------------------------------------


@pytest.mark.parametrize("change", [
    lambda raw: sip.with_header(raw, "From", "<sip:a@b"),
    lambda raw: sip.with_header(raw, "CSeq", None),
    lambda raw: sip.with_header(raw, "Call-ID", None),
    lambda raw: sip.with_header(raw, "Via", "SIP/2.0/UDP 127.1.0.1"),
    lambda raw: raw.replace(b"INVITE sip:", b"INVITE sip:%zz%", 1),
    lambda raw: sip.with_header(raw, "P-Asserted-Identity", "<<<>"),
    lambda raw: sip.with_header(raw, "To", "\x00\x01"),
], ids=["from", "no-cseq", "no-callid", "via", "escape", "pai", "to"])
def test_malformed_holds_nothing_and_kills_nobody(tmp_path, change):
    with outgoing(tmp_path, [Trunk("one")]) as routing:
        agent = routing.agent()
        raw = change(agent.message("INVITE", "sip:+4930123456@127.0.0.1"))
        agent.end.send(raw)
        assert sip.ping(routing.server, 2) is not None
        call = Dialled(routing).answered("one")
        call.hang_up()
        for invite in routing.ends["one"].got("INVITE"):
            routing.ends["one"].reply(invite, 486)


# -- callroute_next -----------------------------------------------------------


def test_exhausted(tmp_path):
    with outgoing(tmp_path, [Trunk("one")]) as routing:
        call = Dialled(routing).reply("one", 503)
        assert call.final() == "500 Service Unavailable"  # as RFC 3261, 16.7 wants
        assert call.next_refused() == "-7 exhausted"


def test_final_reply(tmp_path):
    with outgoing(tmp_path, [Trunk("one"), Trunk("two", 2000)]) as routing:
        call = Dialled(routing).reply("one", 486)
        assert call.final() == "486 Busy Here"
        assert call.next_refused() == "-7 final_reply"
        assert call.tried() == ["one"]


def test_canceled(tmp_path):
    with outgoing(tmp_path, [Trunk("one"), Trunk("two", 2000)]) as routing:
        call = Dialled(routing).reply("one", 180)
        call.provisional(180)
        assert call.cancel() == 200
        assert call.final().startswith("487 ")
        assert call.next_refused() == "-7 canceled"
        assert call.tried() == ["one"]


def test_state_lost(tmp_path):
    """callroute_next without callroute_select: nothing is known of the call."""
    one = Trunk("one")
    select = f'$du = "sip:{ports.TRUNKS}:{one.port}"; route(RELAY);'
    with outgoing(tmp_path, [one], select=select) as routing:
        call = Dialled(routing).reply("one", 503)
        assert call.final() == "500 Service Unavailable"  # as RFC 3261, 16.7 wants
        assert call.next_refused() == "-7 state_lost"


def test_no_failure(tmp_path):
    """In a request route only a hunt group goes on: no trunk has failed there."""
    with outgoing(tmp_path, [Trunk("one")], select='callroute_next();') as routing:
        assert Dialled(routing).final() == "480 -7 no_failure"
        assert routing.kamailio.grep("callroute_next works in a failure_route only")

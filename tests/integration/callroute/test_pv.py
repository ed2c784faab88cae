# SPDX-License-Identifier: GPL-2.0-or-later
"""$callroute(...): every key in every kind of route, the same whichever process runs it."""

import re

import pytest

from support import ports, stack as stack_
from support.exports import Source
from support.inbound import account, group, inbound, insert
from support.kamailio import Kamailio
from support.outgoing import CFG, Dialled, outgoing
from support.process import eventually
from support.routing import Trunk

KEYS = sorted(Source("callroute").variables)
NULL = dict.fromkeys(KEYS, "<null>")
SAY = "\nroute[SAY] {\n    xlog(\"L_NOTICE\", \"say where=$var(where) call=$ci " + \
    " ".join(f"{key}=[$callroute({key})]" for key in KEYS) + "\\n\");\n}\n"
BRANCH = """
branch_route[BRANCH] {
    $var(where) = "branch";
    route(SAY);
}
onreply_route[REPLY] {
    $var(where) = "reply " + $rs;
    route(SAY);
}
"""
SELECT = """
route[SELECT] {
    $var(where) = "start";
    route(SAY);
    callroute_normalize();
    callroute_is_trunk("ADDRESS");
    $var(where) = "asked";
    route(SAY);
    t_on_branch("BRANCH");
    t_on_reply("REPLY");
    callroute_select("default");
    $var(select) = $rc;
    $var(where) = "chosen";
    route(SAY);
    return $var(select);
}
"""
# The choice alone, and what is known after it.
SELECTED = """callroute_select("default");
    $var(select) = $rc;
    $var(where) = "chosen";
    route(SAY);
    $var(code) = $var(select);
    if ($var(code) != 1) {
        sl_send_reply("480", "Refused");
        exit;
    }
    route(RELAY);"""
EVENTS = "".join(f"event_route[callroute:{name}] {{\n    $var(where) = \"{name}\";\n    route(SAY);\n}}\n"
                 for name in ("trunk-down", "trunk-up", "breaker", "reload"))


def where(text):
    """Script that says all keys under this name."""
    return f'$var(where) = "{text}";\n    route(SAY);\n'


def said(server, place, call="", count=1):
    """{key: text} of the `count`th time that a place of a call said them."""
    pattern = f"say where={re.escape(place)} call={re.escape(call)}"
    assert eventually(lambda: len(server.grep(pattern)) >= count), f"{place}: not said {count} times"
    line = server.grep(pattern)[count - 1]
    return dict(re.findall(r"(\w+)=\[([^]]*)\]", line))


def world():
    """Two trunks with something to say in every key, and the tables behind it."""
    trunks = [Trunk("a", 1000, media="sdes", codecs="G722,PCMA", src_rewrite="44>0044", ring_timeout_ms=30000),
              Trunk("b", 3000000000, try_timeout_ms=900)]
    sql = [account(7, "ip", "127.0.0.0/8", tenant="acme", country="DE"),
           insert("callroute_deck", id=100, name="sell", side="sell"),
           insert("callroute_rate", deck_id=100, prefix="49", price=5000000000),
           insert("callroute_rate", deck_id=1, prefix="4989", price=2000, connect_fee=7, first_sec=60, step_sec=6),
           insert("callroute_rule", id=5, plan_id=1, prefix="4930", action="route", target="a,b"),
           insert("callroute_lnp", number="4930123456", routing_number="49891")]
    plan = {"sell_deck_id": 100, "order_by": "quality", "use_lnp": 1}
    return trunks, plan, sql


def expected(trunks):
    """What the keys say while trunk a is tried, and while b is."""
    common = {"account": "7", "tenant": "acme", "plan": "default", "rule": "5", "emergency": "0", "country": "DE",
              "src_country": "GB", "rn": "49891", "number": "4930123456", "sell": "5000000000", "reason": "ok",
              "gen": "1", "quality": "0"}
    a = {**NULL, **common, "trunk": "a", "carrier": "a-carrier", "uri": f"sip:{ports.TRUNKS}:{trunks[0].port}",
         "media": "sdes", "codecs": "G722,PCMA", "try_timeout_ms": "500", "ring_timeout_ms": "30000",
         "cli": "00442079460000", "prefix": "4989", "price": "2000", "connect_fee": "7", "first_sec": "60",
         "step_sec": "6", "margin": "4999998000", "attempt": "1", "left": "1"}
    b = {**NULL, **common, "trunk": "b", "carrier": "b-carrier", "uri": f"sip:{ports.TRUNKS}:{trunks[1].port}",
         "media": "rtp", "try_timeout_ms": "900", "ring_timeout_ms": "60000",
         "cli": "442079460000", "prefix": "49", "price": "3000000000", "connect_fee": "0", "first_sec": "1",
         "step_sec": "1", "margin": "2000000000", "attempt": "2", "left": "0"}
    return a, b


def talking(workers):
    """A cfg with this many workers, whose failure route says all before and after callroute_next()."""
    cfg = CFG.replace("children=4", f"children={workers}")
    again = where("next") + 't_on_branch("BRANCH");\n    t_on_reply("REPLY");\n    route(RELAY);'
    for before, after in (("failure_route[NEXT] {{\n", "failure_route[NEXT] {{\n    " + where("failed")),
                          ("== 1) {{\n        route(RELAY);", "== 1) {{\n    " + again),
                          ('    xlog("L_NOTICE", "next-ref', where("exhausted") + 'xlog("L_NOTICE", "next-ref')):
        assert before in cfg
        cfg = cfg.replace(before, after)
    return cfg


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("first", [503, None])
def test_every_key_on_the_way_of_a_call(tmp_path, workers, first):
    """Trunk a fails, by a reply (in a worker) or by silence (in the timer's process); b fails in a worker."""
    trunks, plan, sql = world()
    routes = SAY + BRANCH + SELECT.replace("ADDRESS", f"{ports.TRUNKS}:{trunks[1].port}")
    how = {"cfg": talking(workers), "plan": plan, "sql": sql, "routes": routes}
    with outgoing(tmp_path, trunks, "route(SELECT);", **how) as routing:
        server, (a, b) = routing.kamailio, expected(trunks)
        call = Dialled(routing, "030123456", routing.agent("442079460000"))
        if first:
            call.reply("a", first)
        call.at("b")
        call.reply("b", 500)
        assert call.final().startswith("500")
        assert call.next_refused() == "-7 exhausted"
        known = {"account": "7", "tenant": "acme"}
        zero = {"attempt": "0", "left": "0", "emergency": "0", "gen": "0"}
        assert said(server, "start", call.callid) == {**NULL, **known, **zero, "reason": "ok"}
        asked = {**NULL, **known, **zero, "number": "4930123456", "source": "b", "reason": "ok"}
        assert said(server, "asked", call.callid) == asked
        assert said(server, "chosen", call.callid) == {**a, "source": "b"}
        assert said(server, "branch", call.callid) == {**a, "source": "b"}
        if first:
            assert said(server, "reply 503", call.callid) == a
        assert said(server, "failed", call.callid) == a
        assert said(server, "next", call.callid) == b
        assert said(server, "branch", call.callid, 2) == b
        assert said(server, "reply 500", call.callid) == b
        assert said(server, "failed", call.callid, 2) == b
        assert said(server, "exhausted", call.callid) == {**b, "reason": "exhausted"}


def test_events_tell_of_their_trunk_and_state(tmp_path):
    """In event routes only what the event is about; a reload is about no trunk."""
    trunk = Trunk("a", 1000, media="dtls", codecs="opus", probe_interval=1, down_after=1, up_after=1, breaker_id=1)
    breaker = insert("callroute_breaker", id=1, name="b", min_calls=1, open_at=1, half_open_after=1)
    with outgoing(tmp_path, [trunk], sql=[breaker], routes=SAY + EVENTS) as routing:
        server, end = routing.kamailio, routing.ends["a"]
        known = {**NULL, "attempt": "0", "left": "0", "emergency": "0", "trunk": "a", "carrier": "a-carrier",
                 "uri": f"sip:{ports.TRUNKS}:{trunk.port}", "media": "dtls", "codecs": "opus",
                 "try_timeout_ms": "500", "ring_timeout_ms": "60000", "gen": "1"}
        end.options = None
        assert said(server, "trunk-down") == known
        end.options = 200
        assert said(server, "trunk-up") == known
        call = Dialled(routing).reply("a", 500)
        assert call.final().startswith("500")
        assert said(server, "breaker") == {**known, "state": "open"}
        nothing = {**NULL, "attempt": "0", "left": "0", "emergency": "0"}
        routing.reload()
        assert said(server, "reload") == {**nothing, "gen": "2", "state": "published"}
        routing.sql("UPDATE callroute_trunk SET uri = 'sip:bad uri'")
        routing.rpc("callroute.reload")
        assert said(server, "reload", count=2) == {**nothing, "gen": "2", "state": "refused"}


def test_quality_where_the_plan_orders_by_it(tmp_path):
    with outgoing(tmp_path, [Trunk("a", 1000)], SELECTED, plan={"order_by": "quality"}, routes=SAY) as routing:
        call = Dialled(routing).answered("a")
        assert said(routing.kamailio, "chosen", call.callid)["quality"] == "750"
        call.hang_up()


@pytest.mark.parametrize("number, reason, more", [
    ("+999123", "no_prefix", {}), ("+49abc", "not_a_number", {}),
    ("+4930123", "rule_block", {"plan": "default", "rule": "5"}),
    ("+4989123", "all_down", {"plan": "default", "rule": "<null>", "country": "DE", "src_country": "GB"})])
def test_a_refusal_leaves_no_trunk_behind(tmp_path, number, reason, more):
    """Nothing was applied: of no trunk, no price and no try is anything said."""
    rule = insert("callroute_rule", id=5, plan_id=1, prefix="4930", action="block")
    with outgoing(tmp_path, [Trunk("a", 1000, admin_state="down")], SELECTED, sql=[rule], routes=SAY) as routing:
        call = Dialled(routing, number, routing.agent("442079460000"))
        assert call.final().startswith("480")
        keys = said(routing.kamailio, "chosen", call.callid)
        silent = ("trunk", "carrier", "uri", "prefix", "price", "margin", "attempt", "left", "quality", "cli")
        assert keys["reason"] == reason
        assert {key: keys[key] for key in silent} == {**{key: NULL[key] for key in silent}, "attempt": "0", "left": "0"}
        assert {key: keys[key] for key in more} == more


TARGETS = [("100", "user", "alice", "alice"), ("200", "group", "desk", "desk"), ("300", "number", "4930777", "4930777")]


@pytest.mark.parametrize("number, kind, target, wanted", TARGETS)
def test_target_and_tenant_of_a_did(tmp_path, number, kind, target, wanted):
    rows = [insert("callroute_did", number=number, tenant="acme", target_type=kind, target=target),
            *group(1, "desk", "parallel", ["sip:one@127.1.0.9"])]
    route = f"callroute_did();\n    {where('did')}    sl_send_reply(\"480\", \"done\");\n"
    with inbound(tmp_path, route, sql=rows, routes=SAY) as edge:
        assert edge.ask(number) == "done"
        keys = said(edge.kamailio, "did")
        assert (keys["target"], keys["tenant"]) == (wanted, "acme")


def test_target_of_a_redirect_rule(tmp_path):
    rule = insert("callroute_rule", id=9, plan_id=1, prefix="4930", action="redirect", target="sip:else@127.0.0.1")
    route = f"callroute_select();\n    {where('chosen')}    sl_send_reply(\"480\", \"done\");\n"
    with inbound(tmp_path, route, sql=[rule], routes=SAY) as edge:
        assert edge.ask("+4930123") == "done"
        keys = said(edge.kamailio, "chosen")
        assert (keys["target"], keys["reason"], keys["rule"], keys["plan"]) == (
            "sip:else@127.0.0.1", "redirect", "9", "default")
        assert keys["trunk"] == "<null>"


@pytest.mark.parametrize("key", ["trunks", "", "Trunk", "price "])
def test_an_unknown_key_refuses_to_start(tmp_path, key):
    database = stack_.create_database(str(tmp_path / "d.sqlite"))
    cfg, port = tmp_path / "k.cfg", ports.port()
    text = CFG.format(port=port, second=ports.port(), database=database, params="", before="", dialog="#", routes="")
    cfg.write_text(text.replace("$callroute(trunk)", f"$callroute({key})", 1), encoding="utf-8")
    server = Kamailio(str(cfg), str(tmp_path), port)
    log, status = server.start_and_fail()
    assert status != 0, log
    assert re.search(rf"ERROR: .*callroute.*{re.escape(key)}", log), log
    assert not server.crashed()


@pytest.mark.parametrize("workers", [1, 4])
def test_a_call_that_leaves_the_trunks_has_none(tmp_path, workers):
    """From a trunk that failed to a hunt group: of the trunk nothing is left, of the caller all."""
    trunks = [Trunk("a", 1000), Trunk("b", 2000)]
    rows = [account(7, "ip", "127.0.0.0/8", tenant="acme"),
            *group(1, "desk", "parallel", [f"sip:x@{ports.TRUNKS}:{trunks[1].port}"])]
    cfg = talking(workers).replace("    callroute_next();\n", '    callroute_fork("desk");\n')
    routes = SAY + BRANCH + SELECT.replace("ADDRESS", "192.0.2.1")
    with outgoing(tmp_path, trunks, "route(SELECT);", cfg=cfg, sql=rows, routes=routes) as routing:
        call = Dialled(routing).reply("a", 503).answered("b")
        assert said(routing.kamailio, "failed", call.callid)["trunk"] == "a"
        keys = said(routing.kamailio, "next", call.callid)
        nothing = {**NULL, "attempt": "0", "left": "0", "emergency": "0", "gen": "0", "reason": "ok"}
        known = {"account": "7", "tenant": "acme", "number": "4930123456"}
        assert keys == {**nothing, **known}
        assert said(routing.kamailio, "branch", call.callid, 2)["trunk"] == "<null>"
        call.hang_up()

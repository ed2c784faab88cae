# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute's RPCs: what explain says is what a call does, and what an operator may ask and get wrong."""

import datetime
import os
import signal

import pytest

from support import ports, routing as routing_, server
from support.kamailio import RpcError
from support.process import eventually, run
from support.routing import Trunk

NUMBER = "4930123456"
FATES = ("chosen", "rank", "twice", "rule", "no_rate", "rate_blocked", "src_country", "dst_country", "time", "margin",
         "price_unknown", "admin", "carrier", "probes", "breaker", "channels", "cps", "carrier_channels", "carrier_cps")
HOURS = ("INSERT INTO callroute_time (id, tz, dtstart, duration, rrule) "
         "VALUES (1, 'UTC', '20250106T090000', 'PT8H', 'FREQ=WEEKLY;BYDAY=MO')")


class Routing(routing_.Routing):
    """A Routing that writes NOTICE lines, and one more modparam text."""

    def __init__(self, folder, trunks, plan=None, sql=(), params="", **how):
        super().__init__(folder, trunks, plan, sql, f"debug=1\n{params}", **how)


def explain(routing, *words):
    """callroute.explain of NUMBER in plan "default", or with what is given."""
    return routing.rpc("callroute.explain", *(words or (NUMBER, "default")))


def fates(answer):
    """{trunk: fate}; the trunk that is in the plan twice has the fate of its first row."""
    found = {}
    for vendor in answer["vendors"]:
        found.setdefault(vendor["trunk"], vendor["fate"])
    return found


def hold(routing):
    """A call that stays; the trunks that it tried."""
    answer, tried = routing.call(NUMBER, hang_up=False)
    assert answer.status == 200, answer
    return tried


def zoo(folder):
    """One trunk for each thing that may stand in its way, cheapest first those that a call must use up."""
    trunks = [Trunk("breaker", 1, breaker_id=1), Trunk("channels", 2, max_channels=1), Trunk("carrier_channels", 3),
              Trunk("cps", 4, max_cps=1), Trunk("carrier_cps", 5), Trunk("first", 1000), Trunk("second", 2000),
              Trunk("rank", 3000), Trunk("no_rate"), Trunk("rate_blocked"), Trunk("src_country"), Trunk("dst_country"),
              Trunk("time"), Trunk("margin", 4500), Trunk("admin", admin_state="drain"), Trunk("carrier"),
              Trunk("probes", probe_interval=1, down_after=1)]
    key = {trunk.name: number for number, trunk in enumerate(trunks, 1)}
    sql = [
        HOURS,
        "INSERT INTO callroute_breaker (id, name, min_calls, open_at, half_open_after) VALUES (1, 'b', 1, 1, 86400)",
        "INSERT INTO callroute_deck (id, name, side) VALUES (100, 'sell', 'sell'), (101, 'dear', 'buy')",
        "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (100, '493', 5000), (101, '49', 4000)",
        f"INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, {key['first']}, 101)",
        f"DELETE FROM callroute_rate WHERE deck_id = {key['no_rate']} AND prefix = '49'",
        f"UPDATE callroute_rate SET blocked = 1 WHERE deck_id = {key['rate_blocked']}",
        f"UPDATE callroute_plan_trunk SET src_countries = 'FR' WHERE trunk_id = {key['src_country']}",
        f"UPDATE callroute_plan_trunk SET dst_countries = '!DE' WHERE trunk_id = {key['dst_country']}",
        f"UPDATE callroute_plan_trunk SET time_id = 1 WHERE trunk_id = {key['time']}",
        f"UPDATE callroute_carrier SET enabled = 0 WHERE id = {key['carrier']}",
        f"UPDATE callroute_carrier SET max_channels = 1 WHERE id = {key['carrier_channels']}",
        f"UPDATE callroute_carrier SET max_cps = 1 WHERE id = {key['carrier_cps']}",
    ]
    routing = Routing(folder, trunks, {"max_attempts": 2, "sell_deck_id": 100, "min_margin": 1000}, sql,
                      before="if ($hdr(X-Explain) != $null) callroute_explain();")
    return routing, key


def away_from_monday():
    """A moment of next Tuesday, in the two spellings of AT."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(hour=10, minute=0, second=0, microsecond=0)
    day = now + datetime.timedelta(days=(1 - now.weekday()) % 7 + 7)
    return int(day.timestamp()), f"{day:%Y-%m-%dT%H:%M:%SZ}"


def test_every_fate_is_shown_and_a_call_does_what_explain_says(tmp_path):
    routing, _ = zoo(tmp_path / "zoo")
    with routing:
        routing.ends["breaker"].invite = (503,)
        routing.ends["probes"].options = None
        routing.becomes("probes", "health", "down")
        assert hold(routing) == ["breaker", "channels"]
        assert hold(routing) == ["carrier_channels"]
        tuesday, spelt = away_from_monday()

        def used_up():
            """A call a second is soon back: look at once, and again when the machine was slow."""
            seen = fates(explain(routing, NUMBER, "default", "-", tuesday))
            for name in ("cps", "carrier_cps"):
                if seen[name] != name and routing.call(NUMBER)[1][0] not in ("cps", "carrier_cps"):
                    return False
            return all(fates(explain(routing, NUMBER, "default", "-", tuesday))[name] == name
                       for name in ("cps", "carrier_cps"))

        assert eventually(used_up, 20)
        answer = explain(routing, NUMBER, "default", "44123", spelt)
        assert (answer["verdict"], answer["reason"], answer["chosen"]) == (1, "ok", ["first", "second"])
        assert (answer["country"], answer["src_country"], answer["sell"]) == ("DE", "GB", "5000")
        found = fates(explain(routing, NUMBER, "default", "4989111", tuesday))
        expected = {name: name for name in found if name in FATES}
        expected.update(first="chosen", second="chosen")
        assert {**found, "cps": "cps", "carrier_cps": "carrier_cps"} == expected
        vendors = answer["vendors"]
        twice = [one for one in vendors if one["trunk"] == "first"]
        assert sorted(one["fate"] for one in twice) == ["chosen", "rank"], twice
        best = next(one for one in vendors if one["fate"] == "chosen" and one["place"] == 1)
        shown = {name: best[name] for name in best if name not in ("fate", "place", "why")}
        assert shown == {"trunk": "first", "carrier": "first-carrier", "deck": "first", "prefix": "49", "price": "1000",
                         "margin": "4000", "priority": 10, "weight": 1, "quality": 750, "first_sec": 1, "step_sec": 1,
                         "connect_fee": "0"}
        assert all(one["why"] for one in vendors)
        assert "price" not in next(one for one in vendors if one["trunk"] == "no_rate")
        for name in ("first", "second", "rank"):
            routing.ends[name].invite = (500,)
        # A call a second may be back by now: those two take a call where explain says so.
        for name in ("cps", "carrier_cps"):
            routing.rpc("callroute.set_trunk", name, "down")
        said = explain(routing, NUMBER, "default", "4989111")["chosen"]
        refused, tried = routing.call(NUMBER)
        assert (refused.status, tried) == (500, said) and len(said) == 2


def test_a_trunk_that_two_decks_price_takes_one_place(tmp_path):
    sql = ["INSERT INTO callroute_deck (id, name) VALUES (9, 'dear')",
           "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (9, '4930', 1500)",
           "INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, 1, 9)"]
    with Routing(tmp_path / "r", [Trunk("a", 1000), Trunk("b", 2000)], sql=sql) as routing:
        answer = explain(routing)
        rows = {(one["trunk"], one["deck"]): (one["fate"], one["place"], one["prefix"]) for one in answer["vendors"]}
        assert rows == {("a", "a"): ("chosen", 1, "49"), ("a", "dear"): ("twice", 0, "4930"),
                        ("b", "b"): ("chosen", 2, "49")}


def test_a_rule_and_trunks_without_a_price(tmp_path):
    rule = ("INSERT INTO callroute_rule (id, plan_id, prefix, action, target, stop) "
            "VALUES ({0}, 1, '{1}', '{2}', '{3}', {4})")
    sql = ["INSERT INTO callroute_deck (id, name, side) VALUES (100, 'sell', 'sell')",
           "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (100, '', 5000)",
           "UPDATE callroute_rate SET is_default = 1 WHERE prefix = ''",
           "DELETE FROM callroute_rate WHERE deck_id = 2",
           rule.format(1, "4930", "route", "unpriced,b", 0), rule.format(2, "4940", "route", "b", 1),
           rule.format(3, "4950", "block", "", 1), rule.format(4, "4960", "redirect", "sip:else@127.0.0.1", 1),
           rule.format(5, "112", "emergency", "b,a", 1)]
    trunks = [Trunk("a", 1000), Trunk("unpriced"), Trunk("b", 2000)]
    with Routing(tmp_path / "r", trunks, {"sell_deck_id": 100, "min_margin": 1}, sql) as routing:
        for end in routing.ends.values():
            end.invite = (503,)
        both = explain(routing)
        assert (both["rule"], both["chosen"]) == (1, ["b", "a"])
        assert fates(both)["unpriced"] == "price_unknown"
        assert {one["deck"] for one in both["vendors"] if one["place"] == 1} == {"(rule)"}
        assert routing.call(NUMBER)[1] == both["chosen"]
        stop = explain(routing, "4940123", "default")
        assert (stop["chosen"], fates(stop)["a"]) == (["b"], "rule")
        block = explain(routing, "4950123", "default")
        assert (block["verdict"], block["reason"], block["rule"], block["vendors"]) == (-5, "rule_block", 3, [])
        there = explain(routing, "4960123", "default")
        assert (there["verdict"], there["redirect"]) == (2, "sip:else@127.0.0.1")
        urgent = explain(routing, "112", "default")
        assert (urgent["emergency"], urgent["chosen"]) == (1, ["b", "a"])
        assert routing.call("112")[1] == ["b", "a"]


def test_another_time_and_another_number(tmp_path):
    """AT decides on calendars and dates; a ported number goes by its routing number."""
    trunks = [Trunk("always", 2000), Trunk("mondays", 1000), Trunk("from_2030", 500)]
    sql = [HOURS, "UPDATE callroute_plan_trunk SET time_id = 1 WHERE trunk_id = 2",
           "UPDATE callroute_rate SET valid_from = strftime('%s', 'now', '+30 days') WHERE deck_id = 3",
           "INSERT INTO callroute_lnp (number, routing_number) VALUES ('4930123456', '44123')",
           "UPDATE callroute_plan SET use_lnp = 1"]
    with Routing(tmp_path / "r", trunks, sql=sql) as routing:
        tuesday, spelt = away_from_monday()
        monday = tuesday - 86400
        assert explain(routing, NUMBER, "default", "-", tuesday)["chosen"] == ["always"]
        assert explain(routing, NUMBER, "default", "-", spelt)["chosen"] == ["always"]
        assert explain(routing, NUMBER, "default", "-", str(monday))["chosen"] == ["mondays", "always"]
        later = explain(routing, NUMBER, "default", "-", monday + 35 * 86400)
        assert later["chosen"] == ["from_2030", "mondays", "always"]
        assert (later["routing_number"], later["country"]) == ("44123", "GB")
        assert {one["prefix"] for one in later["vendors"]} == {"44"}
        till = routing.rpc("callroute.status")["calendars_till"]
        since = routing.rpc("callroute.status")["last_load"]["at"] - 86400
        assert explain(routing, NUMBER, "default", "-", since)["verdict"] == 1
        assert explain(routing, NUMBER, "default", "-", till - 1)["verdict"] == 1
        for unknown in (since - 60, till, 0):
            with pytest.raises(RpcError, match="outside of the calendars"):
                explain(routing, NUMBER, "default", "-", unknown)


@pytest.mark.parametrize("words, fault", (
    ((), "callroute.explain NUMBER PLAN"), (("49",), "callroute.explain NUMBER PLAN"),
    (("49", "default", "1" * 40), "SRC"), (("49", "default", "-", "noon"), "AT"),
    (("49", "default", "-", "2026-13-01T00:00:00Z"), "AT"), (("49", "default", "-", "-5"), "AT"),
    (("49", "default", "-", "-", -1), "FIRST"), (("49", "default", "-", "-", 0, 41), "ROWS"),
    (("49", "default", "-", "-", 0, 0), "ROWS")))
def test_faults_of_explain(quiet, words, fault):
    with pytest.raises(RpcError, match=fault) as refused:
        quiet.rpc("callroute.explain", *words)
    assert refused.value.code == 400


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A Kamailio for questions that change nothing."""
    with Routing(tmp_path_factory.mktemp("quiet"), [Trunk("a", uri=f"sip:{ports.TRUNKS}:9")]) as routing:
        yield routing


def test_what_no_plan_knows(quiet):
    assert explain(quiet, NUMBER, "nobody's")["reason"] == "no_plan"
    assert explain(quiet, "999", "default")["reason"] == "no_prefix"
    for number in ("49a", "4" * 33, "", "+"):
        assert explain(quiet, number, "default")["reason"] == "not_a_number", number
    assert explain(quiet, "+" + NUMBER, "default")["number"] == NUMBER


def test_256_vendors_come_in_pages_by_json_and_by_kamcmd(tmp_path):
    """Names as long as they may be: what is 64 KiB at most in one, and 32 in the other, must hold every page."""
    name = "CAST(substr(hex(zeroblob(32)), 1, 61) || n.i AS TEXT)"
    many = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 355) "
    sql = [f"{many} INSERT INTO callroute_carrier (id, name) SELECT i, {name} FROM n",
           f"{many} INSERT INTO callroute_deck (id, name) SELECT i, {name} FROM n",
           f"{many} INSERT INTO callroute_rate (deck_id, prefix, price) SELECT i, '49301234', 1000000000000 - i FROM n",
           f"{many} INSERT INTO callroute_trunk (id, carrier_id, name, uri) SELECT i, i, {name}, "
           "'sip:127.3.0.1:9;x=' || hex(zeroblob(115)) FROM n",
           "DELETE FROM callroute_plan_trunk",
           f"{many} INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) SELECT 1, i, i FROM n"]
    sock = tmp_path / "ctl"
    ctl = f'loadmodule "ctl.so"\nmodparam("ctl", "binrpc", "unix:{sock}")'
    with Routing(tmp_path / "r", [Trunk("a", uri=f"sip:{ports.TRUNKS}:9")], sql=sql, params=ctl) as routing:
        seen = []
        for first in range(0, 256, 40):
            page = explain(routing, NUMBER, "default", "-", "-", first)
            assert (page["vendors_total"], page["first"]) == (256, first)
            seen += [one["trunk"] for one in page["vendors"]]
        assert len(set(seen)) == 256
        assert page["chosen"] == [f"{'0' * 61}{number}" for number in range(355, 347, -1)]
        assert explain(routing, NUMBER, "default", "-", "-", 256)["vendors"] == []
        for words, count in ((("callroute.explain", "s:+" + NUMBER, "default"), 40),
                             (("callroute.explain", "s:" + NUMBER, "default", "-", "-", "250", "40"), 6)):
            said = run([server.kamcmd(), "-s", f"unix:{sock}", *words], 20)
            assert said.returncode == 0 and said.stdout.count("place:") == count, said.stdout
            assert f"number: {NUMBER}" in said.stdout
        # What kamcmd takes for an integer it cuts to 32 bits: no answer is better than another number's.
        for words in ((NUMBER, "default"), ("s:" + NUMBER, "default", NUMBER)):
            cut = run([server.kamcmd(), "-s", f"unix:{sock}", "callroute.explain", *words], 20)
            assert "error: 400 - numbers are texts: with kamcmd s:" in cut.stdout, cut.stdout
        trunks = run([server.kamcmd(), "-s", f"unix:{sock}", "callroute.list_trunks"], 20)
        assert trunks.stdout.count("uri:") == 100, trunks.stdout[-300:]
        stats = run([server.kamcmd(), "-s", f"unix:{sock}", "callroute.stats", "0", "40"], 20)
        assert stats.stdout.count("last_code:") == 40, stats.stdout[-300:]
        assert len(routing.rpc("callroute.list_trunks", 100)) == 100
        assert len(routing.rpc("callroute.stats", 200)["trunks"]) == 57


def test_the_script_writes_the_same_to_the_log(tmp_path):
    trunks = [Trunk("a", 1000), Trunk("b", 3000000000), Trunk("c", admin_state="down")]
    with Routing(tmp_path / "r", trunks, before="callroute_explain();") as routing:
        mark = routing.kamailio.mark()
        routing.call(NUMBER)
        head, *lines = routing.kamailio.grep(r": explain ", mark)
        assert f"number={NUMBER} src=4989111 plan=default verdict=1 reason=ok rule=0" in head
        said = [dict(word.split("=", 1) for word in line.partition(": explain ")[2].split()) for line in lines]
        expected = explain(routing, NUMBER, "default", "4989111")["vendors"]
        shown = ("trunk", "fate", "carrier", "deck", "prefix", "price")
        assert [[one[name] for name in shown] for one in said] == [[one[name] for name in shown] for one in expected]
        assert [int(one["place"]) for one in said] == [1, 2, 0] and int(said[1]["price"]) == 3000000000


# --- reload, status -------------------------------------------------------------


def reload(routing, *words):
    """callroute.reload; last_load when it is done."""
    ticket = routing.rpc("callroute.reload", *words)["ticket"]
    assert eventually(lambda: routing.rpc("callroute.status")["last_load"]["ticket"] >= ticket, 10)
    return routing.rpc("callroute.status")["last_load"]


@pytest.mark.parametrize("words", (("deck",), ("deck", "x" * 65), ("decks", "a"), ("dry", "now"), ("deck", "a", "wet")))
def test_faults_of_reload(quiet, words):
    before = quiet.rpc("callroute.status")["last_load"]["ticket"]
    with pytest.raises(RpcError) as refused:
        quiet.rpc("callroute.reload", *words)
    assert refused.value.code == 400 and "deck" in refused.value.text
    assert quiet.rpc("callroute.status")["last_load"]["ticket"] == before


def test_the_forms_of_reload(tmp_path):
    with Routing(tmp_path / "r", [Trunk("a", 1000), Trunk("b", 2000)]) as routing:
        start = routing.rpc("callroute.status")
        assert (start["generation"], start["rates"], start["trunks"], start["plans"]) == (1, 6, 2, 1)
        assert start["last_load"]["result"] == "published" and start["kilobytes"] > 0
        routing.sql("UPDATE callroute_rate SET price = 500 WHERE deck_id = 2 AND prefix = '49'",
                    "INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '33', 1), (1, '33', 5)")
        dry = reload(routing, "deck", "b", "dry")
        moved = dry["difference"]
        assert (dry["result"], dry["scope"], dry["deck"]) == ("dry", "deck", "b")
        assert (moved["added"], moved["removed"], moved["changed"], moved["fallen"], moved["risen"]) == (1, 0, 1, 1, 0)
        move = moved["biggest_moves"][0]
        assert (move["prefix"], move["from"], move["to"]) == ("49", "2000", "500")
        assert routing.rpc("callroute.status")["generation"] == 1
        assert explain(routing)["chosen"] == ["a", "b"]
        one = reload(routing, "deck", "b")
        assert (one["result"], one["rows_read"]) == ("published", 4)
        assert explain(routing)["chosen"] == ["b", "a"]
        assert explain(routing, "33123", "default")["chosen"] == ["b"]
        routing.sql("UPDATE callroute_plan SET max_attempts = 1", "DELETE FROM callroute_rate WHERE deck_id = 2")
        plan = reload(routing, "plan")
        assert (plan["result"], plan["rows_read"], plan["scope"]) == ("published", 0, "plan")
        assert explain(routing)["chosen"] == ["b"]
        nobody = reload(routing, "deck", "nobody's")
        assert nobody["result"] == "refused" and "nobody's" in nobody["message"], nobody
        routing.sql("DELETE FROM callroute_rate WHERE deck_id = 1 AND prefix <> '49'")
        shrunk = reload(routing)
        assert shrunk["result"] == "refused" and explain(routing)["chosen"] == ["b"], shrunk
        assert reload(routing, "force")["result"] == "published"
        assert explain(routing)["chosen"] == ["a"]


def test_a_bad_row_is_named_and_the_data_in_use_stay(tmp_path):
    with Routing(tmp_path / "r", [Trunk("a", 1000)]) as routing:
        routing.sql("UPDATE callroute_trunk SET uri = 'sip:bad uri'")
        load = reload(routing)
        assert load["result"] == "refused" and "callroute_trunk id 1" in load["message"]
        assert explain(routing)["chosen"] == ["a"] and routing.rpc("callroute.status")["generation"] == 1


def test_reloads_that_nobody_serves_are_refused(tmp_path):
    """64 wait at most: the keeper stands still meanwhile."""
    with Routing(tmp_path / "r", [Trunk("a", 1000)]) as routing:
        # A server that has just started may not have named its processes yet.
        keeper = eventually(lambda: [row["PID"] for row in routing.rpc("core.psx")
                                     if row["DSC"] == "callroute keeper"])[0]
        os.kill(keeper, signal.SIGSTOP)
        try:
            tickets = [routing.rpc("callroute.reload")["ticket"] for _ in range(64)]
            with pytest.raises(RpcError, match="too many reloads") as refused:
                routing.rpc("callroute.reload")
        finally:
            os.kill(keeper, signal.SIGCONT)
        assert refused.value.code == 503
        assert eventually(lambda: routing.rpc("callroute.status")["last_load"]["ticket"] >= tickets[-1], 10)


# --- trunks ---------------------------------------------------------------------


def test_trunks_come_in_pages_and_count_calls(tmp_path):
    with Routing(tmp_path / "r", [Trunk("a", 1000, max_channels=5), Trunk("b", 2000), Trunk("c", 3000)]) as routing:
        assert [row["trunk"] for row in routing.rpc("callroute.list_trunks")] == ["a", "b", "c"]
        assert [row["trunk"] for row in routing.rpc("callroute.list_trunks", 1, 1)] == ["b"]
        assert [row["trunk"] for row in routing.rpc("callroute.stats", 2)["trunks"]] == ["c"]
        for words in ((-1,), (0, 0), (0, 101)):
            for method in ("callroute.list_trunks", "callroute.stats"):
                with pytest.raises(RpcError, match="first"):
                    routing.rpc(method, *words)
        routing.ends["a"].invite = (503,)
        assert routing.call(NUMBER)[1] == ["a", "b"]
        a, b = routing.stats("a"), routing.stats("b")
        assert (a["attempts"], a["answered"], a["failed"], a["last_code"]) == (1, 0, 1, 503)
        assert (b["attempts"], b["answered"], b["failed"]) == (1, 1, 0)
        assert 0 <= a["last_failure_ago_sec"] <= 60 and b["last_failure_ago_sec"] == -1
        assert routing.trunk("a")["max_channels"] == 5

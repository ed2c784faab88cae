# SPDX-License-Identifier: GPL-2.0-or-later
"""Quality of trunks by live calls: what each outcome counts for, what is forgotten, what a plan makes of it.

ASR is answered of all, NER what the network did right of what nobody gave up, both per mille (quality.h).
"""

import pytest

from support.kamailio import RpcError
from support.live import NUMBER, Live, row
from support.outgoing import Dialled, bye_from, outgoing
from support.process import eventually
from support.routing import Trunk


# Exact figures of several calls: nothing fades while a slow machine makes them.
STEADY = 'modparam("callroute", "quality_half_life", 604800)'


def quality(live, *words):
    """{(trunk, country): the row} of callroute.list_quality."""
    rows = live.rpc("callroute.list_quality", *words)
    found = {(one["trunk"], one["country"]): one for one in rows}
    assert len(found) == len(rows), rows
    return found


def figures(live, trunk="a", country="DE"):
    """(calls, ASR, NER) of a pair."""
    one = quality(live, trunk)[(trunk, country)]
    return one["calls"], one["asr"], one["ner"]


# -- outcomes -------------------------------------------------------------------


@pytest.mark.parametrize("status, asr, ner", [
    (200, 1000, 1000), (486, 0, 1000), (600, 0, 1000), (480, 0, 1000), (603, 0, 1000), (404, 0, 0), (484, 0, 0),
    (408, 0, 0), (500, 0, 0), (503, 0, 0)])
def test_outcomes(tmp_path, status, asr, ner):
    with Live(tmp_path, [Trunk("a")]) as live:
        assert quality(live) == {}
        live.ends["a"].invite = (status,)
        live.call(NUMBER)
        assert figures(live) == (1, asr, ner)


def test_silence_and_ringing_for_ever(tmp_path):
    """Nobody answers where it rang; the network failed where it did not."""
    with Live(tmp_path, [Trunk("a", try_timeout_ms=100)], params=STEADY) as live:
        live.sql("UPDATE callroute_trunk SET ring_timeout_ms = 1000")
        live.reload()
        live.ends["a"].invite = ()
        live.call(NUMBER)
        assert figures(live) == (1, 0, 0)
        live.ends["a"].invite = (180,)
        live.call(NUMBER)
        assert figures(live) == (2, 0, 500)


def test_the_caller_gives_up(tmp_path):
    """No answer, and no fault of the network either."""
    with outgoing(tmp_path, [Trunk("a", try_timeout_ms=20000)], params=STEADY) as live:
        Dialled(live).answered("a").hang_up()
        for status in (100, 180):
            call = Dialled(live).reply("a", status)
            if status == 180:
                call.provisional(180)
            assert call.cancel() == 200
            call.final()
        assert figures(live) == (3, 333, 1000)
        stats = live.stats("a")
        assert (stats["attempts"], stats["answered"], stats["failed"], stats["cancelled"]) == (3, 1, 0, 2)


def test_each_trunk_of_a_call_has_its_outcome(tmp_path):
    with Live(tmp_path, [Trunk("a", 1000), Trunk("b", 2000), Trunk("c", 3000)]) as live:
        live.ends["a"].invite, live.ends["b"].invite = (503,), (486,)
        live.statuses(2)
        assert quality(live).keys() == {("a", "DE"), ("b", "DE")}
        assert (figures(live, "a"), figures(live, "b")) == ((2, 0, 0), (2, 0, 1000))


def test_by_country_of_the_called(tmp_path):
    with Live(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as live:
        live.ends["a"].invite = (503,)
        for number in ("4930123456", "442079460000", "12025550123", "4989111111"):
            assert live.call(number)[1] == ["a", "b"]
        assert {pair: one["calls"] for pair, one in quality(live).items()} == {
            ("a", "DE"): 2, ("a", "GB"): 1, ("a", "US"): 1, ("b", "DE"): 2, ("b", "GB"): 1, ("b", "US"): 1}


# -- how long -------------------------------------------------------------------


def test_pdd(tmp_path):
    """To the first ringing, by the present trunk; a delay before it belongs to the trunk before."""
    with outgoing(tmp_path, [Trunk("a", 1000, try_timeout_ms=600), Trunk("b", 2000, try_timeout_ms=20000)]) as live:
        call = Dialled(live)
        call.reply("b", 180)
        call.provisional(180)
        call.answered("b").hang_up()
        found = quality(live)
        assert found[("a", "DE")]["pdd_ms"] == 0 and found[("a", "DE")]["ner"] == 0
        assert 0 <= found[("b", "DE")]["pdd_ms"] < 500


def test_pdd_ends_with_the_ringing(tmp_path):
    with outgoing(tmp_path, [Trunk("a", try_timeout_ms=20000)]) as live:
        call = Dialled(live)
        live.ends["a"].reply(call.at("a"), 100)
        # The time until it rings is what is measured: there is nothing else to wait for.
        waiting = live.rpc("core.uptime")["uptime"]
        assert eventually(lambda: live.rpc("core.uptime")["uptime"] >= waiting + 2, 10)
        call.reply("a", 183)
        call.provisional(183)
        call.answered("a").hang_up()
        assert quality(live)[("a", "DE")]["pdd_ms"] >= 1000


@pytest.mark.parametrize("who", ["caller", "called"])
def test_acd(tmp_path, who):
    """With dialog, from its own start and end of a call."""
    with outgoing(tmp_path, [Trunk("a")], dialog=True) as live:
        call = Dialled(live).answered("a")
        started = live.rpc("core.uptime")["uptime"]
        assert eventually(lambda: live.rpc("core.uptime")["uptime"] >= started + 3, 10)
        if who == "caller":
            call.hang_up()
        else:
            assert bye_from(live, "a", call) == 200
        assert eventually(lambda: quality(live)[("a", "DE")]["acd_sec"] >= 2), quality(live)
        assert quality(live)[("a", "DE")]["acd_sec"] <= 30


def test_figures_fade(tmp_path):
    """Half of it is gone after the half-life, without anybody having swept."""
    with Live(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)], params='modparam("callroute", "quality_half_life", 10)'
              ) as live:
        live.ends["a"].invite = (503,)
        live.statuses(8)
        before = quality(live)[("a", "DE")]
        assert before["calls"] >= 6 and before["score"] < 700
        assert eventually(lambda: quality(live)[("a", "DE")]["calls"] <= before["calls"] - 2, 15)
        after = quality(live)[("a", "DE")]
        assert after["score"] > before["score"] and after["ner"] == 0


# -- what a plan makes of it ------------------------------------------------------


def test_order_by_quality(tmp_path):
    """The unknown trunks first by price; the one that fails steps back, and behind a dear one that works."""
    trunks = [Trunk("cheap", 1000), Trunk("dear", 2000)]
    with Live(tmp_path, trunks, {"order_by": "quality"}) as live:
        live.ends["cheap"].invite = (503,)
        first = [tried[0] for _, tried in live.statuses(12)]
        assert first[0] == "cheap" and first[-1] == "dear"
        turn = first.index("dear")
        assert first == ["cheap"] * turn + ["dear"] * (12 - turn)
        rows = quality(live)
        assert rows[("cheap", "DE")]["score"] < 750 < rows[("dear", "DE")]["score"]
        said = live.rpc("callroute.explain", NUMBER, "default")
        assert said["chosen"] == ["dear", "cheap"]
        assert {one["trunk"]: one["quality"] for one in said["vendors"]} == {
            name: rows[(name, "DE")]["score"] for name in ("cheap", "dear")}
        # What it did in one country says nothing of another.
        assert live.rpc("callroute.explain", "442079460000", "default")["chosen"] == ["cheap", "dear"]


def test_busy_customers_are_no_bad_trunk(tmp_path):
    """Fewer answers weigh less than failures: 'a' reaches its customers, 'b' loses calls."""
    trunks = [Trunk("a", 2000), Trunk("b", 1000)]
    rows = [row("rule", id=key, plan_id=1, prefix=f"49{key}", action="route", target=name)
            for key, name in enumerate("ab", 1)]
    with Live(tmp_path, trunks, {"order_by": "quality"}, rows) as live:
        live.ends["a"].invite, live.ends["b"].invite = (180, 486), (503,)
        for key in (1, 2):
            for _ in range(6):
                live.call(f"49{key}012345")
        assert live.rpc("callroute.explain", NUMBER, "default")["chosen"] == ["a", "b"]


def test_reload_leaves_it(tmp_path):
    with Live(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as live:
        live.ends["a"].invite = (503,)
        live.statuses(3)
        before = quality(live)
        live.sql("UPDATE callroute_trunk SET name = 'renamed' WHERE id = 1")
        live.reload()
        after = quality(live)
        assert after.pop(("renamed", "DE"))["calls"] == before.pop(("a", "DE"))["calls"] == 3
        assert after.keys() == before.keys()


# -- the RPC ------------------------------------------------------------------------


def test_pages_and_names(tmp_path):
    trunks = [Trunk(name, price) for price, name in enumerate("abcd", 1000)]
    with Live(tmp_path, trunks) as live:
        for end in live.ends.values():
            end.invite = (503,)
        for number in (NUMBER, "442079460000"):
            live.call(number)
        everything = list(quality(live))
        assert everything == [(name, country) for name in "abcd" for country in ("DE", "GB")]
        assert list(quality(live, "*", 0, 3)) + list(quality(live, "*", 3, 100)) == everything
        assert list(quality(live, "c")) == [("c", "DE"), ("c", "GB")]
        assert list(quality(live, "c", 1, 1)) == [("c", "GB")] and list(quality(live, "c", 2)) == []


@pytest.mark.parametrize("words, code", [(("nobody",), 404), (("*", -1), 400), (("*", 0, 0), 400), (("*", 0, 101), 400),
                                         (("*", "x"), 400), (("*", "1x"), 400), ((0, 10), 400), (("",), 404)])
def test_bad_input(quiet, words, code):
    with pytest.raises(RpcError) as refused:
        quiet.rpc("callroute.list_quality", *words)
    assert refused.value.code == code, refused.value


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A Kamailio for questions that change nothing."""
    with Live(tmp_path_factory.mktemp("quiet"), [Trunk("a")]) as live:
        live.call(NUMBER)
        yield live

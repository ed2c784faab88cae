# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute.set_trunk, list_trunks and stats: what an operator says, sees, and may get wrong."""

import pytest

from support import server
from support.kamailio import RpcError
from support.live import NUMBER, Live, breaker, probed, row
from support.outgoing import Dialled, outgoing
from support.process import run
from support.routing import Trunk

COLUMNS = {"id", "trunk", "carrier", "uri", "state", "carrier_state", "operator", "health", "breaker", "channels",
           "max_channels"}
TABLE = ("up", "drain", "down")


@pytest.mark.parametrize("table", TABLE)
def test_the_operators_word_is_over_the_tables(tmp_path, table):
    with Live(tmp_path, [Trunk("a", 1000, admin_state=table), Trunk("b", 2000)]) as live:
        for word in ("up", "drain", "down", "table"):
            mark = live.kamailio.mark()
            live.rpc("callroute.set_trunk", "a", word)
            live.kamailio.wait_line(f"trunk-set trunk=a operator={word}$", since=mark)
            holds = table if word == "table" else word
            assert live.fates()["a"] == ("chosen" if holds == "up" else "admin"), (table, word)
            assert live.call(NUMBER)[1] == (["a"] if holds == "up" else ["b"])
            one = live.trunk("a")
            assert (one["state"], one["operator"]) == (table, word)


def test_a_word_outlives_reloads_and_no_restart(tmp_path):
    with Live(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as live:
        live.rpc("callroute.set_trunk", "a", "down")
        live.sql("UPDATE callroute_trunk SET name = 'renamed' WHERE id = 1")
        live.reload()
        assert live.trunk("renamed")["operator"] == "down" and live.call(NUMBER)[1] == ["b"]
        with pytest.raises(RpcError, match="there is no trunk a"):
            live.rpc("callroute.set_trunk", "a", "up")


def test_calls_that_a_drained_trunk_has_go_on(tmp_path):
    with outgoing(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as live:
        call = Dialled(live).answered("a")
        live.rpc("callroute.set_trunk", "a", "drain")
        assert live.trunk("a")["channels"] == 1
        Dialled(live).answered("b").hang_up()
        call.hang_up()
        assert live.ends["a"].wait("BYE")


def test_everything_is_shown_apart(tmp_path):
    """Table, carrier, operator, probes, breaker: one of each, and none hides another."""
    trunks = [probed("a", 1000, breaker_id=1, max_channels=5, admin_state="drain"), Trunk("b", 2000)]
    rows = [breaker(1, min_calls=1, half_open_after=60), "UPDATE callroute_carrier SET enabled = 0 WHERE id = 2",
            row("rule", id=1, plan_id=1, prefix="112", action="emergency", target="a")]
    with Live(tmp_path, trunks, sql=rows) as live:
        assert [set(one) for one in live.rpc("callroute.list_trunks")] == [COLUMNS, COLUMNS]
        a = live.ends["a"]
        live.rpc("callroute.set_trunk", "a", "up")
        a.invite = (503,)
        live.call(NUMBER)
        live.rpc("callroute.set_trunk", "a", "drain")
        a.options = None
        live.becomes("a", "health", "down")
        assert live.trunk("a") == {
            "id": 1, "trunk": "a", "carrier": "a-carrier", "uri": f"sip:{a.where}", "state": "drain",
            "carrier_state": "enabled", "operator": "drain", "health": "down", "breaker": "open", "channels": 0,
            "max_channels": 5}
        assert live.trunk("b")["carrier_state"] == "disabled" and live.trunk("b")["health"] == "not_probed"


def test_stats(tmp_path):
    with outgoing(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as live:
        call = Dialled(live).reply("a", 503)
        call.at("b")
        stats = live.rpc("callroute.stats")
        assert (stats["calls"], stats["channels"], stats["untracked"]) == (1, 2, 0)     # the trunk's, its carrier's
        a, b = stats["trunks"]
        assert 0 <= a.pop("last_failure_ago_sec") < 60
        assert a == {"trunk": "a", "attempts": 1, "answered": 0, "failed": 1, "cancelled": 0, "last_code": 503,
                     "channels": 0}
        assert b == {"trunk": "b", "attempts": 1, "answered": 0, "failed": 0, "cancelled": 0, "last_code": 0,
                     "last_failure_ago_sec": -1, "channels": 1}
        call.answered("b").hang_up()


# -- bad input ----------------------------------------------------------------------


SET, LIST, STATS = "callroute.set_trunk", "callroute.list_trunks", "callroute.stats"


@pytest.mark.parametrize("words, code, text", [
    ((SET,), 400, "NAME up"), ((SET, "a"), 400, "NAME up"), ((SET, "a", "UP"), 400, "the state is"),
    ((SET, "a", ""), 400, "the state is"), ((SET, "a", "upper"), 400, "the state is"), ((SET, "a", 1), 400, "NAME up"),
    ((SET, "nobody", "up"), 404, "there is no trunk nobody"), ((SET, "", "up"), 404, "there is no trunk"),
    ((SET, "A", "up"), 404, "there is no trunk A"), ((SET, "x" * 5000, "up"), 404, "there is no trunk"),
    ((SET, 49, "down"), 400, "names are texts"), ((SET, "a", "down", "now"), 400, "NAME up"),
    ((SET, "up", "a"), 400, "the state is"), ((SET, "a%n%s", "up"), 404, "there is no trunk"),
    ((LIST, -1), 400, "first >= 0"), ((LIST, 0, 0), 400, "rows 1 to"), ((LIST, 0, 101), 400, "rows 1 to"),
    ((LIST, "x"), 400, "first >= 0"), ((LIST, 99999999999), 400, "first >= 0"), ((LIST, "0", "1 "), 400, "rows 1 to"),
    ((STATS, -1), 400, "first >= 0"), ((STATS, "a"), 400, "first >= 0"), ((STATS, 0, -5), 400, "rows 1 to")])
def test_bad_input(quiet, words, code, text):
    before = quiet.rpc(LIST)
    with pytest.raises(RpcError, match=text) as refused:
        quiet.rpc(*words)
    assert refused.value.code == code
    assert quiet.rpc(LIST) == before


def test_pages(quiet):
    for words, names in (((), ["a", "49"]), ((1,), ["49"]), (("0", "1"), ["a"]), ((2,), []), ((999999999, 100), [])):
        assert [one["trunk"] for one in quiet.rpc(LIST, *words)] == names
        assert [one["trunk"] for one in quiet.rpc(STATS, *words)["trunks"]] == names


def test_by_kamcmd(quiet):
    """What looks like a number is sent as one, and cut: no answer is better than another trunk's."""
    def kamcmd(*words):
        return run([server.kamcmd(), "-s", f"unix:{quiet.folder}/ctl", *words], 20).stdout

    assert "error: 400 - names are texts: with kamcmd s:NAME" in kamcmd(SET, "0049", "down")
    assert quiet.trunk("49")["operator"] == "table"
    assert "error" not in kamcmd(SET, "s:49", "drain")
    assert quiet.trunk("49")["operator"] == "drain"
    assert "error" not in kamcmd(SET, "s:49", "table")
    assert kamcmd(LIST, "1", "1").count("uri:") == 1
    assert "error" not in kamcmd("callroute.list_quality")
    assert "error: 400" in kamcmd(LIST, "0", "0") and "error: 400" in kamcmd(STATS, "0", "101")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A Kamailio for questions that change nothing."""
    folder = tmp_path_factory.mktemp("quiet")
    ctl = f'loadmodule "ctl.so"\nmodparam("ctl", "binrpc", "unix:{folder}/ctl")'
    with Live(folder, [Trunk("a"), Trunk("49")], params=ctl) as live:
        yield live

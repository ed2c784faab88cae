# SPDX-License-Identifier: GPL-2.0-or-later
"""OPTIONS to trunks: who is asked when, which replies show life, and what the state does to calls.

A second between two probes of a trunk, and the server looks once a second who is due.
"""

from support import ports
from support.live import NUMBER, Live, probed, probes_more
from support.outgoing import Dialled, outgoing
from support.routing import FarEnd, Trunk

# -- thresholds ---------------------------------------------------------------


def test_down_after_and_up_after(tmp_path):
    with Live(tmp_path, [probed("a", 1000, down_after=2, up_after=3), Trunk("b", 2000)]) as live:
        a = live.ends["a"]
        a.options = None
        live.kamailio.wait_line("trunk-down trunk=a carrier=a-carrier", 15)
        # A probe's failure is known when the next one leaves.
        assert 2 <= len(a.got("OPTIONS")) <= 3
        assert live.trunk("a")["health"] == "down"
        assert live.fates() == {"a": "probes", "b": "chosen"}
        assert live.call(NUMBER)[1] == ["b"]
        mark, asked = live.kamailio.mark(), len(a.got("OPTIONS"))
        a.options = 200
        live.kamailio.wait_line("trunk-up trunk=a carrier=a-carrier", 15, mark)
        # The one under way is repeated by tm until it is answered, and counts.
        assert len(a.got("OPTIONS")) - asked >= 2
        assert live.call(NUMBER)[1] == ["a"]
        assert live.edges("a") == ["down", "up"]


def test_one_lost_probe_in_between_is_no_failure(tmp_path):
    with Live(tmp_path, [probed("a", down_after=2)]) as live:
        a = live.ends["a"]
        for _ in range(2):
            a.options = None
            probes_more(a, count=1)
            a.options = 200
            probes_more(a, count=1)
        probes_more(a, count=1)
        assert live.edges("a") == [] and live.trunk("a")["health"] == "up"


def test_all_down(tmp_path):
    with Live(tmp_path, [probed("a")]) as live:
        live.ends["a"].options = None
        live.becomes("a", "health", "down")
        answer, tried = live.call(NUMBER)
        assert (answer.reason, tried) == ("all_down", [])


def test_goes_down_under_a_call(tmp_path):
    """What was chosen may be down when its turn comes: it is passed over."""
    with outgoing(tmp_path, [Trunk("a", 1000, try_timeout_ms=20000), probed("b", 2000), Trunk("c", 3000)]) as live:
        call = Dialled(live)
        call.at("a")
        live.ends["b"].options = None
        live.becomes("b", "health", "down")
        call.reply("a", 503).answered("c").hang_up()
        assert call.tried() == ["a", "c"]


# -- what shows life --------------------------------------------------------------


def test_replies_that_show_life(tmp_path):
    """Whatever the far end itself says; not 503 (do not send), 408 (a proxy before it) or silence."""
    alive, dead = (200, 202, 301, 403, 404, 405, 483, 486, 500, 501, 603), (408, 503, None)
    trunks = [probed(f"t{code}") for code in (*alive, *dead)]
    with Live(tmp_path, trunks) as live:
        for code in (*alive, *dead):
            live.ends[f"t{code}"].options = code
        for code in dead:
            live.becomes(f"t{code}", "health", "down")
        probes_more(*(live.ends[f"t{code}"] for code in alive))
        # What was answered before its far end knew its code is of no interest.
        assert {code: live.trunk(f"t{code}")["health"] for code in (*alive, *dead)} == {
            **dict.fromkeys(alive, "up"), **dict.fromkeys(dead, "down")}


def test_a_reply_that_comes_too_late(tmp_path):
    """After the next probe has left it says nothing about that one."""
    with Live(tmp_path, [probed("a")]) as live:
        a = live.ends["a"]
        a.options = None
        first = a.wait("OPTIONS")[0]
        live.becomes("a", "health", "down")
        a.reply(first, 200)
        probes_more(a)
        assert live.edges("a") == ["down"]
        a.options = 200
        live.becomes("a", "health", "up")


# -- ways to a trunk --------------------------------------------------------------


def test_udp_tcp_and_names(tmp_path):
    """Over both transports, to addresses and names; and where nobody listens or no name leads."""
    gone, named = ports.port(), ports.port()
    trunks = [probed("udp"), probed("tcp", transport="tcp"), Trunk("column", uri=f"sip:{ports.TRUNKS}:{gone}"),
              probed("no-udp", uri=f"sip:{ports.TRUNKS}:{gone}"),
              probed("no-tcp", uri=f"sip:{ports.TRUNKS}:{gone};transport=tcp"),
              probed("no-tls", uri=f"sip:{ports.TRUNKS}:{gone};transport=tls"),
              probed("name", uri=f"sip:localhost:{named}"), probed("no-name", uri=f"sip:{'x' * 64}.test:{gone}")]
    end = FarEnd(named, host="127.0.0.1")
    with Live(tmp_path, trunks, params="use_dns_cache=off") as live:
        live.keep(end)
        for name in ("no-udp", "no-tcp", "no-tls", "no-name"):
            live.becomes(name, "health", "down", 20)
        probes_more(live.ends["udp"], live.ends["tcp"], end)
        assert {name: live.trunk(name)["health"] for name in ("udp", "tcp", "name", "column")} == {
            "udp": "up", "tcp": "up", "name": "up", "column": "not_probed"}
        assert live.edges("(udp|tcp|name)") == []


def test_how_a_probe_looks(tmp_path):
    """From is probe_from, and it leaves by the trunk's own socket."""
    sockets = [ports.port(), ports.port()]
    more = "\n".join(f"listen=udp:127.0.0.1:{port}" for port in sockets)
    trunks = [probed(name, socket=f"udp:127.0.0.1:{port}") for name, port in zip("ab", sockets)]
    with Live(tmp_path, trunks, params=more) as live:
        one, other = live.ends["a"].wait("OPTIONS")[0], live.ends["b"].wait("OPTIONS")[0]
        assert [one.source, other.source] == [("127.0.0.1", port) for port in sockets]
        assert one.uri == f"sip:{live.ends['a'].where}" and one.get("to").strip("<>") == one.uri
        assert one.get("from").replace("<", "").replace(">", "").startswith("sip:prober@probes.test;tag=")
        assert one.callid != other.callid and one.body == b""


# -- who is asked when ------------------------------------------------------------


def test_dead_at_start(tmp_path):
    """It is up until its probes have failed, and up again when somebody is there."""
    port = ports.port()
    with Live(tmp_path, [probed("a", uri=f"sip:{ports.TRUNKS}:{port}")]) as live:
        assert live.fates() == {"a": "chosen"}
        live.becomes("a", "health", "down")
        assert live.fates() == {"a": "probes"}
        live.keep(FarEnd(port))
        live.becomes("a", "health", "up")
        assert live.call(NUMBER)[1] == ["a"]


def test_first_probes_are_spread_over_the_interval(tmp_path):
    """A start, or a stall, must not become a burst that each restart repeats."""
    count, end = 60, FarEnd(ports.port())
    trunks = [Trunk(f"t{key}", uri=f"sip:{end.where};n={key}", probe_interval=6) for key in range(count)]
    with Live(tmp_path, trunks) as live:
        live.keep(end)
        end.wait("OPTIONS")
        assert len(end.got("OPTIONS")) < count / 2
        end.wait("OPTIONS", count, 30)
        asked = [one.uri.partition(";n=")[2] for one in end.got("OPTIONS")]
        # Each once before anybody is asked again; two looks may share the last second.
        assert len(set(asked[:count])) >= count - count / 6
        assert max(asked.count(one) for one in set(asked)) <= 2


def test_who_is_not_asked(tmp_path):
    """Nobody asks a trunk that is out of service; one that is drained is asked."""
    trunks = [probed("up"), probed("drain", admin_state="drain"), probed("down", admin_state="down"),
              probed("held"), Trunk("never", probe_interval=0)]
    with Live(tmp_path, trunks) as live:
        live.rpc("callroute.set_trunk", "held", "down")
        before = len(live.ends["held"].got("OPTIONS"))
        probes_more(live.ends["up"], live.ends["drain"], count=3)
        assert [len(live.ends[name].got("OPTIONS")) for name in ("down", "never")] == [0, 0]
        assert len(live.ends["held"].got("OPTIONS")) <= before + 1   # one may have been on its way
        live.rpc("callroute.set_trunk", "down", "up")
        live.ends["down"].wait("OPTIONS")


def test_out_of_service_keeps_what_was_known(tmp_path):
    with Live(tmp_path, [probed("a"), probed("b")]) as live:
        live.ends["a"].options = None
        live.becomes("a", "health", "down")
        live.rpc("callroute.set_trunk", "a", "down")
        probes_more(live.ends["b"])
        assert live.trunk("a")["health"] == "down"
        live.ends["a"].options = 200
        live.rpc("callroute.set_trunk", "a", "table")
        live.becomes("a", "health", "up")
        assert live.edges("a") == ["down", "up"]


def test_reload_leaves_the_state(tmp_path):
    """By the trunk's id: another name or address is the same trunk, another interval holds at once."""
    with Live(tmp_path, [probed("a", 1000), Trunk("b", 2000)]) as live:
        a = live.ends["a"]
        a.options = None
        live.becomes("a", "health", "down")
        mark = live.kamailio.mark()
        live.sql("UPDATE callroute_trunk SET name = 'renamed', up_after = 3, max_channels = 9 WHERE id = 1")
        for _ in range(3):
            live.reload()
        assert live.trunk("renamed")["health"] == "down"
        assert live.call(NUMBER)[1] == ["b"]
        asked, a.options = len(a.got("OPTIONS")), 200
        live.becomes("renamed", "health", "up")
        assert len(a.got("OPTIONS")) - asked >= 2
        assert live.edges(r"\S+", mark) == ["up"]


def test_no_longer_probed_is_no_longer_down(tmp_path):
    with Live(tmp_path, [probed("a"), probed("b", 2000, probe_interval=3600)]) as live:
        live.ends["a"].options = None
        live.becomes("a", "health", "down")
        live.sql("UPDATE callroute_trunk SET probe_interval = 1 - probe_interval % 10")
        live.reload()
        assert live.trunk("a")["health"] == "not_probed"
        assert live.call(NUMBER)[1] == ["a"]
        # And the other is probed now, not at the end of its hour.
        live.ends["b"].wait("OPTIONS", 2)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Every function by KEMI (app_python3) comes to what the native one comes to: code, variables, request."""

import re

import pytest

from support import ports
from support.exports import Source
from support.inbound import account, group, insert
from support.kemi import DOES, Both, words
from support.process import eventually
from support.routing import Trunk

TRUNK_PORT = ports.port()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two servers on one database: trunks a, b and one that only sends; accounts, DIDs, a group, rules."""
    trunks = [Trunk("a", 1000), Trunk("b", 2000), Trunk("in", 9000, uri=f"sip:{ports.TRUNKS}:{TRUNK_PORT}")]
    sql = [account(7, "ip", ports.OFFICE, country="DE", tenant="acme"),
           account(8, "ip", "127.1.0.8", enabled=0),
           "DELETE FROM callroute_plan_trunk WHERE trunk_id = 3",
           insert("callroute_plan", id=2, name="gold"),
           insert("callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2),
           insert("callroute_rule", id=5, plan_id=1, prefix="112", action="emergency", target="b"),
           insert("callroute_rule", id=6, plan_id=1, prefix="4940", action="redirect", target="sip:else@127.0.0.1"),
           insert("callroute_block", list="*", side="dst", prefix="4950"),
           insert("callroute_block", list="*", side="src", prefix="4977"),
           insert("callroute_did", number="100", target_type="uri", target="sip:desk@127.1.0.20"),
           insert("callroute_did", number="200", target_type="group", target="desk"),
           insert("callroute_did", number="300", target_type="reject"),
           *group(1, "desk", "parallel", ["sip:one@127.1.0.20:5061", "sip:two@127.1.0.20:5062"])]
    with Both(tmp_path_factory.mktemp("kemi"), trunks, sql) as servers:
        yield servers


def test_every_function_is_asked():
    """The table of this test against the module's own."""
    asked = {re.match(r"\w+", kemi)[0] for _, kemi in DOES.values()}
    assert asked == Source("callroute").kemi


CASES = [
    ("account", {}, {"rc": "1", "reason": "ok", "account": "7"}),
    ("account", {"host": ports.FOREIGN}, {"rc": "-1", "reason": "no_account", "account": "<null>"}),
    ("account", {"host": "127.1.0.8"}, {"rc": "-2", "reason": "account_disabled", "account": "8"}),
    ("normalize", {"number": "030123456"}, {"rc": "1", "number": "4930123456"}),
    ("normalize", {"number": "alice"}, {"rc": "-1", "reason": "not_a_number"}),
    ("normalize_of", {"arg": "0044207946000"}, {"rc": "1", "number": "44207946000"}),
    ("is_emergency", {"number": "112"}, {"rc": "1"}),
    ("is_emergency", {"number": "113"}, {"rc": "-1"}),
    ("is_emergency_of", {"arg": "110"}, {"rc": "1"}),
    ("is_emergency_of", {"arg": "030123"}, {"rc": "-1"}),
    ("is_trunk", {"host": ports.TRUNKS, "port": TRUNK_PORT}, {"rc": "1", "source": "in"}),
    ("is_trunk", {"host": ports.FOREIGN}, {"rc": "-1", "source": "<null>"}),
    ("is_trunk_of", {"arg": f"{ports.TRUNKS}:{TRUNK_PORT}"}, {"rc": "1", "source": "in"}),
    ("is_trunk_of", {"arg": "192.0.2.9"}, {"rc": "-1"}),
    ("select", {}, {"rc": "1", "trunk": "a", "attempt": "1", "plan": "default"}),
    ("select", {"number": "+4940123"}, {"rc": "2", "reason": "redirect", "rule": "6"}),
    ("select", {"number": "+4950123"}, {"rc": "-5", "reason": "dst_block"}),
    ("select", {"number": "+999"}, {"rc": "-1", "reason": "no_prefix"}),
    ("select_plan", {"arg": "gold"}, {"rc": "1", "trunk": "b", "plan": "gold"}),
    ("select_plan", {"arg": "nobodys"}, {"rc": "-8", "reason": "no_plan"}),
    ("select_dst", {"arg": "+44207946000", "number": "100"}, {"rc": "1", "trunk": "a"}),
    ("select_src", {"arg": "+4977 1", "number": "+44207946000"}, {"rc": "1", "trunk": "a", "plan": "default"}),
    ("select_src", {"arg": "+49(77)1", "number": "+44207946000"}, {"rc": "-5", "reason": "src_block"}),
    ("select_src", {"arg": "anonymous", "number": "+44207946000"}, {"rc": "1", "trunk": "a"}),
    ("did", {"number": "100"}, {"rc": "1", "ru": "sip:desk@127.1.0.20"}),
    ("did", {"number": "200"}, {"rc": "2", "target": "desk"}),
    ("did", {"number": "300"}, {"rc": "-5", "reason": "rejected"}),
    ("did", {"number": "400"}, {"rc": "-1", "reason": "no_did"}),
    ("did_of", {"arg": "200"}, {"rc": "2", "target": "desk"}),
    ("fork", {"number": "200"}, {"rc": "1", "branches": "1"}),
    ("fork_of", {"arg": "desk"}, {"rc": "1", "branches": "1"}),
    ("fork_of", {"arg": "nobodys"}, {"rc": "-1", "reason": "no_group"}),
    ("redirect", {"number": "+999"}, {"rc": "-1", "reason": "no_contact"}),
    ("release", {}, {"rc": "-1"}),
    ("release_held", {}, {"rc": "1", "trunk": "a"}),
    ("explain", {}, {"rc": "1"}),
    ("next", {}, {"rc": "-7", "reason": "no_failure"}),
]


@pytest.mark.parametrize("do, how, wanted", CASES, ids=[f"{do}-{n}" for n, (do, _, _) in enumerate(CASES)])
def test_both_come_to_the_same(both, do, how, wanted):
    native, kemi = both.ask(do, **how)
    assert (native.status, kemi.status) == (480, 480), (native, kemi)
    said = words(native)
    assert {key: said[key] for key in wanted} == wanted, said
    assert words(kemi) == said


@pytest.mark.parametrize("do, number, count", [("redirect", "+4930123456", 2), ("redirect_n", "+4930123456", 1),
                                               ("redirect", "+4940123", 1)])
def test_both_redirect_alike(both, do, number, count):
    native, kemi = both.ask(do, number)
    assert (native.status, kemi.status) == (302, 302), (native, kemi)
    contacts = [uri for value in native.response.all("contact") for uri in value.split(",")]
    assert len(contacts) == count, contacts
    assert kemi.response.all("contact") == native.response.all("contact")


def test_both_explain_alike(both):
    """The lines of the log."""
    marks = [server.mark() for server in both.servers]
    both.ask("explain")
    said = []
    for server, mark in zip(both.servers, marks):
        assert eventually(lambda s=server, m=mark: len(s.grep(": explain ", m)) == 3), server.error("no three lines")
        said.append([line.partition(": explain ")[2] for line in server.grep(": explain ", mark)])
    assert "verdict=1 reason=ok" in said[0][0], said
    assert said[1] == said[0]


def test_both_go_on_to_the_next_trunk_and_release(both):
    """A call that fails at a and is answered by b; the channel is given back at the BYE."""
    both.ends["a"].invite, both.ends["b"].invite = (503,), (180, 200)
    for server in both.servers:
        mark = server.mark()
        agent = both.at(server)
        answer = agent.invite("sip:030123456@127.0.0.1", headers=[("X-Do", "call")])
        assert answer.status == 200, (server.name, answer)
        dialog = agent.dialog(answer)
        dialog.ack()
        held = {row["trunk"]: row["channels"] for row in server.rpc("callroute.stats")["trunks"]}
        assert held == {"a": 0, "b": 1, "in": 0}, server.name
        assert dialog.bye().status == 200
        assert server.rpc("callroute.stats")["channels"] == 0, server.name
        assert server.wait_line("next rc=", since=mark).endswith("next rc=1 reason=ok trunk=b")


def test_both_are_exhausted_alike(both):
    both.ends["a"].invite = both.ends["b"].invite = (503,)
    for server in both.servers:
        mark = server.mark()
        answer = both.at(server).invite("sip:030123456@127.0.0.1", headers=[("X-Do", "call")])
        assert answer.status == 500, (server.name, answer)  # as RFC 3261, 16.7 wants of a 503
        assert server.wait_line("next rc=-7", since=mark).endswith("next rc=-7 reason=exhausted trunk=b")


def test_event_callback(both):
    """KEMI has one function for all events; variables tell of the event."""
    both.kemi.rpc("callroute.reload")
    line = both.kemi.wait_line("event callroute:reload")
    assert line.endswith("event callroute:reload trunk=<null> state=published gen=2"), line

# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute as a redirect server: 302 with the candidates in order, or with a rule's target."""

import re

import pytest

from support import sip
from support.inbound import inbound, insert
from support.routing import Trunk

REDIRECT = """
    callroute_select();
    $var(rc) = $rc;
    if ($var(rc) < 0) {
        sl_send_reply("480", "rc $var(rc) $callroute(reason)");
        exit;
    }
    if (!callroute_redirect(%s)) sl_send_reply("500", "$callroute(reason)");
    xlog("L_NOTICE", "redirected rc=$var(rc) trunk=$callroute(trunk)\\n");
"""
NUMBER = "+4930123456"


def contacts(response):
    """[(URI, q)] of all Contact headers: each has a q, the server adds none of its own."""
    found = [(one[1], float(one[2])) for value in response.all("contact")
             for one in re.finditer(r"<([^>]+)>;q=([0-9.]+)", value)]
    assert [uri for uri, _ in found] == response.contact_uris(), response.all("contact")
    return found


@pytest.mark.parametrize("count, wanted", [("", "abc"), ("2", "ab"), ("1", "a"), ("0", "a"), ("8", "abc")])
@pytest.mark.parametrize("dialog", [False, True])
def test_candidates_in_their_order(tmp_path, count, wanted, dialog):
    """Cheapest first, each with a lower q, the number as each trunk wants it; and no call is held."""
    trunks = [Trunk("c", price=30), Trunk("a", price=10, prefix="00", max_channels=1), Trunk("b", price=20)]
    with inbound(tmp_path, REDIRECT % count, trunks, dialog=dialog) as edge:
        for _ in range(2):
            answer = edge.asked(f"sip:{NUMBER}@127.0.0.1")
            assert answer.status == 302, answer
            found = contacts(answer.response)
            ends = {name: f"@{edge.ends[name].where}" for name in wanted}
            assert [uri.partition(":")[2] for uri, _ in found] == [
                ("00" if name == "a" else "") + NUMBER[1:] + ends[name] for name in wanted]
            assert [q for _, q in found] == sorted({q for _, q in found}, reverse=True)
            assert all(0 < q <= 1 for _, q in found)
            assert edge.channels() == 0
        assert "trunk=a" in edge.kamailio.wait_line("redirected rc=1")


def test_caller_that_follows_reaches_the_trunk(tmp_path):
    with inbound(tmp_path, REDIRECT % "", [Trunk("a")]) as edge:
        agent = edge.agent()
        answer = agent.invite(f"sip:{NUMBER}@127.0.0.1")
        assert answer.status == 302, answer
        target = contacts(answer.response)[0][0]
        host, port = target.partition("@")[2].split(":")
        again = agent.message("INVITE", target, callid=sip.Message(answer.sent).callid)
        agent.end.send(again, (host, int(port)))
        sent = sip.Message(again)
        response = agent.end.final(sent.callid, sent.cseq)
        assert response is not None and response.status == 200, response
        assert edge.ends["a"].got("INVITE")[0].uri == target


@pytest.mark.parametrize("target, wanted", [
    ("4940777", "sip:4940777@127.0.0.1"), ("+4940777", "sip:+4940777@127.0.0.1"), ("*21#", "sip:*21%23@127.0.0.1"),
    ("sip:desk@pbx.test:5070;transport=tcp", "sip:desk@pbx.test:5070;transport=tcp"),
    ("sips:desk@pbx.test", "sips:desk@pbx.test"), ("tel:+4940777", "tel:+4940777")])
def test_target_of_a_rule(tmp_path, target, wanted):
    rule = insert("callroute_rule", plan_id=1, prefix="4930", action="redirect", target=target)
    with inbound(tmp_path, REDIRECT % "", [Trunk("a")], sql=[rule]) as edge:
        answer = edge.asked(f"sip:{NUMBER}@127.0.0.1")
        assert answer.status == 302, answer
        assert contacts(answer.response) == [(wanted, 0.9)]
        edge.kamailio.wait_line("redirected rc=2")
        assert edge.ends["a"].got("INVITE") == []
        assert edge.channels() == 0


def test_number_of_a_rule_keeps_the_port_of_the_request(tmp_path):
    rule = insert("callroute_rule", plan_id=1, prefix="4930", action="redirect", target="4940777")
    with inbound(tmp_path, REDIRECT % "", sql=[rule]) as edge:
        answer = edge.asked(f"sip:{NUMBER}@127.0.0.1:{edge.port}")
        assert contacts(answer.response) == [(f"sip:4940777@127.0.0.1:{edge.port}", 0.9)]


def test_redirect_without_a_choice(tmp_path):
    route = 'if (!callroute_redirect()) sl_send_reply("500", "$callroute(reason)");\n'
    with inbound(tmp_path, route) as edge:
        answer = edge.asked(f"sip:{NUMBER}@127.0.0.1")
        assert (answer.status, answer.reason) == (500, "no_contact")


def test_stateful_redirect_holds_nothing(tmp_path):
    """A script that has made the transaction before: tm sends the 302 there."""
    with inbound(tmp_path, "t_newtran();\n" + REDIRECT % "", [Trunk("a", max_channels=1)]) as edge:
        for _ in range(2):
            answer = edge.asked(f"sip:{NUMBER}@127.0.0.1")
            assert answer.status == 302 and contacts(answer.response), answer
            assert edge.channels() == 0

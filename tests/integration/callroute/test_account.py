# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is calling, what was dialled, and the way from there to the trunk: account, normalize, is_emergency, is_trunk."""

import select
import socket

import pytest

from support import ports, sip
from support.inbound import ACCOUNT, OUT, account, final, inbound, insert, said
from support.routing import Trunk

OFFICE_NET = ports.OFFICE.rpartition(".")[0] + ".0/24"
EVERY_PREFIX = [insert("callroute_rate", deck_id=1, prefix="", price=5, is_default=1)]


def ask_over_ipv6(edge):
    """The reason phrase of the answer to an INVITE from ::1."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        where = f"[::1]:{sock.getsockname()[1]}"
        sock.sendto(sip.build("INVITE sip:100@[::1] SIP/2.0", [
            ("Via", f"SIP/2.0/UDP {where};branch={sip.branch()}"), ("Max-Forwards", "70"),
            ("From", "<sip:six@example.test>;tag=6"), ("To", "<sip:100@[::1]>"), ("Call-ID", sip.token()),
            ("CSeq", "1 INVITE"), ("Contact", f"<sip:six@{where}>")]), ("::1", edge.port))
        while select.select([sock], [], [], sip.DEADLINE)[0]:
            message = sip.Message(sock.recv(1 << 16))
            if message.status >= 200:
                return said(message.reason)
    return "no answer"


# -- account -----------------------------------------------------------------


def test_authenticated_user_with_and_without_domain(tmp_path):
    rows = [account(1, "user", "alice", tenant="all"), account(2, "user", "alice@127.0.0.1", tenant="here"),
            account(3, "user", "bob", tenant="b")]
    with inbound(tmp_path, ACCOUNT, sql=rows) as edge:
        asked = {"headers": [("X-Auth", "yes")]}
        assert edge.ask(agent=edge.user("alice"), **asked) == "1 ok 2 here"
        assert edge.ask(agent=edge.user("alice", domain="other.test"), **asked) == "1 ok 1 all"
        assert edge.ask(agent=edge.user("bob"), **asked) == "1 ok 3 b"


def test_a_claim_is_not_believed(tmp_path):
    """From names a user and a domain that have accounts; nobody has proved to be them."""
    rows = [account(1, "user", "alice"), account(2, "user", "alice@127.0.0.1"), account(3, "domain", "127.0.0.1")]
    with inbound(tmp_path, ACCOUNT, sql=rows) as edge:
        alice = edge.user("alice")
        assert edge.ask(agent=alice) == "-1 no_account"
        forged = ('Digest username="alice", realm="127.0.0.1", nonce="0", uri="sip:100@127.0.0.1", '
                  'response="00000000000000000000000000000000"')
        assert edge.ask(agent=alice, headers=[("Proxy-Authorization", forged)]) == "-1 no_account"
        assert edge.ask(agent=alice, headers=[("X-Auth", "yes")]) == "1 ok 2"


def test_domain_of_the_authenticated(tmp_path):
    with inbound(tmp_path, ACCOUNT, sql=[account(7, "domain", "Customer.Test", tenant="c")]) as edge:
        carol = edge.user("carol", domain="customer.test")
        assert edge.ask(agent=carol, headers=[("X-Auth", "yes")]) == "1 ok 7 c"


def test_the_longest_network_wins(tmp_path):
    rows = [account(1, "ip", "127.0.0.0/8"), account(2, "ip", OFFICE_NET), account(3, "ip", "127.1.0.9"),
            account(4, "ip", "::/0"), account(5, "ip", "::2")]
    with inbound(tmp_path, ACCOUNT, sql=rows) as edge:
        for host, wanted in ((ports.FOREIGN, 1), (ports.OFFICE, 2), ("127.1.0.9", 3)):
            assert edge.ask(agent=edge.agent(host=host)) == f"1 ok {wanted}", host


@pytest.mark.skipif(not ports.has_ipv6(), reason=ports.NO_IPV6)
def test_the_longest_network_wins_over_ipv6(tmp_path):
    rows = [account(1, "ip", "0.0.0.0/0"), account(4, "ip", "::/0"), account(5, "ip", "::1")]
    with inbound(tmp_path, ACCOUNT, sql=rows, ipv6=True) as edge:
        assert ask_over_ipv6(edge) == "1 ok 5"


def test_user_before_address_before_trunk(tmp_path):
    port = ports.port()
    trunk = Trunk("in", uri=f"sip:{ports.TRUNKS}:{port}")
    rows = [account(1, "user", "alice"), account(2, "ip", "127.1.0.1"), account(3, "trunk", "in")]
    with inbound(tmp_path, ACCOUNT, [trunk], sql=rows) as edge:
        assert edge.ask(agent=edge.user("alice"), headers=[("X-Auth", "yes")]) == "1 ok 1"
        assert edge.ask(agent=edge.user("alice")) == "1 ok 2"
        with sip.Endpoint(edge.server, ports.TRUNKS, port) as far:
            caller = edge.agent(host=ports.FOREIGN)
            caller.end.close()
            caller.end = far
            assert edge.ask(agent=caller) == "1 ok 3"


def test_disabled_account_stands_in_the_way_of_others(tmp_path):
    rows = [account(1, "ip", "127.0.0.0/8"), account(2, "ip", ports.OFFICE, enabled=0)]
    with inbound(tmp_path, ACCOUNT, sql=rows) as edge:
        assert edge.ask() == "-2 account_disabled 2"
        assert edge.ask(agent=edge.agent(host=ports.FOREIGN)) == "1 ok 1"


def test_plan_limit_and_cli_policy_of_the_account(tmp_path):
    trunks = [Trunk("one", price=1), Trunk("two", price=9)]
    rows = [insert("callroute_plan", id=2, name="gold"),
            insert("callroute_plan_trunk", plan_id=2, trunk_id=2, deck_id=2),
            account(1, "ip", ports.OFFICE, plan_id=2, max_channels=1, cli_policy="hide")]
    with inbound(tmp_path, OUT, trunks, sql=rows) as edge:
        answer, tried = edge.call("+4930123456", hang_up=False)
        assert (answer.status, tried) == (200, ["two"])
        invite = edge.ends["two"].got("INVITE")[0]
        assert invite.get("privacy") == "id", invite.headers
        assert edge.ask("+4930123456") == "-3 account_channels"


# -- normalize ---------------------------------------------------------------


@pytest.mark.parametrize("country, dialled, wanted", [
    ("DE", "03012345678", "493012345678"), ("DE", "004420 79460000", "442079460000"),
    ("DE", "+4930/1", "not_a_number"), ("DE", "+4930-123-456", "4930123456"), ("DE", "%2331#", "#31#"),
    ("GB", "02079460000", "442079460000"), ("GB", "0012025550123", "12025550123"),
    ("US", "12025550123", "12025550123"), ("US", "2025550123", "12025550123"), ("US", "011493012345678", "493012345678"),  # noqa: E501
    ("FR", "0123456789", "33123456789"), ("FR", "00493012345678", "493012345678"),
    ("IT", "0612345678", "390612345678"), ("IT", "00493012345678", "493012345678"),
    ("", "493012345678", "493012345678"), ("", "+493012345678", "493012345678"),
    ("DE", "112", "112"), ("US", "911", "911"), ("DE", "12", "not_possible"), ("DE", "alice", "not_a_number"),
    ("", "03012345678", "not_possible"), ("DE", "+49301234567890123", "too_long"),
    ("DE", "1234;phone-context=+44", "other_context")])
def test_number_as_dialled(tmp_path, country, dialled, wanted):
    route = """
    callroute_account();
    callroute_normalize();
    $var(rc) = $rc;
    sl_send_reply("480", "rc $var(rc) $callroute(reason) $callroute(number)");
"""
    good = wanted.strip("#*").isdigit()
    with inbound(tmp_path, route, sql=[account(1, "ip", "127.0.0.0/8", country=country)]) as edge:
        text = dialled.replace("#", "%23").replace(" ", "%20")
        assert edge.ask(text) == (f"1 ok {wanted}" if good else f"-1 {wanted}")


def test_number_by_parameter(tmp_path):
    route = """
    callroute_account();
    callroute_normalize("0$rU");
    sl_send_reply("480", "$callroute(number)");
"""
    with inbound(tmp_path, route, sql=[account(1, "ip", "127.0.0.0/8", country="DE")]) as edge:
        assert edge.ask("30123456") == "4930123456"


@pytest.mark.parametrize("country, dialled, wanted", [
    ("DE", "03012345678", "493012345678"), ("DE", "+442079460000", "442079460000"), ("US", "2025550123", "12025550123"),
    ("IT", "0612345678", "390612345678"), ("", "+33123456789", "33123456789")])
def test_trunk_sees_the_right_number(tmp_path, country, dialled, wanted):
    rows = [*EVERY_PREFIX, account(1, "ip", "127.0.0.0/8", country=country)]
    with inbound(tmp_path, OUT, [Trunk("one", prefix="9", strip=1)], sql=rows) as edge:
        answer, _ = edge.call(dialled)
        assert answer.status == 200, answer
        assert edge.ends["one"].got("INVITE")[0].uri.startswith(f"sip:9{wanted[1:]}@")


def test_unknown_sender_gets_no_trunk(tmp_path):
    with inbound(tmp_path, OUT, [Trunk("one")], sql=[account(1, "ip", ports.OFFICE)]) as edge:
        answer = edge.asked("sip:+4930123456@127.0.0.1", edge.agent(host=ports.FOREIGN))
        assert (answer.status, answer.reason) == (403, "no_account")
        assert edge.ends["one"].got("INVITE") == []


# -- emergency -----------------------------------------------------------------


SOS_RULE = insert("callroute_rule", plan_id=1, prefix="112", action="emergency", target="sos")


def test_emergency_passes_everything(tmp_path):
    """Over the account's limit, barred, at a loss, its trunk down by the operator's will."""
    trunks = [Trunk("one", price=100), Trunk("sos", price=100, admin_state="down", max_channels=1)]
    rows = [SOS_RULE, insert("callroute_block", list="*", side="dst", prefix="112"),
            insert("callroute_deck", id=9, name="sell", side="sell"),
            insert("callroute_rate", deck_id=9, prefix="49", price=1000),
            insert("callroute_rate", deck_id=9, prefix="112", price=1),
            account(1, "ip", "127.0.0.0/8", country="DE", max_channels=1, max_cps=1)]
    plan = {"sell_deck_id": 9, "min_margin": 10}
    with inbound(tmp_path, OUT, trunks, plan=plan, sql=rows) as edge:
        answer, tried = edge.call("030123456", hang_up=False)
        assert (answer.status, tried) == (200, ["one"])
        assert edge.ask("030123456").startswith("-3 account_")
        for _ in range(3):
            answer, tried = edge.call("112", hang_up=False)
            assert (answer.status, tried) == (200, ["sos"])
        assert edge.ends["sos"].got("INVITE")[0].uri.startswith("sip:112@")


def test_emergency_of_a_disabled_account(tmp_path):
    rows = [SOS_RULE, account(1, "ip", "127.0.0.0/8", country="DE", enabled=0)]
    with inbound(tmp_path, OUT, [Trunk("one"), Trunk("sos")], sql=rows) as edge:
        assert edge.call("112")[1] == ["sos"]
        assert edge.ask("+4930123456") == "account_disabled"


@pytest.mark.parametrize("uri", ["urn:service:sos", "urn:service:sos.fire", "URN:service:SOS"])
def test_sos_service_goes_to_the_emergency_number(tmp_path, uri):
    rows = [SOS_RULE, account(1, "ip", "127.0.0.0/8", country="DE")]
    with inbound(tmp_path, OUT, [Trunk("one"), Trunk("sos")], sql=rows) as edge:
        agent, raw = edge.dial(uri)
        response = final(agent, raw)
        assert response is not None and response.status == 200, response
        assert edge.ends["sos"].got("INVITE")[0].uri.startswith("sip:112@")


def test_sos_service_takes_the_countrys_number_that_has_a_rule(tmp_path):
    rows = [insert("callroute_rule", plan_id=1, prefix="999", action="emergency", target="sos"),
            account(1, "ip", "127.0.0.0/8", country="GB")]
    with inbound(tmp_path, OUT, [Trunk("sos")], sql=rows) as edge:
        agent, raw = edge.dial("urn:service:sos")
        assert final(agent, raw).status == 200
        assert edge.ends["sos"].got("INVITE")[0].uri.startswith("sip:999@")


@pytest.mark.parametrize("uri, wanted", [("sip:112@127.0.0.1", "1"), ("sip:110@127.0.0.1", "1"),
                                         ("sip:113@127.0.0.1", "-1"), ("sip:1120@127.0.0.1", "-1"),
                                         ("sip:+49112@127.0.0.1", "-1"), ("sip:911@127.0.0.1", "-1"),
                                         ("sip:4711@127.0.0.1", "1"), ("urn:service:sos", "1"),
                                         ("urn:service:sosx", "-1"), ("urn:service:counseling", "-1")])
def test_what_is_an_emergency(tmp_path, uri, wanted):
    """The country's numbers (110 and 112 in Germany), and those of the plan's rules, for whatever caller."""
    route = """
    callroute_account();
    callroute_is_emergency();
    $var(rc) = $rc;
    sl_send_reply("480", "rc $var(rc)");
"""
    rows = [insert("callroute_rule", plan_id=1, prefix="4711", src_prefix="4930", action="emergency", target="sos"),
            account(1, "ip", "127.0.0.0/8", country="DE")]
    with inbound(tmp_path, route, [Trunk("sos")], sql=rows) as edge:
        assert said(edge.asked(uri).reason) == wanted


@pytest.mark.parametrize("uri", ["sip:112@127.0.0.1", "urn:service:sos"])
def test_emergency_number_without_a_rule_is_no_number_of_a_price_list(tmp_path, uri):
    """112 has the prefix 1, which somebody prices: that way would lead to America, or nowhere."""
    rows = [account(1, "ip", "127.0.0.0/8", country="DE")]
    with inbound(tmp_path, OUT, [Trunk("one")], sql=rows) as edge:
        assert said(edge.asked(uri).reason) == "-1 no_emergency_rule"
        line = edge.kamailio.wait_line("no-emergency-rule")
        assert "number=112 country=DE account=1" in line, line
        assert edge.ends["one"].got("INVITE") == []


# -- is_trunk -------------------------------------------------------------------


def test_where_a_request_comes_from(tmp_path):
    """Two trunks on one address: the port tells them apart, and else the first is it."""
    one, two, other = ports.port(), ports.port(), ports.port()
    trunks = [Trunk("one", uri=f"sip:{ports.TRUNKS}:{one}"), Trunk("two", uri=f"sip:{ports.TRUNKS}:{two}")]
    route = """
    callroute_is_trunk();
    $var(rc) = $rc;
    sl_send_reply("480", "rc $var(rc) $callroute(source)");
"""
    with inbound(tmp_path, route, trunks) as edge:
        for port, wanted in ((one, "1 one"), (two, "1 two"), (other, "1 one")):
            caller = edge.agent(host=ports.FOREIGN)
            caller.end.close()
            caller.end = sip.Endpoint(edge.server, ports.TRUNKS, port)
            assert edge.ask(agent=caller) == wanted
        assert edge.ask(agent=edge.agent(host=ports.FOREIGN)) == "-1"


@pytest.mark.parametrize("addr, wanted", [
    ("192.0.2.1", "1 four"), ("192.0.2.1:5070", "1 four"), ("192.0.2.1:5060", "1 four"), ("192.0.2.2", "-1"),
    ("2001:db8::1", "1 six"), ("[2001:db8::1]", "1 six"), ("[2001:db8::1]:5080", "1 six-too"), ("[2001:db8::1", "-1"),
    ("192.0.2.1:x", "-1"), ("192.0.2.1:70000", "-1"), ("", "-1"), ("trunk.test", "-1"), ("192.0.2.1:", "-1"),
    ("[2001:db8::1]5080", "-1")])
def test_whose_an_address_is(tmp_path, addr, wanted):
    trunks = [Trunk("four", uri="sip:192.0.2.1"), Trunk("six", uri="sip:[2001:db8::1]"),
              Trunk("six-too", uri="sip:[2001:db8::1]:5080")]
    route = """
    callroute_is_trunk("$hdr(X-Addr)");
    $var(rc) = $rc;
    sl_send_reply("480", "rc $var(rc) $callroute(source)");
"""
    with inbound(tmp_path, route, trunks) as edge:
        assert edge.ask(headers=[("X-Addr", addr)]) == wanted

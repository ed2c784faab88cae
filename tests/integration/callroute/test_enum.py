# SPDX-License-Identifier: GPL-2.0-or-later
"""cfg/minimal/callroute-enum.cfg as it is shipped: who has published where his number rings is called there."""

import pytest

from support import dns, ports, sip
from support.agent import Answer
from support.inbound import account, insert
from support.minimal import NUMBER, Minimal, final
from support.process import eventually
from support.routing import Trunk

TREE = "e164.test."


class Enum(Minimal):
    """The example with one trunk and a DNS; the caller dials as in Germany."""

    def __init__(self, folder, resolver):
        self.dns = resolver
        rows = [insert("callroute_rule", plan_id=1, prefix="112", action="emergency", target="one"),
                account(1, "ip", ports.OFFICE, country="DE")]
        super().__init__(str(folder), "callroute-enum", [Trunk("one")], rows, env={"ENUM_TREE": TREE},
                         wrap=dns.private_resolver(folder, resolver.host))

    def publish(self, *rows, number=NUMBER):
        """Put (order, preference, URI) rows of a number into the DNS."""
        self.dns.records[dns.enum_name(number, TREE)] = [dns.naptr(*row) for row in rows]


@pytest.fixture
def enum(tmp_path):
    """A running example with an empty DNS; skipped where the machine allows no DNS of one's own."""
    lacking = dns.missing(tmp_path)
    if lacking:
        pytest.skip(f"needs root for a DNS server of its own: {lacking}")
    with dns.server() as resolver, Enum(tmp_path, resolver) as one:
        yield one


def answer(phone, invite):
    """The telephone takes the call."""
    phone.reply(invite, 200, "OK", [("Contact", f"<sip:phone@{phone.where}>"), ("Content-Type", "application/sdp")],
                sip.sdp(phone.host, 5000), tag=sip.token())


def rings(phone):
    """The INVITE at a telephone; fails in vain."""
    invite = phone.request("INVITE")
    assert invite is not None, f"{phone.where} was not called"
    return invite


def test_a_published_number_rings_where_it_is_published(enum):
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"))
    caller, raw = enum.dial()
    invite = rings(phone)
    assert invite.uri == f"sip:alice@{phone.where}"
    answer(phone, invite)
    dialog = final(caller, raw)
    bye = dialog.request("BYE")
    caller.end.send(bye)
    phone.reply(phone.request("BYE"), 200, "OK")
    assert caller.end.final(dialog.callid, sip.Message(bye).cseq).status == 200
    assert (dns.enum_name(NUMBER, TREE), dns.NAPTR) in enum.dns.asked
    assert enum.called() == []


@pytest.mark.parametrize("records", [{}, {dns.enum_name(NUMBER, TREE): dns.SERVFAIL},
                                     {dns.enum_name(NUMBER, TREE): [dns.naptr(1, 1, "mailto:a@b.test", "E2U+email")]}])
def test_a_number_that_nobody_published_goes_by_trunk(enum, records):
    """Also where DNS fails, or knows but an address for mail."""
    enum.dns.records.update(records)
    dialog = final(*enum.dial())
    assert dialog.bye().status == 200
    assert enum.called() == ["4930123456"]
    assert any(kind == dns.NAPTR for _, kind in enum.dns.asked)


@pytest.mark.parametrize("status", [404, 480, 503])
def test_nobody_there_so_by_trunk_after_all(enum, status):
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"))
    caller, raw = enum.dial()
    phone.reply(rings(phone), status, "Nobody", tag=sip.token())
    dialog = final(caller, raw)
    assert dialog.bye().status == 200
    assert enum.called() == ["4930123456"]


def test_a_busy_telephone_stays_busy(enum):
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"))
    caller, raw = enum.dial()
    phone.reply(rings(phone), 486, "Busy Here", tag=sip.token())
    assert final(caller, raw).status == 486
    assert enum.called() == []


def test_several_places_by_their_order_and_preference(enum):
    """As published, whatever order they come in; the next one when nobody is there."""
    first, second, third = (enum.phone() for _ in range(3))
    enum.publish((20, 10, f"sip:c@{third.where}"), (10, 20, f"sip:b@{second.where}"), (10, 10, f"sip:a@{first.where}"))
    caller, raw = enum.dial()
    first.reply(rings(first), 480, "Nobody", tag=sip.token())
    second.reply(rings(second), 480, "Nobody", tag=sip.token())
    answer(third, rings(third))
    assert final(caller, raw).callid == sip.Message(raw).callid
    assert enum.called() == []


def test_our_own_address_does_not_call_us(enum):
    """Whoever points his number at us gets it by trunk."""
    enum.publish((10, 10, f"sip:{NUMBER}@{ports.HOME}:{enum.port}"))
    dialog = final(*enum.dial())
    assert dialog.bye().status == 200
    assert enum.called() == ["4930123456"]
    assert len([one for one in enum.dns.asked if one[1] == dns.NAPTR]) == 1


@pytest.mark.parametrize("own", [(20, 10), (10, 10)])
def test_our_own_address_behind_another_does_not_call_us(enum, own):
    """After a telephone that does not answer, and beside one."""
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"), (*own, f"sip:{NUMBER}@{ports.HOME}:{enum.port}"))
    caller, raw = enum.dial()
    phone.reply(rings(phone), 480, "Nobody", tag=sip.token())
    dialog = final(caller, raw)
    assert dialog.bye().status == 200
    assert enum.called() == ["4930123456"]
    assert len([one for one in enum.dns.asked if one[1] == dns.NAPTR]) == 1


@pytest.mark.parametrize("number, wanted", [("112", "112"), ("*21%23", None)])
def test_what_is_no_number_of_a_tree_is_not_asked_for(enum, number, wanted):
    outcome = final(*enum.dial(number))
    assert eventually(lambda: enum.called() == ([wanted] if wanted else [])), enum.called()
    assert isinstance(outcome, Answer) is (wanted is None)
    assert [one for one in enum.dns.asked if one[1] == dns.NAPTR] == []

# SPDX-License-Identifier: GPL-2.0-or-later
"""cfg/minimal/callroute-enum.cfg as it is shipped: who has published where his number rings is called there."""

import os

import pytest

from support import dns, kamailio, ports, sip, stack as stack_
from support.agent import Agent, Answer
from support.inbound import account
from support.process import eventually
from support.routing import FarEnd, Trunk

TREE = "e164.test."
NUMBER = "+4930123456"
DIALLED = "030123456"


class Enum:
    """The server, one trunk, a DNS, and a caller that dials as in Germany."""

    def __init__(self, folder, resolver):
        self.dns, self.port = resolver, ports.port()
        self.trunk = Trunk("one")
        rows = [*self.trunk.sql(1), "INSERT INTO callroute_plan (id, name) VALUES (1, 'default')",
                "INSERT INTO callroute_rule (plan_id, prefix, action, target) VALUES (1, '112', 'emergency', 'one')",
                account(1, "ip", ports.OFFICE, country="DE")]
        database = stack_.create_database(str(folder / "enum.sqlite"), demo=False, sql=rows)
        cfg = folder / "enum.cfg"
        with open(os.path.join(kamailio.ROOT, "cfg", "minimal", "callroute-enum.cfg"), encoding="utf-8") as source:
            cfg.write_text(source.read() + '\nloadmodule "jsonrpcs.so"\n', encoding="utf-8")
        env = {**stack_.environment(str(folder), database, self.port, switches=()), "ENUM_TREE": TREE}
        self.server = kamailio.Kamailio(str(cfg), str(folder), self.port, env=env, answers_options=False)
        self.server.argv = [*dns.private_resolver(folder, resolver.host), *self.server.argv]
        self.end, self._open = None, []

    def __enter__(self):
        self.end = FarEnd(self.trunk.port)
        try:
            self.server.start()
        except BaseException:
            self.end.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        died, status = not self.server.alive, self.server.stop()
        for one in self._open:
            one.close()
        self.end.stop()
        if kind is None and (died or status or self.server.crashed()):
            raise self.server.error(f"ended with status {status} {self.server.crashed()}")

    def phone(self):
        """Where a number may ring, anywhere but here."""
        self._open.append(sip.Endpoint(None, ports.FOREIGN))
        return self._open[-1]

    def publish(self, *rows, number=NUMBER):
        """Put (order, preference, URI) rows of a number into the DNS."""
        self.dns.records[dns.enum_name(number, TREE)] = [dns.naptr(*row) for row in rows]

    def dial(self, number=DIALLED):
        """Send the INVITE: (caller, its bytes)."""
        caller = Agent(self.server.address, "4989111", "caller.test", "", ports.OFFICE)
        self._open.append(caller)
        raw = caller.message("INVITE", f"sip:{number}@{ports.HOME}", [("Content-Type", "application/sdp")],
                             sip.sdp(ports.OFFICE, 4000))
        caller.end.send(raw)
        return caller, raw

    def by_trunk(self):
        """The numbers that the trunk was asked for."""
        return [one.uri.partition(":")[2].partition("@")[0] for one in self.end.got("INVITE")]


@pytest.fixture
def enum(tmp_path):
    """A running example with an empty DNS; skipped where the machine allows no DNS of one's own."""
    lacking = dns.missing(tmp_path)
    if lacking:
        pytest.skip(f"needs root for a DNS server of its own: {lacking}")
    with dns.server() as resolver, Enum(tmp_path, resolver) as one:
        yield one


def final(caller, raw):
    """The final response, acknowledged as it wants."""
    sent = sip.Message(raw)
    response = caller.end.final(sent.callid, sent.cseq, 15)
    assert response is not None, "no final response"
    if response.status >= 300:
        return response.status
    dialog = caller.dialog(Answer(response, raw))
    dialog.ack()
    return dialog


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
    assert enum.by_trunk() == []


@pytest.mark.parametrize("records", [{}, {dns.enum_name(NUMBER, TREE): dns.SERVFAIL},
                                     {dns.enum_name(NUMBER, TREE): [dns.naptr(1, 1, "mailto:a@b.test", "E2U+email")]}])
def test_a_number_that_nobody_published_goes_by_trunk(enum, records):
    """Also where DNS fails, or knows but an address for mail."""
    enum.dns.records.update(records)
    dialog = final(*enum.dial())
    assert dialog.bye().status == 200
    assert enum.by_trunk() == ["4930123456"]
    assert enum.dns.asked


@pytest.mark.parametrize("status", [404, 480, 503])
def test_nobody_there_so_by_trunk_after_all(enum, status):
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"))
    caller, raw = enum.dial()
    phone.reply(rings(phone), status, "Nobody", tag=sip.token())
    dialog = final(caller, raw)
    assert dialog.bye().status == 200
    assert enum.by_trunk() == ["4930123456"]


def test_a_busy_telephone_stays_busy(enum):
    phone = enum.phone()
    enum.publish((10, 10, f"sip:alice@{phone.where}"))
    caller, raw = enum.dial()
    phone.reply(rings(phone), 486, "Busy Here", tag=sip.token())
    assert final(caller, raw) == 486
    assert enum.by_trunk() == []


def test_several_places_by_their_order_and_preference(enum):
    """As published, whatever order they come in; the next one when nobody is there."""
    first, second, third = (enum.phone() for _ in range(3))
    enum.publish((20, 10, f"sip:c@{third.where}"), (10, 20, f"sip:b@{second.where}"), (10, 10, f"sip:a@{first.where}"))
    caller, raw = enum.dial()
    first.reply(rings(first), 480, "Nobody", tag=sip.token())
    second.reply(rings(second), 480, "Nobody", tag=sip.token())
    answer(third, rings(third))
    assert final(caller, raw).callid == sip.Message(raw).callid
    assert enum.by_trunk() == []


def test_our_own_address_does_not_call_us(enum):
    """Whoever points his number at us gets it by trunk."""
    enum.publish((10, 10, f"sip:{NUMBER}@{ports.HOME}:{enum.port}"))
    dialog = final(*enum.dial())
    assert dialog.bye().status == 200
    assert enum.by_trunk() == ["4930123456"]
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
    assert enum.by_trunk() == ["4930123456"]
    assert len([one for one in enum.dns.asked if one[1] == dns.NAPTR]) == 1


@pytest.mark.parametrize("number, wanted", [("112", "112"), ("*21%23", None)])
def test_what_is_no_number_of_a_tree_is_not_asked_for(enum, number, wanted):
    outcome = final(*enum.dial(number))
    assert eventually(lambda: enum.by_trunk() == ([wanted] if wanted else [])), enum.by_trunk()
    assert (outcome == 503) is (wanted is None)
    assert enum.dns.asked == []

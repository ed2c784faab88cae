# SPDX-License-Identifier: GPL-2.0-or-later
"""cfg/minimal/callroute.cfg as it is shipped: what becomes of calls, and of what is no call."""

import pytest

from support import ports, sip
from support.inbound import account, insert
from support.minimal import Minimal, final
from support.process import eventually
from support.routing import Trunk

ROWS = [account(1, "ip", ports.OFFICE, country="DE", max_channels=1),
        account(2, "ip", "127.1.0.8", country="DE", enabled=0),
        insert("callroute_rule", plan_id=1, prefix="112", action="emergency", target="two"),
        insert("callroute_rule", plan_id=1, prefix="4940", action="redirect", target="sip:else@127.0.0.1:9")]


@pytest.fixture
def server(tmp_path):
    """Two trunks, the first one cheaper."""
    with Minimal(str(tmp_path), "callroute", [Trunk("one", 1000), Trunk("two", 2000)], ROWS) as one:
        yield one


def channels(server):
    """What all owners hold."""
    return server.server.rpc("callroute.stats")["channels"]


def test_a_call_and_its_end(server):
    """The number as E.164; the channel is held until the BYE, and a second call has none."""
    dialog = final(*server.dial())
    assert server.called("one") == ["4930123456"] and channels(server) > 0
    refused = final(*server.dial("030999"))
    assert (refused.status, refused.reason) == (503, "account_channels")
    assert dialog.bye().status == 200
    assert eventually(lambda: channels(server) == 0), channels(server)


@pytest.mark.parametrize("first", [(503,), ()])
def test_the_next_trunk_when_the_first_fails(server, first):
    """By a reply, or by none."""
    server.ends["one"].invite = first
    dialog = final(*server.dial())
    assert server.called("one") == server.called("two") == ["4930123456"]
    assert dialog.bye().status == 200


def test_busy_is_busy(server):
    server.ends["one"].invite = (486,)
    assert final(*server.dial()).status == 486
    assert server.called("two") == []
    assert eventually(lambda: channels(server) == 0), channels(server)


@pytest.mark.parametrize("number, host, status, reason", [
    ("030123456", ports.FOREIGN, 403, "no_account"), ("030123456", "127.1.0.8", 403, "account_disabled"),
    ("alice", ports.OFFICE, 484, "not_a_number"), ("0033123456789", ports.OFFICE, 503, "no_prefix")])
def test_refusals(server, number, host, status, reason):
    answer = final(*server.dial(number, host))
    assert (answer.status, answer.reason) == (status, reason)
    assert server.called("one") == server.called("two") == []


@pytest.mark.parametrize("uri", ["sip:112@127.0.0.1", "urn:service:sos"])
@pytest.mark.parametrize("host", [ports.OFFICE, "127.1.0.8"])
def test_emergency(server, host, uri):
    """Also of a disabled account; past the account's limit."""
    for _ in range(2):
        final(*server.dial(host=host, uri=uri))
    assert server.called("two") == ["112", "112"] and server.called("one") == []


def test_a_redirect_rule(server):
    answer = final(*server.dial("040123"))
    assert (answer.status, answer.response.contact_uris()) == (302, ["sip:else@127.0.0.1:9"])
    assert server.called("one") == []


def test_cancel(server):
    server.ends["one"].invite = (180,)
    caller, raw = server.dial()
    sent = sip.Message(raw)
    assert caller.end.expect(lambda m: m.is_response and m.status == 180 and m.callid == sent.callid) is not None
    head = [(name, sent.get(name)) for name in ("Via", "From", "To", "Call-ID")]
    caller.end.send(sip.build(f"CANCEL {sent.uri} SIP/2.0", [*head, ("CSeq", f"{sent.cseq[0]} CANCEL")]))
    assert final(caller, raw).status == 487
    assert server.called("two") == []
    assert eventually(lambda: channels(server) == 0), channels(server)


@pytest.mark.parametrize("method, tag, status", [("MESSAGE", "", 405), ("BYE", ";tag=x", 481), ("OPTIONS", "", 405)])
def test_what_is_no_call(server, method, tag, status):
    caller = server.caller()
    raw = caller.message(method, f"sip:100@{ports.HOME}", replace={"To": f"<sip:100@{ports.HOME}>{tag}"})
    assert caller.exchange(raw).status == status

# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests in dialogs: those of real calls pass, forged ones reach nobody."""

import pytest

from support import ports, sip
from support.call import Call


def forged(end, method, uri, route=None, callid=None, from_tag="1", to_tag="2"):
    """A request that claims to be in a dialog."""
    headers = [("Via", end.via()), ("Max-Forwards", "70"), ("From", f"<sip:x@127.0.0.1>;tag={from_tag}"),
               ("To", f"<sip:y@127.0.0.1>;tag={to_tag}"), ("Call-ID", callid or sip.token("forged")),
               ("CSeq", f"7 {method}"), ("Contact", f"<sip:x@{end.where}>")]
    if route:
        headers.insert(1, ("Route", route))
    return sip.build(f"{method} {uri} SIP/2.0", headers)


@pytest.mark.parametrize("method", ["INVITE", "BYE", "MESSAGE", "REFER", "INFO", "UPDATE", "NOTIFY", "OPTIONS"])
def test_forged_tag_and_route_relay_nowhere(stack, method):
    """The stock script relays this anywhere, without credentials."""
    target = stack.keep(sip.Endpoint(None, "127.9.9.9"))
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        raw = forged(end, method, f"sip:victim@{target.where}", f"<sip:{stack.host}:{stack.port};lr>")
        end.send(raw)
        message = sip.Message(raw)
        response = end.final(message.callid, message.cseq, 2)
    assert response is not None and response.status == 481, response
    assert target.expect(lambda m: True, 0.3) is None


def test_forged_ack_relays_nowhere(stack):
    target = stack.keep(sip.Endpoint(None, "127.9.9.9"))
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        end.send(forged(end, "ACK", f"sip:victim@{target.where}", f"<sip:{stack.host}:{stack.port};lr>"))
        assert sip.ping(stack.server, 2) is not None
    assert target.expect(lambda m: True, 0.3) is None


def test_bye_of_a_stranger_does_not_end_a_call(stack):
    """The Call-ID and the tags of a live call, sniffed, sent from another network to another host."""
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    call = Call(alice, bob).ring().answer()
    elsewhere = stack.keep(sip.Endpoint(None, "127.9.9.9"))
    ours = next(one for one in call.dialog.routes if f"{stack.host}:{stack.port}" in one)
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        raw = forged(end, "BYE", f"sip:victim@{elsewhere.where}", ours, call.callid,
                     call.dialog.invite.tag("from"), call.response.tag("to"))
        end.send(raw)
        message = sip.Message(raw)
        response = end.final(message.callid, message.cseq, 2)
    assert response is not None and response.status >= 400, response
    assert elsewhere.expect(lambda m: True, 0.3) is None
    assert bob.end.request("BYE", 0.3) is None
    assert call.hang_up() == 200


def test_cancel_of_nothing(stack):
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        raw = sip.with_header(forged(end, "CANCEL", "sip:bob@127.0.0.1"), "To", "<sip:bob@127.0.0.1>")
        end.send(raw)
        message = sip.Message(raw)
        response = end.final(message.callid, message.cseq, 2)
    assert response is not None and response.status == 481, response


def test_reinvite_both_ways_passes(stack):
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    call = Call(alice, bob).ring().answer()
    raw = call.dialog.request("INVITE", headers=[("Content-Type", "application/sdp")],
                              body=sip.sdp(alice.end.host, 4000))
    alice.end.send(raw)
    again = bob.end.request("INVITE")
    assert again is not None and again.cseq[0] == call.dialog.cseq
    bob.end.reply(again, 200, "OK", [("Contact", f"<{bob.contact}>"), ("Content-Type", "application/sdp")],
                  sip.sdp(bob.end.host, 5000))
    assert alice.end.final(call.callid, sip.Message(raw).cseq).status == 200
    alice.end.send(call.dialog.request("ACK", call.dialog.cseq))
    assert bob.end.request("ACK") is not None
    assert call.hang_up() == 200

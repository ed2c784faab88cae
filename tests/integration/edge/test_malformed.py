# SPDX-License-Identifier: GPL-2.0-or-later
"""Broken messages get a SIP error or silence; the server lives and serves the next client.

The `stack` fixture fails a test at its end when a worker crashed meanwhile.
"""

import pytest

from support import ports, server, sip
from support.call import Call

pytestmark = pytest.mark.plain_telephones

HUGE = "x" * 20000


def register(end, **replace):
    """A REGISTER whose headers can be replaced; None removes one."""
    raw = sip.build("REGISTER sip:127.0.0.1 SIP/2.0", [
        ("Via", end.via()), ("Max-Forwards", "70"), ("From", "<sip:alice@127.0.0.1>;tag=1"),
        ("To", "<sip:alice@127.0.0.1>"), ("Call-ID", sip.token("bad")), ("CSeq", "1 REGISTER"),
        ("Contact", f"<sip:alice@{end.where}>"), ("Expires", "60")])
    for name, value in replace.items():
        raw = sip.with_header(raw, name.replace("_", "-"), value)
    return raw


ANSWERED = {
    "cseq of another method": ({"CSeq": "1 INVITE"}, 400),
    "cseq beyond 32 bits": ({"CSeq": "99999999999999999999 REGISTER"}, 400),
    "unknown extension required": ({"Proxy-Require": "teleport"}, 420),
    "no hops left": ({"Max-Forwards": "0"}, 483),
    **({"from without a uri": ({"From": "<>;tag=1"}, 400)} if server.version() < (6, 1) else {}),
    "to that does not parse": ({"To": "<sip:[::1>"}, 400),
    "too large": ({"Subject": HUGE}, 513),
    "content longer than the packet": ({"Content-Length": "500"}, 400),
    "negative expires": ({"Expires": "-5"}, 400),
    "broken credentials": ({"Authorization": 'Digest username="alice'}, None),
    "hash that nobody knows": ({"Authorization": 'Digest username="alice", realm="127.0.0.1", nonce="x", '
                                'uri="sip:127.0.0.1", response="y", algorithm=ROT13'}, None),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_bad_register_gets_an_error(stack, case):
    replace, status = ANSWERED[case]
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        raw = register(end, **replace)
        end.send(raw)
        response = end.any_answer(sip.Message(raw).callid, 2)
    assert response is not None, "no answer"
    assert response.status == status if status else 400 <= response.status < 500, response
    assert stack.contacts("alice") == []
    assert sip.ping(stack.server, 2) is not None


# What Kamailio's own parser gives up on gets no answer at all, as no answer can be made of it.
UNREADABLE = {
    **({"from without a uri": {"From": "<>;tag=1"}} if server.version() >= (6, 1) else {}),
    "cseq without a number": {"CSeq": "REGISTER"},
    "empty credentials": {"Authorization": "Digest"},
    "no call-id": {"Call-ID": None},
    "no via": {"Via": None},
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_register_gets_an_error_or_nothing(stack, case):
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        end.send(register(end, **UNREADABLE[case]))
        response = end.expect(lambda m: True, 0.5)
    assert response is None or 400 <= response.status < 500, response
    assert stack.contacts("alice") == []
    assert sip.ping(stack.server, 2) is not None


@pytest.mark.parametrize("name", ["To", "From", "Call-ID", "CSeq"])
def test_duplicate_header_is_never_accepted(stack, name):
    """Two elements on the way could each believe another one of them. The password is right here."""
    alice = stack.agent("alice")
    raw = alice.message("REGISTER", f"sip:{stack.domain}", [("Expires", "60")], to=alice.aor)
    first = sip.Message(raw)
    alice.end.send(raw)
    raw = alice.authorised(raw, alice.end.final(first.callid, first.cseq))
    line = next(one for one in raw.split(b"\r\n") if one.startswith(name.encode() + b":"))
    alice.end.send(raw.replace(line + b"\r\n", line + b"\r\n" + line + b"\r\n"))
    response = alice.end.expect(lambda m: True, 0.5)
    assert response is None or response.status == 400, response
    assert stack.contacts("alice") == []
    alice.end.send(raw)
    wanted = sip.Message(raw)
    assert alice.end.final(wanted.callid, wanted.cseq).status == 200, "the same bytes without the second header"


NOISE = {
    "nothing but line ends": b"\r\n\r\n",
    "noise": bytes(range(256)) * 4,
    "half a request": b"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.2.0.1",
    "no headers": b"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n\r\n",
    "a stray response": b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
                        b"To: <sip:a@b>;tag=2\r\nCall-ID: stray\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    "nested brackets": b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.2.0.1;branch=z9hG4bKx\r\nTo: "
                       + b"<" * 3000 + b"\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: n\r\nCSeq: 1 OPTIONS\r\n\r\n",
}


@pytest.mark.parametrize("case", NOISE)
def test_noise_does_no_harm(stack, case):
    with sip.Endpoint(stack.server, ports.FOREIGN) as end:
        end.send(NOISE[case])
    assert sip.ping(stack.server, 2) is not None, case
    assert stack.agent("alice").register().status == 200, case


CONTACTS = {
    "no scheme": "<alice>",
    "open bracket": "<sip:alice@127.2.0.1",
    "wildcard with a lifetime": "*",
    "a uri of 3000 characters": f"<sip:{'a' * 3000}@127.2.0.1>",
    "fifty contacts": ", ".join(f"<sip:alice@127.2.0.1:{6000 + n}>" for n in range(50)),
}


@pytest.mark.parametrize("case", CONTACTS)
def test_bad_contact_of_an_authenticated_user_binds_nothing(stack, case):
    alice = stack.agent("alice")
    answer = alice.register(contact=CONTACTS[case])
    assert 400 <= answer.status < 600, answer
    assert stack.contacts("alice") == []
    assert alice.register().status == 200


@pytest.mark.parametrize("body", [b"", b"v=0\r\n", b"m=audio", b"\x00" * 500, b"m=audio 99999999 RTP/AVP 8\r\n" * 100],
                         ids=["empty", "short", "no line end", "zeros", "many"])
def test_bad_offer(stack, body):
    """The call may fail or ring, the server must not."""
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    raw = alice.message("INVITE", f"sip:bob@{stack.domain}", [("Content-Type", "application/sdp")], body)
    alice.exchange(raw, seconds=2)
    invite = bob.end.request("INVITE", 0.3)
    if invite is not None:
        bob.end.reply(invite, 488, "Not Acceptable Here", tag="b")
    call = Call(alice, bob)
    call.dial()
    call.invite = bob.end.expect(lambda m: m.method == "INVITE" and m.callid == call.callid)
    assert call.invite is not None, "a good call does not get through after the bad one"
    assert call.refuse(486, "Busy Here").status == 486

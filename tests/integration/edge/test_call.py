# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls between two users, and the proof that their media goes through rtpengine."""

from support import process, sip, tone
from support.agent import Callee
from support.call import Call
from support.traits import PLAIN

LOUD = 0.9      # share of a tone that was heard
NONE = 0.01     # share of a tone that was not


def test_a_tone_each_way(stack):
    """Each telephone plays its own tone; each must have recorded the other's, and not its own."""
    alice = stack.phone("alice", 440)
    bob = stack.phone("bob", 880, host="127.1.0.2")
    alice.registered()
    bob.registered()
    mark = alice.dial(f"sip:bob@{stack.domain}")
    callid = alice.established(mark)
    bob.established()
    assert callid in stack.rtpengine.calls()
    enough = process.eventually(lambda: min(stack.rtpengine.relayed(callid).values()) >= 150, 15)
    relayed = stack.rtpengine.relayed(callid)
    assert enough and len(relayed) == 2, relayed
    alice.hang_up()
    alice.closed(mark)
    bob.closed()
    heard_by_alice = tone.shares(alice.recordings()[-1], 440, 880)
    heard_by_bob = tone.shares(bob.recordings()[-1], 440, 880)
    assert heard_by_alice[0] < NONE and heard_by_alice[1] > LOUD, heard_by_alice
    assert heard_by_bob[0] > LOUD and heard_by_bob[1] < NONE, heard_by_bob
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


def test_both_sdps_point_to_rtpengine(stack):
    """Otherwise the phones would talk past it, and the tones would prove nothing."""
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    call = Call(alice, bob).ring().answer()
    for telephone in (alice, bob):
        host, port = call.told_of[telephone]
        assert host == stack.rtpengine.host and stack.rtpengine.owns(port), (telephone.user, host, port)


def test_without_rtpengine_no_call_goes_past_it(stack):
    """rtpengine gone: the call is refused, and no SDP reaches the callee unchanged."""
    alice, bob = stack.agent("alice", traits=PLAIN), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    stack.rtpengine.stop()
    answer = alice.call("bob", seconds=10)
    assert answer.status >= 500, answer
    assert bob.end.request("INVITE", 0.5) is None


def test_rtpengine_gone_while_it_rings(stack):
    """The answer cannot be refused any more: it comes without an SDP, not with the callee's own address."""
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2", traits=PLAIN)
    assert bob.register().status == 200
    call = Call(alice, bob).ring()
    stack.rtpengine.stop()
    for status in (180, 183, 200):
        bob.end.reply(call.invite, status, "Here", [("Contact", bob.contact_value()),
                                                    ("Content-Type", "application/sdp")], bob.sdp(), tag=call.tag)
        got = alice.end.expect(lambda m, status=status: m.is_response and m.status == status)
        assert got is not None and not got.body, got.raw


def test_bye_ends_the_media_session(stack):
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    call = Call(alice, bob).ring().answer()
    assert stack.rtpengine.calls() == [call.callid]
    assert call.hang_up() == 200
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


def test_refused_reinvite_keeps_the_media_session(stack):
    """The stock script deletes the session of a call that goes on."""
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    call = Call(alice, bob).ring().answer()
    raw = call.dialog.request("INVITE", headers=[("Content-Type", "application/sdp")],
                              body=sip.sdp(alice.end.host, 4000))
    alice.end.send(raw)
    callee = Callee(bob.end)
    callee.refuse(callee.take_invite(), 488, "Not Acceptable Here")
    assert alice.end.final(call.callid, sip.Message(raw).cseq).status == 488
    assert stack.rtpengine.calls() == [call.callid]
    assert call.hang_up() == 200


def test_call_to_somebody_not_registered(stack):
    answer = stack.agent("alice").call("bob")
    assert answer.status == 480, answer
    assert stack.rtpengine.calls() == []


def test_caller_needs_credentials(stack):
    answer = stack.agent("alice", password="wrong").call("bob")
    assert answer.status in (403, 407), answer


def test_refused_call_leaves_no_media_session(stack):
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    assert Call(alice, bob).ring().refuse(486, "Busy Here").status == 486
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()

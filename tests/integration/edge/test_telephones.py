# SPDX-License-Identifier: GPL-2.0-or-later
"""Telephones as the world has them, one peculiarity at a time; each test stands for calls that once failed.

The pairs of all peculiarities are in edge/test_pairs.py; real telephones are in edge/test_clients.py.
"""

import socket
import struct

import pytest

from support import ports, process, sip
from support.call import Call
from support.traits import PLAIN

needs_private = pytest.mark.skipif(not ports.private_stays_here(),
                                   reason="192.168.0.0/16 is not this machine's own: run by tests/alone.sh")
PRIVATE = PLAIN.but(nat="private")
TCP = PLAIN.but(transport="tcp")


def telephones(stack, caller=PLAIN, callee=PLAIN):
    """(alice, bob), both registered."""
    alice = stack.agent("alice", host=ports.address(), traits=caller)
    bob = stack.agent("bob", host=ports.address(), traits=callee)
    for one in (alice, bob):
        assert one.register().status == 200
    return alice, bob


# -- behind a NAT --------------------------------------------------------------------

@needs_private
@pytest.mark.parametrize("ring", ["180", "straight", "183"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_callee_behind_a_nat_gets_ack_and_bye(stack, ring, transport):
    """Its address was learned from a 183 only: without one, neither ACK nor BYE came to it."""
    alice, bob = telephones(stack, callee=PRIVATE.but(ring=ring, transport=transport))
    call = Call(alice, bob).ring().answer().talk()
    assert call.hang_up() == 200
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


@needs_private
def test_caller_behind_a_nat_gets_the_bye(stack):
    alice, bob = telephones(stack, caller=PRIVATE)
    call = Call(alice, bob).ring().answer().talk()
    assert call.hang_up("callee") == 200


@needs_private
def test_contact_in_the_answer_to_a_reinvite_is_as_good_as_the_first(stack):
    """The answer's Contact takes the place of the first one (RFC 3261, 12.2.1.2)."""
    alice, bob = telephones(stack, PRIVATE, PRIVATE)
    call = Call(alice, bob).ring().answer()
    for side in ("caller", "callee", "caller"):
        call.reinvite(side)
    assert call.hang_up() == 200


@needs_private
@pytest.mark.parametrize("host", [ports.PRIVATE, "phone.invalid"])
def test_answer_has_another_contact_than_the_registration(stack, host):
    """Many telephones register what the server has seen of them, and answer with what they see themselves."""
    alice, bob = telephones(stack)
    bob.contact_value = lambda register=False: f"<sip:bob@{host}:5062>"
    call = Call(alice, bob).ring().answer()
    call.reinvite("caller").reinvite("callee")
    assert call.hang_up() == 200


@needs_private
@pytest.mark.parametrize("side", ["caller", "callee"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_telephone_that_changes_its_network_in_a_call(stack, transport, side):
    """From another address, perhaps over another connection, it offers again (RFC 3261, 12.2.1.1): it is there now."""
    alice, bob = telephones(stack, PRIVATE, PRIVATE)
    call = Call(alice, bob).ring().answer().talk()
    moved = stack.agent({"caller": "alice", "callee": "bob"}[side], host=ports.address(),
                        traits=PRIVATE.but(transport=transport))
    call.moves(side, moved)
    call.reinvite(side).talk()
    other = "callee" if side == "caller" else "caller"
    call.reinvite(other)
    assert call.hang_up(other) == 200


@needs_private
def test_end_by_the_operator_reaches_both_telephones(stack):
    """The BYE that dialog itself makes has no Route to follow but the stored Contacts."""
    alice, bob = telephones(stack, PRIVATE, PRIVATE)
    call = Call(alice, bob).ring().answer()
    found = stack.kamailio.rpc("dlg.list")[0]
    stack.kamailio.rpc("dlg.end_dlg", found["h_entry"], found["h_id"])
    for one in (alice, bob):
        bye = one.end.request("BYE")
        assert bye is not None and bye.callid == call.callid, f"{one.user} was not told"
        one.end.reply(bye, 200, "OK")
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


@needs_private
def test_proxy_behind_a_nat_is_reached_where_it_sends_from(stack):
    """Its Record-Route names an address of the office's own network."""
    behind = PRIVATE.but(proxy="proxy")
    alice, bob = telephones(stack, behind, behind)
    for side in ("caller", "callee"):
        call = Call(alice, bob).ring().answer().talk()
        assert call.hang_up(side) == 200


def test_public_proxy_is_reached_where_its_record_route_says(stack):
    """Not where it sends from: a farm of proxies may receive at one address and send from another."""
    alice, bob = telephones(stack)
    with sip.Endpoint(alice.end.server, ports.address(), ports.port()) as proxy:
        alice.speak_through(proxy)
        call = Call(alice, bob).ring().answer()
        bob.end.send(call.callee_dialog.request("BYE"))
        bye = proxy.request("BYE")
        assert bye is not None, "the callee's BYE did not come to the caller's proxy"
        proxy.reply(bye, 200, "OK")
        assert bob.end.final(bye.callid, bye.cseq).status == 200


# -- ringing -------------------------------------------------------------------------

@pytest.mark.parametrize("ring", ["180-sdp", "183"])
def test_ringing_with_sdp_goes_through_rtpengine(stack, ring):
    """A 180 was taken for one without SDP: the caller was told the callee's own address."""
    alice, bob = telephones(stack, callee=PLAIN.but(ring=ring))
    call = Call(alice, bob).ring()
    bob.end.reply(call.invite, int(ring[:3]), "Ringing", [
        ("Contact", bob.contact_value()), ("Content-Type", "application/sdp")], bob.sdp(), tag=call.tag)
    early = alice.end.expect(lambda m: m.is_response and m.status == int(ring[:3]))
    host, port = sip.media_of(early.body)
    assert host == stack.rtpengine.host and stack.rtpengine.owns(port), early.body


# -- GRUU (RFC 5627) -----------------------------------------------------------------

@pytest.mark.parametrize("side", ["caller", "callee"])
@pytest.mark.parametrize("contact", ["gruu", "temp-gruu"])
def test_gruu_as_contact(stack, contact, side):
    """Requests to it went round through the edge, and no ACK and no BYE arrived."""
    gruu = PLAIN.but(contact=contact, instance="instance")
    alice, bob = telephones(stack, gruu, gruu)
    assert alice.contact == alice.gruu and ";gr" in alice.gruu
    call = Call(alice, bob).ring().answer().talk()
    call.reinvite("caller").reinvite("callee")
    assert call.hang_up(side) == 200


def test_gruu_is_followed_to_where_the_telephone_is_now(stack):
    """The same device over a new connection, in the middle of a call."""
    bobs = PLAIN.but(contact="gruu", instance="instance", transport="tcp")
    alice, bob = telephones(stack, callee=bobs)
    call = Call(alice, bob).ring().answer()
    bob.end.close()
    moved = stack.agent("bob", host=ports.address(), traits=bobs)
    moved.device, moved.callid, moved.cseq = bob.device, bob.callid, bob.cseq
    assert moved.register().status == 200 and moved.gruu == bob.gruu
    call.callee = moved
    assert call.hang_up() == 200


def test_a_gruu_can_be_called(stack):
    alice, bob = telephones(stack, callee=PLAIN.but(contact="gruu", instance="instance"))
    raw = alice.message("INVITE", bob.gruu, [("Content-Type", "application/sdp")], alice.sdp())
    first = sip.Message(raw)
    alice.end.send(raw)
    alice.end.send(alice.authorised(raw, alice.end.final(first.callid, first.cseq)))
    assert bob.end.request("INVITE") is not None


def test_own_domain_in_a_dialog_leads_to_the_other_end_only(stack):
    """A Route to us and a user of ours as Request-URI: past AUTH and the limits to anybody, otherwise."""
    gruu = PLAIN.but(contact="gruu", instance="instance")
    alice, bob = telephones(stack, gruu, gruu)
    carol = stack.agent("carol", host=ports.address(), traits=gruu)
    assert carol.register().status == 200
    call = Call(alice, bob).ring().answer()
    for target in (carol.gruu, f"sip:carol@{stack.domain}", "sip:+12025550123@" + stack.domain):
        call.dialog.target = target
        raw = call.dialog.request("INVITE", body=alice.sdp())
        alice.end.send(raw)
        answer = alice.end.final(call.callid, sip.Message(raw).cseq)
        assert answer is not None and answer.status == 403, (target, answer)
    assert carol.end.expect(lambda m: m.method, 0.2) is None


# -- registrations -------------------------------------------------------------------

def test_telephone_that_changes_its_network_is_never_locked_out(stack):
    """Twelve networks in an hour, a new Contact each time: the 11th and 12th REGISTER got 503."""
    desk = stack.agent("alice", host=ports.address(), traits=PLAIN, user_agent="Desk Phone 4.2")
    assert desk.register().status == 200
    last = None
    for _ in range(12):
        last = stack.agent("alice", host=ports.address(), traits=PLAIN, user_agent="Softphone 9")
        answer = last.register()
        assert answer.status == 200, answer
        assert last.contact in answer.response.contact_uris()
    bound = stack.contacts("alice")
    assert len(bound) == 10 and last.contact in bound
    assert desk.contact in bound, "the other device's binding gave way, though it was not the oldest of that device"


def test_oldest_binding_gives_way_when_all_are_of_other_devices(stack):
    phones = [stack.agent("alice", host=ports.address(), traits=PLAIN, user_agent=f"Model {number}")
              for number in range(11)]
    for one in phones:
        assert one.register().status == 200
    assert set(stack.contacts("alice")) == {one.contact for one in phones[1:]}


@pytest.mark.parametrize("same", ["instance", "reg-id", "callid"])
def test_device_at_the_limit_replaces_its_own_binding(stack, same):
    """By +sip.instance, or by the Call-ID of its registrations: more than by the model.

    The registrar replaces the binding of the same instance and reg-id itself; another reg-id is one more.
    """
    traits = PLAIN if same == "callid" else PLAIN.but(instance=same)
    others = [stack.agent("alice", host=ports.address(), traits=PLAIN, user_agent="Model 2") for _ in range(5)]
    mobile = stack.agent("alice", host=ports.address(), traits=traits, user_agent="Model 1")
    later = [stack.agent("alice", host=ports.address(), traits=PLAIN, user_agent="Model 2") for _ in range(4)]
    for one in (*others, mobile, *later):
        assert one.register().status == 200
    # With the model's new release, and from another network.
    moved = stack.agent("alice", host=ports.address(), traits=traits, user_agent="Model 2")
    if same == "callid":
        moved.callid, moved.cseq = mobile.callid, mobile.cseq
    else:
        moved.device, moved.flow = mobile.device, 2
    assert moved.register().status == 200
    assert set(stack.contacts("alice")) == {one.contact for one in (*others, *later, moved)}


@needs_private
@pytest.mark.parametrize("thief_nat", ["public", "private"])
@pytest.mark.parametrize("nat", ["public", "private"])
def test_one_address_drives_nobody_out(stack, nat, thief_nat):
    """Who knows the password, the model and nothing else replaces his own bindings."""
    owner = stack.agent("alice", host=ports.address(), traits=PLAIN.but(nat=nat))
    assert owner.register().status == 200
    thief = stack.agent("alice", host=ports.FOREIGN, traits=PLAIN.but(nat=thief_nat))
    for number in range(12):
        thief.callid = sip.token("thief")
        assert thief.register(contact=f"<sip:alice@{thief.home[0]}:{6000 + number}>").status == 200
    assert owner.contact in stack.contacts("alice")


def test_request_with_more_contacts_than_fit_drives_nobody_out(stack):
    alice = stack.agent("alice", host=ports.address(), traits=PLAIN)
    assert alice.register().status == 200
    many = ", ".join(f"<sip:alice@{alice.end.host}:{6000 + number}>" for number in range(11))
    assert stack.agent("alice", host=ports.address(), traits=PLAIN).register(contact=many).status == 503
    assert stack.contacts("alice") == [alice.contact]


# -- connections that are gone -------------------------------------------------------

def test_telephone_whose_connection_is_gone(stack):
    """480, and no binding that leads nowhere; it was 500, and the binding stayed."""
    alice, bob = telephones(stack, callee=TCP)
    assert stack.contacts("bob")
    bob.end.close()
    answer = alice.call("bob")
    assert answer.status == 480, answer
    assert process.eventually(lambda: not stack.contacts("bob"), 20), stack.contacts("bob")
    assert not stack.rtpengine.calls()


def test_other_telephone_of_the_user_still_rings(stack):
    alice, bob = telephones(stack, callee=TCP)
    desk = stack.agent("bob", host=ports.address(), traits=PLAIN)
    assert desk.register().status == 200
    bob.end.close()
    call = Call(alice, desk).ring().answer()
    assert call.hang_up() == 200


def test_call_whose_telephone_has_lost_its_connection_can_be_ended(stack):
    """The BYE has nowhere to go: the caller is told, and nothing stays behind."""
    alice, bob = telephones(stack, callee=TCP)
    call = Call(alice, bob).ring().answer()
    bob.end.close()
    answer = call.dialog.bye()
    assert answer is not None and answer.status == 480, answer
    assert process.eventually(lambda: not stack.rtpengine.calls() and not stack.kamailio.rpc("dlg.list"))


@needs_private
@pytest.mark.parametrize("callee", [TCP, PRIVATE.but(transport="tcp")], ids=["public", "private"])
def test_no_connection_is_opened_to_where_a_lost_one_came_from(stack, callee):
    """Behind a NAT that address is another's by now, or nobody's, and the connecting hangs."""
    alice, bob = telephones(stack, callee=callee)
    call = Call(alice, bob).ring().answer()
    place = bob.end.sock.getsockname()
    bob.end.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))   # free at once
    bob.end.close()
    with socket.create_server(place) as other:
        assert call.dialog.bye().status == 480
        assert alice.call("bob").status == 480
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_bye_that_nobody_answers_ends_the_media_too(make_stack):
    stack = make_stack(edit={"params.cfg": lambda text: text.replace('"fr_timer", 10000', '"fr_timer", 1000')})
    alice, bob = telephones(stack)
    call = Call(alice, bob).ring().answer()
    assert call.dialog.bye().status == 408
    assert process.eventually(lambda: not stack.rtpengine.calls() and not stack.kamailio.rpc("dlg.list"))


def test_call_that_its_timer_ends_keeps_no_media(make_stack):
    stack = make_stack(edit={"params.cfg": lambda text: text.replace('_timeout", 43200', '_timeout", 1')})
    alice, bob = telephones(stack)
    Call(alice, bob).ring().answer()
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


# -- credentials ---------------------------------------------------------------------

@pytest.mark.parametrize("method, status", [("REGISTER", 401), ("INVITE", 407)])
@pytest.mark.parametrize("value", ["NoOneKnowsThisScheme opaque-data=here", "Basic YWxpY2U6c2VjcmV0", "Bearer x.y.z",
                                   "Digest", 'Digest username="alice', 'Digest realm="elsewhere", nonce="x"'])
def test_credentials_that_cannot_be_read_are_asked_for_again(stack, method, status, value):
    """RFC 4475 regaut01 got no answer at all."""
    alice = stack.agent("alice", traits=PLAIN)
    uri = f"sip:{stack.domain}" if method == "REGISTER" else f"sip:bob@{stack.domain}"
    name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    answer = alice.exchange(alice.message(method, uri, [(name, value)], to=alice.aor), authenticate=False)
    assert answer.status == status, answer
    assert answer.response.get("www-authenticate" if status == 401 else "proxy-authenticate")


def test_credentials_of_another_scheme_beside_good_ones(stack):
    alice = stack.agent("alice", traits=PLAIN)
    challenge = alice.register(authenticate=False)
    raw = alice.authorised(challenge.sent, challenge.response)
    line = next(one for one in raw.split(b"\r\n") if one.startswith(b"Authorization:"))
    raw = raw.replace(line, b"Authorization: NoOneKnowsThisScheme opaque-data=here\r\n" + line)
    assert alice.exchange(raw, authenticate=False).status == 200

# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls to our own numbers through the whole edge: from a trunk, from a user, to a group, forwarded.

The demo rows (db/schema/demo.py): 4930555010 is bob's, 4930555020 rings bob and then carol.
Trunks call from the address that their URI names; nobody there has a password.
"""

from support import ports, sip
from support.agent import Agent, Answer, ack
from support.call import Call

BOBS, OFFICE = "+4930555010", "+4930555020"


class FromTrunk(Call):
    """A call that a carrier sends in: no credentials, and none asked for."""

    def invitation(self):
        return self.caller.message("INVITE", f"sip:{self.number}@{self.callee.domain}",
                                   [("Content-Type", "application/sdp")], self.caller.sdp())

    def dial(self):
        self.sent = self.invitation()
        self.caller.end.send(self.sent)
        return self


def carrier(stack, domain="carrier.example", host=ports.TRUNKS, user="+44205550100"):
    """A switch at a trunk's address."""
    return stack.keep(Agent(stack.server, user, domain, "none", host))


def registered(stack, user):
    """A telephone of a demo user, registered."""
    phone = stack.agent(user)
    assert phone.register().status == 200
    return phone


def told(call, status):
    """The call failed so; the response."""
    final = call.final()
    assert final is not None and final.status == status, final
    call.caller.end.send(ack(sip.Message(call.sent), final))
    return final


def test_a_trunk_reaches_the_user_of_a_number(stack):
    bob = registered(stack, "bob")
    call = FromTrunk(carrier(stack), bob, BOBS).ring()
    assert call.invite.get("from").find("+44205550100") > 0
    call.answer()
    assert call.hang_up() == 200


def test_national_and_international_forms_by_the_account_of_the_trunk(make_stack):
    stack = make_stack(sql=["INSERT INTO callroute_account (id, match_type, match_value, plan_id, country) "
                            f"VALUES (9, 'ip', '{ports.TRUNKS}', 1, 'DE')"])
    bob = registered(stack, "bob")
    for number in ("030555010", "004930555010", "+4930555010"):
        call = FromTrunk(carrier(stack), bob, number).ring()
        call.refuse(486, "Busy Here")


def test_a_number_that_is_not_ours_is_not_found(stack):
    registered(stack, "bob")
    for number in ("+4930555099", "bob", "+12025550123", "112x"):
        call = FromTrunk(carrier(stack), stack.agent("bob"), number).dial()
        assert "cause=1" in told(call, 404).get("reason"), number
    assert stack.kamailio.grep("unknown-did .*number=bob"), "a trunk must not reach users by name"


def test_other_addresses_must_authenticate(stack):
    registered(stack, "bob")
    call = FromTrunk(carrier(stack, host=ports.FOREIGN, domain=stack.domain), stack.agent("bob"), BOBS).dial()
    told(call, 407)


def test_our_user_at_the_address_of_a_trunk_authenticates_like_any_other(stack):
    far = stack.carrier()
    alice = stack.agent("alice", host=ports.TRUNKS)
    answer = alice.call("+12025550123")
    assert answer.status == 200, answer
    dialog = alice.dialog(answer)
    dialog.ack()
    assert dialog.bye().status == 200
    assert len(far.requests()) == 1


def test_a_user_calls_our_number_without_a_trunk(stack):
    far = stack.carrier()
    alice, bob = stack.agent("alice"), registered(stack, "bob")
    call = Call(alice, bob, "030555010").ring().answer()
    assert call.hang_up() == 200
    assert len(far.requests()) == 0


def test_nobody_registered(stack):
    told(FromTrunk(carrier(stack), stack.agent("bob"), BOBS).dial(), 480)


def test_a_group_rings_one_after_the_other(stack):
    bob, carol = registered(stack, "bob"), registered(stack, "carol")
    call = FromTrunk(carrier(stack), bob, OFFICE).ring()
    bob.end.reply(call.invite, 486, "Busy Here", tag=sip.token())
    assert bob.end.request("ACK") is not None
    second = carol.end.request("INVITE")
    assert second is not None, "carol never rang"
    call.callee, call.invite = carol, second
    call.answer()
    assert call.hang_up() == 200


def test_a_group_passes_over_whom_is_not_registered(stack):
    carol = registered(stack, "carol")
    call = FromTrunk(carrier(stack), carol, OFFICE).ring().answer()
    assert call.hang_up() == 200


def test_a_group_with_nobody_there(stack):
    assert "cause=20" in told(FromTrunk(carrier(stack), stack.agent("bob"), OFFICE).dial(), 480).get("reason")


def test_a_group_that_is_busy_says_so(stack):
    bob = registered(stack, "bob")
    call = FromTrunk(carrier(stack), bob, OFFICE).ring()
    assert call.refuse(486, "Busy Here").status == 486


def test_a_member_who_is_not_registered_is_nobody_in_the_round(make_stack):
    """His branch would lead back into the edge, which asks for credentials: that answer would be the caller's."""
    stack = make_stack(sql=["UPDATE callroute_group SET strategy = 'parallel'",
                            "UPDATE callroute_member SET priority = 1"])
    carol = registered(stack, "carol")
    call = FromTrunk(carrier(stack), carol, OFFICE).ring()
    assert call.refuse(404, "Not Found").status == 404


def test_a_cancelled_group_stops_ringing(stack):
    bob, carol = registered(stack, "bob"), registered(stack, "carol")
    switch = carrier(stack)
    call = FromTrunk(switch, bob, OFFICE).ring()
    bob.end.reply(call.invite, 180, "Ringing", tag=sip.token())
    assert switch.end.expect(lambda m: m.status == 180) is not None
    sent = sip.Message(call.sent)
    switch.end.send(sip.build(f"CANCEL {sent.uri} SIP/2.0", [
        *[(name, sent.get(name)) for name in ("via", "from", "to", "call-id")], ("CSeq", f"{sent.cseq[0]} CANCEL")]))
    cancel = bob.end.request("CANCEL")
    assert cancel is not None, "bob's telephone rings on"
    bob.end.reply(cancel, 200, "OK")
    bob.end.reply(call.invite, 487, "Request Terminated", tag=sip.token())
    assert told(call, 487)
    assert carol.end.request("INVITE", 1) is None, "a cancelled call rang on"


def test_a_forwarded_number_goes_out_on_the_numbers_own_account(make_stack):
    stack = make_stack(sql=["INSERT INTO callroute_did (number, target_type, target) "
                            "VALUES ('4930555030', 'number', '12025550123')"])
    far, switch = stack.carrier(), carrier(stack)
    for _ in range(2):
        call = FromTrunk(switch, stack.agent("bob"), "+4930555030").dial()
        final = call.final()
        assert final is not None and final.status == 200, final
        switch.dialog(Answer(final, call.sent)).ack()
    # Two calls at a time is what the demo allows an account, and such a number is one.
    third = FromTrunk(switch, stack.agent("bob"), "+4930555030").dial()
    assert told(third, 403).reason == "Too Many Calls"
    assert len(far.requests()) == 2
    diverted = {m.get("diversion") for m in far.messages() if m.method == "INVITE"}
    assert diverted == {f"<sip:+4930555030@{stack.domain}>;reason=unconditional;counter=1"}


def test_forwarded_from_number_to_number(make_stack):
    chain = (("4930555030", "4930555031"), ("4930555031", "4930555010"),
             ("4930555060", "4930555061"), ("4930555061", "4930555060"))
    stack = make_stack(sql=["INSERT INTO callroute_did (number, target_type, target) "
                            f"VALUES ('{one}', 'number', '{to}')"
                            for one, to in chain])
    bob = registered(stack, "bob")
    call = FromTrunk(carrier(stack), bob, "+4930555030").ring().answer()
    assert call.hang_up() == 200
    for caller in (FromTrunk(carrier(stack), bob, "+4930555060"), Call(stack.agent("alice"), bob, "030555060")):
        assert told(caller.dial(), 482).reason == "Forwarding Loop"


def test_rejected_and_out_of_hours(make_stack):
    stack = make_stack(sql=[
        "INSERT INTO callroute_time (id, tz, dtstart, duration) VALUES (1, 'UTC', '20200101T000000', 'PT1H')",
        "INSERT INTO callroute_did (number, target_type, target) VALUES ('4930555040', 'reject', '')",
        "INSERT INTO callroute_did (number, target_type, target, time_id) VALUES ('4930555050', 'user', 'bob', 1)"])
    bob = registered(stack, "bob")
    for number, status, cause in (("+4930555040", 403, 21), ("+4930555050", 480, 31)):
        assert f"cause={cause}" in told(FromTrunk(carrier(stack), bob, number).dial(), status).get("reason")


def test_a_user_without_an_account_gets_no_trunk_but_an_emergency_one(make_stack):
    stack = make_stack(sql=["DELETE FROM callroute_account"])
    emergency = stack.carrier("emergency")
    alice = stack.agent("alice")
    answer = alice.call("+12025550123")
    assert (answer.status, answer.reason) == (403, "No Account For Trunks"), answer
    answer = alice.call("112")
    assert answer.status == 200, answer
    assert len(emergency.requests()) == 1
    dialog = alice.dialog(answer)
    dialog.ack()
    dialog.bye()


def test_the_emergency_number_of_the_callers_country(stack):
    """110 is no EMERGENCY_NUMBER of the edge: callroute knows it as Germany's."""
    emergency = stack.carrier("emergency")
    alice = stack.agent("alice")
    for number in ("110", "112"):
        answer = alice.call(number)
        assert answer.status == 200, (number, answer)
        dialog = alice.dialog(answer)
        dialog.ack()
        assert dialog.bye().status == 200
    assert len(emergency.requests()) == 2


def test_urn_service_sos(stack):
    emergency = stack.carrier("emergency")
    alice = stack.agent("alice")
    answer = alice.invite("urn:service:sos.police")
    assert answer.status == 200, answer
    dialog = alice.dialog(answer)
    dialog.ack()
    assert dialog.bye().status == 200
    assert len(emergency.requests()) == 1


def test_a_rule_redirects_the_caller(make_stack):
    stack = make_stack(sql=["INSERT INTO callroute_rule (plan_id, prefix, action, target) "
                            "VALUES (1, '4999', 'redirect', 'sip:desk@192.0.2.1')"])
    answer = stack.agent("alice").call("+49991234567")
    assert answer.status == 302, answer
    assert "sip:desk@192.0.2.1" in answer.response.get("contact")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Registrations that are not the owner's: refused or put aside, and the owner stays reachable.

One-time nonces (cfg/params.cfg) already stop a plain replay, so the replays
that regguard must stop run with them off: each layer is tried without the
other. The owner is alice at 127.1.0.1; the thief is at 127.2.0.1.
"""

import pytest

from support import ports, process, sip
from support.agent import replayed
from support.call import Call

pytestmark = pytest.mark.plain_telephones

INSTANCE = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'

# Novelty is enforced, and an owner is known after three registrations.
JUDGING = {"REGGUARD_NOVELTY": "enforce", "REGGUARD_LEARN_DAYS": 0, "REGGUARD_LEARN_REGISTRATIONS": 3}


def reusable_nonces(text):
    """params.cfg with nonces that may be used more than once, as Kamailio's default is."""
    return text.replace('modparam("auth", "one_time_nonce", 1)', 'modparam("auth", "one_time_nonce", 0)')


@pytest.fixture
def soft_stack(make_stack):
    """The edge without one-time nonces."""
    return make_stack(edit={"params.cfg": reusable_nonces})


def owner(stack, **how):
    """Alice's own telephone, registered; (agent, the Answer of her last REGISTER)."""
    alice = stack.agent("alice", host=ports.OFFICE, user_agent="Desk Phone 4.2", **how)
    answer = alice.register()
    assert answer.status == 200, answer
    return alice, answer


@pytest.fixture
def thief():
    """A function: an Endpoint in the foreign network."""
    opened = []

    def make(stack):
        end = sip.Endpoint(stack.server, ports.FOREIGN)
        opened.append(end)
        return end

    yield make
    for end in opened:
        end.close()


def steal(end, answer, contact, **how):
    """Replay a sniffed REGISTER from `end`; the final response."""
    raw = replayed(answer.sent, end, contact, **how)
    message = sip.Message(raw)
    end.send(raw)
    return end.final(message.callid, message.cseq)


def still_reaches(stack, alice):
    """A call to alice rings at her own telephone."""
    caller = stack.agent("bob", host="127.1.0.2")
    call = Call(caller, alice).ring().answer()
    assert call.hang_up() == 200


def test_replay_with_a_new_contact_is_denied(soft_stack, thief):
    alice, answer = owner(soft_stack)
    end = thief(soft_stack)
    response = steal(end, answer, f"<sip:alice@{end.where}>")
    assert response is not None and response.status == 403, response
    assert soft_stack.contacts("alice") == [alice.contact]
    assert "replay" in soft_stack.kamailio.wait_line(r"registration-denied .*reasons=")
    still_reaches(soft_stack, alice)


def test_replay_is_also_stopped_by_the_nonce(stack, thief):
    """As shipped: the nonce is used up before regguard is asked."""
    alice, answer = owner(stack)
    end = thief(stack)
    response = steal(end, answer, f"<sip:alice@{end.where}>")
    assert response is not None and response.status in (401, 403), response
    assert stack.contacts("alice") == [alice.contact]


def test_replayed_wildcard_erases_nothing(soft_stack, thief):
    alice, answer = owner(soft_stack)
    response = steal(thief(soft_stack), answer, "*", expires=0)
    assert response is not None and response.status == 403, response
    assert soft_stack.contacts("alice") == [alice.contact]


def test_foreign_wildcard_with_the_right_password_is_denied(stack):
    """Stolen credentials, a fresh digest: erasing the owner from elsewhere is still no right."""
    alice, _ = owner(stack)
    stolen = stack.agent("alice", host=ports.FOREIGN)
    answer = stolen.register(contact="*", expires=0)
    assert answer.status == 403, answer
    assert stack.contacts("alice") == [alice.contact]


def test_foreign_removal_of_the_owners_contact_is_denied(stack):
    alice, _ = owner(stack)
    stolen = stack.agent("alice", host=ports.FOREIGN)
    answer = stolen.register(contact=f"<{alice.contact}>;expires=0")
    assert answer.status == 403, answer
    assert stack.contacts("alice") == [alice.contact]


def test_own_wildcard_is_the_owners_right(stack):
    alice, _ = owner(stack)
    assert alice.register(contact="*", expires=0).status == 200
    assert stack.contacts("alice") == []


def test_copied_instance_from_elsewhere_does_not_replace_the_owner(make_stack):
    """Same +sip.instance, lower CSeq, right password: the stock registrar overwrites in place."""
    stack = make_stack(env=JUDGING)
    alice = stack.agent("alice", host=ports.OFFICE, user_agent="Desk Phone 4.2")
    bound = f"<{alice.contact}>;reg-id=1;{INSTANCE}"
    for _ in range(5):
        assert alice.register(contact=bound, headers=[("Supported", "path, outbound")]).status == 200
    stolen = stack.agent("alice", host=ports.FOREIGN, user_agent="Softphone 9")
    answer = stolen.register(contact=f"<{stolen.contact}>;reg-id=1;{INSTANCE}",
                             headers=[("Supported", "path, outbound")])
    assert answer.status in (200, 403), answer
    assert stack.contacts("alice") == [alice.contact]
    still_reaches(stack, alice)


def test_new_device_in_a_new_network_is_put_aside(make_stack):
    """200 for the newcomer, who sees only itself; lookup still returns the owner, who is alive."""
    stack = make_stack(env=JUDGING)
    alice, _ = owner(stack)
    for _ in range(4):
        assert alice.register().status == 200
    stolen = stack.agent("alice", host=ports.FOREIGN, user_agent="Softphone 9")
    answer = stolen.register()
    assert answer.status == 200, answer
    assert answer.response.contact_uris() == [stolen.contact], answer.response.headers
    assert stack.contacts("alice") == [alice.contact]
    assert stack.contacts("alice", "quarantine") == [stolen.contact]
    line = stack.kamailio.wait_line(r"\bquarantine ip=127\.2\.0\.1 user=alice")
    assert "new_device" in line and "new_network" in line, line
    still_reaches(stack, alice)


def test_same_newcomer_is_let_in_and_told_of_in_shadow(stack):
    """As shipped, novelty is judged and logged, and changes nothing."""
    alice, _ = owner(stack)
    for _ in range(4):
        assert alice.register().status == 200
    stolen = stack.agent("alice", host=ports.FOREIGN, user_agent="Softphone 9")
    assert stolen.register().status == 200
    assert set(stack.contacts("alice")) == {alice.contact, stolen.contact}
    assert stack.contacts("alice", "quarantine") == []


def test_owner_may_move_to_a_new_network(stack):
    """Novelty in one group never denies: the same telephone, elsewhere, after it left the office."""
    alice, _ = owner(stack)
    assert alice.register(expires=0).status == 200
    moved = stack.agent("alice", host="127.4.0.1", user_agent="Desk Phone 4.2")
    assert moved.register().status == 200
    assert stack.contacts("alice") == [moved.contact]


def test_refreshes_are_never_doubted(stack):
    alice, _ = owner(stack)
    for _ in range(12):         # two requests each: under the limit of 30 a source in 2 s
        assert alice.register().status == 200
    assert stack.contacts("alice") == [alice.contact]
    assert stack.contacts("alice", "quarantine") == []


def test_client_that_repeats_its_response_is_no_thief(soft_stack):
    """Without qop a client legitimately answers the same nonce again, from its own address."""
    alice, answer = owner(soft_stack)
    raw = sip.with_header(answer.sent, "Via", alice.end.via())
    number = sip.Message(answer.sent).cseq[0] + 1
    raw = sip.with_header(raw, "CSeq", f"{number} REGISTER")
    alice.end.send(raw)
    response = alice.end.final(alice.callid, (number, "REGISTER"))
    assert response is not None and response.status == 200, response


def test_without_the_check_the_replay_succeeds(make_stack, thief):
    """The proof that the refusals above are regguard_check()'s, and of nothing else."""
    def unchecked(text):
        return text.replace("regguard_check();\n\tswitch ($rc) {", "$var(verdict) = 1;\n\tswitch ($var(verdict)) {")
    stack = make_stack(edit={"params.cfg": reusable_nonces, "routes/register.cfg": unchecked})
    _, answer = owner(stack)
    end = thief(stack)
    response = steal(end, answer, f"<sip:alice@{end.where}>")
    assert response is not None and response.status == 200, response
    assert f"sip:alice@{end.where}" in stack.contacts("alice")


def test_operator_sees_who_it_was(soft_stack, thief):
    _, answer = owner(soft_stack)
    end = thief(soft_stack)
    assert steal(end, answer, f"<sip:alice@{end.where}>").status == 403
    aor = f"alice@{soft_stack.domain}"
    assert soft_stack.kamailio.rpc("regguard.show", aor)["aor"] == aor
    events = str(process.eventually(lambda: soft_stack.kamailio.rpc("regguard.list")))
    assert aor in events and "replay" in events and ports.FOREIGN in events, events
    assert soft_stack.kamailio.rpc("regguard.stats")

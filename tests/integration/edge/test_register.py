# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may register, and what the registrar then knows."""

import pytest

from support import sip

pytestmark = pytest.mark.plain_telephones


def test_good_password_binds(stack):
    alice = stack.agent("alice")
    answer = alice.register()
    assert answer.status == 200, answer
    assert stack.contacts("alice") == [alice.contact]
    assert alice.contact in answer.response.contact_uris()


def test_over_tcp(stack):
    alice = stack.agent("alice", transport="tcp")
    assert alice.register().status == 200
    assert stack.contacts("alice") == [alice.contact]


def test_client_without_qop(stack):
    alice = stack.agent("alice")
    assert alice.register(use_qop=False).status == 200
    assert stack.contacts("alice") == [alice.contact]


def test_first_request_is_challenged(stack):
    answer = stack.agent("alice").register(authenticate=False)
    assert answer.status == 401, answer
    assert stack.contacts("alice") == []


def test_bad_password_is_refused(stack):
    answer = stack.agent("alice", password="wrong").register()
    assert answer.status in (401, 403), answer
    assert stack.contacts("alice") == []


def test_unknown_user_is_refused_as_a_bad_password_is(stack):
    """The answer must not tell a guesser which names exist."""
    wrong = stack.agent("alice", password="wrong").register()
    unknown = stack.agent("nobody", password="wrong").register()
    assert (unknown.status, unknown.reason) == (wrong.status, wrong.reason)
    assert stack.contacts("nobody") == []


def test_third_party_registration_is_refused(stack):
    """Bob's credentials are good, but not for alice's address."""
    bob = stack.agent("bob")
    answer = bob.register(replace={"To": f"<sip:alice@{stack.domain}>"})
    assert answer.status == 403, answer
    assert stack.contacts("alice") == []


def test_unregister(stack):
    alice = stack.agent("alice")
    assert alice.register().status == 200
    assert alice.register(expires=0).status == 200
    assert stack.contacts("alice") == []


def test_refresh_keeps_one_binding(stack):
    alice = stack.agent("alice")
    assert [alice.register().status for _ in range(3)] == [200, 200, 200]
    assert stack.contacts("alice") == [alice.contact]


def test_a_nonce_is_good_once(stack):
    """The same client sends the same Authorization again, with a higher CSeq: challenged anew."""
    alice = stack.agent("alice")
    answer = alice.register()
    assert answer.status == 200
    again = alice.end
    first = answer.response.cseq[0]
    raw = sip.with_header(answer.sent, "Via", again.via())
    raw = sip.with_header(raw, "CSeq", f"{first + 1} REGISTER")
    again.send(raw)
    response = again.final(alice.callid, (first + 1, "REGISTER"))
    assert response is not None and response.status == 401, response
    assert "stale=true" in response.get("www-authenticate").lower()


def test_check_that_could_not_be_made_is_not_the_passwords_fault(stack):
    """Kamailio 5.6 waits for no lock of SQLite: its first reader may meet one: the telephone tries again by itself."""
    alice = stack.agent("alice")
    stack.sql("ALTER TABLE subscriber RENAME TO away")
    challenge = alice.register(authenticate=False)
    raw = alice.authorised(challenge.sent, challenge.response)
    refused = alice.exchange(raw, authenticate=False)
    assert refused.status == 401 and sip.is_stale(refused.response), refused.response.headers
    stack.sql("ALTER TABLE away RENAME TO subscriber")
    again = alice.exchange(alice.authorised(refused.sent, refused.response), authenticate=False)
    assert again.status == 200
    assert not sip.is_stale(stack.agent("alice", password="wrong").register().response)


def test_received_parameter_of_the_client_is_refused(stack):
    """The registrar would believe it and send alice's calls there."""
    alice = stack.agent("alice")
    answer = alice.register(contact=f'<{alice.contact}>;received="sip:127.9.9.9:5060"')
    assert answer.status == 403, answer
    assert stack.contacts("alice") == []

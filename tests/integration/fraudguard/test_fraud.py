# SPDX-License-Identifier: GPL-2.0-or-later
"""What fraudguard stops, when exactly, and what it must never stop.

The demo rules: 10 call attempts an account a minute, 2 calls at once, 30
requests a source in 2 s; dave has no limits; emergency calls pass everything.
"""

from support import sip
from support.call import Call
from support.sipp import Sipp

ATTEMPTS = 10
REASON = "Call Rate Exceeded"


def burst(stack, user, calls, number="+1202555{:04d}"):
    """SIPp makes `calls` calls, one after the other, each to another number."""
    secret = stack.password(user)
    run = stack.keep(Sipp(
        stack.run_dir, "call", stack.server, calls=calls, rate=20, keys={"user": user, "domain": stack.domain},
        fields=[f"{number.format(n)};[authentication username={user} password={secret}]" for n in range(calls)]))
    run.start()
    assert run.finish() == 0, run.error("SIPp's scenario was not followed")
    return run.finals()


def quiet_source(stack_maker, **settings):
    """A stack whose per-source limit is out of the way: the account's limit is what is tried."""
    return stack_maker(settings={"source_requests": 10000, **settings})


def test_burst_is_refused_at_the_right_call(make_stack):
    stack = quiet_source(make_stack)
    carrier = stack.carrier()
    finals = burst(stack, "carol", ATTEMPTS + 5)
    assert [status for status, _, _ in finals] == [200] * ATTEMPTS + [403] * 5, finals
    assert {reason for status, reason, _ in finals if status == 403} == {REASON}
    assert len(carrier.requests()) == ATTEMPTS, "refused calls reached the carrier"


def test_refusal_is_logged_with_what_was_seen(make_stack):
    stack = quiet_source(make_stack)
    stack.carrier()
    finals = burst(stack, "carol", ATTEMPTS + 1)
    line = stack.kamailio.wait_line(r"rule=call-attempts\b")
    for part in (f"observed={ATTEMPTS + 1}", f"threshold={ATTEMPTS}", f"callid={finals[-1][2]}", "carol"):
        assert part in line, line


def test_others_may_still_call(make_stack):
    stack = quiet_source(make_stack)
    stack.carrier()
    assert burst(stack, "carol", ATTEMPTS + 1)[-1][0] == 403
    assert stack.agent("alice").call("+12025550123").status == 200


def test_emergency_call_of_a_refused_account_passes(make_stack):
    stack = quiet_source(make_stack)
    stack.carrier()
    carrier = stack.carrier("emergency")
    assert burst(stack, "carol", ATTEMPTS + 1)[-1][0] == 403
    answer = stack.agent("carol").call("112")
    assert answer.status == 200, answer
    assert len(carrier.requests()) == 1


def test_allowed_account_has_no_limit(make_stack):
    stack = quiet_source(make_stack)
    stack.carrier()
    finals = burst(stack, "dave", ATTEMPTS + 5)
    assert [status for status, _, _ in finals] == [200] * (ATTEMPTS + 5), finals


def test_shadow_rule_logs_and_lets_pass(make_stack):
    stack = quiet_source(make_stack)
    stack.sql("UPDATE fraudguard_rule SET mode = 'shadow' WHERE name = 'call-attempts'")
    stack.kamailio.rpc("fraudguard.reload")
    stack.kamailio.wait_line(r"reload|loaded")
    stack.carrier()
    finals = burst(stack, "carol", ATTEMPTS + 2)
    assert [status for status, _, _ in finals] == [200] * (ATTEMPTS + 2), finals
    assert "mode=shadow" in stack.kamailio.wait_line(r"rule=call-attempts\b.*mode=")


def test_third_call_at_once_is_refused_and_ending_one_makes_room(make_stack):
    stack = quiet_source(make_stack, concurrent_calls=2)
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    first, second = Call(alice, bob).ring().answer(), Call(alice, bob).ring().answer()
    third = Call(alice, bob).dial().final()
    assert third is not None and (third.status, third.reason) == (403, "Too Many Calls"), third
    assert first.hang_up() == 200
    again = Call(alice, bob).ring().answer()
    assert again.hang_up() == 200 and second.hang_up() == 200


def test_refused_and_failed_calls_hold_no_place(make_stack):
    """A gauge that leaks would lock the account out after a few busy tones."""
    stack = quiet_source(make_stack, concurrent_calls=2, attempts_per_minute=100)
    alice, bob = stack.agent("alice"), stack.agent("bob", host="127.1.0.2")
    assert bob.register().status == 200
    for _ in range(5):
        assert Call(alice, bob).ring().refuse(486, "Busy Here").status == 486
    call = Call(alice, bob).ring().answer()
    assert call.hang_up() == 200


def test_flood_from_one_source_goes_unanswered(stack):
    """31 requests in 2 s: the one too many gets no answer, and another source is served."""
    with sip.Endpoint(stack.server, "127.2.0.1") as flooder:
        answered = 0
        for number in range(60):
            callid = sip.token("flood")
            flooder.send(options(flooder, stack.domain, callid))
            if flooder.any_answer(callid, 0.3 if number >= 30 else 2) is None:
                break
            answered += 1
        assert answered == 30, answered
    assert sip.ping(stack.server, 2, "127.1.0.1") is not None
    assert "127.2.0.1" in stack.kamailio.wait_line(r"rule=source-flood\b")


def test_emergency_call_from_a_flooding_source_passes(stack):
    carrier = stack.carrier("emergency")
    alice = stack.agent("alice", host="127.2.0.1")
    for _ in range(40):
        alice.end.send(options(alice.end, stack.domain, sip.token("flood")))
    stack.kamailio.wait_line(r"rule=source-flood\b")
    assert alice.call("112").status == 200
    assert len(carrier.requests()) == 1


def test_banned_account_can_be_released(make_stack):
    stack = quiet_source(make_stack)
    key = f"account:carol@{stack.domain}"
    stack.kamailio.rpc("fraudguard.ban", key, 60, "by hand")
    stack.carrier()
    carol = stack.agent("carol")
    assert carol.call("+12025550123").status >= 400
    bans = stack.kamailio.rpc("fraudguard.list_bans")
    assert key in str(bans) and "by hand" in str(bans), bans
    stack.kamailio.rpc("fraudguard.release", key)
    assert key not in str(stack.kamailio.rpc("fraudguard.list_bans"))
    assert carol.call("+12025550123").status == 200


def test_without_the_call_in_the_script_nothing_is_refused(make_stack):
    """The proof that the refusals above are fraudguard_call()'s, and of nothing else."""
    stack = make_stack(settings={"source_requests": 10000}, edit={
        "routes/limits.cfg": lambda text: text.replace("if (fraudguard_call(", "return; if (fraudguard_call(")})
    stack.carrier()
    finals = burst(stack, "carol", ATTEMPTS + 2)
    assert [status for status, _, _ in finals] == [200] * (ATTEMPTS + 2), finals


def options(end, domain, callid):
    """An OPTIONS to the server itself."""
    return sip.build(f"OPTIONS sip:{domain} SIP/2.0", [
        ("Via", end.via()), ("Max-Forwards", "70"), ("From", f"<sip:x@{domain}>;tag=1"), ("To", f"<sip:{domain}>"),
        ("Call-ID", callid), ("CSeq", "1 OPTIONS"), ("Contact", f"<sip:x@{end.where}>")])

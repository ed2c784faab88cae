# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls to numbers: the cheapest trunk first, the next one when it fails, and why there is none.

The demo rows (db/schema/demo.py): `cheap-dead` is cheaper for 44 and 49, `good` takes
1, 44 and 49; 4490 is barred; the first trunk gets a second to answer.
"""

from support import process, sip

FAILS_OVER = "+493012345678"
GOOD_ONLY = "+12025550123"


def call_once(stack, number, seconds=15, user="alice", **how):
    """One call of a scripted telephone: its Answer."""
    agent = stack.agent(user, **how)
    return agent, agent.call(number, seconds=seconds)


def test_direct_to_the_only_trunk(stack):
    carrier = stack.carrier()
    alice, answer = call_once(stack, GOOD_ONLY)
    assert answer.status == 200, answer
    dialog = alice.dialog(answer)
    dialog.ack()
    assert dialog.bye().status == 200
    assert len(carrier.requests()) == 1


def test_dead_trunk_is_tried_then_the_next(stack):
    dead, carrier = stack.silent_carrier(), stack.carrier()
    mark = stack.kamailio.mark()
    alice, answer = call_once(stack, FAILS_OVER)
    assert answer.status == 200, answer
    tried = dead.request("INVITE", 1)
    assert tried is not None, "the cheaper trunk was never tried"
    assert len(carrier.requests()) == 1
    lines = stack.kamailio.grep(r"trunk-try .*attempt=", mark)
    assert ["trunk=cheap-dead" in line for line in lines] == [True, False], lines
    assert "trunk=good" in lines[1], lines
    dialog = alice.dialog(answer)
    dialog.ack()
    assert dialog.bye().status == 200


def test_trunk_that_answers_503_is_left_at_once(stack):
    refusing = stack.carrier("dead", "refuse", words={"status": "503 Service Unavailable"})
    carrier = stack.carrier()
    _, answer = call_once(stack, FAILS_OVER)
    assert answer.status == 200, answer
    assert (len(refusing.requests()), len(carrier.requests())) == (1, 1)


def test_busy_is_not_failed_over(stack):
    """486 is the called party's answer: another trunk would only ring them again."""
    busy = stack.carrier("dead", "refuse", words={"status": "486 Busy Here"})
    carrier = stack.carrier()
    _, answer = call_once(stack, FAILS_OVER)
    assert answer.status == 486, answer
    assert (len(busy.requests()), len(carrier.requests())) == (1, 0)


def test_all_trunks_dead(stack):
    stack.silent_carrier("dead")
    stack.silent_carrier("good")
    _, answer = call_once(stack, FAILS_OVER)
    assert answer.status in (408, 503), answer
    assert process.eventually(lambda: not stack.rtpengine.calls()), stack.rtpengine.calls()


def test_barred_prefix(stack):
    carrier = stack.carrier()
    _, answer = call_once(stack, "+4490123456")
    assert (answer.status, answer.reason) == (403, "Destination Barred"), answer
    assert carrier.requests() == []


def test_no_prefix(stack):
    _, answer = call_once(stack, "+99912345678")
    assert (answer.status, answer.reason) == (404, "No Route To Destination"), answer


def test_not_a_number(stack):
    _, answer = call_once(stack, "+49abc")
    assert answer.status == 484, answer


def test_emergency_call_goes_to_its_trunk(stack):
    carrier = stack.carrier("emergency")
    _, answer = call_once(stack, "112")
    assert answer.status == 200, answer
    assert len(carrier.requests()) == 1


def test_media_of_a_trunk_call_goes_through_rtpengine(stack):
    """The carrier echoes: what alice hears is her own tone, relayed twice."""
    carrier = stack.carrier(echo=True)
    alice = stack.phone("alice", 440)
    alice.registered()
    mark = alice.dial(f"sip:{GOOD_ONLY}@{stack.domain}")
    callid = alice.established(mark)
    assert process.eventually(
        lambda: min(stack.rtpengine.relayed(callid).values()) >= 50, 10), stack.rtpengine.query(callid)
    alice.hang_up()
    alice.closed(mark)
    assert len(carrier.requests()) == 1


def test_reload_under_a_call_keeps_it(stack):
    stack.carrier()
    alice, answer = call_once(stack, GOOD_ONLY)
    assert answer.status == 200, answer
    dialog = alice.dialog(answer)
    dialog.ack()
    before = stack.kamailio.rpc("callroute.status")["generation"]
    stack.sql("INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '33', 7000)")
    stack.kamailio.rpc("callroute.reload")
    assert process.eventually(lambda: stack.kamailio.rpc("callroute.status")["generation"] > before)
    assert call_once(stack, "+33123456789", user="bob")[1].status == 200
    assert dialog.bye().status == 200


def test_caller_cannot_pick_the_next_hop(stack):
    """A preloaded Route would lead the call past callroute, to wherever the sender likes."""
    stack.carrier()
    elsewhere = stack.keep(sip.Endpoint(None, "127.9.9.9"))
    alice = stack.agent("alice")
    answer = alice.invite(f"sip:{GOOD_ONLY}@{stack.domain}", headers=[("Route", f"<sip:{elsewhere.where};lr>")])
    assert answer.status == 200, answer
    assert elsewhere.request("INVITE", 0.2) is None

# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that come in: where a DID leads, by time and priority, and who rings in a hunt group."""

import datetime
import time

import pytest

from support import sip
from support.inbound import Place, accept, cancelled, final, group, hang_up, inbound, insert, refuse, ring
from support.routing import Trunk

NUMBER = "4930555"
# What the README shows for calls that come in.
IN = """
    callroute_did();
    $var(rc) = $rc;
    switch ($var(rc)) {
        case 1:
            if (uri == myself) lookup("location");
            break;
        case 2:
            if (!callroute_fork()) {
                sl_send_reply("480", "rc $rc $callroute(reason)");
                exit;
            }
            lookup_branches("location");
            t_on_failure("MEMBERS");
            break;
        case 3:
            if (!callroute_select()) {
                sl_send_reply("480", "rc $rc $callroute(reason)");
                exit;
            }
            t_on_failure("NEXT");
            break;
        default:
            sl_send_reply("404", "rc $var(rc) $callroute(reason) $callroute(tenant)");
            exit;
    }
    xlog("L_NOTICE", "did rc=$var(rc) tenant=$callroute(tenant) target=$callroute(target) ru=$ru\\n");
    t_relay();
"""
HUNT = """
    callroute_fork("$rU");
    $var(rc) = $rc;
    if ($var(rc) < 0) {
        sl_send_reply("480", "rc $var(rc) $callroute(reason)");
        exit;
    }
    lookup_branches("location");
    t_on_failure("MEMBERS");
    t_relay();
"""
MEMBERS = """
failure_route[MEMBERS] {
    if (t_is_canceled()) exit;
    callroute_next();
    $var(rc) = $rc;
    xlog("L_NOTICE", "next rc=$var(rc) reason=$callroute(reason)\\n");
    if ($var(rc) > 0) {
        lookup_branches("location");
        t_on_failure("MEMBERS");
        t_relay();
    }
}
failure_route[NEXT] {
    if (!t_is_canceled() && callroute_next()) {
        t_on_failure("NEXT");
        t_relay();
    }
}
"""


def did(key, kind, target, **columns):
    """The row of a DID."""
    return insert("callroute_did", **{"id": key, "number": NUMBER, "target_type": kind, "target": target, **columns})


def edge_of(folder, rows, route=IN, trunks=(), routes=MEMBERS, **how):
    """An Edge with these rows and the routes above."""
    return inbound(folder, route, list(trunks), routes=routes, sql=list(rows), **how)


def rings_until_answer(edge, phone, uri):
    """A whole call to `uri` that `phone` takes."""
    caller, raw = edge.dial(uri)
    accept(phone, ring(phone))
    response = final(caller, raw)
    assert response.status == 200, response
    dialog = hang_up(caller, raw, response)
    assert phone.end.request("ACK") is not None
    bye = dialog.request("BYE")
    caller.end.send(bye)
    phone.end.reply(phone.end.request("BYE"), 200, "OK")
    assert caller.end.final(dialog.callid, sip.Message(bye).cseq).status == 200


# -- DIDs -----------------------------------------------------------------------


@pytest.mark.parametrize("dialled", [NUMBER, f"+{NUMBER}"])
def test_user_rings(tmp_path, dialled):
    with edge_of(tmp_path, [did(1, "user", "alice", tenant="a")]) as edge:
        rings_until_answer(edge, edge.registered("alice"), f"sip:{dialled}@127.0.0.1")
        assert "rc=1 tenant=a target=alice" in edge.kamailio.wait_line("did rc=")


@pytest.mark.parametrize("user, domain, said", [
    ("alice", 400, "1 " + str(len("sip:alice@") + 400)), ("a" * 200, 900, "-1 bad_message")], ids=["fits", "too long"])
def test_user_in_a_long_domain(tmp_path, user, domain, said):
    """The request's own domain may be long: the new URI is whole, or the call is refused and told, never cut."""
    route = """
    callroute_did();
    $var(rc) = $rc;
    if ($var(rc) > 0) sl_send_reply("480", "rc $var(rc) $(ru{s.len})");
    else sl_send_reply("480", "rc $var(rc) $callroute(reason)");
"""
    with edge_of(tmp_path, [did(1, "user", user)], route) as edge:
        answer = edge.asked(f"sip:{NUMBER}@{'d' * domain}")
        assert answer.reason.removeprefix("rc ") == said, answer
        assert said.startswith("1 ") or "longer than 1023" in edge.kamailio.wait_line("did-too-long target=")


def test_user_of_a_domain_rings(tmp_path):
    with edge_of(tmp_path, [did(1, "user", "alice@127.0.0.1")]) as edge:
        rings_until_answer(edge, edge.registered("alice"), f"sip:{NUMBER}@127.0.0.1")


def test_uri_rings(tmp_path):
    place = Place("desk")
    with edge_of(tmp_path, [did(1, "uri", place.uri)]) as edge:
        rings_until_answer(edge, place.phone(edge), f"sip:{NUMBER}@127.0.0.1")


def test_number_goes_out(tmp_path):
    with edge_of(tmp_path, [did(1, "number", "493099")], trunks=[Trunk("one")]) as edge:
        answer, _ = edge.call(NUMBER)
        assert answer.status == 200, answer
        assert edge.ends["one"].got("INVITE")[0].uri.startswith("sip:493099@")


def test_group_rings(tmp_path):
    place = Place("desk")
    with edge_of(tmp_path, [did(1, "group", "sales"), *group(1, "sales", "parallel", [place.uri])]) as edge:
        rings_until_answer(edge, place.phone(edge), f"sip:{NUMBER}@127.0.0.1")


def test_group_of_a_did_is_empty(tmp_path):
    rows = [did(1, "group", "sales"), *group(1, "sales", "parallel", [("sip:a@127.1.0.9", {"enabled": 0})])]
    with edge_of(tmp_path, rows) as edge:
        assert edge.ask(NUMBER) == "-6 no_member"


def test_refused_and_unknown(tmp_path):
    with edge_of(tmp_path, [did(1, "reject", "", tenant="r")]) as edge:
        assert edge.ask(NUMBER) == "-5 rejected r"
        for number in ("4930556", NUMBER + "0", NUMBER[:-1], "alice", "%2B"):
            assert edge.ask(number) == "-1 no_did", number


def test_by_time_and_priority(tmp_path):
    """Three rows: one whose time is over there, one that is open now, and one for always."""
    hour = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)).strftime("%H")
    times = [insert("callroute_time", id=key, tz=zone, dtstart=f"20260101T{hour}0000",
                    duration="PT3H", rrule="FREQ=DAILY")
             for key, zone in ((1, "Pacific/Auckland"), (2, "UTC"))]
    rows = [*times, *(did(key, "reject", "", tenant=tenant, priority=key, time_id=window)
                      for key, tenant, window in ((1, "closed", 1), (2, "open", 2), (3, "always", 0)))]
    with edge_of(tmp_path, rows) as edge:
        assert edge.ask(NUMBER) == "-5 rejected open"
        edge.sql("UPDATE callroute_did SET priority = 4 WHERE id = 1", "DELETE FROM callroute_did WHERE id = 2",
                 "UPDATE callroute_did SET priority = 5 WHERE id = 3")
        edge.reload()
        assert edge.ask(NUMBER) == "-5 rejected always"
        edge.sql("DELETE FROM callroute_did WHERE id = 3")
        edge.reload()
        assert edge.ask(NUMBER) == "-6 time"


def test_normalised_number_is_the_did(tmp_path):
    route = "callroute_account();\ncallroute_normalize();\n" + IN
    rows = [did(1, "reject", ""), insert("callroute_account", match_type="ip", match_value="127.0.0.0/8", plan_id=1,
                                         country="DE")]
    with edge_of(tmp_path, rows, route) as edge:
        assert edge.ask("030555") == "-5 rejected"


# -- hunt groups: parallel ---------------------------------------------------------


def test_all_ring_and_the_first_answer_wins(tmp_path):
    places = [Place(name) for name in "abc"]
    with edge_of(tmp_path, group(1, "sales", "parallel", [one.uri for one in places]), HUNT) as edge:
        phones = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        invites = [ring(one) for one in phones]
        accept(phones[1], invites[1])
        response = final(caller, raw)
        assert response.status == 200 and phones[1].user in response.contact_uris()[0], response
        for at in (0, 2):
            cancelled(phones[at], invites[at])


def test_next_priority_when_all_of_one_refuse(tmp_path):
    places = [Place(name) for name in "abcd"]
    uris = [(one.uri, {"priority": 1 if one.name in "ab" else 2}) for one in places]
    with edge_of(tmp_path, group(1, "sales", "parallel", uris), HUNT) as edge:
        phones = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        invites = [ring(one) for one in phones[:2]]
        refuse(phones[0], invites[0])
        assert phones[2].end.request("INVITE", 0.3) is None, "rings before b has refused"
        refuse(phones[1], invites[1], 480, "Temporarily Unavailable")
        invites = [ring(one) for one in phones[2:]]
        accept(phones[3], invites[1])
        assert final(caller, raw).status == 200
        cancelled(phones[2], invites[0])


# -- serial -------------------------------------------------------------------------


def test_one_after_the_other_by_busy_and_by_time(tmp_path):
    """Busy: the next at once. No answer: after the member's own time. Silence: likewise."""
    limits = {"a": 60000, "b": 1000, "c": 2500, "d": 1000}
    places = [Place(name) for name in limits]
    uris = [(one.uri, {"ring_timeout_ms": limits[one.name], "priority": number}) for number, one in enumerate(places)]
    with edge_of(tmp_path, group(1, "sales", "serial", uris), HUNT) as edge:
        busy, short, longer, silent = phones = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        invite = ring(busy)
        assert all(one.end.request("INVITE", 0.1) is None for one in phones[1:])
        refuse(busy, invite)
        taken = []
        for phone in (short, longer):
            invite, since = ring(phone), time.monotonic()
            cancelled(phone, invite)
            taken.append(time.monotonic() - since)
        assert taken[0] > 0.8 and taken[1] > taken[0] + 1, taken
        assert silent.end.request("INVITE") is not None
        response = final(caller, raw, 10)
        assert response is not None and response.status in (408, 486, 487), response
        assert "rc=-7 reason=exhausted" in edge.kamailio.wait_line("next rc=-")


def test_declined_goes_on_too(tmp_path):
    """603 of a telephone is its user's word, not the group's."""
    places = [Place("a"), Place("b")]
    with edge_of(tmp_path, group(1, "sales", "serial", [one.uri for one in places]), HUNT) as edge:
        first, second = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        refuse(first, ring(first), 603, "Decline")
        accept(second, ring(second))
        assert final(caller, raw).status == 200


def test_caller_gives_up(tmp_path):
    places = [Place("a"), Place("b")]
    with edge_of(tmp_path, group(1, "sales", "serial", [one.uri for one in places]), HUNT) as edge:
        first, second = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        invite = ring(first)
        assert caller.end.expect(lambda m: m.status == 180) is not None
        sent = sip.Message(raw)
        caller.end.send(sip.build(f"CANCEL {sent.uri} SIP/2.0", [
            *[(name, sent.get(name)) for name in ("via", "from", "to", "call-id")],
            ("CSeq", f"{sent.cseq[0]} CANCEL")]))
        cancelled(first, invite)
        assert final(caller, raw).status == 487
        assert second.end.request("INVITE", 0.3) is None


def test_disabled_and_closed_members_do_not_ring(tmp_path):
    places = [Place(name) for name in "abc"]
    uris = [(places[0].uri, {"enabled": 0}), (places[1].uri, {"time_id": 1}), places[2].uri]
    rows = [insert("callroute_time", id=1, dtstart="20200101T000000", duration="PT1H"),
            *group(1, "sales", "serial", uris)]
    with edge_of(tmp_path, rows, HUNT) as edge:
        phones = [one.phone(edge) for one in places]
        rings_until_answer(edge, phones[2], "sip:sales@127.0.0.1")
        assert all(one.end.request("INVITE", 0.1) is None for one in phones[:2])


def test_member_that_a_reload_removed_is_passed_over(tmp_path):
    places = [Place(name) for name in "abc"]
    with edge_of(tmp_path, group(1, "sales", "serial", [one.uri for one in places]), HUNT) as edge:
        phones = [one.phone(edge) for one in places]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        invite = ring(phones[0])
        edge.sql(f"DELETE FROM callroute_member WHERE uri = '{places[1].uri}'")
        edge.reload()
        refuse(phones[0], invite)
        accept(phones[2], ring(phones[2]))
        assert final(caller, raw).status == 200
        assert phones[1].end.request("INVITE", 0.1) is None


def test_weight_0_rings_last(tmp_path):
    places = [Place("a"), Place("b")]
    uris = [(places[0].uri, {"weight": 0}), (places[1].uri, {"weight": 10})]
    with edge_of(tmp_path, group(1, "sales", "weighted", uris), HUNT) as edge:
        last, first = [one.phone(edge) for one in places]
        for _ in range(5):
            caller, raw = edge.dial("sip:sales@127.0.0.1")
            refuse(first, ring(first))
            refuse(last, ring(last))
            assert final(caller, raw).status == 486


def test_users_of_this_server_ring(tmp_path):
    """Members that are users: the script looks all branches up, in the failure route too."""
    uris = [(f"sip:{name}@127.0.0.1", {"priority": prio}) for name, prio in (("alice", 1), ("bob", 1), ("carol", 2))]
    with edge_of(tmp_path, group(1, "sales", "parallel", uris), HUNT) as edge:
        alice, bob, carol = phones = [edge.registered(name, f"127.1.0.{number}")
                                      for number, name in enumerate(("alice", "bob", "carol"), 31)]
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        for phone, invite in [(one, ring(one)) for one in phones[:2]]:
            refuse(phone, invite)
        accept(carol, ring(carol))
        response = final(caller, raw)
        assert response.status == 200, (response, alice, bob)


# -- bounds -------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["parallel", "serial"])
@pytest.mark.parametrize("limit", [12, 30])
def test_no_more_members_than_branches(tmp_path, strategy, limit):
    """64 members; Kamailio sends one transaction to max_branches places, by default 12."""
    place = Place("m")
    uris = [place.uri.replace("m@", f"m{number}@") for number in range(64)]
    params = "" if limit == 12 else f"max_branches={limit}"
    with edge_of(tmp_path, group(1, "all", strategy, uris), HUNT, params=params) as edge:
        phone = place.phone(edge)
        caller, raw = edge.dial("sip:all@127.0.0.1")
        for _ in range(limit):
            refuse(phone, ring(phone))
        response = final(caller, raw)
        assert response is not None and response.status == 486, response
        assert f"{64 - limit} members do not ring: max_branches={limit}" in edge.kamailio.wait_line("do not ring")
        assert "rc=-7 reason=max_branches" in edge.kamailio.wait_line("next rc=-")


def test_no_such_group(tmp_path):
    with edge_of(tmp_path, group(1, "sales", "serial", ["sip:a@127.1.0.9"]), HUNT) as edge:
        assert edge.ask("marketing") == "-1 no_group"


# -- from trunks to members and back ---------------------------------------------------


def test_trunks_then_members_hold_no_channel(tmp_path):
    """The trunk fails, its failure counts as the trunk's, and a hunt group takes the call."""
    place = Place("desk")
    route = 'callroute_select();\nt_on_failure("TO_MEMBERS");\nt_relay();\n'
    routes = """failure_route[TO_MEMBERS] {
    if (callroute_fork("sales")) t_relay();
}
"""
    with edge_of(tmp_path, group(1, "sales", "serial", [place.uri]), route, [Trunk("one")], routes) as edge:
        edge.ends["one"].invite = (503,)
        phone = place.phone(edge)
        caller, raw = edge.dial("sip:+4930123@127.0.0.1")
        invite = ring(phone)
        assert edge.channels() == 0
        assert edge.stats("one")["attempts"] == 1
        accept(phone, invite)
        assert final(caller, raw).status == 200
        assert edge.stats("one")["answered"] == 0


def test_members_then_trunks(tmp_path):
    place = Place("desk")
    routes = """failure_route[MEMBERS] {
    if (callroute_next()) {
        t_on_failure("MEMBERS");
        t_relay();
        exit;
    }
    if (callroute_select("default", "4930123")) {
        t_on_failure("TRUNKS");
        t_relay();
    }
}
failure_route[TRUNKS] {
    if (callroute_next()) t_relay();
}
"""
    route = HUNT.replace('lookup_branches("location");', "")
    trunks = [Trunk("one", price=1), Trunk("two", price=2)]
    with edge_of(tmp_path, group(1, "sales", "serial", [place.uri]), route, trunks, routes) as edge:
        edge.ends["one"].invite = (503,)
        phone = place.phone(edge)
        caller, raw = edge.dial("sip:sales@127.0.0.1")
        refuse(phone, ring(phone))
        assert final(caller, raw).status == 200
        assert (len(edge.ends["one"].got("INVITE")), len(edge.ends["two"].got("INVITE"))) == (1, 1)

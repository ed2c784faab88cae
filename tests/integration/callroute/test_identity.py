# SPDX-License-Identifier: GPL-2.0-or-later
"""Who a call says it is from: asserted identities, privacy and the caller's number, trunk by trunk.

RFC 3325 (P-Asserted-Identity among those who trust each other), RFC 3323 (Privacy).
"""

import pytest

from support import ports
from support.inbound import OUT, account, inbound
from support.live import row
from support.outgoing import CFG, Dialled, bye_from, outgoing
from support.routing import Trunk

NAMES = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy")
PAI, PPI, RPID = "<sip:+4930999@pbx.test>", "<sip:+4930998@pbx.test>", '"x" <sip:+4930997@pbx.test>;party=calling'
SPOKEN = list(zip(NAMES, (PAI, PPI, RPID, "header")))
AUTH = [("X-Auth", "yes")]
NUMBER = "+4930123456"
POLICIES = ("pass", "assert", "hide", "strip")


def identity(invite):
    """{header: values} of the identity headers that are there."""
    return {name: invite.all(name) for name in NAMES if invite.all(name)}


def asserted(number, host=ports.TRUNKS):
    """The header that callroute makes."""
    return [f"<sip:{number}@{host}>"]


AS_WANTED = {
    "pass": {name: [value] for name, value in SPOKEN},
    "assert": {NAMES[0]: asserted("+4930999"), "Privacy": ["header"]},
    "hide": {NAMES[0]: asserted("+4930999"), "Privacy": ["id;header"]},
    "strip": {"Privacy": ["header"]},
}


def to_each(trunks):
    """A rule for each trunk: 491... goes to the first, 492... to the second."""
    return [row("rule", id=key, plan_id=1, prefix=f"49{key}", action="route", target=one.name)
            for key, one in enumerate(trunks, 1)]


def invites(edge, trunks, agent=None, **how):
    """{trunk: the INVITE that it gets}, one call to each."""
    got = {}
    for key, one in enumerate(trunks, 1):
        answer, tried = edge.call(f"+49{key}00123", agent, **how)
        assert (answer.status, tried) == (200, [one.name]), answer
        got[one.name] = edge.ends[one.name].got("INVITE")[-1]
    return got


# -- policies -------------------------------------------------------------------


@pytest.mark.parametrize("own", POLICIES)
def test_the_stricter_of_account_and_trunk_holds(tmp_path, own):
    trunks = [Trunk(policy, cli_policy=policy) for policy in POLICIES]
    rows = [*to_each(trunks), account(1, "ip", "127.0.0.0/8", cli_policy=own)]
    with inbound(tmp_path, OUT, trunks, sql=rows) as edge:
        got = invites(edge, trunks, headers=SPOKEN)
        for policy in POLICIES:
            stricter = max(policy, own, key=POLICIES.index)
            assert identity(got[policy]) == AS_WANTED[stricter], (policy, own)
            assert "sip:4989111@" in got[policy].get("from")


def test_headers_that_are_not_there(tmp_path):
    trunks = [Trunk(policy, cli_policy=policy) for policy in POLICIES]
    with inbound(tmp_path, OUT, trunks, sql=[*to_each(trunks), account(1, "ip", "127.0.0.0/8")]) as edge:
        got = {name: identity(invite) for name, invite in invites(edge, trunks).items()}
        assert got == {"pass": {}, "assert": {NAMES[0]: asserted("+4989111")},
                       "hide": {NAMES[0]: asserted("+4989111"), "Privacy": ["id"]}, "strip": {}}


@pytest.mark.parametrize("spoken, wanted", [
    ("id", "id"), ("none", "id"), ("user;header", "id;user;header"), ("header;id;critical", "header;id;critical"),
    ("ID", "ID"), ("identity", "id;identity"), ("header;" + "x" * 600, "id;header;" + "x" * 600)])
def test_privacy_that_was_asked_for_stays(tmp_path, spoken, wanted):
    with inbound(tmp_path, OUT, [Trunk("a", cli_policy="hide")], sql=[account(1, "ip", "127.0.0.0/8")]) as edge:
        edge.call(NUMBER, headers=[("Privacy", spoken)])
        assert edge.ends["a"].got("INVITE")[0].all("Privacy") == [wanted]


# -- whom to believe --------------------------------------------------------------


def test_who_is_believed(tmp_path):
    """An assertion holds of an account known by address and of a trunk; of anybody else it is removed."""
    trunks = [Trunk("pass"), Trunk("assert", cli_policy="assert")]
    rows = [*to_each(trunks), account(1, "user", "4989111@127.0.0.1"), account(2, "ip", ports.FOREIGN),
            account(3, "domain", "caller.test"), account(4, "trunk", "pass")]
    with inbound(tmp_path, OUT, trunks, sql=rows) as edge:
        believed = {"pass": AS_WANTED["pass"], "assert": AS_WANTED["assert"]}
        own = {"pass": {NAMES[1]: [PPI], "Privacy": ["header"]},
               "assert": {NAMES[0]: asserted("+4989111"), "Privacy": ["header"]}}
        for who, agent, wanted, more in (
                ("peer", edge.agent(host=ports.FOREIGN), believed, []),
                ("trunk", edge.agent(host=ports.TRUNKS), believed, []),
                ("user", edge.user("4989111"), own, AUTH),
                ("domain", edge.user("4989111", "caller.test"), own, AUTH)):
            got = invites(edge, trunks, agent, headers=[*SPOKEN, *more])
            assert {name: identity(invite) for name, invite in got.items()} == wanted, who


@pytest.mark.parametrize("spoken, wanted", [
    (["<tel:+4930999>"], "+4930999"), (["<sip:bob@pbx.test>", "<tel:+4930999>"], "+4930999"),
    (["<sip:bob@pbx.test>, <tel:+4930999>"], "+4930999"), (['"Bob, Jr" <sip:+4930999@pbx.test;user=phone>'], "+4930999"),  # noqa: E501
    (["<sip:bob@pbx.test>"], "+4989111"), (["<sip:+49-30-999@pbx.test>"], "+4930999"), (["<<<>"], "+4989111"),
    (["sip:+4930999@pbx.test"], "+4930999"), (["<sip:+4930999;npdi@pbx.test>"], "+4930999"),
    ([""], "+4989111"), (["<sip:" + "4" * 33 + "@pbx.test>"], "+4989111")])
def test_which_assertion_is_the_number(tmp_path, spoken, wanted):
    with inbound(tmp_path, OUT, [Trunk("a", cli_policy="assert")], sql=[account(1, "ip", "127.0.0.0/8")]) as edge:
        edge.call(NUMBER, headers=[(NAMES[0], value) for value in spoken])
        assert identity(edge.ends["a"].got("INVITE")[0]) == {NAMES[0]: asserted(wanted)}


def test_restricted_number(tmp_path):
    """An anonymous caller has the number that a peer asserts for him, and keeps his privacy; else none."""
    trunks = [Trunk(policy, cli_policy=policy, src_rewrite="49>0") for policy in ("assert", "hide")]
    rows = [*to_each(trunks), account(1, "ip", ports.FOREIGN), account(2, "user", "4989111")]
    anonymous = {"From": '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a1'}
    with inbound(tmp_path, OUT, trunks, sql=rows) as edge:
        spoken = [(NAMES[0], PAI), ("Privacy", "id")]
        known = invites(edge, trunks, edge.agent(host=ports.FOREIGN), headers=spoken, replace=anonymous)
        for invite in known.values():
            assert identity(invite) == {NAMES[0]: asserted("030999"), "Privacy": ["id"]}
            assert invite.get("from") == anonymous["From"]
        unknown = invites(edge, trunks, edge.user("4989111"), headers=[*spoken, *AUTH], replace=anonymous)
        for invite in unknown.values():
            assert identity(invite) == {"Privacy": ["id"]}


# -- trunk by trunk -----------------------------------------------------------------


FROM = """
branch_route[FROM] {
    if ($callroute(cli) != $null) {
        uac_replace_from("", "sip:$callroute(cli)@from.test");
    }
}
"""
UAC = 'loadmodule "uac.so"\nmodparam("uac", "restore_mode", "auto")\nmodparam("rr", "append_fromtag", 1)'
PER_BRANCH = CFG.replace('t_on_failure("NEXT");', 't_on_failure("NEXT");\n    t_on_branch("FROM");')


def headers(invite):
    """The headers of a request but for what each hop writes."""
    return sorted((name, value) for name, value in invite.headers
                  if name not in ("via", "max-forwards", "record-route", "content-length"))


def test_fail_over_leaves_nothing_of_the_trunk_before(tmp_path):
    """hide, strip, assert, pass: each as if it were the first, the last one to the letter what the caller sent."""
    trunks = [Trunk("hide", 1, cli_policy="hide", src_rewrite="49>0"), Trunk("strip", 2, cli_policy="strip"),
              Trunk("assert", 3, cli_policy="assert", src_rewrite="4930>+44,>+"), Trunk("pass", 4)]
    rows = [account(1, "ip", "127.0.0.0/8")]
    with outgoing(tmp_path, trunks, sql=rows) as live:
        call = Dialled(live, replace=dict(SPOKEN[:2]))
        for one in trunks[:3]:
            call.reply(one.name, 503)
        call.answered("pass").hang_up()
        got = {one.name: call.at(one.name) for one in trunks}
        assert {name: identity(invite) for name, invite in got.items()} == {
            "hide": {NAMES[0]: asserted("030999"), "Privacy": ["id"]}, "strip": {},
            "assert": {NAMES[0]: asserted("+44999")}, "pass": {NAMES[0]: [PAI], NAMES[1]: [PPI]}}
        assert headers(got["pass"]) == headers(call.sent)


@pytest.mark.parametrize("dialog", [False, True])
def test_from_is_rewritten_per_branch_and_restored(tmp_path, dialog):
    """The trunk sees one From in every request of its call; the caller sees his own in all that comes back."""
    trunks = [Trunk("a", 1, src_rewrite="49>0049"), Trunk("b", 2, src_rewrite="49>0")]
    with outgoing(tmp_path, trunks, cfg=PER_BRANCH, params=UAC, routes=FROM, dialog=dialog) as live:
        call = Dialled(live)
        own = call.sent.get("from")

        def froms(name, method):
            return {one.get("from") for one in live.ends[name].got(method)}

        call.reply("a", 503)
        a, b = (own.replace(call.agent.aor, f"sip:{number}@from.test") for number in ("004989111", "089111"))
        live.ends["a"].wait("ACK")
        assert froms("a", "INVITE") == froms("a", "ACK") == {a}
        call.reply("b", 180)
        call.provisional(180)
        call.answered("b")
        assert call.dialog.ok.get("from") == own
        live.ends["b"].wait("ACK")
        call.hang_up()
        assert froms("b", "INVITE") == froms("b", "ACK") == froms("b", "BYE") == {b}
        # The other side's own requests name the caller in To.
        again = Dialled(live).reply("a", 503).answered("b")
        invite = again.at("b")
        assert bye_from(live, "b", again, to=invite.get("from")) == 200
        assert again.agent.end.seen[-1].method == "BYE" and again.agent.end.seen[-1].get("to") == again.sent.get("from")


def test_cancel_has_the_branchs_from(tmp_path):
    with outgoing(tmp_path, [Trunk("a", 1, src_rewrite="49>0")], cfg=PER_BRANCH, params=UAC, routes=FROM) as live:
        call = Dialled(live).reply("a", 180)
        call.provisional(180)
        assert call.cancel() == 200 and call.final() == "487 Request Terminated"
        cancel = live.ends["a"].wait("CANCEL")[0]
        assert cancel.get("from") == call.at("a").get("from") != call.sent.get("from")


def test_a_second_choice_has_its_own_policy(tmp_path):
    """Whose first choice had nothing to do with identities."""
    again = 'failure_route[AGAIN] { callroute_select("second"); t_relay(); }'
    rows = [row("plan", id=2, name="second"), "UPDATE callroute_plan_trunk SET plan_id = 2 WHERE trunk_id = 2"]
    trunks = [Trunk("a"), Trunk("b", cli_policy="hide")]
    for name, select, routes in (
            ("failure", 'callroute_select("default"); t_on_failure("AGAIN"); t_relay(); exit;', again),
            ("request", 'callroute_select("default"); callroute_select("second");', "")):
        with outgoing(tmp_path / name, trunks, select, sql=rows, routes=routes) as live:
            call = Dialled(live, replace=dict(SPOKEN))
            if routes:
                call.reply("a", 503)
            call.answered("b").hang_up()
            assert identity(call.at("b")) == {NAMES[0]: asserted("+4989111"), "Privacy": ["id;header"]}, name


def test_a_policy_that_a_reload_brings(tmp_path):
    trunks = [Trunk("a", 1, try_timeout_ms=20000), Trunk("b", 2)]
    with outgoing(tmp_path, trunks) as live:
        call = Dialled(live, replace=dict(SPOKEN))
        call.at("a")
        live.sql("UPDATE callroute_trunk SET cli_policy = 'strip' WHERE name = 'b'")
        live.reload()
        call.reply("a", 503).answered("b").hang_up()
        assert identity(call.at("b")) == AS_WANTED["strip"]


def test_what_comes_after_the_trunks_is_no_trunks(tmp_path):
    """A failure route that goes on to a mailbox has what the caller sent."""
    mailbox = Trunk("mailbox")
    there = f"sip:{ports.TRUNKS}:{mailbox.port}"
    after = f'failure_route[BOX] {{ if (callroute_next()) exit; $du = "{there}"; t_relay(); }}'
    select = 'callroute_select("default"); t_on_failure("BOX"); t_relay(); exit;'
    rows = ["DELETE FROM callroute_plan_trunk WHERE trunk_id = 2"]
    with outgoing(tmp_path, [Trunk("a", cli_policy="strip"), mailbox], select, sql=rows, routes=after) as live:
        call = Dialled(live, replace=dict(SPOKEN)).reply("a", 503)
        call.answered("mailbox").hang_up()
        assert identity(call.at("a")) == AS_WANTED["strip"]
        assert identity(call.at("mailbox")) == AS_WANTED["pass"]

# SPDX-License-Identifier: GPL-2.0-or-later
"""Outgoing calls through callroute, step by step, and what they hold meanwhile.

    with outgoing(folder, [Trunk("a"), Trunk("b")]) as routing:
        call = Dialled(routing)
        call.at("a")                 the INVITE has reached trunk a's far end
        routing.ends["a"].reply(call.at("a"), 200)
        ...
    # every channel was given back

A refusal of callroute_select() is answered 480 with its code and reason; one of
callroute_next() is logged. Far ends are silent unless a test says otherwise.
"""

import contextlib
import re

from . import ports, sip, testcfg
from .agent import Answer, ack
from .process import eventually
from .routing import Routing

NUMBER = "+4930123456"
SELECT = 'callroute_select("default");'

RELEASE = f"#!ifndef WITHOUT_RELEASE\n{testcfg.RELEASE}#!endif\n"
CFG = testcfg.head("tmx", "counters", children=4, debug=1, more="""
modparam("tm", "wt_timer", 500)
""") + testcfg.REQUEST + testcfg.start(bye=RELEASE) + """
    record_route();
    callroute_account();
    {before}
    $var(code) = $rc;
    if ($var(code) != 1) {{
        $var(text) = $_s($var(code) $callroute(reason));
        sl_send_reply("480", "$var(text)");
        exit;
    }}
    route(RELAY);
}}

route[RELAY] {{
    xlog("L_NOTICE", "trunk-try trunk=$callroute(trunk) attempt=$callroute(attempt) call=$ci\\n");
    t_on_failure("NEXT");
    t_relay();
    exit;
}}

failure_route[NEXT] {{
    callroute_next();
    $var(code) = $rc;
    if ($var(code) == 1) {{
        route(RELAY);
    }}
    xlog("L_NOTICE", "next-refused code=$var(code) reason=$callroute(reason) call=$ci\\n");
}}
{routes}
"""


def plan_row(**columns):
    """An INSERT of one row more, whatever the table: plan_row(table="callroute_rule", ...)."""
    table = columns.pop("table")
    values = ", ".join(repr(value) for value in columns.values())
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"


def account(**columns):
    """The account of everybody on the loopback networks."""
    return plan_row(table="callroute_account", **{"id": 7, "match_type": "ip", "match_value": "127.0.0.0/8",
                                                 "plan_id": 1, **columns})  # noqa: E128


@contextlib.contextmanager
def outgoing(folder, trunks, select=SELECT, cfg=CFG, **how):
    """A Routing whose trunks are silent; at its end nothing may be held."""
    with Routing(folder, trunks, before=select, cfg=cfg, **how) as routing:
        for end in routing.ends.values():
            end.invite = ()
        yield routing
        assert_nothing_held(routing)


def held(routing):
    """{trunk: channels}, and under "" those of all owners together.

    By every way that tells: callroute.stats, callroute.list_trunks, the statistics. They are
    asked one after the other, so they are asked again when a call has moved between them.
    """
    told = []

    def agree():
        stats = routing.rpc("callroute.stats")
        told[:] = [({row["trunk"]: row["channels"] for row in rows}, total) for rows, total in (
            (stats["trunks"], stats["channels"]),
            (routing.rpc("callroute.list_trunks"), routing.rpc("cnt.get", "callroute", "channels")))]
        return told[0] == told[1]
    assert eventually(agree, 5), told
    return {"": told[0][1], **told[0][0]}


def assert_nothing_held(routing, seconds=10):
    """Every gauge becomes exactly 0, and nothing went uncounted."""
    assert eventually(lambda: set(held(routing).values()) == {0}, seconds), held(routing)
    assert routing.rpc("callroute.stats")["untracked"] == 0
    assert routing.rpc("cnt.get", "callroute", "untracked") == 0


def assert_held(routing, seconds=5, **wanted):
    """The trunks' gauges become these, those not named 0."""
    def now():
        return {name: count for name, count in held(routing).items() if name and count}
    assert eventually(lambda: now() == wanted, seconds), held(routing)


class Dialled:
    """One INVITE of a caller and what becomes of it."""

    def __init__(self, routing, number=NUMBER, agent=None, **how):
        self.routing = routing
        self.agent = agent or routing.agent()
        self.mark = routing.kamailio.mark()
        self.raw = self.agent.message("INVITE", f"sip:{number}@127.0.0.1", [("Content-Type", "application/sdp")],
                                      sip.sdp(ports.OFFICE, 4000), **how)
        self.sent = sip.Message(self.raw)
        self.dialog = None
        self.agent.end.send(self.raw)

    @property
    def callid(self):
        """The Call-ID."""
        return self.sent.callid

    def at(self, name, count=1):
        """The INVITE at a trunk's far end, once this call has come there `count` times."""
        end = self.routing.ends[name]

        def mine():
            return [one for one in end.got("INVITE") if one.callid == self.callid]
        assert eventually(lambda: len(mine()) >= count), f"call {self.callid} did not reach {name}"
        return mine()[count - 1]

    def reply(self, name, status, count=1):
        """The far end's reply to this call."""
        self.routing.ends[name].reply(self.at(name, count), status)
        return self

    def provisional(self, status, seconds=5):
        """Wait for a provisional reply at the caller."""
        got = self.agent.end.expect(lambda m: m.is_response and m.callid == self.callid and m.status == status,
                                    seconds)
        assert got is not None, f"no {status} reached the caller"

    def final(self, seconds=15):
        """The caller's final reply as 'status reason', acknowledged."""
        response = self.agent.end.final(self.callid, self.sent.cseq, seconds)
        if response is None:
            return "no answer"
        if response.status >= 300:
            self.agent.end.send(ack(self.sent, response))
        else:
            self.dialog = self.agent.dialog(Answer(response, self.raw))
            self.dialog.ack()
        return f"{response.status} {response.reason}"

    def answered(self, name, count=1):
        """The far end of a trunk takes the call."""
        self.reply(name, 200, count)
        assert self.final() == "200 OK"
        return self

    def cancel(self):
        """The caller gives up; the status of the CANCEL."""
        head = [(name, self.sent.get(name)) for name in ("Via", "From", "To", "Call-ID")]
        raw = sip.build(f"CANCEL {self.sent.uri} SIP/2.0",
                        [*head, ("CSeq", f"{self.sent.cseq[0]} CANCEL"), ("Max-Forwards", "70")])
        self.agent.end.send(raw)
        response = self.agent.end.final(self.callid, (self.sent.cseq[0], "CANCEL"))
        return response.status if response else 0

    def hang_up(self):
        """BYE of the caller."""
        response = self.dialog.bye()
        assert response is not None and response.status == 200, response

    def tried(self):
        """The trunks of this call so far, in order."""
        return [re.search(r"trunk=(\S+)", line)[1]
                for line in self.routing.kamailio.grep(f"trunk-try .*call={re.escape(self.callid)}", self.mark)]

    def next_refused(self, seconds=5):
        """'code reason' of callroute_next()'s refusal."""
        line = self.routing.kamailio.wait_line(f"next-refused .*call={re.escape(self.callid)}", seconds, self.mark)
        return " ".join(re.search(r"code=(\S+) reason=(\S*)", line).groups())


def bye_from(routing, name, call, to=None):
    """The far end of a trunk hangs up: the status of its BYE. `to`: what it knows the caller by."""
    invite = call.at(name)
    ok = call.dialog.ok
    with sip.Endpoint(routing.server, ports.TRUNKS) as end:
        raw = sip.build(f"BYE {call.sent.contact_uris()[0]} SIP/2.0", [
            ("Via", end.via()), ("Max-Forwards", "70"),
            *[("Route", one) for value in invite.all("record-route") for one in value.split(",")],
            ("From", ok.get("to")), ("To", to or call.sent.get("from")), ("Call-ID", call.callid),
            ("CSeq", "1 BYE")])
        end.send(raw)
        at_caller = call.agent.end.request("BYE")
        assert at_caller is not None, "the BYE did not reach the caller"
        call.agent.end.reply(at_caller, 200, "OK")
        response = end.final(call.callid, (1, "BYE"))
        return response.status if response else 0

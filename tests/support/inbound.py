# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute for calls that come in: a Kamailio with digest and registrar, whose route a test writes.

    with inbound(folder, ACCOUNT, sql=[account(1, "ip", "127.1.0.0/16", country="DE")]) as edge:
        edge.ask("+4930123")        # the reason phrase of the answer

The route gets INVITEs that start a call. One that has the header X-Auth is asked for
credentials first: any user, whose password is SECRET. Telephones register freely.
"""

import weakref

from . import ports, sip, testcfg
from .agent import Agent, Answer, Callee
from .routing import Routing, Trunk

SECRET = "secret"
CFG = testcfg.head("kex", "usrloc", "registrar", "auth", debug=1) + testcfg.REQUEST + testcfg.start(
    bye=testcfg.RELEASE) + """
    if (is_method("REGISTER")) {{
        save("location");
        exit;
    }}
    if (is_present_hf("X-Auth") && !pv_proxy_authenticate("$fd", "secret", "0")) {{
        proxy_challenge("$fd", "1");
        exit;
    }}
    record_route();
    {before}
}}
{routes}
"""

# Who calls, and nothing else.
ACCOUNT = """
    callroute_account();
    $var(rc) = $rc;
    sl_send_reply("480", "rc $var(rc) $callroute(reason) $callroute(account) $callroute(tenant)");
"""
# What the README shows for calls that go out.
OUT = """
    callroute_account();
    $var(who) = $rc;
    if (!callroute_is_emergency()) {
        if ($var(who) < 0) {
            sl_send_reply("403", "$callroute(reason)");
            exit;
        }
        if (!callroute_normalize()) {
            sl_send_reply("484", "$callroute(reason)");
            exit;
        }
    }
    callroute_select();
    $var(rc) = $rc;
    if ($var(rc) < 0) {
        sl_send_reply("480", "rc $var(rc) $callroute(reason)");
        exit;
    }
    xlog("L_NOTICE", "trunk-try trunk=$callroute(trunk) plan=$callroute(plan) number=$callroute(number) emergency=$callroute(emergency)\\n");  # noqa: E501
    t_on_failure("NEXT");
    t_relay();
"""
NEXT = """
failure_route[NEXT] {
    if (t_is_canceled()) exit;
    callroute_next();
    $var(rc) = $rc;
    xlog("L_NOTICE", "next rc=$var(rc) reason=$callroute(reason)\\n");
    if ($var(rc) > 0) {
        t_on_failure("NEXT");
        t_relay();
    }
}
"""


def insert(table, **columns):
    """The INSERT of one row."""
    values = ", ".join(repr(value) for value in columns.values())
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"


def account(key, kind, value, **columns):
    """The INSERT of an account of plan 1."""
    return insert("callroute_account", **{"id": key, "match_type": kind, "match_value": value, "plan_id": 1, **columns})


def said(reason):
    """The words of a reason phrase, without the "rc" before the code and without what is $null."""
    return reason.removeprefix("rc ").replace("<null>", "").rstrip()


class Edge(Routing):
    """A Routing with questions whose answer is a reason phrase."""

    def ask(self, number="100", agent=None, **how):
        """What the answer to a call says, with said()."""
        return said(self.asked(f"sip:{number}@127.0.0.1", agent, **how).reason)

    def asked(self, uri, agent=None, **how):
        """The Answer to an INVITE."""
        return (agent or self.agent()).invite(uri, **how)

    def user(self, name, domain="127.0.0.1", host=ports.OFFICE, password=SECRET):
        """A telephone with credentials."""
        return self.keep(Agent(self.server, name, domain, password, host))

    def registered(self, name, host=ports.OFFICE):
        """A telephone that has registered."""
        one = self.user(name, host=host)
        assert one.register().status == 200
        return one

    def dial(self, uri, agent=None):
        """Send an INVITE and do not wait: (agent, what was sent)."""
        agent = agent or self.agent()
        raw = agent.message("INVITE", uri, [("Content-Type", "application/sdp")], sip.sdp(agent.end.host, 4000))
        agent.end.send(raw)
        return agent, raw

    def channels(self):
        """Calls that hold a channel, over all trunks."""
        return sum(row["channels"] for row in self.rpc("callroute.stats")["trunks"])


def inbound(folder, route, trunks=(), routes=NEXT, ipv6=False, **how):
    """An Edge with this request route for new calls; with `ipv6` it listens on ::1 too."""
    v4 = "listen=udp:127.0.0.1:{port}\n"
    cfg = CFG.replace(v4, v4 + "listen=udp:[::1]:{port}\n") if ipv6 else CFG
    return Edge(folder, trunks or [Trunk("unused", uri=f"sip:{ports.TRUNKS}:9")], cfg=cfg, before=route, routes=routes,
                **{"aliases": [ports.HOME], **how})


def final(agent, raw, seconds=sip.DEADLINE):
    """The final response to what dial() sent."""
    sent = sip.Message(raw)
    return agent.end.final(sent.callid, sent.cseq, seconds)


def accept(phone, invite):
    """The telephone takes the call."""
    phone.end.reply(invite, 200, "OK", [("Contact", f"<{phone.contact}>"), ("Content-Type", "application/sdp")],
                    sip.sdp(phone.end.host, 5000), tag=sip.token())


def refuse(phone, invite, status=486, reason="Busy Here"):
    """The telephone refuses the call; its ACK."""
    return Callee(phone.end).refuse(invite, status, reason)


def hang_up(agent, raw, response):
    """ACK and BYE of an accepted call; the status of the BYE as the other end answers it."""
    dialog = agent.dialog(Answer(response, raw))
    dialog.ack()
    return dialog


# -- hunt groups ----------------------------------------------------------------


class Place:
    """Where a telephone will be, before there is a server to send to."""

    def __init__(self, name, host="127.1.0.20"):
        self.name, self.host, self.port = name, host, ports.port()

    @property
    def uri(self):
        """Its SIP URI."""
        return f"sip:{self.name}@{self.host}:{self.port}"

    def phone(self, edge):
        """The telephone itself."""
        return edge.keep(Agent(edge.server, self.name, "127.0.0.1", SECRET, self.host, port=self.port))


def group(key, name, strategy, uris, **columns):
    """The rows of a hunt group; `uris` holds URIs, or (URI, {column: value})."""
    yield insert("callroute_group", id=key, name=name, strategy=strategy, **columns)
    for number, one in enumerate(uris, 1):
        uri, more = one if isinstance(one, tuple) else (one, {})
        yield insert("callroute_member", **{"id": 100 * key + number, "group_id": key, "uri": uri, **more})


RUNG = weakref.WeakKeyDictionary()      # the Vias that each telephone has seen


def ring(phone, seconds=sip.DEADLINE):
    """Wait for an INVITE that this telephone has not seen, and ring; fails in vain."""
    rung = RUNG.setdefault(phone, set())
    invite = phone.end.expect(lambda m: m.method == "INVITE" and m.get("via") not in rung, seconds)
    assert invite is not None, f"{phone.user} was not called"
    rung.add(invite.get("via"))
    phone.end.reply(invite, 180, "Ringing", tag="r" + sip.token())
    return invite


def cancelled(phone, invite, seconds=sip.DEADLINE):
    """Wait until the ringing ends by a CANCEL, and answer as one must; fails in vain."""
    cancel = phone.end.request("CANCEL", seconds)
    assert cancel is not None and cancel.callid == invite.callid, f"{phone.user} rings on"
    phone.end.reply(cancel, 200, "OK", tag=sip.token())
    phone.end.reply(invite, 487, "Request Terminated", tag=sip.token())

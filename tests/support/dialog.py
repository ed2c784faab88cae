# SPDX-License-Identifier: GPL-2.0-or-later
"""One end's view of a dialog (RFC 3261, 12): tags, route set, remote target, and the requests in it."""

from . import sip


def ack(invite, response):
    """The ACK of a failure: same branch, hop by hop (RFC 3261, 17.1.1.3)."""
    head = [("Via", invite.get("via")), ("Max-Forwards", "70"), ("From", invite.get("from")),
            ("To", response.get("to")), ("Call-ID", invite.callid),
            ("CSeq", f"{invite.cseq[0]} ACK")]
    head += [("Route", value) for value in invite.all("route")]
    return sip.build(f"ACK {invite.uri} SIP/2.0", head)


def routes_of(message):
    """The Record-Route values, in order."""
    return [one.strip() for value in message.all("record-route") for one in value.split(",")]


class Dialog:
    """The end of `agent` in a dialog.

    invite    the INVITE that began it, as this end sent or got it
    response  the reply that made it (caller), or None (callee)
    tag       the callee's own tag (callee)
    """

    def __init__(self, agent, invite, response=None, tag=None):
        self.agent, self.end, self.invite, self.ok = agent, agent.end, invite, response
        self.callid = invite.callid
        if response:
            self.local, self.remote, self.cseq = invite.get("from"), response.get("to"), invite.cseq[0]
            self.routes = routes_of(response)[::-1]
        else:
            self.local, self.remote, self.cseq = f"{invite.get('to')};tag={tag}", invite.get("from"), 0
            self.routes = routes_of(invite)
        self.target = invite.uri
        self.refresh(response or invite)

    def refresh(self, message):
        """The other end has said where it is now (RFC 3261, 12.2)."""
        self.target = (message.contact_uris() or [self.target])[0]
        return self

    def confirm(self, ok):
        """The 200 has come: its route set and target count (RFC 3261, 13.2.2.4)."""
        self.ok, self.routes, self.remote = ok, routes_of(ok)[::-1], ok.get("to")
        return self.refresh(ok)

    def request(self, method, cseq=None, headers=(), body=b""):
        """The bytes of a request in this dialog."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        kind = [("Content-Type", "application/sdp")] if body else []
        return sip.build(f"{method} {self.target} SIP/2.0", [
            ("Via", self.end.via()), ("Max-Forwards", "70"), *[("Route", one) for one in self.routes],
            ("From", self.local), ("To", self.remote), ("Call-ID", self.callid),
            ("CSeq", f"{cseq} {method}"), ("Contact", self.agent.contact_value()), *kind, *headers], body)

    def ack(self):
        """Acknowledge the 200; with an answer where the offer came in it."""
        late = not self.invite.body and self.ok.body
        self.end.send(self.request("ACK", self.invite.cseq[0], body=self.agent.sdp() if late else b""))

    def bye(self, seconds=sip.DEADLINE):
        """Hang up; the final response or None."""
        raw = self.request("BYE")
        self.end.send(raw)
        return self.end.final(self.callid, sip.Message(raw).cseq, seconds)

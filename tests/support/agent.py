# SPDX-License-Identifier: GPL-2.0-or-later
"""A scripted telephone: one account on one `sip.Endpoint`.

It follows the rules of a polite client (digest once per challenge, ACK to the
right place, route set in dialogs), and lets a test override any header, so
that the impolite ones differ in exactly one thing.
"""

import re

from . import ports, sip


class Answer:
    """A final response and the bytes of the request that got it."""

    def __init__(self, response, sent):
        self.response, self.sent = response, sent

    @property
    def status(self):
        """The status, 0 when nobody answered."""
        return self.response.status if self.response else 0

    @property
    def reason(self):
        """The reason phrase."""
        return self.response.reason if self.response else "no answer"

    def __repr__(self):
        return f"{self.status} {self.reason}"


class Agent:
    """A telephone of `user` at `domain`, behind `server`, at the address `host`."""

    def __init__(self, server, user, domain, password, host=ports.OFFICE, transport="udp",
                 user_agent="tollgate-tests", port=0):
        self.end = sip.Endpoint(server, host, port, transport)
        self.user, self.domain, self.password = user, domain, password
        self.user_agent = user_agent
        self.callid = sip.token("reg")
        self.cseq = 0

    @property
    def aor(self):
        """The address of record as a URI."""
        return f"sip:{self.user}@{self.domain}"

    @property
    def contact(self):
        """This telephone's Contact URI."""
        suffix = "" if self.end.transport == "udp" else f";transport={self.end.transport}"
        return f"sip:{self.user}@{self.end.where}{suffix}"

    def close(self):
        """Close the socket."""
        self.end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- requests -----------------------------------------------------------

    def message(self, method, uri, headers=(), body=b"", replace=None, to=None, callid=None, tag=None):
        """The bytes of a new request. `replace` overrides single headers ({name: value or None})."""
        self.cseq += 1
        base = [("Via", self.end.via()), ("Max-Forwards", "70"),
                ("From", f"<{self.aor}>;tag={tag or sip.token()}"), ("To", f"<{to or uri}>"),
                ("Call-ID", callid or sip.token("call")), ("CSeq", f"{self.cseq} {method}"),
                ("Contact", f"<{self.contact}>"), ("User-Agent", self.user_agent), *headers]
        raw = sip.build(f"{method} {uri} SIP/2.0", base, body)
        for name, value in (replace or {}).items():
            raw = sip.with_header(raw, name, value)
        return raw

    def exchange(self, raw, authenticate=True, seconds=sip.DEADLINE, algorithm=None, use_qop=True):
        """Send, answer the challenge, ACK what an INVITE needs: an Answer.

        A second one is answered when it says that not the password was the fault (RFC 7616, 3.3).
        """
        response = self._send_and_wait(raw, seconds)
        for attempt in range(2):
            if response is None or not authenticate or response.status not in (401, 407) or \
                    (attempt and not sip.is_stale(response)):
                break
            raw = self.authorised(raw, response, algorithm, use_qop)
            response = self._send_and_wait(raw, seconds)
        return Answer(response, raw)

    def authorised(self, raw, response, algorithm=None, use_qop=True):
        """The same request once more with the next CSeq, a new branch and the digest."""
        first = sip.Message(raw)
        name, params = sip.pick_challenge(response, algorithm)
        number, method = first.cseq
        self.cseq = max(self.cseq, number + 1)
        value = sip.digest(params, method, first.uri, self.user, self.password,
                           body=first.body, use_qop=use_qop)
        again = sip.with_header(raw, "Via", self.end.via())
        again = sip.with_header(again, "CSeq", f"{number + 1} {method}")
        return sip.with_header(again, name, value)

    def _send_and_wait(self, raw, seconds):
        sent = sip.Message(raw)
        self.end.send(raw)
        response = self.end.final(sent.callid, sent.cseq, seconds)
        if response is not None and sent.method == "INVITE" and response.status >= 300:
            self.end.send(ack(sent, response))
        return response

    def register(self, expires=300, contact=None, headers=(), replace=None, **how):
        """REGISTER; an Answer. The same Call-ID each time, as a client does."""
        domain = f"sip:{self.domain}"
        replace = {"Contact": contact, **(replace or {})} if contact is not None else replace
        raw = self.message("REGISTER", domain, [("Expires", str(expires)), *headers], to=self.aor,
                           callid=self.callid, replace=replace)
        return self.exchange(raw, **how)

    def invite(self, uri, media=None, headers=(), replace=None, **how):
        """INVITE with an offer; an Answer. Call dialog() on a 200 to go on."""
        offer = sip.sdp(*(media or (self.end.host, 9)))
        raw = self.message("INVITE", uri, [("Content-Type", "application/sdp"), *headers], offer,
                           replace=replace)
        return self.exchange(raw, **how)

    def call(self, number, **how):
        """INVITE to a user or number of the own domain."""
        return self.invite(f"sip:{number}@{self.domain}", **how)

    def dialog(self, answer):
        """The dialog of an accepted INVITE of ours."""
        return Dialog(self.end, answer)


class Dialog:
    """The caller's side of a confirmed dialog."""

    def __init__(self, end, answer):
        invite, ok = sip.Message(answer.sent), answer.response
        self.end, self.invite, self.ok = end, invite, ok
        self.callid, self.cseq = invite.callid, invite.cseq[0]
        self.target = (ok.contact_uris() or [invite.uri])[0]
        self.routes = [one.strip() for value in reversed(ok.all("record-route"))
                       for one in reversed(value.split(","))]

    def request(self, method, cseq=None, headers=(), body=b""):
        """The bytes of a request in this dialog."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        return sip.build(f"{method} {self.target} SIP/2.0", [
            ("Via", self.end.via()), ("Max-Forwards", "70"), *[("Route", one) for one in self.routes],
            ("From", self.invite.get("from")), ("To", self.ok.get("to")), ("Call-ID", self.callid),
            ("CSeq", f"{cseq} {method}"), ("Contact", f"<sip:caller@{self.end.where}>"), *headers], body)

    def ack(self):
        """Acknowledge the 200."""
        self.end.send(self.request("ACK", self.invite.cseq[0]))

    def bye(self, seconds=sip.DEADLINE):
        """Hang up; the final response or None."""
        raw = self.request("BYE")
        self.end.send(raw)
        return self.end.final(self.callid, sip.Message(raw).cseq, seconds)


def ack(invite, response):
    """The ACK of a failure: same branch, hop by hop (RFC 3261, 17.1.1.3)."""
    head = [("Via", invite.get("via")), ("Max-Forwards", "70"), ("From", invite.get("from")),
            ("To", response.get("to")), ("Call-ID", invite.callid),
            ("CSeq", f"{invite.cseq[0]} ACK")]
    head += [("Route", value) for value in invite.all("route")]
    return sip.build(f"ACK {invite.uri} SIP/2.0", head)


def replayed(raw, end, contact, callid=None, cseq=None, expires=None):
    """A sniffed REGISTER sent again by somebody else: only the Authorization is the owner's.

    New Via, Contact and (unless kept) Call-ID and CSeq, as a thief must write
    them; digest covers none of these.
    """
    first = sip.Message(raw)
    raw = sip.with_header(raw, "Via", end.via())
    raw = sip.with_header(raw, "Contact", contact)
    raw = sip.with_header(raw, "Call-ID", callid or sip.token("thief"))
    raw = sip.with_header(raw, "CSeq", f"{cseq or first.cseq[0] + 10} REGISTER")
    raw = sip.with_header(raw, "From", re.sub(r"tag=[^;]+", f"tag={sip.token()}", first.get("from")))
    if expires is not None:
        raw = sip.with_header(raw, "Expires", str(expires))
    return raw


class Callee:
    """Answers what reaches an Endpoint, one request at a time, by the test's word."""

    def __init__(self, end):
        self.end = end

    def take_invite(self, seconds=sip.DEADLINE):
        """The next INVITE, or None."""
        return self.end.request("INVITE", seconds)

    def refuse(self, invite, status, reason):
        """A failure; waits for the ACK and returns it."""
        self.end.reply(invite, status, reason, tag=sip.token())
        return self.end.request("ACK")

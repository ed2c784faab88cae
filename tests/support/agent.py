# SPDX-License-Identifier: GPL-2.0-or-later
"""A scripted telephone: one account on one `sip.Endpoint`.

It follows the rules of a polite client (digest once per challenge, ACK to the
right place, route set in dialogs), and lets a test override any header, so
that the impolite ones differ in exactly one thing. Its `traits` say in what it
differs from other telephones: where it lives and how it writes.
"""

import re
import uuid

from . import ports, rtp, sip, wire
from .dialog import Dialog, ack
from .traits import PLAIN

SIP_PORT = 5060                 # what a URI without a port means
PRIVATE_PORT, OTHER_PORT = 5062, 5064


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
    """A telephone of `user` at `domain`, behind `server`, which sees it at the address `host`.

    home  (host, port) that its Contact names: its own socket's, one behind a NAT, a proxy's client's
    device, flow  its +sip.instance, and the reg-id of this registration (RFC 5626), where its traits have them
    gruu  the GRUU that its last registration gave it (RFC 5627), or None
    """

    def __init__(self, server, user, domain, password, host=ports.OFFICE, transport=None,
                 user_agent="tollgate-tests", port=0, traits=PLAIN):
        self.traits = traits.but(transport=transport) if transport else traits
        self.user, self.domain, self.password = user, domain, password
        self.user_agent = user_agent
        self._connect(server, host, port)
        self.device, self.flow = f"<urn:uuid:{uuid.uuid4()}>", 1
        self.gruu = None
        self.callid = sip.token("reg")
        self.cseq = 0
        self._sound = None

    def _connect(self, server, host, port):
        """The sockets, by what the traits say of its address."""
        traits, udp = self.traits, self.traits.transport == "udp"
        own_port = SIP_PORT if traits.contact == "no-port" else PRIVATE_PORT
        listen = claimed = home = proxy = None
        if traits.nat == "private":
            claimed = (ports.PRIVATE, own_port)
            home = (ports.PRIVATE, OTHER_PORT if traits.contact == "other-port" else own_port)
            proxy = f"{ports.PRIVATE_PROXY}:{SIP_PORT}"
        elif traits.proxy == "proxy":
            home = claimed = (ports.address(), own_port)
            listen = home if udp else None
        elif traits.contact == "other-port":
            home = (host, ports.port())
            listen = home if udp else None
        elif traits.contact == "no-port":
            home = (host, SIP_PORT)
            port = SIP_PORT if udp else port
        self.end = sip.Endpoint(server, host, port, traits.transport, claimed=claimed, listen=listen,
                                rport=traits.via == "rport", dress=self._dress)
        self.home = home or self.end.claimed
        self._proxy = (proxy or self.end.where) if traits.proxy == "proxy" else None

    def speak_through(self, proxy):
        """From now on as if a proxy stood before it: it receives at the Endpoint `proxy` and sends from where we do."""
        self._proxy = f"{proxy.host}:{proxy.port}"

    def _dress(self, raw, direct):
        return wire.dress(raw, self.traits, None if direct else self._proxy)

    # -- who it is ----------------------------------------------------------

    @property
    def aor(self):
        """The address of record as a URI."""
        return f"sip:{self.user}@{self.domain}"

    def spelled(self):
        """Its user part as its Contact, and who calls it, writes it."""
        if self.traits.user == "escaped":
            return f"{self.user[:-1]}%{ord(self.user[-1]):02x}"
        return self.user.upper() if self.traits.user == "upper" else self.user

    @property
    def binding(self):
        """The URI that it registers."""
        host, port = self.home
        kind = self.traits.contact
        text = ("sip:" if kind == "no-user" else f"sip:{self.spelled()}@") + host
        text += "" if kind == "no-port" else f":{port}"
        # Without <> a parameter would be the header's, not the URI's (RFC 3261, 20.10).
        if self.traits.transport != "udp" and kind != "no-brackets":
            text += f";transport={self.traits.transport}"
        return text + (";line=h4xq;ob" if kind == "parameters" else "")

    @property
    def contact(self):
        """This telephone's Contact URI in calls: its GRUU, if it uses one and has it."""
        return self.gruu if self.gruu and self.traits.contact in ("gruu", "temp-gruu") else self.binding

    def contact_value(self, register=False):
        """The value of its Contact header."""
        name = '"Office, 2nd floor" ' if self.traits.contact == "parameters" else ""
        uri = self.binding if register else self.contact
        value = uri if self.traits.contact == "no-brackets" else f"{name}<{uri}>"
        if self.traits.instance != "none":
            value += f';+sip.instance="{self.device}"'
        if register and self.traits.instance == "reg-id":
            value += f";reg-id={self.flow}"
        return value + (";audio;methods=\"INVITE,ACK,BYE,CANCEL,PRACK,UPDATE\"" if name else "")

    def supported(self, register=False):
        """The Supported headers that its traits ask for."""
        words = ["gruu"] if self.traits.contact in ("gruu", "temp-gruu") else []
        words += ["path", "outbound"] if register and self.traits.instance == "reg-id" else []
        words += ["100rel"] if not register and self.traits.rel == "100rel" else []
        return [("Supported", word) for word in words]

    # -- its sound ----------------------------------------------------------

    @property
    def sound(self):
        """Its RTP stream, opened when first asked for."""
        if self._sound is None:
            self._sound = rtp.Stream(self.end.host if self.traits.nat == "private" else self.home[0])
        return self._sound

    def sdp(self, direction="sendrecv"):
        """An offer or an answer: where it takes itself to be heard."""
        return sip.sdp(self.home[0], self.sound.port, direction=direction)

    def close(self):
        """Close the sockets."""
        self.end.close()
        if self._sound:
            self._sound.close()

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
                ("Contact", self.contact_value(method == "REGISTER")), *self.supported(method == "REGISTER"),
                ("User-Agent", self.user_agent), *headers]
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
        answer = self.exchange(raw, **how)
        if answer.status == 200:
            self.gruu = self._gruu_in(answer.response)
        return answer

    def _gruu_in(self, response):
        """The GRUU of its own binding in a 200 (RFC 5627, 4.2), or None."""
        bound = ", ".join(response.all("contact")).partition(f"<{self.binding}>")[2]
        kind = "temp" if self.traits.contact == "temp-gruu" else "pub"
        found = re.search(kind + r'-gruu="([^"]+)"', bound)
        return found[1] if found else None

    def invite(self, uri, media=None, headers=(), replace=None, **how):
        """INVITE, with an offer unless its trait is to wait for one; an Answer. dialog() on a 200 goes on."""
        offer = sip.sdp(*media) if media else b"" if self.traits.offer == "late" else self.sdp()
        kind = [("Content-Type", "application/sdp")] if offer else []
        raw = self.message("INVITE", uri, [*kind, *headers], offer, replace=replace)
        return self.exchange(raw, **how)

    def call(self, number, **how):
        """INVITE to a user or number of the own domain."""
        return self.invite(f"sip:{number}@{self.domain}", **how)

    def dialog(self, answer):
        """The dialog of an accepted INVITE of ours."""
        return Dialog(self, sip.Message(answer.sent), answer.response)


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

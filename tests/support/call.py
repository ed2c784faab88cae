# SPDX-License-Identifier: GPL-2.0-or-later
"""A call between two scripted telephones (`agent.Agent`), step by step.

    call = Call(alice, bob).ring()      the INVITE has reached bob
    call.answer()                       he rings as he does, 200 and ACK, all seen at their ends
    call.talk()                         a tone each way, heard at the other end
    call.hold(); call.resume()
    call.hang_up()                      BYE and its 200

Each step asserts that the message arrived where it must, and keeps it. What the
telephones do beside it (offer late, ring with SDP, 100rel, offer again at once)
is said by their traits.
"""

import re

from . import rtp, sip
from .agent import Callee
from .dialog import Dialog, ack

CALLER_HERTZ, CALLEE_HERTZ = 440, 880
LOUD, NONE = 0.9, 0.01      # share of a tone that was heard, of one that was not
ANSWERS_TO = {"sendrecv": "sendrecv", "sendonly": "recvonly"}


class Call:
    """One call from `caller` to `number`, which rings at `callee`.

    dialog     the caller's view of it, from the first reply with a tag on
    callee_dialog  the callee's
    told_of    {telephone: (host, port)}: where it was told to send its media
    """

    def __init__(self, caller, callee, number=None):
        self.caller, self.callee = caller, callee
        self.number = number or callee.spelled()
        self.invite = self.response = self.dialog = self.callee_dialog = self.sent = None
        self.tag, self._rang, self._agreed = sip.token(), False, False
        self.told_of = {}

    # -- until it rings -----------------------------------------------------

    def invitation(self):
        """The bytes of the caller's INVITE."""
        offer = b"" if self.caller.traits.offer == "late" else self.caller.sdp()
        kind = [("Content-Type", "application/sdp")] if offer else []
        return self.caller.message("INVITE", f"sip:{self.number}@{self.caller.domain}", kind, offer)

    def dial(self):
        """Send the INVITE, with credentials after the challenge; do not wait for what follows."""
        caller, raw = self.caller, self.invitation()
        first = sip.Message(raw)
        caller.end.send(raw)
        challenge = caller.end.final(first.callid, first.cseq)
        assert challenge is not None and challenge.status == 407, challenge
        caller.end.send(ack(first, challenge))
        self.sent = caller.authorised(raw, challenge)
        caller.end.send(self.sent)
        return self

    def ring(self):
        """Send the authorised INVITE and wait for it at the callee."""
        self.dial()
        self.invite = self.callee.end.request("INVITE")
        assert self.invite is not None, "the INVITE did not reach the callee"
        return self

    @property
    def callid(self):
        """The Call-ID at the caller."""
        return sip.Message(self.sent).callid

    def final(self, seconds=sip.DEADLINE):
        """The final response at the caller, or None."""
        return self.caller.end.final(self.callid, sip.Message(self.sent).cseq, seconds)

    def refuse(self, status, reason):
        """The callee refuses; the final response at the caller."""
        Callee(self.callee.end).refuse(self.invite, status, reason)
        response = self.final()
        if response is not None:
            self.caller.end.send(ack(sip.Message(self.sent), response))
        return response

    # -- ringing ------------------------------------------------------------

    def ringing(self):
        """What the callee says before it answers; each reply has come to the caller when this returns."""
        self._rang = True
        self.callee_dialog = Dialog(self.callee, self.invite, tag=self.tag)
        how = self.callee.traits.ring
        if how == "straight":
            return self
        status, reason = (183, "Session Progress") if how == "183" else (180, "Ringing")
        body = b"" if how == "180" else self.callee.sdp()
        reliable = self.callee.traits.rel == "100rel" and \
            any("100rel" in value for value in self.invite.all("supported"))
        self._reply(status, reason, [("Require", "100rel"), ("RSeq", "7")] if reliable else [], body)
        early = self.caller.end.expect(lambda m: m.is_response and m.status == status and m.callid == self.callid)
        assert early is not None, f"the {status} did not come to the caller"
        assert bool(early.body) == bool(body), early.raw
        self._told(self.caller, early.body)
        self.dialog = Dialog(self.caller, sip.Message(self.sent), early)
        if reliable:
            self._prack(early, body)
        return self

    def _prack(self, early, offered):
        """Acknowledge the reliable reply (RFC 3262); an offer in it gets its answer."""
        late = self.caller.traits.offer == "late"
        answer = self.caller.sdp() if offered and late else b""
        prack = self._request(self.dialog, "PRACK", self.callee, answer,
                              [("RAck", f"{early.get('rseq')} {self.invite.cseq[0]} INVITE")])
        self._told(self.callee, prack.body)
        self.callee.end.reply(prack, 200, "OK")
        self._ok(self.dialog, "PRACK")
        self._agreed = bool(offered)

    def _reply(self, status, reason, headers=(), body=b""):
        kind = [("Content-Type", "application/sdp")] if body else []
        self.callee.end.reply(self.invite, status, reason, [
            ("Contact", self.callee.contact_value()), *kind, *self.callee.supported(), *headers], body, tag=self.tag)

    # -- up -----------------------------------------------------------------

    def answer(self):
        """The callee rings if it has not, and accepts; the call is up when this returns."""
        if not self._rang:
            self.ringing()
        self._told(self.callee, self.invite.body)
        self._reply(200, "OK", body=b"" if self._agreed else self.callee.sdp())
        self.response = self.final()
        assert self.response is not None and self.response.status == 200, self.response
        self._told(self.caller, self.response.body)
        if self.dialog:
            self.dialog.confirm(self.response)
        else:
            self.dialog = Dialog(self.caller, sip.Message(self.sent), self.response)
        late = self.response.body and not sip.Message(self.sent).body
        self._ack(self.dialog, sip.Message(self.sent).cseq[0], self.callee, self.caller.sdp() if late else b"")
        for side in ("caller", "callee"):
            if getattr(self, side).traits.reinvite == "at-once":
                self.reinvite(side)
        return self

    def _ack(self, dialog, number, other, body=b""):
        dialog.end.send(dialog.request("ACK", number, body=body))
        got = other.end.expect(lambda m: m.method == "ACK" and m.callid == self.callid and m.cseq[0] == number)
        assert got is not None, "the ACK did not reach the other end"
        self._told(other, got.body)

    def _request(self, dialog, method, other, body=b"", headers=()):
        """Send a request in the dialog; as it came to the other end."""
        raw = dialog.request(method, headers=headers, body=body)
        dialog.end.send(raw)
        got = other.end.expect(lambda m: m.method == method and m.callid == self.callid and m.cseq[0] == dialog.cseq)
        assert got is not None, f"the {method} did not reach the other end: " \
            f"{dialog.end.expect(lambda m: m.is_response and m.cseq == (dialog.cseq, method), 0.1)}"
        return got

    def _ok(self, dialog, method):
        """The 200 to the request sent last."""
        got = dialog.end.final(self.callid, (dialog.cseq, method))
        assert got is not None and got.status == 200, got
        return got

    def _sides(self, name):
        """(who acts, his dialog, the other one, hers)."""
        sides = [(self.caller, self.dialog), (self.callee, self.callee_dialog)]
        (me, mine), (other, hers) = sides if name == "caller" else sides[::-1]
        return me, mine, other, hers

    def reinvite(self, by="caller", direction="sendrecv"):
        """One side offers again; the other one answers."""
        me, mine, other, hers = self._sides(by)
        again = self._request(mine, "INVITE", other, me.sdp(direction))
        assert _direction(again.body) == direction, again.body
        self._told(other, again.body)
        hers.refresh(again)
        other.end.reply(again, 200, "OK", [("Contact", other.contact_value()), ("Content-Type", "application/sdp")],
                        other.sdp(ANSWERS_TO[direction]))
        ok = self._ok(mine, "INVITE")
        assert _direction(ok.body) == ANSWERS_TO[direction], ok.body
        self._told(me, ok.body)
        mine.refresh(ok)
        self._ack(mine, mine.cseq, other)
        return self

    def moves(self, side, telephone):
        """From now on this telephone is that end of the call: the same one in another network."""
        _, dialog, _, _ = self._sides(side)
        dialog.agent, dialog.end = telephone, telephone.end
        setattr(self, side, telephone)

    def hold(self, by="caller"):
        """One side lets the other one wait (RFC 3264, 8.4)."""
        return self.reinvite(by, "sendonly")

    def resume(self, by="caller"):
        """And takes the call back."""
        return self.reinvite(by)

    def hang_up(self, by="caller"):
        """One side ends the call; the status of its BYE."""
        _, mine, other, _ = self._sides(by)
        other.end.reply(self._request(mine, "BYE", other), 200, "OK")
        return mine.end.final(self.callid, (mine.cseq, "BYE")).status

    # -- sound --------------------------------------------------------------

    def _told(self, telephone, body):
        """An SDP has come to this telephone: it sends there from now on."""
        if not body:
            return
        host, port = sip.media_of(body)
        assert host and not host.startswith("192.168."), f"told of a private address: {body}"
        self.told_of[telephone] = (host, port)

    def talk(self):
        """A tone each way: each hears the other's, and not its own."""
        at_caller, at_callee = rtp.talk([(self.caller.sound, CALLER_HERTZ, self.told_of[self.caller]),
                                         (self.callee.sound, CALLEE_HERTZ, self.told_of[self.callee])])
        assert at_caller[0] < NONE and at_caller[1] > LOUD, f"at the caller: {at_caller}"
        assert at_callee[0] > LOUD and at_callee[1] < NONE, f"at the callee: {at_callee}"
        return self


def _direction(body):
    """The direction of the audio stream of an SDP."""
    found = re.search(rb"^a=(sendrecv|sendonly|recvonly|inactive)", body, re.M)
    return found[1].decode() if found else "sendrecv"

# SPDX-License-Identifier: GPL-2.0-or-later
"""A call between two scripted telephones (`agent.Agent`), step by step.

    call = Call(alice, bob).ring()      the INVITE has reached bob
    call.answer()                       200 and ACK, both seen at their ends
    call.hang_up()                      BYE and its 200

Each step asserts that the message arrived where it must, and keeps it.
"""

from . import sip
from .agent import Answer, Callee, ack


class Call:
    """One call from `caller` to `number`, which rings at `callee`."""

    def __init__(self, caller, callee, number=None):
        self.caller, self.callee = caller, callee
        self.number = number or callee.user
        self.invite = self.response = self.dialog = self.sent = None

    def ring(self):
        """Send the authorised INVITE and wait for it at the callee."""
        self.dial()
        self.invite = self.callee.end.request("INVITE")
        assert self.invite is not None, "the INVITE did not reach the callee"
        return self

    def dial(self):
        """Send the INVITE, with credentials after the challenge; do not wait for what follows."""
        caller = self.caller
        raw = caller.message("INVITE", f"sip:{self.number}@{caller.domain}",
                             [("Content-Type", "application/sdp")], sip.sdp(caller.end.host, 4000))
        first = sip.Message(raw)
        caller.end.send(raw)
        challenge = caller.end.final(first.callid, first.cseq)
        assert challenge is not None and challenge.status == 407, challenge
        caller.end.send(ack(first, challenge))
        self.sent = caller.authorised(raw, challenge)
        caller.end.send(self.sent)
        return self

    @property
    def callid(self):
        """The Call-ID at the caller."""
        return sip.Message(self.sent).callid

    def final(self, seconds=sip.DEADLINE):
        """The final response at the caller, or None."""
        return self.caller.end.final(self.callid, sip.Message(self.sent).cseq, seconds)

    def answer(self):
        """The callee accepts; the call is up when this returns."""
        end = self.callee.end
        end.reply(self.invite, 200, "OK", [("Contact", f"<{self.callee.contact}>"),
                                           ("Content-Type", "application/sdp")],
                  sip.sdp(end.host, 5000), tag=sip.token())
        self.response = self.final()
        assert self.response is not None and self.response.status == 200, self.response
        self.dialog = self.caller.dialog(Answer(self.response, self.sent))
        self.dialog.ack()
        assert end.request("ACK") is not None, "the ACK did not reach the callee"
        return self

    def refuse(self, status, reason):
        """The callee refuses; the final response at the caller."""
        Callee(self.callee.end).refuse(self.invite, status, reason)
        response = self.final()
        if response is not None:
            self.caller.end.send(ack(sip.Message(self.sent), response))
        return response

    def hang_up(self):
        """The caller ends the call; the status of its BYE."""
        raw = self.dialog.request("BYE")
        self.caller.end.send(raw)
        bye = self.callee.end.request("BYE")
        assert bye is not None, "the BYE did not reach the callee"
        self.callee.end.reply(bye, 200, "OK")
        return self.caller.end.final(self.callid, sip.Message(raw).cseq).status

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the demo shows. A step's docstring begins `title: what is expected`.

Each step judges what came out at the other end, by means that do not belong to
the thing under judgement: a recording, the message trace of SIPp, usrloc's
table, rtpengine's counters.
"""

import re

from support import ports, process, sip, tone
from support.agent import replayed
from support.sipp import Sipp
from support.sniffer import Sniffer

ALICE_HZ, BOB_HZ = 440, 880
LOUD, NONE = 0.9, 0.01      # shares of the energy: heard, not heard
PACKETS = 150               # 3 s of audio, of which the last 2 s are measured

FAILS_OVER = "+493012345678"    # the cheapest trunk to 49 is the dead one
PREMIUM = "+1900555{:04d}"      # where the money of a toll fraud goes; one trunk serves it
ATTEMPTS = 10                   # calls an account may try in a minute (db/schema/demo.py)
BURST = 15

INTRUDER = "127.66.0.1"


class Show:
    """The steps, in order; they share the telephones that the first one starts."""

    def __init__(self, stack):
        self.stack = stack
        self.alice = self.bob = self.sniffed = None
        self.sniffer = Sniffer(stack.server)

    def close(self):
        """Close what does not belong to the stack."""
        self.sniffer.close()

    # -- 1 ------------------------------------------------------------------

    def register(self, step):
        """two telephones register: both bound at their own address, with digest."""
        stack = self.stack
        self.alice = stack.phone("alice", ALICE_HZ)
        self.bob = stack.phone("bob", BOB_HZ, host="127.1.0.2")
        # Somebody listens on the wire: the last step replays what went by here.
        self.sniffed = self.sniffer.register_of("alice")
        bound = {}
        for phone in (self.alice, self.bob):
            step.show(f"baresip: {phone.registered().strip()}")
            bound[phone.user] = stack.contacts(phone.user)
            step.prove(f"RPC ul.lookup {phone.user}: {', '.join(bound[phone.user])}",
                       f"ul.lookup: {phone.user} at {phone.contact}" if bound[phone.user] else None)
        good = all(len(bound[phone.user]) == 1 and bound[phone.user][0].endswith(f"@{phone.contact}")
                   for phone in (self.alice, self.bob))
        step.expect(good and self.sniffed is not None, f"{sum(map(len, bound.values()))} bindings, one each")

    # -- 2 ------------------------------------------------------------------

    def call(self, step):
        """call with a tone each way: each hears the other's tone and not its own, through rtpengine."""
        alice, bob, rtpengine = self.alice, self.bob, self.stack.rtpengine
        at_bob = bob.mark()
        since = alice.dial(f"sip:bob@{self.stack.domain}")
        callid = alice.established(since)
        bob.established(at_bob)
        process.eventually(lambda: min(rtpengine.relayed(callid).values(), default=0) >= PACKETS, 15)
        relayed = list(rtpengine.relayed(callid).values())
        step.prove(f"rtpengine relayed {' and '.join(map(str, relayed))} RTP packets")
        alice.hang_up()
        alice.closed(since)
        bob.closed(at_bob)
        heard = {}
        for phone in (alice, bob):
            heard[phone.user] = tone.shares(phone.recordings()[-1], ALICE_HZ, BOB_HZ)
            step.prove(f"{phone.user} recorded {ALICE_HZ} Hz {heard[phone.user][0]:.3f}, "
                       f"{BOB_HZ} Hz {heard[phone.user][1]:.3f} of the energy")
        gone = process.eventually(lambda: not rtpengine.calls())
        good = (len(relayed) == 2 and min(relayed) >= PACKETS and gone
                and heard["alice"][0] < NONE and heard["alice"][1] > LOUD
                and heard["bob"][0] > LOUD and heard["bob"][1] < NONE)
        step.expect(good, "both tones arrived, session closed" if good else f"{heard}, packets {relayed}")

    # -- 3 ------------------------------------------------------------------

    def trunk(self, step):
        """call to a number: the cheapest trunk is dead, the next one answers."""
        stack = self.stack
        dead, carrier = stack.silent_carrier(), stack.carrier(echo=True)
        mark = stack.kamailio.mark()
        since = self.alice.dial(f"sip:{FAILS_OVER}@{stack.domain}")
        callid = self.alice.established(since, 15)
        tried = dead.request("INVITE", 1)
        step.prove(f"dead trunk {stack.trunk_uri('dead')}: " + ("got the INVITE" if tried else "never tried"))
        step.prove(f"good trunk {stack.trunk_uri('good')}: {len(carrier.requests())} INVITE")
        for line in stack.kamailio.grep("trunk-try ", mark):
            step.show(f"log: {line[line.index('trunk-try'):line.rindex(' callid=')]}")
        echoed = process.eventually(
            lambda: min(stack.rtpengine.relayed(callid).values(), default=0) >= 50, 10)
        relayed = " and ".join(map(str, stack.rtpengine.relayed(callid).values()))
        step.prove(f"rtpengine relayed {relayed} RTP packets")
        self.alice.hang_up()
        self.alice.closed(since)
        tries = stack.kamailio.grep("trunk-try .*attempt=", mark)
        good = tried is not None and len(carrier.requests()) == 1 and len(tries) == 2 and echoed
        step.expect(good, f"{len(tries)} trunks tried, answered by the second" if good
                    else f"{len(tries)} trunks tried, {len(carrier.requests())} INVITE at the good one")

    # -- 4 ------------------------------------------------------------------

    def fraud(self, step):
        """toll fraud with a stolen password: calls 1 to 10 pass, 11 to 15 are refused with
        403 Call Rate Exceeded, bob may still call."""
        stack = self.stack
        carrier = stack.carriers.get("good") or stack.carrier()
        before = len(carrier.requests())
        mark = stack.kamailio.mark()
        burst = stack.keep(Sipp(
            stack.run_dir, "call", stack.server, host=INTRUDER, calls=BURST, rate=6,
            keys={"user": "carol", "domain": stack.domain},
            fields=[f"{PREMIUM.format(n)};[authentication username=carol password={stack.password('carol')}]"
                    for n in range(BURST)])).start()
        ended = burst.finish()
        finals = burst.finals()
        statuses = [status for status, _, _ in finals]
        first = next((n for n, status in enumerate(statuses, 1) if status != 200), None)
        reasons = sorted({f"{status} {reason}" for status, reason, _ in finals if status != 200})
        step.prove(f"SIPp's trace: {' '.join(map(str, statuses))}",
                   f"SIPp: 200 x {statuses.count(200)}, 403 x {statuses.count(403)}")
        reached = len(carrier.requests()) - before
        step.prove(f"INVITEs at the trunk: {reached}")
        logged = stack.kamailio.grep(r"rule=call-attempts\b", mark)
        for line in logged[:1]:
            step.prove(f"log: {line[line.index('key='):]}",
                       " ".join(re.findall(r"(?:rule|observed|threshold)=\S+", line)))
        since = self.bob.dial(f"sip:{PREMIUM.format(99)}@{stack.domain}")
        self.bob.established(since)
        self.bob.hang_up()
        self.bob.closed(since)
        step.prove("bob's own call to such a number was answered")
        good = (ended == 0 and statuses == [200] * ATTEMPTS + [403] * (BURST - ATTEMPTS)
                and reasons == ["403 Call Rate Exceeded"] and reached == ATTEMPTS and bool(logged))
        step.expect(good, f"refused from call {first} on: {', '.join(reasons)}; {reached} reached the trunk"
                    if first else f"none was refused, {reached} reached the trunk")

    # -- 5 ------------------------------------------------------------------

    def hijack(self, step):
        """hijack by a replayed REGISTER, sniffed in step 1: 403, alice's binding stays, a call still
        rings at her telephone."""
        stack = self.stack
        owner = stack.contacts("alice")
        mark = stack.kamailio.mark()
        step.show(f"sniffed from {self.sniffed.source[0]}: {self.sniffed.get('authorization')[:60]}...")
        with sip.Endpoint(stack.server, INTRUDER) as thief:
            raw = replayed(self.sniffed.raw, thief, f"<sip:alice@{thief.where}>")
            thief.send(raw)
            message = sip.Message(raw)
            response = thief.final(message.callid, message.cseq)
        status = f"{response.status} {response.reason}" if response else "no answer"
        step.prove(f"replay from {INTRUDER}: {status}")
        for line in stack.kamailio.grep("registration-denied ", mark):
            step.prove(f"log: {line[line.index('registration-denied'):line.rindex(' callid=')]}",
                       " ".join(re.findall(r"(?:ip|reasons)=\S+", line)))
        now = stack.contacts("alice")
        step.prove(f"RPC ul.lookup alice: {', '.join(now)}",
                   f"ul.lookup: alice at {self.alice.contact}" if now == owner else None)
        at_alice = self.alice.mark()
        since = self.bob.dial(f"sip:alice@{stack.domain}")
        self.bob.established(since)
        self.alice.established(at_alice)
        self.bob.hang_up()
        self.bob.closed(since)
        step.prove("bob called alice: her own baresip answered")
        denied = stack.kamailio.grep(r"registration-denied .*reasons=\S*replay", mark)
        good = response is not None and response.status == 403 and now == owner and bool(denied)
        step.expect(good, f"{status}, {len(now)} binding, the owner's; alice reached" if good
                    else f"{status}; bound: {', '.join(now)}")


def cleaned_up(step, stack, complaints):
    """Nothing crashed, nothing runs on, no port is held."""
    held = [port for port in (stack.port, stack.rtpengine.ng_port, *stack.trunks.values()) if ports.bound(port)]
    step.prove(f"SIP port {stack.port}, ng port {stack.rtpengine.ng_port}: {'held' if held else 'free'}")
    step.expect(not complaints and not held, "; ".join(complaints) or ("ports held" if held else "nothing left"))

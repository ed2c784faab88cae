# SPDX-License-Identifier: GPL-2.0-or-later
"""What befalls the trunks of a data set, and the questions in between, in the order in which they happen."""

import copy

from oracle import countries, lookups
from oracle.live import BUSY, FAILED, SECOND, Quality

ACCOUNTS = {0: (0, 0), 7: (2, 0), 8: (0, 2), 9: (1, 4)}  # id: channels, calls a second
START = 3600 * SECOND
# The live figures fade: an hour of seven days is less than the slack of a comparison.
LONGEST = 3000 * SECOND


class Happenings:
    def __init__(self, draw):
        self.d, self.r = draw, draw.r
        self.clock = START + self.r.randrange(SECOND)
        self.calls = []
        self.next_call = 1
        self.attempts, self.qualities = {}, {}
        self.isos = sorted({countries.country_of(b) for b in draw.bases} - {""})

    def advance(self):
        step = self.r.choice((0, 0, 0, 1, self.r.randrange(100000), self.r.randrange(SECOND),
                              self.r.randrange(40 * SECOND) if self.r.random() < 0.2 else 0))
        if self.clock + step < START + LONGEST:
            self.clock += step

    # --- events ---------------------------------------------------------------------------

    def admin(self, trunk):
        return {"what": "admin", "trunk": trunk["id"],
                "state": self.r.choice(("none", "none", "up", "up", "drain", "down"))}

    def probe(self, trunk):
        return {"what": "probe", "trunk": trunk["id"], "answered": int(self.r.random() < 0.6), "clock": self.clock}

    def attempt(self, trunk):
        """None where the window's last eighth leaves open what counts."""
        window = {b["id"]: b["window_sec"] for b in self.d.rows["breaker"]}.get(trunk["breaker_id"], 1) * SECOND
        before = self.attempts.setdefault(trunk["id"], [])
        end = self.clock + self.r.choice((0, 1, 1000))
        if any(window * 0.85 <= end - at <= window * 1.05 for at in before):
            return None
        failed = self.r.choice((0, 0, 1, 1, "lost"))
        out = {"what": "attempt", "trunk": trunk["id"], "clock": self.clock, "failed": failed, "end": end}
        before.append(end)
        self.clock = end
        return out

    def take(self, trunk):
        account = self.r.choice(tuple(ACCOUNTS))
        call, self.next_call = self.next_call, self.next_call + 1
        expires = self.clock + self.r.choice((1, 20, 4000)) * SECOND
        self.calls.append((call, expires))
        return {"what": "take", "trunk": trunk["id"], "call": call, "account": account,
                "channels": ACCOUNTS[account][0], "cps": ACCOUNTS[account][1], "clock": self.clock, "expires": expires}

    def release(self, _):
        live = [c for c in self.calls if c[1] > self.clock]
        if not live:
            return None
        call = self.r.choice(live)
        self.calls.remove(call)
        return {"what": "release", "call": call[0], "clock": self.clock}

    def sample(self, trunk):
        if not self.isos:
            return None
        iso = self.r.choice(self.isos)
        outcome, times = self.r.randint(0, FAILED), self.r.choice((1, 10, 40))
        pdd = -1 if outcome > BUSY else self.r.choice((100, 900, 4000, 20000, 130000))
        after = copy.deepcopy(self.qualities.get((trunk["id"], iso), Quality()))
        after.add(outcome, pdd, times)
        if sum(after.counts) > 400 or not 4 <= after.score() % 20 <= 16:
            return None
        self.qualities[trunk["id"], iso] = after
        return {"what": "sample", "trunk": trunk["id"], "iso": iso, "outcome": outcome, "pdd_ms": pdd, "times": times,
                "clock": self.clock}

    # --- questions --------------------------------------------------------------------------

    def number(self):
        r = self.r
        base = r.choice(self.d.bases)
        dialled = [rule["prefix"] for rule in self.d.rows["rule"] if rule["action"] == "emergency"]
        if dialled and r.random() < 0.05:
            # In full, or what begins like it, which is no emergency.
            number = r.choice(dialled) + r.choice(("", "", str(r.randint(0, 9))))
            return number if countries.is_certain(number) else r.choice(dialled)
        if r.random() < 0.04:
            return r.choice(countries.SERVICES + ("*21#", "#", "*1"))
        if r.random() < 0.02:
            return r.choice(("", "+" + base, "anonymous", "1" * 33, "4" * 32, base + " ", "49a"))
        if r.random() < 0.5:
            return base
        keep = r.randint(1, len(base))
        changed = base[:keep] + "".join(r.choice("0123456789*#" if r.random() < 0.1 else "0123456789")
                                        for _ in range(r.randint(0, 12 - min(keep, 11))))
        return changed if countries.is_certain(changed) else base

    def caller(self):
        for _ in range(4):
            number = self.number()
            if number.isdigit() and len(number) <= 15:
                return number
        return ""

    def moment(self):
        """A time near the load, at the edge of something that holds, or at the horizon of the calendars."""
        r, loaded = self.r, self.d.now
        if r.random() < 0.05:
            return loaded + r.choice((r.randrange(1100 * 86400), -86401, -86400, 1100 * 86400 - 1, 1100 * 86400))
        return r.choice((loaded + r.randrange(-3600, 90000), r.choice(self.d.edges) + r.choice((-1, 0, 1)),
                         r.choice(self.d.edges) + r.randrange(-9000, 9000)))

    def ask(self, _=None):
        r = self.r
        account = r.choice((0, 0, 0, 7, 8, 9))
        plan = "none" if r.random() < 0.005 else self.d.some("plan")["name"]
        return {"what": "ask", "plan": plan, "number": self.number(), "src": self.caller(), "account": account,
                "channels": ACCOUNTS[account][0], "cps": ACCOUNTS[account][1], "now": self.moment(),
                "clock": self.clock, "seed": r.randrange(1 << 62)}


def draw(d, questions):
    h = Happenings(d)
    kinds = [h.admin, h.probe, h.probe, h.attempt, h.attempt, h.attempt, h.take, h.take, h.release, h.sample]
    out = []
    while questions:
        h.advance()
        if d.world.loaded and d.r.random() < 0.2:
            out.append(d.r.choice((lookups.who, lookups.where, lookups.rings))(h))
        if d.world.loaded and d.r.random() < 0.25:
            kind, trunk = d.r.choice(kinds), d.some("trunk")
            # Some calls come all at once: that is what paces them.
            times = d.r.randint(2, 8) if kind == h.take and trunk["max_cps"] and h.r.random() < 0.5 else 1
            out += [event for event in (kind(trunk) for _ in range(times)) if event]
        else:
            out.append(h.ask())
            questions -= 1
    return out

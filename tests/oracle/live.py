# SPDX-License-Identifier: GPL-2.0-or-later
"""What probes, live calls and operators teach about trunks: health.h, breaker.h, capacity.h, pace.h, quality.h.

Plain lists of what happened, looked through at each question. Data sets keep
away from what the headers leave open (an eighth of the breaker's window, the
last unit of a quality score).
"""

from fractions import Fraction

SECOND = 1000000
UNKNOWN_SCORE = 750
ANSWERED, BUSY, NO_ANSWER, REJECTED, CANCELLED, FAILED = range(6)


class Health:
    def __init__(self):
        self.up = True
        self.row = (None, 0)  # outcome of the last probes, how many in a row

    def probe(self, answered, down_after, up_after):
        same, count = self.row
        self.row = (answered, count + 1 if same == answered else 1)
        if self.up and not answered and self.row[1] >= down_after:
            self.up = False
            return -1
        if not self.up and answered and self.row[1] >= up_after:
            self.up = True
            return 1
        return 0


class Breaker:
    """closed -> open -> half-open -> closed, or open again."""

    def __init__(self):
        self.opened = None  # when; None = closed
        self.closed = -1  # when it closed last
        self.trial = None  # when the trial started
        self.reports = []  # (when, failed)

    def allows(self, cfg, now):
        if cfg is None or self.opened is None:
            return True
        wait = cfg["half_open_after"] * SECOND
        return now >= self.opened + wait and (self.trial is None or now >= self.trial + wait)

    def attempt(self, cfg, started, failed, now):
        """(whether it may go, the edge that its outcome makes); failed None: nobody ever learns."""
        if not self.allows(cfg, started):
            return 0, 0
        if cfg is None:
            return 1, 0
        if self.opened is not None:
            self.trial = started
        if failed is None:
            return 1, 0
        if self.opened is not None:
            if failed:
                self.opened, self.trial = now, None
                return 1, 0
            self.opened, self.trial, self.closed, self.reports = None, None, now, []
            return 1, 1
        if started < self.closed:
            return 1, 0
        self.reports.append((now, failed))
        seen = [bad for at, bad in self.reports if at > now - cfg["window_sec"] * SECOND]
        if len(seen) >= cfg["min_calls"] and sum(seen) * 100 >= cfg["open_at"] * len(seen):
            self.opened, self.reports = now, []
            return 1, -1
        return 1, 0


class Pace:
    """Calls a second by GCRA: a quarter of a second's calls, at least one, may come at once."""

    def __init__(self):
        self.due = 0

    def allows(self, rate, now):
        burst = max(1, rate // 4)
        return self.due <= now + Fraction((burst - 1) * SECOND, rate)

    def take(self, rate, now):
        self.due = max(self.due, Fraction(now)) + Fraction(SECOND, rate)


class Capacity:
    """Owners are ("trunk", id), ("carrier", id), ("account", id); limits (channels, cps), 0 = none."""

    def __init__(self):
        self.held = {}  # call -> (owners, expiry)
        self.paces = {}

    def channels(self, owner, now):
        return sum(1 for owners, expires in self.held.values() if owner in owners and expires > now)

    def refusals(self, claim, now):
        """(owner's kind, "cps" or "channels") of all that refuse, the one that is told first."""
        for owner, (channels, cps) in claim:
            if owner[1] == 0:
                continue
            if cps and owner in self.paces and not self.paces[owner].allows(cps, now):
                yield owner[0], "cps"
            if channels and self.channels(owner, now) >= channels:
                yield owner[0], "channels"

    def refusal(self, claim, now):
        return next(self.refusals(claim, now), None)

    def take(self, call, claim, expires, now):
        """All that refuse; none: taken."""
        refused = list(self.refusals(claim, now))
        if not refused:
            self.held[call] = ({owner for owner, _ in claim if owner[1]}, expires)
            for owner, (_, cps) in claim:
                if cps and owner[1]:
                    self.paces.setdefault(owner, Pace()).take(cps, now)
        return refused

    def release(self, call, now):
        owners, expires = self.held.pop(call, (None, 0))
        return owners is not None and expires > now


class Quality:
    """Samples of one trunk towards one country."""

    def __init__(self):
        self.counts = [0] * 6
        self.delays = []

    def add(self, outcome, pdd_ms, times):
        self.counts[outcome] += times
        if pdd_ms >= 0:
            self.delays += [min(pdd_ms, 120000)] * times

    def score(self):
        """Exact, 0 .. 1000."""
        calls, prior = sum(self.counts), 20
        answered = self.counts[ANSWERED]
        effective = answered + self.counts[BUSY] + self.counts[NO_ANSWER] + self.counts[REJECTED]
        ner = 1000 * (effective + prior * Fraction(9, 10)) / (calls - self.counts[CANCELLED] + prior)
        asr = 1000 * (answered + prior * Fraction(1, 2)) / (calls + prior)
        pdd = Fraction(sum(self.delays) + prior * 2500, len(self.delays) + prior)
        return (5 * ner + 3 * asr + 2 * max(Fraction(0), 1000 - pdd / 10)) / 10


class Live:
    """All of it, for one data set."""

    def __init__(self, world):
        self.trunks = {t["id"]: t for t in world.rows["trunk"]}
        self.carriers = {c["id"]: c for c in world.rows["carrier"]}
        self.breaker_rows = {b["id"]: b for b in world.rows["breaker"]}
        self.admin = {}
        self.health, self.breakers, self.qualities = {}, {}, {}
        self.capacity = Capacity()

    def breaker_of(self, trunk):
        return self.breakers.setdefault(trunk["id"], Breaker()), self.breaker_rows.get(trunk["breaker_id"])

    def is_up(self, trunk):
        return self.health.setdefault(trunk["id"], Health()).up

    def state(self, trunk):
        word = self.admin.get(trunk["id"], "none")
        return trunk["admin_state"] if word == "none" else word

    def claim(self, trunk, account=(0, 0, 0)):
        carrier = self.carriers[trunk["carrier_id"]]
        return [(("trunk", trunk["id"]), (trunk["max_channels"], trunk["max_cps"])),
                (("carrier", carrier["id"]), (carrier["max_channels"], carrier["max_cps"])),
                (("account", account[0]), account[1:])]

    def quality(self, trunk_id, country):
        """None: unknown."""
        return self.qualities.get((trunk_id, country))

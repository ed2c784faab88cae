# SPDX-License-Identifier: GPL-2.0-or-later
"""How telephones differ from each other, as far as a call can break on it.

A scripted telephone (`agent.Agent`) has one level of each trait below. A test of
a single fault names the traits that it needs; a test of calls takes telephones
that `draw()` has made up; `pairs()` is a list of calls in which every two levels
of any two traits, of either side, meet at least once.
"""

import dataclasses
import itertools
import random

# The first level of each is that of a plain telephone.
LEVELS = {
    # behind a NAT: its Contact, Via and SDP name an address that nobody outside reaches
    "nat": ("public", "private"),
    "transport": ("udp", "tcp"),
    # what its Contact names beside its user
    "contact": ("plain", "no-port", "no-user", "no-brackets", "parameters", "other-port", "gruu", "temp-gruu"),
    # RFC 5626: which device it is, and which of its flows
    "instance": ("none", "instance", "reg-id"),
    # a proxy of its own before it, which records its route
    "proxy": ("none", "proxy"),
    "via": ("rport", "no-rport"),
    # how header fields are written
    "headers": ("long", "compact", "folded", "joined"),
    # capital letters where they do not matter
    "case": ("usual", "mixed"),
    # the user part of its Contact, and of the Request-URI of who calls it
    "user": ("plain", "upper", "escaped"),
    # RFC 3262: reliable provisional responses
    "rel": ("no-100rel", "100rel"),
    # as a callee: what comes before the 200
    "ring": ("180", "180-sdp", "183", "straight"),
    # as a caller: SDP in the INVITE, or none (the offer comes in the reply)
    "offer": ("early", "late"),
    # as soon as the call is up, it offers again
    "reinvite": ("none", "at-once"),
}


@dataclasses.dataclass(frozen=True)
class Traits:
    """One level of each trait; the defaults are the plain telephone."""

    nat: str = "public"
    transport: str = "udp"
    contact: str = "plain"
    instance: str = "none"
    proxy: str = "none"
    via: str = "rport"
    headers: str = "long"
    case: str = "usual"
    user: str = "plain"
    rel: str = "no-100rel"
    ring: str = "180"
    offer: str = "early"
    reinvite: str = "none"

    def __post_init__(self):
        for name, levels in LEVELS.items():
            if getattr(self, name) not in levels:
                raise ValueError(f"no level {getattr(self, name)} of {name}: {', '.join(levels)}")

    def but(self, **levels):
        """The same telephone with other levels of some traits."""
        return dataclasses.replace(self, **levels)

    def __str__(self):
        told = [getattr(self, name) for name, levels in LEVELS.items() if getattr(self, name) != levels[0]]
        return "+".join(told) or "plain"


PLAIN = Traits()


def possible(levels):
    """May one telephone have these levels ({trait: level}, perhaps not all)?"""
    # Only a device that has said who it is gets a GRUU (RFC 5627, 4.1).
    return not (levels.get("contact") in ("gruu", "temp-gruu") and levels.get("instance") == "none")


def draw(rng, **fixed):
    """A telephone by chance, with the levels in `fixed`; `rng` is a random.Random."""
    while True:
        levels = {name: fixed.get(name) or rng.choice(choice) for name, choice in LEVELS.items()}
        if possible(levels):
            return Traits(**levels)


# -- calls -------------------------------------------------------------------------

# Traits that only one side of a call shows.
CALLER_ONLY, CALLEE_ONLY = {"offer"}, {"ring"}


def call_possible(caller, callee):
    """May these two ({trait: level}, perhaps not all) call each other?"""
    if not possible(caller) or not possible(callee):
        return False
    # Both at once is what 491 is for (RFC 3261, 14.1), and no call of ordinary telephones.
    if caller.get("reinvite") == callee.get("reinvite") == "at-once":
        return False
    # Without an offer in the INVITE, the first offer is in a reliable reply (RFC 3261, 13.2.1).
    if caller.get("offer") == "late" and callee.get("ring") in ("180-sdp", "183"):
        return "no-100rel" not in (caller.get("rel"), callee.get("rel"))
    return True


FACTORS = [("caller", name) for name in LEVELS if name not in CALLEE_ONLY]
FACTORS += [("callee", name) for name in LEVELS if name not in CALLER_ONLY]
# Of so many made-up calls with a pair that has not been met, the one with the most such pairs is taken.
CANDIDATES = 60


def pairs():
    """Calls that hold every pair of levels: ([(caller, callee, who hangs up)], number of pairs).

    Greedy, and always the same list. Pairs that cannot be (`call_possible`) are not
    counted. Not by allpairspy: with these conditions between traits it leaves pairs out.
    """
    rng = random.Random(1)
    choices = [LEVELS[name] for _, name in FACTORS] + [("caller", "callee")]
    singles = [(index, level) for index, levels in enumerate(choices) for level in levels]
    missing = {(one, other) for one in singles for other in singles
               if one[0] < other[0] and call_possible(*_sides(dict((one, other))))}
    count, calls = len(missing), []
    while missing:
        wanted = min(missing)
        best = max((_call_with(rng, choices, dict(wanted)) for _ in range(CANDIDATES)),
                   key=lambda row: len(missing & _met(row)))
        missing -= _met(best)
        caller, callee = _sides(best)
        calls.append((Traits(**caller), Traits(**callee), best[len(FACTORS)]))
    return calls, count


def _sides(row):
    """({trait: level} of the caller, of the callee) of a row {index: level}."""
    known = {"caller": {}, "callee": {}}
    for index, level in row.items():
        if index < len(FACTORS):
            side, name = FACTORS[index]
            known[side][name] = level
    return known["caller"], known["callee"]


def _call_with(rng, choices, wanted):
    """A possible call by chance that has the wanted levels."""
    while True:
        row = {index: wanted.get(index) or rng.choice(levels) for index, levels in enumerate(choices)}
        if call_possible(*_sides(row)):
            return row


def _met(row):
    """All pairs in a call."""
    return set(itertools.combinations(sorted(row.items()), 2))

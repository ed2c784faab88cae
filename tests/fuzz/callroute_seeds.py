"""Writes the seed files of fuzz_callroute_build; run again after callroute_input.h
has changed, from the top of the tree: /usr/bin/python3 tests/fuzz/callroute_seeds.py

SPDX-License-Identifier: GPL-2.0-or-later
"""

import pathlib

(TIME, FAILOVER, BREAKER, CARRIER, TRUNK, DECK, RATE, PLAN, ENTRY, ACCOUNT, RULE, BLOCK, GROUP, MEMBER, DID,
 PORTED) = range(16)


def text(s):
    return bytes([len(s)]) + s.encode()


def number(n):
    """Up to 255 by itself; above, the high byte is odd: 256 to 511, 768 to 1023 ..."""
    return bytes([0, n]) if n < 256 else bytes([n & 255, n >> 8])


def small(*numbers):
    return bytes(numbers)


def carrier(name="c", enabled=1):
    return small(CARRIER, 0, 0) + text(name) + small(enabled)


def trunk(name, failover=0, breaker=0, rewrite=0, state=0):
    return (small(TRUNK, 1, 0, 0, 0) + bytes([1, 11]) * 2 + small(failover, breaker, 0, 3, 2) + text(name)
            + small(0) + text("") + small(0) + text("") + small(rewrite, 0, 0) + text("") + small(0, state))


def deck(name, side=0, enabled=1):
    return small(DECK) + number(0) + text(name) + small(side, 0, enabled)


def rate(deck_id, prefix, price, src="", blocked=0):
    return (small(RATE, deck_id) + number(price) + small(0, 1, 1) + number(0) + number(0) + text(prefix) + text(src)
            + small(blocked, prefix == ""))


def plan(name, sell=0, order=0, lnp=0):
    return small(PLAN, sell) + number(0) + small(0, 3) + text("") + text(name) + small(order, lnp)


def entry(plan_id, trunk_id, deck_id, time=0, src=0, dst=0):
    return small(ENTRY, plan_id, trunk_id, deck_id, 10, 1, time, src, dst)


def rule(prefix, action, target, stop=1):
    return small(RULE, 1, 0, 10) + text(prefix) + text("") + small(action) + text(target) + small(stop)


SOUND = (carrier() + trunk("t") + trunk("u", rewrite=1) + deck("d") + deck("e") + rate(1, "49", 100)
         + rate(1, "4930", 90) + rate(2, "4", 50) + plan("p") + entry(1, 1, 1) + entry(1, 2, 2))
RICH = (small(TIME, 0, 0) + small(FAILOVER) + text("f") + text("") + small(0, 1)
        + small(BREAKER, 60, 10, 50, 30) + text("b") + small(0) + carrier() + trunk("t", 1, 1) + trunk("u", state=2)
        + deck("d") + deck("s", side=1) + rate(1, "", 9) + rate(1, "4930", 5, "49") + rate(2, "49", 200)
        + plan("p", sell=2, lnp=1) + entry(1, 1, 1, 1, 1, 1)
        + small(ACCOUNT, 1, 0, 0) + text("") + small(1, 1, 1, 0, 0, 0, 1)
        + rule("4911", 0, "u,t", 0) + rule("112", 3, "u", 0) + rule("33", 2, "sip:a@h") + rule("34", 1, "")
        + small(BLOCK, 0, 1) + text("49900") + small(GROUP) + text("") + text("g") + small(2)
        + small(MEMBER, 1, 10, 1, 1, 11, 0, 0, 1) + small(DID, 0, 10) + text("4930") + text("") + small(2) + text("g")
        + small(PORTED) + text("4930") + text("4911"))
SEEDS = {
    "sound": text("493012") + SOUND,
    "overlap": text("49") + SOUND + rate(1, "49", 7),
    "off": text("49") + carrier(enabled=0) + trunk("t", state=1) + deck("d") + deck("o", enabled=0)
    + rate(1, "4", 1) + rate(2, "49", 2, blocked=1) + plan("p", order=2) + entry(1, 1, 1) + entry(1, 1, 2),
    "rich": text("4930") + RICH,
    "emergency": text("112") + RICH,
    "redirect": text("331") + RICH,
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "corpus" / "callroute_build"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)

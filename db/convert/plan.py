# SPDX-License-Identifier: GPL-2.0-or-later
"""How "these trunks, in this order, for this prefix" becomes a plan that tries the same ones.

The source's longest prefix wins for all of its gateways; here each vendor has a
longest prefix of its own. Two forms keep the source's choice:

- decks: a deck for each trunk of the plan, with a rate at price 0 for every
  prefix that uses the trunk, and a blocked rate for every longer one that does
  not. The order is plan_trunk.priority, equals share by weight. One order must
  do for all prefixes: it is a topological sort of "a comes before b somewhere".
- rules: a callroute_rule a prefix, whose target is the list, stop = 1. It holds
  any order and any time, but no shares among equals.

Decks are taken where they are exact, since real prices can be filled in there;
rules otherwise. Memory: the source's rows, times its trunks in the worst case.
"""

import dataclasses
import re

from convert.rows import DIGITS_MAX

ATTEMPTS_MAX = 8  # trunks that callroute tries for one call, and that a rule names
TRUNKS_MAX = 256  # of a plan
RULE_PRIORITY_MAX = 65535
TARGET_MAX = 255


@dataclasses.dataclass
class Choice:
    """For this prefix: tiers one after another, each a list of (trunk, weight) that share the calls."""

    prefix: str
    tiers: list
    where: tuple  # (table, row) of the source, for the report
    time: int | None = None

    def trunks(self):
        return [trunk for tier in self.tiers for trunk, _ in tier]


class _NoOrder(Exception):
    """The choices cannot share one order of trunks; the text says why."""


def usable_prefixes(conversion, choices):
    """Those whose .prefix callroute can hold, without the + in front; the others are lost at their .where."""
    plain = any(choice.prefix and not choice.prefix.startswith("+") for choice in choices)
    kept = []
    for choice in choices:
        prefix, where = choice.prefix, choice.where
        if not re.fullmatch(r"(\+(?=.))?[0-9*#]*", prefix):
            conversion.lose(*where, f"prefix {prefix!r}: only 0-9 * #, and + in front, are digits here")
        elif len(prefix.lstrip("+")) > DIGITS_MAX:
            conversion.lose(*where, f"prefix {prefix}: longer than {DIGITS_MAX} digits")
        elif prefix.startswith("+") and plain:
            conversion.lose(*where, f"prefix {prefix}: others have no +, and callroute takes it off every number")
        else:
            choice.prefix = prefix.lstrip("+")
            kept.append(choice)
    return kept


def add_plan(conversion, name, wanted_id, choices):
    """Add one plan. Of the choices with one prefix, the first whose time holds is the source's."""
    for choice in choices:
        if len(choice.trunks()) > ATTEMPTS_MAX:
            text = f"{len(choice.trunks())} gateways: a call tries {ATTEMPTS_MAX} at most, those behind get none"
            conversion.lose(*choice.where, text)
    choices = _reachable(conversion, choices)
    attempts = min(ATTEMPTS_MAX, max((len(choice.trunks()) for choice in choices), default=1) or 1)
    conversion.plans[name] = {"id": wanted_id, "order_by": "priority", "max_attempts": attempts}
    try:
        order = _one_order(choices)
    except _NoOrder as why:
        _as_rules(conversion, name, choices, str(why))
    else:
        _as_decks(conversion, name, choices, order)


def _reachable(conversion, choices):
    """Without those that stand behind one of the same prefix that always holds."""
    kept, closed = [], {}
    for choice in choices:
        if choice.prefix in closed:
            row = closed[choice.prefix]
            conversion.note(*choice.where, f"never used: row {row} has the same prefix and always comes first")
            continue
        if choice.time is None:
            closed[choice.prefix] = choice.where[1]
        kept.append(choice)
    return kept


def _one_order(choices):
    """{trunk: (priority, weight)} that gives every choice its order; _NoOrder when there is none."""
    timed = next((choice for choice in choices if choice.time is not None), None)
    if timed:
        raise _NoOrder(f"row {timed.where[1]} has a time")
    trunks = list(dict.fromkeys(trunk for choice in choices for trunk in choice.trunks()))
    if len(trunks) > TRUNKS_MAX:
        raise _NoOrder(f"{len(trunks)} trunks, and {TRUNKS_MAX} fit a plan")
    group, weight = {trunk: trunk for trunk in trunks}, {}

    def find(trunk):
        while group[trunk] != trunk:
            trunk = group[trunk]
        return trunk

    for choice in choices:
        for tier in choice.tiers:
            for trunk, share in tier if len(tier) > 1 else ():
                if weight.setdefault(trunk, share) != share:
                    raise _NoOrder(f"the weight of {trunk} differs between prefixes")
                group[find(trunk)] = find(tier[0][0])
    behind, waits = {}, {find(trunk): set() for trunk in trunks}
    for choice in choices:
        places = [find(tier[0][0]) for tier in choice.tiers]
        for before, after in zip(places, places[1:]):
            waits[after].add(before)
            behind.setdefault(before, set()).add(after)
    order, ready = [], [one for one in waits if not waits[one]]
    while ready:
        one = ready.pop(0)
        order.append(one)
        for after in sorted(behind.get(one, ()), key=trunks.index):
            waits[after].discard(one)
            if not waits[after]:
                ready.append(after)
    if len(order) < len(waits):
        unsettled = sorted((one for one in waits if waits[one]), key=trunks.index)
        raise _NoOrder(f"the order of {', '.join(unsettled[:3])} differs between prefixes")
    place = {one: 10 * number for number, one in enumerate(order, 1)}
    return {trunk: (place[find(trunk)], weight.get(trunk, 1)) for trunk in trunks}


def _as_decks(conversion, name, choices, order):
    by_length = sorted(choices, key=lambda choice: (len(choice.prefix), choice.prefix))
    members = [(choice.prefix, set(choice.trunks())) for choice in by_length]
    for trunk, (priority, weight) in order.items():
        rates, opened = [], {}
        for prefix, used in ((prefix, trunk in trunks) for prefix, trunks in members):
            shorter = (prefix[:size] for size in range(len(prefix) - 1, -1, -1))
            if used or next((opened[one] for one in shorter if one in opened), False):
                opened[prefix] = used
                extra = {} if prefix else {"is_default": 1}
                rates.append((prefix, {"price": 0, "blocked": 0 if used else 1, **extra}))
        deck = f"{name}-{trunk.partition('-')[2]}"
        conversion.decks[deck] = rates
        row = {"trunk": trunk, "deck": deck, "priority": priority, "weight": weight}
        conversion.plan_trunks.setdefault(name, []).append(row)
    conversion.note("callroute_plan", name, f"decks: {len(order)} trunks, {len(choices)} prefixes, one order for all")


def _as_rules(conversion, name, choices, why):
    """The rules, and the trunks without a price: a deck whose one rate never holds, for a load needs one."""
    place = {}
    for choice in choices:
        place.setdefault(choice.prefix, []).append(choice)
    step = max(map(len, place.values()))
    if (DIGITS_MAX + 1) * step > RULE_PRIORITY_MAX:
        conversion.lose("callroute_plan", name, f"{step} rules for one prefix, more than priorities can order")
        return
    for prefix, several in place.items():
        for position, choice in enumerate(several):
            _lose_shares(conversion, choice)
            trunks = choice.trunks()[:ATTEMPTS_MAX]
            target = ",".join(trunks)
            if len(target) > TARGET_MAX:
                conversion.lose(*choice.where, f"the names of its trunks take more than {TARGET_MAX} characters")
                continue
            # The lowest number is looked at first: a longer prefix before every shorter one.
            priority = 10 if step == 1 else (DIGITS_MAX - len(prefix)) * step + position
            row = {"prefix": prefix, "time": choice.time, "priority": priority, "target": target, "stop": 1}
            row["action"] = "route" if trunks else "block"
            conversion.rules.setdefault(name, []).append(row)
    unpriced = f"{name.partition('-')[0]}-unpriced"
    conversion.decks[unpriced] = [("", {"price": 0, "is_default": 1, "valid_till": 1})]
    for trunk in list(dict.fromkeys(trunk for choice in choices for trunk in choice.trunks()))[:TRUNKS_MAX]:
        row = {"trunk": trunk, "deck": unpriced, "priority": 10, "weight": 1}
        conversion.plan_trunks.setdefault(name, []).append(row)
    conversion.note("callroute_plan", name, f"rules: {len(choices)}, for {why}")


def _lose_shares(conversion, choice):
    for tier in choice.tiers:
        if len(tier) > 1:
            names = ", ".join(trunk for trunk, _ in tier)
            conversion.lose(*choice.where, f"{names} share the calls: a rule has a fixed order, the source's is kept")

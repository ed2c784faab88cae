# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator reads before and after an import, and the guards between the two.

A guard asks what an accident would look like: the wrong file, a sheet cut off,
a decimal sign in the wrong place. It is judged on the whole difference, and
refuses before anything is written.
"""

import datetime
import json

from deck.rate import GuardFault

MICRO = 10**6
_COUNTS = "before after added removed destinations new lost changed same rises falls blocked opened wild".split()
_LISTS = "new_first lost_first opened_first wild_first biggest steepest".split()


def money(micro):
    """Units of the currency, exactly, with two places at least."""
    whole, rest = divmod(micro, MICRO)
    return f"{whole}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"


def when(moment, now):
    """The moment, where it is still to come."""
    if moment <= now:
        return "now"
    try:
        return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError):
        return str(moment)


def _name(prefix, source):
    return (prefix or "(default)") + (f" from {source}" if source else "")


def _moves(title, moves, now):
    if not moves:
        return []
    lines = [f"  {title}:"]
    for prefix, source, old, new, moment in moves:
        per_cent = f"{(new - old) * 100 / old:+.1f} %" if old else "from nothing"
        sign = "+" if new >= old else "-"
        lines.append(
            f"    {_name(prefix, source):20} {money(old):>12} -> {money(new):>12}"
            f"  {sign}{money(abs(new - old)):>10}  {per_cent:>12}  {when(moment, now)}"
        )
    return lines


def _named(title, entries, count):
    if not entries:
        return []
    more = f" and {count - len(entries)} more" if count > len(entries) else ""
    return [f"  {title}: " + ", ".join(_name(*entry[:2]) for entry in entries) + more]


def text(difference, currency):
    """The difference for people."""
    d = difference
    lines = [
        f"rows: {d.before} before, {d.after} after: {d.added} added, {d.removed} removed",
        f"destinations: {d.destinations} before; {d.new} new, {d.lost} lost, {d.changed} changed, {d.same} unchanged",
        f"prices in {currency} a minute: {d.rises} rise, {d.falls} fall; {d.blocked} blocked, {d.opened} opened again",
    ]
    lines += _moves("biggest moves", d.biggest, d.now)
    lines += _moves("steepest moves", d.steepest, d.now)
    lines += _named("new", d.new_first, d.new)
    lines += _named("lost", d.lost_first, d.lost)
    lines += _named("opened again", d.opened_first, d.opened)
    return "\n".join(lines)


def as_json(difference, **more):
    """The difference for programs."""
    data = {name: getattr(difference, name) for name in (*_COUNTS, *_LISTS)} | more
    return json.dumps(data, indent=1)


def guard(difference, max_shrink, max_move):
    """Raise GuardFault when the difference looks like an accident."""
    d = difference
    faults = []
    if d.lost * 100 > max_shrink * d.destinations:
        faults.append(f"{d.lost} of {d.destinations} destinations would go, more than {max_shrink} % (--max-shrink)")
    if d.wild:
        first = ", ".join(f"{_name(*move[:2])} {money(move[2])} -> {money(move[3])}" for move in d.wild_first[:3])
        faults.append(f"{d.wild} prices would move by more than a factor of {max_move:g} (--max-move): {first}")
    if faults:
        raise GuardFault("; ".join(faults) + ". Nothing was written; --force does it all the same")

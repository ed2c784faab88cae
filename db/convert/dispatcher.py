# SPDX-License-Identifier: GPL-2.0-or-later
"""dispatcher: each set becomes a plan `ds-set-<setid>`, each row a trunk `ds-<id>`.

A set takes every number, so its one deck has a default rate at price 0. The
order of a set: highest priority first, and of equals the last row first (the
module builds its list from the end). What the algorithm, an argument of
ds_select_dst(), makes of that order is told by --alg.
"""

import re

from convert.rows import Conversion, number, trunk_uri

STEM = "ds-"  # of every name
TABLES = {"dispatcher": 4}
ATTEMPTS_MAX = 8
TRUNKS_MAX = 256
_INACTIVE, _DISABLED, _PROBING = 1, 4, 8
_SERIAL, _WEIGHT, _LOAD, _RELATIVE, _PARALLEL, _LATENCY = 8, 9, 10, 11, 12, 13
# What an algorithm does that shares by weight do not.
_LOST = {
    **dict.fromkeys((0, 1, 2, 3, 5, 7), "sends the same caller or number to the same destination: here it is drawn"),
    _LOAD: "takes the least loaded destination: here it is drawn, and a full one (maxload) is left out",
    _PARALLEL: "rings all at once: a hunt group does (callroute_group, callroute_fork()), a plan tries one by one",
    _LATENCY: "takes latency off the priority: here the priority alone; order_by = quality is the near thing",
}
_KNOWN = {"duid", "weight", "rweight", "maxload", "socket"}


def convert(tables, options):
    """A Conversion. options: alg, use_default, probe_interval."""
    conversion, sets = Conversion(), {}
    for row in tables.rows("dispatcher", "id", "setid", "destination", "flags", "priority", "attrs"):
        sets.setdefault(number(row["setid"]), []).append(row)
    if options.alg in _LOST:
        conversion.lose("dispatcher", f"algorithm {options.alg}", _LOST[options.alg])
    elif options.alg not in (4, 6, _SERIAL, _WEIGHT, _RELATIVE):
        conversion.note("dispatcher", f"algorithm {options.alg}", "unknown: dispatcher takes the first entry")
    for setid in sorted(sets):
        ordered = sorted(reversed(sets[setid]), key=lambda row: -number(row["priority"]))
        entries = [entry for entry in (_trunk(conversion, row, options) for row in ordered) if entry]
        if entries:
            _plan(conversion, setid, entries, options)
    return conversion


def _trunk(conversion, row, options):
    """(name, {attribute: value}) or None; the trunk is added."""
    where, name, flags = ("dispatcher", row["id"]), f"ds-{row['id']}", number(row["flags"])
    uri, fault = trunk_uri(row["destination"])
    if fault:
        conversion.lose(*where, f"destination {fault}")
        return None
    attrs = {key.strip().lower(): value for key, _, value in (one.partition("=") for one in row["attrs"].split(";"))}
    attrs.pop("", None)
    for key in sorted(attrs.keys() - _KNOWN):
        conversion.lose(*where, f"attribute {key}={attrs[key]}: a trunk has none such")
    socket = attrs.get("socket", "")
    if socket and not re.fullmatch(r"(udp|tcp|tls|sctp):(\[[0-9a-fA-F:]+\]|[^:\[\]]+):\d+", socket) or len(socket) > 64:
        conversion.lose(*where, f"socket {socket}: not proto:host:port in 64 characters")
        socket = ""
    if flags & _INACTIVE and not flags & _DISABLED:
        conversion.note(*where, "inactive in the table: admin_state down, until you set it up")
    probed = options.probe_interval if flags & _PROBING else 0
    if flags & _PROBING and not probed:
        conversion.note(*where, "probing: give --probe-interval, or it is not probed")
    carrier = f"ds-set-{number(row['setid'])}"
    if carrier not in conversion.carriers:
        conversion.carriers.append(carrier)
    conversion.trunks[name] = {
        "id": number(row["id"]),
        "carrier": carrier,
        "uri": uri,
        "socket": socket,
        "max_channels": _attribute(conversion, where, attrs, "maxload", 1000000),
        "probe_interval": probed,
        "admin_state": "down" if flags & (_INACTIVE | _DISABLED) else "up",
    }
    return name, {key: _attribute(conversion, where, attrs, key, 100) for key in ("weight", "rweight")}


def _attribute(conversion, where, attrs, key, top):
    text = attrs.get(key, "0")
    if not re.fullmatch(r"\d{1,9}", text) or int(text) > top:
        conversion.note(*where, f"{key}={text} is not within 1 to {top}: taken as 0, as dispatcher does")
        return 0
    return int(text)


def _plan(conversion, setid, entries, options):
    name, where = f"ds-set-{setid}", ("dispatcher", f"set {setid}")
    last = entries.pop() if options.use_default and len(entries) > 1 else None
    if len(entries) > TRUNKS_MAX - 1:
        conversion.lose(*where, f"{len(entries)} destinations, and {TRUNKS_MAX} fit a plan: those behind are left out")
        entries = entries[: TRUNKS_MAX - 1]
    if len(entries) + bool(last) > ATTEMPTS_MAX:
        conversion.note(*where, f"a call tries {ATTEMPTS_MAX} destinations at most, the first that are up")
    shares = _shares(conversion, where, entries, options.alg)
    rows = [(trunk, 10 * place, 1) for place, (trunk, _) in enumerate(entries, 1)]
    if shares:
        rows = [(trunk, 10, share) for (trunk, _), share in zip(entries, shares)]
    if last:
        rows.append((last[0], 10 * len(entries) + 10, 1))
    conversion.decks["ds-any"] = [("", {"price": 0, "is_default": 1})]
    attempts = min(ATTEMPTS_MAX, len(rows))
    conversion.plans[name] = {"id": setid, "order_by": "priority", "max_attempts": attempts}
    conversion.plan_trunks[name] = [
        {"trunk": trunk, "deck": "ds-any", "priority": priority, "weight": weight} for trunk, priority, weight in rows
    ]


def _shares(conversion, where, entries, alg):
    """The weight of each entry, or None where they are tried in their order."""
    if alg in (_SERIAL, _PARALLEL, _LATENCY) or alg not in range(_LATENCY):
        return None
    if alg == _RELATIVE:
        shares = [attrs["rweight"] for _, attrs in entries]
        return shares if any(shares) else None
    if alg != _WEIGHT:
        return [1] * len(entries)
    weights = [attrs["weight"] for _, attrs in entries]
    if not weights[0]:
        conversion.note(*where, "the first destination has no weight: every call tries it first, as in dispatcher")
        return None
    left, shares = 100, []
    for weight in weights:
        shares.append(min(weight, left))
        left -= shares[-1]
    if left:  # dispatcher gives what is missing to the last one
        shares[-1] += left
        conversion.note(*where, f"weights add up to {100 - left}: the last destination has the other {left}")
    elif sum(weights) > 100:
        conversion.note(*where, f"weights add up to {sum(weights)}: dispatcher stops at 100, so do the shares")
    return shares

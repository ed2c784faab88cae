# SPDX-License-Identifier: GPL-2.0-or-later
"""drouting: dr_gateways, dr_rules, dr_gw_lists and dr_groups become trunks, plans and accounts.

A group is a plan `dr-<groupid>`, a gateway a trunk `dr-gw-<gwid>`, a type of
gateways a carrier. drouting looks at the longest prefix of a group, there at
the rules from the highest priority to the lowest, equals in the order of their
ids, and takes the first one whose time holds; then at the next shorter prefix.
"""

import re

from convert import time as convert_time
from convert.plan import Choice, add_plan, usable_prefixes
from convert.rows import Conversion, number, translation, trunk_uri

STEM = "dr-"  # of every name
TABLES = {"dr_gateways": 3, "dr_rules": 3, "dr_gw_lists": 1, "dr_groups": 2}
ACCOUNT_MAX = 128  # callroute_account.match_value
UNSIGNED = 1 << 32  # drouting keeps a priority without its sign
GATEWAYS_MAX = 32  # drouting looks at no more of a rule


def convert(tables, options):
    """A Conversion. options: sort_order, use_domain, tz, now (naive local time)."""
    conversion = Conversion()
    gateways = _gateways(conversion, tables)
    lists = {number(row["id"]): row["gwlist"] for row in tables.rows("dr_gw_lists", "id", "gwlist")}
    groups = {}
    for row in tables.rows("dr_rules", "ruleid", "groupid", "prefix", "timerec", "priority", "routeid", "gwlist"):
        _rule(conversion, gateways, lists, groups, row, options)
    for group in sorted(groups):
        ranked = sorted(groups[group], key=lambda one: (-len(one[1].prefix), -one[0]))  # stable: then by id
        choices = usable_prefixes(conversion, [choice for _, choice in ranked])
        if choices:
            add_plan(conversion, f"dr-{group}", group, choices)
    _groups(conversion, tables, options)
    return conversion


def _gateways(conversion, tables):
    """{gwid: name of its trunk, None where it could not be converted}"""
    gateways = {}
    for row in tables.rows("dr_gateways", "gwid", "type", "address", "strip", "pri_prefix", "attrs"):
        where = ("dr_gateways", row["gwid"])
        gwid, name = number(row["gwid"]), f"dr-gw-{row['gwid']}"
        gateways[gwid] = None
        uri, fault = trunk_uri(row["address"])
        columns, wrong = translation(row, "strip", "pri_prefix")
        if fault or wrong:
            conversion.lose(*where, f"address {fault}" if fault else wrong)
            continue
        if row["address"].lower().startswith(("sip:", "sips:")):
            conversion.note(*where, "address with a scheme: drouting builds a broken URI of it, callroute a sound one")
        if row["attrs"]:
            conversion.lose(*where, f"attrs {row['attrs']!r}: a trunk has none; look at $callroute(trunk) instead")
        carrier = f"dr-type-{number(row['type'])}"
        if carrier not in conversion.carriers:
            conversion.carriers.append(carrier)
        conversion.trunks[name] = {"id": gwid, "carrier": carrier, "uri": uri, **columns}
        gateways[gwid] = name
    return gateways


def _numbers(text, separators):
    """The ids of a list, each with the separator behind it; None where drouting would not read it."""
    if not re.fullmatch(rf"\s*-?\d+((\s+|\s*[{separators}]\s*)-?\d+)*\s*[{separators}]?\s*", text):
        return None
    return [(int(one), sep) for one, sep in re.findall(rf"(-?\d+)([{separators}]?)", text)]


def _rule(conversion, gateways, lists, groups, row, options):
    where = ("dr_rules", row["ruleid"])
    listed = row["gwlist"]
    if listed.startswith("#"):
        listed = lists.get(int(listed[1:]), "") if listed[1:].isdecimal() else ""
    named, members = _numbers(row["groupid"], "|,"), _numbers(listed, "|,;")
    unknown = [gwid for gwid, _ in members or () if gwid not in gateways]
    if not named or not members or unknown:
        text = f"unknown gateway {unknown[0]}" if unknown else f"groupid {row['groupid']!r}, gwlist {row['gwlist']!r}"
        conversion.note(*where, f"left out, as drouting skips it with an error: {text}")
        return
    try:
        time, notes = convert_time.convert(row["timerec"], options.tz, options.now)
    except convert_time.TimeError as error:
        conversion.lose(*where, f"timerec {row['timerec']}: {error}")
        return
    except ValueError as error:
        conversion.note(*where, f"left out, as drouting skips it with an error: {error}")
        return
    for text in notes:
        conversion.note(*where, text)
    if row["routeid"] and not row["routeid"].startswith("0"):
        conversion.lose(*where, f"routeid {row['routeid']}: no route runs; test $callroute(rule) or $callroute(plan)")
    place = None if time is None else conversion.time(time)
    priority = number(row["priority"])
    if priority < 0:
        priority += UNSIGNED
        conversion.note(*where, f"priority {row['priority']}: drouting reads it as {priority}, before all others")
    tiers = _tiers(conversion, where, members[:GATEWAYS_MAX], gateways, options.sort_order)
    for group in dict.fromkeys(group for group, _ in named):
        # The lists of each group are its own: a plan may rewrite them.
        choice = Choice(row["prefix"], [list(tier) for tier in tiers], where, place)
        groups.setdefault(group, []).append((priority, choice))


def _tiers(conversion, where, members, gateways, sort_order):
    """The gateways as they are tried. sort_order 0: as listed; 1: at random in each group; 2: one of each group."""
    tiers, seen, fresh = [], set(), True
    for gwid, separator in members:
        name = gateways[gwid]
        if name is None:
            conversion.lose(*where, f"gateway {gwid} was not converted")
        elif name in seen:
            conversion.lose(*where, f"gateway {gwid} stands in it twice: a call tries a trunk once")
        else:
            seen.add(name)
            if fresh or not sort_order:
                tiers.append([])
            tiers[-1].append((name, 1))
            fresh = False
        fresh = fresh or separator == ";"
    if sort_order and any(len(tier) > 2 for tier in tiers):
        conversion.note(*where, "more than two in a group: drouting draws the first two, callroute the whole order")
    if sort_order == 2 and any(len(tier) > 1 for tier in tiers):
        conversion.lose(*where, "sort_order 2 takes one gateway of each group: all of them are tried here")
    return tiers


def _groups(conversion, tables, options):
    taken = {}
    for row in tables.rows("dr_groups", "id", "username", "domain", "groupid"):
        where, plan = ("dr_groups", row["id"]), f"dr-{number(row['groupid'])}"
        value = f"{row['username']}@{row['domain']}" if options.use_domain else row["username"]
        if not row["username"] or options.use_domain and not row["domain"]:
            conversion.note(*where, "left out: drouting finds no caller without a user or, with use_domain, a domain")
        elif value in taken:
            conversion.note(*where, f"never used: row {taken[value]} has {value} too")
        elif len(value) > ACCOUNT_MAX or "\\" in value:
            conversion.lose(*where, f"{value}: not {ACCOUNT_MAX} characters without a backslash")
        elif plan not in conversion.plans:
            conversion.lose(*where, f"{value}: group {row['groupid']} has no rule that was converted")
        else:
            taken[value] = row["id"]
            conversion.accounts.append({"match_type": "user", "match_value": value, "plan": plan})

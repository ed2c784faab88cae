# SPDX-License-Identifier: GPL-2.0-or-later
"""lcr: lcr_gw, lcr_rule and lcr_rule_target become trunks and plans.

An instance is a plan `lcr-<lcr_id>`, a gateway a trunk `lcr-gw-<id>`; gateways of
instance 0 serve all. lcr collects the targets of every matching rule from the
longest prefix to the shortest, until a stopper, and sorts them by prefix length
and priority (or by priority alone), equals at random by weight. That depends on
the number only through its longest prefix in the table, so each prefix becomes
one complete list. Rules with patterns are left out, and reported.
"""

import dataclasses

from convert.plan import Choice, add_plan, usable_prefixes
from convert.rows import Conversion, host_text, number, translation, trunk_uri

STEM = "lcr-"  # of every name
TABLES = {"lcr_gw": 3, "lcr_rule": 3, "lcr_rule_target": 1}
NULLS = ("prefix IS NULL", "from_uri IS NULL")
UNUSED = 4294967295  # defunct from here on: not loaded at all
_SCHEMES = {"": "sip", "1": "sip", "2": "sips"}
_TRANSPORTS = {"": "", "0": "", "1": "udp", "2": "tcp", "3": "tls", "4": "sctp"}


@dataclasses.dataclass
class Rule:
    """An lcr_rule; targets: (priority, trunk, weight)."""

    prefix: str
    stopper: bool
    where: tuple
    nulls: tuple  # which of its columns are NULL, in the order of the index
    targets: list = dataclasses.field(default_factory=list)


def convert(tables, options):
    """A Conversion. options: priority_ordering, unix_now."""
    conversion = Conversion()
    gateways = _gateways(conversion, tables, options)
    instances = {}
    columns = ("id", "lcr_id", "prefix", "from_uri", "request_uri", "mt_tvalue", "stopper", "enabled")
    for row in tables.rows("lcr_rule", *columns, *NULLS):
        rule = _rule(conversion, row)
        if rule:
            instances.setdefault(number(row["lcr_id"]), {})[number(row["id"])] = rule
    for row in tables.rows("lcr_rule_target", "id", "lcr_id", "rule_id", "gw_id", "priority", "weight"):
        _target(conversion, row, gateways, instances)
    for lcr_id in sorted(instances):
        # Of one prefix, the rule that was loaded last is looked at first.
        rules = usable_prefixes(conversion, list(instances[lcr_id].values()))[::-1]
        if rules:
            by_prefix = {}
            for rule in rules:
                by_prefix.setdefault(rule.prefix, []).append(rule)
            for several in by_prefix.values():
                _same_prefix(conversion, several)
            choices = [_whole_list(by_prefix, prefix, options) for prefix in sorted(by_prefix)]
            add_plan(conversion, f"lcr-{lcr_id}", lcr_id, choices)
    return conversion


def _gateways(conversion, tables, options):
    """{id: (instance, name of its trunk or None where it could not be converted)}"""
    gateways = {}
    columns = ("id", "lcr_id", "gw_name", "ip_addr", "hostname", "port", "params", "uri_scheme", "transport")
    for row in tables.rows("lcr_gw", *columns, "strip", "prefix", "tag", "flags", "defunct"):
        where, name = ("lcr_gw", row["id"]), f"lcr-gw-{row['id']}"
        instance = number(row["lcr_id"])
        gateways[number(row["id"])] = (instance, None)
        if row["uri_scheme"] not in _SCHEMES or row["transport"] not in _TRANSPORTS:
            conversion.lose(*where, f"uri_scheme {row['uri_scheme']}, transport {row['transport']}: lcr has no such")
            continue
        host = host_text(row["ip_addr"] or row["hostname"]) or row["ip_addr"] or row["hostname"]
        port = f":{row['port']}" if number(row["port"]) else ""
        transport = _TRANSPORTS[row["transport"]]
        params = (f";transport={transport}" if transport else "") + row["params"]
        uri, fault = trunk_uri(f"{_SCHEMES[row['uri_scheme']]}:{host}{port}{params}")
        translated, wrong = translation(row, "strip", "prefix")
        if fault or wrong:
            conversion.lose(*where, fault or wrong)
            continue
        if row["ip_addr"] and row["hostname"]:
            text = f"hostname {row['hostname']}: lcr puts it into the request and sends to {row['ip_addr']};"
            conversion.lose(*where, f"{text} a trunk has one URI, the address")
        for column in ("tag", "flags"):
            if row[column] not in ("", "0"):
                conversion.lose(*where, f"{column} {row[column]}: a trunk has none; look at $callroute(trunk) instead")
        state = _state(conversion, where, number(row["defunct"]), options.unix_now)
        carrier = f"lcr-{instance}"
        if carrier not in conversion.carriers:
            conversion.carriers.append(carrier)
        ours = {"id": number(row["id"]), "carrier": carrier, "uri": uri, "admin_state": state, **translated}
        conversion.trunks[name] = ours
        gateways[number(row["id"])] = (instance, name)
    return gateways


def _state(conversion, where, defunct, now):
    if defunct >= UNUSED:
        conversion.note(*where, "unused in lcr: admin_state down")
        return "down"
    if defunct > now:
        conversion.lose(*where, f"defunct until {defunct} (Unix time): admin_state down, and nothing ends it by itself")
        return "down"
    return "up"


def _rule(conversion, row):
    where = ("lcr_rule", row["id"])
    if not number(row["enabled"]):
        conversion.note(*where, "left out: not enabled")
        return None
    for column in ("from_uri", "request_uri", "mt_tvalue"):
        if row[column]:
            conversion.lose(*where, f"{column} {row[column]!r}: rules have prefixes of numbers, no patterns")
            return None
    return Rule(row["prefix"], bool(number(row["stopper"])), where, tuple(row[null] for null in NULLS))


def _same_prefix(conversion, rules):
    """Rules of one prefix: lcr reads them as its database's index has them, where NULL comes before ''."""
    if len({rule.nulls for rule in rules}) > 1 and any(rule.stopper for rule in rules):
        ids = ", ".join(rule.where[1] for rule in reversed(rules))
        text = "which of these lcr looks at first is up to its database, since NULL and '' stand for the same in"
        conversion.lose("lcr_rule", ids, f"{text} prefix or from_uri, and one is a stopper: let all be ''")


def _target(conversion, row, gateways, instances):
    where, lcr_id = ("lcr_rule_target", row["id"]), number(row["lcr_id"])
    rule = instances.get(lcr_id, {}).get(number(row["rule_id"]))
    instance, trunk = gateways.get(number(row["gw_id"]), (None, None))
    if rule is None:
        conversion.note(*where, f"left out, as is rule {row['rule_id']} of instance {lcr_id}")
    elif instance not in (0, lcr_id):
        conversion.note(*where, f"left out, as lcr skips it: instance {lcr_id} has no gateway {row['gw_id']}")
    elif trunk is None:
        conversion.lose(*where, f"gateway {row['gw_id']} was not converted")
    else:
        rule.targets.append((number(row["priority"]), trunk, number(row["weight"], 1)))


def _whole_list(by_prefix, prefix, options):
    """What lcr tries for the numbers whose longest prefix in the table this is."""
    found = []
    shorter = (prefix[:size] for size in range(len(prefix), -1, -1))
    for rule in (rule for one in shorter for rule in by_prefix.get(one, ())):
        length = 0 if options.priority_ordering else -len(rule.prefix)
        found += [((length, priority), trunk, weight) for priority, trunk, weight in rule.targets]
        if rule.stopper:
            break
    tiers, seen = {}, set()
    # Twice in one tier: the greater weight, which comes first this way.
    for rank, trunk, weight in sorted(found, key=lambda one: (one[0], -one[2])):
        if trunk not in seen:
            seen.add(trunk)
            tiers.setdefault(rank, []).append((trunk, weight))
    return Choice(prefix, list(tiers.values()), by_prefix[prefix][0].where)

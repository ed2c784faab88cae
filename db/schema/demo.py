# SPDX-License-Identifier: GPL-2.0-or-later
"""Demo data: a small system that makes every step of the scripts visible.

Four users; a plan whose cheaper trunk is dead, so that each call shows a
failover; a blocked premium range; emergency numbers with a trunk of their own;
one of our own numbers and a hunt group; and limits low enough to reach by hand.
The passwords are published: for loopback only.
"""

import hashlib

from schema import generate

USERS = ("alice", "bob", "carol", "dave")
EMERGENCY_NUMBERS = ("110", "112", "911", "999")
SETTINGS = {
    "domain": "127.0.0.1",
    "password": "{user}-demo",
    "trunk_dead": "sip:127.0.0.1:5091",
    "trunk_good": "sip:127.0.0.1:5090",
    "trunk_emergency": "sip:127.0.0.1:5090",
    "try_timeout_ms": "1000",
    "attempts_per_minute": "10",
    "concurrent_calls": "2",
    "source_requests": "30",
}


class SettingError(Exception):
    """A --set that does not exist or cannot be used."""


def settings(pairs=()):
    """SETTINGS with the given NAME=VALUE pairs in their place."""
    result = dict(SETTINGS)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not value or name not in SETTINGS:
            raise SettingError(f"--set {pair}: not NAME=VALUE with one of {', '.join(SETTINGS)}")
        if SETTINGS[name].isdigit() and not value.isdigit():
            raise SettingError(f"--set {pair}: {name} is a whole number")
        result[name] = value
    return result


def password(user, chosen):
    """The demo user's password."""
    return chosen["password"].replace("{user}", user)


def _insert(table, **columns):
    values = ", ".join(generate.literal(value) for value in columns.values())
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values});"


def _md5(text):
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _users(chosen):
    domain = chosen["domain"]
    for user in USERS:
        secret = password(user, chosen)
        # HA1 alone is stored: the digest needs no more, and a leak shows less.
        ha1 = _md5(f"{user}:{domain}:{secret}")
        ha1b = _md5(f"{user}@{domain}:{domain}:{secret}")
        yield _insert("subscriber", username=user, domain=domain, password="", ha1=ha1, ha1b=ha1b)


def _routing(chosen):
    timeout = int(chosen["try_timeout_ms"])
    for key, carrier in enumerate(("cheap-carrier", "good-carrier", "emergency-service"), 1):
        yield _insert("callroute_carrier", id=key, name=carrier)
    trunks = (("cheap-dead", "trunk_dead"), ("good", "trunk_good"), ("emergency", "trunk_emergency"))
    for key, (name, setting) in enumerate(trunks, 1):
        yield _insert(
            "callroute_trunk",
            id=key,
            carrier_id=key,
            name=name,
            uri=chosen[setting],
            try_timeout_ms=timeout,
        )
    for key, deck in enumerate(("cheap-buy", "good-buy"), 1):
        yield _insert("callroute_deck", id=key, name=deck, currency="EUR")
    # (deck, prefix, micro-EUR a minute): the dead trunk is the cheaper one everywhere.
    for deck, prefix, price in (
        (1, "44", 4000),
        (1, "49", 5000),
        (1, "4930", 4500),
        (2, "44", 9000),
        (2, "49", 10000),
        (2, "1", 8000),
    ):
        yield _insert("callroute_rate", deck_id=deck, prefix=prefix, price=price)
    for deck in (1, 2):
        yield _insert("callroute_rate", deck_id=deck, prefix="4490", price=2000000, blocked=1)
    yield _insert("callroute_plan", id=1, name="default", order_by="price", max_attempts=3)
    for trunk, priority in ((1, 10), (2, 20)):
        yield _insert("callroute_plan_trunk", plan_id=1, trunk_id=trunk, deck_id=trunk, priority=priority)
    # An emergency call goes to its own trunk first and then to one that carries calls.
    for number in EMERGENCY_NUMBERS:
        yield _insert("callroute_rule", plan_id=1, prefix=number, action="emergency", target="emergency,good")
    # Every user of the domain, dialling as in Germany.
    yield _insert("callroute_account", id=1, match_type="domain", match_value=chosen["domain"], plan_id=1, country="DE")


def _inbound(chosen):
    yield _insert("callroute_group", id=1, name="office", strategy="serial")
    for priority, user in enumerate(("bob", "carol"), 1):
        yield _insert("callroute_member", group_id=1, uri=f"sip:{user}@{chosen['domain']}", priority=priority)
    for number, kind, target in (("4930555010", "user", "bob"), ("4930555020", "group", "office")):
        yield _insert("callroute_did", number=number, target_type=kind, target=target)


def _limits(chosen):
    common = {"match_key": "*", "mode": "enforce"}
    yield _insert(
        "fraudguard_rule",
        name="source-flood",
        metric="source_requests",
        threshold=int(chosen["source_requests"]),
        window_sec=2,
        action="drop",
        code=503,
        reason="Too Many Requests",
        **common,
    )
    yield _insert(
        "fraudguard_rule",
        name="call-attempts",
        metric="call_attempts",
        threshold=int(chosen["attempts_per_minute"]),
        window_sec=60,
        action="refuse",
        code=403,
        reason="Call Rate Exceeded",
        **common,
    )
    yield _insert(
        "fraudguard_rule",
        name="concurrent-calls",
        metric="concurrent_calls",
        threshold=int(chosen["concurrent_calls"]),
        action="refuse",
        code=403,
        reason="Too Many Calls",
        **common,
    )
    yield _insert(
        "fraudguard_allow", kind="account", value=f"dave@{chosen['domain']}", note="demo: an account without limits"
    )


def rows_sql(chosen):
    """All rows as INSERT statements that both dialects read."""
    return "\n".join([*_users(chosen), *_routing(chosen), *_inbound(chosen), *_limits(chosen)]) + "\n"

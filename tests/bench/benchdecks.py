# SPDX-License-Identifier: GPL-2.0-or-later
"""The price lists of many vendors, in one SQLite database for callroute and for the stock modules.

Each vendor sells every country (prefixes of up to four digits) and a random choice of the longer
ones, at prices of its own. callroute gets the lists as they are. drouting and lcr compare no
prices of vendors: their tables are worked out beforehand, a rule for each prefix that any
vendor has, with its vendors in the order of their prices there, as many as callroute keeps.
"""

import random
import sqlite3

VENDORS = 20
KEPT = 8                # callroute.h: CALLROUTE_CANDIDATES
EVERYWHERE = 4          # digits of a prefix that all vendors have
SEED = 5061
PORT = 5098             # nobody listens there: for decisions only
URIS = [f"127.3.0.{vendor}:{PORT}" for vendor in range(1, VENDORS + 1)]
ACCOUNT = "127.0.0.0/8"


def decks(prefixes, rows):
    """[{prefix: price} of each vendor]; no two vendors ask the same price."""
    chance = random.Random(SEED)
    short = [prefix for prefix in prefixes if len(prefix) <= EVERYWHERE]
    long = sorted(set(prefixes) - set(short))
    return [{prefix: (1000 + chance.randrange(1000)) * VENDORS + vendor
             for prefix in [*short, *chance.sample(long, rows - len(short))]} for vendor in range(VENDORS)]


def cheapest(lists):
    """{prefix that any vendor has: its vendors from 1, cheapest first}, by each vendor's longest prefix."""
    union = sorted(set().union(*lists))
    best, stack = {}, [("", {})]        # `stack`: the prefixes of the one before, with the prices there
    for prefix in union:
        while not prefix.startswith(stack[-1][0]):
            stack.pop()
        prices = dict(stack[-1][1])
        for vendor, rates in enumerate(lists, 1):
            if prefix in rates:
                prices[vendor] = rates[prefix]
        stack.append((prefix, prices))
        best[prefix] = sorted(prices, key=prices.get)[:KEPT]
    return best


def _fill_callroute(base, lists, uris):
    base.executescript(f"""
        DELETE FROM callroute_rate; DELETE FROM callroute_plan_trunk; DELETE FROM callroute_trunk;
        DELETE FROM callroute_deck;
        DELETE FROM callroute_account; DELETE FROM callroute_rule;
        INSERT INTO callroute_account (match_type, match_value, plan_id, country)
            VALUES ('ip', '{ACCOUNT}', 1, 'DE');
        INSERT INTO callroute_rule (plan_id, prefix, action, target) VALUES (1, '112', 'emergency', 'trunk1');
    """)
    for vendor, uri in enumerate(uris, 1):
        base.execute("INSERT INTO callroute_trunk (id, carrier_id, name, uri) VALUES (?, 1, ?, ?)",
                     (vendor, f"trunk{vendor}", f"sip:{uri}"))
        base.execute("INSERT INTO callroute_deck (id, name) VALUES (?, ?)", (vendor, f"deck{vendor}"))
        base.execute("INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, ?, ?)",
                     (vendor, vendor))
        base.executemany("INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (?, ?, ?)",
                         ((vendor, prefix, price) for prefix, price in lists[vendor - 1].items()))


def _fill_stock(base, best, uris):
    for table in ("dr_gateways", "dr_rules", "lcr_gw", "lcr_rule", "lcr_rule_target", "dispatcher"):
        base.execute(f"DELETE FROM {table}")
    for vendor, uri in enumerate(uris, 1):
        host, _, port = uri.partition(":")
        base.execute("INSERT INTO dr_gateways (gwid, address) VALUES (?, ?)", (vendor, uri))
        base.execute("INSERT INTO lcr_gw (id, lcr_id, gw_name, ip_addr, port, uri_scheme, transport) "
                     "VALUES (?, 1, ?, ?, ?, 1, 1)", (vendor, f"g{vendor}", host, int(port)))
        base.execute("INSERT INTO dispatcher (setid, destination) VALUES (1, ?)", (f"sip:{uri}",))
    rows = list(enumerate(best.items(), 1))
    base.executemany("INSERT INTO dr_rules VALUES (?, '0', ?, '', 1, '', ?, '')",
                     ((n, prefix, ",".join(map(str, vendors))) for n, (prefix, vendors) in rows))
    base.executemany("INSERT INTO lcr_rule (id, lcr_id, prefix, stopper) VALUES (?, 1, ?, 1)",
                     ((n, prefix) for n, (prefix, _) in rows))
    base.executemany("INSERT INTO lcr_rule_target (lcr_id, rule_id, gw_id, priority) VALUES (1, ?, ?, ?)",
                     ((n, vendor, rank) for n, (_, vendors) in rows for rank, vendor in enumerate(vendors)))


def fill(path, prefixes, rows, uris=None):
    """`rows` of each vendor into a database of benchdata.create(), for all modules.

    uris  the vendors' (host:port), by default 127.3.0.1 and on
    Answers the prefixes that any vendor has, the rates, and the rules and targets made of them.
    """
    uris = uris or URIS
    lists = decks(prefixes, rows)
    best = cheapest(lists)
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        _fill_callroute(base, lists, uris)
        _fill_stock(base, best, uris)
    base.close()
    return {"prefixes": list(best), "rates": sum(map(len, lists)), "rules": len(best),
            "targets": sum(map(len, best.values()))}


def fill_callroute(path, lists):
    """The lists into callroute's tables alone."""
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        _fill_callroute(base, lists, URIS)
    base.close()

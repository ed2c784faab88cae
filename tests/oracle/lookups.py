# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose a request is, where a number of ours leads, who rings: by callroute.h and the tables' texts.

Rows are drawn so that they compete for the same requests; every lookup looks
through all of them.
"""

import ipaddress

USERS, DOMAINS = ("alice", "bob", "al"), ("a.test", "b.test", "test")
BASES = ("10.1.2.3", "10.1.2.200", "10.200.0.1", "2001:db8::1", "2001:db8:0:1::5")
LENGTHS = {4: (0, 8, 12, 16, 24, 25, 31, 32), 6: (0, 32, 61, 64, 127, 128)}
STRATEGIES = ("parallel", "serial", "weighted")


# --- rows ---------------------------------------------------------------------------------


def draw_rows(d):
    """Accounts, DIDs, hunt groups and their members into the data set of a Draw."""
    accounts(d)
    for _ in range(d.r.randint(0, 8)):
        d.add("did", number=d.r.choice(d.bases)[:d.r.choice((32, 5))], time_id=d.time_id(),
              priority=d.r.choice((0, 10, 10, 10, 65535)))
    d.rows["did"] = [row for row in d.rows["did"] if is_reached(row, d.rows["did"])]
    for n in range(d.r.randint(0, 3)):
        group = d.add("group", name=f"group{n}", strategy=d.r.choice(STRATEGIES))
        for m in range(d.r.choice((0, 1, 5, 9, 64))):
            d.add("member", group_id=group["id"], uri=f"sip:m{m}@test", priority=d.r.choice((0, 10, 10, 65535)),
                  weight=d.r.choice((0, 1, 9, 65535)), time_id=d.time_id(), enabled=d.chance(0.9))


def is_reached(row, dids):
    """A load with a DID behind one that always holds is refused."""
    return not any(one["number"] == row["number"] and one["time_id"] == 0
                   and (one["priority"], one["id"]) < (row["priority"], row["id"]) for one in dids)


def accounts(d):
    seen = set()
    for _ in range(d.r.randint(0, 10)):
        kind = d.r.choice(("user", "user", "ip", "ip", "ip", "trunk", "domain"))
        value = {"user": lambda: d.r.choice(USERS) + d.r.choice(("", "@" + d.r.choice(DOMAINS))),
                 "ip": lambda: network(d.r), "trunk": lambda: d.some("trunk")["name"],
                 "domain": lambda: d.r.choice(DOMAINS)}[kind]()
        # 10.1.2.3 and 10.1.2.3/32 are one network.
        if (kind, value.removesuffix("/32").removesuffix("/128")) not in seen:
            seen.add((kind, value.removesuffix("/32").removesuffix("/128")))
            d.add("account", plan_id=d.some("plan")["id"], match_type=kind, match_value=value, enabled=d.chance(0.9))


def network(r):
    base = ipaddress.ip_address(r.choice(BASES))
    net = ipaddress.ip_network(f"{base}/{r.choice(LENGTHS[base.version])}", strict=False)
    return str(net) if net.prefixlen < net.max_prefixlen or r.random() < 0.5 else str(net.network_address)


# --- questions ----------------------------------------------------------------------------


def who(h):
    """Of what is not known, nothing is said."""
    r = h.r
    addr = ipaddress.ip_address(r.choice(BASES))
    addr = addr + r.choice((0, 0, 1, -1, 255, 1 << 16))
    return {"what": "who", "user": r.choice(("", *USERS, "alicex")), "domain": r.choice(("", *DOMAINS)),
            "addr": r.choice(("", str(addr))), "trunk": r.choice(("", "", h.d.some("trunk")["name"]))}


def where(h):
    numbers = [row["number"] for row in h.d.rows["did"]] or [""]
    return {"what": "where", "number": r_or(h.r, h.r.choice(numbers), h.number()), "now": h.moment()}


def rings(h):
    names = [row["name"] for row in h.d.rows["group"]] + ["group"]
    return {"what": "rings", "group": h.r.choice(names), "now": h.moment(), "seed": h.r.randrange(1 << 62),
            "most": h.r.choice((0, 1, 3, 12, 64, 100))}


def r_or(r, often, seldom):
    return often if r.random() < 0.8 else seldom


# --- answers ------------------------------------------------------------------------------


class Lookups:
    KINDS = ("who", "where", "rings")

    def __init__(self, world):
        self.world, self.rows = world, world.rows
        self.nets = [(ipaddress.ip_network(a["match_value"]), a) for a in self.rows["account"]
                     if a["match_type"] == "ip"]

    def fault(self, what, got):
        """What is wrong with the program's line; None = nothing."""
        if what["what"] == "rings":
            return self.fault_of_hunt(what, got)
        must = self.who(what) if what["what"] == "who" else self.did(what)
        return None if got == must else f"answer is {got!r}, must be {must!r}"

    def holds(self, row, now):
        return row["time_id"] == 0 or self.world.times[row["time_id"]].holds(now, self.world.now)

    def matching(self, kind, value):
        return next((a for a in self.rows["account"] if (a["match_type"], a["match_value"]) == (kind, value)), None)

    def who(self, what):
        user, domain = what["user"], what["domain"]
        found = (user and self.matching("user", f"{user}@{domain}")) or (user and self.matching("user", user))
        if not found and what["addr"]:
            addr = ipaddress.ip_address(what["addr"])
            nets = [(net.prefixlen, a) for net, a in self.nets if net.version == addr.version and addr in net]
            # ::/0 holds the mapped IPv4 addresses, too.
            nets += [(-1, a) for net, a in self.nets if addr.version == 4 and str(net) == "::/0"]
            found = max(nets, key=lambda one: one[0], default=(0, None))[1]
        found = found or (what["trunk"] and self.matching("trunk", what["trunk"]))
        found = found or (domain and self.matching("domain", domain))
        return f"who\t{found['id'] if found else 0}"

    def did(self, what):
        known = [row for row in self.rows["did"] if row["number"] == what["number"]]
        fit = [row for row in known if self.holds(row, what["now"])]
        first = min(fit, key=lambda row: (row["priority"], row["id"]), default={"id": 0})
        return f"where\t{first['id']}\t{int(bool(known))}"

    def fault_of_hunt(self, what, got):
        group = next((g for g in self.rows["group"] if g["name"] == what["group"]), None)
        if group is None:
            return None if got == "rings\tnone" else f"answer is {got!r}, there is no such group"
        fit = [m for m in self.rows["member"]
               if m["group_id"] == group["id"] and m["enabled"] and self.holds(m, what["now"])]
        fit.sort(key=lambda m: (m["priority"], m["id"]))
        ids = [int(word) for word in got.removeprefix("rings\t").split()]
        if group["strategy"] != "weighted":
            must = [m["id"] for m in fit][:what["most"]]
            return None if ids == must else f"members are {ids}, must be {must}"
        by_id = {m["id"]: m for m in fit}
        if len(ids) != min(len(fit), what["most"]) or len(set(ids)) != len(ids) or not set(ids) <= set(by_id):
            return f"members are {ids}, of {sorted(by_id)} and {what['most']} at most"
        # Drawn among equals, those without weight behind: as far as the row goes, no better one is left out.
        order = sorted((m["priority"], m["weight"] == 0) for m in fit)[:len(ids)]
        given = [(by_id[i]["priority"], by_id[i]["weight"] == 0) for i in ids]
        return None if given == order else f"members are {ids}, ranks {given}, must be {order}"

# SPDX-License-Identifier: GPL-2.0-or-later
"""A random data set, what befalls its trunks, and questions to it.

Everything is drawn so that rows meet: few numbers, prefixes that are their
beginnings, times at the edges of what holds.
"""

import random
from functools import lru_cache

from oracle import countries, happenings, lookups
from oracle.calendars import calendars
from oracle.times import Time

# What a line of input has, in the order of the tables.
COLUMNS = {
    "time": "id tz dtstart duration rrule exdate",
    "breaker": "id name window_sec min_calls open_at half_open_after",
    "carrier": "id name max_channels max_cps enabled",
    "trunk": "id carrier_id name max_channels max_cps breaker_id probe_interval down_after up_after admin_state",
    "deck": "id name side currency fx enabled",
    "rate": "id deck_id prefix src_prefix price connect_fee first_sec step_sec valid_from valid_till blocked "
            "is_default",
    "plan": "id name order_by sell_deck_id min_margin min_margin_pct max_attempts use_lnp",
    "plan_trunk": "id plan_id trunk_id deck_id priority weight time_id src_countries dst_countries",
    "rule": "id plan_id prefix src_prefix time_id priority action target stop",
    "block": "id list side prefix",
    "lnp": "id number routing_number",
    "account": "id plan_id match_type match_value enabled",
    "did": "id number time_id priority",
    "group": "id name strategy",
    "member": "id group_id uri priority weight time_id enabled",
}
COLUMNS = {table: columns.split() for table, columns in COLUMNS.items()}
FIRST_DAY, LAST_DAY = 1735689600, 1798761600  # 2025 .. 2026
# UTC seconds of clock changes: Berlin, New York, Lord Howe.
CLOCK_CHANGES = (1743296400, 1761440400, 1774746000, 1741503600, 1762063200, 1772953200, 1743865200, 1759591800,
                 1775314800, 1791041400)


@lru_cache(maxsize=None)
def time_of(row):
    return Time(*row)


class World:
    def __init__(self, now, rows, happens):
        self.now, self.rows, self.happens = now, rows, happens
        self.refusal = None  # the error with which a load is refused
        self.reload = None  # the deck that a second load brings, while it keeps the other rates; 0 = keeps all
        self.fit()

    @property
    def loaded(self):
        return self.refusal is None

    def fit(self):
        self.times = {t["id"]: time_of(tuple(t[c] for c in COLUMNS["time"][1:])) for t in self.rows["time"]}

    def loads(self):
        """(the command it starts with, the deck whose rates alone it brings or None, its decks, its rates)"""
        decks, rates = self.rows["deck"], self.rows["rate"]
        if self.reload is None:
            return [("new", None, decks, rates)]
        before = [dict(r, price=r["price"] + 17) if r["deck_id"] == self.reload else r for r in rates]
        return [("new", None, *self.with_spare(decks, before)),
                ("again", self.reload, decks, [r for r in rates if r["deck_id"] == self.reload])]

    @staticmethod
    def with_spare(decks, rates):
        """One deck more, with rates, that the second load no longer has; where an id is free between the others'."""
        ids = {d["id"] for d in decks}
        spare = next((i for i in range(1, max(ids)) if i not in ids), None)
        if spare is None:
            return decks, rates
        extra = [dict(r, id=rates[-1]["id"] + i, deck_id=spare)
                 for i, r in enumerate((r for r in rates if r["deck_id"] == rates[0]["deck_id"]), 1)]
        return sorted([*decks, dict(decks[0], id=spare, name="spare")], key=lambda d: d["id"]), rates + extra

    def lines(self):
        for command, kept, decks, rates in self.loads():
            yield f"{command}\t{self.now}"
            rows = dict(self.rows, deck=decks, rate=rates)
            for table, columns in COLUMNS.items():
                if table == "rate" and kept is not None:
                    yield f"keep\t{kept}"
                for row in rows[table]:
                    yield "\t".join([table, *(str(row[c]) for c in columns)])
            yield "build"
        for what in self.happens:
            yield "\t".join(str(word) for word in what.values())


class Draw:
    """One data set, from one seed."""

    def __init__(self, seed, questions):
        self.r = random.Random(seed)
        r = self.r
        self.bases = r.sample(countries.numbers(), 7)
        self.now = r.randrange(FIRST_DAY, LAST_DAY)
        if r.random() < 0.4:
            self.now = r.choice(CLOCK_CHANGES) + r.randrange(-7200, 7200)
        self.edges = [self.now + r.randrange(-50000, 5000000) for _ in range(4)]
        self.converted = r.random() < 0.5
        self.few_prices = r.random() < 0.3
        self.many = r.choice((1, 1, 1, 4))  # times as many rows of the tables that decide how a search goes
        self.sparing = r.choice((0, 0.1, 0.4))  # how often a row holds for some times or countries only
        self.rows = {table: [] for table in COLUMNS}
        for draw in (self.times, self.carriers, self.trunks, self.decks, self.rates, self.plans, self.entries,
                     self.rules, self.blocks, self.lnp):
            draw()
        lookups.draw_rows(self)
        self.world = World(self.now, self.rows, [])
        for time in self.world.times.values():
            near = [e for e in time.edges if self.now - 86400 <= e < self.now + 90 * 86400]
            self.edges += r.sample(near, min(4, len(near)))
        self.spoil()
        self.world.happens = happenings.draw(self, questions)

    def chance(self, p):
        return int(self.r.random() < p)

    def add(self, table, **row):
        row["id"] = (self.rows[table][-1]["id"] if self.rows[table] else 0) + self.r.choice((1, 1, 1, 7))
        self.rows[table].append({c: row[c] for c in COLUMNS[table]})
        return row

    def some(self, table):
        return self.r.choice(self.rows[table])

    def prefix(self):
        base = self.r.choice(self.bases)
        return base[:self.r.choice((1, 2, 3, 3, 4, 5, 6, 8, len(base)))]

    def time_id(self):
        return self.some("time")["id"] if self.rows["time"] and self.chance(self.sparing) else 0

    def countries(self):
        r = self.r
        if not self.chance(self.sparing):
            return ""
        isos = {countries.country_of(b) for b in self.bases} | {"DE", "US", "XG"}
        words = [r.choice(("", "!")) + iso for iso in r.sample(sorted(isos - {""}), r.randint(1, 3))]
        return r.choice((",", ", ")).join(words)

    # --- tables -------------------------------------------------------------------------

    def times(self):
        for row in self.r.sample(calendars(), self.r.randint(0, 5)):
            self.add("time", **row)

    def carriers(self):
        for n in range(self.r.randint(1, 4)):
            self.add("carrier", name=f"carrier{n}", max_channels=self.r.choice((0, 0, 2, 4)),
                     max_cps=self.r.choice((0, 0, 0, 2, 8)), enabled=self.chance(0.92))
        for n in range(self.r.randint(0, 2)):
            self.add("breaker", name=f"breaker{n}", window_sec=self.r.choice((60, 600, 3600)),
                     min_calls=self.r.randint(1, 5), open_at=self.r.choice((1, 30, 50, 75, 100)),
                     half_open_after=self.r.choice((1, 30, 300)))

    def trunks(self):
        for n in range(self.r.randint(2, 9) * self.many):
            self.add("trunk", name=f"trunk {n}" if self.chance(0.1) else f"t{n}", carrier_id=self.some("carrier")["id"],
                     max_channels=self.r.choice((0, 0, 0, 1, 2)), max_cps=self.r.choice((0, 0, 0, 1, 4, 20)),
                     breaker_id=self.some("breaker")["id"] if self.rows["breaker"] and self.chance(0.6) else 0,
                     probe_interval=self.r.choice((0, 30)), down_after=self.r.randint(1, 3),
                     up_after=self.r.randint(1, 3), admin_state=self.r.choice(("up",) * 12 + ("drain", "down")))

    def decks(self):
        for n in range(self.r.randint(1, 6) * self.many):
            self.add("deck", name=f"deck{n}", side="buy" if n == 0 or self.chance(0.7) else "sell",
                     currency=self.r.choice(("EUR", "USD", "GBP")) if self.converted else "EUR",
                     fx=self.r.choice((1000000, 912345, 500000, 1499999, 2500000)) if self.converted else 0,
                     enabled=self.chance(0.9) if n else 1)

    def rates(self):
        r, taken = self.r, {}
        for _ in range(r.randint(10, 90) * self.many ** 2):
            deck = self.some("deck")["id"]
            default = self.chance(0.12 / self.many)
            prefix = "" if default else self.prefix() if self.chance(0.95) else r.choice(("*", "*1", "112", "#0"))
            src = self.prefix() if self.chance(0.15) else ""
            at, till = self.validity()
            held = taken.setdefault((deck, prefix, src), [])
            if any(a < (till or 1 << 62) and at < (b or 1 << 62) for a, b in held):
                continue
            held.append((at, till))
            price = r.choice((1000, 2000, 3000)) if self.few_prices else r.randrange(40000)
            if self.chance(0.02):
                price = r.choice((0, (1 << 38) - 1))
            self.add("rate", deck_id=deck, prefix=prefix, src_prefix=src, price=price,
                     connect_fee=r.choice((0, 0, r.randrange(9999))), first_sec=r.choice((1, 30, 60)),
                     step_sec=r.choice((1, 6, 60)), valid_from=at, valid_till=till, blocked=self.chance(0.06),
                     is_default=1 if default else self.chance(0.05))

    def validity(self):
        a, b = sorted(self.r.sample(self.edges, 2))
        return self.r.choice(((0, 0),) * 6 + ((0, a), (a, 0), (a, b), (b, 0), (0, b), (b + 1, b + 2)))

    def plans(self):
        r = self.r
        sells = [d["id"] for d in self.rows["deck"] if d["side"] == "sell" and d["enabled"]]
        for n in range(r.randint(1, 3)):
            sell = r.choice(sells) if sells and self.chance(0.7) else 0
            self.add("plan", name=f"plan{n}", order_by=r.choice(("price", "quality", "priority")), sell_deck_id=sell,
                     min_margin=r.choice((0, 0, -20000, 500, -1 << 39)) if sell else 0,
                     min_margin_pct=r.choice((0, -1000, 5, 100, -200)) if sell else 0,
                     max_attempts=r.choice((1, 2, 3, 8)), use_lnp=self.chance(0.5))

    def entries(self):
        r, buys, seen = self.r, [d["id"] for d in self.rows["deck"] if d["side"] == "buy"], set()
        for plan in self.rows["plan"]:
            least = 0 if seen or self.chance(0.1) else 1
            for _ in range(r.choice((least, 1, 3, 6, 6, 12, 12)) * self.many):
                place = plan["id"], self.some("trunk")["id"], r.choice(buys), self.time_id()
                if place in seen:
                    continue
                seen.add(place)
                self.add("plan_trunk", plan_id=place[0], trunk_id=place[1], deck_id=place[2], time_id=place[3],
                         priority=r.choice((0, 1, 10, 10, 65535)), weight=r.choice((0, 1, 1, 65535)),
                         src_countries=self.countries(), dst_countries=self.countries())

    def rules(self):
        r = self.r
        for _ in range(r.choice((0, 2, 5, 9))):
            action = r.choice(("route", "route", "route", "block", "redirect", "emergency"))
            stop = self.chance(0.5)
            names = [self.some("trunk")["name"] for _ in range(r.randint(0 if action == "emergency" and not stop else 1,
                                                                         3))]
            target = {"block": "", "redirect": r.choice(("sip:elsewhere@127.0.0.9", "49301234", "tel:+49301234"))}.get(
                action, r.choice((",", ", ")).join(dict.fromkeys(names)))
            prefix = r.choice(("112", "911", r.choice(self.bases))) if action == "emergency" else \
                self.prefix() if self.chance(0.9) else ""
            self.add("rule", plan_id=self.some("plan")["id"], prefix=prefix,
                     src_prefix=self.prefix() if self.chance(0.4) else "", time_id=self.time_id(),
                     priority=r.choice((0, 10, 10, 10, 20)), action=action, target=target, stop=stop)

    def blocks(self):
        seen = set()
        for _ in range(self.r.choice((0, 0, 0, 1, 2))):
            row = {"list": self.r.choice(("*", self.some("plan")["name"])), "side": self.r.choice(("src", "dst")),
                   "prefix": self.prefix() + self.r.choice(("", "1", "12"))}
            if tuple(row.values()) not in seen:
                seen.add(tuple(row.values()))
                self.add("block", **row)

    def lnp(self):
        for number in self.r.sample(self.bases, self.r.randint(0, 3)):
            self.add("lnp", number=number[:15], routing_number=self.r.choice(self.bases)[:15])

    def spoil(self):
        """Some loads are refused: empty ones, and ones with a bad row."""
        rows, decks = self.rows, {d["id"] for d in self.rows["deck"] if d["enabled"]}
        if self.chance(0.02) and rows["rate"]:
            twice = [x for x in rows["rate"] if x["deck_id"] in decks]
            if twice:
                self.add("rate", **dict(twice[0], price=1))
                self.world.refusal = "EBADMSG"
        elif not any(x["deck_id"] in decks for x in rows["rate"]) or \
                not any(e["deck_id"] in decks for e in rows["plan_trunk"]):
            self.world.refusal = "ENODATA"
        elif self.chance(0.4):
            deck = self.r.choice([0] + [d["id"] for d in rows["deck"]])
            if any(x["deck_id"] in decks and x["deck_id"] != deck for x in rows["rate"]):
                self.world.reload = deck

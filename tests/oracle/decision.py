# SPDX-License-Identifier: GPL-2.0-or-later
"""The routing decision by callroute.h and the tables' texts: all rows looked through, nothing remembered.

decide() gives what must come out; Expected.fault() says whether an answer is
that. Shares are random, so among equals any order is right; that the shares are
right is weights.py's part.
"""

from oracle import countries

FATES = ("rule no_rate rate_blocked src_country dst_country time margin price_unknown admin carrier probes breaker "
         "cps channels carrier_cps carrier_channels twice rank chosen").split()
REDIRECTED, OK, NO_PREFIX, ALL_DOWN, NO_CAPACITY, NO_MARGIN, BLOCKED, OUTSIDE_TIME = 2, 1, -1, -2, -3, -4, -5, -6
NO_DATA = -8
VERDICT_OF = {"rule": (NO_PREFIX, "no_prefix"), "no_rate": (NO_PREFIX, "no_prefix"),
              "rate_blocked": (BLOCKED, "blocked"), "src_country": (BLOCKED, "src_country"),
              "dst_country": (BLOCKED, "dst_country"), "time": (OUTSIDE_TIME, "time"),
              "margin": (NO_MARGIN, "margin"), "price_unknown": (NO_MARGIN, "price_unknown")}
VERDICT_OF.update({fate: (ALL_DOWN, "all_down") for fate in ("admin", "carrier", "probes", "breaker")})
VERDICT_OF.update({fate: (NO_CAPACITY, "no_capacity")
                   for fate in ("channels", "cps", "carrier_channels", "carrier_cps")})
CAPACITY_FATE = {("trunk", "channels"): "channels", ("trunk", "cps"): "cps",
                 ("carrier", "channels"): "carrier_channels", ("carrier", "cps"): "carrier_cps"}
MOST_ATTEMPTS = 8
QUALITY_STEP = 20
QUALITY_SLACK = -2, 0.5  # the module's parts are whole numbers, cut off, and fade a little
HEAD = "verdict reason emergency plan_id plan rule_id sell src dst routing redirect".split()


class Vendor:
    def __init__(self, key, trunk, entry=None, place=0):
        self.key, self.trunk, self.entry = key, trunk, entry
        self.order = (0, place, 0, 0)  # a rule's own order
        self.rate = None
        self.barred = False  # a rule's trunk whose deck blocks the prefix
        self.fate = None  # None: nothing but rank and capacity is left to ask
        self.full = None  # the fate that its capacity would give it
        self.quality = 0

    @property
    def price(self):
        return -1 if self.rate is None else self.rate["cost"]


class Oracle:
    def __init__(self, world, live):
        self.world, self.live = world, live
        rows = world.rows
        self.trunks = {t["id"]: t for t in rows["trunk"]}
        self.names = {t["name"]: t for t in rows["trunk"]}
        self.carriers = {c["id"]: c for c in rows["carrier"]}
        self.decks = {d["id"]: d for d in rows["deck"]}
        self.plans = {p["name"]: p for p in rows["plan"]}
        self.ported = {p["number"]: p["routing_number"] for p in rows["lnp"]}
        self.rates = {}
        for rate in rows["rate"]:
            deck = self.decks[rate["deck_id"]]
            fx = deck["fx"] or 1000000
            rate = dict(rate, cost=(rate["price"] * fx + 500000) // 1000000,
                        fee=(rate["connect_fee"] * fx + 500000) // 1000000)
            self.rates.setdefault((deck["id"], rate["prefix"]), []).append(rate)

    # --- what a row says of a call ---------------------------------------------------

    def holds(self, row, now):
        return row["time_id"] == 0 or self.world.times[row["time_id"]].holds(now, self.world.now)

    def rate_of(self, deck_id, number, ask):
        """The rate with the longest prefix that is valid now and for this caller."""
        for length in range(len(number), -1, -1):
            fit = [r for r in self.rates.get((deck_id, number[:length]), ())
                   if r["valid_from"] <= ask["now"] and (r["valid_till"] == 0 or ask["now"] < r["valid_till"])
                   and ask["src"].startswith(r["src_prefix"])]
            if fit:
                return max(fit, key=lambda r: len(r["src_prefix"]))
        return None

    def rule_of(self, plan, ask, emergency, any_src=False):
        fit = [r for r in self.world.rows["rule"]
               if r["plan_id"] == plan["id"] and (r["action"] == "emergency") == emergency
               and (ask["number"] == r["prefix"] if emergency else ask["number"].startswith(r["prefix"]))
               and (any_src or ask["src"].startswith(r["src_prefix"])) and self.holds(r, ask["now"])]
        return min(fit, default=None,
                   key=lambda r: (r["priority"], -len(r["prefix"]), -len(r["src_prefix"]), r["id"]))

    def is_blocked(self, plan, side, number):
        return any(b["list"] in ("*", plan["name"]) and b["side"] == side and number.startswith(b["prefix"])
                   for b in self.world.rows["block"])

    # --- the decision -------------------------------------------------------------------

    def decide(self, ask):
        plan = self.plans.get(ask["plan"])
        if not self.world.loaded:
            return Expected(NO_DATA, "no_data")
        if plan is None:
            return Expected(NO_DATA, "no_plan")
        out = Expected(plan=plan)
        number = ask["number"]
        if not 0 < len(number) <= 32 or set(number) - set("0123456789*#"):
            return out.refuse(NO_PREFIX, "not_a_number")
        rule = self.rule_of(plan, ask, True) or self.rule_of(plan, ask, True, any_src=True)
        if rule is not None:
            out.emergency, out.attempts = 1, MOST_ATTEMPTS
        else:
            for side, digits in (("dst", number), ("src", ask["src"])):
                if self.is_blocked(plan, side, digits):
                    return out.refuse(BLOCKED, side + "_block")
            rule = self.rule_of(plan, ask, False)
        if rule is not None:
            out.rule_id = rule["id"]
            if rule["action"] == "block":
                return out.refuse(BLOCKED, "rule_block")
            if rule["action"] == "redirect":
                out.redirect = rule["target"]
                return out.refuse(REDIRECTED, "redirect")
        if plan["use_lnp"] and not out.emergency:
            out.routing = self.ported.get(number, "")
        number = out.routing or number
        out.dst, out.src = countries.country_of(number), countries.country_of(ask["src"])
        sell = self.rate_of(plan["sell_deck_id"], number, ask) if plan["sell_deck_id"] else None
        if sell is not None:
            out.sell = sell["cost"]
        if plan["sell_deck_id"] and not out.emergency:
            if sell is None:
                return out.refuse(NO_MARGIN, "no_sell_price")
            if sell["blocked"]:
                return out.refuse(BLOCKED, "sell_blocked")
        out.vendors = self.vendors(plan, rule, number, out, ask)
        for vendor in out.vendors:
            self.judge(vendor, plan, rule, out, ask)
        return self.conclude(out, ask)

    def vendors(self, plan, rule, number, out, ask):
        own = []
        for entry in self.world.rows["plan_trunk"]:
            if entry["plan_id"] == plan["id"] and self.decks[entry["deck_id"]]["enabled"]:
                key = f"{entry['trunk_id']}/{entry['deck_id']}/{entry['time_id']}"
                vendor = Vendor(key, self.trunks[entry["trunk_id"]], entry)
                vendor.rate = self.rate_of(entry["deck_id"], number, ask)
                own.append(vendor)
        targets = [self.names[name.strip()] for name in rule["target"].split(",") if name.strip()] if rule else []
        ruled = [Vendor(f"{trunk['id']}/rule/{i}", trunk, place=i) for i, trunk in enumerate(targets)]
        for vendor in ruled:
            rated = [v for v in own if v.trunk is vendor.trunk and v.rate]
            priced = [v for v in rated if not v.rate["blocked"] and self.fate_by_entry(v.entry, out, ask) is None]
            if priced:
                vendor.rate = min(priced, key=lambda v: (v.price, v.entry["deck_id"])).rate
            vendor.barred = not priced and any(v.rate["blocked"] for v in rated)
        return ruled + own

    def earns_too_little(self, vendor, plan, out):
        left = out.sell - vendor.price
        return left < plan["min_margin"] or left * 100 < out.sell * plan["min_margin_pct"]

    def fate_by_entry(self, entry, out, ask):
        if not takes(entry["src_countries"], out.src):
            return "src_country"
        if not takes(entry["dst_countries"], out.dst):
            return "dst_country"
        return None if self.holds(entry, ask["now"]) else "time"

    def fate_by_plan(self, vendor, plan, rule, out, ask):
        looks_at_margin = plan["sell_deck_id"] != 0 and not out.emergency
        entry = vendor.entry
        if entry is None:
            if out.emergency:
                return None
            if vendor.barred:
                return "rate_blocked"
            if looks_at_margin and vendor.rate is None:
                return "price_unknown"
        else:
            if rule is not None and rule["stop"]:
                return "rule"
            if vendor.rate is None:
                return "no_rate"
            if vendor.rate["blocked"]:
                return "rate_blocked"
            fate = self.fate_by_entry(entry, out, ask)
            if fate is not None:
                return fate
        if looks_at_margin and self.earns_too_little(vendor, plan, out):
            return "margin"
        return None

    def fate_by_state(self, trunk, clock):
        if self.live.state(trunk) != "up":
            return "admin"
        if not self.carriers[trunk["carrier_id"]]["enabled"]:
            return "carrier"
        if trunk["probe_interval"] and not self.live.is_up(trunk):
            return "probes"
        breaker, cfg = self.live.breaker_of(trunk)
        return None if breaker.allows(cfg, clock) else "breaker"

    def judge(self, vendor, plan, rule, out, ask):
        vendor.fate = self.fate_by_plan(vendor, plan, rule, out, ask)
        if vendor.fate is None:
            vendor.fate = self.fate_by_state(vendor.trunk, ask["clock"])
            if vendor.fate and out.emergency and vendor.entry is None:
                vendor.fate = None  # whatever speaks against it: behind all others
                vendor.order = (2,) + vendor.order[1:]
        if vendor.fate is None and not out.emergency:
            refused = self.live.capacity.refusal(self.live.claim(vendor.trunk), ask["clock"])
            vendor.full = CAPACITY_FATE.get(refused)
        if vendor.fate is None and vendor.entry is not None:
            vendor.order = (1,) + self.rank(vendor, plan, out) + (vendor.entry["weight"] == 0,)

    def rank(self, vendor, plan, out):
        if plan["order_by"] == "price":
            return vendor.price, vendor.entry["priority"]
        if plan["order_by"] == "priority":
            return vendor.entry["priority"], vendor.price
        known = self.live.quality(vendor.trunk["id"], out.dst)
        vendor.quality = known.score() if known else 750
        return -(vendor.quality // QUALITY_STEP), vendor.price

    def conclude(self, out, ask):
        if not any(v.fate is None and v.full is None for v in out.vendors):
            fates = [v.fate or v.full for v in out.vendors]
            return out.refuse(*VERDICT_OF[max(fates, key=FATES.index, default="rule")])
        account = [(("account", ask["account"]), (ask["channels"], ask["cps"]))]
        refused = None if out.emergency else self.live.capacity.refusal(account, ask["clock"])
        if refused:
            return out.refuse(NO_CAPACITY, "account_" + refused[1])
        return out.refuse(OK, "ok")


def takes(words, country):
    """A list of countries: empty = all, ! excludes."""
    listed = [w.strip() for w in words.split(",") if w.strip()]
    inside = [w for w in listed if w[0] != "!"]
    return "!" + country not in listed and (not inside or country in inside)


class Expected:
    def __init__(self, verdict=0, reason="", plan=None):
        self.verdict, self.reason, self.emergency, self.rule_id, self.sell = verdict, reason, 0, 0, -1
        self.plan_id, self.plan = (plan["id"], plan["name"]) if plan else (0, "")
        self.attempts = plan["max_attempts"] if plan else 0
        self.src = self.dst = self.routing = self.redirect = ""
        self.vendors = []

    def refuse(self, verdict, reason):
        self.verdict, self.reason = verdict, reason
        return self

    def fault(self, fields):
        """What is wrong with the answer's fields; None = nothing."""
        for name, got in zip(HEAD, fields):
            if str(getattr(self, name)) != got:
                return f"{name} is {got}, must be {getattr(self, name)}"
        if len(fields) != len(HEAD) + 2:
            return f"{len(fields)} fields"
        fates = {}
        for word in fields[-1].split():
            key, fate, price = word.split(":")
            fates[key] = (fate, price)
        by_key = {v.key: v for v in self.vendors}
        if set(fates) != set(by_key):
            return f"vendors are {sorted(fates)}, must be {sorted(by_key)}"
        for key, vendor in by_key.items():
            if fates[key][1] != str(vendor.price):
                return f"price of {key} is {fates[key][1]}, must be {vendor.price}"
        return self.fault_of_rank(fates, by_key) or self.fault_of_candidates(fields[-2].split(), fates, by_key)

    def fault_of_rank(self, fates, by_key):
        chosen = sorted((v for k, v in by_key.items() if fates[k][0] == "chosen"), key=lambda v: v.order)
        trunks = [v.trunk["id"] for v in chosen]
        if len(chosen) > self.attempts or len(set(trunks)) < len(trunks):
            return f"chosen are {[v.key for v in chosen]} of {self.attempts} at most"
        full = len(chosen) == self.attempts
        last = chosen[-1].order if chosen else ()
        for key, vendor in by_key.items():
            got = fates[key][0]
            if vendor.fate is not None:
                allowed = [vendor.fate]
            elif vendor in chosen:
                allowed = ["chosen"] if vendor.full is None else [vendor.full]
            else:
                # Taken from the heap, it is full, or its trunk is there already.
                taken = vendor.full or ("twice" if any(v.trunk is vendor.trunk and v.order <= vendor.order
                                                       for v in chosen) else "chosen")
                allowed = ["rank"] if full and vendor.order > last else [taken]
                if full and vendor.order == last:
                    allowed = ["rank", taken] if taken != "chosen" else ["rank"]
            if got not in allowed:
                return f"fate of {key} is {got}, must be {' or '.join(allowed)}"
        return None

    def fault_of_candidates(self, words, fates, by_key):
        keys = [word.split(":")[0] for word in words]
        wanted = {k for k in by_key if fates[k][0] == "chosen"} if self.verdict == OK else set()
        if len(keys) != len(set(keys)) or set(keys) != wanted:
            return f"candidates are {keys}, must be {sorted(wanted)}"
        orders = [by_key[key].order for key in keys]
        if orders != sorted(orders):
            return f"candidates {keys} are out of order: {orders}"
        for word in words:
            key, *got = word.split(":")
            vendor, rate = by_key[key], by_key[key].rate
            terms = [rate[c] for c in ("cost", "fee", "first_sec", "step_sec")] if rate else [-1, 0, 0, 0]
            must = [vendor.trunk["id"], *terms, len(rate["prefix"]) if rate else 0]
            off = int(got[-1]) - vendor.quality
            if [int(n) for n in got[:-1]] != must or not QUALITY_SLACK[0] <= off <= QUALITY_SLACK[1]:
                return f"candidate {key} is {got}, must be {must} and quality {float(vendor.quality)}"
        return None

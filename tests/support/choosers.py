# SPDX-License-Identifier: GPL-2.0-or-later
"""Which gateways are tried for a number: the stock modules and callroute, each by its own tables.

Written from the modules' documentation and sources, not from db/convert*.py, so
that a fault of the converter is not repeated here. Only what does not depend on
chance: no random order, no weights. Everything is in the tables of an SQLite
file; times are local ones of the one time zone that a test uses, without DST.
"""

import datetime
import re
import sqlite3

DAY = datetime.timedelta(days=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def rows(path, table, order="1"):
    """Every row of a table as a dictionary."""
    with sqlite3.connect(path) as base:
        base.row_factory = sqlite3.Row
        found = [dict(row) for row in base.execute(f"SELECT * FROM {table} ORDER BY {order}")]
    base.close()
    return found


# --- drouting ---------------------------------------------------------------


def drouting_holds(timerec, at):
    """drouting's dr_check_tmrec() for the parts that mean what the manual says."""
    part = timerec.split("|") + [""] * 10
    if not part[0]:
        return True
    start = datetime.datetime.strptime(part[0], "%Y%m%dT%H%M%S")
    if at < start:
        return False
    if not part[1]:
        return True
    length = sum(int(n) * {"D": 86400, "H": 3600, "M": 60}[u] for n, u in re.findall(r"(\d+)([DHM])", part[1]))
    if at <= start + datetime.timedelta(seconds=length):
        return True
    if part[3] and at >= datetime.datetime.strptime(part[3], "%Y%m%dT%H%M%S") + datetime.timedelta(seconds=length):
        return False
    freq, interval = part[2], int(part[4] or 1)
    months = (at.year - start.year) * 12 + at.month - start.month
    passed = {
        "daily": (at.date() - start.date()).days,
        "weekly": ((at.date() - at.weekday() * DAY) - (start.date() - start.weekday() * DAY)).days // 7,
        "monthly": months,
        "yearly": at.year - start.year,
    }
    if freq not in passed or passed[freq] % interval:
        return False
    if not (freq == "daily" or part[5] or part[6]):
        same = {"weekly": at.weekday() == start.weekday(), "monthly": at.day == start.day}
        if not same.get(freq, (at.month, at.day) == (start.month, start.day)):
            return False
    second, first = ((one - one.replace(hour=0, minute=0, second=0)).total_seconds() for one in (at, start))
    if not first <= second < first + length:
        return False
    month_end = (at.replace(day=1) + 32 * DAY).replace(day=1) - DAY
    if part[6] and not any(at.day == int(n) or at.day == month_end.day + 1 + int(n) for n in part[6].split(",")):
        return False
    if part[5]:
        days = [(one[-2:], int(one[:-2] or 0)) for one in part[5].split(",")]
        nth = {"monthly": (at.day - 1) // 7 + 1, "yearly": (int(f"{at:%j}") - 1) // 7 + 1}
        return (WEEKDAYS[at.weekday()], nth.get(freq, 0)) in days
    return True


class Drouting:
    """do_routing(group) with sort_order 0."""

    def __init__(self, path):
        lists = {row["id"]: row["gwlist"] for row in rows(path, "dr_gw_lists")}
        self.rules = rows(path, "dr_rules")
        for row in self.rules:
            text = lists[int(row["gwlist"][1:])] if row["gwlist"].startswith("#") else row["gwlist"]
            row["gateways"] = [f"dr-gw-{one}" for one in re.findall(r"\d+", text)]
            row["groups"] = [int(one) for one in row["groupid"].split(",")]

    def tries(self, group, number, at):
        for size in range(len(number), -1, -1):
            fits = [row for row in self.rules if row["prefix"] == number[:size] and group in row["groups"]]
            for row in sorted(fits, key=lambda row: (-(row["priority"] % 2**32), row["ruleid"])):
                if drouting_holds(row["timerec"], at):
                    return row["gateways"]
        return []


# --- lcr --------------------------------------------------------------------


class Lcr:
    """load_gws(lcr_id, number), no two targets of a rule with one priority."""

    def __init__(self, path, priority_ordering=False):
        self.ordering = priority_ordering
        self.unused = {row["id"] for row in rows(path, "lcr_gw") if (row["defunct"] or 0) >= 2**32 - 1}
        self.instance = {row["id"]: row["lcr_id"] for row in rows(path, "lcr_gw")}
        self.rules = [row for row in rows(path, "lcr_rule") if row["enabled"]]
        self.targets = rows(path, "lcr_rule_target")

    def tries(self, lcr_id, number, at=None):
        matched = []
        fits = [row for row in self.rules if row["lcr_id"] == lcr_id and number.startswith(row["prefix"] or "")]
        for rule in sorted(fits, key=lambda row: (-len(row["prefix"] or ""), -row["id"])):
            length = 0 if self.ordering else -len(rule["prefix"] or "")
            for row in self.targets:
                ours = self.instance.get(row["gw_id"]) in (0, lcr_id) and row["gw_id"] not in self.unused
                if row["lcr_id"] == lcr_id and row["rule_id"] == rule["id"] and ours:
                    matched.append((length, row["priority"], row["gw_id"]))
            if rule["stopper"]:
                break
        return list(dict.fromkeys(f"lcr-gw-{gateway}" for _, _, gateway in sorted(matched)))


# --- dispatcher -------------------------------------------------------------


class Dispatcher:
    """ds_select_dst(set, 8) and ds_next_dst() until there is none, with fail-over on."""

    def __init__(self, path):
        self.rows = rows(path, "dispatcher")

    def tries(self, setid, number, at=None):
        listed = []
        for row in (row for row in self.rows if row["setid"] == setid):
            # The list is built lowest first, a new one behind its equals, and then turned round.
            place = next((n for n, one in enumerate(listed) if one["priority"] > row["priority"]), len(listed))
            listed.insert(place, row)
        return [f"ds-{row['id']}" for row in reversed(listed) if not row["flags"] & 5]


# --- callroute --------------------------------------------------------------


def calendar_holds(row, at):
    """A row of callroute_time as RFC 5545 has it; the parts of an RRULE that the converter writes."""
    start = datetime.datetime.strptime(row["dtstart"], "%Y%m%dT%H%M%S")
    days, hours, minutes, seconds = re.fullmatch(
        r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", row["duration"]
    ).groups(default="0")
    length = datetime.timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    if not row["rrule"]:
        return start <= at < start + length
    rule = dict(one.split("=") for one in row["rrule"].split(";"))
    until = datetime.datetime.strptime(rule["UNTIL"], "%Y%m%dT%H%M%S") if "UNTIL" in rule else datetime.datetime.max
    begin = datetime.datetime.combine(at.date(), start.time())
    while begin + length > at:
        if begin <= at and start <= begin <= until and _starts(rule, start, begin):
            return True
        begin -= DAY
    return False


def _starts(rule, start, begin):
    interval, freq = int(rule.get("INTERVAL", 1)), rule["FREQ"]
    if freq == "DAILY" and (begin - start).days % interval:
        return False
    if freq == "WEEKLY" and ((begin - begin.weekday() * DAY) - (start - start.weekday() * DAY)).days // 7 % interval:
        return False
    if freq == "MONTHLY" and ((begin.year - start.year) * 12 + begin.month - start.month) % interval:
        return False
    if freq == "YEARLY" and (begin.year - start.year) % interval:
        return False
    days, dates = rule.get("BYDAY"), rule.get("BYMONTHDAY")
    if dates:
        end = (begin.replace(day=1) + 32 * DAY).replace(day=1) - DAY
        if begin.day not in [int(n) if int(n) > 0 else end.day + 1 + int(n) for n in dates.split(",")]:
            return False
    if days:
        nth = {"MONTHLY": str((begin.day + 6) // 7), "YEARLY": str((int(f"{begin:%j}") + 6) // 7)}.get(freq, "")
        return nth + WEEKDAYS[begin.weekday()] in days.split(",")
    if dates or freq == "DAILY":
        return True
    if freq == "WEEKLY":
        return begin.weekday() == start.weekday()
    return begin.day == start.day and (freq == "MONTHLY" or begin.month == start.month)


class Callroute:
    """callroute_select(plan, number) and callroute_next() until there is none, by the schema's words.

    The module itself can stand here: all that a test calls is tries().
    """

    def __init__(self, path):
        self.times = {row["id"]: row for row in rows(path, "callroute_time")}
        self.plans = {row["name"]: row for row in rows(path, "callroute_plan")}
        self.trunks = {row["id"]: row for row in rows(path, "callroute_trunk")}
        self.up = {row["name"] for row in self.trunks.values() if row["admin_state"] == "up"}
        self.rules = rows(path, "callroute_rule")
        self.vendors = rows(path, "callroute_plan_trunk")
        self.rates = {}
        for row in rows(path, "callroute_rate"):
            self.rates.setdefault(row["deck_id"], {}).setdefault(row["prefix"], []).append(row)

    def tries(self, plan, number, at):
        plan = self.plans[plan]
        rule = self._rule(plan, number, at)
        if rule:
            assert rule["stop"] == 1 and rule["action"] in ("route", "block")
            chosen = rule["target"].split(",") if rule["action"] == "route" else []
            assert len(chosen) <= 8, rule
        else:
            assert plan["order_by"] == "priority"
            rated = [row for row in self.vendors if row["plan_id"] == plan["id"] and self._rate(row, number, at)]
            places = [row["priority"] for row in rated]
            assert len(set(places)) == len(places), "equals: their order is drawn"
            ranked = sorted(rated, key=lambda row: row["priority"])
            chosen = [self.trunks[row["trunk_id"]]["name"] for row in ranked]
        return [name for name in chosen if name in self.up][: plan["max_attempts"]]

    def _rule(self, plan, number, at):
        fits = [
            row
            for row in self.rules
            if row["plan_id"] == plan["id"] and number.startswith(row["prefix"]) and not row["src_prefix"]
            and (not row["time_id"] or calendar_holds(self.times[row["time_id"]], at))
        ]
        ranked = sorted(fits, key=lambda row: (row["priority"], -len(row["prefix"])))
        keys = [(row["priority"], row["prefix"]) for row in ranked]
        assert len(set(keys)) == len(keys), "equals: nothing says which is first"
        return ranked[0] if ranked else None

    def _rate(self, vendor, number, at):
        """Does the deck let the trunk have this number?"""
        now = at.replace(tzinfo=datetime.timezone.utc).timestamp()
        for size in range(len(number), -1, -1):
            fits = self.rates[vendor["deck_id"]].get(number[:size], ())
            fits = [row for row in fits if row["valid_from"] <= now < (row["valid_till"] or float("inf"))]
            if fits:
                assert len(fits) == 1 and (number[:size] or fits[0]["is_default"]), fits
                return not fits[0]["blocked"]
        return False

# SPDX-License-Identifier: GPL-2.0-or-later
"""db/convert.py against the modules themselves: one Kamailio loads drouting, lcr, dispatcher and callroute.

The stock modules have their tables, callroute has what the converter made of
them; random numbers are put to both, and the Request-URIs must be the same, in
the same order. What a stock module draws by chance is compared as a share.
"""

import collections
import datetime
import random
import re
import sys
import zoneinfo

import pytest

from support import ports, server as server_, stack
from support.kamailio import ROOT
from support.loading import database_server
from support.process import run
from support.rivals import Rivals
from support.stocktables import MODULES, TIMERECS, create, dispatcher_table, drouting_tables, fill, lcr_tables

NUMBERS = 300
EXPLAINED = 40  # of them are asked of callroute.explain as well
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@pytest.fixture(name="bases")
def make_bases(tmp_path):
    """(the stock modules' tables, ours)"""
    return create(str(tmp_path / "stock.sqlite")), stack.create_database(str(tmp_path / "tollgate.sqlite"), demo=False)


def convert(module, where, *more):
    """Run db/convert.py; what it said."""
    done = run([sys.executable, f"{ROOT}/db/convert.py", module, *where, *more], 60, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def convert_file(bases, module, *more):
    return convert(module, ("--from", f"sqlite:{bases[0]}", "--path", bases[1]), *more)


def rivals(folder, bases, **how):
    return Rivals(folder, f"sqlite:///{bases[0]}", f"sqlite:///{bases[1]}", **how)


def numbers(chance, count=NUMBERS):
    """Half of the digits of the prefixes; long enough for every strip."""
    for n in range(count):
        digits = "349" if n % 2 else "0123456789"
        yield "".join(chance.choice(digits) for _ in range(chance.randint(4, 15)))


def without_user(uris):
    return [re.sub("^(sips?:)[^@]*@", r"\1", uri) for uri in uris]


def same_choice(both, module, plans, chance, shape=list):
    """Put the numbers to both; {plan: how many different lists of gateways came}."""
    lists = collections.defaultdict(set)
    for number in numbers(chance):
        for key, plan in plans.items():
            stock, ours = both.ask(module, key, plan, number)
            assert shape(ours) == stock, f"{plan} {number}"
            lists[plan].add(tuple(stock))
    return {plan: len(found) for plan, found in lists.items()}


def explains_the_same(both, database, plans, chance, shape=list):
    """callroute.explain names the trunks that the 302 leads to."""
    hosts = dict(stack.execute(database, "SELECT name, uri FROM callroute_trunk"))
    somebody = 0
    for number in numbers(chance, EXPLAINED):
        for key, plan in plans.items():
            ours = shape(both.ask("none", key, plan, number)[1])
            named = both.explained(plan, number)
            assert len(named) == len(ours), f"{plan} {number}"
            for name, uri in zip(named, ours):
                assert uri.endswith(hosts[name].partition(":")[2]), f"{plan} {number}: {name} is not {uri}"
            somebody += bool(named)
    assert somebody


# --- drouting ---------------------------------------------------------------------------


def timerecs(now):
    """Windows that hold now and windows that do not, beside those of the other test."""
    days = [WEEKDAYS[(now.weekday() + n) % 7] for n in range(7)]
    early, late = now - datetime.timedelta(hours=3), now + datetime.timedelta(hours=2)
    yield f"20240101T{early:%H}0000|PT{1 + now.hour - early.hour if early.date() == now.date() else 1}H|daily"
    yield f"20240101T{late:%H}0000|PT1H|daily"
    yield f"20240101T000000|PT24H|weekly|||{','.join(days[:2])}"
    yield f"20240101T000000|PT24H|weekly|||{','.join(days[2:6])}"
    yield "20240101T000000|PT24H|daily|20240301T235959"


def fill_drouting(chance, path, zone):
    """Gateways that strip and prefix, too; rules with times around now."""
    drouting_tables(chance, path)
    rules = stack.execute(path, "SELECT ruleid FROM dr_rules WHERE groupid <> '1'")
    holding = (*timerecs(datetime.datetime.now(zoneinfo.ZoneInfo(zone))), *TIMERECS)
    stack.execute(path, *(f"UPDATE dr_rules SET timerec = '{chance.choice(holding)}' WHERE ruleid = {rule}"
                          for rule, in rules if chance.random() < 0.6),
                  "UPDATE dr_gateways SET strip = 2, pri_prefix = '00' WHERE gwid = 2",
                  "UPDATE dr_gateways SET pri_prefix = '9*', address = '192.0.2.3:5070' WHERE gwid = 3",
                  "UPDATE dr_gateways SET strip = 1, address = 'gw4.test' WHERE gwid = 4",
                  "UPDATE dr_gateways SET address = '192.0.2.5:5080;transport=tcp' WHERE gwid = 5")


DROUTING_PLANS = {1: "dr-1", 2: "dr-2", 3: "dr-3", 4: "dr-4"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_drouting_itself_tries_the_same(bases, tmp_path, zone, seed):
    """In the server's zone: half an hour off at Kolkata, and another day for a while."""
    chance = random.Random(f"{zone} {seed}")
    fill_drouting(chance, bases[0], zone)
    convert_file(bases, "drouting", "--tz", zone)
    with rivals(tmp_path, bases, zone=zone) as both:
        found = same_choice(both, "drouting", DROUTING_PLANS, chance)
        explains_the_same(both, bases[1], DROUTING_PLANS, chance)
    assert min(found["dr-1"], found["dr-2"], found["dr-3"]) >= 8 and found["dr-4"] == 1, found


# --- lcr --------------------------------------------------------------------------------


def fill_lcr(chance, path):
    """Gateways of every form of address, too."""
    lcr_tables(chance, path)
    stack.execute(path, "UPDATE lcr_gw SET strip = 2, prefix = '00' WHERE id = 2",
                  "UPDATE lcr_gw SET prefix = '7*', port = 5070, transport = 2 WHERE id = 3",
                  "UPDATE lcr_gw SET ip_addr = NULL, hostname = 'gw4.test', strip = 1 WHERE id = 4",
                  "UPDATE lcr_gw SET uri_scheme = 2, port = 5061 WHERE id = 5",
                  "UPDATE lcr_gw SET params = ';maddr=192.0.2.99' WHERE id = 6")


LCR_PLANS = {1: "lcr-1", 2: "lcr-2"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ordering", (0, 1), ids=("by_prefix", "by_priority"))
def test_lcr_itself_tries_the_same(bases, tmp_path, ordering, seed):
    chance = random.Random(f"{ordering} {seed}")
    fill_lcr(chance, bases[0])
    convert_file(bases, "lcr", *(["--priority-ordering"] if ordering else []))
    with rivals(tmp_path, bases, priority_ordering=ordering) as both:
        found = same_choice(both, "lcr", LCR_PLANS, chance)
        explains_the_same(both, bases[1], LCR_PLANS, chance)
    assert min(found.values()) >= 8, found


# --- dispatcher -------------------------------------------------------------------------


def fill_dispatcher(chance, path):
    """The plans. The module asks DNS for names at load, unless flag 16 is there."""
    lines = dispatcher_table(chance, path)
    stack.execute(path, "UPDATE dispatcher SET flags = flags | 16 WHERE destination LIKE '%.test%'")
    return {one["setid"]: f"ds-set-{one['setid']}" for one in lines}


@pytest.mark.parametrize("seed", range(3))
def test_dispatcher_itself_tries_the_same(bases, tmp_path, seed):
    chance = random.Random(seed)
    plans = fill_dispatcher(chance, bases[0])
    convert_file(bases, "dispatcher", "--alg", "8")
    with rivals(tmp_path, bases) as both:
        found = same_choice(both, "dispatcher", plans, chance, without_user)
        explains_the_same(both, bases[1], plans, chance, without_user)
    assert set(found) == set(plans.values()) and max(found.values()) == 1, found


# --- on a server ------------------------------------------------------------------------


def copy_tables(path, server):
    """The stock modules' tables with their rows, as Kamailio's packages make them for MySQL."""
    for module in MODULES:
        with open(f"{server_.sql()}/mysql/{module}-create.sql", encoding="utf-8") as sql:
            server.sql(sql.read())
    for table in ("dr_gateways", "dr_rules", "dr_gw_lists", "lcr_gw", "lcr_rule", "lcr_rule_target", "dispatcher"):
        rows = stack.execute(path, f"SELECT * FROM {table}")
        server.sql(f"INSERT INTO {table} VALUES " + ", ".join(
            "(" + ", ".join("NULL" if cell is None else repr(cell) for cell in row) + ")" for row in rows))


def test_all_three_from_and_to_a_server(bases, tmp_path):
    """MariaDB, and one database for all tables."""
    chance = random.Random("server")
    fill_drouting(chance, bases[0], "UTC")
    fill_lcr(chance, bases[0])
    plans = fill_dispatcher(chance, bases[0])
    with database_server(tmp_path) as (server, port):
        made = run([sys.executable, f"{ROOT}/db/create.py", *server.options], 60)
        assert made.returncode == 0, made.stdout
        copy_tables(bases[0], server)
        name = server.database
        where = ("--from", f"mysql:{name}", "--db", name, "--socket", server.socket, "--user", server.user)
        convert("drouting", where, "--tz", "UTC")
        convert("lcr", where, "--id-base", "100")
        convert("dispatcher", where, "--id-base", "200", "--alg", "8")
        url = f"mysql://kamailio@{ports.HOME}:{port}/{name}"
        with Rivals(tmp_path, url, url, driver="db_mysql") as both:
            found = same_choice(both, "drouting", DROUTING_PLANS, chance)
            found.update(same_choice(both, "lcr", LCR_PLANS, chance))
            same_choice(both, "dispatcher", plans, chance, without_user)
    assert min(found[plan] for plan in ("dr-1", "dr-2", "dr-3", "lcr-1", "lcr-2")) >= 8, found


# --- what is drawn by chance ------------------------------------------------------------


def firsts(both, module, plan, draws, shape=list):
    """How often each gateway came first, {last part of its address: calls}: the stock module's, ours.

    Both name the same gateways in each call.
    """
    counts = collections.Counter(), collections.Counter()
    for _ in range(draws):
        stock, ours = (shape(uris) for uris in both.ask(module, 1, plan, "4930123"))
        assert sorted(stock) == sorted(ours) and stock
        for count, uris in zip(counts, (stock, ours)):
            count[int(uris[0].rpartition(".")[2])] += 1
    return counts


def chi_square(counts, shares):
    """Of the counts, if these were the shares."""
    draws, total = sum(counts.values()), sum(shares.values())
    assert set(counts) <= {key for key, share in shares.items() if share}, (counts, shares)
    return sum((counts[key] - draws * share / total) ** 2 / (draws * share / total)
               for key, share in shares.items() if share)


# What a right one exceeds once in a million, by degrees of freedom.
CHI = {1: 23.9, 2: 27.6, 3: 30.7}


@pytest.mark.parametrize("alg, attrs, shares", (
    (9, "weight", {1: 50, 2: 30, 3: 20}), (11, "rweight", {1: 4, 2: 1, 3: 1}), (4, "weight", {1: 1, 2: 1, 3: 1}),
), ids=("weight", "rweight", "round_robin"))
def test_dispatcher_s_shares(bases, tmp_path, alg, attrs, shares):
    fill(bases[0], "dispatcher", [{"id": key, "setid": 1, "destination": f"sip:192.0.2.{key}",
                                   "attrs": f"{attrs}={share}"} for key, share in shares.items()])
    convert_file(bases, "dispatcher", "--alg", str(alg))
    with rivals(tmp_path, bases, alg=alg) as both:
        stock, ours = firsts(both, "dispatcher", "ds-set-1", 600, without_user)
    assert chi_square(stock, shares) < CHI[len(shares) - 1], stock
    assert chi_square(ours, shares) < CHI[len(shares) - 1], ours


def test_the_last_of_a_set_comes_last_by_use_default(bases, tmp_path):
    fill(bases[0], "dispatcher", [{"id": key, "setid": 1, "destination": f"sip:192.0.2.{key}", "priority": -key}
                                  for key in (1, 2, 3)])
    convert_file(bases, "dispatcher", "--alg", "4", "--use-default")
    with rivals(tmp_path, bases, alg=4, use_default=1) as both:
        for _ in range(20):
            stock, ours = both.ask("dispatcher", 1, "ds-set-1", "4930123")
            assert stock[-1] == without_user(ours)[-1] == "sip:192.0.2.3" and len(stock) == len(ours) == 3


def test_drouting_draws_within_its_groups(bases, tmp_path):
    fill(bases[0], "dr_gateways", [{"gwid": key, "address": f"192.0.2.{key}"} for key in range(1, 5)])
    fill(bases[0], "dr_rules", [{"groupid": "1", "prefix": "49", "timerec": "", "routeid": "", "gwlist": "1,2;3,4"}])
    convert_file(bases, "drouting", "--sort-order", "1")
    with rivals(tmp_path, bases, sort_order=1) as both:
        for counts in firsts(both, "drouting", "dr-1", 400):
            assert chi_square(counts, {1: 1, 2: 1}) < CHI[1], counts
        for _ in range(40):
            for uris in both.ask("drouting", 1, "dr-1", "4930123"):
                assert {uri[-1] for uri in uris[:2]} == {"1", "2"} and {uri[-1] for uri in uris[2:]} == {"3", "4"}


def test_lcr_s_weights_become_shares(bases, tmp_path):
    """docs/from-stock-modules.md: weights 1 and 2 are 1/4 and 3/4 to lcr, 1/3 and 2/3 to callroute."""
    fill(bases[0], "lcr_gw", [{"id": key, "lcr_id": 1, "ip_addr": f"192.0.2.{key}"} for key in (1, 2)])
    fill(bases[0], "lcr_rule", [{"id": 1, "lcr_id": 1, "prefix": "49"}])
    fill(bases[0], "lcr_rule_target", [{"lcr_id": 1, "rule_id": 1, "gw_id": key, "priority": 1, "weight": key}
                                       for key in (1, 2)])
    convert_file(bases, "lcr")
    with rivals(tmp_path, bases) as both:
        stock, ours = firsts(both, "lcr", "lcr-1", 1500)
    assert chi_square(stock, {1: 1, 2: 3}) < CHI[1], stock
    assert chi_square(ours, {1: 1, 2: 2}) < CHI[1], ours

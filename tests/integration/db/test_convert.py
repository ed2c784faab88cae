# SPDX-License-Identifier: GPL-2.0-or-later
"""db/convert.py: tables of drouting, lcr and dispatcher become callroute's, with the same choice.

Random tables, in the schemas that Kamailio's packages install, are converted;
then for thousands of random numbers the gateways that the stock module tries
are held against those that callroute tries (support/choosers.py). Where the
converter cannot keep the choice, it must say so and write nothing.
"""

import datetime
import os
import random
import re
import sys

import pytest

from support import choosers, stack
from support.kamailio import ROOT
from support.process import run
from support.stocktables import TIMERECS, create, dispatcher_table, drouting_tables, fill, lcr_tables

NOT_ALL = 3  # the converter's status when rows were left out
TABLES, NUMBERS = 12, 250  # random tables a module, random numbers a table


@pytest.fixture
def bases(tmp_path):
    """(source, target): Kamailio's own empty tables, and ours."""
    return create(str(tmp_path / "stock.sqlite")), stack.create_database(str(tmp_path / "tollgate.sqlite"), demo=False)


def convert(bases, module, *more, expect=0, where=("--from", "sqlite:{}", "--path", "{}")):
    """Run db/convert.py; what it said."""
    names = iter(bases)
    words = [word.format(next(names)) if "{}" in word else word for word in where]
    done = run([sys.executable, os.path.join(ROOT, "db", "convert.py"), module, *words, *more], 60, cwd=ROOT)
    assert done.returncode == expect, done.stdout
    return done.stdout


def written(path):
    """How many rows the converter's tables hold."""
    tables = ("carrier", "trunk", "time", "deck", "rate", "plan", "plan_trunk", "rule", "account")
    return sum(len(choosers.rows(path, f"callroute_{name}")) for name in tables)


def sound(path):
    """No reference leads nowhere."""
    assert stack.execute(path, "PRAGMA foreign_key_check") == []


def numbers(chance):
    """Half of the digits of the prefixes, so that long ones are hit; the other half any."""
    for n in range(NUMBERS):
        digits = "349" if n % 2 else "0123456789"
        yield "".join(chance.choice(digits) for _ in range(chance.randint(1, 15)))


def moments(chance):
    """Times within three years from now, not on an edge: seconds differ there by the modules' < and <=."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, second=30, microsecond=0)
    while True:
        yield now + datetime.timedelta(minutes=chance.randrange(1, 3 * 365 * 1440))


def same_choice(stock, path, plans, chance):
    """Hold both against each other; how often there was somebody to try."""
    ours, times, somebody = choosers.Callroute(path), moments(chance), 0
    for number, at in zip(numbers(chance), times):
        for key, plan in plans.items():
            expected = stock.tries(key, number, at)
            found = ours.tries(plan, number, at) if plan in ours.plans else []
            assert found == expected, f"{plan} {number} at {at}"
            somebody += bool(expected)
    return somebody


def test_drouting_keeps_its_choice(bases):
    somebody, forms = 0, set()
    for seed in range(TABLES):
        chance = random.Random(seed)
        drouting_tables(chance, bases[0])
        said = convert(bases, "drouting", "--tz", "UTC", "--replace")
        assert "not converted" not in said
        forms |= {form for form in ("dr-1: note: decks", "dr-2: note: rules") if form in said}
        sound(bases[1])
        plans = {1: "dr-1", 2: "dr-2", 3: "dr-3", 4: "dr-4"}
        somebody += same_choice(choosers.Drouting(bases[0]), bases[1], plans, chance)
    assert len(forms) == 2, forms
    assert somebody > TABLES * NUMBERS


@pytest.mark.parametrize("ordering", (False, True), ids=("by_prefix", "by_priority"))
def test_lcr_keeps_its_choice(bases, ordering):
    """With priority_ordering one order does for all: decks. Without, instance 1 needs rules."""
    somebody, forms = 0, set()
    for seed in range(TABLES):
        chance = random.Random(seed)
        lcr_tables(chance, bases[0])
        said = convert(bases, "lcr", "--replace", *(["--priority-ordering"] if ordering else []))
        assert "not converted" not in said
        forms |= {form for form in ("lcr-1: note: decks", "lcr-1: note: rules", "lcr-2: note: decks") if form in said}
        sound(bases[1])
        stock = choosers.Lcr(bases[0], ordering)
        somebody += same_choice(stock, bases[1], {1: "lcr-1", 2: "lcr-2"}, chance)
    assert forms == {"lcr-2: note: decks", "lcr-1: note: decks" if ordering else "lcr-1: note: rules"}
    assert somebody > TABLES * NUMBERS


def test_dispatcher_keeps_its_choice(bases):
    somebody = 0
    for seed in range(TABLES):
        chance = random.Random(seed)
        lines = dispatcher_table(chance, bases[0])
        said = convert(bases, "dispatcher", "--alg", "8", "--replace")
        assert "not converted" not in said
        sound(bases[1])
        plans = {one["setid"]: f"ds-set-{one['setid']}" for one in lines}
        somebody += same_choice(choosers.Dispatcher(bases[0]), bases[1], plans, chance)
    assert somebody > TABLES * NUMBERS


GATEWAY = "INSERT INTO dr_gateways (gwid, address) VALUES (1, '192.0.2.1'), (2, '192.0.2.2')"
RULE = ("INSERT INTO dr_rules (ruleid, groupid, prefix, timerec, priority, routeid, gwlist) "
        "VALUES (7, '1', '{prefix}', '{time}', 0, '{route}', '{gateways}')")


def rule(prefix="49", time="", route="", gateways="1"):
    """A second rule beside the sound one that every source has."""
    return RULE.format(prefix=prefix, time=time, route=route, gateways=gateways)


SOUND = (
    GATEWAY,
    "INSERT INTO dr_rules (ruleid, groupid, prefix, timerec, routeid, gwlist) VALUES (1, '1', '44', '', '', '1,2')",
    "INSERT INTO lcr_gw (id, lcr_id, ip_addr) VALUES (1, 1, '192.0.2.1'), (2, 1, '192.0.2.2')",
    "INSERT INTO lcr_rule (id, lcr_id, prefix) VALUES (1, 1, '44')",
    "INSERT INTO lcr_rule_target (lcr_id, rule_id, gw_id, priority) VALUES (1, 1, 1, 0)",
    "INSERT INTO dispatcher (id, setid, destination) VALUES (1, 1, 'sip:192.0.2.1')",
)
LOST = {
    "plus": ("drouting", rule(prefix="+49"), "dr_rules 7: .*others have no [+]"),
    "letters": ("drouting", rule(prefix="4a"), "dr_rules 7: .*prefix '4a'"),
    "route": ("drouting", rule(route="premium"), "dr_rules 7: .*routeid premium"),
    "twice": ("drouting", rule(gateways="1,2,1"), "dr_rules 7: .*gateway 1 stands in it twice"),
    "month": ("drouting", rule(time="20240101T080000|PT8H|yearly|||||||3"), "dr_rules 7: .*months from 0"),
    "yearday": ("drouting", rule(time="20240101T080000|PT8H|yearly|||||9"), "dr_rules 7: .*days of the year from 0"),
    "last_day": ("drouting", rule(time="20240101T080000|PT8H|monthly||||31"), "dr_rules 7: .*bymonthday 31"),
    "last_monday": ("drouting", rule(time="20240101T080000|PT8H|monthly|||-1MO"), "dr_rules 7: .*byday -1MO"),
    "interval": ("drouting", rule(time="20240101T080000|PT8H|daily||12"), "dr_rules 7: .*interval 12"),
    "duration": ("drouting", rule(time="20240101T080000|8X|daily"), "dr_rules 7: .*duration '8X'"),
    "cut": ("drouting", rule(time="20240101T080000|PT8H|daily|20500101T070000"), "dr_rules 7: .*cuts a window short"),
    "attrs": ("drouting", "UPDATE dr_gateways SET attrs = 'x=1' WHERE gwid = 2", "dr_gateways 2: .*attrs 'x=1'"),
    "prefix": ("drouting", "UPDATE dr_gateways SET pri_prefix = 'abc' WHERE gwid = 2", "dr_gateways 2: .*'abc'"),
    "long": ("drouting", f"INSERT INTO dr_groups (id, username, domain, groupid) VALUES (3, '{128 * 'a'}', 'b', 1)",
             "dr_groups 3: .*not 128 characters"),
    "nobody": ("drouting", "INSERT INTO dr_groups (id, username, domain, groupid) VALUES (3, 'a', 'b', 9)",
               "dr_groups 3: .*group 9"),
    "from_uri": ("lcr", "INSERT INTO lcr_rule (id, lcr_id, prefix, from_uri) VALUES (2, 1, '49', '^sip:4930')",
                 "lcr_rule 2: .*from_uri '.sip:4930'"),
    "request_uri": ("lcr", "INSERT INTO lcr_rule (id, lcr_id, prefix, request_uri) VALUES (2, 1, '49', 'x')",
                    "lcr_rule 2: .*request_uri 'x'"),
    "hostname": ("lcr", "UPDATE lcr_gw SET hostname = 'gw.example.com' WHERE id = 2", "lcr_gw 2: .*hostname gw"),
    "defunct": ("lcr", "UPDATE lcr_gw SET defunct = 4000000000 WHERE id = 2", "lcr_gw 2: .*defunct until 4000000000"),
    "nulls": ("lcr", "INSERT INTO lcr_rule (id, lcr_id, prefix, stopper) VALUES (2, 1, '', 1), (3, 1, NULL, 0)",
              "lcr_rule 2, 3: .*NULL and ''"),
    "from_null": ("lcr", "INSERT INTO lcr_rule (id, lcr_id, prefix, from_uri, stopper) VALUES (2, 1, '44', '', 1)",
                  "lcr_rule 1, 2: .*or from_uri"),
    "tag": ("lcr", "UPDATE lcr_gw SET tag = 't' WHERE id = 2", "lcr_gw 2: .*tag t"),
    "sockname": ("dispatcher", "UPDATE dispatcher SET attrs = 'sockname=x'", "dispatcher 1: .*attribute sockname=x"),
    "uri": ("dispatcher", "INSERT INTO dispatcher (id, setid, destination) VALUES (2, 1, 'sip:a b')",
            "dispatcher 2: .*'sip:a b'"),
}


@pytest.mark.parametrize("case", LOST)
def test_what_cannot_be_converted_is_named_and_nothing_is_written(bases, case):
    module, statement, words = LOST[case]
    more = {"drouting": ("--tz", "UTC"), "lcr": (), "dispatcher": ("--alg", "8")}[module]
    stack.execute(bases[0], *SOUND)
    convert(bases, module, *more, "--dry-run")  # all of it, before the bad row is there
    assert written(bases[1]) == 0
    stack.execute(bases[0], statement)
    said = convert(bases, module, *more, expect=NOT_ALL)
    lines = [line for line in said.splitlines() if ": not converted: " in line]
    assert any(re.match(words, line) for line in lines), said
    assert written(bases[1]) == 0
    said = convert(bases, module, *more, "--partial", expect=NOT_ALL)
    assert "written" in said and written(bases[1]) > 0
    sound(bases[1])


def test_a_second_run_is_refused_or_replaces_in_place(bases):
    """Ids stay, since live state and accounts hang on them; the rest is as after the first run."""
    stack.execute(bases[0], *SOUND)
    convert(bases, "drouting", "--id-base", "100")
    account = "INSERT INTO callroute_account (match_type, match_value, plan_id) VALUES ('ip', '192.0.2.9', 101)"
    stack.execute(bases[1], account, "UPDATE callroute_trunk SET max_channels = 30 WHERE name = 'dr-gw-1'")
    before = written(bases[1])
    assert "already has carrier dr-type-0, trunk dr-gw-1" in convert(bases, "drouting", expect=1)
    stack.execute(bases[0], "UPDATE dr_gateways SET address = '192.0.2.77' WHERE gwid = 1",
                  "UPDATE dr_rules SET prefix = '46'", "DELETE FROM dr_gateways WHERE gwid = 2",
                  "UPDATE dr_rules SET gwlist = '1'")
    said = convert(bases, "drouting", "--replace")
    assert "callroute_trunk dr-gw-2: note: no longer in the source" in said
    trunk, plan = choosers.rows(bases[1], "callroute_trunk")[0], choosers.rows(bases[1], "callroute_plan")[0]
    assert (trunk["id"], trunk["uri"], trunk["max_channels"], plan["id"]) == (101, "sip:192.0.2.77", 30, 101)
    assert [row["prefix"] for row in choosers.rows(bases[1], "callroute_rate") if row["deck_id"] == 1] == ["46"]
    assert len(choosers.rows(bases[1], "callroute_plan_trunk")) == 1
    assert written(bases[1]) == before - 1  # a plan_trunk; the other trunk's deck is left, unused
    sound(bases[1])


def test_it_is_written_whole_or_not_at_all(bases):
    """The last insert of all fails."""
    stack.execute(bases[0], *SOUND, rule(prefix="44"), rule(prefix="46", time=TIMERECS[1]).replace("7", "8", 1))
    trigger = "BEFORE INSERT ON callroute_rule BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    stack.execute(bases[1], f"CREATE TRIGGER full {trigger}")
    assert "the disk is full" in convert(bases, "drouting", "--tz", "UTC", expect=1)
    assert written(bases[1]) == 0
    stack.execute(bases[1], "DROP TRIGGER full")
    convert(bases, "drouting", "--tz", "UTC")
    assert len(choosers.rows(bases[1], "callroute_rule")) == 2


@pytest.mark.parametrize("module, spoil, more, words", (
    ("drouting", "UPDATE version SET table_version = 4 WHERE table_name = 'dr_rules'", (), "dr_rules has version 4"),
    ("lcr", "DROP TABLE lcr_rule", (), "no table lcr_rule"),
    ("drouting", "ALTER TABLE dr_gw_lists RENAME TO dr_carriers", (), "look like OpenSIPS'"),
    ("dispatcher", "DELETE FROM dispatcher", ("--alg", "8"), "nothing to convert"),
    ("drouting", "SELECT 1", ("--tz", "Europe/Nowhere"), "no such time zone"),
    ("drouting", "SELECT 1", ("--table", "dr_rulez=x"), "not NAME=OTHER"),
    ("drouting", "SELECT 1", ("--from", "sqlite:/nowhere"), "no such file"),
))
def test_a_source_that_cannot_be_read_is_refused(bases, module, spoil, more, words):
    stack.execute(bases[0], *SOUND, spoil)
    said = convert(bases, module, *more, expect=1)
    assert words in said and "Traceback" not in said, said
    assert written(bases[1]) == 0


def test_an_id_that_is_taken_is_refused_with_the_way_out(bases):
    stack.execute(bases[0], *SOUND)
    convert(bases, "drouting")
    assert "trunk id 1 belongs to dr-gw-1; --id-base N" in convert(bases, "dispatcher", "--alg", "8", expect=1)
    convert(bases, "dispatcher", "--alg", "8", "--id-base", "1000")
    assert {row["id"] for row in choosers.rows(bases[1], "callroute_plan")} == {1, 1001}


def test_the_commands_of_the_page(bases):
    """docs/from-stock-modules.md: each line runs; MySQL's gets as far as its server."""
    stack.execute(bases[0], *SOUND)
    with open(os.path.join(ROOT, "docs", "from-stock-modules.md"), encoding="utf-8") as page:
        lines = re.findall(r"^    db/convert.py (\S+) (.*)$", page.read(), re.M)
    assert {module for module, _ in lines} == {"drouting", "lcr", "dispatcher"}
    for module, more in lines:
        words = more.replace("kamailio.sqlite", bases[0]).replace("tollgate.sqlite", bases[1]).split()
        if "mysql" in more:
            assert "DB_PASSWORD_FILE secret: No such file" in convert(bases, module, *words, expect=1, where=())
        else:
            assert "nothing written" in convert(bases, module, *words, where=())


def test_tables_of_another_name(bases):
    stack.execute(bases[0], *SOUND, "ALTER TABLE dispatcher RENAME TO gateways",
                  "UPDATE version SET table_name = 'gateways' WHERE table_name = 'dispatcher'")
    convert(bases, "dispatcher", "--alg", "8", "--table", "dispatcher=gateways")
    assert choosers.rows(bases[1], "callroute_trunk")[0]["uri"] == "sip:192.0.2.1"


def shares(path, plan):
    """{trunk: (priority, weight)} of a plan."""
    found = stack.execute(path, "SELECT t.name, p.priority, p.weight FROM callroute_plan_trunk p "
                          "JOIN callroute_trunk t ON t.id = p.trunk_id JOIN callroute_plan c ON c.id = p.plan_id "
                          f"WHERE c.name = '{plan}'")
    return {name: (priority, weight) for name, priority, weight in found}


def test_what_the_source_draws_by_chance_becomes_weights(bases):
    stack.execute(bases[0], *SOUND, "INSERT INTO lcr_rule (id, lcr_id, prefix) VALUES (5, 1, '49')",
                  "INSERT INTO lcr_rule_target (lcr_id, rule_id, gw_id, priority, weight) "
                  "VALUES (1, 5, 1, 3, 200), (1, 5, 2, 3, 50)", "UPDATE dr_rules SET gwlist = '2;1'")
    convert(bases, "lcr")
    assert shares(bases[1], "lcr-1") == {"lcr-gw-1": (10, 200), "lcr-gw-2": (10, 50)}
    convert(bases, "drouting", "--sort-order", "1", "--id-base", "100")
    assert shares(bases[1], "dr-1") == {"dr-gw-2": (10, 1), "dr-gw-1": (20, 1)}
    stack.execute(bases[0], "UPDATE dr_rules SET gwlist = '2,1'")
    convert(bases, "drouting", "--sort-order", "1", "--replace")
    assert shares(bases[1], "dr-1") == {"dr-gw-2": (10, 1), "dr-gw-1": (10, 1)}
    assert "sort_order 2 takes one" in convert(bases, "drouting", "--sort-order", "2", "--replace", expect=NOT_ALL)


@pytest.mark.parametrize("attrs, more, expected", (
    (("weight=50", "weight=30", "weight=10"), ("--alg", "9"), ((10, 10), (10, 30), (10, 60))),  # 10 are missing
    (("weight=50", "weight=30", "weight=60"), ("--alg", "9"), ((10, 60), (10, 30), (10, 10))),  # 40 too many
    (("weight=50", "weight=30", ""), ("--alg", "9"), ((10, 1), (20, 1), (30, 1))),
    (("rweight=2", "rweight=1", "rweight=1"), ("--alg", "11"), ((10, 1), (10, 1), (10, 2))),
    (("", "", ""), ("--alg", "4"), ((10, 1), (10, 1), (10, 1))),
    (("", "", ""), ("--alg", "4", "--use-default"), ((10, 1), (10, 1), (30, 1))),
), ids=("weight", "over", "none_first", "rweight", "round_robin", "use_default"))
def test_the_algorithms_of_dispatcher(bases, attrs, more, expected):
    """Of equal priorities, the last row is dispatcher's first entry."""
    fill(bases[0], "dispatcher", [{"id": n, "setid": 1, "destination": f"sip:192.0.2.{n}", "attrs": text}
                                  for n, text in enumerate(attrs, 1)])
    convert(bases, "dispatcher", *more)
    assert shares(bases[1], "ds-set-1") == dict(zip(("ds-3", "ds-2", "ds-1"), expected))


@pytest.mark.parametrize("timerec, expected", (
    ("20240101T220000|PT8H|daily", ("PT2H", "FREQ=DAILY")),  # drouting ends it at midnight
    ("20240101T000000|PT24H|weekly||2|sa,SU", ("P1D", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU")),
    ("20240101T083000|90M|weekly|||", ("PT1H30M", "FREQ=WEEKLY")),
    ("20240101T080000|PT1H|weekly||||1,15", ("PT1H", "FREQ=DAILY;BYMONTHDAY=1,15")),
    ("20240101T080000|PT1H|monthly|20300101T235959||+2TU", ("PT1H", "FREQ=MONTHLY;BYDAY=2TU;UNTIL=20300101T235959")),
    ("20240101T080000|PT1H|daily|20300101T235959Z", ("PT1H", "FREQ=DAILY")),  # until is unreadable to drouting
    ("20240101T080000|PT30H", ("PT30H", "")),
    ("29990101T080000", ("P1D", "FREQ=DAILY")),  # without an end
))
def test_times(bases, timerec, expected):
    stack.execute(bases[0], *SOUND, rule(time=timerec))
    convert(bases, "drouting", "--tz", "Europe/Berlin")
    row, = choosers.rows(bases[1], "callroute_time")
    assert (row["tz"], row["dtstart"], row["exdate"]) == ("Europe/Berlin", timerec[:15], "")
    assert (row["duration"], row["rrule"]) == tuple(expected)

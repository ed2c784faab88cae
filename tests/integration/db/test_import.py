# SPDX-License-Identifier: GPL-2.0-or-later
"""db/import.py: sheets into decks, on SQLite and on MariaDB.

What goes wrong with rate sheets costs money without a noise: a decimal sign in
the wrong place, a sheet cut off, the wrong deck. So most of these tests are
about what is refused, and that a refusal leaves the table as it was.
"""

import csv
import datetime
import itertools
import os
import pty
import re
import select
import sqlite3
import subprocess
import time

import pytest

from support.decks import DeckBase, sqlite_sql
from support.mariadb import mariadb
from support.process import eventually

NOW = "2026-06-01T00:00:00"
AT_NOW = ("--now", NOW)
CREATE = ("--create", "EUR", "--mode", "replace", *AT_NOW)
REPLACE = ("--mode", "replace", *AT_NOW)
MERGE = ("--mode", "merge", *AT_NOW)


def utc(text):
    """Unix seconds of an ISO date in UTC."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One MariaDB for the module; each test has its own database on it."""
    with mariadb(tmp_path_factory.mktemp("server")) as one:
        yield one


_names = itertools.count(1)


@pytest.fixture(params=["sqlite", "mariadb"])
def base(request, tmp_path):
    """A new database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "decks.sqlite"
        return DeckBase(tmp_path, ["--path", path], sqlite_sql(path))
    one = request.getfixturevalue("server")
    name = f"decks{next(_names)}"
    options = ["--dialect", "mysql", "--socket", one.socket, "--user", one.user, "--name", name]
    return DeckBase(tmp_path, options, lambda statement: one.sql(statement, name))


@pytest.fixture
def file_base(tmp_path):
    """An SQLite database, for what does not depend on the server."""
    path = tmp_path / "decks.sqlite"
    return DeckBase(tmp_path, ["--path", path], sqlite_sql(path))


def test_the_server_is_found_without_sbin(monkeypatch, tmp_path):
    """A user's PATH has no /usr/sbin, where Debian keeps the server."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with mariadb(tmp_path) as one:
        assert one.sql("SELECT 6 * 7", "mysql") == [("42",)]


def test_a_sheet_as_carriers_write_it(base):
    """Title lines, semicolons, decimal commas, ranges and lists, Latin-1; columns are guessed and said so."""
    done = base.load(
        "Preisliste Müller GmbH;;\n\n"
        "Land;Dial Code;Rate/Min;Effective Date;Billing Increment;Setup Fee;Currency\n"
        '"Österreich; Wien";+431;0,0123;2026-01-01;60/60;0,05;EUR\n'
        'Schweiz;"0041-0042; 4179";0,02;;30/6;;eur\n'
        "Sperre;882;blocked;;;;\n",
        *CREATE, encoding="latin-1")
    assert "cp1252, semicolon, header in line 3" in done.stdout
    assert "'Dial Code' (guessed)" in done.stdout and "not used: 'Land'" in done.stdout
    assert "kamcmd callroute.reload deck x" in done.stdout
    assert base.rows() == [
        ("41", "", 20000, 0, 30, 6, 0, 0, 0, 0), ("4179", "", 20000, 0, 30, 6, 0, 0, 0, 0),
        ("42", "", 20000, 0, 30, 6, 0, 0, 0, 0),
        ("431", "", 12300, 50000, 60, 60, utc("2026-01-01"), 0, 0, 0), ("882", "", 0, 0, 1, 1, 0, 0, 1, 0)]
    assert base.revision() == 2


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_every_delimiter_and_encoding(file_base, sign, encoding):
    """The same sheet in every dress is the same deck."""
    text = 'Name,Code,Rate\n"Å, Land",46,0.5\nÖ,47,0.25\n'.replace('"Å, Land"', "Å").replace(",", sign)
    file_base.load(text, *CREATE, encoding=encoding)
    assert file_base.prices() == {"46": 500000, "47": 250000}


def test_mapped_columns_and_codes_in_two(file_base):
    """--map wins over guessing, FIELD= leaves a column out, a column has a comma in its name."""
    file_base.load('CC,"Area, code",Old,Action,Buy\n1,"684;242",9,whatever,0.2\n+44,,9,?,0.1\n', *CREATE,
                   "--map", 'country=CC,prefix="Area, code",price=Buy,change=')
    assert file_base.prices() == {"1684": 200000, "1242": 200000, "44": 100000}
    file_base.load("49;0.3\n", *REPLACE, "--no-header", "--map", "prefix=1,price=2", "--force")
    assert file_base.prices() == {"49": 300000}


@pytest.mark.parametrize("price, options, micro", [
    ("0.000001", (), 1), ("1", (), 10**6), (".5", (), 500000), ("1099511.627775", (), 2**40 - 1),
    ("0.0000005", ("--round",), 1), ("0.0000004", ("--round",), 0), ("1.25", ("--price-unit", "cent"), 12500),
    ("12", ("--price-unit", "micro"), 12), ("0.01 EUR", (), 10000), ("€ 0.01", (), 10000),
    ("0,3", ("--decimal", "comma"), 300000), ("0.0000001", (), None), ("1e-3", (), None), ("-1", (), None),
    ("1,234.5", ("--decimal", "point"), None), ("$1", (), None), ("", (), None), ("nan", (), None),
    ("1099511.627776", (), None), ("99999999999999999", (), None)])
def test_money_is_exact(file_base, price, options, micro):
    """Micro-units to the last one, or a bad line."""
    done = file_base.load(f'Code;Rate\n49;"{price}"\n', *CREATE, *options, status=3 if micro is None else 0)
    if micro is None:
        assert "line 2, Rate:" in done.stderr and file_base.sql("SELECT COUNT(*) FROM callroute_deck") == [("0",)]
    else:
        assert file_base.prices() == {"49": micro}


@pytest.mark.parametrize("code, reason", [
    ("12a", "not a dial code"), ("1.2E+10", "not a dial code"), ("1 684", "not a dial code"),
    ("1239-1234", "not a range"), ("12-1234", "not a range"), ("10000-99999", "more than"), ("1" * 33, "longer than"),
    ("+", "without a code"), ("", "would match every number")])
def test_codes_that_mean_nothing(file_base, code, reason):
    """Each is named with its line, column and reason."""
    done = file_base.load(f'Code,Rate\n48,1\n"{code}",1\n', *CREATE, status=3)
    assert "line 3, Code:" in done.stderr and reason in done.stderr


def test_bad_lines_are_listed_and_stop_the_import(base):
    """Twenty are shown, all are counted and written to a file; --skip-bad takes the good ones."""
    sheet = "Code,Rate,Currency\n" + "".join(f"4{n},x,EUR\n" for n in range(30)) + "50,1,USD\n51,1,EUR\n"
    listed = base.write("bad.csv", "")
    done = base.load(sheet, *CREATE, "--bad-lines", listed, status=3)
    assert "31 bad lines" in done.stderr and "line 21, Rate: 'x'" in done.stderr and "and 11 more" in done.stderr
    assert "line 22" not in done.stderr and base.rows() == []
    with open(listed, encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    assert len(rows) == 32 and rows[-1] == ["32", "Currency", "'USD', but the deck is in EUR"]
    base.load(sheet, *CREATE, "--skip-bad")
    assert base.prices() == {"51": 1000000}


def test_an_open_quote_is_never_skipped(file_base):
    """It swallows lines, and nobody knows how many."""
    done = file_base.load('Code,Rate\n49,1\n48,"1\n47,1\n', *CREATE, "--skip-bad", status=3)
    assert "line 3: a quote is not closed" in done.stderr
    done = file_base.load('Code,Rate\n49,1\n48,"1"x\n47,1\n', *CREATE, "--skip-bad")
    assert "line 3, line:" in done.stderr and sorted(file_base.prices()) == ["47", "49"]


def test_an_empty_prefix_must_be_meant(file_base):
    """OpenSIPS #1961: an accidental empty prefix matched everything."""
    file_base.load("Code,Rate\n,1\n49,1\n", *CREATE, "--default-prefix")
    assert [(row[0], row[9]) for row in file_base.rows()] == [("", 1), ("49", 0)]


def test_overlaps_name_both_lines(file_base):
    """Two prices for one prefix at one time."""
    done = file_base.load("Code,Rate,Effective Date,End Date\n49,1,2026-07-01,\n48,1,,\n49,2,2026-07-01,\n", *CREATE,
                          status=3)
    assert "line 4, Code: 49 overlaps line 2" in done.stderr
    done = file_base.load("Code,Rate,Effective Date,End Date\n49,1,2026-07-01,2026-09-01\n49,2,2026-08-01,\n", *CREATE,
                          status=3)
    assert "line 3, Code: 49 overlaps line 2" in done.stderr


def test_a_future_price_ends_the_old_one(base):
    """At that moment, in the zone of the sheet; the old one holds until then."""
    base.load("Code,Rate,Increment\n49,1,60/60\n48,1,1/1\n", *CREATE)
    base.load("Code,Rate,Effective Date\n49,2,15.07.2026\n", *MERGE, "--date-format", "%d.%m.%Y", "--tz",
              "Europe/Berlin")
    change = utc("2026-07-14T22:00:00")
    assert base.rows() == [
        ("48", "", 1000000, 0, 1, 1, 0, 0, 0, 0),
        ("49", "", 1000000, 0, 60, 60, 0, change, 0, 0),
        # The sheet does not say the increments: as in the deck.
        ("49", "", 2000000, 0, 60, 60, change, 0, 0, 0)]
    before = base.rows()
    done = base.load("Code,Rate,Effective Date\n49,2,2026-07-14T22:00:00Z\n", *MERGE)
    assert "is as the sheet says already" in done.stdout and base.rows() == before and base.revision() == 3
    base.load("Code,Rate,Effective Date\n49,3,2026-07-14T22:00:00Z\n", *MERGE)
    assert [row[2:3] + row[6:8] for row in base.rows()[1:]] == [(1000000, 0, change), (3000000, change, 0)]


@pytest.mark.parametrize("date", ["", "2026-05-01", "2026-07-01"])
def test_what_the_deck_says_already_changes_nothing(file_base, date):
    """A whole sheet with a new date on every line must not write the deck anew, or double it."""
    file_base.load("Code,Rate,Effective Date\n49,1,2026-02-01\n48,1,\n", *CREATE)
    before = file_base.rows()
    done = file_base.load(f"Code,Rate,Effective Date\n49,1,{date}\n48,1,{date}\n", *REPLACE)
    assert "0 added, 0 removed" in done.stdout and file_base.rows() == before


def test_a_time_that_the_clocks_leave_out(file_base):
    """02:30 does not exist in Berlin on 2026-03-29."""
    done = file_base.load("Code,Rate,Effective Date\n49,1,2026-03-29 02:30\n", *CREATE, "--tz", "Europe/Berlin",
                          status=3)
    assert "line 2, Effective Date:" in done.stderr and "does not exist in Europe/Berlin" in done.stderr


def test_replace_takes_away_what_is_missing_and_merge_does_not(base):
    """Missing destinations end when a sheet of the future begins; removals are lines of a merge."""
    base.load("Code,Rate\n48,1\n49,1\n50,1\n", *CREATE)
    base.load("Code,Rate,Change\n49,2,increase\n50,,deleted\n", *MERGE)
    assert base.prices() == {"48": 1000000, "49": 2000000}
    base.load("Code,Rate,Effective Date\n49,3,2026-07-01\n", *REPLACE)
    july = utc("2026-07-01")
    assert [row[:3] + row[6:8] for row in base.rows()] == [
        ("48", "", 1000000, 0, july), ("49", "", 2000000, 0, july), ("49", "", 3000000, july, 0)]
    base.load("Code,Rate\n49,3\n", *REPLACE)
    assert base.prices() == {"49": 3000000}


def test_rates_by_origin(base):
    """src_prefix is part of what a rate is for; an origin that is missing in a whole sheet goes."""
    base.load("Code,Rate,Origin\n49,1,\n49,2,+44;+45\n", *CREATE)
    assert [row[:3] for row in base.rows()] == [("49", "", 10**6), ("49", "44", 2 * 10**6), ("49", "45", 2 * 10**6)]
    base.load("Code,Rate,Origin\n49,1,\n49,2,44\n", *REPLACE)
    assert [row[:2] for row in base.rows()] == [("49", ""), ("49", "44")]


def test_guards(base):
    """A sheet cut off, a decimal sign lost, a price that vanishes: refused, and done when forced."""
    base.load("Code,Rate\n" + "".join(f"{n},0.02\n" for n in range(30, 50)), *CREATE)
    before = base.rows()
    cut = "Code,Rate\n" + "".join(f"{n},0.02\n" for n in range(30, 39))
    for sheet, word in ((cut, "11 of 20 destinations"), ("Code,Rate\n30,0.21\n", "0.02 -> 0.21"),
                        ("Code,Rate\n30,0\n", "0.02 -> 0.00")):
        mode = REPLACE if sheet is cut else MERGE
        for dry in ((), ("--dry-run",)):
            done = base.load(sheet, *mode, *dry, status=4)
            assert word in done.stderr and base.rows() == before and base.revision() == 2
    base.load(cut, *REPLACE, "--max-shrink", 60)
    assert len(base.rows()) == 9
    base.load("Code,Rate\n30,0.21\n", *MERGE, "--force")
    assert base.prices()["30"] == 210000


def test_a_dry_run_shows_and_writes_nothing(base):
    """Also for a deck that is not there yet."""
    base.load("Code,Rate\n49,1\n", *CREATE, "--dry-run")
    assert base.sql("SELECT COUNT(*) FROM callroute_deck") == [("0",)]
    base.load("Code,Rate\n48,1\n49,1\n50,1\n51,1\n", *CREATE)
    before = base.rows()
    done = base.load("Code,Rate\n49,1.5\n50,0.9\n51,1\n52,1\n", *REPLACE, "--dry-run")
    assert "2 added" not in done.stdout and "rows: 4 before, 4 after: 3 added, 3 removed" in done.stdout
    assert "1 new, 1 lost, 2 changed, 1 unchanged" in done.stdout and "1 rise, 1 fall" in done.stdout
    assert "+50.0 %" in done.stdout and "-10.0 %" in done.stdout
    assert "new: 52" in done.stdout and "lost: 48" in done.stdout
    assert base.rows() == before and base.revision() == 2


def test_an_unknown_deck_lists_those_that_exist(base):
    """And --create of one that is there must agree with it."""
    base.load("Code,Rate\n49,1\n", *CREATE, deck="alpha")
    done = base.load("Code,Rate\n49,1\n", *REPLACE, deck="beta", status=1)
    assert "no deck 'beta'; there are: alpha" in done.stderr
    done = base.load("Code,Rate\n49,1\n", "--create", "USD", *REPLACE, deck="alpha", status=1)
    assert "there already, in EUR" in done.stderr


def test_rollback_and_history(base):
    """Back to any revision, and forward again; never over a change by hand."""
    states, started = {1: []}, int(time.time())
    for revision, sheet in enumerate(("49,1\n48,1\n", "49,2\n50,1\n", "49,3\n50,1\n51,4\n"), 2):
        base.load("Code,Rate\n" + sheet, *CREATE)
        states[revision] = base.rows()
    assert base.do("x", "--rollback", "--dry-run").returncode == 0 and base.revision() == 4
    for number, target in enumerate((2, 4, 1, 3), 5):
        done = base.do("x", "--rollback", target)
        assert done.returncode == 0, done.stderr
        assert base.rows() == states[target] and base.revision() == number
    said = base.do("x", "--history").stdout
    assert "revision 8, 2 rows" in said and re.search(r"revision 2 of [0-9: -]+ UTC: 2 added, 0 removed", said), said
    times = [int(row[0]) for row in base.sql("SELECT made_at FROM callroute_rate_change ORDER BY revision")]
    assert times == sorted(times) and started <= times[0] and times[-1] <= time.time()
    assert base.do("x", "--rollback", 8).returncode == 1 and base.do("x", "--rollback", 0).returncode == 1
    base.sql("UPDATE callroute_rate SET price = 7 WHERE prefix = '49'")
    before = base.rows()
    done = base.do("x", "--rollback")
    assert done.returncode == 1 and "by hand" in done.stderr and base.rows() == before


def _hold(base, server):
    """Keep another writer's lock on the deck: a function that lets it go."""
    if base.is_sqlite:
        holder = sqlite3.connect(base.options[1], isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        return holder.close
    child = subprocess.Popen([*server.client(base.options[-1]), "--unbuffered"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    child.stdin.write(b"START TRANSACTION; SELECT name FROM callroute_deck WHERE name = 'x' FOR UPDATE;\n")
    child.stdin.flush()
    assert child.stdout.readline() == b"x\n"
    return child.communicate


def test_a_second_writer_is_refused_in_time(base, request):
    """Exit code 5 and one clear line."""
    base.load("Code,Rate\n49,1\n", *CREATE)
    release = _hold(base, None if base.is_sqlite else request.getfixturevalue("server"))
    try:
        done = base.load("Code,Rate\n49,2\n", *MERGE, "--wait", 1, status=5)
    finally:
        release()
    assert "did not end in 1 s" in done.stderr and base.prices() == {"49": 1000000} and base.revision() == 2


def test_two_imports_at_once_both_land(base):
    """The second waits for the first and compares with what it left."""
    base.load("Code,Rate\n49,1\n", *CREATE)
    children = []
    for number in range(2):
        codes = "".join(f"{number + 1}{n:04},1\n" for n in range(3000))
        path = base.write(f"sheet{number}.csv", f"Code,Rate\n49,{number + 2}\n{codes}")
        children.append(subprocess.Popen(base.command("x", path, *MERGE), stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True))
    for child in children:
        said, _ = child.communicate(timeout=60)
        assert child.returncode == 0, said
    assert base.revision() == 4 and len(base.prices()) == 6001
    assert base.do("x", "--rollback", 2).returncode == 0 and base.prices() == {"49": 1000000}


def _killed_while_writing(command):
    """Run an import on a terminal, kill it when its bar says that it writes; what the bar said."""
    ours, theirs = pty.openpty()
    said = b""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    try:
        os.close(theirs)
        deadline = time.monotonic() + 60
        while b"writing [" not in said:
            assert select.select([ours], [], [], deadline - time.monotonic())[0], said
            said += os.read(ours, 4096)
        child.kill()
        assert child.wait(30) == -9
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return said.decode()


def test_a_crash_leaves_the_old_deck(base):
    """kill -9 in the middle of writing: no row differs, and the next import works."""
    base.load("Code,Rate\n" + "".join(f"{n},1\n" for n in range(100000, 200000)), *CREATE)
    before = base.rows()
    sheet = base.write("next.csv", "Code,Rate\n" + "".join(f"{n},2\n" for n in range(100000, 200000)))
    said = _killed_while_writing(base.command("x", sheet, *REPLACE))
    assert "reading [" in said and "rows/s" in said and "s left" in said
    if not base.is_sqlite:
        # The server rolls back when the client has left.
        eventually(lambda: base.sql("SELECT COUNT(*) FROM information_schema.processlist"
                                    " WHERE db = DATABASE() AND id <> CONNECTION_ID()") == [("0",)], 60)
    assert base.rows() == before and base.revision() == 2
    assert base.sql("SELECT COUNT(*) FROM callroute_rate_change WHERE revision > 2") == [("0",)]
    base.load("Code,Rate\n199999,2\n", *MERGE)
    assert base.revision() == 3


def test_no_bar_without_a_terminal(file_base):
    """Logs stay clean."""
    assert file_base.load("Code,Rate\n49,1\n", *CREATE).stderr == ""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the pages of docs/ say is so: names by the source, figures and samples by a running server, statements by
both databases."""

import glob
import os
import re
import sqlite3
import subprocess
import sys
import tomllib

import pytest

from support import readme, stack as stack_
from support.exports import Readme, Source, read
from support.kamailio import ROOT, Kamailio
from support.loading import Loading
from support.mariadb import mariadb
from support.minimal import smallest
from support.process import eventually
from support.routing import Trunk

OPERATIONS, DEPLOYMENT = "docs/operations.md", "docs/existing-deployment.md"
# Those about our own names; the others speak of other modules' tables and functions too.
PAGES = ("README.md", OPERATIONS, DEPLOYMENT, "docs/threat-model.md", "docs/versions.md", "db/README.md",
         "cfg/README.md")
# Names of Kamailio, SQLite and MariaDB that no file of ours has.
FOREIGN = {"get_statistics", "end_dlg", "check_constraint_checks", "ignore_check_constraints", "sql_mode"}
MIB = 1 << 20
SHM_MB = 64


def chapter(page, title):
    """The text of a chapter of the second level."""
    found = re.search(rf"^## (?:\d+\. )?{re.escape(title)}\n(.*?)(?=^## |\Z)", read(page), re.M | re.S)
    assert found, f"{page} has no chapter {title}"
    return found[1]


def cells(text):
    """The rows of all tables in it, without heads and lines."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    return [row for place, row in enumerate(rows)
            if not row[0].startswith("---") and not (rows[place + 1:] and rows[place + 1][0].startswith("---"))]


# -- names ------------------------------------------------------------------------


def words_of_the_source():
    """Every word of the sources, comments included."""
    text = []
    for room in ("modules", "db", "cfg"):
        for path in glob.glob(os.path.join(ROOT, room, "**", "*"), recursive=True):
            if os.path.splitext(path)[1] in (".c", ".h", ".py", ".toml", ".cfg", ".sample", ".sh", ".mk"):
                with open(path, encoding="utf-8") as source:
                    text.append(source.read())
    return set(re.findall(r"\w+", "\n".join(text)))


def unknown_names(text, known):
    """Names with an underscore, in backquotes, that are no word of the source; columns that their table lacks."""
    tables = {}
    for path in glob.glob(os.path.join(ROOT, "db", "schema", "*.toml")):
        with open(path, "rb") as source:
            tables |= {table["name"]: {"id", *table["column"]} for table in tomllib.load(source)["table"]}
    found = set()
    for quoted in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)):
        if not re.search(r"^tests/|\.py", quoted):
            found |= set(re.findall(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", quoted)) - known
        for table, column in re.findall(r"\b(\w+)\.(\w+)", quoted):
            if table in tables and column not in tables[table]:
                found.add(f"{table}.{column}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_names_exist(page):
    assert unknown_names(read(page), words_of_the_source() | FOREIGN) == set()


def test_a_name_that_does_not_exist_is_found():
    text = "`max_cps`, `callroute_failover.codes`, `failover_codes`, `callroute_trunk.codes`, `tests/x_y_z.py`\n"
    assert unknown_names(text, words_of_the_source()) == {"failover_codes", "callroute_trunk.codes"}


def test_make_has_the_targets_that_the_pages_name():
    text = "\n".join(read(os.path.relpath(path, ROOT)) for path in
                     [os.path.join(ROOT, "Makefile"), *glob.glob(os.path.join(ROOT, "**", "*.mk"), recursive=True)])
    targets = set(re.findall(r"^([a-z][\w-]*)(?=[\w -]*:)", text, re.M))
    for page in (*PAGES, *glob.glob("modules/*/README.md", root_dir=ROOT), "docs/performance.md"):
        for line in re.findall(r"`make( [^`]*)`|^ {4}make( .*)$", read(page), re.M):
            words = [] if " -C " in (line[0] or line[1]) else re.split(r"#|&&", line[0] or line[1])[0].split()
            named = [word for word in words if re.fullmatch(r"[a-z][a-z0-9-]+", word)]
            assert set(named) <= targets, f"{page}: make {' '.join(words)}"


@pytest.mark.parametrize("module", stack_.MODULES)
def test_log_lines_of_operations(module):
    """Each first word with its level; where the word itself is the source's, the level too."""
    shown = {}
    for modules, words, level in cells(chapter(OPERATIONS, "Log lines")):
        if module in modules:
            shown |= {word: level for word in re.findall(r"`([a-z-]+)`", words)}
    levels = {"ERR": "ERROR", "WARN": "WARNING", "NOTICE": "NOTICE", "INFO": "INFO"}
    literal = {word: levels[level] for level, word in re.findall(
        r'LM_(ERR|WARN|NOTICE|INFO)\(\s*"([a-z-]+) (?=\w+=|%s\\n)', Source(module).voice)}
    assert literal and {word: shown.get(word) for word in literal} == literal
    assert [word for word in shown if not re.search(rf'[":]{word}[ "]', Source(module).voice)] == []
    if module == "callroute":
        lines = {(word, level) for level, line, *_ in Readme(module).rows("Events and log lines", "level")
                 for word in re.findall(r"`([a-z-]+) ", line)}
        assert lines == {one for one in shown.items() if one[0] != "explain"}


# -- a running server ---------------------------------------------------------------


def test_status_and_processes_as_in_operations(tmp_path, run_kamailio):
    """The sample of a refused load has the fields that are sent, in their order; the keepers and their like run."""
    cfg, env, port = smallest(tmp_path, "callroute", 'loadmodule "jsonrpcs.so"')
    server = run_kamailio(cfg, port, env=env, answers_options=False)
    stack_.execute(str(tmp_path / "callroute.sqlite"), "UPDATE callroute_trunk SET uri = 'sip:bad uri' WHERE id = 2")
    server.rpc("callroute.reload")
    assert eventually(lambda: server.rpc("callroute.status")["last_load"]["ticket"] == 1)
    status = server.rpc("callroute.status")
    sample = re.search(r"\$ kamcmd callroute\.status\n((?: {4}.*\n)+)", read(OPERATIONS))[1]
    assert re.findall(r"^ {4}\t(\w+):", sample, re.M) == list(status)
    assert re.findall(r"^ {4}\t\t(\w+):", sample, re.M) == list(status["last_load"])
    assert f"message: {status['last_load']['message']}\n" in sample
    named = set(re.findall(r"`(callroute [a-z ]+)`", chapter(OPERATIONS, "Watch")))
    assert named == {row["DSC"] for row in server.rpc("core.psx") if row["DSC"].startswith("callroute")}


def test_currencies_as_in_operations(tmp_path):
    """Two currencies in a plan are refused with that line, and taken when all of its decks are converted."""
    with Loading(tmp_path, [Trunk("a", 1000), Trunk("b", 2000)]) as loads:
        loads.sql("UPDATE callroute_deck SET currency = 'USD' WHERE id = 2")
        reason = loads.refused()
        said, = re.findall(r"\| `\.\.\. (deck 2 .*?)` \|", read(OPERATIONS))
        assert reason.endswith(said), reason
        loads.sql("UPDATE callroute_deck SET fx = 900000 WHERE id = 2")
        assert "converted" in loads.refused()
        loads.sql("UPDATE callroute_deck SET fx = 1000000")
        loads.published()


def mapped(folder, module, **params):
    """Bytes that the module maps in shared memory, Kamailio's own and callroute's images apart."""
    lines = [f'modparam("{module}", "{name}", {number})' for name, number in params.items()]
    place = folder / str(len(os.listdir(folder)))       # short: a UNIX socket in it has 107 characters at most
    place.mkdir()
    cfg, env, port = smallest(place, module, "\n".join(['loadmodule "jsonrpcs.so"', *lines]))
    server = Kamailio(cfg, str(place), port, env=env, shm_mb=SHM_MB, answers_options=False)
    server.start()
    try:
        with open(f"/proc/{server.child.pid}/maps", encoding="ascii") as maps:
            sizes = [int(end, 16) - int(start, 16) for start, end in
                     re.findall(r"^(\w+)-(\w+) rw-s .*/dev/zero", maps.read(), re.M)]
    finally:
        complaints = stack_.complaints_of(server)
    assert not complaints, complaints
    sizes.remove(SHM_MB * MIB)
    images = 3 * int(Source(module).parameters["snapshot_mb"][1]) * MIB if module == "callroute" else 0
    return sum(sizes) - images


@pytest.mark.parametrize("module", stack_.MODULES)
def test_sizes_of_operations(tmp_path, module):
    """The whole by default, and what each of a parameter costs: by twice its default."""
    text = chapter(OPERATIONS, "Sizing")
    whole = mapped(tmp_path, module)
    shown = re.search(rf"With the defaults:.*?\b{module} (\d+) MiB", text)
    assert round(whole / MIB) == int(shown[1]), whole / MIB
    rows = 0
    for _, how, cost in cells(text):
        each = re.match(r"([\d,]+) B each", cost)
        if not how.startswith(module) or not each:
            continue
        name = re.match(r"\w+ `(\w+)`", how)[1]
        default = int(Source(module).parameters[name][1])
        more = mapped(tmp_path, module, **{name: 2 * default}) - whole
        assert abs(more / default - int(each[1].replace(",", ""))) < 1, (name, more / default)
        rows += 1
    assert rows >= 2


# -- taking it out again ------------------------------------------------------------

DROPS = ("drop-fraudguard", "drop-callroute", "drop-quarantine")


def state(ask):
    """(tables, {name: version}) of a database, by a function that asks it."""
    version = {name: str(number) for name, number in ask("SELECT table_name, table_version FROM version")}
    return {row[0] for row in ask(None)}, version


def ours(name):
    """Is a table of ours?"""
    return name.startswith(("callroute_", "fraudguard_", "quarantine"))


def dropped(ask, run):
    """Apply the page's statements; Kamailio's own tables and version rows are left, and nothing else."""
    tables, version = state(ask)
    assert len([name for name in tables if ours(name)]) > 20 and {"version", "location", "dialog"} <= tables
    for one in DROPS:
        run(readme.example(one, DEPLOYMENT))
    left, rows = state(ask)
    assert left == {name for name in tables if not ours(name)}
    assert rows == {name: number for name, number in version.items() if not ours(name)}


def test_the_page_drops_all_of_ours_in_sqlite(tmp_path):
    path = stack_.create_database(str(tmp_path / "tollgate.sqlite"))
    base = sqlite3.connect(path)
    base.execute("PRAGMA foreign_keys = ON")

    def ask(sql):
        return base.execute(sql or "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                            ).fetchall()
    try:
        dropped(ask, base.executescript)
    finally:
        base.close()


def test_the_page_drops_all_of_ours_in_mariadb(tmp_path):
    with mariadb(tmp_path) as server:
        subprocess.run([sys.executable, os.path.join(ROOT, "db", "create.py"), *server.options, "--demo"], check=True,
                       timeout=60)
        dropped(lambda sql: server.sql(sql or "SHOW TABLES"), server.sql)

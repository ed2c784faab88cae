# SPDX-License-Identifier: GPL-2.0-or-later
"""A database with a deck in it, on SQLite or MariaDB, and db/import.py run on it.

    base = DeckBase(["--path", file], sql)
    base.write("x.csv", "Code,Rate\\n49,0.01\\n")
    done = base.load("x.csv", "--mode", "replace")     CompletedProcess with stdout and stderr
    base.rows("deck")                                   the table, sorted, as tuples
"""

import os
import sqlite3
import subprocess
import sys

from .kamailio import ROOT

COLUMNS = ("prefix", "src_prefix", "price", "connect_fee", "first_sec", "step_sec", "valid_from", "valid_till",
           "blocked", "is_default")
IMPORT = os.path.join(ROOT, "db", "import.py")
SECONDS = 120


def run(argv):
    """Run a script of db/ with the system's Python; standard error apart from standard output."""
    return subprocess.run([sys.executable, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS, check=False)


def sqlite_sql(path):
    """A function that runs one statement on an SQLite file and gives the rows as text."""
    def sql(statement):
        base = sqlite3.connect(path)
        try:
            with base:
                return [tuple(map(str, row)) for row in base.execute(statement)]
        finally:
            base.close()
    return sql


class DeckBase:
    """A new database. `options` lead db/create.py and db/import.py to it, `sql` runs a statement."""

    def __init__(self, folder, options, sql):
        self.folder, self.options, self.sql = str(folder), [str(one) for one in options], sql
        made = run([os.path.join(ROOT, "db", "create.py"), *self.options])
        assert made.returncode == 0, made.stderr

    @property
    def is_sqlite(self):
        """Is it a file?"""
        return "--path" in self.options

    def write(self, name, text, encoding="utf-8"):
        """Write a sheet; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding=encoding, newline="") as out:
            out.write(text)
        return path

    def command(self, deck, *args):
        """The command line of an import."""
        return [sys.executable, IMPORT, deck, *map(str, args), *self.options]

    def do(self, deck, *args):
        """Run db/import.py on a deck; CompletedProcess."""
        return run(self.command(deck, *args)[1:])

    def load(self, text, *args, deck="x", status=0, encoding="utf-8"):
        """Import the text of a sheet; the exit code must be `status`."""
        done = self.do(deck, self.write("sheet.csv", text, encoding), *args)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    def rows(self, deck="x"):
        """The deck's rates as sorted tuples."""
        found = self.sql(f"SELECT {', '.join('r.' + name for name in COLUMNS)} FROM callroute_rate r"
                         f" JOIN callroute_deck d ON d.id = r.deck_id WHERE d.name = '{deck}'")
        return sorted((row[0], row[1], *map(int, row[2:])) for row in found)

    def prices(self, deck="x"):
        """{prefix: price} where each prefix has one row."""
        rows = self.rows(deck)
        assert len({row[0] for row in rows}) == len(rows), rows
        return {row[0]: row[2] for row in rows}

    def revision(self, deck="x"):
        """The deck's revision."""
        return int(self.sql(f"SELECT revision FROM callroute_deck WHERE name = '{deck}'")[0][0])

# SPDX-License-Identifier: GPL-2.0-or-later
"""A workbench on disk: the sheet in order of prefix, and the changes to be made.

A private SQLite file without a name: it is gone when the process is, however
that ends. So memory stays the same for a thousand rows and for ten million.
Rows go in once and come out in order; nothing here decides what changes.
"""

import itertools
import sqlite3

from deck.rate import COLUMNS, Line, Rate

BATCH = 5000
_CONTENT = ", ".join(COLUMNS)
_MARKS = ", ".join("?" * len(COLUMNS))
_TYPES = ", ".join(f"{name} {'TEXT' if 'prefix' in name else 'INTEGER'}" for name in COLUMNS)


def batches(rows, size=BATCH):
    """Lists of at most `size` rows."""
    rows = iter(rows)
    while batch := list(itertools.islice(rows, size)):
        yield batch


class Stage:
    """sheet: the lines of the file · change: rows to add (no id) and to remove (id) · before: a deck's rows
    · net: how often each row has to be added (or, below zero, removed) for a rollback."""

    def __init__(self):
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(
            f"""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;
            CREATE TABLE sheet ({_TYPES}, undated INTEGER, gone INTEGER, line INTEGER);
            CREATE TABLE change (id INTEGER, {_TYPES});
            CREATE TABLE before (id INTEGER, {_TYPES});
            CREATE TABLE net ({_TYPES}, times INTEGER);
            BEGIN;
        """
        )
        self._lines = self._changes = ()

    def close(self):
        """Throw it all away."""
        self._base.close()

    def add_lines(self, lines):
        """Put lines of the sheet in."""
        marks = f"INSERT INTO sheet VALUES ({_MARKS}, ?, ?, ?)"
        self._base.executemany(marks, ((*line.rate, line.undated, line.gone, line.number) for line in lines))

    def overlaps(self):
        """Take lines out that overlap an earlier one of the same prefix: (line, the earlier line, its prefix).

        A line without an end is ended by the next one, so only a stated end can
        reach past the next beginning; two lines cannot begin at once, and an
        undated line cannot stand beside one that holds already.
        """
        self._base.execute("CREATE INDEX sheet_order ON sheet (prefix, src_prefix, valid_from, line)")
        found, bad, key = [], [], None
        start = last = last_end = till = till_line = 0
        rows = self._base.execute(
            "SELECT rowid, prefix, src_prefix, valid_from, valid_till, undated, line FROM sheet"
            " ORDER BY prefix, src_prefix, valid_from, line"
        )
        for rowid, prefix, source, begin, end, undated, line in rows:
            if (prefix, source) != key:
                key, till, last = (prefix, source), 0, 0
            other = 0
            if last and (begin == start or (undated and not 0 < last_end <= begin)):
                other = last
            elif till > begin:
                other = till_line
            if other:
                found.append((line, other, prefix))
                bad.append((rowid,))
                if len(bad) >= BATCH:
                    yield from found
                    found = []
                continue
            start, last, last_end = begin, line, end
            if end > till:
                till, till_line = end, line
        yield from found
        self._base.executemany("DELETE FROM sheet WHERE rowid = ?", bad)

    def first_start(self):
        """The smallest valid_from of the sheet; None when it is empty."""
        return self._base.execute("SELECT MIN(valid_from) FROM sheet").fetchone()[0]

    def lines(self):
        """The lines in order of their key and time."""
        rows = self._base.execute("SELECT * FROM sheet ORDER BY prefix, src_prefix, valid_from, line")
        width = len(COLUMNS)
        for row in rows:
            yield Line(Rate(*row[:width]), *row[width:])

    def add_changes(self, changes):
        """(id of the row to remove or None for one to add, Rate)."""
        sql = f"INSERT INTO change VALUES (?, {_MARKS})"
        self._base.executemany(sql, ((number, *rate) for number, rate in changes))

    def removed(self):
        """(id, Rate) of each row to remove."""
        rows = self._base.execute("SELECT * FROM change WHERE id IS NOT NULL ORDER BY rowid")
        return ((row[0], Rate(*row[1:])) for row in rows)

    def added(self):
        """Each Rate to add."""
        rows = self._base.execute(f"SELECT {_CONTENT} FROM change WHERE id IS NULL ORDER BY rowid")
        return (Rate(*row) for row in rows)

    def counts(self):
        """(rows to add, rows to remove)."""
        return self._base.execute("SELECT COUNT(*) - COUNT(id), COUNT(id) FROM change").fetchone()

    # -- rollback -----------------------------------------------------------

    def load_net(self, rows):
        """(Rate, times) of what a rollback has to add or, below zero, to remove."""
        self._base.executemany(f"INSERT INTO net VALUES ({_MARKS}, ?)", ((*rate, times) for rate, times in rows))
        self._base.execute(f"CREATE INDEX net_content ON net ({_CONTENT})")

    def load_before(self, rows):
        """(id, Rate) of the deck as it is."""
        self._base.executemany(f"INSERT INTO before VALUES (?, {_MARKS})", ((number, *rate) for number, rate in rows))

    def undo(self):
        """Turn net and before into changes. The number of rows that must go and are not there."""
        same = " AND ".join(f"b.{name} = n.{name}" for name in COLUMNS)
        content = ", ".join(f"b.{name}" for name in COLUMNS)
        self._base.execute(
            f"""
            INSERT INTO change SELECT id, {_CONTENT} FROM (
                SELECT b.*, n.times, ROW_NUMBER() OVER (PARTITION BY {content} ORDER BY b.id DESC) AS place
                FROM before b JOIN net n ON {same} WHERE n.times < 0)
            WHERE place <= -times"""
        )
        wanted = self._base.execute("SELECT COALESCE(SUM(-times), 0) FROM net WHERE times < 0").fetchone()[0]
        missing = wanted - self.counts()[1]
        self._base.execute(
            f"""
            WITH RECURSIVE again AS (
                SELECT {_CONTENT}, times FROM net WHERE times > 0
                UNION ALL SELECT {_CONTENT}, times - 1 FROM again WHERE times > 1)
            INSERT INTO change SELECT NULL, {_CONTENT} FROM again"""
        )
        return missing

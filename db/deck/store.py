# SPDX-License-Identifier: GPL-2.0-or-later
"""The decks in the database: read in a stream, changed in one transaction.

Two sessions with one interface (begin, query, insert, delete, run, commit), and
`Decks` with the statements on top. A session that is not committed, for
whatever reason, leaves the database as it was. Writers of one deck stand in
line: MySQL locks the deck's row, SQLite the file.
"""

import itertools
import operator
import os
import select
import sqlite3
import subprocess
import tempfile
import time

from schema import backend
from deck.diff import as_rate
from deck.rate import COLUMNS, ImportFault, Locked
from deck.stage import batches
from schema.generate import literal

ANSWER_SECONDS = 600  # of silence from the server, within which a sort of all rows ends
INSERT_ROWS = 1000  # a statement of about 100 kB: max_allowed_packet is 16 MB
PIPE_BYTES = 1 << 16
_CONTENT = ", ".join(COLUMNS)


class SqliteSession:
    """A file, through Python's own library."""

    def __init__(self, database):
        if not database.exists():
            raise backend.DatabaseError(f"{database}: no such file; create it with `make db`")
        self.name = str(database)
        self._base = sqlite3.connect(f"{database.path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        self._base.execute("PRAGMA foreign_keys = ON")

    def begin(self, write, wait):
        """Start a transaction: a snapshot to read, or the file's one right to write."""
        self._base.execute(f"PRAGMA busy_timeout = {wait * 1000}")
        try:
            self._base.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise Locked(f"{self.name}: another import or program is writing, and did not end in {wait} s") from error

    def lock_deck(self, _name):
        """Nothing more: the file is locked."""

    def query(self, sql):
        """The rows, as they come."""
        return self._base.execute(sql)

    def run(self, sql):
        """One statement without an answer."""
        self._base.execute(sql)

    def insert(self, table, columns, rows):
        """Insert a batch of rows."""
        marks = ", ".join("?" * len(columns))
        self._base.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def delete(self, table, numbers):
        """Delete a batch by id."""
        self._base.executemany(f"DELETE FROM {table} WHERE id = ?", ((number,) for number in numbers))

    def commit(self):
        """Make it last."""
        self._base.execute("COMMIT")

    def end(self):
        """Give up what was not committed."""
        if self._base.in_transaction:
            self._base.execute("ROLLBACK")

    def close(self):
        """Close the file."""
        self._base.close()


class MysqlSession(backend.Mysql):
    """One connection: a command line client that is told statements and read row by row.

    It must never reconnect: what follows would be outside of the transaction.
    When this process dies, the client reads the end of its input and leaves,
    and the server rolls back.
    """

    def open(self):
        """Start the client."""
        argv = [self._client, "--no-defaults", "--batch", "--quick", "--unbuffered", "--skip-column-names"]
        argv += ["--skip-reconnect", "--default-character-set=utf8mb4", "--connect-timeout=10", f"--user={self.user}"]
        argv += [f"--socket={self.socket}"] if self.socket else [f"--host={self.host}", f"--port={self.port}"]
        argv += [] if self.socket else ["--protocol=tcp"]
        password = self._password()
        env = os.environ if password is None else {**os.environ, "MYSQL_PWD": password}
        self._complaint = tempfile.TemporaryFile()
        self._child = subprocess.Popen(
            [*argv, self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
            env=env,
            bufsize=0,
        )
        os.set_blocking(self._child.stdin.fileno(), False)
        self._rest = b""
        self._marks = itertools.count(1)
        self._wait = 0
        return self

    def begin(self, write, wait):
        """Start a transaction: a snapshot to read, or one that sees what is committed when it has its lock."""
        self._wait = wait
        self.run(f"SET SESSION innodb_lock_wait_timeout = {max(wait, 1)}, autocommit = {0 if write else 1}")
        self.run(f"SET SESSION TRANSACTION ISOLATION LEVEL {'READ COMMITTED' if write else 'REPEATABLE READ'}")
        self.run("START TRANSACTION" if write else "START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def lock_deck(self, name):
        """Wait for other writers of the deck."""
        list(self.query(f"SELECT id FROM callroute_deck WHERE name = {literal(name)} FOR UPDATE"))

    def _fault(self, text):
        """What the client says went wrong."""
        if self._child.poll() is None:
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._complaint.seek(0)
        said = self._complaint.read().decode("utf-8", "replace").strip().splitlines()
        text = said[-1] if said else text
        if "ERROR 1205" in text or "ERROR 1213" in text:
            return Locked(f"{self}: another import is writing, and did not end in {self._wait} s")
        return backend.DatabaseError(f"{self}: {text}")

    def _send(self, sql):
        data = memoryview(sql.encode())
        pipe = self._child.stdin.fileno()
        while data:
            if not select.select([], [pipe], [], ANSWER_SECONDS)[1]:
                self._child.kill()
                raise self._fault(f"takes nothing for {ANSWER_SECONDS} s")
            try:
                sent = os.write(pipe, data[:PIPE_BYTES])
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._fault("the client ended") from None
            data = data[sent:]

    def _receive(self):
        pipe = self._child.stdout.fileno()
        if not select.select([pipe], [], [], ANSWER_SECONDS)[0]:
            self._child.kill()
            raise self._fault(f"no answer within {ANSWER_SECONDS} s")
        data = os.read(pipe, PIPE_BYTES)
        if not data:
            raise self._fault("the client ended")
        return data

    def query(self, sql):
        """The rows, as they come; read them to the end before the next statement."""
        mark = f"end-of-answer-{next(self._marks)}"
        self._send(f"{sql};\nSELECT '{mark}';\n")
        while True:
            *lines, self._rest = (self._rest + self._receive()).split(b"\n")
            for line in lines:
                text = line.decode()
                if text == mark:
                    return
                yield tuple(text.split("\t"))

    def run(self, sql):
        """One statement without an answer; a failure shows at the next question."""
        self._send(sql + ";\n")

    def insert(self, table, columns, rows):
        """Insert a batch of rows of numbers and codes."""
        for part in batches(rows, INSERT_ROWS):
            values = ",".join(f"({','.join(map(_literal, row))})" for row in part)
            self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}")

    def delete(self, table, numbers):
        """Delete a batch by id."""
        for part in batches(numbers, INSERT_ROWS):
            self.run(f"DELETE FROM {table} WHERE id IN ({','.join(map(str, part))})")

    def commit(self):
        """Make it last; returns when the server has said so."""
        list(self.query("COMMIT"))

    def end(self):
        """Give up what was not committed, where the client is still there to be told."""
        try:
            self.run("ROLLBACK")
        except backend.DatabaseError:
            pass  # the client has left, and the server with it

    def close(self):
        """End the client."""
        self._child.stdin.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        self._complaint.close()


def _literal(value):
    return literal(value) if isinstance(value, str) else str(value)


class Deck:
    """One row of callroute_deck."""

    def __init__(self, row):
        self.number, self.name, self.side, self.currency, self.revision = int(row[0]), *row[1:4], int(row[4])


class Decks:
    """What an import asks of the database and does to it."""

    def __init__(self, session):
        self.session = session
        self._whole = operator.index if isinstance(session, SqliteSession) else int

    def all(self):
        """Every deck."""
        rows = self.session.query("SELECT id, name, side, currency, revision FROM callroute_deck ORDER BY name")
        return [Deck(row) for row in rows]

    def get(self, name):
        """The deck of a name; ImportFault lists those that exist."""
        decks = self.all()
        for deck in decks:
            if deck.name == name:
                return deck
        names = ", ".join(deck.name for deck in decks) or "none at all"
        raise ImportFault(f"there is no deck {name!r}; there are: {names}. --create EUR makes it, with its currency")

    def create(self, name, side, currency):
        """A new deck without rates. It starts at revision 1, and its first import makes 2."""
        values = ", ".join(map(literal, (name, side, currency)))
        self.session.run(f"INSERT INTO callroute_deck (name, side, currency) VALUES ({values})")
        return self.get(name)

    def rates(self, deck):
        """(id, Rate) in the order of their text, whatever the collation of the columns."""
        order = "prefix, src_prefix" if isinstance(self.session, SqliteSession) else "BINARY prefix, BINARY src_prefix"
        rows = self.session.query(
            f"SELECT id, {_CONTENT} FROM callroute_rate WHERE deck_id = {deck.number} ORDER BY {order}, valid_from, id"
        )
        return ((int(row[0]), as_rate(row[1:], self._whole)) for row in rows)

    def count(self, deck):
        """How many rates the deck has."""
        (row,) = self.session.query(f"SELECT COUNT(*) FROM callroute_rate WHERE deck_id = {deck.number}")
        return int(row[0])

    def history(self, deck):
        """(revision, Unix time, rows added, rows removed), the newest first."""
        rows = self.session.query(
            "SELECT revision, MIN(made_at), SUM(action = 'added'), SUM(action = 'removed') FROM callroute_rate_change"
            f" WHERE deck_id = {deck.number} GROUP BY revision ORDER BY revision DESC"
        )
        return [tuple(map(int, row)) for row in rows]

    def net(self, deck, revision):
        """(Rate, times): what has to be added or, below zero, removed to be back at a revision."""
        rows = self.session.query(
            f"SELECT {_CONTENT}, SUM(CASE action WHEN 'removed' THEN 1 ELSE -1 END) AS times FROM callroute_rate_change"
            f" WHERE deck_id = {deck.number} AND revision > {revision}"
            f" GROUP BY {_CONTENT} HAVING SUM(CASE action WHEN 'removed' THEN 1 ELSE -1 END) <> 0"
        )
        return ((as_rate(row[:-1], self._whole), int(row[-1])) for row in rows)

    def apply(self, deck, stage, progress):
        """Make the staged changes, write them down, count the revision up. Not committed yet."""
        added, removed = stage.counts()
        wanted = self.count(deck) + added - removed
        total = max(added + removed, 1)
        where = deck.number, deck.revision + 1, int(time.time())
        change = "deck_id", "revision", "made_at", "action", *COLUMNS
        for batch in batches(stage.removed()):
            self.session.delete("callroute_rate", [number for number, _ in batch])
            self.session.insert("callroute_rate_change", change, [(*where, "removed", *rate) for _, rate in batch])
            progress.step(len(batch), (progress.rows + len(batch)) / total)
        for batch in batches(stage.added()):
            self.session.insert("callroute_rate", ("deck_id", *COLUMNS), [(where[0], *rate) for rate in batch])
            self.session.insert("callroute_rate_change", change, [(*where, "added", *rate) for rate in batch])
            progress.step(len(batch), (progress.rows + len(batch)) / total)
        self.session.run(f"UPDATE callroute_deck SET revision = {where[1]} WHERE id = {where[0]}")
        if self.count(deck) != wanted:
            raise ImportFault("the deck's rates were changed by hand in the meantime: nothing was written, try again")
        deck.revision += 1


def open_session(database):
    """A session on a backend.Sqlite or backend.Mysql."""
    if isinstance(database, backend.Sqlite):
        return SqliteSession(database)
    return MysqlSession(
        database.name, database.host, database.port, database.user, database.password_file, database.socket
    ).open()

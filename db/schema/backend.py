# SPDX-License-Identifier: GPL-2.0-or-later
"""The two database servers behind one small interface.

A backend runs a script, answers a query with rows of text, lists its tables and
prepares or finishes a creation. Failures are DatabaseError with one line that
names the database. SQLite goes through Python's own library; MySQL and MariaDB
through their command line client, so that no Python driver is needed.
"""

import os
import pathlib
import shutil
import sqlite3
import subprocess

CLIENT_TIMEOUT_S = 120


class DatabaseError(Exception):
    """The database cannot be used; the text is fit for an operator."""


class Sqlite:
    """A file. It is built aside and renamed, so a failed creation leaves nothing."""

    dialect = "sqlite"

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._work = self.path

    def __str__(self):
        return f"SQLite database {self.path}"

    def exists(self):
        return self.path.exists()

    def tables(self):
        return {
            row[0]
            for row in self.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        }

    def query(self, sql):
        if not self._work.exists():
            raise DatabaseError(f"{self}: no such file")
        try:
            with sqlite3.connect(f"{self._work.absolute().as_uri()}?mode=ro", uri=True) as connection:
                return [tuple("" if v is None else str(v) for v in row) for row in connection.execute(sql)]
        except sqlite3.Error as error:
            raise DatabaseError(f"{self}: {error}") from error
        finally:
            if "connection" in locals():
                connection.close()

    def begin(self, force):
        """`force` replaces the whole file; create() has judged its contents before."""
        if self.exists() and self.path.stat().st_size and not force:
            raise DatabaseError(f"{self}: already there")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(f"{self}: {error.strerror}: {error.filename}") from error
        self._work = self.path.with_name(f"{self.path.name}.new.{os.getpid()}")
        self._work.unlink(missing_ok=True)

    def run(self, sql):
        try:
            connection = sqlite3.connect(self._work)
            try:
                # The file is nothing until it is renamed: a crash needs no journal.
                connection.executescript(
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
                    f"BEGIN;\n{sql}\nCOMMIT;"
                )
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise DatabaseError(f"{self}: {error}") from error

    def commit(self):
        # Readers and the one writer do not block each other in WAL mode, and the
        # mode is kept in the file. Kamailio's driver gives up at once on a lock.
        with sqlite3.connect(self._work) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        os.replace(self._work, self.path)
        self._work = self.path

    def rollback(self):
        if self._work != self.path:
            self._work.unlink(missing_ok=True)
            self._work = self.path


class Mysql:
    """One database of a MySQL or MariaDB server, through the `mariadb` or `mysql` client."""

    dialect = "mysql"

    def __init__(self, name, host="127.0.0.1", port=3306, user="kamailio", password_file=None, socket=None):
        if not name.replace("_", "").isalnum():
            raise DatabaseError(f"DB_NAME {name!r}: letters, digits and _ only")
        self.name, self.host, self.port, self.user = name, host, port, user
        self.password_file, self.socket = password_file, socket
        self._client = shutil.which("mariadb") or shutil.which("mysql")
        if not self._client:
            raise DatabaseError("neither the mariadb nor the mysql client is installed (Debian: mariadb-client)")

    def __str__(self):
        where = self.socket or f"{self.host}:{self.port}"
        return f"MySQL database {self.name} on {where}"

    def _password(self):
        if not self.password_file:
            return None
        try:
            return pathlib.Path(self.password_file).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise DatabaseError(f"DB_PASSWORD_FILE {self.password_file}: {error.strerror}") from error

    def _call(self, sql, database):
        command = [self._client, "--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
        command += [f"--user={self.user}", "--connect-timeout=10"]
        command += (
            [f"--socket={self.socket}"]
            if self.socket
            else [f"--host={self.host}", f"--port={self.port}", "--protocol=tcp"]
        )
        command += [database] if database else []
        env = dict(os.environ)
        password = self._password()
        if password is not None:
            env["MYSQL_PWD"] = password  # not an argument: those are visible in ps
        try:
            done = subprocess.run(
                command, input=sql, env=env, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise DatabaseError(f"{self}: no answer within {CLIENT_TIMEOUT_S} s") from error
        if done.returncode:
            text = done.stderr.strip().splitlines()
            raise DatabaseError(f"{self}: {text[-1] if text else 'the client failed'}")
        return done.stdout

    def exists(self):
        return (
            self._call(f"SELECT 1 FROM information_schema.schemata WHERE schema_name = '{self.name}'", None).strip()
            == "1"
        )

    def tables(self):
        return {
            row[0]
            for row in self.query(
                f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{self.name}'"
            )
        }

    def query(self, sql):
        return [tuple(line.split("\t")) for line in self._call(sql, self.name).splitlines()]

    def begin(self, force):
        """`force` drops the tables; create() has made sure that all of them are ours."""
        if self.exists():
            old = sorted(self.tables())
            if old and not force:
                raise DatabaseError(f"{self}: already there")
            if old:
                drops = "".join(f"DROP TABLE {table};\n" for table in old)
                self._call(f"SET foreign_key_checks = 0;\n{drops}", self.name)
        else:
            # Binary collation: SIP user names differ by case (RFC 3261 section 19.1.4).
            self._call(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", None)

    def run(self, sql):
        self._call(sql, self.name)

    def commit(self):
        """Each statement is committed by the server: DDL has no transactions there."""

    def rollback(self):
        """Nothing to undo; the next creation needs FORCE=1, and says so."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders to load callroute's tables again, and what came of them; a database server in place of a file.

    with Loading(folder, TRUNKS) as loads:
        done = loads.load("deck", "a")      the last_load of callroute.status
        loads.price("49")                   {trunk: price} of a call there
"""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys

from . import ports
from .kamailio import ROOT
from .mariadb import mariadb
from .process import ProcessError, eventually
from .routing import CFG, PREFIXES, Routing
from .stack import execute

LOAD_SECONDS = 60


class Loading(Routing):
    """A Routing whose tables are loaded again; its log says each load."""

    def __init__(self, folder, trunks, params="", **how):
        super().__init__(folder, trunks, params=f"debug=2\n{params}", **how)

    def order(self, *words):
        """Ask for a reload; its ticket."""
        return self.rpc("callroute.reload", *words)["ticket"]

    @property
    def last(self):
        """The last load."""
        return self.rpc("callroute.status")["last_load"]

    @property
    def generation(self):
        """The number of the data in use."""
        return self.rpc("callroute.status")["generation"]

    def outcome(self, ticket):
        """Wait for a ticket: the load that answers it."""
        assert eventually(lambda: self.last["ticket"] >= ticket, LOAD_SECONDS, 0.01), (ticket, self.last)
        return self.last

    def load(self, *words):
        """Reload, by these words, and wait."""
        return self.outcome(self.order(*words))

    def published(self, *words):
        """Reload; fails unless its data are in use."""
        before, done = self.generation, self.load(*words)
        assert done["result"] == "published", done
        assert self.generation == before + 1, (before, self.generation)
        return done

    def refused(self, *words):
        """Reload; fails unless it was refused and nothing was published. Its reason."""
        before, done = self.generation, self.load(*words)
        assert done["result"] == "refused", done
        assert self.generation == before, "refused, and published all the same"
        return done["message"]

    def prices(self, number, plan="default"):
        """{trunk: price} of the vendors that would take a call, in micro-units a minute."""
        said = self.rpc("callroute.explain", number, plan)
        return {row["trunk"]: int(row["price"]) for row in said["vendors"] if "price" in row}

    def drop_uniqueness(self, table):
        """Make a table anew without its unique keys: by hand, or as another tool may have made it."""
        (made,), = self.sql(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
        loose = re.sub(r"UNIQUE \([^)]*\)", "CHECK (1)", made).replace(f"TABLE {table}", "TABLE made_anew")
        assert "made_anew" in loose and "UNIQUE" in made and "UNIQUE" not in loose, made
        self.sql(loose, f"INSERT INTO made_anew SELECT * FROM {table}", f"DROP TABLE {table}",
                 f"ALTER TABLE made_anew RENAME TO {table}")

    @property
    def keeper(self):
        """The process that loads."""
        return self.process_named("callroute keeper")

    def process_named(self, name):
        """The pid of one of Kamailio's processes; waits for it, since the server may have just started."""
        found = eventually(lambda: [row["PID"] for row in self.rpc("core.psx") if row["DSC"] == name])
        assert len(found) == 1, (name, found)
        return found[0]

    @contextlib.contextmanager
    def keeper_held(self):
        """Stop the keeper, so that orders pile up before it."""
        pid = self.keeper
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def without_checks(database):
    """Make every table of a file anew without its checks, as they were made before SQLite's types were checked."""
    with sqlite3.connect(database, isolation_level=None) as base:
        tables = base.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '% CHECK (%'")
        for table, made in tables.fetchall():
            items = [re.sub(r",?( -- .*)?$", "", line) for line in made.splitlines()[1:-1] if " CHECK (" not in line]
            base.execute("CREATE TABLE made_anew (" + ",\n".join(items) + ")")
            base.execute(f"INSERT INTO made_anew SELECT * FROM {table}")
            base.execute(f"DROP TABLE {table}")
            base.execute(f"ALTER TABLE made_anew RENAME TO {table}")
    base.close()


# -- a server instead of a file ----------------------------------------------


class OnServer(Loading):
    """The same with its tables on a MariaDB server, which may go and come back."""

    def __init__(self, folder, trunks, server, port, **how):
        cfg = CFG.replace('loadmodule "db_sqlite.so"', 'loadmodule "db_mysql.so"')
        cfg = cfg.replace("sqlite:///{database}", f"mysql://kamailio@{ports.HOME}:{port}/{server.database}")
        super().__init__(folder, trunks, cfg=cfg, **how)
        done = subprocess.run([sys.executable, os.path.join(ROOT, "db", "create.py"), *server.options],
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise ProcessError(f"db/create.py: {done.stderr}")
        self.server_, self.server_port = server, port
        # The rows that Routing put into its file.
        for table in ("carrier", "deck", "rate", "trunk", "plan", "plan_trunk"):
            self.copy(f"callroute_{table}")

    def copy(self, table):
        """The rows of a table of the file, onto the server."""
        names = [row[1] for row in execute(self.database, f"PRAGMA table_info({table})")]
        rows = execute(self.database, f"SELECT {', '.join(names)} FROM {table}")
        if rows:
            values = ",\n".join("(" + ", ".join(map(repr, row)) + ")" for row in rows)
            self.server_.sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES {values}")

    def sql(self, *statements):
        """Run statements on the server; the rows of the last one, as text."""
        return [self.server_.sql(one) for one in statements][-1]

    def server_gone(self, kill=False):
        """Stop the server in order, or as by a loss of power."""
        if kill:
            self.server_.process.child.kill()
            self.server_.process.wait(LOAD_SECONDS)
        self.server_.process.stop(LOAD_SECONDS)

    def server_back(self):
        """Start it again on the same data and the same port."""
        self.server_.process.start()
        self.server_.process.wait_line("ready for connections", LOAD_SECONDS)

    @contextlib.contextmanager
    def table_held(self, table):
        """Nobody can read a table meanwhile."""
        with subprocess.Popen(self.server_.client(self.server_.database), stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as session:
            try:
                session.stdin.write(f"LOCK TABLES {table} WRITE;\n")
                session.stdin.flush()
                assert eventually(lambda: self.server_.sql("SHOW OPEN TABLES WHERE in_use > 0"), LOAD_SECONDS)
                yield
            finally:
                with contextlib.suppress(BrokenPipeError):
                    session.stdin.close()

    def waiting_connection(self):
        """Wait until the keeper's connection waits for a held table: its number."""
        question = "SELECT id FROM information_schema.processlist WHERE user = 'kamailio' AND state LIKE 'Waiting%'"
        found = eventually(lambda: self.server_.sql(question), LOAD_SECONDS)
        assert found, self.server_.sql("SHOW PROCESSLIST")
        return found[0][0]

    def kill_connection(self, number):
        """The server drops a connection; waits until it is gone."""
        self.server_.sql(f"KILL CONNECTION {number}")
        question = f"SELECT id FROM information_schema.processlist WHERE id = {number}"
        assert eventually(lambda: not self.server_.sql(question), LOAD_SECONDS)


@contextlib.contextmanager
def database_server(folder):
    """A MariaDB server that Kamailio reaches over TCP: (server, port)."""
    port = ports.port()
    with mariadb(folder, ["--skip-networking=0", f"--bind-address={ports.HOME}", f"--port={port}"]) as server:
        server.sql("CREATE USER kamailio@localhost; GRANT ALL ON *.* TO kamailio@localhost", "mysql")
        yield server, port


__all__ = ["PREFIXES", "Loading", "OnServer", "database_server", "without_checks"]

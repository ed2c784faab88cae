# SPDX-License-Identifier: GPL-2.0-or-later
"""A MariaDB server of our own: own data folder, own socket, no TCP.

    with mariadb(tmp_path) as server:
        server.socket, server.user, server.database
        server.sql("SELECT 1")          rows of text
        server.options                  for db/create.py, db/import.py and the like

The root account has no password: the socket lies in a folder that only we may
enter. Needs Debian's packages mariadb-server (which has the server outside of
a user's PATH) and mariadb-client.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile

from .process import Process, ProcessError, run

START_SECONDS = 60
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def _program(*names):
    """The first of the programs that is installed."""
    path = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise ProcessError(f"none of {', '.join(names)} is installed: Debian's packages mariadb-server, mariadb-client")


class Mariadb:
    """A running server; `database` is created by whoever needs it."""

    def __init__(self, socket, process, user="root", database="tollgate"):
        self.socket, self.process, self.user, self.database = socket, process, user, database
        self._client = _program("mariadb", "mysql")

    @property
    def options(self):
        """The arguments that lead a script of db/ here."""
        return ["--dialect", "mysql", "--socket", self.socket, "--user", self.user, "--name", self.database]

    def client(self, database=None):
        """The command line of a client on the database."""
        return [self._client, "--no-defaults", "--batch", "--skip-column-names", f"--socket={self.socket}",
                f"--user={self.user}", *([database] if database else [])]

    def sql(self, text, database=None, seconds=120):
        """Run statements in the database; the rows of the last answer, as tuples of text."""
        done = subprocess.run(self.client(database or self.database), input=text, capture_output=True, text=True,
                              timeout=seconds, check=False)
        if done.returncode:
            raise self.process.error(f"{text[:200]}: {done.stderr.strip()}")
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def mariadb(folder, options=()):
    """Make a data folder in `folder` and run a server on it; `options` are further arguments of the server."""
    data = os.path.join(str(folder), "mariadb")
    who = ["--user=root"] if os.geteuid() == 0 else []
    made = run([_program("mariadb-install-db", "mysql_install_db"), "--no-defaults", f"--datadir={data}",
                "--auth-root-authentication-method=normal", "--skip-test-db", *who], START_SECONDS)
    if made.returncode:
        raise ProcessError(f"mariadb-install-db: {made.stdout}")
    # The name of a UNIX socket has 107 characters, which pytest's folders exceed.
    with tempfile.TemporaryDirectory(prefix="tollgate-db-") as place:
        socket = os.path.join(place, "socket")
        server = Process("mariadbd", [
            _program("mariadbd", "mysqld"), "--no-defaults", f"--datadir={data}", f"--socket={socket}",
            f"--pid-file={place}/pid", "--skip-networking", "--character-set-server=utf8mb4", *who, *options,
        ], os.path.join(str(folder), "mariadb.log"))
        with server:
            server.wait_line(r"ready for connections", START_SECONDS)
            yield Mariadb(socket, server)

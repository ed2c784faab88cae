# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole edge on loopback: database, rtpengine, and Kamailio with the shipped cfg/.

Each stack has a folder, ports and a database of its own, so that any number
can run side by side. It runs a copy of cfg/ without the user's local.cfg: what
is tested is what is shipped. A test may write a local.cfg into the copy, or
edit a file of it to see that something fails without a line.

The demo rows of db/schema/demo.py are the starting point; `settings` changes its
values, `sql` adds statements.
"""

import os
import re
import shutil
import sqlite3
import sys
import warnings

from . import ports, sip
from .agent import Agent
from .baresip import Baresip
from .kamailio import OUR_MODULES, ROOT, Kamailio, module_path
from .process import ProcessError, run
from .rtpengine import Rtpengine
from .sipp import Sipp
from .traits import PLAIN, draw

DOMAIN = "127.0.0.1"
MODULES = ("callroute", "fraudguard", "regguard")
SWITCHES = (*(f"WITH_{name.upper()}" for name in MODULES), "WITH_RTPENGINE")


def create_database(path, settings=None, demo=True, sql=()):
    """Make an SQLite database with db/create.py; its path."""
    argv = [sys.executable, os.path.join(ROOT, "db", "create.py"), "--dialect", "sqlite", "--path", path]
    if demo:
        argv.append("--demo")
        for name, value in (settings or {}).items():
            argv += ["--set", f"{name}={value}"]
    done = run(argv, 30, cwd=ROOT)
    if done.returncode:
        raise ProcessError(f"db/create.py: {done.stdout}")
    execute(path, *sql)
    return path


def execute(path, *statements):
    """Run statements on an SQLite file; the rows of the last one.

    Constraints are off: a test plants the bad row that a loader must refuse.
    """
    rows = []
    with sqlite3.connect(path, timeout=10) as base:
        base.execute("PRAGMA ignore_check_constraints = ON")
        for one in statements:
            rows = base.execute(one).fetchall()
    base.close()
    return rows


def copy_cfg(run_dir):
    """A private copy of cfg/; the path of its kamailio.cfg."""
    target = os.path.join(run_dir, "cfg")
    shutil.copytree(os.path.join(ROOT, "cfg"), target, ignore=shutil.ignore_patterns("local.cfg"))
    return os.path.join(target, "kamailio.cfg")


def environment(run_dir, database, port, rtpengine=None, switches=SWITCHES, host=ports.HOME):
    """The variables that cfg/defs.cfg reads."""
    env = {"SIP_ADDR": host, "SIP_PORT": port, "SIP_DOMAIN": DOMAIN, "RUN_DIR": run_dir, "STATE_DIR": run_dir,
           "MODULE_PATH": module_path(), "DB_URL": f"sqlite:///{database}"}
    if rtpengine:
        env["RTPENGINE_SOCK"] = rtpengine.sock
    env.update({name: "1" for name in switches})
    return env


def lock_left_behind(main, stuck):
    """Do all that are left wait at their end for one lock that a worker took with it?

    On SIGTERM a worker leaves by _exit() wherever it is, with the core's shared locks
    that it holds; a child's handler asks for the lock of the run-time configuration
    first (main.c, sig_usr: cfg_update_no_cbs). Who needs the lock then waits for it until
    the main process's exit_timeout, and the main process for them. It is the server's
    own, whatever modules are loaded (theirs never wait for ever), so a run names it in
    its summary and goes on. Seen: FUTEX_WAIT (0) at one address shared between
    processes, the main process perhaps in waitpid().
    """
    locks = set()
    for line in stuck:
        found = re.search(r" in futex_\S* syscall 202 (\S+) 0x0$", line)
        if found:
            locks.add(found[1])
        elif not re.match(rf"pid {main} .* in do_wait syscall 61 ", line):
            return False
    return len(locks) == 1


def complaints_of(kamailio):
    """Stop it; what is to be said against its end, as a list."""
    if kamailio.child is None:
        return []
    died, main, complaints = not kamailio.alive, kamailio.child.pid, []
    status = kamailio.stop()
    if not died and lock_left_behind(main, kamailio.stuck):
        warnings.warn(f"a leaving worker took a lock along: {kamailio.stuck[0]}")
    else:
        if died or status:
            complaints.append(f"kamailio {'died' if died else 'ended'} with status {status}")
        complaints += kamailio.stuck
    return complaints + kamailio.crashed()


class Stack:
    """Everything up, or an error that says what is not.

    switches  WITH_... names; the three modules and rtpengine by default
    settings  values of db/schema/demo.py
    sql       statements for the database, before the start
    env       more variables of cfg/defs.cfg
    local     text of a local.cfg
    edit      {file of cfg/: function from its text to another}
    host      address of the edge and of rtpengine
    rng       a random.Random that draws the traits of scripted telephones; None: they are plain
    """

    def __init__(self, run_dir, switches=SWITCHES, settings=None, sql=(), env=None, local="", edit=None,
                 host=ports.HOME, rng=None):
        self.rng = rng
        self.run_dir, self.domain = str(run_dir), DOMAIN
        self.switches = switches
        self.host, self.port = host, ports.port()
        self.trunks = {name: ports.port() for name in ("dead", "good", "emergency")}
        chosen = {"domain": DOMAIN, **{f"trunk_{name}": self.trunk_uri(name) for name in self.trunks},
                  **(settings or {})}
        self.database = create_database(os.path.join(self.run_dir, "tollgate.sqlite"), chosen, sql=sql)
        self.cfg = copy_cfg(self.run_dir)
        if local:
            with open(os.path.join(os.path.dirname(self.cfg), "local.cfg"), "w", encoding="utf-8") as out:
                out.write(local)
        for name, change in (edit or {}).items():
            self._edit(name, change)
        self.rtpengine = Rtpengine(self.run_dir, host) if "WITH_RTPENGINE" in switches else None
        self.kamailio = Kamailio(self.cfg, self.run_dir, self.port, host, env={
            **environment(self.run_dir, self.database, self.port, self.rtpengine, switches, host), **(env or {})})
        self.carriers = {}
        self._open = []

    def _edit(self, name, change):
        path = os.path.join(os.path.dirname(self.cfg), name)
        with open(path, encoding="utf-8") as source:
            before = source.read()
        after = change(before)
        if after == before:
            raise ProcessError(f"the edit of {name} changed nothing")
        with open(path, "w", encoding="utf-8") as out:
            out.write(after)

    # -- life ---------------------------------------------------------------

    def start(self):
        """Start rtpengine, then Kamailio."""
        for name in self.switches:
            module = os.path.join(OUR_MODULES, f"{name.removeprefix('WITH_').lower()}.so")
            if name.removeprefix("WITH_").lower() in MODULES and not os.path.exists(module):
                raise ProcessError(f"{module} is not there: run `make`")
        try:
            if self.rtpengine:
                self.rtpengine.start()
            self.kamailio.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Stop the clients, Kamailio, rtpengine, in this order; complaints about the end as a list."""
        complaints = []
        for one in reversed(self._open):
            (one.stop if hasattr(one, "stop") else one.close)()
        self._open = []
        complaints += complaints_of(self.kamailio)
        if self.rtpengine and self.rtpengine.child is not None:
            if not self.rtpengine.alive:
                complaints.append("rtpengine died")
            self.rtpengine.stop()
        return complaints

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        complaints = self.stop()
        if complaints and kind is None:
            raise self.kamailio.error("; ".join(complaints))

    def keep(self, thing):
        """Stop or close `thing` together with the stack."""
        self._open.append(thing)
        return thing

    # -- who takes part -----------------------------------------------------

    @property
    def server(self):
        """(host, port) of the edge."""
        return self.host, self.port

    @staticmethod
    def password(user):
        """The password of a demo user."""
        return f"{user}-demo"

    def agent(self, user, host=ports.OFFICE, password=None, traits=None, **how):
        """A scripted telephone of a demo user; without `traits`, of drawn ones."""
        traits = traits or self._drawn()
        print(f"{user} at {host}: {traits}")    # pytest shows it with a failure
        return self.keep(Agent(self.server, user, self.domain, password or self.password(user), host,
                               traits=traits, **how))

    def _drawn(self):
        """Traits by chance, such that any number of these telephones may live at one address."""
        if self.rng is None:
            return PLAIN
        while True:
            one = draw(self.rng, **({} if ports.private_stays_here() else {"nat": "public"}))
            if (one.contact, one.nat, one.proxy) != ("no-port", "public", "none"):
                return one

    def phone(self, user, hertz, host=ports.OFFICE, **how):
        """A started baresip of a demo user."""
        phone = Baresip(self.run_dir, user, self.domain, self.password(user), self.server, hertz,
                        host=host, **how)
        return self.keep(phone).start()

    def trunk_uri(self, name):
        """The SIP URI of a demo trunk: dead, good or emergency."""
        return f"sip:{ports.TRUNKS}:{self.trunks[name]}"

    def carrier(self, name="good", scenario="answer", calls=1000, **how):
        """A started SIPp that stands for a trunk's far end."""
        self.carriers[name] = self.keep(Sipp(
            self.run_dir, scenario, host=ports.TRUNKS, port=self.trunks[name], calls=calls,
            name=f"trunk-{name}", **{"seconds": 120, **how})).start()
        return self.carriers[name]

    def silent_carrier(self, name="dead"):
        """A socket that takes a trunk's calls and never answers: what a dead carrier looks like."""
        return self.keep(sip.Endpoint(None, ports.TRUNKS, self.trunks[name]))

    def contacts(self, user, table="location"):
        """The bindings of a demo user, as usrloc knows them (use_domain=1)."""
        return self.kamailio.contacts(user, self.domain, table)

    def left_behind(self):
        """What calls have left in rtpengine, in dialog and in our modules: {what: of it}, empty when nothing."""
        rpc = self.kamailio.rpc
        left = {
            "media sessions": self.rtpengine.calls(),
            # State 5 is over: it goes with its transaction, some seconds later; edge/test_telephones.py waits for it.
            "dialogs": [row for row in rpc("dlg.list") if row["state"] != 5],
            "leases of accounts": rpc("fraudguard.stats")["calls"],
            "channels of trunks": [row for row in rpc("callroute.stats")["trunks"] if row["channels"]],
        }
        return {what: of_it for what, of_it in left.items() if of_it}

    def sql(self, *statements):
        """Run statements on the database; the rows of the last one."""
        return execute(self.database, *statements)

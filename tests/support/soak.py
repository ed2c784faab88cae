# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloads without end under calls without end, and what the server holds before and after.

    with Soak(folder) as soak:
        soak.run(50)                    50 reloads while calls run; fails on the first lost call
        soak.rest()                     nothing is held any more
        soak.memory()                   Memory: bytes by process, and those that are shared

Trunk a is the cheapest and refuses, b and c take every call; the prices of b and c change with every
reload, so that calls under way go on with data that are already gone from the snapshots.
"""

import itertools
import os
import signal

from . import ports
from .loading import LOAD_SECONDS, Loading
from .outgoing import assert_nothing_held
from .process import eventually
from .routing import Trunk
from .sipp import Sipp

CALLS_A_SECOND = 60
HOLD_MS = 200               # an answered call outlives several reloads
RATES = 1000
# What a load is asked for, in turn; the last one must be refused.
ORDERS = ((), ("deck", "b"), ("plan",), ("dry",), ("deck", "nobody"))
PARAMS = """debug=-1
loadmodule "counters.so"
modparam("tm", "wt_timer", 500)
modparam("dialog", "wait_ack", 0)
modparam("callroute", "snapshot_mb", 4)
modparam("callroute", "attempts", 4096)
modparam("callroute", "attempt_ttl", 10)
modparam("callroute", "max_calls", 4096)
"""


class Memory:
    """Bytes: `own` {process: private memory}, `resident` {process: with what it shares}, `pkg`, `shm`."""

    def __init__(self, routing):
        self.own, self.resident, self.pkg = {}, {}, {}
        names = {row["PID"]: f"{number} {row['DSC']}" for number, row in enumerate(routing.rpc("core.psx"))}
        for pid, name in names.items():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as source:
                sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in source if line.endswith("kB\n")}
            self.own[name], self.resident[name] = sizes["Anonymous"], sizes["Rss"]
        for row in routing.rpc("pkg.stats"):
            self.pkg[names[row["pid"]]] = int(row["real_used"])
        self.shm = int(routing.rpc("core.shmmem")["real_used"])

    def growth(self, before):
        """{what: the most that any process has more than before}."""
        return {"own": max(self.own[name] - before.own[name] for name in self.own),
                "resident": max(self.resident[name] - before.resident[name] for name in self.resident),
                "pkg": max(self.pkg[name] - before.pkg[name] for name in self.pkg),
                "shm": self.shm - before.shm}


class Soak(Loading):
    """Three trunks, two of them SIPp."""

    def __init__(self, folder, wrap=None):
        self.answering = {name: Sipp(str(folder), "answer", host=ports.TRUNKS, calls=10 ** 9, at_once=10 ** 4,
                                     seconds=10 ** 5, name=f"trunk-{name}") for name in "bc"}
        self.refusing = Sipp(str(folder), "refuse", host=ports.TRUNKS, calls=10 ** 9, at_once=10 ** 4,
                             seconds=10 ** 5, words={"status": "503 Service Unavailable"}, name="trunk-a")
        trunks = [Trunk("a", 1, uri=self.refusing.uri), *(
            Trunk(name, 1000, uri=one.uri) for name, one in self.answering.items())]
        rates = (f"INSERT INTO callroute_rate (deck_id, prefix, price) WITH RECURSIVE n(i) AS "
                 f"(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {RATES}) SELECT 2, 3000000 + i, i FROM n")
        super().__init__(folder, trunks, params=PARAMS, dialog=True, sql=[rates], wrap=wrap)
        self._rounds = itertools.count()
        self.calls = self.reloads = self.refusals = 0

    def __enter__(self):
        for one in (self.refusing, *self.answering.values()):
            self.keep(one).start()
        return super().__enter__()

    # -- one run --------------------------------------------------------------

    def run(self, reloads, seconds):
        """So many reloads published while calls run, others refused or dry between them; then the calls end.

        Fails when one was lost, or a load went wrong.
        """
        number = next(self._rounds)
        caller = Sipp(self.folder, "dial", self.server, calls=10 ** 9, rate=CALLS_A_SECOND, at_once=1000,
                      seconds=seconds, name=f"caller-{number}")
        caller.argv[1:1] = ["-s", "+4930123456", "-d", HOLD_MS]
        caller.argv = [str(word) for word in caller.argv]
        with caller:
            assert eventually(lambda: self.rpc("callroute.stats")["channels"] >= 5), "no call has begun"
            until = self.reloads + reloads
            for count in itertools.count():
                if self.reloads >= until:
                    break
                self.one_reload(count)      # which fails unless it ends as it must: three of five are published
            assert caller.alive, caller.error("ended before the reloads did")
            os.kill(caller.pid, signal.SIGUSR1)     # no new calls; ends with the last one
            status = caller.wait(60)
        good, lost = caller.good()
        assert (status, lost) == (0, 0) and good > 0, (status, lost, good)
        self.calls += good

    def one_reload(self, count):
        """Change prices, ask for a load, wait for what comes of it."""
        words = ORDERS[count % len(ORDERS)]
        self.sql(f"UPDATE callroute_rate SET price = {1000 + count % 7} WHERE deck_id = {2 + count % 2} "
                 "AND prefix = '49'")
        ticket = self.order(*words)
        assert eventually(lambda: self.last["ticket"] >= ticket, LOAD_SECONDS, 0.001), (words, self.last)
        wanted = "refused" if "nobody" in words else "dry" if "dry" in words else "published"
        done = self.last
        assert (done["ticket"], done["result"]) == (ticket, wanted), done
        self.reloads += wanted == "published"
        self.refusals += wanted == "refused"

    # -- what is left -----------------------------------------------------------

    def rest(self, shm_at_most=None):
        """Every gauge is 0 and no snapshot waits for a reader; shared memory has come back to a bound."""
        assert_nothing_held(self, 30)
        assert eventually(lambda: self.rpc("callroute.status")["pending_reclaim"] == 0), "a reader is stuck"
        assert eventually(lambda: int(self.rpc("tm.stats")["current"]) == 0, 30), self.rpc("tm.stats")
        if shm_at_most:
            assert eventually(lambda: int(self.rpc("core.shmmem")["real_used"]) <= shm_at_most, 30), \
                (self.rpc("core.shmmem"), shm_at_most)

    def memory(self):
        """What every process holds now."""
        return Memory(self)

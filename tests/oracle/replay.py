# SPDX-License-Identifier: GPL-2.0-or-later
"""A data set played to the program and to the oracle at once; the first difference is told."""

import errno
import subprocess
from collections import Counter

from oracle.decision import Oracle
from oracle.lookups import Lookups
from oracle.live import Health, Live, Quality

REFUSALS = {("trunk", "channels"): 1, ("trunk", "cps"): 2, ("carrier", "channels"): 3, ("carrier", "cps"): 4,
            ("account", "channels"): 5, ("account", "cps"): 6}


class Answers:
    """What the program says to one or more data sets, line by line."""

    def __init__(self, decide, worlds):
        text = "".join(line + "\n" for world in worlds for line in world.lines())
        done = subprocess.run([decide], input=text, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{decide} ended with {done.returncode}: {done.stderr[-2000:]}")
        self.lines = iter(done.stdout.split("\n"))

    def next(self):
        return next(self.lines)


class Difference(Exception):
    """The program's answer to something that happened is not the oracle's."""

    def __init__(self, at, what, told):
        super().__init__(told)
        self.at, self.what, self.told = at, what, told


def expect(at, what, got, must):
    if got not in ([must] if isinstance(must, str) else must):
        raise Difference(at, what, f"answer is {got!r}, must be {must!r}")


def befall(live, what):
    """Plays an event to the oracle's live state; returns the line that the program must say, or several."""
    kind = what["what"]
    trunk = live.trunks.get(what.get("trunk"))
    if kind == "admin":
        live.admin[trunk["id"]] = what["state"]
        return "admin\t0"
    if kind == "probe":
        health = live.health.setdefault(trunk["id"], Health())
        return f"probe\t{health.probe(what['answered'], trunk['down_after'], trunk['up_after'])}"
    if kind == "attempt":
        breaker, cfg = live.breaker_of(trunk)
        failed = None if what["failed"] == "lost" else what["failed"]
        went, edge = breaker.attempt(cfg, what["clock"], failed, what["end"])
        return f"attempt\t{went}\t{edge}"
    if kind == "take":
        claim = live.claim(trunk, (what["account"], what["channels"], what["cps"]))
        refused = live.capacity.take(what["call"], claim, what["expires"], what["clock"])
        return [f"take\t{REFUSALS[r]}" for r in refused] or "take\t0"
    if kind == "release":
        return f"release\t{0 if live.capacity.release(what['call'], what['clock']) else -errno.ENOENT}"
    quality = live.qualities.setdefault((trunk["id"], what["iso"]), Quality())
    quality.add(what["outcome"], what["pdd_ms"], what["times"])
    return "sample"


def replay(world, answers):
    """Counts of verdicts, reasons and fates; raises Difference."""
    counts, live = Counter(), Live(world)
    oracle, lookups = Oracle(world, live), Lookups(world)
    built = "built" if world.loaded else f"refused\t{-getattr(errno, world.refusal)}"
    for command, kept, *_ in world.loads():
        wanted = [command, built] if kept is None else [command, "keep\t1", built]
        for line in wanted:
            expect(-1, {"what": "build"}, answers.next(), line)
        counts["loads"] += 1
        counts["loads that keep rates"] += kept is not None
    for at, what in enumerate(world.happens):
        got = answers.next()
        if what["what"] in Lookups.KINDS:
            fault = lookups.fault(what, got)
            if fault:
                raise Difference(at, what, fault)
            counts["lookup " + what["what"]] += 1
            continue
        if what["what"] != "ask":
            expect(at, what, got, befall(live, what))
            counts["event " + what["what"]] += 1
            continue
        fields = got.split("\t")
        expected = oracle.decide(what)
        fault = expected.fault(fields)
        if fault:
            raise Difference(at, what, fault)
        counts["cases"] += 1
        counts[f"verdict {expected.verdict} {expected.reason}"] += 1
        counts["emergency"] += expected.emergency
        counts["candidates"] += len(fields[-2].split())
        for word in fields[-1].split():
            counts["fate " + word.split(":")[1]] += 1
    return counts

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: ours beside the stock modules, in one Kamailio, in one run.

Prints a table with ratios (theirs / ours) and writes build/bench.json. Times
never fail it; a wrong answer or a lost account does. docs/performance.md says
how each figure is measured.
"""

import os
import platform
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import benchcells  # noqa: E402
import benchcalls  # noqa: E402
import benchdata  # noqa: E402
import benchdecision  # noqa: E402
import benchlib  # noqa: E402
import benchmillion  # noqa: E402
import benchreload  # noqa: E402
import benchroutes  # noqa: E402
from benchtable import Report  # noqa: E402
from support import server  # noqa: E402
from support.kamailio import BUILD  # noqa: E402
from support.process import run  # noqa: E402

PARTS = ("routes", "decision", "calls", "reload", "million", "cells", "flood", "library")

TIMES = [("ns", "mean", 0), ("ratio", "mean_ratio", 2), ("p50", "p50", 0), ("p99", "p99", 0), ("p99.9", "p999", 0)]
FELT = [("longest", "longest_ms", 2), ("own", "own_ms", 2), ("> 1 ms", "slow", 0), ("preempted", "preempted", 0),
        ("calls", "calls", 0), ("idle longest", "idle_ms", 2), ("lost", "lost", 0)]
TABLES = (
    ("lookup", "Longest prefix: ns a lookup, bytes a prefix",
     [*TIMES, ("B/prefix", "bytes", 1), ("ratio", "bytes_ratio", 1), ("load s", "load_s", 1)]),
    ("script", "The same by script function, on a request: ns a call, what it does to the request included", TIMES),
    ("decision", "A decision over 20 vendors' lists, by script function: ns a call, B a rate of the lists",
     [*TIMES, ("B/rate", "bytes", 1), ("ratio", "bytes_ratio", 1), ("load s", "load_s", 1)]),
    ("calls", "A call, INVITE to BYE: us of the server's processors, per cent over the bare relay of the same round",
     [("us a call", "us", 1), ("more us", "more", 1), ("over %", "over", 1), ("1st quarter", "low", 1),
      ("3rd quarter", "high", 1), ("of all", "total", 1), ("idle us/s", "idle_us", 0),
      ("instructions", "instructions", 0), ("over %", "instructions_over", 1)]),
    ("reload", "A reload, felt by a caller: ms of the longest call, calls over 1 ms",
     [("reload s", "reload_s", 2), *FELT]),
    ("million", "A million rates loaded again: seconds from the order to their use, and what a caller feels",
     [("reload s", "reload_s", 2), ("slowest", "worst_s", 2), ("keeper CPU s", "cpu_s", 2),
      ("B/rate", "bytes", 1), *FELT]),
    ("cells", "Counting by key: ns a check (* = ours; ratios to it)",
     [("hot", "hot", 0), ("ratio", "hot_ratio", 1), ("cold", "cold", 0), ("ratio", "cold_ratio", 1),
      ("cold p99.9", "cold_p999", 0), ("new", "new", 0), ("ratio", "new_ratio", 1), ("hot x2", "hot_pair", 0),
      ("cold x2", "cold_pair", 0), ("B/key", "bytes", 0)]),
    ("flood", "A flood of spoofed sources", [("accounts", "accounts", 0), ("sources", "sources", 0),
                                             ("lost", "lost", 0), ("ns a source", "ns", 0)]),
    ("library", "The library alone", [("ns", "mean", 1), ("p50", "p50", 0), ("p99", "p99", 0), ("p99.9", "p999", 0),
                                      ("instructions", "instructions", 0)]),
)


def first_line(argv):
    """What a program says of itself, or that it is missing."""
    if not shutil.which(argv[0]):
        return f"{argv[0]}: not installed"
    return run(argv, 20).stdout.splitlines()[0].strip()


def machine():
    """Where the figures come from."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    with open("/proc/meminfo", encoding="utf-8") as info:
        memory = int(next(line for line in info if line.startswith("MemTotal")).split()[1]) // 1024
    caches = [line.strip() for line in run(["lscpu"], 20).stdout.splitlines() if line.startswith(("L2", "L3"))]
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(), "memory_mb": memory,
            "caches": [" ".join(line.split()) for line in caches], "kernel": platform.release(),
            "load_at_start": os.getloadavg()[0], "kamailio": first_line([server.binary(), "-v"]),
            "compiler": first_line(["gcc", "--version"]), "at": time.strftime("%Y-%m-%d %H:%M:%S %z")}


def main():
    """The parts that were asked for, all by default."""
    began = time.monotonic()
    wanted = sys.argv[1:] or PARTS
    unknown = set(wanted) - set(PARTS)
    if unknown:
        sys.exit(f"bench: no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    report = Report(machine())
    print("\n".join(f"{name}: {value}" for name, value in report.machine.items()), flush=True)
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        sets = benchdata.prefix_sets()
        parts = {"routes": lambda: benchroutes.measure(report, folder, sets),
                 "decision": lambda: benchdecision.measure(report, folder, sets["300 k"]),
                 "calls": lambda: benchcalls.measure(report, folder, sets["300 k"]),
                 "reload": lambda: benchreload.measure(report, folder, sets["300 k"]),
                 "million": lambda: benchmillion.measure(report, folder, sets["300 k"]),
                 "cells": lambda: benchcells.measure(report, folder),
                 "flood": lambda: benchcells.flood(report, folder),
                 "library": lambda: benchlib.measure(report, folder, sets)}
        for name in PARTS:
            if name in wanted:
                start = time.monotonic()
                parts[name]()
                print(f"  {name}: {time.monotonic() - start:.0f} s", flush=True)
    report.machine["load_at_end"] = os.getloadavg()[0]
    report.machine["seconds"] = round(time.monotonic() - began)
    for figure in ("mean", "bytes", "hot", "cold", "new"):
        report.ratios(figure)
    benchcells.targets(report)
    benchroutes.targets(report)
    benchdecision.targets(report)
    benchcalls.targets(report)
    benchmillion.targets(report)
    for group, title, columns in TABLES:
        text = report.table(group, title, columns)
        if text:
            print(text)
    print(report.closing())
    path = os.path.join(BUILD, "bench.json")
    report.save(path)
    print(f"\n{report.machine['seconds']} s; all figures in {os.path.relpath(path)}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())

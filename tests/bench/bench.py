#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: ours beside the stock modules, in one Kamailio, in one run.

Prints tables with ratios (theirs / ours) and writes build/bench.json, after each
part. Times never fail it; a wrong answer, a lost account or a part that does not
come to its end does. docs/performance.md says how each figure is measured.
"""

import os
import platform
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import benchcells  # noqa: E402
import benchcalls  # noqa: E402
import benchdata  # noqa: E402
import benchdecision  # noqa: E402
import benchlib  # noqa: E402
import benchload  # noqa: E402
import benchmillion  # noqa: E402
import benchreload  # noqa: E402
import benchroutes  # noqa: E402
import benchrun  # noqa: E402
from benchrun import Part  # noqa: E402
from support import server  # noqa: E402
from support.kamailio import BUILD  # noqa: E402
from support.process import run  # noqa: E402


def _on(measure, size=None):
    """A part's function, with the prefixes that it needs: all sets, or the one of that size."""
    def on_prefixes(report, folder):
        sets = benchdata.prefix_sets()
        return measure(report, folder, sets[size] if size else sets)

    return on_prefixes


PARTS = (
    Part("routes", _on(benchroutes.measure), benchroutes.targets),
    Part("decision", _on(benchdecision.measure, "300 k"), benchdecision.targets),
    Part("calls", _on(benchcalls.measure, "300 k"), benchcalls.targets),
    Part("reload", _on(benchreload.measure, "300 k")),
    Part("million", _on(benchmillion.measure, "300 k"), benchmillion.targets),
    Part("cells", benchcells.measure, benchcells.targets),
    Part("flood", benchcells.flood),
    Part("load", lambda report, folder: benchload.measure(report), benchload.targets),
    Part("library", _on(benchlib.measure), benchlib.targets),
)

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
    ("load", "A load of callroute with everything at once: s of processor time; growth x: the time goes by trunks^x",
     [("rows", "rows", 0), ("s at 1/4", "quarter", 3), ("s", "seconds", 3), ("growth", "growth", 2),
      ("B/trunk", "bytes", 0)]),
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
            "kamailio": first_line([server.binary(), "-v"]), "compiler": first_line(["gcc", "--version"])}


def main(arguments):
    """The parts that are named, all for none; after --check only their names are looked at."""
    if arguments[:1] == ["--check"]:
        benchrun.choose(PARTS, arguments[1:])
        return 0
    where = machine()
    print("\n".join(f"{name}: {value}" for name, value in where.items()), flush=True)
    return benchrun.run(PARTS, BUILD, TABLES, arguments, where)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

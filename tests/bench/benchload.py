# SPDX-License-Identifier: GPL-2.0-or-later
"""A load of callroute with everything at once, and how each table's time grows with the number of trunks."""

import math
import re

from benchlib import program
from support.process import run

SIZES = (4_096, 16_384, 65_536)     # the last is the most that max_trunks may be
FIRST = 2               # so many are always measured
STEP = 4                # from one size to the next
SECONDS = 300           # of one run, on the wall
AT_MOST = 60            # seconds of processor time that a further size may be expected to take
TWICE = 10              # a run shorter than that is made twice, and the better time of each table counts
SEEN = 0.02             # seconds: below, a growth says nothing
# n log n would be 1.1 from each size to the next. What no longer fits the caches comes on top, a square is 2.
MOST_GROWTH = 1.4
ALL = "all"


def measured(trunks):
    """{table: (rows, seconds)} and the bytes of the image."""
    tables, image = {}, 0
    for _ in range(2):
        done = run([program("policy_load"), trunks], SECONDS)
        found = re.findall(r"^load_(\w+) (\d+) ([\d.]+) s$", done.stdout, re.MULTILINE)
        size = re.search(r"^image (\d+) bytes$", done.stdout, re.MULTILINE)
        if done.returncode or not size:
            raise RuntimeError(f"policy_load {trunks} ended with {done.returncode}: {done.stdout[-300:]}")
        for table, rows, seconds in found:
            best = min(float(seconds), tables.get(table, (0, math.inf))[1])
            tables[table], image = (int(rows), best), int(size[1])
        if tables[ALL][1] >= TWICE:
            break
    return tables, image


def growth(before, now):
    """x, where the time of N trunks is N to the power of x; None where it is too short to tell."""
    return math.log(now / before, STEP) if before > 0 and now >= SEEN else None


def measure(report, measure_one=measured):
    """Every size, as long as it takes less than a minute by the growth so far."""
    before = {}
    for number, trunks in enumerate(SIZES):
        if number >= FIRST:
            last = report.find("load", f"{SIZES[number - 1]:,} trunks", ALL)
            expected = last["seconds"] * STEP ** (last["growth"] or 1)
            if expected > AT_MOST:
                report.note(f"load of {trunks:,} trunks not measured: by the growth so far it would take "
                            f"{expected:.0f} s, more than {AT_MOST} s")
                return
        tables, image = measure_one(trunks)
        for table, (rows, seconds) in tables.items():
            was = before.get(table, (0, None))[1]
            report.add("load", f"{trunks:,} trunks", table, "policy_load", ours=table == ALL, rows=rows, quarter=was,
                       seconds=seconds, growth=growth(was, seconds) if was else None,
                       bytes=image / trunks if table == ALL else None)
        before = tables


def targets(report):
    """A load grows about as n log n, whatever table it is of."""
    for trunks in SIZES[1:]:
        size = f"{trunks:,} trunks"
        rows = [row for row in report.rows if row["group"] == "load" and row["size"] == size]
        if rows:
            fast = [f"{row['name']} {row['growth']:.2f}" for row in rows if (row["growth"] or 0) > MOST_GROWTH]
            report.target(f"a load of {size} and all that goes with them, no table faster than n log n "
                          f"(exponent <= {MOST_GROWTH})", ", ".join(fast) or "none", not fast)

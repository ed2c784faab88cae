# SPDX-License-Identifier: GPL-2.0-or-later
"""Counting by key, 1,000 to 1,000,000 keys; and the flood that no account may notice."""

import os
import re

import benchdata
import benchkamailio
from support.kamailio import ROOT

OURS = "cells"
SIZES = (("1 k", 1_000), ("10 k", 10_000), ("100 k", 100_000), ("1 M", 1_000_000))
MANY = 100_000
DEFAULT_SIZED = ("pipelimit", "htable default")
CLOCK = "cells, clock"
CASES = (OURS, CLOCK, "pipelimit", "htable default", "htable best", "pike", "fraudguard")
SECONDS = 120
BEST = 'modparam("pipelimit", "hash_size", 20)'
SOURCES = 1_000_000
CELL_BYTES = 44     # with admission, as sources have it: cells.h


def default_cells():
    """fraudguard's own default of its modparam cells."""
    with open(os.path.join(ROOT, "modules", "fraudguard", "kamailio", "state.c"), encoding="utf-8") as source:
        return int(re.search(r"\.cells = (\d+)", source.read())[1])


def measure(report, folder):
    """Twice: pipelimit has one table, so its best size needs a Kamailio of its own."""
    _run(report, os.path.join(folder, "cells"), CASES, "", "")
    _run(report, os.path.join(folder, "cells-best"), ("pipelimit",), BEST, " best")
    report.note("pipelimit and htable in their default size (64 and 16 slots) are measured up to 100 k keys: a "
                "check walks a list of keys / slots, so filling takes ten times ten as long for 1 M")
    report.note("cells: the first keys of the table also pay for the first touch of each page of its 88 MB; "
                "that is most of `new` up to 100 k keys")
    report.note("pike counts by parts of an address until a part is busy: its memory is no memory per key")


def _size(keys):
    return next(name for name, count in SIZES if count == keys)


def _run(report, run_dir, cases, pipelimit, suffix):
    os.makedirs(run_dir)
    database = os.path.join(run_dir, "bench.sqlite")
    benchdata.create(database)
    kamailio = benchkamailio.start(run_dir, benchkamailio.COUNTING, url=f"sqlite:///{database}", pipelimit=pipelimit)
    try:
        known = 0
        for size, keys in SIZES:
            for name in cases:
                if keys > MANY and name in DEFAULT_SIZED and not suffix:
                    label = "pipelimit default" if name == "pipelimit" else name
                    fill = report.find("cells", _size(MANY), label)["new"] * keys / MANY * (keys - known) / 1e9
                    report.add("cells", size, label, f"not measured: filling it would take about {fill:.0f} s")
                    continue
                row = kamailio.rpc("tgbench.cells", name, known, keys, seconds=SECONDS)
                row.pop("name")
                if name.startswith(OURS):
                    row["bytes"] = CELL_BYTES
                if name == CLOCK:
                    row["new"] = None       # its keys are those of OURS: known already
                elif name == "fraudguard":
                    row.pop("bytes")
                label = name + suffix if suffix or name != "pipelimit" else "pipelimit default"
                report.add("cells", size, label, ours=name == OURS, **row)
            known = keys
    finally:
        kamailio.stop()


def flood(report, folder):
    """100 k accounts, 1 M random sources; then the default size, with the flood and without."""
    # A set of four cells is drawn by five accounts once in 3,700 runs with so many.
    got = _flood(folder, "flood", 1 << 24, SOURCES)
    if got["refused_early"]:
        report.fail(f"fraudguard refused {got['refused_early']} calls below the limit")
    for where, how in (("module", "fraudguard_source and fraudguard_call, 2^24 cells: asserted"),
                       ("library", "tg_cells, four times as many sources as cells: asserted")):
        lost = got[f"{where}_lost"]
        if lost:
            report.fail(f"flood, {where}: {lost} of {got['accounts']} accounts lost their count")
        report.add("flood", "", where, how, accounts=got["accounts"], sources=SOURCES, lost=lost,
                   ns=got[f"{where}_flood_ns"])
    if not got["evicted"] + got["refused"]:
        report.fail("flood: the sources' table never was full, so the flood proves nothing")
    # Not asserted: what accounts lose to one another is a matter of size. The pair tells the flood's part.
    for number, sources in enumerate((0, SOURCES) * 2):
        got = _flood(folder, f"flood-default-{number}", default_cells(), sources)
        report.add("flood", "", "module, default cells", f"{default_cells()} cells, a new hash key: not asserted",
                   accounts=got["accounts"], sources=sources, lost=got["module_lost"],
                   ns=got["module_flood_ns"] or None)


def _flood(folder, name, cells, sources):
    run_dir = os.path.join(folder, name)
    os.makedirs(run_dir)
    database = os.path.join(run_dir, "bench.sqlite")
    benchdata.create(database)
    kamailio = benchkamailio.start(run_dir, benchkamailio.COUNTING, url=f"sqlite:///{database}", cells=cells)
    try:
        return kamailio.rpc("tgbench.flood", sources, seconds=SECONDS)
    finally:
        kamailio.stop()


def targets(report):
    """Those of design/fraudguard.md."""
    rows = {size: report.find("cells", size, OURS) for size, _ in SIZES}
    if not rows["1 M"]:
        return
    hot, cold = rows["1 M"]["hot"], rows["1 M"]["cold"]
    report.target("check, hot, <= 50 ns", f"{hot:.0f} ns", hot <= 50)
    report.target("check, cold, 1 M keys, <= 250 ns", f"{cold:.0f} ns", cold <= 250)
    tail = rows["1 M"]["cold_p999"]
    report.target("check, p99.9, <= 2 us", f"{tail:.0f} ns", tail <= 2000)
    ours = rows["100 k"]["cold"]
    for name in ("pipelimit default", "htable default", "pipelimit best", "htable best"):
        other = report.find("cells", "100 k", name)
        if other:
            ratio, least = other["cold"] / ours, 5 if name.endswith("default") else 1
            report.target(f"check, 100 k keys, >= {least}x {name}", f"{ratio:.1f}x", ratio >= least)

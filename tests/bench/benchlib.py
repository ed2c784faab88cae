# SPDX-License-Identifier: GPL-2.0-or-later
"""The library alone: the stand-alone programs, and instructions counted by callgrind."""

import os
import re
import shutil
import tempfile

import benchdata
from support.kamailio import BUILD, ROOT
from support.process import run

SECONDS = 180
COUNTED = 20_000
HERE = os.path.dirname(os.path.abspath(__file__))


def program(name):
    """A program that bench.mk built."""
    return os.path.join(BUILD, "bench", name)


def _lines(report, name, *arguments):
    """The rows that a program prints; it fails the bench when it fails or prints none."""
    done = run([program(name), *arguments], SECONDS)
    rows = re.findall(r"^(\S+) +([\d.]+) ns$", done.stdout, re.MULTILINE)
    for row, ns in rows:
        report.add("library", "", row, name, mean=float(ns))
    if done.returncode or not rows:
        report.fail(f"{name} ended with {done.returncode} and {len(rows)} rows: {done.stdout[-200:]}")


def _data(report):
    """lib_data, in a folder beside what was built: the state file's disk is that one's, not a /tmp in memory."""
    with tempfile.TemporaryDirectory(prefix="bench-data-", dir=BUILD) as folder:
        made = run(["perl", os.path.join(ROOT, "tests", "unit", "lib", "geo", "make_geo.pl"), folder], SECONDS)
        if made.returncode:
            report.fail(f"make_geo.pl: {made.stdout[-200:]}")
        else:
            _lines(report, "lib_data", folder)


def _decide(report, listing):
    """A whole decision over 20 vendors and 1.3 M rates of the given prefixes."""
    done = run([program("policy_decide"), listing], SECONDS)
    rows = re.findall(r"^(decide_\w+) ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) ns, ([\d.]+) bytes a row", done.stdout,
                      re.MULTILINE)
    for row, *figures in rows:
        mean, p50, p99, p999, size = map(float, figures)
        report.add("library", "20 x 65 k", row, "policy_decide", mean=mean, p50=p50, p99=p99, p999=p999)
        report.note(f"{row}: {size} bytes a rate row, all of the image")
    if done.returncode or len(rows) != 2:
        report.fail(f"policy_decide ended with {done.returncode}: {done.stdout[-200:]}")


def measure(report, folder, sets):
    """Times of each structure, then instructions of trie and cells."""
    for size, prefixes in sets.items():
        listing = os.path.join(folder, f"prefixes-{len(prefixes)}")
        benchdata.write_prefixes(listing, prefixes)
        done = run([program("lib_trie"), listing], SECONDS)
        found = re.match(r"trie_longest ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) ns, wrong (\d+)", done.stdout)
        if done.returncode or not found:
            report.fail(f"lib_trie on {size}: {done.stdout[-200:]}")
            continue
        mean, p50, p99, p999 = (float(found[n]) for n in range(1, 5))
        counted = _instructions(report, folder, "tg_trie_longest", [program("lib_trie"), listing, str(COUNTED)])
        report.add("library", size, "trie_longest", "lib_trie", mean=mean, p50=p50, p99=p99, p999=p999,
                   instructions=counted)
        if size == "300 k":
            _decide(report, listing)
    for source in sorted(os.listdir(HERE)):
        name, kind = os.path.splitext(source)
        if name.startswith("lib_") and kind == ".c" and name not in ("lib_trie", "lib_data"):
            _lines(report, name)
    _data(report)
    row = report.find("library", "", "cells_add_hot")
    if row:
        row["instructions"] = _instructions(report, folder, "tg_cells_add", [program("lib_cells"), str(COUNTED)])


def targets(report):
    """Those of design/callroute.md."""
    for name, how in (("decide_plain", "by price"), ("decide_full", "every check in use")):
        row = report.find("library", "20 x 65 k", name)
        if row:
            report.target(f"decision, 20 vendors, 1.3 M rates, {how}, <= 1.5 us median, <= 5 us p99",
                          f"{row['p50'] / 1e3:.2f} us, {row['p99'] / 1e3:.2f} us",
                          row["p50"] <= 1500 and row["p99"] <= 5000)


def _instructions(report, folder, function, argv):
    """Instructions a call of `function` in a run that calls it COUNTED times."""
    if not shutil.which("valgrind"):
        report.note("instructions not counted: valgrind is not installed (Debian package valgrind)")
        return None
    done = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.path.join(folder, 'callgrind')}",
                f"--toggle-collect={function}", *argv], SECONDS)
    found = re.search(r"Collected : (\d+)", done.stdout)
    if done.returncode or not found or int(found[1]) == 0:
        report.note(f"instructions of {function} not counted: {done.stdout[-200:]}")
        return None
    return int(found[1]) / COUNTED

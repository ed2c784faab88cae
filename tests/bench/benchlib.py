# SPDX-License-Identifier: GPL-2.0-or-later
"""The library alone: the stand-alone programs, and instructions counted by callgrind."""

import os
import re
import shutil

import benchdata
from support.kamailio import BUILD
from support.process import run

SECONDS = 180
COUNTED = 20_000


def program(name):
    """A program that bench.mk built."""
    return os.path.join(BUILD, "bench", name)


def _lines(report, argv, size):
    done = run(argv, SECONDS)
    if done.returncode:
        report.fail(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout[-200:]}")
        return
    for line in done.stdout.splitlines():
        found = re.match(r"(\S+)\s+([\d.]+) ns$", line)
        if found:
            report.add("library", size, found[1], os.path.basename(argv[0]), mean=float(found[2]))


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
    for name in sorted(os.listdir(os.path.join(BUILD, "bench"))):
        if name.startswith("lib_") and name != "lib_trie" and os.access(program(name), os.X_OK):
            _lines(report, [program(name)], "")
    row = report.find("library", "", "cells_add_hot")
    if row:
        row["instructions"] = _instructions(report, folder, "tg_cells_add", [program("lib_cells"), str(COUNTED)])


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of a benchmark, one after the other: what one has measured is told and written when it ends.

Each part has a report of its own: build/bench/<part>.json. build/bench.json is the sum of these
files, rewritten after each part; of a part that did not run this time it has what an earlier run
left, with the machine and the time of that one. A part that fails leaves what it had until then
and its reason, and the next one begins; so does the one that Ctrl-C or SIGTERM ends, with the run.
"""

import glob
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from typing import Callable, NamedTuple, Optional

from benchtable import Report, write_json

INTERRUPTED = "interrupted"
RATIOS = ("mean", "bytes", "hot", "cold", "new")


class Part(NamedTuple):
    """One part.

    measure  called with a report and a folder that is removed afterwards
    targets  called with the report when `measure` has ended
    """

    name: str
    measure: Callable
    targets: Optional[Callable] = None


def choose(parts, wanted):
    """The parts with these names, all for none; an unknown name ends the program with the list."""
    names = [part.name for part in parts]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        sys.exit(f"bench: no such part: {', '.join(unknown)}; there are {', '.join(names)}")
    return [part for part in parts if not wanted or part.name in wanted]


ENDING = (signal.SIGINT, signal.SIGTERM)


def run(parts, build, tables, wanted=(), machine=None):
    """Run the parts with the `wanted` names (all for none) and print and write what they measure; the exit status.

    build    the folder for bench.json and bench/<part>.json
    tables   (group, title, columns) of every table that may be printed
    machine  where the figures come from
    """
    began = time.monotonic()
    wanted = choose(parts, wanted)
    reports = []
    # SIGINT too: a shell starts what runs in the background with that one ignored.
    before = {one: signal.signal(one, _interrupt) for one in ENDING}
    for part in wanted:
        report = _run_part(part, machine or {})
        reports.append(report)
        print(_text(report, tables), flush=True)
        try:
            os.makedirs(os.path.join(build, "bench"), exist_ok=True)
            write_json(os.path.join(build, "bench", f"{part.name}.json"), report.content())
            _sum(build, [one.name for one in parts])
        except (OSError, ValueError) as error:
            report.failed = report.failed or f"its figures stand above and could not be written: {error}"
        if report.failed == INTERRUPTED:
            break
    for one, handler in before.items():
        signal.signal(one, handler)
    print(f"\n{time.monotonic() - began:.0f} s; all figures in {os.path.relpath(os.path.join(build, 'bench.json'))}",
          flush=True)
    return _outcome(reports, wanted)


def _interrupt(*_):
    """Once: a second signal ends it at once."""
    for one in ENDING:
        signal.signal(one, signal.SIG_DFL)
    raise KeyboardInterrupt


def _run_part(part, machine):
    """Its report, whatever happens to the part."""
    report = Report(part.name, {**machine, "at": time.strftime("%Y-%m-%d %H:%M:%S %z"),
                                "load_at_start": os.getloadavg()[0]})
    began = time.monotonic()
    print(f"\n== {part.name}, {report.machine['at']}", flush=True)
    try:
        try:
            with tempfile.TemporaryDirectory(prefix="tollgate-bench-", ignore_cleanup_errors=True) as folder:
                part.measure(report, folder)
        finally:
            for figure in RATIOS:
                report.ratios(figure)
        if part.targets:
            part.targets(report)
    except KeyboardInterrupt:
        report.failed = INTERRUPTED
    except (Exception, SystemExit) as error:
        report.failed = f"{type(error).__name__}: {error}"
        report.trace = traceback.format_exc()
    report.machine["load_at_end"] = os.getloadavg()[0]
    report.machine["seconds"] = round(time.monotonic() - began, 1)
    return report


def _text(report, tables):
    """The part's tables and what else it has to tell."""
    texts = [report.table(*table) for table in tables]
    texts += [report.closing(), report.trace and f"\n{report.trace.rstrip()}",
              f"\n  {report.part}: {report.machine['seconds']:.0f} s" + (", FAILED" if report.failed else "")]
    return "\n".join(text for text in texts if text)


def _sum(build, names):
    """bench.json, of the parts' files."""
    found = {}
    for path in glob.glob(os.path.join(build, "bench", "*.json")):
        name = os.path.splitext(os.path.basename(path))[0]
        if name in names:
            with open(path, encoding="utf-8") as source:
                found[name] = json.load(source)
    write_json(os.path.join(build, "bench.json"), {"parts": [found[name] for name in names if name in found]})


def _outcome(reports, wanted):
    """Names what went wrong; the exit status."""
    lines = [f"  - {report.part}: {one}" for report in reports for one in report.failures]
    lines += [f"  - part {report.part}: {report.failed.splitlines()[0]}" for report in reports if report.failed]
    lines += [f"  - part {part.name}: not run" for part in wanted[len(reports):]]
    if lines:
        print("\n".join(["\nFAILED", "", *lines]), flush=True)
    return 1 if lines else 0

# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark loses nothing that it measured: not by a part that fails, nor by one that ends it."""

import importlib
import json
import os
import signal
import subprocess
import sys

import pytest

from support.kamailio import ROOT
from support.process import Process

BENCH = os.path.join(ROOT, "tests", "bench")
TABLES = (("speed", "How fast", [("ns", "mean", 0), ("ratio", "mean_ratio", 1)]),)


@pytest.fixture
def benchrun(monkeypatch):
    """The module that runs parts."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("benchrun")


@pytest.fixture
def run(benchrun, tmp_path, capsys):
    """A function: run parts, given as {name: function}; the status, what was printed, what was written."""
    def made(parts, wanted=()):
        parts = [benchrun.Part(*one) for one in parts.items()]
        status = benchrun.run(parts, str(tmp_path), TABLES, wanted, {"cpu": "x"})
        return status, capsys.readouterr().out, written(tmp_path)

    return made


def written(folder):
    """{file: content} of what is in the folder."""
    return {str(path.relative_to(folder)): json.loads(path.read_text(encoding="utf-8"))
            for path in folder.rglob("*.*")}


def part(name, ns=30):
    """A part with two rows."""
    def measure(report, _folder):
        report.add("speed", "", f"{name} ours", ours=True, mean=ns / 3)
        report.add("speed", "", f"{name} theirs", mean=ns)

    return measure


def failing(how):
    """A part that has measured something when it fails."""
    def measure(report, folder):
        part("failing")(report, folder)
        how(folder)

    return measure


def _no_start(folder):
    with Process("server", ["sh", "-c", "echo cannot load the table; exit 1"], os.path.join(folder, "log")) as server:
        server.wait_line("ready")


def _lost(_folder):
    raise OSError("the answer never came")


def _late(_folder):
    subprocess.run(["sleep", "10"], timeout=0.2, check=True)


def _gives_up(_folder):
    sys.exit("no phone numbers")


@pytest.mark.parametrize("how, reason", [
    (_no_start, "ProcessError: server: waiting for the log line /ready/: it ended"),
    (_lost, "OSError: the answer never came"),
    (_late, "TimeoutExpired: Command '['sleep', '10']' timed out after"),
    (_gives_up, "SystemExit: no phone numbers")])
def test_a_part_that_fails_takes_nothing_along(run, how, reason):
    """The others are told and written, so is what it had itself; it is named at the end."""
    status, said, files = run({"first": part("first"), "second": failing(how), "third": part("third")})
    assert status != 0
    assert sorted(files) == ["bench.json", "bench/first.json", "bench/second.json", "bench/third.json"]
    for name, rows in (("first", "first"), ("second", "failing"), ("third", "third")):
        one = files[f"bench/{name}.json"]
        assert [row["name"] for row in one["rows"]] == [f"{rows} ours", f"{rows} theirs"]
        assert one["rows"][1]["mean_ratio"] == 3 and one["machine"]["cpu"] == "x"
        assert f"{rows} theirs" in said
    assert files["bench.json"]["parts"] == [files[f"bench/{name}.json"] for name in ("first", "second", "third")]
    assert [one["failed"] is None for one in files["bench.json"]["parts"]] == [True, False, True]
    failed = files["bench/second.json"]["failed"].splitlines()[0]
    assert failed.startswith(reason)
    assert said.endswith(f"\nFAILED\n\n  - part second: {failed}\n")


def test_what_has_ended_is_there_before_the_next_begins(run, tmp_path):
    """Whatever ends the benchmark then, it is not lost."""
    seen = {}

    def look(_report, _folder):
        seen.update(written(tmp_path))

    status, _, files = run({"first": part("first"), "second": look})
    assert status == 0
    assert seen["bench/first.json"] == files["bench/first.json"]
    assert seen["bench.json"]["parts"] == [seen["bench/first.json"]]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tells_what_did_not_run(run, by):
    """The part under way keeps its rows; Ctrl-C and a time limit alike."""
    def interrupted(_folder):
        os.kill(os.getpid(), by)
        subprocess.run(["sleep", "10"], check=True)

    status, said, files = run({"first": failing(interrupted), "second": part("second")})
    assert status != 0 and files["bench/first.json"]["rows"]
    assert sorted(files) == ["bench.json", "bench/first.json"]
    assert said.endswith("FAILED\n\n  - part first: interrupted\n  - part second: not run\n")


def test_a_wrong_answer_fails_a_part_that_ends(run):
    """As it always did."""
    status, said, files = run({"first": lambda report, _: report.fail("3 of 4 answers are wrong")})
    assert status != 0 and "  - first: 3 of 4 answers are wrong\n" in said
    assert files["bench/first.json"]["failures"] == ["3 of 4 answers are wrong"]


def test_some_parts_leave_the_others_figures(run):
    """The sum has what an earlier run left of them, but nothing of a part that is no more."""
    run({"first": part("first"), "second": part("second"), "old": part("old")})
    status, said, files = run({"first": part("first"), "second": part("second", 60)}, ["second"])
    assert status == 0 and "first" not in said
    assert [one["rows"][1]["mean"] for one in files["bench.json"]["parts"]] == [30, 60]


def test_an_unknown_part_is_refused_with_the_list():
    """By make, before it installs or builds anything."""
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "bench", "PARTS=flood speed"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == ("bench: no such part: speed; there are routes, decision, calls, reload, "
                                           "million, cells, flood, load, library")
    assert done.stdout == ""


def test_a_growth_beyond_n_log_n_is_seen(benchrun, monkeypatch):
    """And a size that would take too long is left out, with a word."""
    load, table = importlib.import_module("benchload"), importlib.import_module("benchtable")

    def fake(trunks):
        linear, square = trunks / 40_000, (trunks / 4_096) ** 2 / 4
        return {"rate": (trunks, linear), "trunk": (trunks, square), "deck": (1, 0.001),
                "all": (trunks, linear + square)}, trunks * 4000

    report = table.Report("load", {})
    load.measure(report, fake)
    load.targets(report)
    rows = {(row["size"], row["name"]): row for row in report.rows}
    assert rows["16,384 trunks", "trunk"]["growth"] == pytest.approx(2)
    assert rows["16,384 trunks", "rate"]["growth"] == pytest.approx(1)
    assert rows["16,384 trunks", "deck"]["growth"] is None
    assert [(one["got"], one["met"]) for one in report.targets] == [("trunk 2.00, all 1.82", False),
                                                                    ("trunk 2.00, all 1.95", False)]
    monkeypatch.setattr(load, "AT_MOST", 50)
    report = table.Report("load", {})
    load.measure(report, fake)
    assert len(report.rows) == 8 and "load of 65,536 trunks not measured: by the growth" in report.notes[0]

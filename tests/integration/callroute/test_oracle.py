# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute's decisions against an oracle that was written from the documentation alone (tests/oracle).

Another seed: ORACLE_SEED=anything; more cases: ORACLE_CASES=1000000.
"""

import os

import pytest

from oracle import compare
from oracle.hours import ZONES, compare_hours
from oracle.lookups import Lookups
from oracle.weights import check_weights
from support.kamailio import BUILD, ROOT
from support.process import run

SEED = os.environ.get("ORACLE_SEED", compare.SEED)
CASES = int(os.environ.get("ORACLE_CASES", "100000"))


@pytest.fixture(scope="module", name="decide")
def build_decide():
    # By the name that the other rules know it by: what it was made from is remembered under that name.
    target = os.path.join(os.environ.get("BUILD", "build"), "oracle", "decide-plain")
    done = run(["make", "-C", ROOT, "-f", "Makefile", "-f", "tests/oracle/oracle.mk", target], 600)
    assert done.returncode == 0, done.stdout
    return os.path.join(BUILD, "oracle", "decide-plain")


def test_every_decision_is_the_oracles(decide, record_property):
    counts, difference = compare.compare(SEED, CASES, decide)
    looked_up = sum(counts[f"lookup {kind}"] for kind in Lookups.KINDS)
    record_property("said", f"ORACLE_SEED={SEED}: {counts['cases']:,} decisions and {looked_up:,} lookups "
                            "equal the oracle's")
    assert difference is None, f"ORACLE_SEED={SEED}: {difference}"
    assert counts["cases"] >= CASES
    assert compare.missing(counts) == [], compare.histogram(counts)


def test_the_hours_around_each_clock_change(decide):
    equal = compare_hours(decide)
    assert set(equal) == set(ZONES)
    assert min(equal.values()) >= 3 * 2 * 168, equal


@pytest.mark.parametrize("seeds", ["random", "counted"])
def test_equals_share_calls_by_weight(decide, seeds):
    check_weights(decide, seeds)


def test_a_wrong_answer_is_found_and_cut_down(decide, tmp_path):
    """The comparison itself: a program that takes the dearest first must not pass."""
    liar = tmp_path / "liar"
    liar.write_text(f"#!/bin/sh\n{decide} | awk -F'\\t' -v OFS='\\t' '$1 == 1 {{ n = split($12, c, \" \"); t = c[n]; "
                    "for (i = n - 1; i > 0; i--) t = t \" \" c[i]; $12 = t } 1'\n")
    liar.chmod(0o755)
    _, difference = compare.compare_some(SEED, 0, 40, str(liar))
    assert difference is not None and "out of order" in difference
    rows = [line for line in difference.splitlines() if line.startswith(("  plan_trunk |", "  rule |"))]
    assert 1 <= len(rows) <= 3, difference
